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

const (
	// hotEvery is how long rows wait for company before they are flushed: half of what a user notices, and few flushes.
	hotEvery = 100 * time.Millisecond
	// hotRows flushes earlier when much comes in, so that the appender's memory stays small.
	hotRows = 100_000
	// idleRounds of waiting without an event mean that nothing more comes, even if the log's end says so: its last bytes may be damaged.
	idleRounds = 3
	// idleEvery is how often an idle feed looks whether tables can be dropped.
	idleEvery = 500 * time.Millisecond
)

// feed follows the raw log: one goroutine that scans each committed line once, appends it to the hot table of its segment, and counts it in the
// minute tables. Its queries, of hot rows and of cells alike, run on connections that nobody else uses.
type feed struct {
	engine  *Engine
	lake    *lake.Lake
	hot     hotWriter
	minutes *minuteFeed
	backlog *backlog // what lies before the feed's begin

	cancel context.CancelFunc
	done   chan struct{}
	loaded chan struct{} // closed when the tail has been read up to where it was at the start
	once   sync.Once     // of loaded

	visible  *position    // one past the newest event up to which statements see every one
	flushed  atomic.Int64 // one past the newest event that was flushed; visible follows it when the backlog is over
	meter    lagMeter
	newest   atomic.Int64 // received_at of the newest visible event
	err      atomic.Pointer[error]
	waiting  atomic.Pointer[context.CancelFunc]
	scanner  lake.Scanner
	pos      lake.Seq // one past the newest event read
	goal     lake.Seq // where the log ended at the start
	samples  []lagSample
	received lake.Micros // of the newest event read
	flushAt  time.Time   // zero: nothing to flush
	caughtUp bool        // the end of the backlog has been noticed
}

func newFeed(e *Engine) *feed {
	return &feed{engine: e, lake: e.lake, hot: hotWriter{set: e.hot, conn: e.hot.conn}, backlog: newBacklog(e.lake, e.hot), done: make(chan struct{}), loaded: make(chan struct{}),
		visible: newPosition(0), minutes: newMinuteFeed(e)}
}

func (f *feed) start() {
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go func() {
		defer close(f.done)
		defer f.once.Do(func() { close(f.loaded) })
		if err := f.run(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, lake.ErrClosed) {
			f.err.Store(&err)
		}
	}()
}

// stop ends the goroutine and waits for it.
func (f *feed) stop() error {
	if f.cancel == nil {
		return nil
	}
	f.cancel()
	<-f.done
	return nil
}

func (f *feed) failure() error {
	if err := f.err.Load(); err != nil {
		return fmt.Errorf("the feed of new events has stopped: %w", *err)
	}
	return f.backlog.failure()
}

func (f *feed) run(ctx context.Context) (err error) {
	f.pos = f.backlog.end
	f.flushed.Store(int64(f.pos))
	f.goal = f.lake.Committed()
	f.show()
	go f.backlog.run(ctx, f.engine.loaders, f.wakeUp)
	f.caughtUp = len(f.backlog.segments) == 0
	tail := f.lake.Tail(f.pos)
	defer func() {
		f.minutes.stop()
		<-f.backlog.done
		err = errors.Join(err, f.hot.close(), tail.Close())
	}()
	f.tellLoaded(0)
	for idle := 0; ; {
		batch, err := f.next(ctx, tail)
		switch {
		case err == nil && batch.Rewound:
			err = f.rewind(ctx, batch.First)
		case err == nil:
			err = f.take(batch)
		case waited(err) && ctx.Err() == nil:
			idle++
			err = nil
		}
		f.caughtUp = f.backlog.ended()
		if err == nil {
			err = f.flushDue(ctx)
		}
		if err != nil {
			return err
		}
		f.tellLoaded(idle)
	}
}

// tellLoaded tells, once, that what was there at the start has been read.
func (f *feed) tellLoaded(idle int) {
	if f.caughtUp && (f.flushed.Load() >= int64(f.goal) || idle >= idleRounds) {
		f.once.Do(func() { close(f.loaded) })
	}
}

// show publishes up to where statements see every event: behind a backlog that is not over they see more, but with a gap.
func (f *feed) show() {
	at := f.lake.Current().Watermark
	if f.backlog.over() {
		at = max(at, lake.Seq(f.flushed.Load()))
	}
	f.visible.set(max(f.visible.load(), at))
}

