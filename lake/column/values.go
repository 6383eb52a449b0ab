package column

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/format"
)

// Int64s gives rows of an Int64 or Timestamp column: the values of those that have one. present says which: 1 for a value, 0 for NULL, nil
// when all have one; a required column's is nil. This is how all the methods below take them.
func (w *Writer) Int64s(values []int64, present []uint8) {
	rows := rowsOf(len(values), present)
	if c := w.next(rows, false, Int64, Timestamp); c != nil && w.agree(c, rows, present, len(values)) {
		fixed(w, c, format.DeltaBinaryPacked, 8, values, present, rows, (*Writer).int64Page)
	}
}

// Int32s gives rows of an Int32, Int16 or Date column.
func (w *Writer) Int32s(values []int32, present []uint8) {
	rows := rowsOf(len(values), present)
	if c := w.next(rows, false, Int32, Int16, Date); c != nil && w.agree(c, rows, present, len(values)) {
		fixed(w, c, format.DeltaBinaryPacked, 4, values, present, rows, (*Writer).int32Page)
	}
}

// Doubles gives rows of a Double column.
func (w *Writer) Doubles(values []float64, present []uint8) {
	rows := rowsOf(len(values), present)
	if c := w.next(rows, false, Double); c != nil && w.agree(c, rows, present, len(values)) {
		fixed(w, c, format.Plain, 8, values, present, rows, (*Writer).doublePage)
	}
}

func rowsOf(values int, present []uint8) int {
	if present != nil {
		return len(present)
	}
	return values
}

// fixed cuts values of so many bytes into pages.
func fixed[T any](w *Writer, c *chunk, e format.Encoding, size int, values []T, present []uint8, rows int, encode func(*Writer, *page, []T)) {
	most := PageBytes / size
	for rows > 0 && w.err == nil {
		p := page{rows: min(rows, most)}
		n := p.rows
		if present != nil {
			n = bytes.Count(present[:p.rows], []byte{1})
		}
		p.levels, p.nulls = w.levels(c, p.rows, head(present, p.rows))
		p.values = p.rows
		encode(w, &p, values[:n])
		values, present, rows = values[n:], tail(present, p.rows), rows-p.rows
		w.dataPage(c, e, &p)
	}
}

func head(present []uint8, n int) []uint8 {
	if present == nil {
		return nil
	}
	return present[:n]
}

func tail(present []uint8, n int) []uint8 {
	if present == nil {
		return nil
	}
	return present[n:]
}

// dense tells of encoded integers in which zstd finds nothing: differences of many bits are noise.
func dense(encoded []byte, values, noise int) bool {
	const few = 256 // values, of which much is padding
	return values > few && len(encoded)*8 > values*noise
}

// From so many bits on an encoded value counts as noise. Differences of 64-bit numbers are small, and what is in them is their size; instants in steps
// of a minute take nearly as many bits as noisy ones and shrink by half.
const noise32, noise64, noiseTime = 10, 4, 16

func (w *Writer) int64Page(p *page, values []int64) {
	var err error
	w.scratch.page, err = new(delta.BinaryPackedEncoding).EncodeInt64(w.scratch.page, values)
	w.check(err)
	noise := noise64
	if w.chunk.Kind == Timestamp {
		noise = noiseTime
	}
	p.body, p.dense = w.scratch.page, dense(w.scratch.page, len(values), noise)
	if len(values) > 0 {
		p.bounds = w.int64Bounds(values)
	}
}

func (w *Writer) int32Page(p *page, values []int32) {
	var err error
	w.scratch.page, err = new(delta.BinaryPackedEncoding).EncodeInt32(w.scratch.page, values)
	w.check(err)
	p.body, p.dense = w.scratch.page, dense(w.scratch.page, len(values), noise32)
	if len(values) > 0 {
		p.bounds = w.int32Bounds(values)
	}
}

func (w *Writer) int16Page(p *page, values []int16) {
	wide := w.scratch.wide[:0]
	for _, v := range values {
		wide = append(wide, int32(v))
	}
	w.scratch.wide = wide
	w.int32Page(p, wide)
}

func (w *Writer) doublePage(p *page, values []float64) {
	w.scratch.page = w.scratch.page[:0]
	for _, v := range values {
		w.scratch.page = binary.LittleEndian.AppendUint64(w.scratch.page, math.Float64bits(v))
	}
	p.body = w.scratch.page
	if len(values) > 0 {
		p.bounds = w.doubleBounds(values)
	}
}
