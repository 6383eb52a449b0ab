package lake

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/signallake/signallake/lake/column"
)

const (
	parquetFormatKey = "signallake.events.format"
	parquetFormat    = 1
)

// parquetSchema is the schema of a file with these columns. Every type is one that DuckDB, Trino, Athena and Spark read as Column.Type says:
// no unsigned, no UUID, and instants not "adjusted to UTC", which would read as TIMESTAMP WITH TIME ZONE.
func parquetSchema(columns []Column) column.Schema {
	kinds := map[string]column.Kind{
		"TIMESTAMP": column.Timestamp, "BIGINT": column.Int64, "INTEGER": column.Int32, "DATE": column.Date, "DOUBLE": column.Double, "VARCHAR": column.Text,
	}
	s := column.Schema{
		Name: "events", CreatedBy: "signallake version 1(build )",
		Metadata: []column.KeyValue{{Key: parquetFormatKey, Value: strconv.Itoa(parquetFormat)}},
	}
	for _, c := range columns {
		s.Columns = append(s.Columns, column.Column{Name: c.Name, Kind: kinds[c.Type], Nullable: c.Nullable, NoBounds: unbounded(c.Name)})
	}
	return s
}

// unbounded tells of the columns that are long, or without order, so that their bounds prune nothing.
func unbounded(name string) bool {
	return slices.Contains([]string{"message", "attributes", "request_id", "trace_id", "span_id"}, name)
}

// eventWriter writes partitions of a run as files, one after the other. It is for one goroutine.
type eventWriter struct {
	run     *scannedRun
	out     *column.Writer
	columns []func(rows []piece, n int)
	marks   [textColumns][]textMark // by the value's place in run.texts
	epoch   uint32                  // of the marks of the column at hand
	digest  digestMaker
	keys    []rowKey
	order   []piece

	minSeq, maxSeq int64 // of the rows written

	gathered
}

// textMark says which number a value has in a file's dictionary; it is of no meaning in another epoch.
type textMark struct{ epoch, number uint32 }

func newEventWriter() (*eventWriter, error) {
	columns := FileColumns()
	w := &eventWriter{out: column.NewWriter(parquetSchema(columns))}
	for _, c := range columns {
		write, err := w.writerOf(c)
		if err != nil {
			return nil, err
		}
		w.columns = append(w.columns, write)
	}
	return w, nil
}

// begin makes ready for a run.
func (w *eventWriter) begin(r *scannedRun) {
	w.run, w.digest.run, w.epoch = r, r, 0
	for i := range w.marks {
		n := len(r.texts[i].values)
		clear(w.marks[i])
		w.marks[i] = slices.Grow(w.marks[i][:0], n)[:n]
	}
}

// writerOf says how a column's values are written, of n rows.
func (w *eventWriter) writerOf(c Column) (func(rows []piece, n int), error) {
	if i := slices.Index(textColumnNames(), c.Name); i >= 0 {
		return func(rows []piece, n int) { w.text(i, rows, n, c.Nullable) }, nil
	}
	if i := slices.Index(idColumnNames(), c.Name); i >= 0 {
		return func(rows []piece, n int) { w.id(i, rows, n, c.Nullable) }, nil
	}
	switch c.Name {
	case "timestamp":
		return w.timestamps, nil
	case "received_at":
		return w.received, nil
	case "seq":
		return w.seqs, nil
	case "latency_ms":
		return w.latencies, nil
	}
	return nil, fmt.Errorf("the schema has column %s, the writer does not know it", c.Name)
}

// write writes a partition's rows as one file, ordered by timestamp and then seq, and fills the entry but for its name and partition. The
// file is not synced.
func (w *eventWriter) write(ctx context.Context, file io.Writer, pieces []piece) (FileEntry, error) {
	var entry FileEntry
	rows := w.sort(pieces)
	first, last := rows[0], rows[len(rows)-1]
	entry.MinTS, entry.MaxTS = Micros(w.run.blocks[first.block].timestamp[first.from]), Micros(w.run.blocks[last.block].timestamp[last.to-1])
	w.minSeq, w.maxSeq = math.MaxInt64, math.MinInt64
	w.out.Reset(file)
	for len(rows) > 0 {
		if err := ctx.Err(); err != nil {
			return entry, err
		}
		group, n, rest := cut(rows, column.GroupRows)
		w.out.Group(n)
		for _, write := range w.columns {
			write(group, n)
		}
		rows = rest
	}
	w.out.Embed(w.digest.digest(pieces))
	s, err := w.out.Close()
	if err != nil {
		return entry, err
	}
	entry.MinSeq, entry.MaxSeq = Seq(w.minSeq), Seq(w.maxSeq)
	entry.describe(&s)
	return entry, nil
}

// describe takes over what a writer says of the file as a file.
func (f *FileEntry) describe(s *column.Summary) {
	f.Rows, f.Bytes, f.CRC32C, f.FooterBytes, f.ColumnBytes = s.Rows, s.Bytes, s.CRC32C, s.FooterBytes, s.ColumnBytes
}

// cut splits rows after at most so many: n of them, and the rest. The piece in the middle is split in place.
func cut(rows []piece, most int) (group []piece, n int, rest []piece) {
	for i := range rows {
		p := &rows[i]
		size := int(p.to - p.from)
		if n+size <= most {
			n += size
			continue
		}
		group = slices.Clone(rows[:i+1])
		at := p.from + uint16(most-n)
		group[i].to = at
		p.from = at
		if at == group[i].from {
			group = group[:i]
		}
		return group, most, rows[i:]
	}
	return rows, n, nil
}

// rowKey is what rows are sorted by.
type rowKey struct {
	at  int64
	row rowRef // in the order of seq within a partition
}

// sort orders a partition's rows, which come in the order of seq, by timestamp and then seq. The result is good until the next call.
func (w *eventWriter) sort(pieces []piece) []piece {
	if w.sorted(pieces) {
		w.order = append(w.order[:0], pieces...)
		return w.order
	}
	w.keys = w.keys[:0]
	for _, p := range pieces {
		for i, at := range w.run.blocks[p.block].timestamp[p.from:p.to] {
			w.keys = append(w.keys, rowKey{at, rowRef(p.block<<rowBits | uint32(p.from) + uint32(i))})
		}
	}
	slices.SortFunc(w.keys, func(a, b rowKey) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		return cmp.Compare(a.row, b.row)
	})
	w.order = w.order[:0]
	for _, key := range w.keys {
		block, row := uint32(key.row>>rowBits), uint16(key.row&(blockRows-1))
		if n := len(w.order); n > 0 && w.order[n-1].block == block && w.order[n-1].to == row {
			w.order[n-1].to++
		} else {
			w.order = append(w.order, piece{block, row, row + 1})
		}
	}
	return w.order
}

func (w *eventWriter) sorted(pieces []piece) bool {
	last := int64(math.MinInt64)
	for _, p := range pieces {
		for _, at := range w.run.blocks[p.block].timestamp[p.from:p.to] {
			if at < last {
				return false
			}
			last = at
		}
	}
	return true
}
