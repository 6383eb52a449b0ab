package column

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestReadersSeeWhatWasGiven writes random groups of every kind with one Writer and reads them with parquet-go: values, statistics, page
// index, and rows in the middle of a page.
func TestReadersSeeWhatWasGiven(t *testing.T) {
	w := NewWriter(allKinds())
	for seed := range uint64(14) {
		groups := [][]int{{}, {1}, {2, 1}, {1400}, {7, 4096, 13}, {3000, 3000}, {40_000}}[seed%7]
		oneFile(t, w, seed, groups)
	}
}

func FuzzReadersSeeWhatWasGiven(f *testing.F) {
	f.Add(uint64(1), uint16(10), uint16(0))
	f.Add(uint64(2), uint16(9000), uint16(1))
	f.Fuzz(func(t *testing.T, seed uint64, first, second uint16) {
		oneFile(t, NewWriter(allKinds()), seed, []int{1 + int(first)%20_000, 1 + int(second)%20_000})
	})
}

func oneFile(t *testing.T, w *Writer, seed uint64, groups []int) {
	t.Helper()
	f := filler{r: rand.New(rand.NewPCG(seed, 1)), w: w, t: &table{columns: make([][]cell, len(w.schema.Columns))}, huge: seed%5 == 4}
	var file bytes.Buffer
	w.Reset(&file)
	for _, rows := range groups {
		f.group(rows)
	}
	embedded := []byte(strings.Repeat("digest", int(seed%3)))
	if len(embedded) > 0 {
		w.Embed(embedded)
	}
	s, err := w.Close()
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	checkSummary(t, s, file.Bytes(), embedded)
	pf, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if v, ok := pf.Lookup("b"); !ok || v != "two" {
		t.Errorf("metadata: %q, %v", v, ok)
	}
	checkReader(t, &w.schema, file.Bytes(), s, f.t)
	at := 0
	for i, g := range pf.RowGroups() {
		if g.NumRows() != int64(groups[i]) {
			t.Fatalf("seed %d: group %d has %d rows of %d", seed, i, g.NumRows(), groups[i])
		}
		for c, chunk := range g.ColumnChunks() {
			want := f.t.columns[c][at : at+groups[i]]
			where := fmt.Sprintf("seed %d, group %d, column %s", seed, i, w.schema.Columns[c].Name)
			if err := equalRows(chunk, 0, want); err != nil {
				t.Fatalf("%s: %v", where, err)
			}
			if from := f.r.IntN(groups[i]); !w.schema.Columns[c].List {
				if err := equalRows(chunk, int64(from), want[from:]); err != nil {
					t.Fatalf("%s from row %d: %v", where, from, err)
				}
			}
			if err := checkStatistics(&w.schema.Columns[c], pf, i, c, want); err != nil {
				t.Fatalf("%s: %v", where, err)
			}
		}
		at += groups[i]
	}
	if len(pf.RowGroups()) != len(groups) || pf.NumRows() != s.Rows {
		t.Fatalf("seed %d: %d groups, %d rows", seed, len(pf.RowGroups()), pf.NumRows())
	}
}

func checkSummary(t *testing.T, s Summary, file, embedded []byte) {
	t.Helper()
	if s.Bytes != int64(len(file)) || s.CRC32C != crc32.Checksum(file, crc32.MakeTable(crc32.Castagnoli)) {
		t.Errorf("the summary says %d bytes with %08x, the file has %d", s.Bytes, s.CRC32C, len(file))
	}
	footer := int64(binary.LittleEndian.Uint32(file[len(file)-8:]))
	if s.FooterBytes != footer+12 {
		t.Errorf("the summary says %d bytes of footer, it has %d", s.FooterBytes, footer+12)
	}
	end := s.Bytes - (s.FooterBytes - 4)
	if !bytes.Equal(file[end-int64(len(embedded)):end], embedded) {
		t.Error("what was embedded is not before the footer")
	}
}

