package lake

import (
	"sync"
	"time"
)

// Stage is one link of the backlog chain: the way of events from the API to the panels.
type Stage struct {
	Name   string // of StageAccepted and so on: an API
	Title  string // for people
	Events int64  // that wait here for the next stage; of accepted and raw, where nothing waits: how many there are
	Bytes  int64  // 0 where nobody counts them

	Wait     time.Duration // how long the oldest of them has waited
	InPerSec float64       // events that reach the stage in a second, lately
	PerSec   float64       // events that leave the stage in a second, lately
	Drain    time.Duration // until it is empty at these rates; 0: it is; negative: it does not get emptier

	Starts int64 // bytes at which the next stage begins to take them by itself; 0: at once
	Limit  int64 // bytes from which on the API answers 429; 0: there is no such limit
}

// The stages in the order in which an event reaches them.
const (
	// StageAccepted counts what was made durable since this process opened the lake, whoever sent it: the API, an import, a task.
	StageAccepted = "accepted"
	// StageQueued is decoded and on its way to the disk: not yet acknowledged, so it may still be refused or lost, and the sender knows.
	StageQueued = "queued"
	// StageRaw is every durable event in raw/, converted or not: nothing waits here.
	StageRaw = "raw"
	// StageUnread is durable and not yet visible to SQL.
	StageUnread = "unread"
	// StageUnsummarised is durable and in no minute cell yet: neither in a rollup file, which a conversion writes, nor in the minute tables that a console keeps. A
	// process without panels keeps none: there it is what is unconverted.
	StageUnsummarised = "unsummarised"
	// StageUnconverted is durable and not yet Parquet: SQL and panels see it all the same.
	StageUnconverted = "unconverted"
)

// Growing is how many events a second the stage gains, lately; negative: it loses.
func (s *Stage) Growing() float64 { return s.InPerSec - s.PerSec }

// growthNoise is the share of what comes in by which two looks at a stage that keeps up may differ: some of it is always on its way.
const growthNoise = 0.02

// growthWait is how long the oldest event must have waited before growth is worth a word: at the start of a burst the rates are those of a window
// that is mostly empty, and what has just come in looks like growth.
const growthWait = 2 * time.Second

// Grows tells that the stage does not keep up: it gains, and holds more than a second's worth, for more than a moment. What may gather before the
// next stage begins is not growth.
func (s *Stage) Grows() bool {
	return s.Events > 0 && (s.Starts > 0 || s.Wait > growthWait) && s.Bytes >= s.Starts && float64(s.Events) > s.InPerSec && s.Growing() > growthNoise*s.InPerSec
}

// nearLimit is the share of Stage.Limit from which on people should know.
const nearLimit = 0.75

// NearLimit tells that the API will soon answer 429, or does.
func (s *Stage) NearLimit() bool {
	return s.Limit > 0 && float64(s.Bytes) >= nearLimit*float64(s.Limit)
}

// UntilLimit is how long until the API answers 429 at these rates; 0: it does; negative: never.
func (s *Stage) UntilLimit() time.Duration {
	switch {
	case s.Limit == 0 || s.Events == 0:
		return -1
	case s.Bytes >= s.Limit:
		return 0
	case s.Growing() <= 0:
		return -1
	}
	more := float64(s.Limit-s.Bytes) / (float64(s.Bytes) / float64(s.Events))
	return seconds(more / s.Growing())
}

// ChainWindow is over what the rates are: long enough that several conversions at full load fall into it, short enough to follow.
const ChainWindow = 30 * time.Second

// ChainLook is what Chain is told: counts of one moment.
type ChainLook struct {
	At     time.Time // monotonic
	Status Status
	HotAge time.Duration // of the oldest unconverted event

	API                 bool // the queue is known
	Queued, QueuedBytes int64
	QueueAge            time.Duration // of the oldest queued event
	QueuePerSec         float64       // events that leave the queue in a second while there are some

	Engine               bool // Unread and Unsummarised are known
	Unread, Unsummarised int64
	Minutes              bool // minute tables are kept, so events are summarised before they are converted
}

