package duck

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signallake/signallake/lake"
)

const (
	// gatherEvery is how long the feed lets events wait for company while nobody waits for them: each look at the log costs some microseconds.
	gatherEvery = 25 * time.Millisecond
	// gatherBytes: behind a batch of this size the next one is there already.
	gatherBytes = 64 << 10
	// idleRounds of waiting without an event mean that nothing more comes, even if the log's end says so: its last bytes may be damaged.
	idleRounds = 3
	// idleEvery is how often an idle feed looks whether hot rows can be given back.
	idleEvery = 500 * time.Millisecond
)

// feed follows the raw log: one goroutine that scans each committed line at most once, keeps it among the hot rows of its segment, and counts it in the minute
// tables. Hot rows are made while statements ask for them, see demand; minutes while panels do. While nobody asks for either, nothing is read.
type feed struct {
	engine  *Engine
	lake    *lake.Lake
	hot     hotWriter
	minutes *minuteFeed
	backlog *backlog // what lies before the feed's begin
	demand  demand

	cancel context.CancelFunc
	done   chan struct{}
	loaded chan struct{} // closed when the tail has been read up to where it was at the start
	once   sync.Once     // of loaded

	visible *position // one past the newest event up to which statements see every one
	filled  *position // one past the newest event among the hot rows; visible follows it when the backlog is over
	meter   lagMeter
	newest  atomic.Int64 // received_at of the newest visible event
	err     atomic.Pointer[error]
	waiting atomic.Pointer[context.CancelFunc]

	// Of the feed's goroutine.
	scanner  lake.Scanner
	tail     *lake.Tail
	pos      lake.Seq // one past the newest event read
	goal     lake.Seq // where the log ended at the start
	metered  lake.Seq // one past the newest event whose lag is known
	received lake.Micros
	gather   bool // little came in: wait for more
	caughtUp bool // the end of the backlog has been noticed
}

func newFeed(e *Engine) *feed {
	f := &feed{engine: e, lake: e.lake, hot: hotWriter{set: e.hot}, backlog: newBacklog(e.lake, e.hot), done: make(chan struct{}), loaded: make(chan struct{}),
		visible: newPosition(0), filled: newPosition(0), minutes: newMinuteFeed(e)}
	f.demand.pace = firstPace
	f.demand.most.Store(lazyEvents)
	return f
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
	f.filled.set(f.pos)
	f.goal = f.lake.Committed()
	f.metered = f.goal // what was there at the start tells how long we were away, not how late we are
	f.show()
	go f.backlog.run(ctx, f.engine.loaders, f.wakeUp)
	f.caughtUp = len(f.backlog.segments) == 0
	f.tail = f.lake.Tail(f.pos)
	defer func() {
		f.minutes.stop()
		<-f.backlog.done
		f.hot.close()
		err = errors.Join(err, f.tail.Close())
	}()
	f.tellLoaded(0)
	for idle := 0; ; {
		if err := f.turn(ctx); err != nil {
			return err
		}
		batch, err := f.next(ctx)
		switch {
		case err == nil && batch.Rewound:
			f.rewind(ctx, batch.First)
		case err == nil:
			err = f.take(batch)
		case errors.Is(err, errRested):
			err = nil
		case waited(err) && ctx.Err() == nil:
			idle++
			err = nil
		}
		f.caughtUp = f.backlog.ended()
		if err == nil {
			err = f.chores(ctx)
		}
		if err != nil {
			return err
		}
		f.tellLoaded(idle)
	}
}

// tellLoaded tells, once, that what was there at the start has been read.
func (f *feed) tellLoaded(idle int) {
	if f.caughtUp && (f.filled.load() >= f.goal || idle >= idleRounds) {
		f.once.Do(func() { close(f.loaded) })
	}
}

// show publishes up to where statements see every event: behind a backlog that is not over they see more, but with a gap.
func (f *feed) show() {
	at := f.lake.Current().Watermark
	if f.backlog.over() {
		at = max(at, f.filled.load())
	}
	f.visible.set(max(f.visible.load(), at))
}