// equalRows reads a chunk from a row on.
func equalRows(chunk parquet.ColumnChunk, from int64, want []cell) error {
	pages := chunk.Pages()
	defer pages.Close()
	if err := pages.SeekToRow(from); err != nil {
		return fmt.Errorf("seek: %w", err)
	}
	var got []parquet.Value
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		values := make([]parquet.Value, page.NumValues())
		if n, err := page.Values().ReadValues(values); n < len(values) {
			return fmt.Errorf("read %d values of %d: %w", n, len(values), err)
		}
		for _, v := range values {
			got = append(got, v.Clone())
		}
		parquet.Release(page)
	}
	for row, w := range want {
		n := max(1, len(w))
		if len(got) < n {
			return fmt.Errorf("row %d is missing", row)
		}
		for k, v := range w {
			if got[k].IsNull() || got[k].Kind() != v.Kind() || !bytes.Equal(got[k].Bytes(), v.Bytes()) || (got[k].RepetitionLevel() == 0) != (k == 0) {
				return fmt.Errorf("row %d, value %d: %+v, want %+v", row, k, got[k], v)
			}
		}
		if len(w) == 0 && !got[0].IsNull() {
			return fmt.Errorf("row %d: %+v, want NULL", row, got[0])
		}
		got = got[n:]
	}
	if len(got) > 0 {
		return fmt.Errorf("%d values too many", len(got))
	}
	return nil
}

// checkStatistics holds a chunk's statistics and its page index to the values.
func checkStatistics(c *Column, f *parquet.File, group, column int, rows []cell) error {
	chunk := &f.Metadata().RowGroups[group].Columns[column]
	s := &chunk.MetaData.Statistics
	nulls, low, high := boundsOf(c, rows)
	if s.NullCount != nulls || !bytes.Equal(s.MinValue, low) || !bytes.Equal(s.MaxValue, high) || (low == nil) != (s.MinValue == nil) {
		return fmt.Errorf("statistics %d, %q to %q, want %d, %q to %q", s.NullCount, s.MinValue, s.MaxValue, nulls, low, high)
	}
	if len(f.OffsetIndexes()) == 0 {
		if n := len(chunk.MetaData.EncodingStats); chunk.MetaData.EncodingStats[n-1].Count > 1 {
			return fmt.Errorf("%d pages without an index", chunk.MetaData.EncodingStats[n-1].Count)
		}
		return nil
	}
	index := f.RowGroups()[group].ColumnChunks()[column]
	offsets, err := index.OffsetIndex()
	if err != nil {
		return err
	}
	columns := f.ColumnIndexes()[group*len(f.Metadata().RowGroups[group].Columns)+column]
	for i := range offsets.NumPages() {
		from, to := offsets.FirstRowIndex(i), int64(len(rows))
		if i+1 < offsets.NumPages() {
			to = offsets.FirstRowIndex(i + 1)
		}
		if columns.NullPages == nil {
			continue
		}
		nulls, low, high := boundsOf(c, rows[from:to])
		exact := chunk.MetaData.DictionaryPageOffset == 0 // a dictionary's bounds stand for all of its pages
		if columns.NullCounts[i] != nulls || columns.NullPages[i] != (low == nil) ||
			exact && !(bytes.Equal(columns.MinValues[i], low) && bytes.Equal(columns.MaxValues[i], high)) {
			return fmt.Errorf("page %d: %d, %q to %q, want %d, %q to %q", i, columns.NullCounts[i], columns.MinValues[i], columns.MaxValues[i], nulls, low, high)
		}
	}
	return nil
}

func boundsOf(c *Column, rows []cell) (nulls int64, low, high []byte) {
	var least, most parquet.Value
	order := func(a, b parquet.Value) int {
		if c.Kind == Text {
			return bytes.Compare(a.ByteArray(), b.ByteArray())
		}
		return c.Kind.compare(a.Bytes(), b.Bytes())
	}
	some := false
	for _, row := range rows {
		if len(row) == 0 {
			nulls++
		}
		for _, v := range row {
			if v.Kind() == parquet.Double && math.IsNaN(v.Double()) || c.NoBounds {
				continue
			}
			if !some || order(v, least) < 0 {
				least = v
			}
			if !some || order(v, most) > 0 {
				most = v
			}
			some = true
		}
	}
	if !some {
		return nulls, nil, nil
	}
	low, high = slices.Clone(least.Bytes()), slices.Clone(most.Bytes())
	if c.Kind == Double && least.Double() == 0 {
		low = parquet.DoubleValue(math.Copysign(0, -1)).Bytes()
	}
	if c.Kind == Double && most.Double() == 0 {
		high = parquet.DoubleValue(0).Bytes()
	}
	return nulls, low, high
}
