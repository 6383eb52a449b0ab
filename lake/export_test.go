package lake

import (
	"context"
	"encoding/binary"
	"testing"
	"time"
)

// RawLog opens the raw log to the tests outside the package, which can use laketest.
type RawLog struct{ *rawLog }

const (
	SeqJump      = seqJump
	GroupBytes   = groupBytes
	IndexHeader  = headerSize
	IndexRecord  = recordSize
	SpanBytes    = spanBytes
	MaxNoteBytes = maxNote
)

func OpenRawLog(l Layout, d Disk, now func() time.Time, segmentBytes int64, readOnly bool) (RawLog, error) {
	return OpenRawLogWindow(l, d, now, segmentBytes, defaultWindow, readOnly)
}

func OpenRawLogWindow(l Layout, d Disk, now func() time.Time, segmentBytes int64, windowEvents int, readOnly bool) (RawLog, error) {
	r, err := openRawLog(rawConfig{layout: l, disk: d, now: now, segmentBytes: segmentBytes, windowEvents: windowEvents, readOnly: readOnly, journal: usualPlan()})
	return RawLog{r}, err
}

// OpenJournaled opens a log that makes itself a journal of this size after so many small groups.
func OpenJournaled(l Layout, d Disk, now func() time.Time, segmentBytes int64, after int, half, group int64) (RawLog, error) {
	r, err := openRawLog(rawConfig{layout: l, disk: d, now: now, segmentBytes: segmentBytes, windowEvents: defaultWindow, journal: journalPlan{after, half, group}})
	return RawLog{r}, err
}

// JournalPlace is where the journal stands: its epoch, and the epochs and records that reading it finds.
func (r RawLog) JournalPlace(t testing.TB) (epoch uint64, records int, epochs [2]uint64) {
	t.Helper()
	entries, _, err := readJournal(r.layout.Journal())
	if err != nil {
		t.Fatal(err)
	}
	if epochs, _, err = readEpochs(r.layout.Journal()); err != nil {
		t.Fatal(err)
	}
	return r.w.journal.epoch, len(entries), epochs
}

// ParseJournal reads a journal file and answers how many records it finds, and how many bytes they hold.
func ParseJournal(path string) (records, bytes int, err error) {
	entries, _, err := readJournal(path)
	for i := range entries {
		bytes += len(entries[i].data) + len(entries[i].index)
	}
	return len(entries), bytes, err
}

// JournalLacks says whether an owner must open the log before a reader sees all.
func JournalLacks(l Layout) (bool, error) { return journalLacks(l) }

// Append answers the seq at which the batch begins.
func (r RawLog) Append(ctx context.Context, b Batch) (Seq, error) {
	receipt, err := r.append(ctx, b)
	return receipt.First, err
}
func (r RawLog) Take(ctx context.Context, b Batch) (Receipt, error) { return r.append(ctx, b) }

// Waiting is how many batches the writer has not begun with.
func (r RawLog) Waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pending)
}

// Idle waits until the writer has done what it does behind its answers.
func (r RawLog) Idle(t testing.TB) {
	t.Helper()
	if err := r.task(func() error { return nil }); err != nil {
		t.Fatal(err)
	}
}
func (r RawLog) Seal() error         { return r.seal() }
func (r RawLog) Segments() []Segment { return r.segments() }
func (r RawLog) Committed() Seq      { return r.committed() }
func (r RawLog) WaitCommitted(ctx context.Context, above Seq) error {
	return r.waitCommitted(ctx, above)
}
func (r RawLog) Reserve(min Seq) error  { return r.reserve(min) }
func (r RawLog) Quarantined() []string  { return r.quarantined() }
func (r RawLog) Repair(first Seq) error { return r.repair(first) }
func (r RawLog) Tail(from Seq) *Tail    { return r.tail(from) }
func (r RawLog) Close() error           { return r.close() }
func (r RawLog) ReadSegment(s Segment, fn func([]byte, Seq, int) error) error {
	return r.readSegment(s, fn)
}
func (r RawLog) Notes(since Micros, fn func(Seq, int, Micros, []byte) error) error {
	return r.notes(since, func(e *noteEntry) error { return fn(e.first, int(e.n), e.at, e.note) })
}
func (r RawLog) NotesBack(since Micros, fn func(Micros, []byte) bool) error {
	return r.notesBack(since, fn)
}

// NewerIndex is the index with the next format's number in its header.
func NewerIndex(index []byte) []byte {
	p := append([]byte(nil), index...)
	p[4] = indexFormat + 1
	return append(binary.LittleEndian.AppendUint32(p[:headerSize-4:headerSize-4], crc32c(0, p[:headerSize-4])), p[headerSize:]...)
}

// DeadZone opens the dead zone to the tests outside the package.
type DeadZone struct{ *deadZone }

func OpenDeadZone(l Layout, d Disk, limit int64) (DeadZone, error) {
	now := func() time.Time { return time.Unix(1_790_000_000, 0) }
	z, err := openDeadZone(l, d, now, limit, func(error) {})
	return DeadZone{z}, err
}

func FollowDeadZone(l Layout) DeadZone { return DeadZone{followDeadZone(l)} }

func (z DeadZone) Bury(ctx context.Context, letters []DeadLetter) error { return z.bury(ctx, letters) }
func (z DeadZone) Discard(ctx context.Context, pick func(*DeadLetter) bool) (int64, error) {
	return z.discard(ctx, pick)
}
func (z DeadZone) Letters() (out []DeadLetter, err error) {
	if err := z.refresh(); err != nil {
		return nil, err
	}
	err = z.list(0, func(d *DeadLetter) error { out = append(out, *d); return nil })
	return out, err
}
func (z DeadZone) Status() DeadStatus { return z.status() }
func (z DeadZone) Close() error       { return z.close() }

// ConvertInRunsOf makes conversions take so many bytes at a time.
func (l *Lake) ConvertInRunsOf(bytes int64) { l.runBytes = bytes }

// KeepConvertMemory has conversions keep their memory as they do where they come by themselves; here they do not.
func (l *Lake) KeepConvertMemory() { l.cfg.ConvertAge = 1 }

// ConvertMemoryKept is whether there is some; no conversion may run.
func (l *Lake) ConvertMemoryKept() bool { return l.memory != nil }

// DropIdleConvertMemory is what ten seconds without a conversion do.
func (l *Lake) DropIdleConvertMemory() { l.dropIdleMemory() }
