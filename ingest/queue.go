package ingest

import (
	"fmt"
	"math"
	"sync"
	"time"
)

// 262,144 events are the largest batch that the raw log takes, half a second's work on a common disk: a queue that holds less would refuse what an empty log
// takes, one that holds more would only make senders wait where they could be told to.
const defaultMaxQueued = 1 << 18

// queueShare of the memory is what the queue's lines may take: the rest is for the bodies that come in and are decoded meanwhile.
const queueShare = 2

// queue bounds what stands between decoding and the raw log, in events and in bytes of canonical lines. It is a ledger, not a channel: the
// batches wait in the log itself, whose one writer takes all that have gathered while it was syncing. A batch is in the queue from before its rejected lines
// are buried until its append has ended.
type queue struct {
	maxEvents, maxBytes int64
	now                 func() time.Time // monotonic

	mu            sync.Mutex
	events, bytes int64
	oldest, last  *place // in the order in which they came
	drain         meter
}

// place is one batch's stay in the queue. The zero value is outside.
type place struct {
	queue         *queue
	events, bytes int64
	since         time.Time
	before, after *place
}

// QueueState is what waits between decoding and the raw log.
type QueueState struct {
	Events, Bytes       int64         // that wait for their sync
	MaxEvents, MaxBytes int64         // the bounds; what does not fit is answered 429
	PerSec              float64       // events that the log makes durable in a second while there are some, lately; 0: not known
	Oldest              time.Duration // how long the first of them has waited
}

func newQueue(maxEvents, maxBytes int64) *queue {
	return &queue{maxEvents: maxEvents, maxBytes: maxBytes, now: time.Now}
}

// enter takes a place for a batch. Errors: *busyError, the queue is full; *oversizeError, the batch would not fit into an empty one.
func (q *queue) enter(p *place, events, bytes int64) error {
	if events > q.maxEvents || bytes > q.maxBytes {
		return &oversizeError{fmt.Sprintf("the batch has %d events of %d bytes as they are stored, and the queue in front of the log holds %d events and %d bytes: send smaller batches, "+
			"or start the server with a larger --queue-events or --ingest-memory", events, bytes, q.maxEvents, q.maxBytes)}
	}
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.events+events > q.maxEvents || q.bytes+bytes > q.maxBytes {
		return q.full(now)
	}
	q.drain.pass(now, q.oldest != nil)
	q.events, q.bytes = q.events+events, q.bytes+bytes
	*p = place{queue: q, events: events, bytes: bytes, since: now, before: q.last}
	if q.last != nil {
		q.last.after = p
	} else {
		q.oldest = p
	}
	q.last = p
	return nil
}

// leave gives the place up; stored says whether the batch became durable. A second call does nothing.
func (p *place) leave(stored bool) {
	q := p.queue
	if q == nil {
		return
	}
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drain.pass(now, true)
	if stored {
		q.drain.add(p.events)
	}
	q.events, q.bytes = q.events-p.events, q.bytes-p.bytes
	if p.before != nil {
		p.before.after = p.after
	} else {
		q.oldest = p.after
	}
	if p.after != nil {
		p.after.before = p.before
	} else {
		q.last = p.before
	}
	*p = place{}
}

// check says whether a batch of any size would be told to come again: asked before a body is read.
func (q *queue) check() error {
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.events >= q.maxEvents || q.bytes >= q.maxBytes {
		return q.full(now)
	}
	return nil
}

// full is the refusal, with the time until what waits now has left. With mu.
func (q *queue) full(now time.Time) error {
	q.drain.pass(now, q.oldest != nil)
	return &busyError{kind: refusedQueue, wait: q.drain.time(q.events),
		what: "the queue is full; nothing of this request was stored",
		why:  fmt.Sprintf("%d events of %d bytes wait for the disk; the queue holds %d events and %d bytes", q.events, q.bytes, q.maxEvents, q.maxBytes)}
}

// drainTime is about how long it takes until what waits now has left; negative: nobody knows.
func (q *queue) drainTime() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.drain.time(q.events)
}

func (q *queue) state() QueueState {
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drain.pass(now, q.oldest != nil)
	s := QueueState{Events: q.events, Bytes: q.bytes, MaxEvents: q.maxEvents, MaxBytes: q.maxBytes, PerSec: q.drain.perSec()}
	if q.oldest != nil {
		s.Oldest = now.Sub(q.oldest.since)
	}
	return s
}

// meterMemory is how long a meter remembers: what happened so long ago counts for about a third.
const meterMemory = 5 * time.Second

// meter measures how fast events leave while there are some: idle time does not count, so a quiet hour does not make the disk look slow. It
// is a quotient of two sums that fade together.
type meter struct {
	last   time.Time
	events float64
	busy   float64 // seconds
}

// pass takes note of the time since the last call, in which there was something to do, or not.
func (m *meter) pass(now time.Time, busy bool) {
	took := now.Sub(m.last).Seconds()
	first := m.last.IsZero()
	m.last = now
	if first || took <= 0 || !busy {
		return
	}
	fade := math.Exp(-took / meterMemory.Seconds())
	m.events *= fade
	m.busy = m.busy*fade + took
}

func (m *meter) add(events int64) { m.events += float64(events) }

func (m *meter) perSec() float64 {
	if m.busy <= 0 {
		return 0
	}
	return m.events / m.busy
}

// time is how long so many events take; negative: nothing was measured.
func (m *meter) time(events int64) time.Duration {
	rate := m.perSec()
	if rate <= 0 {
		return -1
	}
	return time.Duration(min(float64(events)/rate, 3600) * float64(time.Second))
}
