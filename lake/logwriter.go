package lake

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// logWriter is the state of the writer goroutine. After it has ended, close uses it.
type logWriter struct {
	log       *rawLog
	open      *openSegment
	next      Seq // of the next event
	end       Seq // one past the newest committed event
	window    *window
	side      *sideFiles
	unsettled []*openSegment // given up after a failure, in order; settle has not succeeded yet
	dataBuf   []byte
	indexBuf  []byte
	journal   journal
}

// openSegment is the segment that is being written. Its numbers are those of the committed part.
type openSegment struct {
	first, end, prevEnd Seq
	started, newest     Micros
	data, index         File
	dataEnd, indexEnd   int64
	indexCRC            uint32 // of the index's first indexEnd bytes
	dataPath, indexPath string
	journaled           bool // some of the committed part may be durable in the journal alone
	notes               sideNotes
	entered             int // keys of its events that are in the window
}

// empty says that nothing was committed to it: neither an event nor a note alone.
func (s *openSegment) empty() bool { return s.indexEnd <= headerSize }

func (s *openSegment) view(sealed bool) *segmentView {
	v := &segmentView{
		Segment: Segment{First: s.first, End: s.end, Events: int64(s.end - s.first), Bytes: s.dataEnd, Sealed: sealed, Started: s.started.Time()},
		prevEnd: s.prevEnd, indexEnd: s.indexEnd, newest: s.newest,
	}
	if sealed {
		v.indexEnd, v.indexCRC = math.MaxInt64, s.indexCRC
	}
	return v
}

// write is the writer goroutine: it ends when the log closes and all that was handed in is done.
func (r *rawLog) write() {
	defer close(r.done)
	var group []*request
	for {
		group = r.gather(group[:0])
		switch {
		case len(group) == 0:
			return
		case group[0].task != nil:
			group[0].err = group[0].task()
		default:
			r.w.commit(group)
		}
		for i, q := range group {
			group[i] = nil
			q.done <- struct{}{}
		}
		// The senders that were just answered run first and hand in their next batches: the groups get larger, and nobody waits for a timer.
		runtime.Gosched()
		r.w.turnOver()
	}
}

// commit answers a group: what is new in it is made durable and published. What the group says is known already is answered with it, so that
// nobody hears of a duplicate before the first one is durable. When it cannot be written nothing of it enters the window.
func (w *logWriter) commit(group []*request) {
	before := w.window.head
	if !w.judgeGroup(group) {
		return
	}
	err := w.store(group)
	if err != nil {
		w.window.undo(before)
		for _, q := range group {
			q.receipt = Receipt{}
			if q.err == nil {
				q.err = err
			}
		}
		return
	}
	w.open.entered += int(w.window.head - before)
	w.window.keep()
	w.log.known.Store(int64(len(w.window.ring)))
}

// store writes a group that was judged, and publishes it.
func (w *logWriter) store(group []*request) error {
	if w.open == nil {
		w.settle() // what still cannot be settled is tried again later; the new segment's header already says where its events end
		if err := w.create(); err != nil {
			return fmt.Errorf("start a raw segment: %w: %w", ErrLogFailed, err)
		}
	}
	s := w.open
	end, at, dataEnd, err := w.writeGroup(s, group)
	if err != nil {
		w.next = end + seqJump
		w.giveUp()
		return fmt.Errorf("append to %s: %w: %w", s.dataPath, ErrLogFailed, err)
	}
	for _, q := range group {
		if q.stored() && len(q.batch.Note) > 0 {
			s.notes.add(&noteEntry{first: q.first, n: uint32(q.receipt.Stored), at: at, note: q.batch.Note})
		}
	}
	if s.empty() {
		s.started = at // it may have been made long before
	}
	if end > s.end {
		w.end = end
	}
	s.end, s.dataEnd, s.newest = end, dataEnd, max(s.newest, at)
	s.indexCRC = crc32c(s.indexCRC, w.indexBuf)
	s.indexEnd += int64(len(w.indexBuf))
	w.next = end
	view, committed := s.view(false), w.end
	w.log.publish(func(v *logView) { v.open, v.end = view, committed })
	return nil
}

// directWriteBytes: a batch this large is written from the caller's memory, a smaller one is first gathered with its neighbours into one write.
const directWriteBytes = 128 << 10

// writeGroup writes and syncs the data and the index of a group. It answers where the group would end also when it fails.
func (w *logWriter) writeGroup(s *openSegment, group []*request) (end Seq, at Micros, dataEnd int64, err error) {
	at = MicrosOf(w.log.now())
	w.dataBuf, w.indexBuf = w.dataBuf[:0], w.indexBuf[:0]
	end, dataEnd = s.end, s.dataEnd
	written := s.dataEnd
	flush := func(p []byte) {
		if len(p) > 0 && err == nil {
			_, err = s.data.WriteAt(p, written)
		}
		written += int64(len(p))
	}
	for _, q := range group {
		if !q.stored() {
			continue
		}
		r := record{kind: kindBatch, n: uint32(q.receipt.Stored), first: end, start: dataEnd, length: uint32(q.size), crc: q.crc, at: at, note: q.batch.Note}
		if len(w.indexBuf) == 0 {
			r.flags = flagGroup
		}
		w.indexBuf = appendRecord(w.indexBuf, s.first, &r)
		end, dataEnd = r.end(), r.dataEnd()
		for _, run := range q.runs {
			if len(run) >= directWriteBytes || len(w.dataBuf)+len(run) > groupBytes {
				flush(w.dataBuf)
				w.dataBuf = w.dataBuf[:0]
			}
			if len(run) >= directWriteBytes {
				flush(run)
			} else {
				w.dataBuf = append(w.dataBuf, run...)
			}
		}
	}
	flush(w.dataBuf)
	if err == nil { // after the data: a reader in another process that sees a record finds its bytes
		_, err = s.index.WriteAt(w.indexBuf, s.indexEnd)
	}
	if err == nil {
		err = w.makeDurable(s, dataEnd-s.dataEnd)
	}
	return end, at, dataEnd, err
}

