package lake

import (
	"context"
	"fmt"
)

// Append makes the batch durable and answers the seq of its first event; the others follow without a gap. ErrBacklog: too much waits for
// its conversion; nothing was stored. ErrLogFailed: the disk failed; nothing was acknowledged.
func (l *Lake) Append(ctx context.Context, b Batch) (Seq, error) {
	if err := l.writable(); err != nil {
		return 0, err
	}
	if err := l.Backlog(); err != nil {
		return 0, err
	}
	first, err := l.raw.append(ctx, b)
	if err != nil {
		return 0, err
	}
	if l.hotBytes.Add(int64(len(b.Lines))) >= l.cfg.ConvertBytes {
		l.askConvert()
	}
	return first, nil
}

// Backlog is the ErrBacklog that Append would answer now, or nil.
func (l *Lake) Backlog() error {
	if hot := l.hotBytes.Load(); hot >= l.cfg.HotLimit {
		l.askConvert()
		return fmt.Errorf("%w: %d bytes of %d", ErrBacklog, hot, l.cfg.HotLimit)
	}
	return nil
}

// Seal ends the open raw segment, so that the next conversion takes it. Nothing happens when it is empty.
func (l *Lake) Seal() error {
	if l.cfg.ReadOnly {
		return ErrReadOnly
	}
	return l.raw.seal()
}

// Committed is one past the newest durable event.
func (l *Lake) Committed() Seq { return l.raw.committed() }

// WaitCommitted returns when an event at or above the given seq is durable. ErrClosed when the lake closes meanwhile.
func (l *Lake) WaitCommitted(ctx context.Context, above Seq) error {
	return l.raw.waitCommitted(ctx, above)
}

// Tail reads the committed batches from a seq on, and waits for more.
func (l *Lake) Tail(from Seq) *Tail { return l.raw.tail(from) }

// Notes calls fn with every batch appended at or after since that has a note, in order: its first seq, how many events, when, and the
// note, which is valid during the call.
func (l *Lake) Notes(since Micros, fn func(first Seq, n int, at Micros, note []byte) error) error {
	return l.raw.notes(since, fn)
}
