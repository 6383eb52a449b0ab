package lake

import (
	"encoding/binary"
	"hash"
	"hash/crc32"
	"strconv"
	"unsafe"

	"github.com/parquet-go/parquet-go"
)

const (
	// groupRows is DuckDB's own row-group size: measured, smaller groups do not make a pruned query faster.
	groupRows = 122_880
	// pageBytes is what a page may hold before compression; a page is read and decompressed as a whole.
	pageBytes = 256 << 10
	// handRows is how many values go to a column writer at a time: few enough for the first-level cache.
	handRows = 512
)

// parquetGroup is a group node that keeps the order of its fields; parquet.Group sorts them by name.
type parquetGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g parquetGroup) Fields() []parquet.Field { return g.fields }

// parquetSchema is the schema of a file with these columns. dictionary says which of the strings are worth a dictionary. Every type is one
// that DuckDB, Trino, Athena and Spark read as Column.Type says: no unsigned, no UUID, and instants not "adjusted to UTC", which would
// read as TIMESTAMP WITH TIME ZONE.
func twinSchema(columns []Column, dictionary func(column string) bool) *parquet.Schema {
	group := parquet.Group{}
	for _, c := range columns {
		group[c.Name] = parquetNode(c, dictionary(c.Name))
	}
	byName := map[string]parquet.Field{}
	for _, f := range group.Fields() {
		byName[f.Name()] = f
	}
	ordered := parquetGroup{Group: group}
	for _, c := range columns {
		ordered.fields = append(ordered.fields, byName[c.Name])
	}
	return parquet.NewSchema("events", ordered)
}

func parquetNode(c Column, dictionary bool) parquet.Node {
	var node parquet.Node
	switch c.Type {
	case "TIMESTAMP":
		node = parquet.Encoded(parquet.TimestampAdjusted(parquet.Microsecond, false), &parquet.DeltaBinaryPacked)
	case "BIGINT":
		node = parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked)
	case "INTEGER":
		node = parquet.Encoded(parquet.Int(32), &parquet.DeltaBinaryPacked)
	case "DATE":
		node = parquet.Encoded(parquet.Date(), &parquet.DeltaBinaryPacked)
	case "DOUBLE":
		node = parquet.Leaf(parquet.DoubleType)
	default:
		node = parquet.String()
		if dictionary {
			node = parquet.Encoded(node, &parquet.RLEDictionary)
		}
	}
	if c.Nullable {
		return parquet.Optional(node)
	}
	return node
}

// parquetWriter makes a writer of our settings; each file begins with Reset.
func parquetWriter(schema *parquet.Schema) *parquet.GenericWriter[any] {
	return parquet.NewGenericWriter[any](nil, schema,
		parquet.Compression(&zstdCodec{}),
		parquet.PageBufferSize(pageBytes),
		parquet.WriteBufferSize(256<<10),
		parquet.DataPageStatistics(false), // row groups and the page index have them
		parquet.SkipPageBounds("message"), // long, or without order, so that their bounds prune nothing
		parquet.SkipPageBounds("attributes"),
		parquet.SkipPageBounds("request_id"),
		parquet.SkipPageBounds("trace_id"),
		parquet.SkipPageBounds("span_id"),
		parquet.CreatedBy("signallake", "1", ""),
		parquet.KeyValueMetadata(parquetFormatKey, strconv.Itoa(parquetFormat)))
}

// parquetSink is the file under a writer: it counts, sums, and remembers the end, which says how long the footer is.
type parquetSink struct {
	file  File
	sum   hash.Hash32
	bytes int64
	tail  [8]byte // length of the metadata, magic
}

func newParquetSink(file File) *parquetSink {
	return &parquetSink{file: file, sum: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
}

func (s *parquetSink) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.sum.Write(p[:n])
	s.bytes += int64(n)
	if keep := p[:n]; len(keep) >= len(s.tail) {
		copy(s.tail[:], keep[len(keep)-len(s.tail):])
	} else {
		copy(s.tail[:], s.tail[n:])
		copy(s.tail[len(s.tail)-n:], keep)
	}
	return n, err
}

// footer is what a reader fetches before any column: the metadata, its length, and both magics.
func (s *parquetSink) footer() int64 {
	const magic, trailer = 4, 8
	return int64(binary.LittleEndian.Uint32(s.tail[:])) + trailer + magic
}

// facts fills in what the entry says about the file as a file, once it is closed.
func (s *parquetSink) facts(entry *FileEntry, w *parquet.GenericWriter[any]) {
	entry.Bytes, entry.CRC32C, entry.FooterBytes = s.bytes, s.sum.Sum32(), s.footer()
	meta := w.File().Metadata()
	// Reset would clear the column names of these, in arrays that the writer goes on to use: its next file would have none.
	defer clear(meta.RowGroups)
	entry.Rows = meta.NumRows
	entry.ColumnBytes = make([]int64, len(w.Schema().Columns()))
	for _, group := range meta.RowGroups {
		for i := range group.Columns {
			entry.ColumnBytes[i] += group.Columns[i].MetaData.TotalCompressedSize
		}
	}
}

// textValue is a value over the string's own bytes, which the column writers copy.
func textValue(s string) parquet.Value {
	return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s)))
}
