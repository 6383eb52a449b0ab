package lake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
)

// Tail hands out the committed events from one seq on, in order, each once, and waits for more: in the owner as soon as they are durable, in another process
// within some 50 ms. A Tail belongs to one goroutine.
type Tail struct {
	log    *rawLog
	pos    Seq // the next event wanted
	seen   Seq // one past the events that were handed out, here or before it began: pos, less the gap behind them
	handed bool
	reader *segmentReader // of the segment at hand, or nil
	live   bool           // reader was opened before the segment was sealed
}

// tail starts at from, which may lie inside a batch, in a gap, or above everything that is there.
func (r *rawLog) tail(from Seq) *Tail { return &Tail{log: r, pos: max(from, 1), seen: max(from, 1)} }

// Next answers the next events: one committed batch or several that follow each other, up to about 1 MiB. It blocks until there are some, ctx ends
// (ctx's error), or the lake closes (ErrClosed). A *DamageError names bytes that are not what was acknowledged; calling again meets them again.
//
// With Rewound, N is 0: drop everything at or above First that this Tail handed out, and go on.
func (t *Tail) Next(ctx context.Context) (TailBatch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return TailBatch{}, err
		}
		b, ok, err := t.look()
		if ok || err != nil {
			return b, err
		}
		wake := t.log.wake() // and look again: something may have come in between
		if b, ok, err = t.look(); ok || err != nil {
			return b, err
		}
		if err := t.log.pause(ctx, wake); err != nil {
			return TailBatch{}, err
		}
	}
}

// Close ends the tail.
func (t *Tail) Close() error { return t.drop() }

func (t *Tail) drop() error {
	if t.reader == nil {
		return nil
	}
	err := t.reader.close()
	t.reader = nil
	return err
}

// look answers what is there now; false when there is nothing at or above pos.
func (t *Tail) look() (TailBatch, bool, error) {
	select {
	case <-t.log.closed:
		return TailBatch{}, false, ErrClosed
	default:
	}
	view, err := t.log.view()
	if err != nil {
		return TailBatch{}, false, err
	}
	for {
		i := view.find(t.pos)
		if i >= 0 && t.pos < view.at(i).End {
			b, err := t.read(view.at(i))
			if err == io.EOF { // only damage is left, and recovery has named it
				t.pos, t.seen = view.at(i).End, view.at(i).End
				continue
			}
			if err != nil && t.tooEarly(view.at(i), err) {
				return TailBatch{}, false, nil
			}
			return b, err == nil, err
		}
		taken, next := t.takenBack(view, i)
		if next == 0 {
			return TailBatch{}, false, nil
		}
		t.pos = next
		if taken > 0 {
			t.handed, t.seen = false, next
			return TailBatch{Segment: taken, First: taken, Rewound: true}, true, nil
		}
	}
}

// takenBack is asked when there is nothing at pos, which segment i of the view is the last to start at or below. next is where to go on (0: wait here). If recovery took back events below
// pos that were readable in another process before they were durable, taken is the first of them, else 0.
func (t *Tail) takenBack(view *logView, i int) (taken, next Seq) {
	if i+1 < view.len() {
		s := view.at(i + 1)
		if t.log.readOnly && t.seen > s.prevEnd {
			return s.prevEnd, s.First
		}
		return 0, s.First
	}
	if t.log.readOnly && t.handed && i >= 0 && view.at(i).Sealed && t.pos > view.at(i).End {
		return view.at(i).End, view.at(i).End
	}
	return 0, 0
}

// tooEarly: another process is writing, or its recovery is just taking something back; the next look will tell.
func (t *Tail) tooEarly(s *segmentView, err error) bool {
	damage := (*DamageError)(nil)
	return t.log.readOnly && (errors.Is(err, os.ErrNotExist) || (!s.Sealed && errors.As(err, &damage)))
}

// read answers the next events of segment s; io.EOF when it has none that can be read.
func (t *Tail) read(s *segmentView) (TailBatch, error) {
	if t.reader != nil && (t.reader.segment != s.First || t.reader.off > s.indexEnd || (t.live && s.Sealed)) {
		if err := t.drop(); err != nil {
			return TailBatch{}, err
		}
	}
	if t.reader == nil {
		reader, err := openReader(t.log.layout, s.First)
		if err != nil {
			return TailBatch{}, err
		}
		t.reader, t.live = reader, !s.Sealed
	}
	run, err := t.reader.next(s.indexEnd, t.pos, s.End, spanBytes)
	if err == io.EOF {
		return TailBatch{}, err
	}
	if err != nil {
		t.drop() // so that the next call meets it again; its error would add nothing
		return TailBatch{}, err
	}
	lines := run.lines
	if skip := int(t.pos - run.first); skip > 0 {
		for range skip {
			lines = lines[bytes.IndexByte(lines, '\n')+1:]
		}
		run.first, run.n = t.pos, run.n-skip
	}
	t.pos, t.handed = run.first+Seq(run.n), true
	t.seen = t.pos
	return TailBatch{Segment: s.First, First: run.first, N: run.n, Lines: lines, ReceivedAt: run.at}, nil
}
