package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/retry"
)

const (
	// A storage error is tried again for so long: a moment's trouble (a quota that is being raised, a path that fails over) passes unseen, and a sender
	// is not kept waiting for a disk that needs a person.
	storageElapsed = 2 * time.Second
	storageFirst   = 25 * time.Millisecond
	storageMost    = 500 * time.Millisecond
	// Of all appends so many are tried again, and two a second at least: sixty senders whose appends fail together make a burst of that many tries, not of
	// several hundred, each of which begins and removes files.
	storageFraction = 0.1
	storagePerSec   = 2
	storageBurst    = 16

	// A lake that failed is probed after so long, then after twice that, up to the longest.
	defaultProbeEvery = time.Second
	probeMost         = 5 // times ProbeEvery

	// stalledAfter: a disk that has not confirmed anything for so long needs a person, whatever it does later.
	stalledAfter = 10 * time.Second
)

// storage stands between the server and what it writes to. What fails for a moment is tried again; what goes on failing opens the breaker: requests are
// refused at once, and the lake is probed in the background until it takes events again, whether anybody sends or not.
type storage struct {
	log    Log
	policy retry.Policy
	every  time.Duration           // between the first failure and the first probe
	now    func() time.Time        // for people: since when
	ctx    func() context.Context  // of the probing
	tell   func(string)            // the request log
	state  atomic.Pointer[trouble] // nil: it works

	mu      sync.Mutex // guards the changes of state, and probing
	probing bool
	probes  sync.WaitGroup
}

// trouble is why the storage is not written to. It is never changed.
type trouble struct {
	since time.Time // by the wall clock
	why   string
	next  time.Time // of the next probe; monotonic
}

func newStorage(cfg Config, ctx func() context.Context, tell func(string)) (*storage, error) {
	st := &storage{log: cfg.Log, policy: cfg.Retry, every: cfg.ProbeEvery, now: cfg.Now, ctx: ctx, tell: tell}
	if st.policy.Tries == 0 && st.policy.Elapsed == 0 {
		st.policy.Elapsed, st.policy.First, st.policy.Most = storageElapsed, storageFirst, storageMost
	}
	if st.policy.Budget == nil {
		budget, err := retry.NewBudget(retry.BudgetConfig{Fraction: storageFraction, PerSec: storagePerSec, Most: storageBurst})
		if err != nil {
			return nil, err
		}
		st.policy.Budget = budget
	}
	// Another request's failure may have opened the breaker meanwhile: then nobody tries again.
	st.policy.Retryable = func(err error) bool { return isStorageError(err) && st.state.Load() == nil }
	return st, nil
}

// isStorageError tells trouble of the disk, which may pass, from a lake that is closed, full or not ours.
func isStorageError(err error) bool {
	for _, kind := range []error{lake.ErrLogFailed, lake.ErrBury, syscall.ENOSPC, syscall.EDQUOT, syscall.EIO} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// check is the refusal while the breaker is open, or nil.
func (st *storage) check() error {
	t := st.state.Load()
	if t == nil {
		return nil
	}
	return &failingError{since: t.since, why: t.why, wait: time.Until(t.next)}
}

// try does what the storage is asked for, and again where that may help. fn must leave nothing behind that counts when it fails.
func (st *storage) try(ctx context.Context, fn func(context.Context) error) error {
	if err := st.check(); err != nil {
		return err
	}
	err := st.policy.Do(ctx, fn)
	switch {
	case err == nil:
		if st.state.Load() != nil {
			st.heal()
		}
	case isStorageError(err) && ctx.Err() == nil:
		st.fail(err)
	}
	return err
}

// fail opens the breaker, or brings the reason up to date, and sees to it that somebody probes.
func (st *storage) fail(err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.state.Load() == nil {
		st.tell("the storage fails, requests are refused until it works again: " + err.Error())
	}
	st.note(err, st.every)
	if !st.probing {
		st.probing = true
		ctx := st.ctx()
		st.probes.Go(func() { st.probe(ctx) })
	}
}

// note sets the state. With mu.
func (st *storage) note(err error, wait time.Duration) {
	t := &trouble{since: st.now(), why: err.Error(), next: time.Now().Add(wait)}
	if last := st.state.Load(); last != nil {
		t.since = last.since
	}
	st.state.Store(t)
}

func (st *storage) heal() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.state.Swap(nil) != nil {
		st.tell("the storage works again, requests are taken")
	}
}

// probe is a goroutine while the breaker is open.
func (st *storage) probe(ctx context.Context) {
	timer := time.NewTimer(st.every)
	defer timer.Stop()
	for wait := st.every; ; wait = min(2*wait, probeMost*st.every) {
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		if st.probeOnce(ctx, min(2*wait, probeMost*st.every)) {
			return
		}
	}
}

