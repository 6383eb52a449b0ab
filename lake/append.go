package lake

import "context"

// Receipt says what became of an appended batch.
type Receipt struct {
	First      Seq // of its first stored event; the others follow without a gap; 0 when none is stored
	Stored     int // events that are in the lake because of this batch
	Duplicates int // events that were there already: an earlier one has the same service, event_id and content
	Conflicts  int // stored events that differ from an earlier one with the same service and event_id
}

// Append makes the batch durable, without the events of it that the lake has already (Batch.Given): those are durable when it returns. ErrBacklog: too much waits for its conversion; nothing was stored. ErrLogFailed: the disk failed; nothing
// was acknowledged.
func (l *Lake) Append(ctx context.Context, b Batch) (Receipt, error) {
	if err := l.writable(); err != nil {
		return Receipt{}, err
	}
	if err := l.Backlog(); err != nil {
		return Receipt{}, err
	}
	receipt, err := l.raw.append(ctx, b)
	if err != nil || receipt.Stored == 0 {
		return receipt, l.explain(err)
	}
	if l.hotBytes.Add(int64(len(b.Lines))*int64(receipt.Stored)/int64(b.N)) >= l.cfg.ConvertBytes {
		l.askConvert()
	}
	return receipt, nil
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

// NewestAppend is when the newest durable event was accepted; 0: there is none.
func (l *Lake) NewestAppend() Micros { return l.raw.newestAppend() }

// WaitCommitted returns when an event at or above the given seq is durable. ErrClosed when the lake closes meanwhile.
func (l *Lake) WaitCommitted(ctx context.Context, above Seq) error {
	return l.raw.waitCommitted(ctx, above)
}

// Tail reads the committed batches from a seq on, and waits for more.
func (l *Lake) Tail(from Seq) *Tail { return l.raw.tail(from) }

// ReadSegment calls fn with the committed batches of s, in order: n lines whose seqs follow first without a gap. lines is valid during the call.
// Unlike a Tail it never waits, and several segments may be read at the same time. A *DamageError names bytes that are not what was acknowledged.
func (l *Lake) ReadSegment(s Segment, fn func(lines []byte, first Seq, n int) error) error {
	return l.raw.readSegment(s, fn)
}

// Notes calls fn with every batch appended at or after since that has a note, in order: its first seq, how many events of it are stored, when, and the
// note, which is valid during the call.
func (l *Lake) Notes(since Micros, fn func(first Seq, n int, at Micros, note []byte) error) error {
	return l.raw.notes(since, func(e *noteEntry) error { return fn(e.first, int(e.n), e.at, e.note) })
}

// NotesBack calls fn with every note since then, the newest first, until fn answers false. The note is valid during the call. Where batches have no
// notes it costs almost nothing, however many they are.
func (l *Lake) NotesBack(since Micros, fn func(at Micros, note []byte) (more bool)) error {
	return l.raw.notesBack(since, fn)
}
