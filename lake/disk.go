package lake

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Disk is every way in which the lake changes the file system. Reading goes to the operating system directly. The tests replace it to
// record what was synced and to fail at any step (lake/laketest); everything else uses OSDisk.
type Disk interface {
	Create(path string) (File, error)    // a new file, open for writing; fs.ErrExist when the name is taken
	OpenWrite(path string) (File, error) // an existing file, open for writing in place
	Link(oldPath, newPath string) error  // put-if-absent: fs.ErrExist when newPath exists
	Rename(oldPath, newPath string) error
	Remove(path string) error
	MkdirAll(path string) error // with every new directory entry synced
	SyncDir(path string) error  // makes the directory's entries durable
}

// File is an open file of a Disk. Sync is fdatasync: the bytes and the length are durable when it returns nil.
type File interface {
	io.Writer
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
}

// OSDisk is the real file system.
type OSDisk struct{}

var _ Disk = OSDisk{}

func (OSDisk) Create(path string) (File, error) {
	return openFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR)
}

func (OSDisk) OpenWrite(path string) (File, error) { return openFile(path, os.O_RDWR) }

func openFile(path string, flag int) (File, error) {
	f, err := os.OpenFile(path, flag, 0o644)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (OSDisk) Link(oldPath, newPath string) error   { return os.Link(oldPath, newPath) }
func (OSDisk) Rename(oldPath, newPath string) error { return os.Rename(oldPath, newPath) }
func (OSDisk) Remove(path string) error             { return os.Remove(path) }

// MkdirAll makes path and its missing parents, and syncs each parent that got a new entry.
func (d OSDisk) MkdirAll(path string) error {
	if info, err := os.Stat(path); err == nil {
		if !info.IsDir() {
			return &os.PathError{Op: "mkdir", Path: path, Err: errors.New("exists and is not a directory")}
		}
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := d.MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return d.SyncDir(parent)
}

func (OSDisk) SyncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

type osFile struct{ *os.File }
