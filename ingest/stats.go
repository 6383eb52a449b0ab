package ingest

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	recentKept  = 100 // requests and rejects that a Snapshot shows
	rateSeconds = 60  // the chart's width
	ackSeconds  = 30  // the window of the ack percentiles
	meanSeconds = 5   // rates per second are means over these: calm enough to read, quick enough to follow
	ringSeconds = 64  // slots, a power of two above the windows
)

// stats counts what the server did. A request takes the lock once, when it is answered; a reader takes it only when something has changed
// since the last Snapshot or a second has begun.
type stats struct {
	now      func() time.Time
	since    time.Time
	inFlight atomic.Int64
	last     atomic.Pointer[published]

	refused refusalCounts

	mu       sync.Mutex // guards what follows
	changes  atomic.Int64
	addr     string
	err      string
	requests int64
	accepted int64
	rejected int64
	seconds  [ringSeconds]second
	recent   ring[RequestRecord]
	rejects  ring[Reject]

	duplicates int64
	conflicts  int64
	replayed   int64
}

// second holds what was answered in one second since the start.
type second struct {
	at       int64 // which; a slot of an older one counts as empty
	accepted int64
	rejected int64
	acks     ackHistogram
}

// published is a Snapshot with the state that it was made from.
type published struct {
	Snapshot
	second, changes, inFlight int64
}

func newStats(now func() time.Time) *stats {
	s := &stats{now: now, since: now()}
	for i := range s.seconds {
		s.seconds[i].at = -1
	}
	return s
}

// clock is the number of whole seconds since the start: monotonic, so a changed wall clock does not bend the rates.
func (s *stats) clock(t time.Time) int64 { return max(0, int64(t.Sub(s.since)/time.Second)) }

func (s *stats) listening(addr, err string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addr, s.err = addr, err
	s.changes.Add(1)
}

// record counts one answered request. acked: it was a POST, answered 200, after took.
func (s *stats) record(r RequestRecord, rejected int, rejects []Reject, acked bool, took time.Duration, end time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	s.accepted += int64(r.Events)
	s.rejected += int64(rejected)
	s.duplicates += int64(r.Duplicates)
	s.conflicts += int64(r.Conflicts)
	if r.Replayed {
		s.replayed++
	}
	at := s.clock(end)
	slot := &s.seconds[at%ringSeconds]
	if slot.at != at {
		*slot = second{at: at}
	}
	slot.accepted += int64(r.Events)
	slot.rejected += int64(rejected)
	if acked {
		slot.acks.add(took)
	}
	s.recent.add(r)
	for _, reject := range rejects {
		s.rejects.add(reject)
	}
	s.changes.Add(1)
}

// snapshot is the newest state. Snapshots are shared: nobody may change one.
func (s *stats) snapshot() Snapshot {
	at, inFlight := s.clock(s.now()), s.inFlight.Load()
	if p := s.last.Load(); p != nil && p.second == at && p.inFlight == inFlight && p.changes == s.changes.Load() {
		return p.Snapshot
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &published{second: at, changes: s.changes.Load(), inFlight: inFlight, Snapshot: s.build(at)}
	p.InFlight = inFlight
	s.last.Store(p)
	return p.Snapshot
}

func (s *stats) build(at int64) Snapshot {
	snap := Snapshot{
		Addr: s.addr, Err: s.err, Since: s.since, Requests: s.requests, Accepted: s.accepted, Rejected: s.rejected,
		Duplicates: s.duplicates, Conflicts: s.conflicts, Replayed: s.replayed,
		PerSecond: make([]float64, rateSeconds), RejectedEach: make([]float64, rateSeconds), Recent: s.recent.newest(), Rejects: s.rejects.newest(),
	}
	var acks ackHistogram
	mean := float64(min(meanSeconds, max(1, at)))
	for back := int64(0); back <= rateSeconds; back++ {
		if at < back {
			break
		}
		slot := &s.seconds[(at-back)%ringSeconds]
		if slot.at != at-back {
			continue
		}
		if back < ackSeconds {
			acks.merge(&slot.acks)
		}
		if back == 0 {
			continue // not a whole second yet
		}
		snap.PerSecond[rateSeconds-back] = float64(slot.accepted)
		snap.RejectedEach[rateSeconds-back] = float64(slot.rejected)
		if back <= meanSeconds {
			snap.AcceptedPerSec += float64(slot.accepted) / mean
			snap.RejectedPerSec += float64(slot.rejected) / mean
		}
	}
	snap.AckP50, snap.AckP95 = acks.quantile(0.50), acks.quantile(0.95)
	return snap
}

// ring keeps the newest recentKept values.
type ring[T any] struct {
	values []T
	next   int // where the next one goes, once full
}

func (r *ring[T]) add(v T) {
	if len(r.values) < recentKept {
		r.values = append(r.values, v)
		return
	}
	r.values[r.next] = v
	r.next = (r.next + 1) % recentKept
}

// newest copies the values, newest first.
func (r *ring[T]) newest() []T {
	out := make([]T, 0, len(r.values))
	for i := range r.values {
		out = append(out, r.values[(r.next+len(r.values)-1-i)%len(r.values)])
	}
	return out
}