// waited says that next answered because its time was over.
func waited(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// errRested is the answer of next when it has left events in the log.
var errRested = errors.New("rested")

// next waits for events until something has to be done anyway. While nobody wants them, or few of them came last, it leaves them in the log.
func (f *feed) next(ctx context.Context) (lake.TailBatch, error) {
	deadline, rests := time.Now().Add(idleEvery), !f.reads()
	if f.gather && !rests {
		deadline, rests = time.Now().Add(gatherEvery), true
	}
	if at := f.minutes.dueAt(); !at.IsZero() && at.Before(deadline) {
		deadline = at
	}
	if time.Until(deadline) <= 0 {
		deadline = time.Now().Add(time.Millisecond) // a look at what is there, no wait
	}
	f.gather = false
	waiting, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	f.waiting.Store(&cancel)
	if f.minutes.asked() || f.backlog.ended() && !f.caughtUp {
		cancel()
	}
	if rests {
		if !f.wanted() {
			<-waiting.Done()
		}
		if err := ctx.Err(); err != nil {
			return lake.TailBatch{}, err
		}
		return lake.TailBatch{}, errRested
	}
	committed := f.lake.Committed()
	batch, err := f.tail.Next(waiting)
	if errors.Is(err, context.DeadlineExceeded) && f.demand.fills {
		f.demand.lost.Store(int64(committed)) // all the time to read what was there
	}
	return batch, err
}

// wakeUp makes the feed look at its chores now.
func (f *feed) wakeUp() {
	if cancel := f.waiting.Load(); cancel != nil {
		(*cancel)()
	}
}

// take scans a batch. Rows of a segment that is in Parquet already are counted and not kept: no statement would see them.
func (f *feed) take(batch lake.TailBatch) error {
	hot := f.demand.fills && batch.Segment >= f.lake.Current().Watermark
	if hot {
		f.hot.open(batch.Segment)
	} else {
		f.hot.close()
	}
	if hot || len(f.minutes.stores) > 0 {
		started := time.Now()
		err := scanBatch(&f.scanner, batch.Lines, batch.First, func(e *lake.Event, seq lake.Seq) (err error) {
			if hot {
				err = f.hot.append(e, seq)
			}
			f.minutes.add(e, seq)
			f.received = max(f.received, e.ReceivedAt)
			return err
		})
		if err != nil {
			return err
		}
		f.demand.paid(time.Since(started), batch.N)
	}
	f.pos = batch.First + lake.Seq(batch.N)
	f.gather = len(batch.Lines) < gatherBytes && f.pos >= f.goal
	f.minutes.added(f.pos)
	if batch.First >= f.metered {
		now := f.engine.now()
		f.meter.add(lagSample{at: now, lag: max(0, now.Sub(batch.ReceivedAt.Time())), events: int64(batch.N)})
		f.metered = f.pos
	}
	f.newest.Store(max(f.newest.Load(), int64(f.received)))
	if f.demand.fills {
		f.hot.publish()
		f.filled.set(f.pos)
		f.show()
	}
	return nil
}

// chores refreshes the minutes and gives back what is converted.
func (f *feed) chores(ctx context.Context) error {
	if f.reads() {
		f.minutes.flushDue(ctx, f.pos, f.received)
	}
	if t := f.hot.table; t != nil && t.first < f.lake.Current().Watermark {
		f.hot.close()
	}
	f.show()
	return f.hot.set.retire()
}

// rewind drops what recovery in the owner took back: events at or above from that we read before they were durable.
func (f *feed) rewind(ctx context.Context, from lake.Seq) {
	f.hot.close()
	f.hot.set.cut(from)
	f.pos = from
	f.filled.set(min(f.filled.load(), from))
	f.visible.set(min(f.visible.load(), from))
	f.minutes.restart(ctx, from)
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
