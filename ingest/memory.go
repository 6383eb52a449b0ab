package ingest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// 96 MiB hold two bodies of the largest size while they are decoded (16 MiB, and two and a half times as much with the events made of
	// it), or some 130 batches of a thousand events, beside what is kept for small requests; and it is little beside the engine's memory.
	defaultMaxMemory = 96 << 20
	// MinMemory is the least Config.MaxMemory: below it not even a batch of ten thousand events finds room.
	MinMemory = 8 << 20

	// smallRequest bytes are a single event or a few. Such a request is not made to wait behind large bodies, and an eighth of the memory
	// (smallShare) is out of the large ones' reach when they begin: a flood of bulk does not keep the single events out.
	smallRequest = 64 << 10
	smallShare   = 8
	// idleShare of the memory, at most, is kept as buffers of requests that have ended, for those to come.
	idleShare = 8

	// A request waits so long for room: longer than the syncs of a few groups on a slow disk, which is what makes room, and shorter than anybody's
	// patience. Behind it the sender is told to come again.
	memoryPatience = 250 * time.Millisecond

	// slackBytes of a lease that are no longer needed are not worth the lock.
	slackBytes = 64 << 10
)

// memory bounds what all requests together hold of bodies, of the events made of them, and of buffers kept for later. Everything is counted
// before it is allocated, as capacity, with what a buffer that moves needs twice for a moment. It counts what is in use: the collector lets
// the process keep about as much again in garbage.
type memory struct {
	limit int64 // bytes

	mu      sync.Mutex
	used    int64     // by leases and by idle
	peak    int64     // the highest used
	idle    []*work   // newest last
	kept    int64     // bytes of idle
	waiting []*waiter // in the order in which they came
}

// waiter is a request that waits for room.
type waiter struct {
	n     int64 // bytes beside those that it has
	small bool
	ready chan struct{} // closed once it has its n bytes
}

// lease is one request's part of the memory. It is not safe for concurrent use; a nil one holds whatever it is asked to.
type lease struct {
	memory  *memory
	charged int64 // bytes that it counts for
	floor   int64 // bytes that were set aside for it when it began: it keeps them, however little it holds
}

// MemoryState is how much of the memory for requests is in use. Bytes.
type MemoryState struct {
	Used  int64 // by requests, and kept for the next ones
	Peak  int64 // the highest Used since the server was made
	Limit int64 // Config.MaxMemory
}

func (m *memory) state() MemoryState {
	m.mu.Lock()
	defer m.mu.Unlock()
	return MemoryState{Used: m.used, Peak: m.peak, Limit: m.limit}
}

// lease begins an empty one.
func (m *memory) lease() *lease { return &lease{memory: m} }

// hold asks for n bytes in all, in place of what the lease had, and never waits. Errors: *busyError, there is no room now; *oversizeError,
// there never is for so much. After an error nothing has changed.
func (l *lease) hold(n int64) error {
	if l == nil {
		return nil
	}
	n = max(n, l.floor)
	if n <= l.charged && l.charged-n < slackBytes {
		return nil
	}
	m := l.memory
	if n > m.limit {
		return oversizeOf(n, m.limit)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if n > l.charged && !m.fits(n-l.charged, m.limit) {
		return errNoMemory
	}
	m.charge(l, n)
	return nil
}

// reserve sets n bytes aside before anything of the request was read, waiting a moment where there is no room yet. Who came first is served first. Errors as
// those of hold, and the context's.
func (l *lease) reserve(ctx context.Context, n int64, patience time.Duration) error {
	m := l.memory
	if n <= l.charged {
		l.floor = n
		return nil
	}
	w := &waiter{n: n - l.charged, small: n <= smallRequest, ready: make(chan struct{})}
	if ceiling := m.ceiling(w); n > ceiling {
		return oversizeOf(n, ceiling)
	}
	m.mu.Lock()
	if (w.small || len(m.waiting) == 0) && m.fits(w.n, m.ceiling(w)) {
		m.charge(l, n)
		l.floor = n
		m.mu.Unlock()
		return nil
	}
	m.waiting = append(m.waiting, w)
	m.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var err error
	select {
	case <-w.ready:
	case <-timer.C:
		err = errNoMemory
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil && m.leave(w) {
		return err
	}
	l.charged, l.floor = n, n
	return nil
}

// ceiling is what may be in use with w in it.
func (m *memory) ceiling(w *waiter) int64 {
	if w.small {
		return m.limit
	}
	return m.limit - m.limit/smallShare
}

// leave takes a waiter out of the line; false: it has got its room meanwhile.
func (m *memory) leave(w *waiter) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := slices.Index(m.waiting, w)
	if at < 0 {
		return false
	}
	m.waiting = slices.Delete(m.waiting, at, at+1)
	m.serve() // those behind may be content with less
	return true
}

// keepOnly lets go of everything above n bytes, also of what was set aside.
func (l *lease) keepOnly(n int64) {
	if l == nil {
		return
	}
	l.floor = 0
	if n < l.charged {
		l.memory.mu.Lock()
		defer l.memory.mu.Unlock()
		l.memory.charge(l, n)
	}
}

// held is what the lease counts for.
func (l *lease) held() int64 {
	if l == nil {
		return 0
	}
	return l.charged
}

// release gives everything back. It may be called more than once.
func (l *lease) release() { l.keepOnly(0) }

// fits says whether extra bytes find room below the ceiling, and lets go of idle buffers where that makes it. With mu.
func (m *memory) fits(extra, ceiling int64) bool {
	for m.used+extra > ceiling && len(m.idle) > 0 {
		n := m.idle[0].size()
		m.used, m.kept = m.used-n, m.kept-n
		m.idle[0] = nil
		m.idle = m.idle[1:]
	}
	return m.used+extra <= ceiling
}

// charge makes l count for n bytes. With mu.
func (m *memory) charge(l *lease, n int64) {
	m.used += n - l.charged
	l.charged = n
	m.peak = max(m.peak, m.used)
	m.serve()
}

// serve gives those who wait their room, in order. With mu.
func (m *memory) serve() {
	for len(m.waiting) > 0 {
		w := m.waiting[0]
		if !m.fits(w.n, m.ceiling(w)) {
			return
		}
		m.used += w.n
		m.peak = max(m.peak, m.used)
		m.waiting = slices.Delete(m.waiting, 0, 1)
		close(w.ready)
	}
}

// borrow takes buffers of an earlier request, or none, with a lease that counts for them.
func (m *memory) borrow() (*work, *lease) {
	l := m.lease()
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.idle)
	if n == 0 {
		return nil, l
	}
	wk := m.idle[n-1]
	m.idle[n-1] = nil
	m.idle = m.idle[:n-1]
	l.charged = wk.size()
	m.kept -= l.charged
	return wk, l
}

// giveBack keeps a request's buffers for another, if there is room for idle ones. The lease may hold nothing else any more.
func (m *memory) giveBack(wk *work, l *lease) {
	n := wk.size()
	m.mu.Lock()
	defer m.mu.Unlock()
	if n > maxPooled || m.kept+n > m.limit/idleShare || m.used-l.charged+n > m.limit {
		return
	}
	m.charge(l, n)
	m.idle, m.kept = append(m.idle, wk), m.kept+n
	l.charged, l.floor = 0, 0 // they are idle's now
	m.serve()
}

func oversizeOf(n, limit int64) error {
	return &oversizeError{fmt.Sprintf("it needs %d bytes of memory to be decoded, and all requests together have %d: send smaller batches, or start the server with a larger --ingest-memory", n, limit)}
}
