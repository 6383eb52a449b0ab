package pipeline

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// dropLarge is from where on a file that is no longer needed is really removed.
const dropLarge = 1 << 20

// drop takes a folder out of the way and gives its room back, but leaves its small files, empty, until the end of the run: for a minute or more
// after many files were deleted, a file system without a journal takes several times as long to make new ones, and the next round would be measured with that.
func (r *runner) drop(dir string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		switch {
		case err != nil:
			return err
		case filepath.Ext(path) == ".parquet": // no other folder has a link to it
			return os.Truncate(path, 0)
		case info.Size() >= dropLarge:
			return os.Remove(path)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	r.dropped++
	to := filepath.Join(r.droppedDir(), strconv.Itoa(r.dropped))
	return errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.Rename(dir, to))
}

func (r *runner) droppedDir() string { return filepath.Join(r.cfg.Dir, "dropped") }
