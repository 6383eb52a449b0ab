package column

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// PageBytes is what a page holds before compression, or one value if that is longer. A page is read and decompressed as a whole.
	PageBytes = 256 << 10
	// GroupRows is how many rows a group had better have: DuckDB's own size; smaller ones do not make a pruned query faster.
	GroupRows = 122_880

	magic = "PAR1"
	// flushBytes gathers a small file in memory, to be written by one call.
	flushBytes = 1 << 20
)

// Summary is what there is to know of a written file.
type Summary struct {
	Rows        int64
	Bytes       int64
	CRC32C      uint32  // of the file's bytes
	FooterBytes int64   // magic, metadata and its length: what a reader fetches before any column
	ColumnBytes []int64 // compressed size of each column, over all groups
}

// Writer writes files of one schema, one after the other. It is for one goroutine.
type Writer struct {
	schema  Schema
	to      io.Writer
	err     error  // the first one of this file
	out     []byte // bytes of the file from flushed on
	flushed int64
	sum     uint32

	open  []int // the groups that are begun and not complete
	at    int   // the column whose turn it is
	turn  int   // the one of open whose turn it is
	given int   // rows of it that were given
	meta  format.FileMetaData
	chunk chunk
	paths [][]string // of the columns

	pageHeader format.PageHeader
	indexes    []chunkIndex // of the file's chunks in their order, until they are written
	bounds     []byte       // what statistics point to
	encoder    *zstd.Encoder
	thrift     *thrift.Encoder
	header     bytes.Buffer // what thrift writes to
	scratch    scratch
}

// scratch is what pages are made in.
type scratch struct {
	levels, repeats []byte  // encoded
	starts, filled  []uint8 // levels of lists
	wide            []int32
	page, frame     []byte
}

// NewWriter makes a writer for files of a schema; each begins with Reset.
func NewWriter(s Schema) *Writer {
	w := &Writer{schema: s, encoder: newEncoder()}
	w.thrift = thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&w.header))
	w.meta = format.FileMetaData{Version: 2, Schema: s.elements(), CreatedBy: s.CreatedBy}
	for _, kv := range s.Metadata {
		w.meta.KeyValueMetadata = append(w.meta.KeyValueMetadata, format.KeyValue{Key: kv.Key, Value: kv.Value})
	}
	for i := range s.Columns {
		w.paths = append(w.paths, s.Columns[i].path())
		w.meta.ColumnOrders = append(w.meta.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	return w
}

// Reset begins a file. What an unfinished one left is forgotten.
func (w *Writer) Reset(to io.Writer) {
	w.to, w.err = to, nil
	w.out, w.flushed, w.sum = append(w.out[:0], magic...), 0, 0
	w.open, w.at, w.turn, w.given = w.open[:0], 0, 0, 0
	w.meta.NumRows, w.meta.RowGroups = 0, w.meta.RowGroups[:0]
	w.indexes, w.bounds = w.indexes[:0], w.bounds[:0]
}

// Group begins a group of so many rows, at least one. With several numbers it begins as many groups, to which each column is given before
// the next one: first the rows of the first group, then those of the second.
func (w *Writer) Group(rows ...int) {
	if w.err == nil && len(w.open) > 0 {
		w.fail("a group begins before column %s has all rows of the last one", w.schema.Columns[w.at].Name)
	}
	for _, n := range rows {
		if n < 1 {
			w.fail("a group of %d rows", n)
		}
		if w.err != nil {
			return
		}
		i := len(w.meta.RowGroups)
		w.meta.RowGroups = grow(w.meta.RowGroups)
		group := &w.meta.RowGroups[i]
		*group = format.RowGroup{Columns: group.Columns[:0], NumRows: int64(n), FileOffset: w.offset(), Ordinal: int16(i)}
		w.meta.NumRows += int64(n)
		w.open = append(w.open, i)
	}
}

// Embed puts bytes of the caller's own between the columns and the footer. It stands at the end: nothing but Close may follow it.
func (w *Writer) Embed(b []byte) {
	if w.complete(); w.err != nil {
		return
	}
	w.writeIndexes()
	w.out = append(w.out, b...)
	w.flush(flushBytes)
}

// Close ends the file and tells of it. It does not close what is below.
func (w *Writer) Close() (Summary, error) {
	w.complete()
	if w.err == nil {
		w.writeIndexes()
		w.footer()
		w.flush(0)
	}
	if w.err != nil {
		return Summary{}, w.err
	}
	s := Summary{Rows: w.meta.NumRows, Bytes: w.flushed, CRC32C: w.sum, ColumnBytes: make([]int64, len(w.schema.Columns))}
	s.FooterBytes = int64(w.header.Len()) + 8 + int64(len(magic))
	for i := range w.meta.RowGroups {
		for k := range w.meta.RowGroups[i].Columns {
			s.ColumnBytes[k] += w.meta.RowGroups[i].Columns[k].MetaData.TotalCompressedSize
		}
	}
	return s, nil
}

func (w *Writer) footer() {
	b := w.encode(&w.meta)
	w.out = append(w.out, b...)
	w.out = binary.LittleEndian.AppendUint32(w.out, uint32(len(b)))
	w.out = append(w.out, magic...)
}

// complete holds the caller to whole groups.
func (w *Writer) complete() {
	if w.err == nil && len(w.open) > 0 {
		w.fail("column %s has %d of %d rows", w.schema.Columns[w.at].Name, w.given, w.group().NumRows)
	}
}

// encode is a thrift struct's bytes, good until the next call.
func (w *Writer) encode(v any) []byte {
	w.header.Reset()
	if err := w.thrift.Encode(v); err != nil && w.err == nil {
		w.err = fmt.Errorf("write parquet: %w", err)
	}
	return w.header.Bytes()
}

// group is the one whose turn it is.
func (w *Writer) group() *format.RowGroup { return &w.meta.RowGroups[w.open[w.turn]] }

func (w *Writer) offset() int64 { return w.flushed + int64(len(w.out)) }

// flush writes what is pending when it is more than a number of bytes.
func (w *Writer) flush(above int) {
	if w.err != nil || len(w.out) <= above {
		return
	}
	n, err := w.to.Write(w.out)
	if err == nil && n < len(w.out) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.err = err
	}
	w.sum = crc32.Update(w.sum, castagnoli, w.out)
	w.flushed += int64(len(w.out))
	w.out = w.out[:0]
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// check keeps an encoder's error. They have none for what they are given here.
func (w *Writer) check(err error) {
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("write parquet: column %s: %w", w.schema.Columns[w.at].Name, err)
	}
}

func (w *Writer) fail(format string, args ...any) {
	if w.err == nil {
		w.err = errors.New("write parquet: " + fmt.Sprintf(format, args...))
	}
}

// grow makes a slice longer by one element, which keeps what it was before the slice was shortened.
func grow[S ~[]T, T any](s S) S {
	if len(s) < cap(s) {
		return s[:len(s)+1]
	}
	var zero T
	return append(s, zero)
}
