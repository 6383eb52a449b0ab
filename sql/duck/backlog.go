package duck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signallake/signallake/lake"
)

// backlog is the tail that lay in the raw log when the engine was opened: the sealed segments above the watermark. The feed begins behind it, so what comes
// in now is seen at once, however much there is to catch up with.
//
// Where the lake is about to convert it anyway, that is waited for: a conversion uses every core and takes a third of the time of hot tables, which would be
// dropped right after. Else (a reader, a small tail, a conversion that fails) loaders fill hot tables, a segment each at a time, the newest first: a
// conversion in the owner begins with the oldest, so the two meet.
type backlog struct {
	lake     *lake.Lake
	hot      *hotSet
	segments []lake.Segment
	end      lake.Seq       // where the feed begins
	total    int64          // events
	loaded   []atomic.Int64 // of each segment: events in its hot table
	newest   atomic.Int64   // received_at of the newest event in a hot table
	started  time.Time
	done     chan struct{} // closed when nothing is left to do, or to try
	failed   atomic.Pointer[error]
}

// maxLoaders bounds how many cores a start takes for hot tables, and for the panels' count: each holds cells of its own.
const maxLoaders = 4

// awaitEvery is how often a conversion is looked at.
const awaitEvery = 20 * time.Millisecond

func newBacklog(l *lake.Lake, hot *hotSet) *backlog {
	b := &backlog{lake: l, hot: hot, started: time.Now(), done: make(chan struct{})}
	pin := l.Pin()
	defer pin.Release()
	b.end = pin.Version.Watermark
	for _, s := range pin.Hot {
		if !s.Sealed {
			break
		}
		b.segments = append(b.segments, s)
		b.end = s.End
		b.total += s.Events
	}
	b.loaded = make([]atomic.Int64, len(b.segments))
	return b
}

// run makes the backlog visible, with so many loaders. ended is called once, whatever happens.
func (b *backlog) run(ctx context.Context, loaders int, ended func()) {
	defer ended()
	defer close(b.done)
	if len(b.segments) == 0 || b.awaitConversion(ctx) {
		return
	}
	if err := b.load(ctx, loaders); err != nil && ctx.Err() == nil {
		b.failed.Store(&err)
	}
}

// awaitConversion waits for a conversion that is due, and tells whether it took the whole backlog.
func (b *backlog) awaitConversion(ctx context.Context) bool {
	tick := time.NewTicker(awaitEvery)
	defer tick.Stop()
	for b.lake.Current().Watermark < b.end {
		if state := b.lake.AutoConversion(); !state.Due || state.Err != nil {
			return b.lake.Current().Watermark >= b.end
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return true // nobody waits for the rest
		}
	}
	return true
}

// load fills a hot table for each segment that no conversion has taken. A segment that cannot be read costs itself alone.
func (b *backlog) load(ctx context.Context, workers int) error {
	queue := make(chan int, len(b.segments))
	for i := len(b.segments) - 1; i >= 0; i-- {
		queue <- i
	}
	close(queue)
	errs := make([]error, len(b.segments))
	var loaders sync.WaitGroup
	for range min(workers, len(b.segments)) {
		loaders.Go(func() {
			w := &hotWriter{set: b.hot}
			for i := range queue {
				if ctx.Err() == nil {
					errs[i] = b.loadSegment(ctx, w, i)
				}
			}
		})
	}
	loaders.Wait()
	return errors.Join(errs...)
}

// errConverted stops the loading of a segment that has become Parquet meanwhile.
var errConverted = errors.New("converted meanwhile")

func (b *backlog) loadSegment(ctx context.Context, w *hotWriter, i int) error {
	s := b.segments[i]
	if s.First < b.lake.Current().Watermark {
		return nil
	}
	w.open(s.First)
	defer w.close()
	newest := lake.Micros(0)
	err := scanLines(b.lake, s, func(e *lake.Event, seq lake.Seq) error {
		newest = max(newest, e.ReceivedAt)
		return w.append(e, seq)
	}, func(int) error {
		if s.First < b.lake.Current().Watermark {
			return errConverted
		}
		b.loaded[i].Add(w.publish())
		return ctx.Err()
	})
	if errors.Is(err, errConverted) {
		return nil
	}
	b.loaded[i].Add(w.publish())
	b.saw(newest)
	return err
}

// saw keeps the newest time of receipt that any loader met.
func (b *backlog) saw(received lake.Micros) {
	for old := b.newest.Load(); int64(received) > old; old = b.newest.Load() {
		if b.newest.CompareAndSwap(old, int64(received)) {
			return
		}
	}
}

// scanLines calls each with every event of a segment, and after about a MiB of them between with their number.
func scanLines(l *lake.Lake, s lake.Segment, each func(e *lake.Event, seq lake.Seq) error, between func(n int) error) error {
	var scanner lake.Scanner
	return l.ReadSegment(s, func(lines []byte, seq lake.Seq, n int) error {
		if err := scanBatch(&scanner, lines, seq, each); err != nil {
			return err
		}
		return between(n)
	})
}

// scanBatch calls each with every event of some lines, whose seqs follow first. The event's strings are valid during the call.
func scanBatch(scanner *lake.Scanner, lines []byte, first lake.Seq, each func(e *lake.Event, seq lake.Seq) error) error {
	var event lake.Event
	for seq := first; len(lines) > 0; seq++ {
		n := bytes.IndexByte(lines, '\n') + 1
		if n == 0 {
			n = len(lines)
		}
		if err := scanner.Scan(lines[:n], &event); err != nil {
			return fmt.Errorf("read event %d of the raw log: %w", seq, err)
		}
		if err := each(&event, seq); err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}

// over tells that statements see everything of the backlog.
func (b *backlog) over() bool {
	if b.lake.Current().Watermark >= b.end {
		return true
	}
	return b.ended() && b.failed.Load() == nil
}

func (b *backlog) ended() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// failure is what of the backlog could not be read and has not been converted since.
func (b *backlog) failure() error {
	err := b.failed.Load()
	if err == nil || b.lake.Current().Watermark >= b.end {
		return nil
	}
	return fmt.Errorf("a part of the events from before the start cannot be read: %w", *err)
}

// visible is how many events of the backlog statements see.
func (b *backlog) visible() int64 {
	watermark := b.lake.Current().Watermark
	var n int64
	for i := range b.segments {
		if b.segments[i].First < watermark {
			n += b.segments[i].Events
		} else {
			n += b.loaded[i].Load()
		}
	}
	return n
}

// lacking is how many they do not see.
func (b *backlog) lacking() int64 {
	if b.over() {
		return 0
	}
	return b.total - b.visible()
}

// progress is how much of the work is done, in events: what is visible, and what a conversion at work has behind it of its run, scanning and writing
// being half of it each.
func (b *backlog) progress() int64 {
	n := b.visible()
	if b.ended() {
		return n
	}
	run := b.lake.AutoConversion().Progress
	switch run.Stage {
	case "scan":
		n += run.Done / 2
	case "write":
		n += (run.Total + run.Done) / 2
	case "commit":
		n += run.Total
	}
	return min(n, b.total)
}
