package duck

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/signallake/signallake/lake"
)

// Hot rows are made for statements, and most events are converted before anybody asks. So the owner of a lake makes them on demand: a statement over events
// waits until everything acknowledged before it is there, and from then on the feed keeps up for a while. What nobody asks for costs nothing. A process that
// follows another's lake always keeps up: it would not notice otherwise what recovery there takes back.
const (
	// warmFor is how long after a statement the feed keeps up, so that who asks once a second does not wait for a second's events.
	warmFor = 30 * time.Second
	// lazyEvents bounds what a first statement has to wait for, to some 0.3 s: with more than this the feed fills in without being asked.
	lazyEvents = 500_000
	// fillWait bounds what a statement waits for that did not ask for certain events; its answer then says what it lacks.
	fillWait = time.Second
	// firstPace is what an event costs before one was measured.
	firstPace = 700 * time.Nanosecond
)

// demand is what statements want of the feed.
type demand struct {
	most  atomic.Int64 // lazyEvents
	asked atomic.Int64 // when a statement came last, in nanoseconds
	goal  atomic.Int64 // the highest seq that a statement wants everything below of
	lost  atomic.Int64 // what is missing below it cannot be read: nobody waits for that

	// idle: nobody asks, and nothing is filled in. A statement would see everything after wait.
	idle atomic.Bool
	wait atomic.Int64 // nanoseconds

	// Of the feed's goroutine.
	fills  bool          // hot rows are made of what is read
	pace   time.Duration // what an event costs, of late
	behind int64         // events that are not filled in, as of looked; 0 while fills
	looked time.Time
}

// want tells that a statement wants everything below seq.
func (d *demand) want(seq lake.Seq) {
	d.asked.Store(time.Now().UnixNano())
	for old := d.goal.Load(); int64(seq) > old && !d.goal.CompareAndSwap(old, int64(seq)); old = d.goal.Load() {
	}
}

// warm says that a statement came not long ago.
func (d *demand) warm() bool { return time.Since(time.Unix(0, d.asked.Load())) < warmFor }

// paid takes note of what events cost.
func (d *demand) paid(took time.Duration, events int) {
	if events > 0 {
		d.pace += (took/time.Duration(events) - d.pace) / 8
	}
}

// catchUp makes the feed fill in what is acknowledged by now, and waits for it. It answers one past the newest of these events; where the wait was too long, the
// statement sees less. With minSeq it waits for what lies below that as well, see waitVisible.
func (f *feed) catchUp(ctx context.Context, minSeq lake.Seq) (lake.Seq, error) {
	goal := f.lake.Committed()
	f.demand.want(goal)
	if f.wanted() {
		f.wakeUp()
	}
	if err := f.waitVisible(ctx, minSeq, minSeqWait); err != nil {
		return goal, err
	}
	timer := time.NewTimer(fillWait)
	defer timer.Stop()
	for {
		at, changed := f.filled.look()
		if max(at, f.lake.Current().Watermark, lake.Seq(f.demand.lost.Load())) >= goal {
			return goal, nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return goal, nil
		case <-f.done:
			return goal, f.failure()
		case <-ctx.Done():
			return goal, ctx.Err()
		}
	}
}

// wanted says that a statement waits for events that are not there.
func (f *feed) wanted() bool { return lake.Seq(f.demand.goal.Load()) > f.filled.load() }

// reads says that somebody wants what is read: statements or panels.
func (f *feed) reads() bool { return f.demand.fills || len(f.minutes.stores) > 0 || f.minutes.asked() }

// turn makes hot rows from now on, or no longer, as statements want it.
func (f *feed) turn(ctx context.Context) error {
	d := &f.demand
	fills := f.lake.ReadOnly() || f.loading() || f.wanted() || d.warm()
	if !fills {
		f.lookBehind()
		fills = d.behind > d.most.Load()
	}
	if (fills || f.reads()) && len(f.minutes.stores) == 0 && f.pos < f.lake.Current().Watermark {
		if err := f.skip(); err != nil {
			return err
		}
	}
	if fills && !d.fills {
		if err := f.fillGap(ctx); err != nil {
			return err
		}
	}
	if !fills && d.fills {
		if err := f.hot.set.slabs.trim(); err != nil {
			return err
		}
	}
	d.fills = fills
	d.idle.Store(!fills || d.idle.Load() && f.wanted()) // what the first statement waits for is no lag
	return nil
}

// lookBehind sees, now and then, what came in while nothing is filled in.
func (f *feed) lookBehind() {
	d := &f.demand
	if time.Since(d.looked) < idleEvery/5 {
		return
	}
	d.looked = time.Now()
	committed := f.lake.Committed()
	d.behind, _ = f.lake.RawBetween(max(f.filled.load(), f.lake.Current().Watermark), committed)
	d.wait.Store(d.behind * int64(d.pace))
	if f.reads() {
		return
	}
	f.newest.Store(int64(f.lake.NewestAppend()))
	if came, _ := f.lake.RawBetween(f.metered, committed); came > 0 {
		f.meter.add(lagSample{at: f.engine.now(), lag: time.Duration(d.wait.Load()), events: came})
	}
	f.metered = max(f.metered, committed)
}

// skip goes on behind what has been converted while nobody read, or faster than we do.
func (f *feed) skip() error {
	err := f.tail.Close()
	f.pos = f.lake.Current().Watermark
	f.filled.set(max(f.filled.load(), f.pos))
	f.tail = f.lake.Tail(f.pos)
	return err
}

// fillGap makes hot rows of what has been read for the panels alone.
func (f *feed) fillGap(ctx context.Context) (err error) {
	f.demand.behind = 0
	if from := max(f.filled.load(), f.lake.Current().Watermark); from < f.pos {
		tail := f.lake.Tail(from)
		for at := from; at < f.pos && err == nil; {
			at, err = f.fill(ctx, tail)
		}
		if err = errors.Join(err, tail.Close()); err != nil {
			return err
		}
	}
	f.filled.set(max(f.filled.load(), f.pos))
	f.show()
	return nil
}

// fill makes hot rows of the next batch, as far as the feed has read, and answers where it ends.
func (f *feed) fill(ctx context.Context, tail *lake.Tail) (lake.Seq, error) {
	bounded, cancel := context.WithTimeout(ctx, fillWait)
	defer cancel()
	batch, err := tail.Next(bounded)
	if waited(err) && ctx.Err() == nil {
		return f.pos, nil // it is there no more: converted, and its lines removed
	}
	if err != nil || batch.Segment < f.lake.Current().Watermark {
		return batch.First + lake.Seq(batch.N), err
	}
	f.hot.open(batch.Segment)
	err = scanBatch(&f.scanner, batch.Lines, batch.First, func(e *lake.Event, seq lake.Seq) error {
		if seq >= f.pos {
			return nil
		}
		return f.hot.append(e, seq)
	})
	f.hot.publish()
	return batch.First + lake.Seq(batch.N), err
}
