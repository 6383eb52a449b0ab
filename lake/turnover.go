package lake

import "errors"

// turnOver seals a segment that is full, and makes the next one. It comes after the answers, whose batches are durable without it, so that what it waits for passes
// while the senders make their next ones. What fails is tried again by the next group, which says so.
func (w *logWriter) turnOver() {
	s := w.open
	if s == nil || max(s.dataEnd, s.indexEnd) < w.log.segmentBytes { // of many small batches, and of notes alone, the index is the larger
		return
	}
	if w.sealOpen() == nil {
		_ = w.create()
	}
}

// create makes the next segment: both files and their names are durable when it returns.
func (w *logWriter) create() (err error) {
	l, d := w.log.layout, w.log.disk
	started := MicrosOf(w.log.now())
	s := &openSegment{first: w.next, end: w.next, prevEnd: w.end, started: started, newest: started,
		dataPath: l.SegmentData(w.next), indexPath: l.SegmentIndex(w.next)}
	defer func() {
		if err != nil {
			w.next += seqJump // its names may be taken now
			s.abandon()
			w.unsettled = append(w.unsettled, s)
			w.settle()
		}
	}()
	if s.data, err = d.Create(s.dataPath); err != nil {
		return err
	}
	if s.index, err = d.Create(s.indexPath); err != nil {
		return err
	}
	head := appendHeader(nil, header{first: s.first, prevEnd: s.prevEnd, started: started})
	if _, err = s.index.WriteAt(head, 0); err != nil {
		return err
	}
	if err = errors.Join(s.sync(), d.SyncDir(l.Raw())); err != nil {
		return err
	}
	s.indexEnd, s.indexCRC = headerSize, crc32c(0, head)
	w.open = s
	return nil
}

// finish leaves nothing behind that is not sealed.
func (w *logWriter) finish() error {
	err := w.sealAll()
	s := w.open
	if s == nil {
		return err
	}
	s.abandon() // its first group never came
	w.open = nil
	w.unsettled = append(w.unsettled, s)
	return errors.Join(err, w.settle())
}
