package gen

import (
	"context"
	"fmt"
	"os"

	"github.com/signallake/signallake/lake"
)

// fileBlock is what writes to a file begin and end at: the page cache then takes them in large pieces, and no piece twice.
const fileBlock = 64 << 10

// SpaceAhead is how many bytes of a disk Fill asks for at a time. A write that finds its space reserved need not look for it page by page, which is a third of
// what it costs.
const SpaceAhead = 16 << 20

// Fill writes all lines into f, an empty file open for writing, and returns how many bytes; they are not synced. The work is shared by so many goroutines
// (0: one a core). After an error the file holds the bytes that it says, the beginning of the lines.
func (g *Generator) Fill(ctx context.Context, workers int, f *os.File) (bytes int64, err error) {
	w := fileWriter{f: f, rest: make([]byte, 0, fileBlock)}
	if info, err := f.Stat(); err != nil {
		return 0, fmt.Errorf("generate: %w", err)
	} else if info.Size() > 0 {
		return 0, fmt.Errorf("generate: %s holds %d bytes already: want an empty file", f.Name(), info.Size())
	}
	err = g.Run(ctx, workers, func(b lake.Batch) error { return w.write(b.Lines) })
	if err == nil {
		err = w.put(w.rest)
	}
	if giveBack := w.giveBack(); err == nil {
		err = giveBack
	}
	if err != nil {
		err = fmt.Errorf("generate: after %d bytes: %w", w.size, err)
	}
	return w.size, err
}

// fileWriter writes to a new file in whole blocks, but for its end.
type fileWriter struct {
	f        *os.File
	size     int64  // written
	reserved int64  // as far as room was asked for
	rest     []byte // behind size, less than a block
}

// write takes lines over, up to the last whole block to the file.
func (w *fileWriter) write(lines []byte) error {
	if len(w.rest) > 0 {
		n := min(len(lines), fileBlock-len(w.rest))
		w.rest = append(w.rest, lines[:n]...)
		if lines = lines[n:]; len(w.rest) < fileBlock {
			return nil
		}
		if err := w.put(w.rest); err != nil {
			return err
		}
	}
	whole := len(lines) / fileBlock * fileBlock
	w.rest = append(w.rest[:0], lines[whole:]...)
	return w.put(lines[:whole])
}

func (w *fileWriter) put(p []byte) error {
	if w.size+int64(len(p)) > w.reserved {
		reserve(w.f, w.reserved, SpaceAhead)
		w.reserved += SpaceAhead
	}
	n, err := w.f.WriteAt(p, w.size) // 0 when it failed, even if some of it is there
	w.size += int64(n)
	return err
}

// giveBack lets go what is behind the last write that was done: the space asked for, and what a failed one left.
func (w *fileWriter) giveBack() error {
	if w.reserved == 0 {
		return nil
	}
	return w.f.Truncate(w.size)
}
