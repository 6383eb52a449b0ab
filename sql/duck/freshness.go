package duck

import (
	"slices"
	"sync"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

const (
	lagWindow  = 30 * time.Second // sql.Freshness.LagP95
	rateWindow = 5 * time.Second  // sql.Freshness.PerSecond
)

// lagMeter remembers how late what came in became visible, over the last half minute.
type lagMeter struct {
	mu      sync.Mutex
	samples []lagSample // oldest first
}

// lagSample is one batch.
type lagSample struct {
	at     time.Time // when it became visible
	lag    time.Duration
	events int64
}

// maxLagSamples bounds the memory: beyond it the oldest go first.
const maxLagSamples = 1 << 14

func (m *lagMeter) add(sample lagSample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, sample)
	if over := len(m.samples) - maxLagSamples; over > 0 {
		m.samples = slices.Delete(m.samples, 0, over)
	}
}

// read answers the 95th percentile of lags, by events, and the events a second.
func (m *lagMeter) read(now time.Time) (p95 time.Duration, perSecond float64) {
	m.mu.Lock()
	for len(m.samples) > 0 && now.Sub(m.samples[0].at) > lagWindow {
		m.samples = m.samples[1:]
	}
	recent := slices.Clone(m.samples)
	m.mu.Unlock()
	var all, fresh int64
	for _, s := range recent {
		all += s.events
		if now.Sub(s.at) <= rateWindow {
			fresh += s.events
		}
	}
	slices.SortFunc(recent, func(a, b lagSample) int { return int(a.lag - b.lag) })
	var below int64
	for _, s := range recent {
		if below += s.events; below*100 >= all*95 {
			p95 = s.lag
			break
		}
	}
	return p95, float64(fresh) / rateWindow.Seconds()
}

// position publishes a growing seq that others wait for.
type position struct {
	mu      sync.Mutex
	at      lake.Seq
	changed chan struct{} // closed at the next change
}

func newPosition(at lake.Seq) *position { return &position{at: at, changed: make(chan struct{})} }

func (p *position) load() lake.Seq {
	at, _ := p.look()
	return at
}

func (p *position) look() (lake.Seq, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at, p.changed
}

func (p *position) set(at lake.Seq) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at != p.at {
		p.at = at
		close(p.changed)
		p.changed = make(chan struct{})
	}
}

// Freshness is how far the answers are behind the acknowledgements; see sql.Panels.
func (e *Engine) Freshness() sql.Freshness {
	f := e.feed
	out := sql.Freshness{VisibleTo: max(f.visible.load(), e.lake.Current().Watermark), Committed: e.lake.Committed(), NewestAt: lake.Micros(max(f.newest.Load(), f.backlog.newest.Load()))}
	idle := f.demand.idle.Load() // a statement that comes now waits until it sees everything
	if idle && f.backlog.over() {
		out.VisibleTo = max(out.VisibleTo, out.Committed)
	}
	out.LagP95, out.PerSecond = f.meter.read(e.now())
	out.Committed = max(out.Committed, out.VisibleTo)
	out.CountedTo = lake.Seq(f.minutes.panels.counted.Load())
	out.Uncounted = f.minutes.uncounted(out.Committed)
	if out.Unseen = f.backlog.lacking(); !idle {
		out.Unseen = f.lacking(out.Committed)
	}
	out.Minutes = f.minutes.panels.wanted.Load()
	if out.Loading = f.loading() || f.minutes.loading(); out.Loading {
		out.Load = f.load()
	}
	if err := f.failure(); err != nil {
		out.Err = err.Error()
	}
	return out
}

// loading tells that what was there at the start is still being read.
func (f *feed) loading() bool {
	select {
	case <-f.loaded:
		return false
	default:
		return true
	}
}

// lacking is how many committed events are not among what statements can read: of the backlog, and of those below a seq behind what the feed has filled in.
func (f *feed) lacking(below lake.Seq) int64 {
	n, _ := f.lake.RawBetween(max(f.filled.load(), f.backlog.end, f.lake.Current().Watermark), below)
	return n + f.backlog.lacking()
}

// load is the progress of the part of the start that has come less far: statements, or the panels where somebody wants them.
func (f *feed) load() sql.Load {
	b := f.backlog
	l := sql.Load{Done: b.progress(), Total: b.total}
	if f.minutes.loading() {
		l.Done = min(l.Done, f.minutes.panels.logRead.Load())
	}
	if took := time.Since(b.started); l.Done > 0 {
		l.Left = time.Duration(float64(took) * float64(l.Total-l.Done) / float64(l.Done))
	}
	return l
}
