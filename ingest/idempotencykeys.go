package ingest

import (
	"encoding/json"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// 262,144 keys are three a second for a day. With the answers that they usually have they take about 56 MB (BenchmarkKeyMemory).
	defaultKeyLimit  = 1 << 18
	defaultKeyWindow = 24 * time.Hour
	// As long as most clients wait for an answer at all.
	defaultKeyWait = 30 * time.Second

	// Answers that list many refused lines are up to 4 KiB long. Beyond this sum further ones are kept without their lists: with the status and the
	// counts, which take plainAnswer at most. So no sender's bad lines shorten the time that everybody's keys are known.
	maxListBytesKept = 16 << 20
	plainAnswer      = 400
	// maxKeyBytesKept is above what all of that takes with the usual number of keys. Beyond it the oldest are forgotten before their time.
	maxKeyBytesKept = 128 << 20
)

// keyTable is the window of Idempotency-Keys: who holds one, and what became of those that were used. It is made anew from the lake's notes
// at each start, the newest first, while requests are already served: a key that is not found waits until all are read. Beyond its bounds
// the oldest keys are forgotten. Their order is that in which they were used, and ages follow the monotonic clock: the wall clock may jump.
type keyTable struct {
	log    Log
	now    func() time.Time
	tell   func(string) // leaves words in the request log
	window time.Duration
	limit  int
	wait   time.Duration
	seed   maphash.Seed
	begun  time.Time // ages count from here

	recalling atomic.Int32  // recallIdle and its kin
	recalled  chan struct{} // closed when the notes of earlier starts are read

	mu      sync.Mutex    // guards what follows
	ended   chan struct{} // closed when the newest reading of notes has ended, for whatever reason; nil: there was none
	entries map[keyID]*keyEntry
	newest  *keyEntry // of those that no request holds, in the order of their use
	oldest  *keyEntry
	bytes   int64 // of their answers
	lists   int64 // of those answers that are longer than plainAnswer
	ignored int64 // notes that could not be read
	err     error // why the notes could not all be read
}

// keyEntry is one key. What it points to is set under the table's lock; answer does not change any more once it is set.
type keyEntry struct {
	id     keyID
	body   fingerprint
	answer string        // of a used key: an outcome as JSON; "": not used yet
	flight *flight       // of one that is not used yet
	born   time.Duration // when it was used, since the table's begun
	newer  *keyEntry
	older  *keyEntry
}

// flight is a key on its way to be used.
type flight struct {
	done    chan struct{} // closed when the request that holds it has ended; nil: nobody holds it
	letters []uint64      // sums of what was buried for it
}

func newKeyTable(cfg *Config, tell func(string)) *keyTable {
	return &keyTable{
		log: cfg.Log, now: cfg.Now, tell: tell, window: cfg.KeyWindow, limit: cfg.KeyLimit, wait: cfg.KeyWait, seed: maphash.MakeSeed(), begun: cfg.Now(),
		recalled: make(chan struct{}), entries: map[keyID]*keyEntry{},
	}
}

// clock is the time since the table was made.
func (t *keyTable) clock() time.Duration { return t.now().Sub(t.begun) }

// found is what take met: a key that is the caller's now (mine), a used one (entry alone), or something to wait for.
type found struct {
	entry  *keyEntry
	flight *flight
	mine   bool
	wait   <-chan struct{}
}

// take gives the caller the key, if it is free. The error is errOtherBody.
func (t *keyTable) take(id keyID, body fingerprint) (found, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget()
	e := t.entries[id]
	switch {
	case e == nil && t.recalling.Load() != recallDone:
		return found{wait: t.recalled}, nil
	case e == nil:
		e = &keyEntry{id: id, body: body, flight: &flight{}}
		t.entries[id] = e
	case e.answer == "" && e.flight.done == nil: // left by a request that failed
		t.unlink(e)
		if e.body != body {
			e.body, e.flight.letters = body, nil
		}
	case e.body != body:
		return found{}, errOtherBody
	case e.answer == "":
		return found{wait: e.flight.done}, nil
	default:
		return found{entry: e}, nil
	}
	e.flight.done = make(chan struct{})
	return found{entry: e, flight: e.flight, mine: true}, nil
}

