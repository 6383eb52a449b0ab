package column

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// ErrForeign is in the error of ParseFooter for a sound file that is not as a Writer of this package writes it: another reader has to read it.
var ErrForeign = errors.New("another writer's file")

// Footer is where the columns of a file stand, in little memory: what a Reader needs of the file's metadata.
type Footer struct {
	Rows   int64
	Groups []Group
}

// Group is a row group.
type Group struct {
	Rows   int
	Chunks []Chunk // in the order of the schema
}

// Chunk is a column of a group: its pages stand one after the other. That of a column of lists, which no Reader reads, is empty.
type Chunk struct {
	Offset int64 // in the file
	Bytes  int64 // of the pages, as they stand in the file
	Size   int64 // of the pages when they are not compressed
}

// SizeOf is about how many bytes a footer takes in memory.
func (f *Footer) SizeOf() int64 {
	const group, chunk = 32, 24
	n := int64(48)
	for i := range f.Groups {
		n += group + chunk*int64(len(f.Groups[i].Chunks))
	}
	return n
}

// ParseFooter reads the metadata of a file of a schema, which ends where the file's last eight bytes begin. size is the file's. The error has ErrForeign in it
// when the schema, an encoding or a kind of page is not one of a Writer's.
func ParseFooter(metadata []byte, s *Schema, size int64) (*Footer, error) {
	var meta format.FileMetaData
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), metadata, &meta); err != nil {
		return nil, fmt.Errorf("read a Parquet footer: %w", err)
	}
	if meta.CreatedBy != s.CreatedBy || !slices.EqualFunc(meta.Schema, s.elements(), func(a, b format.SchemaElement) bool { return reflect.DeepEqual(a, b) }) {
		return nil, fmt.Errorf("a file by %q: %w", meta.CreatedBy, ErrForeign)
	}
	f := &Footer{Rows: meta.NumRows, Groups: make([]Group, len(meta.RowGroups))}
	chunks := make([]Chunk, 0, len(meta.RowGroups)*len(s.Columns)) // one piece of memory
	left := f.Rows
	for i := range meta.RowGroups {
		group := &meta.RowGroups[i]
		if len(group.Columns) != len(s.Columns) || group.NumRows < 1 || group.NumRows > left {
			return nil, fmt.Errorf("a Parquet footer with %d columns and %d rows in a group, of %d and %d", len(group.Columns), group.NumRows, len(s.Columns), f.Rows)
		}
		left -= group.NumRows
		for k := range group.Columns {
			chunk, err := chunkOf(&group.Columns[k].MetaData, &s.Columns[k], size)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", s.Columns[k].Name, err)
			}
			chunks = append(chunks, chunk)
		}
		f.Groups[i] = Group{Rows: int(group.NumRows), Chunks: chunks[len(chunks)-len(s.Columns) : len(chunks) : len(chunks)]}
	}
	if left != 0 {
		return nil, fmt.Errorf("a Parquet footer whose groups have %d rows too few", left)
	}
	return f, nil
}

// chunkOf checks that a chunk is of pages as this package writes them.
func chunkOf(m *format.ColumnMetaData, c *Column, size int64) (Chunk, error) {
	if c.List {
		return Chunk{}, nil
	}
	known := len(m.EncodingStats) > 0 && m.Type == c.Kind.physical() && m.Codec == format.Zstd
	for _, pages := range m.EncodingStats {
		known = known && (pages.PageType == format.DataPageV2 && c.Kind.encodedAs(pages.Encoding) ||
			pages.PageType == format.DictionaryPage && c.Kind == Text && pages.Encoding == format.Plain)
	}
	if !known {
		return Chunk{}, fmt.Errorf("pages %v of %v: %w", m.EncodingStats, m.Type, ErrForeign)
	}
	chunk := Chunk{Offset: m.DataPageOffset, Bytes: m.TotalCompressedSize, Size: m.TotalUncompressedSize}
	if m.DictionaryPageOffset > 0 {
		chunk.Offset = min(chunk.Offset, m.DictionaryPageOffset)
	}
	if chunk.Offset < 0 || chunk.Bytes < 0 || chunk.Size < 0 || chunk.Bytes > size || chunk.Offset > size-chunk.Bytes {
		return Chunk{}, fmt.Errorf("its %d bytes at %d are not in a file of %d", chunk.Bytes, chunk.Offset, size)
	}
	return chunk, nil
}

// encodedAs tells whether a Writer writes values of a kind so.
func (k Kind) encodedAs(e format.Encoding) bool {
	switch k {
	case Double:
		return e == format.Plain
	case Text:
		return e == format.RLEDictionary || e == format.DeltaLengthByteArray
	}
	return e == format.DeltaBinaryPacked
}
