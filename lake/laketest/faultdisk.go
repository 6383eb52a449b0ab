package laketest

import (
	"errors"
	"fmt"
	"sync"
	"syscall"

	"github.com/signallake/signallake/lake"
)

// Fault is how an operation of a FaultDisk fails.
type Fault int

const (
	FaultError   Fault = iota // EIO, nothing done
	FaultNoSpace              // ENOSPC; a write leaves half of its bytes
	FaultShort                // a write leaves half of its bytes and says EIO; anything else fails like FaultError
	FaultLate                 // done, and yet EIO: the answer was lost
)

// ErrFault is wrapped by every injected error, beside the operating system's.
var ErrFault = errors.New("injected fault")

// FaultDisk passes everything on to another disk, and fails at chosen operations. The operations that change something are counted from
// 0: Create, OpenWrite, Link, Rename, Remove, MkdirAll, SyncDir, Write, WriteAt, Truncate and Sync. Close is not counted and never fails.
type FaultDisk struct {
	Disk lake.Disk

	mu       sync.Mutex
	count    int
	from, to int // operations [from, to) fail
	fault    Fault
	injected int
}

var _ lake.Disk = (*FaultDisk)(nil)

// FailAt makes operation n, counted from the disk's beginning, and the following ones fail, times in all.
func (d *FaultDisk) FailAt(n, times int, fault Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.from, d.to, d.fault = n, n+times, fault
}

// Heal ends the failures.
func (d *FaultDisk) Heal() { d.FailAt(0, 0, FaultError) }

// Ops says how many operations there were.
func (d *FaultDisk) Ops() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// Injected says how many of them were made to fail.
func (d *FaultDisk) Injected() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.injected
}

// step counts an operation. fail is nil when it goes well; otherwise the error, and how it fails.
func (d *FaultDisk) step(op, path string) (fault Fault, fail error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.count
	d.count++
	if n < d.from || n >= d.to {
		return 0, nil
	}
	d.injected++
	errno := syscall.EIO
	if d.fault == FaultNoSpace {
		errno = syscall.ENOSPC
	}
	return d.fault, fmt.Errorf("%s %s: %w (%w)", op, path, errno, ErrFault)
}

func (d *FaultDisk) run(op, path string, do func() error) error {
	fault, fail := d.step(op, path)
	if fail == nil {
		return do()
	}
	if fault == FaultLate {
		if err := do(); err != nil {
			return err
		}
	}
	return fail
}

func (d *FaultDisk) open(op, path string, do func(string) (lake.File, error)) (lake.File, error) {
	var f lake.File
	err := d.run(op, path, func() (err error) {
		f, err = do(path)
		return err
	})
	if err != nil {
		if f != nil {
			f.Close() // it was made, but nobody gets it
		}
		return nil, err
	}
	return &faultFile{d, f, path}, nil
}

func (d *FaultDisk) Create(path string) (lake.File, error) {
	return d.open("create", path, d.Disk.Create)
}

func (d *FaultDisk) OpenWrite(path string) (lake.File, error) {
	return d.open("open", path, d.Disk.OpenWrite)
}

func (d *FaultDisk) Link(oldPath, newPath string) error {
	return d.run("link", newPath, func() error { return d.Disk.Link(oldPath, newPath) })
}

func (d *FaultDisk) Rename(oldPath, newPath string) error {
	return d.run("rename", newPath, func() error { return d.Disk.Rename(oldPath, newPath) })
}

func (d *FaultDisk) Remove(path string) error {
	return d.run("remove", path, func() error { return d.Disk.Remove(path) })
}

func (d *FaultDisk) MkdirAll(path string) error {
	return d.run("mkdir", path, func() error { return d.Disk.MkdirAll(path) })
}

func (d *FaultDisk) SyncDir(path string) error {
	return d.run("syncdir", path, func() error { return d.Disk.SyncDir(path) })
}

type faultFile struct {
	disk *FaultDisk
	file lake.File
	path string
}

func (f *faultFile) write(op string, p []byte, do func([]byte) (int, error)) (int, error) {
	fault, fail := f.disk.step(op, f.path)
	if fail == nil {
		return do(p)
	}
	switch fault {
	case FaultError:
		p = nil
	case FaultNoSpace, FaultShort:
		p = p[:len(p)/2]
	}
	if len(p) == 0 {
		return 0, fail
	}
	n, err := do(p)
	if err != nil {
		return n, err
	}
	return n, fail
}

func (f *faultFile) Write(p []byte) (int, error) { return f.write("write", p, f.file.Write) }

func (f *faultFile) WriteAt(p []byte, off int64) (int, error) {
	return f.write("write", p, func(p []byte) (int, error) { return f.file.WriteAt(p, off) })
}

func (f *faultFile) Sync() error  { return f.disk.run("sync", f.path, f.file.Sync) }
func (f *faultFile) Close() error { return f.file.Close() }
func (f *faultFile) Truncate(size int64) error {
	return f.disk.run("truncate", f.path, func() error { return f.file.Truncate(size) })
}
