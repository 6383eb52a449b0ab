package lake

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/parquet-go/parquet-go"
)

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// parquet proves the files: first each file's bytes and footer, together with the first window of seqs; further windows read only the seq
// column of the files that reach into them.
func (v *verification) parquet() error {
	var rows int64
	for i := range v.version.Files {
		rows += v.version.Files[i].Rows
	}
	v.progress.Start("verify parquet", rows)
	proved := v.accepted.below(v.watermark)
	if retired := v.version.Ledger.RetiredTo; retired > 1 { // raw no longer says what these were; at least none may be there twice
		proved = append(seqRanges{{1, retired}}, proved.from(retired)...)
	}
	windows := proved.windows(v.window)
	if len(windows) == 0 {
		windows = []seqRange{{0, 0}} // files without accepted events are read as well
	}
	for i, window := range windows {
		w := &seqWindow{verification: v, bits: newSeqBits(window), proved: proved, first: i == 0}
		if err := v.eachFile(func(f *FileEntry) {
			if w.first || (f.MinSeq < window.End && f.MaxSeq >= window.First) {
				w.file(f)
			}
		}); err != nil {
			return err
		}
		missing, n := w.bits.missing(proved.from(v.version.Ledger.RetiredTo))
		v.missing += n
		v.lost = append(v.lost, missing...)
	}
	return nil
}

// eachFile runs fn over the version's files on all cores.
func (v *verification) eachFile(fn func(f *FileEntry)) error {
	ctx, cancel := context.WithCancel(v.ctx)
	defer cancel()
	next := make(chan *FileEntry)
	var wg sync.WaitGroup
	for range Processors() {
		wg.Go(func() {
			for f := range next {
				fn(f)
			}
		})
	}
	defer wg.Wait()
	defer close(next)
	for i := range v.version.Files {
		select {
		case next <- &v.version.Files[i]:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// seqWindow is one pass.
type seqWindow struct {
	*verification
	bits   *seqBits
	proved seqRanges
	first  bool // the pass that reads whole files and counts what lies outside every window
}

func (w *seqWindow) file(f *FileEntry) {
	path := w.lake.layout.Path(f)
	if w.first {
		if err := checkFile(path, f); err != nil {
			w.problem(path, adviceQuarantine, "%v", err)
			w.mu.Lock()
			w.bad[f] = true
			w.mu.Unlock()
		}
		w.checked(f.Bytes)
	}
	w.mu.Lock()
	bad := w.bad[f]
	w.mu.Unlock()
	if bad {
		return
	}
	rows, err := w.seqs(path)
	if !w.first {
		return
	}
	w.mu.Lock()
	w.report.Events.Parquet += rows
	w.mu.Unlock()
	if err != nil {
		w.problem(path, adviceQuarantine, "%v", err)
	} else if rows != f.Rows {
		w.problem(path, adviceQuarantine, "it has %d rows, the catalog says %d", rows, f.Rows)
	} else if err := checkDigest(path, f); err != nil {
		w.problem(path, adviceReport, "%v", err)
	}
	w.progress.Add(f.Rows)
}

// checkFile compares size and checksum with the entry.
func checkFile(path string, f *FileEntry) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	n, err := io.CopyBuffer(sum, struct{ io.Reader }{file}, make([]byte, 1<<20)) // File.WriteTo would take small steps
	if err != nil {
		return err
	}
	if n != f.Bytes || sum.Sum32() != f.CRC32C {
		return fmt.Errorf("it has %d bytes with CRC32C %08x, the catalog says %d with %08x", n, sum.Sum32(), f.Bytes, f.CRC32C)
	}
	return nil
}

// seqs reads the file's seq column into the window, and answers how many rows it has.
func (w *seqWindow) seqs(path string) (rows int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	pf, err := parquet.OpenFile(file, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return 0, fmt.Errorf("reading it as Parquet: %w", err)
	}
	column, ok := pf.Schema().Lookup("seq")
	if !ok {
		return pf.NumRows(), errors.New("it has no column seq")
	}
	var read int64
	for _, group := range pf.RowGroups() {
		n, err := w.chunk(group.ColumnChunks()[column.ColumnIndex])
		read += n
		if err != nil {
			return read, fmt.Errorf("reading its column seq: %w", err)
		}
	}
	if read != pf.NumRows() {
		return read, fmt.Errorf("its footer says %d rows, its column seq has %d", pf.NumRows(), read)
	}
	return read, nil
}

func (w *seqWindow) chunk(chunk parquet.ColumnChunk) (rows int64, err error) {
	pages := chunk.Pages()
	defer pages.Close()
	values := make([]parquet.Value, 4096)
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		reader := page.Values()
		for {
			n, err := reader.ReadValues(values)
			w.mark(values[:n])
			rows += int64(n)
			if err == io.EOF {
				break
			}
			if err != nil {
				parquet.Release(page)
				return rows, err
			}
		}
		parquet.Release(page)
		if err := w.ctx.Err(); err != nil {
			return rows, err
		}
	}
}

// mark takes the seqs of one file.
func (w *seqWindow) mark(values []parquet.Value) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range values {
		s := Seq(values[i].Int64())
		switch {
		case s >= w.bits.window.First && s < w.bits.window.End && w.proved.contains(s):
			if w.bits.set(s) {
				w.twice++
			}
		case !w.first:
		case s >= w.watermark && w.accepted.contains(s):
			w.twice++ // the raw tail shows it as well
		case !w.proved.contains(s):
			w.strange++
		}
	}
}
