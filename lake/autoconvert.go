package lake

import (
	"context"
	"errors"
	"time"
)

const (
	// autoEvery is how often the age of the tail is looked at; its size is told by Append at once.
	autoEvery = 200 * time.Millisecond
	// A failed conversion is tried again after backoffFirst, twice as long each time, up to backoffMost: a full disk needs a person, who
	// should not wait for more than a minute after making room.
	backoffFirst = time.Second
	backoffMost  = time.Minute
)

// askConvert wakes the conversion loop.
func (l *Lake) askConvert() {
	select {
	case l.due <- struct{}{}:
	default: // awake already
	}
}

// trackHot counts the bytes that wait for conversion. Append adds to the number in between, now and then one batch twice; the next
// call corrects that.
func (l *Lake) trackHot() (hot []Segment) {
	hot = hotOf(l.raw.segments(), l.cat.current().Watermark)
	var bytes int64
	for i := range hot {
		bytes += hot[i].Bytes
	}
	l.hotBytes.Store(bytes)
	return hot
}

// autoConvert is the owner's goroutine that converts by size and by age.
func (l *Lake) autoConvert(ctx context.Context) {
	tick := time.NewTicker(autoEvery)
	defer tick.Stop()
	var backoff time.Duration
	var notBefore time.Time
	for idle := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-l.due:
		case <-tick.C:
		}
		if !l.conversionDue() || time.Now().Before(notBefore) {
			if idle++; idle%keptTicks == 0 {
				l.dropIdleMemory()
			}
			continue
		}
		idle = 0
		_, err := l.Convert(ctx, &l.autoProgress)
		if ctx.Err() != nil {
			return
		}
		l.trackHot()
		if backoff = nextBackoff(backoff, err); backoff > 0 {
			notBefore = time.Now().Add(backoff)
		}
		l.cat.troubles.tell(troubleConvert, err)
	}
}

// AutoConversion is where the automatic conversion stands.
type AutoConversion struct {
	Due      bool             // as much waits as sets it going: it runs or is about to, and takes everything that is committed now
	Err      error            // why the newest one failed; it is tried again
	Progress ProgressSnapshot // of the run at hand: events scanned, then written, then committed; Total 0 between runs
}

// AutoConversion reads memory only. In a lake that never converts by itself, or is read-only, nothing is ever due.
func (l *Lake) AutoConversion() AutoConversion {
	a := AutoConversion{Due: l.cfg.ConvertAge > 0 && !l.cfg.ReadOnly && l.hotBytes.Load() >= l.cfg.ConvertBytes, Err: l.cat.troubles.of(troubleConvert)}
	if l.converting.Load() > 0 && Seq(l.runFrom.Load()) == l.Current().Watermark {
		a.Progress = l.autoProgress.Snapshot()
	}
	return a
}

// nextBackoff is how long to wait after a conversion that ended with err.
func nextBackoff(last time.Duration, err error) time.Duration {
	if err == nil || errors.Is(err, ErrConflict) { // another conversion was faster
		return 0
	}
	return min(max(2*last, backoffFirst), backoffMost)
}

// conversionDue says whether enough waits, or waits long enough. What seems to wait for less than no time was written before the clock was set back: it
// is not left waiting for as long as that was.
func (l *Lake) conversionDue() bool {
	hot := l.trackHot()
	if len(hot) == 0 {
		return false
	}
	waits := l.now().Sub(hot[0].Started)
	return l.hotBytes.Load() >= l.cfg.ConvertBytes || waits >= l.cfg.ConvertAge || waits <= -l.cfg.ConvertAge
}
