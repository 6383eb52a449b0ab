package lake

import "time"

// meterSamples bounds what a Meter keeps: a window's worth at an even pace, however often it is told.
const meterSamples = 64

// Meter turns a counter that only grows into a rate over a sliding window, and into the moment at which it passed a number. The times are only compared with
// each other: with time.Now they are monotonic, and a wall clock that jumps bends nothing.
// Use NewMeter. It is not safe for concurrent use.
type Meter struct {
	window  time.Duration
	samples []meterSample // oldest first; the first one may be older than the window, so that the whole of it is covered
}

type meterSample struct {
	at    time.Time
	total int64
}

// NewMeter makes a meter over a window.
func NewMeter(window time.Duration) *Meter { return &Meter{window: window} }

// Add tells what the counter says at a time, which is not before that of the call before. One that fell (two counts were not taken at quite the same
// moment) counts as one that stood still.
func (m *Meter) Add(at time.Time, total int64) {
	n := len(m.samples)
	if n > 0 {
		total = max(total, m.samples[n-1].total)
	}
	if n > 1 && at.Sub(m.samples[n-2].at) < m.window/meterSamples { // too close to tell apart: the newer one stands for both
		m.samples, n = m.samples[:n-1], n-1
	}
	m.samples = append(m.samples, meterSample{at, total})
	old := 0
	for old+1 <= n && at.Sub(m.samples[old+1].at) >= m.window {
		old++
	}
	m.samples = append(m.samples[:0], m.samples[old:]...)
}

// PerSec is how much the counter grew in a second, over the window or since the first Add; 0 before the second one.
func (m *Meter) PerSec() float64 {
	n := len(m.samples)
	if n < 2 {
		return 0
	}
	first, last := m.samples[0], m.samples[n-1]
	took := last.at.Sub(first.at).Seconds()
	if took <= 0 {
		return 0
	}
	return float64(last.total-first.total) / took
}

// Passed is when the counter was first seen above total: exact tells that it was not so at the oldest look that is kept, whose time it is otherwise. The zero
// time: it never was.
func (m *Meter) Passed(total int64) (at time.Time, exact bool) {
	for i, s := range m.samples {
		if s.total > total {
			return s.at, i > 0
		}
	}
	return time.Time{}, false
}
