package duck

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/signallake/signallake/lake"
	stored "github.com/signallake/signallake/lake/column"
	"github.com/signallake/signallake/sql"
)

// DuckDB's own reader takes 30 to 50 microseconds for each file, whatever is in it: it is made for files in general. A question of somebody on call reads a
// dozen files of some thousand rows each. So where files are small, and this program wrote them, it reads them as well: a table function decodes the wanted
// columns straight into DuckDB's vectors. What is read, and how it is computed with, is the same.

const (
	// footerMemory bounds what is kept of files' footers, at most two thirds of a kilobyte for a file of one row group.
	footerMemory = 16 << 20
	// chunkMemory bounds what is kept of files' columns, as they stand in the files.
	chunkMemory = 32 << 20
	// idleReaders are kept with their buffers for the next statement, and as many pieces of memory for its texts.
	idleReaders = 8
)

// ownFiles serves files of this program's own to statements of one DuckDB instance.
type ownFiles struct {
	layout  lake.Layout // with an absolute root
	footers *lake.Footers
	chunks  *storedChunks
	slabs   slabs // of texts

	mu   sync.Mutex
	held map[int64]*fileList
	made int64
	idle []*fileReader
}

// newOwnFiles makes one for a lake. It keeps up to so many bytes of footers, and of columns; texts above limit bytes lie in a file at spill, as hot rows do.
func newOwnFiles(layout lake.Layout, footers, chunks, limit int64, spill string) *ownFiles {
	return &ownFiles{
		layout: layout, footers: lake.NewFooters(layout, footers), chunks: newStoredChunks(chunks),
		slabs: slabs{limit: limit, spares: idleReaders, path: spill}, held: map[int64]*fileList{},
	}
}

// fileList is files that one statement reads.
type fileList struct {
	set     *ownFiles
	id      int64
	files   []*lake.FileEntry
	footers []*stored.Footer
	groups  []fileGroup // in the order of the files
	rows    int64

	mu      sync.Mutex
	readers []*fileReader // lent to the statement's threads
}

// fileGroup is a row group of a file.
type fileGroup struct{ file, group int }

// source is what stands for the files behind FROM, as long as they are held.
func (l *fileList) source() string { return fmt.Sprintf("%s(%d)", filesFunction, l.id) }

// hold makes files readable for one statement that pins them and needs these columns; sieved says that it has a filter on a column of the files. nil: they are
// not to be read so, because DuckDB's reader is the faster one or the only one.
func (o *ownFiles) hold(files []*lake.FileEntry, reads []string, sieved bool) *fileList {
	if len(files) == 0 || reads == nil {
		return nil
	}
	if w := wishOf(files, reads, sieved); w.worth(files) {
		return o.list(files, &w)
	}
	return nil
}

