package lake

import (
	"math"
	"slices"

	"github.com/signallake/signallake/lake/column"
)

// How an eventWriter gathers a column's values of n rows and writes them.

func (w *eventWriter) timestamps(rows []piece, n int) {
	w.clear()
	w.int64s = slices.Grow(w.int64s, n)
	for _, p := range rows {
		w.int64s = append(w.int64s, w.run.blocks[p.block].timestamp[p.from:p.to]...)
	}
	w.out.Int64s(w.int64s, nil)
}

func (w *eventWriter) received(rows []piece, n int) {
	w.clear()
	w.int64s = slices.Grow(w.int64s, n)
	for _, p := range rows {
		b := w.run.blocks[p.block]
		if b.received != nil {
			w.int64s = append(w.int64s, b.received[p.from:p.to]...)
			continue
		}
		for range p.to - p.from {
			w.int64s = append(w.int64s, b.receivedAll)
		}
	}
	w.out.Int64s(w.int64s, nil)
}

func (w *eventWriter) seqs(rows []piece, n int) {
	w.clear()
	w.int64s = slices.Grow(w.int64s, n)
	for _, p := range rows {
		b := w.run.blocks[p.block]
		for _, offset := range b.order[p.from:p.to] {
			seq := int64(b.first) + int64(offset)
			w.minSeq, w.maxSeq = min(w.minSeq, seq), max(w.maxSeq, seq)
			w.int64s = append(w.int64s, seq)
		}
	}
	w.out.Int64s(w.int64s, nil)
}

func (w *eventWriter) latencies(rows []piece, n int) {
	w.clear()
	w.doubles = slices.Grow(w.doubles, n)
	row := 0
	for _, p := range rows {
		for _, v := range w.run.blocks[p.block].latency[p.from:p.to] {
			if math.IsNaN(v) {
				w.absent(row, n)
			} else {
				w.doubles = append(w.doubles, v)
			}
			row++
		}
	}
	w.out.Doubles(w.doubles, w.presence(n))
}

// text writes a text column: by a dictionary when at most half of the rows' values are different, or by the values themselves. The lake does
// not tell "" from absent.
func (w *eventWriter) text(i int, rows []piece, n int, nullable bool) {
	if !w.various(i, rows) && w.number(i, rows, n, nullable) {
		w.out.Numbers(w.words, w.numbers, w.presence(n))
		return
	}
	w.texts(i, rows, n, nullable)
}

// various tells of values that no dictionary has, for the most part, judged by the blocks that the rows are of.
func (w *eventWriter) various(i int, rows []piece) bool {
	own, all := 0, 0
	for _, p := range rows {
		b := w.run.blocks[p.block]
		own, all = own+len(b.text[i].ends), all+b.rows()
	}
	return own > all/2
}

// noNumber is the mark of an absent value.
const noNumber = math.MaxUint32

// number gives the values numbers in the order of their first rows. It gives up, with false, when they repeat too little. Values that no
// worker's dictionary had room for count as different from all others.
func (w *eventWriter) number(i int, rows []piece, n int, nullable bool) bool {
	const few = 16 // rows, of which the question means little
	most := max(n/2, few)
	w.epoch++
	w.clear()
	w.numbers = slices.Grow(w.numbers, n)
	d, marks, row := w.run.texts[i], w.marks[i], 0
	for _, p := range rows {
		b := w.run.blocks[p.block]
		of, c := d.of[b.worker.number], &b.text[i]
		for _, number := range c.numbers[p.from:p.to] {
			var mark textMark
			if number < dictionaryLimit {
				place := of[number]
				if mark = marks[place]; mark.epoch != w.epoch {
					mark = w.word(d.values[place], nullable)
					marks[place] = mark
				}
			} else {
				mark = w.word(c.ownAt(number), nullable)
			}
			if mark.number == noNumber {
				w.absent(row, n)
			} else {
				w.numbers = append(w.numbers, int32(mark.number))
			}
			row++
		}
		if len(w.words) > most {
			return false
		}
	}
	return true
}

// word is the mark of a value that the file's dictionary does not have yet.
func (w *eventWriter) word(s string, nullable bool) textMark {
	if s == "" && nullable {
		return textMark{w.epoch, noNumber}
	}
	w.words = append(w.words, s)
	return textMark{w.epoch, uint32(len(w.words) - 1)}
}

