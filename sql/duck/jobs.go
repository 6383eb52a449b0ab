package duck

import (
	"context"
	"sync"
)

// jobs are goroutines that somebody waits for. After close none starts any more.
type jobs struct {
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

func (j *jobs) start(job func()) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return false
	}
	j.wg.Go(job)
	return true
}

func (j *jobs) close() {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.wg.Wait()
}

// onConn lets work run on a connection of a pool. It returns when work has ended, or at once with an error when ctx ends or the engine closes: then what
// runs is interrupted in the background, and the connection goes back to the pool when it has really stopped.
func (e *Engine) onConn(ctx context.Context, c *conn, pool chan *conn, work func()) error {
	done := make(chan struct{})
	started := e.running.start(func() {
		go func() {
			defer close(done)
			work()
		}()
		select {
		case <-done:
		case <-ctx.Done():
			c.interruptUntil(done)
		case <-e.closing:
			c.interruptUntil(done)
		}
		pool <- c
	})
	if !started {
		pool <- c
		return errClosed
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-e.closing:
		return errClosed
	}
}
