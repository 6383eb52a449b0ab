package duck

import (
	"errors"
	"fmt"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// The driver hands values over one by one, boxed, which takes ten times as long for cells with their lists as reading and writing DuckDB's vectors in place.

// chunks runs one statement of ours and calls each with every chunk of its answer, which is valid during the call.
func (c *conn) chunks(text string, each func(chunk mapping.DataChunk, rows int) error) error {
	var result mapping.Result
	defer mapping.DestroyResult(&result)
	if mapping.Query(c.handle, text, &result) == mapping.StateError {
		return &duckdb.Error{Msg: mapping.ResultError(&result)}
	}
	for {
		chunk := mapping.FetchChunk(result)
		if chunk.Ptr == nil {
			return nil
		}
		err := each(chunk, int(mapping.DataChunkGetSize(chunk)))
		mapping.DestroyDataChunk(&chunk)
		if err != nil {
			return err
		}
	}
}

// column is a chunk's column of values of fixed width. NULLs have any value.
func column[T any](chunk mapping.DataChunk, at, rows int) []T {
	return unsafe.Slice((*T)(mapping.VectorGetData(mapping.DataChunkGetVector(chunk, mapping.IdxT(at)))), rows)
}

// validOf tells of each row of a column whether it is not NULL.
func validOf(chunk mapping.DataChunk, at int) func(row int) bool {
	mask := (*uint64)(mapping.VectorGetValidity(mapping.DataChunkGetVector(chunk, mapping.IdxT(at))))
	if mask == nil {
		return func(int) bool { return true }
	}
	return func(row int) bool {
		return *(*uint64)(unsafe.Add(unsafe.Pointer(mask), row/64*8))&(1<<(row%64)) != 0
	}
}

// string is the text where it stands: valid as long as the vector.
func (t *hotText) string() string {
	n := int(uint32(t.head))
	if n <= inlineText {
		return unsafe.String((*byte)(unsafe.Add(unsafe.Pointer(t), 4)), n)
	}
	return unsafe.String(*(**byte)(unsafe.Pointer(&t.tail)), n)
}

// listEntry is DuckDB's duckdb_list_entry.
type listEntry struct{ offset, length uint64 }

// listColumn is a column of lists.
type listColumn[T any] struct {
	entries []listEntry
	items   []T
}

func lists[T any](chunk mapping.DataChunk, at, rows int) listColumn[T] {
	vector := mapping.DataChunkGetVector(chunk, mapping.IdxT(at))
	l := listColumn[T]{entries: unsafe.Slice((*listEntry)(mapping.VectorGetData(vector)), rows)}
	if n := mapping.ListVectorGetSize(vector); n > 0 {
		l.items = unsafe.Slice((*T)(mapping.VectorGetData(mapping.ListVectorGetChild(vector))), int(n))
	}
	return l
}

func (l *listColumn[T]) row(i int) []T {
	e := l.entries[i]
	return l.items[e.offset : e.offset+e.length]
}

// chunkWriter appends rows to a table chunk by chunk, in the transaction of its connection. The columns of the chunk at hand are written in place.
type chunkWriter struct {
	table    string
	appender mapping.Appender
	chunk    mapping.DataChunk
	types    []mapping.LogicalType
	vectors  []mapping.Vector
	data     []unsafe.Pointer
	items    []int // of a column of lists: so many are in the chunk
	room     []int // and so many fit in
	rows     int
}

// startItems is the room for the items of a chunk's lists at first: a few a row.
const startItems = 8 * blockRows

func (c *conn) chunkWriter(table string) (*chunkWriter, error) {
	w := &chunkWriter{table: table}
	if mapping.AppenderCreateExt(c.handle, "", "", table, &w.appender) == mapping.StateError {
		return nil, errors.Join(w.failed(), w.close())
	}
	n := int(mapping.AppenderColumnCount(w.appender))
	for i := range n {
		w.types = append(w.types, mapping.AppenderColumnType(w.appender, mapping.IdxT(i)))
	}
	w.chunk = mapping.CreateDataChunk(w.types)
	w.vectors, w.data = make([]mapping.Vector, n), make([]unsafe.Pointer, n)
	w.items, w.room = make([]int, n), make([]int, n)
	w.bind()
	return w, nil
}

func (w *chunkWriter) failed() error {
	return fmt.Errorf("append to %s: %s", w.table, mapping.AppenderError(w.appender))
}

// bind finds where the columns of the empty chunk lie.
func (w *chunkWriter) bind() {
	for i := range w.vectors {
		w.vectors[i] = mapping.DataChunkGetVector(w.chunk, mapping.IdxT(i))
		w.data[i] = mapping.VectorGetData(w.vectors[i])
		w.items[i], w.room[i] = 0, 0
	}
	w.rows = 0
}

func (w *chunkWriter) int64(column int, v int64) {
	(*[blockRows]int64)(w.data[column])[w.rows] = v
}

func (w *chunkWriter) float64(column int, v float64) {
	(*[blockRows]float64)(w.data[column])[w.rows] = v
}

func (w *chunkWriter) null(column int) {
	mapping.VectorEnsureValidityWritable(w.vectors[column])
	mapping.ValiditySetRowInvalid(mapping.VectorGetValidity(w.vectors[column]), mapping.IdxT(w.rows))
}

func (w *chunkWriter) text(column int, s string) {
	if len(s) <= inlineText {
		(*[blockRows]hotText)(w.data[column])[w.rows] = inlined(s)
		return
	}
	mapping.VectorAssignStringElement(w.vectors[column], mapping.IdxT(w.rows), s) // copies it
}

// writeList writes a list of numbers.
func writeList[T int16 | int32](w *chunkWriter, column int, list []T) error {
	at, vector := w.items[column], w.vectors[column]
	if at+len(list) > w.room[column] {
		w.room[column] = max(startItems, 2*(at+len(list)))
		if mapping.ListVectorReserve(vector, mapping.IdxT(w.room[column])) == mapping.StateError {
			return fmt.Errorf("append to %s: no room for a list of %d", w.table, len(list))
		}
	}
	if len(list) > 0 {
		items := unsafe.Slice((*T)(mapping.VectorGetData(mapping.ListVectorGetChild(vector))), w.room[column])
		copy(items[at:], list)
	}
	(*[blockRows]listEntry)(w.data[column])[w.rows] = listEntry{uint64(at), uint64(len(list))}
	w.items[column] = at + len(list)
	return nil
}

// next ends the row.
func (w *chunkWriter) next() error {
	if w.rows++; w.rows < blockRows {
		return nil
	}
	return w.hand()
}

// hand gives the chunk to the appender, which copies it.
func (w *chunkWriter) hand() error {
	for i, n := range w.items {
		if n > 0 && mapping.ListVectorSetSize(w.vectors[i], mapping.IdxT(n)) == mapping.StateError {
			return fmt.Errorf("append to %s: a chunk has no room for %d items", w.table, n)
		}
	}
	mapping.DataChunkSetSize(w.chunk, mapping.IdxT(w.rows))
	if mapping.AppendDataChunk(w.appender, w.chunk) == mapping.StateError {
		return w.failed()
	}
	mapping.DataChunkReset(w.chunk)
	w.bind()
	return nil
}

// flush appends what is left.
func (w *chunkWriter) flush() error {
	if w.rows > 0 {
		if err := w.hand(); err != nil {
			return err
		}
	}
	if mapping.AppenderFlush(w.appender) == mapping.StateError {
		return w.failed()
	}
	return nil
}

// close frees the memory; rows that were not flushed are lost.
func (w *chunkWriter) close() error {
	mapping.DestroyDataChunk(&w.chunk)
	for i := range w.types {
		mapping.DestroyLogicalType(&w.types[i])
	}
	mapping.AppenderClear(w.appender)
	if mapping.AppenderDestroy(&w.appender) == mapping.StateError {
		return fmt.Errorf("close the appender of %s", w.table)
	}
	return nil
}