// finish remembers what became of a key that the caller holds.
func (t *keyTable) finish(e *keyEntry, answer string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(e.flight.done)
	e.flight, e.answer = nil, t.fit(answer)
	t.pushNewest(e)
	t.forget()
}

// release gives back a key that was not used. What was buried for it is remembered.
func (t *keyTable) release(e *keyEntry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(e.flight.done)
	e.flight.done = nil
	if len(e.flight.letters) == 0 {
		delete(t.entries, e.id)
		return
	}
	t.pushNewest(e)
	t.forget()
}

// remember takes in a key of an earlier start that is older than all that are known, and says whether there is room for more.
func (t *keyTable) remember(id keyID, body fingerprint, answer string, age time.Duration) (more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.entries) >= t.limit || t.bytes >= maxKeyBytesKept {
		return false
	}
	if t.entries[id] != nil {
		return true // used once more since, or read before
	}
	e := &keyEntry{id: id, body: body, answer: t.fit(answer), born: t.clock() - max(0, age), newer: t.oldest}
	if t.oldest == nil {
		t.newest = e
	} else {
		t.oldest.older = e
		e.born = min(e.born, t.oldest.born) // a clock that jumped back made it seem younger than what came after it
	}
	t.oldest = e
	t.entries[id] = e
	t.weigh(e, 1)
	return true
}

// fit is the answer as it is kept: without its list of refused lines where many others have theirs.
func (t *keyTable) fit(answer string) string {
	if len(answer) <= plainAnswer || t.lists+int64(len(answer)) <= maxListBytesKept {
		return answer
	}
	var o outcome
	if err := json.Unmarshal([]byte(answer), &o); err != nil {
		return answer // none of ours; whoever asks for it is told
	}
	o.Rejected = nil
	short, err := json.Marshal(o)
	if err != nil {
		return answer
	}
	return string(short)
}

// weigh adds an entry's answer to the sums, or takes it out.
func (t *keyTable) weigh(e *keyEntry, times int64) {
	t.bytes += times * e.size()
	if len(e.answer) > plainAnswer {
		t.lists += times * int64(len(e.answer))
	}
}

// forget drops the oldest keys until the bounds hold.
func (t *keyTable) forget() {
	now := t.clock()
	for e := t.oldest; e != nil && (len(t.entries) > t.limit || t.bytes > maxKeyBytesKept || now-e.born > t.window); e = t.oldest {
		t.unlink(e)
		delete(t.entries, e.id)
	}
}

func (t *keyTable) pushNewest(e *keyEntry) {
	e.born, e.older, e.newer = t.clock(), t.newest, nil
	if t.newest == nil {
		t.oldest = e
	} else {
		t.newest.newer = e
	}
	t.newest = e
	t.weigh(e, 1)
}

func (t *keyTable) unlink(e *keyEntry) {
	if e.newer == nil {
		t.newest = e.older
	} else {
		e.newer.older = e.older
	}
	if e.older == nil {
		t.oldest = e.newer
	} else {
		e.older.newer = e.newer
	}
	e.newer, e.older = nil, nil
	t.weigh(e, -1)
}

// size is what an entry takes beyond the same for each.
func (e *keyEntry) size() int64 {
	if e.flight != nil {
		return int64(8 * len(e.flight.letters))
	}
	return int64(len(e.answer))
}

// status is the table's part of a Snapshot.
func (t *keyTable) status() KeyStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := KeyStatus{Remembered: len(t.entries), Recalling: t.recalling.Load() != recallDone, Ignored: t.ignored}
	if t.err != nil {
		s.Err = t.err.Error()
	}
	return s
}
