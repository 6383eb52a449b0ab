package lake

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/parquet-go/parquet-go"

	"github.com/signallake/signallake/lake/column"
)

// twinWriter merges the files of a version by time, day after day. It takes windows of twinGroups row groups: of each file the rows of the
// window are neighbours, so that a column of a window is read once, put in order, and written. Memory: a window's values of one column, its
// pages and what is written of it (together about 100 MiB), and 8 bytes for each event of the day.
type twinWriter struct {
	layout  Layout
	out     *column.Writer
	columns []Column
	values  []parquet.Value // of one column of the window, file after file
	batch   []parquet.Value // of a row group of it, in order
	order   []twinRow
	rows    int // of a row group
	p       *Progress

	gathered
	dictionary map[string]int32 // numbers of words
}

// twinGroups is a compromise: a page is read again for each window that its rows reach into, and a window is held in memory.
const twinGroups = 4

// twinRow is where a row of the window comes from.
type twinRow struct {
	at   int64
	file int32
}

// twinFile is one of the day's files.
type twinFile struct {
	*parquetFile
	entry *FileEntry
	times []int64 // of all rows
	from  int     // rows before it are written
	to    int     // the window's rows end here
	next  int     // in twinWriter.values, while a column is put in order
}

func newTwinWriter(l Layout, file File, p *Progress) *twinWriter {
	w := &twinWriter{layout: l, columns: Columns(), rows: column.GroupRows, p: p, dictionary: map[string]int32{}}
	w.out = column.NewWriter(parquetSchema(w.columns))
	w.out.Reset(file)
	return w
}

// writeAll writes the version's files and closes the writer; the file is not synced.
func (w *twinWriter) writeAll(ctx context.Context, v *Version) (FileEntry, error) {
	var entry FileEntry
	var rows int64
	for i := range v.Files {
		rows += v.Files[i].Rows
	}
	w.p.Start("write", rows)
	for files := v.Files; len(files) > 0; {
		n := 1
		for n < len(files) && files[n].Partition.Date == files[0].Partition.Date {
			n++
		}
		if err := w.day(ctx, files[:n]); err != nil {
			return entry, err
		}
		files = files[n:]
	}
	s, err := w.out.Close()
	if err != nil {
		return entry, err
	}
	entry.describe(&s)
	if entry.Rows != rows {
		return entry, fmt.Errorf("wrote %d rows of %d", entry.Rows, rows)
	}
	return entry, nil
}

func (w *twinWriter) day(ctx context.Context, entries []FileEntry) error {
	files := make([]*twinFile, len(entries))
	for i := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		file, err := openTwinFile(w.layout.Path(&entries[i]), &entries[i])
		if err != nil {
			return err
		}
		files[i] = file
	}
	for w.window(files) {
		var groups []int
		for rest := len(w.order); rest > 0; rest -= groups[len(groups)-1] {
			groups = append(groups, min(w.rows, rest))
		}
		w.out.Group(groups...)
		for c := range w.columns {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := w.column(files, c); err != nil {
				return err
			}
		}
		for _, f := range files {
			f.from = f.to
		}
		w.p.Add(int64(len(w.order)))
	}
	return nil
}

func openTwinFile(path string, entry *FileEntry) (*twinFile, error) {
	file, err := openParquet(path)
	if err != nil {
		return nil, err
	}
	f := &twinFile{parquetFile: file, entry: entry, times: make([]int64, 0, entry.Rows)}
	var values []parquet.Value
	err = file.readColumn("timestamp", 0, file.NumRows(), func(page parquet.Page) (err error) {
		values, err = appendValues(values[:0], page)
		for i := range values {
			f.times = append(f.times, values[i].Int64())
		}
		parquet.Release(page)
		return err
	})
	if err == nil && !slices.IsSorted(f.times) {
		err = fmt.Errorf("read %s: its rows are not ordered by timestamp", path)
	}
	return f, err
}

// window chooses the next rows in time, about twinGroups row groups of them, and orders them; false when none is left.
func (w *twinWriter) window(files []*twinFile) bool {
	most := twinGroups * w.rows
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for _, f := range files {
		if f.from < len(f.times) {
			first, last = min(first, f.times[f.from]), max(last, f.times[len(f.times)-1])
		}
	}
	if first > last {
		return false
	}
	// Of the instants first, first+1, ... the window takes as many as do not make it too large: all of them at the end of the day.
	span := sort.Search(int(last-first)+1, func(n int) bool { return upTo(files, first+int64(n)) > most })
	upTo(files, first+int64(span)-1)
	w.order = w.order[:0]
	for i, f := range files {
		if len(w.order) == 0 && span == 0 && f.from < len(f.times) { // more events of one instant than a window holds: file by file
			f.to = min(f.from+most, sort.Search(len(f.times), func(i int) bool { return f.times[i] > first }))
		}
		for _, at := range f.times[f.from:f.to] {
			w.order = append(w.order, twinRow{at, int32(i)})
		}
	}
	slices.SortStableFunc(w.order, func(a, b twinRow) int { return int(min(1, max(-1, a.at-b.at))) })
	return true
}

// upTo sets the window's end of each file to the rows up to an instant, and counts them.
func upTo(files []*twinFile, instant int64) (rows int) {
	for _, f := range files {
		rest := f.times[f.from:]
		f.to = f.from + sort.Search(len(rest), func(i int) bool { return rest[i] > instant })
		rows += f.to - f.from
	}
	return rows
}

// column writes one column of the window.
func (w *twinWriter) column(files []*twinFile, c int) error {
	column := &w.columns[c]
	var pages []parquet.Page
	w.values = w.values[:0]
	for _, f := range files {
		f.next = len(w.values)
		if f.from == f.to {
			continue
		}
		if column.Partition {
			w.values = append(w.values, partitionValue(column.Name, f.entry.Partition))
			continue
		}
		err := f.readColumn(column.Name, int64(f.from), int64(f.to), func(page parquet.Page) (err error) {
			pages = append(pages, page)
			w.values, err = appendValues(w.values, page)
			return err
		})
		if err != nil {
			return err
		}
	}
	for rest := w.order; len(rest) > 0; {
		n := min(w.rows, len(rest))
		w.putInOrder(column, files, rest[:n])
		rest = rest[n:]
	}
	for _, page := range pages {
		parquet.Release(page)
	}
	return nil
}
