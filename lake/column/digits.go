package column

import (
	"bytes"
	"encoding/binary"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/format"
)

// MostDigits is the longest value that Hex takes.
const MostDigits = 128

// fewDigits is how much text is left as it is: a code's description alone would be as large as what it saves.
const fewDigits = 256

// uuidBytes and uuidText are a UUID's length, packed and as text.
const uuidBytes, uuidText = 16, 36

// Hex gives rows of a Text column whose values are 2*width lower-case hex digits, by the bytes that they stand for, one value after the
// other. width divides by four.
func (w *Writer) Hex(packed []byte, width int, present []uint8) {
	if width < 4 || 2*width > MostDigits || width%4 != 0 {
		w.fail("hex digits for %d bytes", width)
		return
	}
	w.digits(packed, width, 2*width, hexCode, present)
}

// UUIDs gives rows of a Text column whose values are UUIDs in lower case, 8-4-4-4-12, by their 16 bytes, one value after the other.
func (w *Writer) UUIDs(packed []byte, present []uint8) {
	w.digits(packed, uuidBytes, uuidText, uuidCode, present)
}

func (w *Writer) digits(packed []byte, width, text int, code *digitCode, present []uint8) {
	n := len(packed) / width
	rows := rowsOf(n, present)
	c := w.next(rows, false, Text)
	if c == nil || !w.agree(c, rows, present, n) {
		return
	}
	most := PageBytes / text
	for rows > 0 && w.err == nil {
		p := page{rows: min(rows, most)}
		n := p.rows
		if present != nil {
			n = bytes.Count(present[:p.rows], []byte{1})
		}
		p.levels, p.nulls = w.levels(c, p.rows, head(present, p.rows))
		p.values = p.rows
		values := packed[:n*width]
		w.digitPage(&p, values, width, text, code)
		if n > 0 && !c.NoBounds {
			low, high := packedBounds(values, width)
			p.bounds = bounds{keep(w, code.text(low)), keep(w, code.text(high))}
		}
		packed, present, rows = packed[len(values):], tail(present, p.rows), rows-p.rows
		w.dataPage(c, format.DeltaLengthByteArray, &p)
	}
}

// digitPage makes the page's frame: the lengths as they are, then the digits.
func (w *Writer) digitPage(p *page, values []byte, width, text int, code *digitCode) {
	n := len(values) / width
	lengths := w.scratch.wide[:0]
	for range n {
		lengths = append(lengths, int32(text))
	}
	w.scratch.wide = lengths
	var err error
	w.scratch.page, err = new(delta.BinaryPackedEncoding).EncodeInt32(w.scratch.page, lengths)
	w.check(err)
	if n*text <= fewDigits {
		for v := values; len(v) > 0; v = v[width:] {
			w.scratch.page = append(w.scratch.page, code.text(v[:width])...)
		}
		p.body = w.scratch.page
		return
	}
	p.size = len(w.scratch.page) + n*text
	f := frame{w.scratch.frame[:0]}
	f.begin(p.size)
	if skip := sharedDigits(values, code); skip > 0 {
		f.runs(w.scratch.page, values, skip)
	} else {
		f.raw(w.scratch.page, false)
		f.values(code, values, n, text)
	}
	w.scratch.frame, p.frame = f.b, f.b
}

// values adds values as literals alone.
func (f *frame) values(code *digitCode, values []byte, n, text int) {
	width := len(values) / n
	described := false
	for n > 0 {
		part := blockRows(n, text)
		n -= part
		f.literals(code, values[:part*width], part, text, !described, sequences{}, n == 0)
		values, described = values[part*width:], true
	}
}

// blockRows is how many of n values of a length the next block takes: as many as fit into four streams, and what is left as one.
func blockRows(n, text int) int {
	n = min(n, blockBytes/text)
	if n > 4 {
		n &^= 3
	}
	return n
}

// packedBounds are the smallest and the largest value: packed, they have the order of their digits.
func packedBounds(values []byte, width int) (low, high []byte) {
	low, high = values[:width], values[:width]
	first, last := binary.BigEndian.Uint32(low), binary.BigEndian.Uint32(high)
	for v := values[width:]; len(v) > 0; v = v[width:] {
		start := binary.BigEndian.Uint32(v)
		if start <= first && bytes.Compare(v[:width], low) < 0 {
			low, first = v[:width], start
		} else if start >= last && bytes.Compare(v[:width], high) > 0 {
			high, last = v[:width], start
		}
	}
	return low, high
}
