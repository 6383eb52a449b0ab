package column

import (
	"hash/crc32"

	"github.com/parquet-go/parquet-go/format"
)

// chunkIndex is what the page index says of a chunk.
type chunkIndex struct {
	group, column int
	offsets       format.OffsetIndex
	columns       format.ColumnIndex
}

func (x *chunkIndex) reset(group, column int) {
	x.group, x.column = group, column
	x.offsets.PageLocations = x.offsets.PageLocations[:0]
	x.columns.NullPages, x.columns.NullCounts = x.columns.NullPages[:0], x.columns.NullCounts[:0]
	x.columns.MinValues, x.columns.MaxValues = x.columns.MinValues[:0], x.columns.MaxValues[:0]
}

// add adds a page, which stands at from to to and whose first row is the group's row.
func (x *chunkIndex) add(p *page, from, to, row int64) {
	x.offsets.PageLocations = append(x.offsets.PageLocations, format.PageLocation{Offset: from, CompressedPageSize: int32(to - from), FirstRowIndex: row})
	x.columns.NullPages = append(x.columns.NullPages, p.nulls == p.values)
	x.columns.NullCounts = append(x.columns.NullCounts, int64(p.nulls))
	x.columns.MinValues, x.columns.MaxValues = append(x.columns.MinValues, p.bounds.min), append(x.columns.MaxValues, p.bounds.max)
}

// bounded tells whether each page that has values has bounds, without which there is no column index.
func (x *chunkIndex) bounded() bool {
	for i, null := range x.columns.NullPages {
		if !null && x.columns.MinValues[i] == nil {
			return false
		}
	}
	return true
}

// writeIndexes writes the page index, unless every chunk of the file is one page: a reader knows where that is. All chunks are in it then,
// because readers take it that what is not in the index has no pages.
func (w *Writer) writeIndexes() {
	several := false
	for i := range w.indexes {
		several = several || len(w.indexes[i].offsets.PageLocations) > 1
	}
	if !several {
		return
	}
	for i := range w.indexes {
		x := &w.indexes[i]
		c := &w.meta.RowGroups[x.group].Columns[x.column]
		if !x.bounded() {
			continue
		}
		x.columns.BoundaryOrder = x.order(w.schema.Columns[x.column].Kind)
		b := w.encode(&x.columns)
		c.ColumnIndexOffset, c.ColumnIndexLength = w.offset(), int32(len(b))
		w.out = append(w.out, b...)
	}
	for i := range w.indexes {
		x := &w.indexes[i]
		c := &w.meta.RowGroups[x.group].Columns[x.column]
		b := w.encode(&x.offsets)
		c.OffsetIndexOffset, c.OffsetIndexLength = w.offset(), int32(len(b))
		w.out = append(w.out, b...)
	}
	w.indexes = w.indexes[:0] // written
}

// order tells whether the pages' bounds rise or fall, NULL pages left aside.
func (x *chunkIndex) order(k Kind) format.BoundaryOrder {
	rising, falling, last := true, true, -1
	mins, maxes := x.columns.MinValues, x.columns.MaxValues
	for i := range mins {
		if x.columns.NullPages[i] {
			continue
		}
		if last >= 0 {
			low, high := k.compare(mins[last], mins[i]), k.compare(maxes[last], maxes[i])
			rising, falling = rising && low <= 0 && high <= 0, falling && low >= 0 && high >= 0
		}
		last = i
	}
	switch {
	case rising:
		return format.Ascending
	case falling:
		return format.Descending
	}
	return format.Unordered
}

// crc is a page's checksum.
func crc(parts ...[]byte) int32 {
	var sum uint32
	for _, part := range parts {
		sum = crc32.Update(sum, crc32.IEEETable, part)
	}
	return int32(sum)
}
