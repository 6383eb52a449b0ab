package lake

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/signallake/signallake/lake/column"
)

// Footers reads where the columns of files of events stand, and keeps what it has read up to a number of bytes: files never change under their names. It may be
// used from several goroutines.
type Footers struct {
	layout Layout
	limit  int64
	schema column.Schema

	mu    sync.Mutex
	young map[string]*column.Footer // by file name, which is one file's in a lake; nil: another writer's
	old   map[string]*column.Footer // what was young before; it goes when young is full
	bytes int64                     // of young
}

// NewFooters makes a reader that keeps at most about so many bytes of footers.
func NewFooters(l Layout, limit int64) *Footers {
	return &Footers{layout: l, limit: limit, schema: parquetSchema(FileColumns()), young: map[string]*column.Footer{}}
}

// Schema is that of the files: FileColumns as they are written.
func (r *Footers) Schema() *column.Schema { return &r.schema }

// Read answers a file's footer; nil without an error when the file is another writer's, or an older release's, so that column.Reader does not read it.
func (r *Footers) Read(f *FileEntry) (*column.Footer, error) {
	footer, ok := r.kept(f.Name)
	if ok {
		return footer, nil
	}
	footer, err := r.read(f)
	if err != nil && !errors.Is(err, column.ErrForeign) {
		return nil, fmt.Errorf("read %s: %w", r.layout.Path(f), err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(f.Name, footer)
	return footer, nil
}

func (r *Footers) kept(name string) (*column.Footer, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if footer, ok := r.young[name]; ok {
		return footer, true
	}
	footer, ok := r.old[name]
	if ok {
		r.add(name, footer)
	}
	return footer, ok
}

// add makes the footer young. Called with mu held.
func (r *Footers) add(name string, footer *column.Footer) {
	size := int64(120 + len(name)) // of the maps' entries
	if footer != nil {
		size += footer.SizeOf()
	}
	if size > r.limit/2 {
		return
	}
	if r.bytes += size; r.bytes > r.limit/2 {
		r.young, r.old, r.bytes = map[string]*column.Footer{}, r.young, size
	}
	r.young[name] = footer
}

func (r *Footers) read(f *FileEntry) (*column.Footer, error) {
	const trailer = 8 // the metadata's length and the magic
	file, err := os.Open(r.layout.Path(f))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	start := f.footerStart()
	if start < 0 || start > f.Bytes-trailer {
		return nil, column.ErrForeign // the catalog does not know where its footer is
	}
	b := make([]byte, f.Bytes-start)
	if n, err := file.ReadAt(b, start); n < len(b) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	footer, err := column.ParseFooter(b[:len(b)-trailer], &r.schema, f.Bytes)
	if err == nil && footer.Rows != f.Rows {
		err = fmt.Errorf("it has %d rows, the catalog says %d", footer.Rows, f.Rows)
	}
	return footer, err
}
