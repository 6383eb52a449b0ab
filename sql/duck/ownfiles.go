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

// DuckDB's own reader takes a tenth of a millisecond for each file, whatever is in it: for what it knows of files in general. A question of somebody on call reads a dozen files
// of some thousand rows each. So small lists of files that this program wrote are read by it: a table function decodes the wanted columns straight into DuckDB's vectors.
// What is read, and how it is computed with, is the same.

const (
	// footerMemory bounds what is kept of files' footers, at most two thirds of a kilobyte for a file of one row group.
	footerMemory = 32 << 20
	// chunkMemory bounds what is kept of files' columns, as they stand in the files.
	chunkMemory = 64 << 20
	// idleReaders are kept with their buffers for the next statement.
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
	return &ownFiles{layout: layout, footers: lake.NewFooters(layout, footers), chunks: newStoredChunks(chunks), slabs: slabs{limit: limit, path: spill}, held: map[int64]*fileList{}}
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

// hold makes files readable for one statement that pins them and needs these columns; nil: they are not to be read so, because DuckDB's reader is the better one or the only one.
//
// sieved says that a filter on a column of the files is part of the statement.
func (o *ownFiles) hold(files []*lake.FileEntry, reads []string, sieved bool) *fileList {
	if !worthOwn(files, reads, sieved) {
		return nil
	}
	l := &fileList{set: o, files: files, footers: make([]*stored.Footer, len(files))}
	for i, f := range files {
		footer, err := o.footers.Read(f)
		if err != nil || footer == nil {
			return nil // DuckDB reads it, or says what is wrong with it
		}
		l.footers[i] = footer
		l.rows += footer.Rows
		for group := range footer.Groups {
			l.groups = append(l.groups, fileGroup{i, group})
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made++
	l.id = o.made
	o.held[l.id] = l
	return l
}

const (
	// ownBytes and ownFileBytes are the most that files and one of them may have in the columns that are read, as the books say: above, DuckDB's faster decoders outweigh what
	// it takes for a file.
	ownBytes     = 8 << 20
	ownFileBytes = 256 << 10
	// sievedBytes is that of a file for statements with a filter on its columns: DuckDB decodes of the other ones only what passes.
	sievedBytes = 24 << 10
)

// worthOwn judges files by what a statement reads of them.
func worthOwn(files []*lake.FileEntry, reads []string, sieved bool) bool {
	if len(files) == 0 || reads == nil {
		return false
	}
	var wanted []int
	for i, name := range fileColumnNames {
		if slices.Contains(reads, name) {
			wanted = append(wanted, i)
		}
	}
	most := int64(ownBytes)
	if each := int64(len(files)) * sievedBytes; sieved && len(wanted) > 1 {
		most = min(most, each)
	}
	for _, f := range files {
		left := int64(ownFileBytes)
		for _, i := range wanted {
			if i < len(f.ColumnBytes) {
				left -= f.ColumnBytes[i]
				most -= f.ColumnBytes[i]
			}
		}
		if left < 0 || most < 0 {
			return false
		}
	}
	return true
}

// fileColumnNames are those of lake.FileColumns.
var fileColumnNames = func() (names []string) {
	for _, c := range lake.FileColumns() {
		names = append(names, c.Name)
	}
	return names
}()

// sieves tells whether a plan has a filter on a column of the files.
func sieves(scans []sql.Scan) bool {
	return slices.ContainsFunc(scans, func(s sql.Scan) bool { return s.Filters(fileColumnNames) })
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
