package lake

import (
	"slices"
	"unsafe"

	"github.com/parquet-go/parquet-go"

	"github.com/signallake/signallake/lake/column"
)

// putInOrder writes a row group's values of a column.
func (w *twinWriter) putInOrder(c *Column, files []*twinFile, rows []twinRow) {
	step := 1
	if c.Partition {
		step = 0 // one value for all of a file's rows
	}
	w.batch = w.batch[:0]
	for _, row := range rows {
		f := files[row.file]
		w.batch = append(w.batch, w.values[f.next])
		f.next += step
	}
	w.clear()
	for row := range w.batch {
		if w.batch[row].IsNull() {
			w.absent(row, len(rows))
		}
	}
	if w.nulls > 0 {
		w.batch = slices.DeleteFunc(w.batch, func(v parquet.Value) bool { return v.IsNull() })
	}
	switch c.Type {
	case "TIMESTAMP", "BIGINT":
		for i := range w.batch {
			w.int64s = append(w.int64s, w.batch[i].Int64())
		}
		w.out.Int64s(w.int64s, w.presence(len(rows)))
	case "INTEGER", "DATE":
		for i := range w.batch {
			w.int32s = append(w.int32s, w.batch[i].Int32())
		}
		w.out.Int32s(w.int32s, w.presence(len(rows)))
	case "DOUBLE":
		for i := range w.batch {
			w.doubles = append(w.doubles, w.batch[i].Double())
		}
		w.out.Doubles(w.doubles, w.presence(len(rows)))
	default:
		w.putText(c, len(rows))
	}
}

// putText writes what is in batch of so many rows: packed, by a dictionary, or as it is, just as an eventWriter does.
func (w *twinWriter) putText(c *Column, rows int) {
	present := w.presence(rows)
	if slices.Contains(idColumnNames(), c.Name) {
		switch form, width := w.pack(); form {
		case idUUID:
			w.out.UUIDs(w.data, present)
			return
		case idHex:
			w.out.Hex(w.data, width, present)
			return
		}
	} else if w.number() {
		w.out.Numbers(w.words, w.numbers, present)
		return
	}
	w.data = w.data[:0]
	for i := range w.batch {
		v := w.batch[i].ByteArray()
		w.data, w.lengths = append(w.data, v...), append(w.lengths, int32(len(v)))
	}
	w.out.Texts(w.data, w.lengths, present)
}

// pack packs ids of one form into data; idVerbatim when they have none.
func (w *twinWriter) pack() (form idForm, width int) {
	if len(w.batch) == 0 {
		return idVerbatim, 0
	}
	length := len(w.batch[0].ByteArray())
	switch {
	case length == uuidText:
		form, width = idUUID, 16
	case length > 0 && length%8 == 0 && length <= column.MostDigits:
		form, width = idHex, length/2
	default:
		return idVerbatim, 0
	}
	w.data = slices.Grow(w.data[:0], width*len(w.batch))[:width*len(w.batch)]
	for i, rest := 0, w.data; i < len(w.batch); i, rest = i+1, rest[width:] {
		v := w.batch[i].ByteArray()
		if len(v) != length || form == idUUID && !packUUID(rest, v) || form == idHex && !packHex(rest[:width], v) {
			return idVerbatim, 0
		}
	}
	return form, width
}

// number gives the values numbers; false when more than half of them are different.
func (w *twinWriter) number() bool {
	clear(w.dictionary)
	for i := range w.batch {
		v := w.batch[i].ByteArray()
		s := unsafe.String(unsafe.SliceData(v), len(v)) // good as long as the window's pages
		n, ok := w.dictionary[s]
		if !ok {
			n = int32(len(w.words))
			w.dictionary[s] = n
			w.words = append(w.words, s)
		}
		w.numbers = append(w.numbers, n)
		if len(w.words) > len(w.batch)/2+1 {
			return false
		}
	}
	return true
}

func partitionValue(column string, p Partition) parquet.Value {
	switch column {
	case "event_date":
		return parquet.Int32Value(int32(p.Date))
	case "status_code":
		return parquet.Int32Value(p.Status)
	}
	return parquet.ByteArrayValue([]byte(p.Service))
}
