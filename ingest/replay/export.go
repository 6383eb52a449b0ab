package replay

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signallake/signallake/lake"
)

// Export writes the letters that are meant to a new file, one JSON object a line, oldest first, and answers how many they were. A file that
// exists is refused. The file is there only when it is whole and on the disk.
func (d *Desk) Export(ctx context.Context, pick Pick, path string) (n int64, err error) {
	if _, err := os.Lstat(path); err == nil {
		return 0, fmt.Errorf("export dead letters: %s exists already: name another file", path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("export dead letters: %w", err)
	}
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	out, err := os.CreateTemp(dir, "."+name+".*.tmp")
	if err != nil {
		return 0, fmt.Errorf("export dead letters: %w", err)
	}
	defer func() {
		if err != nil {
			n, err = 0, fmt.Errorf("export dead letters to %s: %w", path, errors.Join(err, os.Remove(out.Name())))
		}
	}()
	n, err = d.exportTo(ctx, pick, out)
	if err == nil {
		err = out.Chmod(0o644) // a temporary file is its owner's alone
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return n, err
	}
	return n, publish(out.Name(), path)
}

func (d *Desk) exportTo(ctx context.Context, pick Pick, out *os.File) (n int64, err error) {
	buffered := bufio.NewWriterSize(out, 256<<10)
	var line []byte
	err = d.Each(ctx, pick, func(l *lake.DeadLetter) error {
		n++
		line = append(l.AppendJSON(line[:0]), '\n')
		_, err := buffered.Write(line)
		return err
	})
	return n, errors.Join(err, buffered.Flush())
}

// publish gives a whole file its name, unless somebody took that meanwhile: a link is refused then, where a rename would replace. A file system
// without links gets the rename.
func publish(tmp, path string) error {
	switch err := os.Link(tmp, path); {
	case errors.Is(err, fs.ErrExist):
		return err
	case err != nil:
		if err := os.Rename(tmp, path); err != nil {
			return err
		}
	default:
		if err := os.Remove(tmp); err != nil {
			return err
		}
	}
	return lake.OSDisk{}.SyncDir(filepath.Dir(path))
}
