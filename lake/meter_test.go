package lake

import (
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	m := NewMeter(10 * time.Second)
	start := time.Now()
	at := func(ms int, total int64, want float64) {
		t.Helper()
		m.Add(start.Add(time.Duration(ms)*time.Millisecond), total)
		if got := m.PerSec(); got != want {
			t.Errorf("at %d ms: %v a second, want %v", ms, got, want)
		}
	}
	at(0, 1000, 0)
	at(0, 1500, 0) // no time has passed
	at(1000, 2000, 1000)
	at(2000, 2000, 500)
	at(2000, 1900, 500) // it cannot fall
	at(10_000, 11_500, 1000)
	at(12_000, 22_000, 2000) // from 2 s on, where it was 2000
	at(22_000, 22_000, 0)
	at(60_000, 60_000, 1000) // nothing was told for longer than the window: the mean since
}

// TestMeterIsBounded is told a thousand times as often as it can tell apart.
func TestMeterIsBounded(t *testing.T) {
	m := NewMeter(time.Second)
	start := time.Now()
	for i := range 100_000 {
		m.Add(start.Add(time.Duration(i)*20*time.Microsecond), int64(i))
	}
	if len(m.samples) > meterSamples+3 {
		t.Errorf("%d samples are kept", len(m.samples))
	}
	if got := m.PerSec(); got < 49_000 || got > 51_000 {
		t.Errorf("%v a second, want 50,000", got)
	}
}

func TestMeterPassed(t *testing.T) {
	m := NewMeter(10 * time.Second)
	start := time.Now()
	for s := range 5 {
		m.Add(start.Add(time.Duration(s)*time.Second), int64(100*s))
	}
	f := func(total int64, after time.Duration, known bool) {
		t.Helper()
		at, ok := m.Passed(total)
		if ok != known || at.Sub(start) != after {
			t.Errorf("above %d: %v, %v; want %v, %v", total, at.Sub(start), ok, after, known)
		}
	}
	f(-1, 0, false) // already at the first look
	f(0, time.Second, true)
	f(99, time.Second, true)
	f(100, 2*time.Second, true)
	f(399, 4*time.Second, true)
	if at, _ := m.Passed(400); !at.IsZero() {
		t.Errorf("above 400: %v", at)
	}
}
