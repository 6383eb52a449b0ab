package lake

import (
	"bytes"
	"fmt"
)

// judgeGroup gives each batch its receipt, and says whether anything is to be written.
func (w *logWriter) judgeGroup(group []*request) (write bool) {
	next := w.next
	for _, q := range group {
		w.window.touch(q.keys)
	}
	for _, q := range group {
		before := w.window.head
		if q.err = w.judge(q, next); q.err != nil {
			w.window.undo(before)
			q.receipt = Receipt{}
			continue
		}
		next += Seq(q.receipt.Stored)
		write = write || q.stored()
	}
	return write
}

// judge compares the batch's events with the window, cuts its duplicates out, and makes its note. An error is this batch's alone.
func (w *logWriter) judge(q *request, next Seq) error {
	b := &q.batch
	q.first, q.receipt = next, Receipt{Stored: b.N}
	q.twice = q.twice[:0]
	for i, k := range q.keys {
		if k.id == 0 {
			continue
		}
		switch w.window.enter(k) {
		case duplicate:
			q.twice = append(q.twice, i)
		case conflict:
			q.receipt.Conflicts++
		}
	}
	q.cut()
	if q.receipt.Stored > 0 {
		q.receipt.First = next
	}
	if b.Remark != nil {
		b.Note = b.Remark(q.receipt)
	}
	if len(b.Note) > maxNote {
		return fmt.Errorf("append to the raw log: %w", errNoteSize(b.Note))
	}
	return nil
}

// errNoteSize names a note that is too long.
func errNoteSize(note []byte) error {
	return fmt.Errorf("a note of %d bytes is too long: at most %d (it begins %.40q)", len(note), maxNote, note)
}

// cut sets what is to be written of the batch: all of it, or what is left without the duplicates. The lines themselves belong to the sender, who may
// have to send them again.
func (q *request) cut() {
	q.runs, q.size = q.runs[:0], len(q.batch.Lines)
	if len(q.twice) == 0 {
		if q.size > 0 {
			q.runs = append(q.runs, q.batch.Lines)
		}
		return
	}
	q.receipt.Duplicates = len(q.twice)
	q.receipt.Stored -= len(q.twice)
	q.size, q.crc = 0, 0
	lines, twice := q.batch.Lines, q.twice
	from, at := 0, 0 // lines[from:at] stays
	keep := func() {
		if run := lines[from:at]; len(run) > 0 {
			q.runs, q.size, q.crc = append(q.runs, run), q.size+len(run), crc32c(q.crc, run)
		}
	}
	for i := 0; len(twice) > 0; i++ {
		end := at + bytes.IndexByte(lines[at:], '\n') + 1
		if i == twice[0] {
			keep()
			from, twice = end, twice[1:]
		}
		at = end
	}
	at = len(lines)
	keep()
}

// stored says that something of the batch is written: an event, or a note alone.
func (q *request) stored() bool {
	return q.err == nil && (q.receipt.Stored > 0 || len(q.batch.Note) > 0)
}
