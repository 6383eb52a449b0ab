package column

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
)

// Int16Lists gives rows of an Int16 list column: lists of these lengths, one after the other.
func (w *Writer) Int16Lists(values []int16, lengths []int32) {
	if c := w.next(len(lengths), true, Int16); c != nil {
		lists(w, c, format.DeltaBinaryPacked, 4, values, lengths, (*Writer).int16Page)
	}
}

// Int32Lists gives rows of an Int32 or Date list column.
func (w *Writer) Int32Lists(values []int32, lengths []int32) {
	if c := w.next(len(lengths), true, Int32, Date); c != nil {
		lists(w, c, format.DeltaBinaryPacked, 4, values, lengths, (*Writer).int32Page)
	}
}

// DoubleLists gives rows of a Double list column.
func (w *Writer) DoubleLists(values []float64, lengths []int32) {
	if c := w.next(len(lengths), true, Double); c != nil {
		lists(w, c, format.Plain, 8, values, lengths, (*Writer).doublePage)
	}
}

// lists cuts lists of values of so many bytes into pages, each of whole rows.
func lists[T any](w *Writer, c *chunk, e format.Encoding, size int, values []T, lengths []int32, encode func(*Writer, *page, []T)) {
	for len(lengths) > 0 && w.err == nil {
		p := page{}
		n := 0
		w.scratch.starts, w.scratch.filled = w.scratch.starts[:0], w.scratch.filled[:0]
		for p.rows < len(lengths) {
			length := int(lengths[p.rows])
			if n+length > len(values) {
				w.fail("column %s is given %d values for lists of more", c.Name, len(values))
				return
			}
			if p.rows > 0 && (n+length)*size+len(w.scratch.starts) > PageBytes {
				break
			}
			w.list(length)
			if length == 0 {
				p.nulls++
			}
			n += length
			p.rows++
		}
		p.values = n + p.nulls
		w.listLevels(&p)
		encode(w, &p, values[:n])
		values, lengths = values[n:], lengths[p.rows:]
		if len(lengths) == 0 && len(values) > 0 {
			w.fail("column %s is given %d values more than its lists have", c.Name, len(values))
			return
		}
		w.dataPage(c, e, &p)
	}
}

// list adds a list's levels: its first value begins a row, and an empty one has a level without a value.
func (w *Writer) list(length int) {
	s := &w.scratch
	if length == 0 {
		s.starts, s.filled = append(s.starts, 0), append(s.filled, 0)
		return
	}
	s.starts, s.filled = append(s.starts, 0), append(s.filled, 1)
	for range length - 1 {
		s.starts, s.filled = append(s.starts, 1), append(s.filled, 1)
	}
}

func (w *Writer) listLevels(p *page) {
	s := &w.scratch
	var err error
	s.repeats, err = (&rle.Encoding{BitWidth: 1}).EncodeLevels(s.repeats, s.starts)
	w.check(err)
	if p.nulls == 0 {
		s.levels = append(binary.AppendUvarint(s.levels[:0], uint64(p.values)<<1), 1)
	} else {
		s.levels, err = (&rle.Encoding{BitWidth: 1}).EncodeLevels(s.levels, s.filled)
		w.check(err)
	}
	p.repeats, p.levels = s.repeats, s.levels
}