// probeOnce says whether no further probe is needed.
func (st *storage) probeOnce(ctx context.Context, next time.Duration) (done bool) {
	var err error
	if st.state.Load() != nil && ctx.Err() == nil {
		if err = st.log.Probe(ctx); err == nil {
			st.heal()
		}
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.state.Load() != nil && err != nil && isStorageError(err) {
		st.note(err, next)
		return false
	}
	if st.state.Load() != nil && err == nil && ctx.Err() == nil {
		return false // a request failed between the probe and now
	}
	st.probing = false
	if err != nil || ctx.Err() != nil {
		st.state.Store(nil) // the lake or the server is closed: that is what the next request is told
	}
	return true
}

// why tells people what is wrong and since when; "" while the storage works.
func (st *storage) why() string {
	t := st.state.Load()
	if t == nil {
		return ""
	}
	return fmt.Sprintf("the storage fails since %s, and is tried again by itself: %s", t.since.UTC().Format(time.RFC3339), t.why)
}

// store makes a batch durable. While it waits it stands in the queue; afterwards it has left it, whatever came of it.
//
// An append may be tried again because a failed one has no effect: the raw log gives its segment up, cuts it behind the last
// acknowledged batch or, where the disk does not even allow that, says in the next segment's header where the events before it end, so that
// the tail does not count after a crash either. Only a crash between the failure and the next successful append can leave a tail that is whole and
// counts; nobody was told of it, and a sender who comes again with the same event ids or the same key is recognised.
func (s *Server) store(x *exchange, b lake.Batch) (receipt lake.Receipt, err error) {
	defer func() { x.place.leave(err == nil) }()
	err = s.storage.try(s.ctx(), func(ctx context.Context) (err error) {
		receipt, err = s.cfg.Log.Append(ctx, b)
		return err
	})
	return receipt, err
}

// bury keeps refused lines of a request, a few MiB at a time. A sender who will be told to come again leaves none; with says that events follow.
func (x *exchange) bury(letters []lake.DeadLetter, with bool) error {
	s := x.s
	if with || x.claim != nil { // a key is remembered by a batch, whether it has events or not
		if err := s.cfg.Log.Backlog(); err != nil {
			return err
		}
		if err := s.queue.check(); err != nil && x.place.queue == nil {
			return err
		}
	}
	source, origin := x.source(), "request "+x.id
	for i := range letters {
		letters[i].Source, letters[i].Origin = source, origin
	}
	held := x.lease.held()
	defer func() { _ = x.lease.hold(held) }()
	for len(letters) > 0 {
		n, bytes := buryRun(letters)
		if err := x.lease.hold(held + bytes); err != nil {
			return err
		}
		run := letters[:n]
		err := x.claim.bury(run, func() error {
			return s.storage.try(s.ctx(), func(ctx context.Context) error { return s.cfg.Log.Bury(ctx, run) })
		})
		if err != nil {
			return err
		}
		letters = letters[n:]
	}
	return nil
}

// admit sees whether a request has a chance before its body is read, and sets the memory aside that it will need. Otherwise it answers the
// request and says false.
func (s *Server) admit(x *exchange, wk *work) bool {
	if x.r.ContentLength > s.cfg.MaxBodyBytes {
		s.failBody(x, errTooBig)
		return false
	}
	var err error
	if x.r.Header.Get(idempotencyHeader) == "" { // with a key the answer may be known already, and nothing needs to be stored
		err = s.storage.check()
		if err == nil {
			err = s.cfg.Log.Backlog()
		}
		if err == nil {
			err = s.queue.check()
		}
	}
	if err == nil {
		err = x.lease.reserve(x.r.Context(), neededFor(x.r.ContentLength), memoryPatience)
	}
	if err != nil {
		s.failAppend(x, err)
		return false
	}
	if n := x.r.ContentLength + 1; int64(cap(wk.body)) < n { // one more byte: the end is seen without a move
		wk.body = nil
		wk.body = x.lease.buffer(int(n), wk.size())
	}
	x.pace()
	return true
}

// decoding waits for the body's turn to be decoded, gives the decoder its room, and runs decode.
func (s *Server) decoding(x *exchange, wk *work, decode func() error) error {
	leave, err := s.slots.take(s.ctx(), len(wk.body))
	if err != nil {
		return err
	}
	defer leave()
	wk.allot(x.lease, wk.size()-wk.holds(), len(wk.body))
	wk.scribe = s.scribe()
	err = decode()
	s.scribes.Put(wk.scribe) // not after a panic: nobody knows in which state it is
	wk.scribe = nil
	return err
}

// enqueue takes the batch's place in the queue, where there is one to append, then buries what was refused of the body. What the append does not need is let go.
func (s *Server) enqueue(x *exchange, wk *work, appends bool) error {
	if wk.failed != nil {
		return wk.failed
	}
	if appends && wk.accepted > 0 {
		if err := s.queue.enter(&x.place, int64(wk.accepted), int64(len(wk.lines))); err != nil {
			return err
		}
	}
	if err := wk.flush(); err != nil {
		x.place.leave(false)
		return err
	}
	done := wk.shed()
	x.lease.keepOnly(wk.size(), done...)
	return nil
}

// failAppend answers a request that the memory, the queue or the lake did not take.
func (s *Server) failAppend(x *exchange, err error) {
	refusal := s.refusalOf(err)
	x.kind = refusal.kind
	if refusal.retry > 0 {
		x.retryAfter(refusal.retry)
	}
	if refusal.why == "" {
		refusal.why = err.Error()
	}
	x.fail(refusal.status, refusal.what, refusal.why)
}
