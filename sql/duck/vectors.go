package duck

import (
	"slices"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// chunk is some rows of an answer as DuckDB holds them: the driver would make a value of its own of each number.
type chunk struct {
	rows int
	data mapping.DataChunk
}

// eachChunk runs one statement of ours and gives its answer chunk by chunk. A chunk is good during the call only.
func (c *conn) eachChunk(text string, fn func(chunk) error) error {
	var result mapping.Result
	defer mapping.DestroyResult(&result)
	if mapping.Query(c.handle, text, &result) == mapping.StateError {
		return &duckdb.Error{Msg: mapping.ResultError(&result)}
	}
	for {
		data := mapping.FetchChunk(result)
		if data.Ptr == nil {
			return nil
		}
		err := fn(chunk{int(mapping.DataChunkGetSize(data)), data})
		mapping.DestroyDataChunk(&data)
		if err != nil {
			return err
		}
	}
}

func vectorOf[T any](c chunk, column int) []T {
	v := mapping.DataChunkGetVector(c.data, mapping.IdxT(column))
	return unsafe.Slice((*T)(mapping.VectorGetData(v)), c.rows)
}

// int64s is a column of BIGINT or TIMESTAMP.
func (c chunk) int64s(column int) []int64 { return vectorOf[int64](c, column) }

func (c chunk) isNull(column, row int) bool {
	mask := mapping.VectorGetValidity(mapping.DataChunkGetVector(c.data, mapping.IdxT(column)))
	return mask != nil && !mapping.ValidityRowIsValid(mask, mapping.IdxT(row))
}

// key is a key's value, whose column has the key's type.
func (c chunk) key(k keyColumn, column, row int) keyValue {
	switch {
	case c.isNull(column, row):
		return keyValue{null: true}
	case k.isText():
		return keyValue{text: mapping.StringTData(&vectorOf[mapping.StringT](c, column)[row])}
	case k == keyHour:
		return keyValue{n: c.int64s(column)[row]}
	}
	return keyValue{n: int64(vectorOf[int32](c, column)[row])}
}

// doubles is a copy of one row's list of DOUBLE; nil for NULL.
func (c chunk) doubles(column, row int) []float64 {
	if c.isNull(column, row) {
		return nil
	}
	offset, length := mapping.ListEntryMembers(&vectorOf[mapping.ListEntry](c, column)[row])
	child := mapping.ListVectorGetChild(mapping.DataChunkGetVector(c.data, mapping.IdxT(column)))
	all := unsafe.Slice((*float64)(mapping.VectorGetData(child)), offset+length)
	return slices.Clone(all[offset:])
}
