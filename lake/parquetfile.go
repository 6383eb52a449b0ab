package lake

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// pathReader reads a file by opening it for each read, so that hundreds of files may be in use without as many descriptors.
type pathReader string

func (p pathReader) ReadAt(b []byte, off int64) (int, error) {
	file, err := os.Open(string(p))
	if err != nil {
		return 0, err
	}
	n, err := file.ReadAt(b, off)
	return n, errors.Join(err, file.Close())
}

// parquetFile is one of our files, open for reading by column.
type parquetFile struct {
	*parquet.File
	path string
}

// openParquet reads the file's footer and page index. There is nothing to close.
func openParquet(path string) (*parquetFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(pathReader(path), info.Size(), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &parquetFile{File: file, path: path}, nil
}

// readColumn calls fn with the column's values of rows [from, to), in order. The values' bytes belong to the page, which fn may keep
// instead of releasing it.
func (f *parquetFile) readColumn(name string, from, to int64, fn func(page parquet.Page) error) error {
	column, ok := f.Schema().Lookup(name)
	if !ok {
		return fmt.Errorf("read %s: it has no column %s", f.path, name)
	}
	for _, group := range f.RowGroups() {
		rows := group.NumRows()
		if from < rows && to > 0 {
			if err := readChunk(group.ColumnChunks()[column.ColumnIndex], max(from, 0), min(to, rows), fn); err != nil {
				return fmt.Errorf("read %s: column %s: %w", f.path, name, err)
			}
		}
		from, to = from-rows, to-rows
	}
	return nil
}

// readChunk is readColumn within a row group.
func readChunk(chunk parquet.ColumnChunk, from, to int64, fn func(page parquet.Page) error) error {
	pages := chunk.Pages()
	err := pages.SeekToRow(from)
	for from < to && err == nil {
		var page parquet.Page
		if page, err = pages.ReadPage(); err != nil {
			break
		}
		n := page.NumRows()
		if n > to-from {
			n = to - from
			page = page.Slice(0, n)
		}
		from += n
		err = fn(page)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return errors.Join(err, pages.Close())
}

// appendValues appends all values of a page.
func appendValues(dst []parquet.Value, page parquet.Page) ([]parquet.Value, error) {
	n := int(page.NumValues())
	start := len(dst)
	dst = append(dst, make([]parquet.Value, n)...)
	values := page.Values()
	for read := 0; read < n; {
		got, err := values.ReadValues(dst[start+read:])
		if read += got; read < n && err != nil {
			return dst, err
		}
	}
	return dst, nil
}
