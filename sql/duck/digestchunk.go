package duck

import (
	"slices"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// chunk is some rows of an answer as DuckDB holds them: the driver would make a value of its own of each number.
type chunk struct {
	rows int
	data mapping.DataChunk
}

// int64s is a column of BIGINT or TIMESTAMP.
func (c chunk) int64s(at int) []int64 { return column[int64](c.data, at, c.rows) }

func (c chunk) isNull(at, row int) bool {
	mask := mapping.VectorGetValidity(mapping.DataChunkGetVector(c.data, mapping.IdxT(at)))
	return mask != nil && !mapping.ValidityRowIsValid(mask, mapping.IdxT(row))
}

// key is a key's value, whose column has the key's type.
func (c chunk) key(k keyColumn, at, row int) keyValue {
	switch {
	case c.isNull(at, row):
		return keyValue{null: true}
	case k.isText():
		return keyValue{text: mapping.StringTData(&column[mapping.StringT](c.data, at, c.rows)[row])}
	case k == keyHour:
		return keyValue{n: c.int64s(at)[row]}
	}
	return keyValue{n: int64(column[int32](c.data, at, c.rows)[row])}
}

// doubles is a copy of one row's list of DOUBLE; nil for NULL.
func (c chunk) doubles(at, row int) []float64 {
	if c.isNull(at, row) {
		return nil
	}
	offset, length := mapping.ListEntryMembers(&column[mapping.ListEntry](c.data, at, c.rows)[row])
	child := mapping.ListVectorGetChild(mapping.DataChunkGetVector(c.data, mapping.IdxT(at)))
	all := unsafe.Slice((*float64)(mapping.VectorGetData(child)), offset+length)
	return slices.Clone(all[offset:])
}
