package lake

import (
	"io"
	"slices"
)

// notes calls fn with every batch appended at or after since that has a note, in order. The note is valid during the call.
func (r *rawLog) notes(since Micros, fn func(e *noteEntry) error) error {
	view, err := r.view()
	if err != nil {
		return err
	}
	for i := range view.len() {
		if err := r.segmentNotes(view.at(i), since, fn); err != nil {
			return err
		}
	}
	return nil
}

func (r *rawLog) segmentNotes(s *segmentView, since Micros, fn func(e *noteEntry) error) error {
	if s.newest < since {
		return nil
	}
	entries, ok := r.sideNotes(s)
	if !ok {
		return readNotes(r.layout, s, since, fn)
	}
	for i := range entries {
		if e := &entries[i]; e.at >= since {
			if err := fn(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// sideNotes answers the notes of a segment that has a good side file: a few bytes, where the index has a record a batch.
func (r *rawLog) sideNotes(s *segmentView) (entries []noteEntry, ok bool) {
	if !s.Sealed {
		return nil, false
	}
	side := openSideFile(r.layout, s)
	if side == nil {
		return nil, false
	}
	defer side.close()
	return side.readNotes()
}

// readNotes calls fn with the notes that the index of a segment holds, in order.
func readNotes(l Layout, s *segmentView, since Micros, fn func(e *noteEntry) error) error {
	reader, err := openIndexReader(l, s.First)
	if err != nil {
		return err
	}
	defer reader.close()
	for {
		r, size, err := reader.peek(s.indexEnd)
		if err == io.EOF || (err == nil && r.n > 0 && r.first >= s.End) {
			return nil
		}
		if err != nil {
			return err
		}
		if r.kind == kindBatch && r.at >= since && len(r.note) > 0 {
			if err := fn(&noteEntry{first: r.first, n: r.n, at: r.at, note: r.note}); err != nil {
				return err
			}
		}
		reader.advance(size)
	}
}

// notesBack calls fn with every note since then, the newest first, until fn answers false. The clock may have jumped, so no old segment ends the walk;
// one whose newest batch is older than since costs no look at the disk.
func (r *rawLog) notesBack(since Micros, fn func(at Micros, note []byte) bool) error {
	view, err := r.view()
	if err != nil {
		return err
	}
	for i := view.len() - 1; i >= 0; i-- {
		more, err := r.segmentNotesBack(view.at(i), since, fn)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func (r *rawLog) segmentNotesBack(s *segmentView, since Micros, fn func(at Micros, note []byte) bool) (more bool, err error) {
	if s.newest < since {
		return true, nil
	}
	entries, ok := r.sideNotes(s)
	if !ok {
		var all sideNotes // packed: an index may hold very many
		err := readNotes(r.layout, s, since, func(e *noteEntry) error {
			all.pack(e)
			return nil
		})
		if err != nil {
			return false, err
		}
		entries, _ = parseSideNotes(all.encoded, all.n)
	}
	for _, e := range slices.Backward(entries) {
		if e.at >= since && !fn(e.at, e.note) {
			return false, nil
		}
	}
	return true, nil
}
