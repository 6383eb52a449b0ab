package lake

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// BacklogError is ErrBacklog with its figures: more waits for its conversion than may.
type BacklogError struct {
	Hot    int64         // bytes of raw that wait
	Limit  int64         // Config.HotLimit
	PerSec float64       // bytes of raw that conversions took in a second lately; 0: none has ended yet
	Wait   time.Duration // about how long until there is room; negative: nobody knows
}

func (e *BacklogError) Error() string {
	return fmt.Sprintf("%v: %d bytes of %d", ErrBacklog, e.Hot, e.Limit)
}

// Is makes it an ErrBacklog.
func (e *BacklogError) Is(target error) bool { return target == ErrBacklog }

// Backlog is the *BacklogError that Append would answer now, or nil.
func (l *Lake) Backlog() error {
	hot := l.hotBytes.Load()
	if hot < l.cfg.HotLimit {
		return nil
	}
	l.askConvert()
	e := &BacklogError{Hot: hot, Limit: l.cfg.HotLimit, PerSec: l.pace.perSec()}
	e.Wait = l.pace.wait(hot-l.cfg.HotLimit, time.Now())
	return e
}

// convertPace measures how fast conversions take raw. The zero value has measured nothing.
type convertPace struct {
	rate atomic.Uint64             // bits of a float64: bytes in a second
	run  atomic.Pointer[runAtHand] // nil: no conversion runs
}

// runAtHand is what the conversion that runs will make room for when it commits, all at once.
type runAtHand struct {
	bytes int64
	began time.Time
}

// begin takes note of a run over these segments and answers what to call when it has committed.
func (p *convertPace) begin(segments []Segment, now time.Time) (committed func(time.Time), ended func()) {
	run := &runAtHand{began: now}
	for i := range segments {
		run.bytes += segments[i].Bytes
	}
	p.run.Store(run)
	return func(now time.Time) {
		// Half of the newest and half of what was: it follows a disk that slows down within a few runs, and one odd run does not bend it much.
		if took := now.Sub(run.began).Seconds(); took > 0 {
			rate := float64(run.bytes) / took
			if last := p.perSec(); last > 0 {
				rate = (rate + last) / 2
			}
			p.rate.Store(math.Float64bits(rate))
		}
	}, func() { p.run.Store(nil) }
}

func (p *convertPace) perSec() float64 { return math.Float64frombits(p.rate.Load()) }

// wait is about how long it takes until excess bytes are gone: a conversion under way makes room when it commits, not before.
func (p *convertPace) wait(excess int64, now time.Time) time.Duration {
	rate := p.perSec()
	if rate <= 0 {
		return -1
	}
	seconds := float64(excess) / rate
	if run := p.run.Load(); run != nil {
		seconds = max(seconds, float64(run.bytes)/rate-now.Sub(run.began).Seconds())
	}
	return time.Duration(min(seconds, math.MaxInt64/2e9) * float64(time.Second))
}
