package column

import (
	"bytes"
	"encoding/binary"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
)

// Texts gives rows of a Text column by their bytes: values of these lengths, one after the other.
func (w *Writer) Texts(data []byte, lengths []int32, present []uint8) {
	rows := rowsOf(len(lengths), present)
	c := w.next(rows, false, Text)
	if c == nil || !w.agree(c, rows, present, len(lengths)) {
		return
	}
	for rows > 0 && w.err == nil {
		p := page{}
		n, size := 0, 0
		for p.rows < rows {
			if present == nil || present[p.rows] == 1 {
				next := size + int(lengths[n])
				if next > PageBytes && p.rows > 0 || next > len(data) {
					break
				}
				size = next
				n++
			}
			p.rows++
		}
		if p.rows == 0 {
			w.fail("column %s is given %d bytes for values of more", c.Name, len(data))
			return
		}
		p.levels, p.nulls = w.levels(c, p.rows, head(present, p.rows))
		p.values = p.rows
		w.textPage(c, &p, data[:size], lengths[:n])
		data, lengths, present, rows = data[size:], lengths[n:], tail(present, p.rows), rows-p.rows
		w.dataPage(c, format.DeltaLengthByteArray, &p)
	}
}

func (w *Writer) textPage(c *chunk, p *page, data []byte, lengths []int32) {
	var err error
	w.scratch.page, err = new(delta.BinaryPackedEncoding).EncodeInt32(w.scratch.page, lengths)
	w.check(err)
	w.scratch.page = append(w.scratch.page, data...)
	p.body = w.scratch.page
	if len(lengths) > 0 && !c.NoBounds {
		p.bounds = w.textBounds(data, lengths)
	}
}

// smallNumbers is what a page of numbers must have to be worth a search: they are packed already, and a search finds a tenth.
const smallNumbers = 4 << 10

// Numbers gives all rows of a Text column in the group at hand by a dictionary: each row's value is the one with its number. Every value
// should be some row's and there once only, because the statistics are the dictionary's.
func (w *Writer) Numbers(dictionary []string, numbers []int32, present []uint8) {
	rows := rowsOf(len(numbers), present)
	c := w.next(rows, false, Text)
	if c == nil || !w.agree(c, rows, present, len(numbers)) {
		return
	}
	if all := int(w.group().NumRows); rows != all {
		w.fail("column %s is given a dictionary for %d of %d rows", c.Name, rows, all)
		return
	}
	w.scratch.page = w.scratch.page[:0]
	var low, high string
	for i, v := range dictionary {
		w.scratch.page = append(binary.LittleEndian.AppendUint32(w.scratch.page, uint32(len(v))), v...)
		if i == 0 || v < low {
			low = v
		}
		if i == 0 || v > high {
			high = v
		}
	}
	w.dictionaryPage(c, w.scratch.page, len(dictionary))
	var b bounds
	if len(dictionary) > 0 && !c.NoBounds {
		b = bounds{keep(w, low), keep(w, high)}
	}
	// Four bytes at most for a number: pages of so many rows are never too large.
	for most := PageBytes / 4; rows > 0 && w.err == nil; {
		p := page{rows: min(rows, most), bounds: b}
		n := p.rows
		if present != nil {
			n = bytes.Count(present[:p.rows], []byte{1})
		}
		if n == 0 {
			p.bounds = bounds{}
		}
		p.levels, p.nulls = w.levels(c, p.rows, head(present, p.rows))
		p.values = p.rows
		var err error
		w.scratch.page, err = new(rle.DictionaryEncoding).EncodeInt32(w.scratch.page, numbers[:n])
		w.check(err)
		p.body, p.dense = w.scratch.page, len(w.scratch.page) < smallNumbers
		numbers, present, rows = numbers[n:], tail(present, p.rows), rows-p.rows
		w.dataPage(c, format.RLEDictionary, &p)
	}
}
