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
// the process keep up to as much again in garbage; buffers that are handed on are none.
type memory struct {
	limit int64 // bytes

	mu      sync.Mutex
	used    int64     // by leases, by idle and by spare
	peak    int64     // the highest used
	idle    []*work   // newest last
	kept    int64     // bytes of idle
	waiting []*waiter // in the order in which they came

	// spare are buffers that are too large to be kept idle, while somebody waits for the room that they take: whoever gets it uses them in place of new
	// ones. A flood of large bodies would otherwise leave each one's memory to the collector and take as much again for the next.
	spare [][]byte
}

// waiter is a request that waits for room.
type waiter struct {
	n     int64 // bytes beside those that it has
	small bool
	ready chan struct{} // closed once it has its n bytes
	spare [][]byte      // that come with them, set before
}

// lease is one request's part of the memory. It is not safe for concurrent use; a nil one holds whatever it is asked to.
type lease struct {
	memory  *memory
	charged int64 // bytes that it counts for
	floor   int64 // bytes that were set aside for it when it began: it keeps them, however little it holds

	spare [][]byte // parts of charged that were handed on and are not in use yet
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
	if n > l.charged {
		if _, ok := m.makeRoom(n-l.charged, m.limit); !ok {
			return errNoMemory
		}
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
	if w.small || len(m.waiting) == 0 {
		if spare, ok := m.makeRoom(w.n, m.ceiling(w)); ok {
			m.charge(l, n)
			l.floor, l.spare = n, spare
			m.mu.Unlock()
			return nil
		}
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
	l.charged, l.floor, l.spare = n, n, w.spare
	return nil
}

// buffer is an empty one for n bytes that were asked for, beside held bytes that are in use: one that was handed on, of about that size, or a new one.
func (l *lease) buffer(n int, held int64) []byte {
	if l == nil {
		return make([]byte, 0, n)
	}
	var got []byte
	for i, b := range l.spare {
		if cap(b) >= n && cap(b) <= n+n/4 && l.hold(held+int64(cap(b))) == nil {
			l.spare = slices.Delete(l.spare, i, i+1)
			got = b[:0]
			break
		}
	}
	if got == nil {
		got = make([]byte, 0, n)
	}
	l.spare, _ = cutSpare(l.spare, l.charged-held-int64(cap(got)))
	return got
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

// keepOnly lets go of everything above n bytes, also of what was set aside. The buffers that were done with are handed on where somebody waits.
func (l *lease) keepOnly(n int64, done ...[]byte) {
	if l == nil {
		return
	}
	l.floor, l.spare = 0, nil
	if n < l.charged {
		m := l.memory
		m.mu.Lock()
		defer m.mu.Unlock()
		m.handOn(done, l.charged-n)
		m.charge(l, n)
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

// makeRoom says whether extra bytes find room below the ceiling, and lets go of spare and idle buffers where that makes it. What of them fits into the room
// is spare for whoever gets it. With mu.
func (m *memory) makeRoom(extra, ceiling int64) (spare [][]byte, ok bool) {
	if m.used-m.kept-sizeOf(m.spare)+extra > ceiling {
		return nil, false
	}
	for m.used+extra > ceiling && len(m.spare) > 0 {
		b := m.spare[0]
		m.spare, m.used = slices.Delete(m.spare, 0, 1), m.used-int64(cap(b))
		spare = append(spare, b)
	}
	for m.used+extra > ceiling {
		wk := m.idle[0]
		n := wk.size()
		m.used, m.kept = m.used-n, m.kept-n
		m.idle[0] = nil
		m.idle = m.idle[1:]
		spare = append(spare, wk.buffers()...)
	}
	spare, _ = cutSpare(spare, extra)
	return spare, true
}

// handOn keeps buffers of a request that gives up the room they take for those who wait for it: room bytes at most. With mu.
func (m *memory) handOn(buffers [][]byte, room int64) {
	if len(m.waiting) == 0 {
		return
	}
	buffers, n := cutSpare(slices.DeleteFunc(buffers, func(b []byte) bool { return cap(b) < slackBytes }), room)
	m.spare, m.used = append(m.spare, buffers...), m.used+n
}

// cutSpare leaves away what does not go into room bytes. It answers what the rest takes.
func cutSpare(spare [][]byte, room int64) (rest [][]byte, taken int64) {
	rest = slices.DeleteFunc(spare, func(b []byte) bool {
		if taken+int64(cap(b)) > room {
			return true
		}
		taken += int64(cap(b))
		return false
	})
	return rest, taken
}

func sizeOf(buffers [][]byte) (n int64) {
	for _, b := range buffers {
		n += int64(cap(b))
	}
	return n
}

// charge makes l count for n bytes. With mu.
func (m *memory) charge(l *lease, n int64) {
	m.used += n - l.charged
	l.charged = n
	m.peak = max(m.peak, m.used)
	m.serve()
}

// serve gives those who wait their room, in order, and keeps nothing for them once nobody waits. With mu.
func (m *memory) serve() {
	for len(m.waiting) > 0 {
		w := m.waiting[0]
		spare, ok := m.makeRoom(w.n, m.ceiling(w))
		if !ok {
			return
		}
		w.spare = spare
		m.used += w.n
		m.peak = max(m.peak, m.used)
		m.waiting = slices.Delete(m.waiting, 0, 1)
		close(w.ready)
	}
	m.used -= sizeOf(m.spare)
	m.spare = nil
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

// giveBack ends a request: it keeps its buffers for another, where there is room for idle ones, or for those who wait. The lease holds nothing any more.
func (m *memory) giveBack(wk *work, l *lease) {
	if !m.keepIdle(wk, l) {
		l.keepOnly(0, wk.buffers()...)
	}
}

// keepIdle makes wk idle, with what l counts for; false: there is no room for it.
func (m *memory) keepIdle(wk *work, l *lease) bool {
	n := wk.size()
	m.mu.Lock()
	defer m.mu.Unlock()
	if n > maxPooled || m.kept+n > m.limit/idleShare || m.used-l.charged+n > m.limit {
		return false
	}
	m.charge(l, n)
	m.idle, m.kept = append(m.idle, wk), m.kept+n
	l.charged, l.floor, l.spare = 0, 0, nil
	m.serve()
	return true
}

func oversizeOf(n, limit int64) error {
	return &oversizeError{fmt.Sprintf("it needs %d bytes of memory to be decoded, and all requests together have %d: send smaller batches, or start the server with a larger --ingest-memory", n, limit)}
}