// waited says that Next answered because its time was over.
func waited(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// next waits for events until something has to be done anyway.
func (f *feed) next(ctx context.Context, tail *lake.Tail) (lake.TailBatch, error) {
	deadline := time.Now().Add(idleEvery)
	if !f.flushAt.IsZero() && f.flushAt.Before(deadline) {
		deadline = f.flushAt
	}
	if at := f.minutes.dueAt(); !at.IsZero() && at.Before(deadline) {
		deadline = at
	}
	if time.Until(deadline) <= 0 {
		deadline = time.Now().Add(time.Millisecond) // a look at what is there, no wait
	}
	waiting, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	f.waiting.Store(&cancel)
	if f.minutes.asked() || f.backlog.ended() && !f.caughtUp {
		cancel()
	}
	return tail.Next(waiting)
}

// wakeUp makes the feed look at its chores now.
func (f *feed) wakeUp() {
	if cancel := f.waiting.Load(); cancel != nil {
		(*cancel)()
	}
}

// take scans a batch. Rows of a segment that is in Parquet already are counted and not appended: no statement would see them.
func (f *feed) take(batch lake.TailBatch) error {
	hot := batch.Segment >= f.lake.Current().Watermark
	if hot {
		if err := f.hot.open(batch.Segment); err != nil {
			return err
		}
	} else if err := f.hot.close(); err != nil {
		return err
	}
	lines, seq := batch.Lines, batch.First
	var event lake.Event
	for len(lines) > 0 {
		n := bytes.IndexByte(lines, '\n') + 1
		if n == 0 {
			n = len(lines)
		}
		if err := f.scanner.Scan(lines[:n], &event); err != nil {
			return fmt.Errorf("read event %d of the raw log: %w", seq, err)
		}
		if hot {
			if err := f.hot.append(&event, seq); err != nil {
				return err
			}
		}
		f.minutes.add(&event, seq)
		f.received = max(f.received, event.ReceivedAt)
		lines, seq = lines[n:], seq+1
	}
	f.pos = seq
	f.minutes.added(seq)
	if batch.First >= f.goal { // what was there at the start tells how long we were away, not how late we are
		f.samples = append(f.samples, lagSample{lag: time.Duration(batch.ReceivedAt), events: int64(batch.N)})
	}
	if f.flushAt.IsZero() {
		f.flushAt = time.Now().Add(hotEvery)
	}
	return nil
}

// flushDue makes visible what has waited long enough, and does the chores.
func (f *feed) flushDue(ctx context.Context) error {
	now := time.Now()
	if f.hot.pending >= hotRows || !f.flushAt.IsZero() && (!now.Before(f.flushAt) || f.pos >= f.goal && f.flushed.Load() < int64(f.goal)) {
		if err := f.hot.flush(); err != nil {
			return err
		}
		f.publish()
	} else if f.flushAt.IsZero() {
		f.flushed.Store(int64(f.pos))
		f.show()
	}
	f.minutes.flushDue(ctx, f.pos, f.received)
	if t := f.hot.table; t != nil && t.first < f.lake.Current().Watermark {
		if err := f.hot.close(); err != nil {
			return err
		}
	}
	return f.hot.set.retire()
}

// publish tells that everything read is visible now.
func (f *feed) publish() {
	now := f.engine.now()
	for i := range f.samples {
		appended := lake.Micros(f.samples[i].lag)
		f.samples[i].at, f.samples[i].lag = now, max(0, now.Sub(appended.Time()))
	}
	f.meter.add(f.samples)
	f.samples = f.samples[:0]
	f.newest.Store(int64(f.received))
	f.flushed.Store(int64(f.pos))
	f.show()
	f.flushAt = time.Time{}
}

// rewind drops what recovery in the owner took back: events at or above from that we read before they were durable.
func (f *feed) rewind(ctx context.Context, from lake.Seq) error {
	if err := f.hot.close(); err != nil {
		return err
	}
	if err := f.hot.set.cut(from); err != nil {
		return fmt.Errorf("take back the events from %d on: %w", from, err)
	}
	f.samples, f.flushAt, f.pos = nil, time.Time{}, from
	f.flushed.Store(int64(from))
	f.visible.set(min(f.visible.load(), from))
	f.minutes.restart(ctx, from)
	return nil
}

// waitVisible waits until statements see everything below seq: for the backlog of the start as long as that takes, and then while the feed comes nearer, but not
// longer than patience without a step.
func (f *feed) waitVisible(ctx context.Context, seq lake.Seq, patience time.Duration) error {
	if seq <= f.lake.Current().Watermark {
		return nil
	}
	select {
	case <-f.backlog.done:
	case <-f.done:
		return f.failure()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		at, changed := f.visible.look()
		if at >= seq || f.lake.Current().Watermark >= seq {
			return nil
		}
		timer := time.NewTimer(patience)
		select {
		case <-changed:
			timer.Stop()
		case <-timer.C:
			return nil
		case <-f.done:
			timer.Stop()
			return f.failure()
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}
