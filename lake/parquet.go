package lake

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"math"
	"slices"
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

	parquetFormatKey = "signallake.events.format"
	parquetFormat    = 1
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
func parquetSchema(columns []Column, dictionary func(column string) bool) *parquet.Schema {
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

// eventWriter writes rows of a run as files, one after the other. It is for one goroutine.
type eventWriter struct {
	blocks  []*block
	columns []Column
	writers map[uint32]*parquet.GenericWriter[any] // by which text columns have a dictionary, as bits
	values  []parquet.Value
	ids     []byte
}

func newEventWriter(blocks []*block) *eventWriter {
	return &eventWriter{blocks: blocks, columns: FileColumns(), writers: map[uint32]*parquet.GenericWriter[any]{}}
}

// write writes the rows, which are ordered, as one file, and fills the entry but for its name and partition. The file is not synced.
func (w *eventWriter) write(ctx context.Context, file File, rows []rowRef) (FileEntry, error) {
	var entry FileEntry
	sink := newParquetSink(file)
	out := w.writer(rows)
	out.Reset(sink)
	for rest := rows; len(rest) > 0; {
		group := rest[:min(groupRows, len(rest))]
		rest = rest[len(group):]
		if err := ctx.Err(); err != nil {
			return entry, err
		}
		for i, column := range out.ColumnWriters() {
			if err := w.writeColumn(column, i, group); err != nil {
				return entry, fmt.Errorf("column %s: %w", w.columns[i].Name, err)
			}
		}
		if err := out.Flush(); err != nil {
			return entry, err
		}
	}
	if err := out.Close(); err != nil {
		return entry, err
	}
	sink.facts(&entry, out)
	if entry.Rows != int64(len(rows)) {
		return entry, fmt.Errorf("wrote %d rows of %d", entry.Rows, len(rows))
	}
	w.bounds(&entry, rows)
	return entry, nil
}

func (w *eventWriter) bounds(entry *FileEntry, rows []rowRef) {
	entry.MinTS, entry.MaxTS = math.MaxInt64, math.MinInt64
	entry.MinSeq, entry.MaxSeq = math.MaxInt64, math.MinInt64
	for _, ref := range rows {
		b, row := w.at(ref)
		entry.MinTS, entry.MaxTS = min(entry.MinTS, b.timestamp[row]), max(entry.MaxTS, b.timestamp[row])
		seq := b.first + Seq(row)
		entry.MinSeq, entry.MaxSeq = min(entry.MinSeq, seq), max(entry.MaxSeq, seq)
	}
}

func (w *eventWriter) at(ref rowRef) (*block, int) {
	return w.blocks[ref>>rowBits], int(ref & (blockRows - 1))
}

// writer is the writer for files like this: a text column gets a dictionary when a sample of the rows says that it repeats.
func (w *eventWriter) writer(rows []rowRef) *parquet.GenericWriter[any] {
	var mask uint32
	for column := range textColumns {
		if w.repeats(column, rows) {
			mask |= 1 << column
		}
	}
	if out, ok := w.writers[mask]; ok {
		return out
	}
	names := textColumnNames()
	out := parquetWriter(parquetSchema(w.columns, func(name string) bool {
		i := slices.Index(names, name)
		return i >= 0 && mask>>i&1 == 1
	}))
	w.writers[mask] = out
	return out
}

// repeats tells whether at most half of a sample's values are different.
func (w *eventWriter) repeats(column int, rows []rowRef) bool {
	const sample, few = 256, 16 // of a few rows the question means little, and all of them as a dictionary spares a writer
	if len(rows) <= few {
		return true
	}
	step := max(1, len(rows)/sample)
	seen, n := make(map[string]struct{}, sample/4), 0
	for i := 0; i < len(rows); i += step {
		b, row := w.at(rows[i])
		seen[b.textAt(column, row)] = struct{}{}
		n++
	}
	return len(seen) <= n/2
}

func (w *eventWriter) writeColumn(to *parquet.ColumnWriter, column int, rows []rowRef) error {
	value, err := w.valuer(w.columns[column].Name)
	if err != nil {
		return err
	}
	nullable := w.columns[column].Nullable
	for len(rows) > 0 {
		part := rows[:min(handRows, len(rows))]
		rows = rows[len(part):]
		w.values, w.ids = w.values[:0], w.ids[:0]
		for _, ref := range part {
			v := value(w.at(ref))
			if nullable { // levels cost time, and a required column's writer does not look at them
				if absent(v) {
					v = parquet.NullValue()
				} else {
					v = v.Level(0, 1, column)
				}
			}
			w.values = append(w.values, v)
		}
		if _, err := to.WriteRowValues(w.values); err != nil {
			return err
		}
	}
	return nil
}

// absent tells whether a nullable column's value is no value: the lake does not tell "" from absent.
func absent(v parquet.Value) bool {
	switch v.Kind() {
	case parquet.ByteArray:
		return len(v.ByteArray()) == 0
	case parquet.Double:
		return math.IsNaN(v.Double())
	}
	return false
}

// valuer says how to get a column's value of a row. Values are good until w.ids is emptied.
func (w *eventWriter) valuer(name string) (func(b *block, row int) parquet.Value, error) {
	if i := slices.Index(textColumnNames(), name); i >= 0 {
		return func(b *block, row int) parquet.Value { return textValue(b.textAt(i, row)) }, nil
	}
	if i := slices.Index(idColumnNames(), name); i >= 0 {
		return func(b *block, row int) parquet.Value {
			start := len(w.ids)
			w.ids = b.ids[i].appendTo(w.ids, row) // when it grows, earlier values stay in the older array
			return parquet.ByteArrayValue(w.ids[start:])
		}, nil
	}
	switch name {
	case "timestamp":
		return func(b *block, row int) parquet.Value { return parquet.Int64Value(int64(b.timestamp[row])) }, nil
	case "received_at":
		return func(b *block, row int) parquet.Value { return parquet.Int64Value(int64(b.received[row])) }, nil
	case "seq":
		return func(b *block, row int) parquet.Value { return parquet.Int64Value(int64(b.first) + int64(row)) }, nil
	case "latency_ms":
		return func(b *block, row int) parquet.Value { return parquet.DoubleValue(b.latency[row]) }, nil
	}
	return nil, errors.New("the schema has it, the writer does not know it")
}

// textValue is a value over the string's own bytes, which the column writers copy.
func textValue(s string) parquet.Value {
	return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s)))
}