// texts is plain for a text column. A block's own values that follow each other are copied at once.
func (w *eventWriter) texts(i int, rows []piece, n int, nullable bool) {
	w.clear()
	row := 0 // in the part
	for _, p := range rows {
		b := w.run.blocks[p.block]
		c, values := &b.text[i], b.worker.dictionaries[i].values
		for numbers := c.numbers[p.from:p.to]; len(numbers) > 0; {
			from := len(w.data)
			run := 1
			if numbers[0] < dictionaryLimit {
				w.data = append(w.data, values[numbers[0]]...)
				w.length(len(w.data)-from, row, n, nullable)
			} else {
				run = c.ownRun(numbers, column.PageBytes-from)
				own := int(numbers[0] - dictionaryLimit)
				start := c.ownStart(own)
				w.data = append(w.data, c.own[start:c.ends[own+run-1]]...)
				for k, end := range c.ends[own : own+run] {
					w.length(int(end-start), row+k, n, nullable)
					start = end
				}
			}
			row += run
			numbers = numbers[run:]
			if len(w.data) >= column.PageBytes {
				w.part(row)
				row = 0
			}
		}
	}
	if row > 0 {
		w.part(row)
	}
}

// length notes the length of a row's text, which may be that of an absent one.
func (w *eventWriter) length(length, row, n int, nullable bool) {
	if length > 0 || !nullable {
		w.lengths = append(w.lengths, int32(length))
	} else {
		w.absent(row, n)
	}
}

// plain writes a column by its values' bytes, in parts of about a page. value appends a row's.
func (w *eventWriter) plain(rows []piece, n int, nullable bool, value func(dst []byte, b *block, row int) []byte) {
	w.clear()
	row := 0 // in the part
	for _, p := range rows {
		b := w.run.blocks[p.block]
		for at := int(p.from); at < int(p.to); at++ {
			from := len(w.data)
			w.data = value(w.data, b, at)
			w.length(len(w.data)-from, row, n, nullable)
			row++
			if len(w.data) >= column.PageBytes {
				w.part(row)
				row = 0
			}
		}
	}
	if row > 0 {
		w.part(row)
	}
}

// part writes a part of a column of so many rows.
func (w *eventWriter) part(rows int) {
	w.out.Texts(w.data, w.lengths, w.presence(rows))
	w.clear()
}

// id writes an id column: packed, if all blocks have its values in one form.
func (w *eventWriter) id(i int, rows []piece, n int, nullable bool) {
	form, width := w.form(i, rows, nullable)
	if form == idVerbatim {
		w.plain(rows, n, nullable, func(dst []byte, b *block, row int) []byte { return b.ids[i].appendTo(dst, row) })
		return
	}
	w.clear()
	w.data = slices.Grow(w.data, n*width)
	row := 0
	for _, p := range rows {
		c := &w.run.blocks[p.block].ids[i]
		from, to := int(p.from), int(p.to)
		switch {
		case c.form == idVerbatim: // without a value
			for range to - from {
				w.absent(row, n)
				row++
			}
		case c.present == nil:
			w.data = append(w.data, c.data[from*width:to*width]...)
			row += to - from
		default:
			for at := from; at < to; at++ {
				if c.present[at] == 1 {
					w.data = append(w.data, c.data[at*width:(at+1)*width]...)
				} else {
					w.absent(row, n)
				}
				row++
			}
		}
	}
	if form == idUUID {
		w.out.UUIDs(w.data, w.presence(n))
	} else {
		w.out.Hex(w.data, width, w.presence(n))
	}
}

// form is the form, and packed width, of all values of an id column in these rows; idVerbatim when they have several, or there is none,
// or a required one is "".
func (w *eventWriter) form(i int, rows []piece, nullable bool) (idForm, int) {
	form, width := idVerbatim, 0
	for _, p := range rows {
		c := &w.run.blocks[p.block].ids[i]
		switch {
		case !nullable && c.present != nil:
			return idVerbatim, 0
		case nullable && c.form == idVerbatim && len(c.data) == 0:
		case c.form == idVerbatim || width > 0 && (c.form != form || c.width != width) || 2*c.width > column.MostDigits:
			return idVerbatim, 0
		default:
			form, width = c.form, c.width
		}
	}
	return form, width
}