// Chain measures the backlog: it is told counts every now and then, and answers stages with rates. Its methods may be called from any goroutine.
type Chain struct {
	mu       sync.Mutex
	started  bool
	raw      int64 // events at the last look
	accepted int64 // since the first one

	in, read, summarised, converted *Meter // totals since the first look, as of the same moments
}

// NewChain makes a chain that counts from its first Look on.
func NewChain() *Chain {
	return &Chain{in: NewMeter(ChainWindow), read: NewMeter(ChainWindow), summarised: NewMeter(ChainWindow), converted: NewMeter(ChainWindow)}
}

// Look takes the counts of a moment and answers the stages as of then. What nobody here knows is left out.
func (c *Chain) Look(n ChainLook) []Stage {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started {
		c.accepted += max(0, n.Status.RawEvents-c.raw) // damage that was set aside takes nothing back
	}
	c.started, c.raw = true, n.Status.RawEvents
	c.in.Add(n.At, c.accepted)
	rate := c.in.PerSec()
	stages := []Stage{{Name: StageAccepted, Title: "acknowledged since the start", Events: c.accepted, InPerSec: rate, PerSec: rate}}
	if n.API {
		queue := Stage{Name: StageQueued, Title: "on the way to the disk", Events: n.Queued, Bytes: n.QueuedBytes, Wait: n.QueueAge, InPerSec: rate, PerSec: rate}
		if n.Queued > 0 {
			queue.Drain = drain(n.Queued, n.QueuePerSec)
		}
		stages = append(stages, queue)
	}
	stages = append(stages, Stage{Name: StageRaw, Title: "durable", Events: n.Status.RawEvents, Bytes: n.Status.RawBytes, InPerSec: rate, PerSec: rate})
	if n.Engine {
		minutes := Stage{Name: StageUnsummarised, Title: "durable, not yet in the panels", Events: n.Unsummarised}
		if !n.Minutes {
			minutes.Title, minutes.Bytes, minutes.Starts = "durable, in no minute cell yet", n.Status.HotBytes, n.Status.ConvertAt
		}
		stages = append(stages, c.stage(n, c.read, Stage{Name: StageUnread, Title: "durable, not yet in SQL", Events: n.Unread}), c.stage(n, c.summarised, minutes))
	}
	hot := c.stage(n, c.converted, Stage{Name: StageUnconverted, Title: "not yet Parquet", Events: n.Status.HotEvents, Bytes: n.Status.HotBytes,
		Starts: n.Status.ConvertAt, Limit: n.Status.HotLimit})
	hot.Wait = n.HotAge
	return append(stages, hot)
}

// stage measures one that out leaves: what has come in since the first look, less what is still there.
func (c *Chain) stage(n ChainLook, out *Meter, s Stage) Stage {
	gone := c.accepted - s.Events
	out.Add(n.At, gone)
	s.InPerSec, s.PerSec = c.in.PerSec(), out.PerSec()
	if s.Events == 0 {
		return s
	}
	s.Drain = drain(s.Events, s.PerSec-s.InPerSec)
	if since, exact := c.in.Passed(gone); !since.IsZero() {
		s.Wait = n.At.Sub(since)
		if !exact {
			s.Wait = max(s.Wait, n.HotAge) // it came before the window
		}
	}
	return s
}

// drain is how long a number of events takes at a rate.
func drain(events int64, perSec float64) time.Duration {
	if perSec <= 0 {
		return -1
	}
	return seconds(float64(events) / perSec)
}

func seconds(s float64) time.Duration {
	const most = 1000 * 24 * time.Hour // and not a number that overflows
	return time.Duration(min(s, most.Seconds()) * float64(time.Second))
}

// RawBetween counts the events of the raw log with a seq in [from, to), and their bytes. Gaps in the numbers count nothing. A segment that lies only partly
// inside counts by its share, which is exact for events where none of it is damaged. It reads memory only; in a read-only lake it is as fresh as the last refresh.
func (l *Lake) RawBetween(from, to Seq) (events, bytes int64) {
	segments := l.rawState().segments
	for i := range segments {
		s := &segments[i]
		low, high := max(from, s.First), min(to, s.End)
		if low >= high {
			continue
		}
		part := min(int64(high-low), s.Events)
		events += part
		bytes += int64(float64(s.Bytes) * (float64(part) / float64(s.Events)))
	}
	return events, bytes
}