// makeDurable syncs a group of n bytes that was written to the segment's files: through the journal, or both files.
func (w *logWriter) makeDurable(s *openSegment, n int64) error {
	if n <= w.journal.group && n == int64(len(w.dataBuf)) && len(w.unsettled) == 0 && w.journal.ready() {
		return w.journal.write(s, w.dataBuf, w.indexBuf)
	}
	if err := w.journal.settled(); err != nil {
		return err
	}
	if n == 0 && !s.journaled {
		return s.index.Sync() // a note alone
	}
	if err := s.sync(); err != nil {
		return err
	}
	s.journaled = false
	return nil
}

// abandon closes both files. After a failure their descriptors are of no use: the next sync might report success with the data lost.
func (s *openSegment) abandon() {
	for _, f := range []File{s.data, s.index} {
		if f != nil {
			f.Close() // everything acknowledged is synced already
		}
	}
	s.data, s.index = nil, nil
}

// giveUp closes the open segment off after a failure, and tries to cut it to its committed part.
func (w *logWriter) giveUp() {
	s := w.open
	_ = w.journal.settled() // its failure is why we are here, or settle makes up for it
	s.abandon()
	w.open = nil
	w.unsettled = append(w.unsettled, s)
	w.log.publish(func(v *logView) {
		v.open = nil
		if !s.empty() {
			v.closed = append(v.closed, s.view(false))
		}
	})
	w.settle()
}

// sealOpen writes the open segment's seal record.
func (w *logWriter) sealOpen() error {
	s := w.open
	err := w.syncOpen(s) // first: a sealed segment is not looked up in the journal
	if err == nil {
		_, err = s.index.WriteAt(s.sealRecord(), s.indexEnd)
	}
	if err == nil {
		err = s.index.Sync()
	}
	if err != nil {
		err = fmt.Errorf("seal %s: %w", s.indexPath, err)
		w.giveUp()
		return err
	}
	s.abandon()
	w.open = nil
	view := s.view(true)
	w.log.publish(func(v *logView) { v.open, v.closed = nil, append(v.closed, view) })
	w.next = max(w.next, s.first+1) // its name is taken also when it holds nothing but notes
	w.side.write(view, w.window.newest(s.entered), &s.notes)
	w.side.trim()
	return nil
}

// syncOpen makes the segment's own files durable, where the journal alone is.
func (w *logWriter) syncOpen(s *openSegment) error {
	if err := w.journal.settled(); err != nil || !s.journaled {
		return err
	}
	if err := s.sync(); err != nil {
		return err
	}
	s.journaled = false
	return nil
}

func (s *openSegment) sealRecord() []byte {
	return appendRecord(nil, s.first, &record{kind: kindSeal, n: uint32(s.end - s.first), first: s.end, start: s.dataEnd, crc: s.indexCRC, at: s.newest})
}

// sealAll seals the open segment and those whose seal failed before. An empty one goes on waiting for its first group.
func (w *logWriter) sealAll() error {
	err := w.settle()
	if w.open == nil || w.open.empty() {
		return err
	}
	return errors.Join(err, w.sealOpen())
}

// settle brings the segments that were given up into a clean state on the disk: cut to their committed part and sealed, or removed when they have none.
func (w *logWriter) settle() error {
	for len(w.unsettled) > 0 {
		s := w.unsettled[0]
		if err := s.settle(w.log.layout, w.log.disk); err != nil {
			return fmt.Errorf("close off %s after a failure: %w", s.dataPath, err)
		}
		w.unsettled = w.unsettled[1:]
		if s.empty() {
			continue
		}
		view := s.view(true)
		w.log.publish(func(v *logView) {
			v.closed = slices.Clone(v.closed)
			i := v.find(s.first)
			v.closed[i] = view
		})
	}
	return nil
}

func (s *openSegment) settle(l Layout, d Disk) error {
	if s.empty() {
		return removeSegment(d, s.dataPath, s.indexPath)
	}
	if s.journaled {
		// A sync that failed may have left the bytes in memory alone, marked as written.
		entries, _, err := readJournal(l.Journal())
		if err != nil {
			return err
		}
		entries = slices.DeleteFunc(entries, func(e journalEntry) bool { return e.segment != s.first })
		if err := redoSegment(l, d, s.first, entries, s.dataEnd); err != nil {
			return err
		}
		s.journaled = false
	}
	if err := cutFile(d, s.dataPath, s.dataEnd, nil); err != nil {
		return err
	}
	return cutFile(d, s.indexPath, s.indexEnd, s.sealRecord())
}

// removeSegment removes a segment that never got a committed event. Its data is emptied first: whichever of the two names then survives a power cut,
// it is seen to be litter, where data without an index would be taken for somebody's events.
func removeSegment(d Disk, dataPath, indexPath string) error {
	if err := cutFile(d, dataPath, 0, nil); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := errors.Join(removeIfThere(d, dataPath), removeIfThere(d, indexPath)); err != nil {
		return err
	}
	return d.SyncDir(filepath.Dir(dataPath))
}

// cutFile cuts a file to size, puts tail behind it, and syncs it.
func cutFile(d Disk, path string, size int64, tail []byte) error {
	f, err := d.OpenWrite(path)
	if err != nil {
		return err
	}
	err = f.Truncate(size)
	if err == nil && len(tail) > 0 {
		_, err = f.WriteAt(tail, size)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
