package duck

import (
	"slices"
	"sync"
	"time"

	"github.com/signallake/signallake/lake"
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

func (m *lagMeter) add(samples []lagSample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, samples...)
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
