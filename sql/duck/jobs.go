package duck

import (
	"context"
	"errors"
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
	return e.waitDone(ctx, done)
}

func (e *Engine) waitDone(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		select {
		case <-done: // it ended first
			return nil
		default:
			return ctx.Err()
		}
	case <-e.closing:
		return errClosed
	}
}

// errPlanTooLong is the answer to a statement whose constants take too long to compute.
var errPlanTooLong = errors.New("the statement cannot be planned in time: does it compute a huge constant?")

// onPlanner lets work use the planner's connections of a slot, like onConn, but not longer than planWait.
func (e *Engine) onPlanner(ctx context.Context, work func(slot int)) error {
	slot, err := take(ctx, e.slots, e.closing)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeoutCause(ctx, planWait, errPlanTooLong)
	done := make(chan struct{})
	started := e.running.start(func() {
		defer cancel()
		go func() {
			defer close(done)
			work(slot)
		}()
		select {
		case <-done:
		case <-bounded.Done():
			e.interruptPlanner(slot, done)
		case <-e.closing:
			e.interruptPlanner(slot, done)
		}
		e.slots <- slot
	})
	if !started {
		cancel()
		e.slots <- slot
		return errClosed
	}
	err = e.waitDone(bounded, done)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return context.Cause(bounded)
	}
	return err
}

func (e *Engine) interruptPlanner(slot int, done <-chan struct{}) {
	var both sync.WaitGroup
	for _, in := range []*instance{e.planner.filters, e.planner.columns} {
		both.Go(func() { in.conns[slot].interruptUntil(done) })
	}
	both.Wait()
}