// list is hold for files that are worth it.
func (o *ownFiles) list(files []*lake.FileEntry, w *wish) *fileList {
	l := &fileList{set: o, files: files, footers: make([]*stored.Footer, len(files))}
	var texts int64
	for i, f := range files {
		footer, err := o.footers.Read(f)
		if err != nil || footer == nil {
			return nil // DuckDB reads it, or says what is wrong with it
		}
		l.footers[i] = footer
		l.rows += footer.Rows
		for group := range footer.Groups {
			l.groups = append(l.groups, fileGroup{i, group})
			for _, k := range w.columns {
				if fileColumns[k].Type == "VARCHAR" {
					texts += footer.Groups[group].Chunks[k].Size
				}
			}
		}
	}
	if texts > ownTexts {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made++
	l.id = o.made
	o.held[l.id] = l
	return l
}

// What the two readers differ in was measured with files of a thousand to a hundred thousand rows: DuckDB's takes longer for a file and for each column of it,
// ours for the rows.
const (
	fileNanos   = 30_000
	columnNanos = 20_000
	rowNanos    = 2
	textNanos   = 15 // of a text, or a key that differs from file to file: DuckDB goes on with the words of a dictionary, and one value for a file
	sieveNanos  = 25 // of a value where a filter is: DuckDB decodes what passes

	// ownBytes is the most that files may have in the columns that are read, as the books say; ownTexts the most that their texts may come to in memory.
	ownBytes = 8 << 20
	ownTexts = 64 << 20
)

// wish is what a statement reads of files.
type wish struct {
	columns []int // of lake.FileColumns
	texts   int   // of them, and of the keys that are not the same for all files
	sieved  bool  // there is a filter on one of columns
}

func wishOf(files []*lake.FileEntry, reads []string, sieved bool) wish {
	w := wish{sieved: sieved}
	for i, c := range fileColumns {
		if slices.Contains(reads, c.Name) {
			w.columns = append(w.columns, i)
			if c.Type == "VARCHAR" {
				w.texts++
			}
		}
	}
	for _, key := range partitionKeys {
		if slices.Contains(reads, key.name) && varies(files, key.name) {
			w.texts++
		}
	}
	return w
}

// varies tells whether a key is not the same for all files.
func varies(files []*lake.FileEntry, key string) bool {
	first := &files[0].Partition
	return slices.ContainsFunc(files, func(f *lake.FileEntry) bool {
		switch key {
		case "event_date":
			return f.Partition.Date != first.Date
		case "service_name":
			return f.Partition.Service != first.Service
		}
		return f.Partition.Status != first.Status
	})
}

// worth tells whether our reader is the faster one.
func (w *wish) worth(files []*lake.FileEntry) bool {
	var rows, bytes int64
	for _, f := range files {
		rows += f.Rows
		for _, i := range w.columns {
			if i < len(f.ColumnBytes) {
				bytes += f.ColumnBytes[i]
			}
		}
	}
	columns := len(w.columns)
	ours := int64(rowNanos + textNanos*w.texts)
	if w.sieved {
		ours += int64(sieveNanos * (columns - 1))
	}
	return bytes <= ownBytes && rows*ours <= int64(len(files))*int64(fileNanos+columnNanos*columns)
}

var fileColumns = lake.FileColumns()

// sieves tells whether a plan has a filter on a column of the files.
func sieves(scans []sql.Scan) bool {
	return slices.ContainsFunc(scans, func(s sql.Scan) bool {
		return slices.ContainsFunc(fileColumns, func(c lake.Column) bool { return s.Filters(c.Name) })
	})
}

// find is the list that a running statement calls by its id.
func (o *ownFiles) find(id int64) (*fileList, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l, ok := o.held[id]
	return l, ok
}

// reader lends a reader to a thread of the statement.
func (l *fileList) reader() (*fileReader, error) {
	r, err := l.set.reader()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers = append(l.readers, r)
	return r, nil
}

func (o *ownFiles) reader() (*fileReader, error) {
	o.mu.Lock()
	if last := len(o.idle) - 1; last >= 0 {
		r := o.idle[last]
		o.idle = o.idle[:last]
		o.mu.Unlock()
		return r, nil
	}
	o.mu.Unlock()
	return newFileReader(o)
}

// release gives back what the statement used: its answer has been read, and nothing of it runs any more. It may be called of nil.
func (l *fileList) release() error {
	if l == nil {
		return nil
	}
	l.set.mu.Lock()
	delete(l.set.held, l.id)
	l.set.mu.Unlock()
	var errs []error
	for _, r := range l.readers {
		errs = append(errs, r.rest())
	}
	l.set.mu.Lock()
	defer l.set.mu.Unlock()
	for _, r := range l.readers {
		if len(l.set.idle) < idleReaders {
			l.set.idle = append(l.set.idle, r)
		} else {
			r.decoder.Close()
		}
	}
	l.readers = nil
	return errors.Join(errs...)
}

// close frees what is kept. No statement may run any more.
func (o *ownFiles) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.idle {
		r.decoder.Close()
	}
	o.idle = nil
	return o.slabs.close()
}
