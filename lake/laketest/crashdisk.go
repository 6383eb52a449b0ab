// Package laketest makes disks that fail: CrashDisk records every operation and lays out the states that a power cut could leave,
// FaultDisk fails at a chosen operation. It promises that what was synced is always kept, and takes every other liberty.
package laketest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/signallake/signallake/lake"
)

// CrashDisk is a lake.Disk below one folder. It does everything for real, save that nothing is synced (the machine is not going to crash),
// and records it. Materialise lays out what the disk could hold had the power gone at one of the operations.
type CrashDisk struct {
	root string
	disk lake.OSDisk

	mu     sync.Mutex
	base   *state // what was there when the disk was made: durable
	ops    []operation
	inodes int
	names  map[string]int // path below root -> inode, now
}

var _ lake.Disk = (*CrashDisk)(nil)

// opKind names what an operation did.
type opKind int

const (
	opWrite    opKind = iota // inode, off, data
	opTruncate               // inode, off is the size
	opSync                   // inode; what was done to it before operation upTo is durable
	opEntry                  // path points to inode
	opRemove                 // path is gone
	opRename                 // from is gone, path points to inode
	opSyncDir                // path is a folder; likewise upTo
	opMkdir                  // path is a folder, durable at once, as lake.Disk promises
)

type operation struct {
	kind  opKind
	inode int
	path  string
	from  string
	off   int64
	data  []byte
	upTo  int
}

// NewCrashDisk records what is done below root. What is there already counts as durable.
func NewCrashDisk(root string) (*CrashDisk, error) {
	d := &CrashDisk{root: root, base: newState(), names: map[string]int{}}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name, err := d.name(path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			d.base.dirs[name] = true
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		d.inodes++
		d.base.files[d.inodes] = data
		d.base.entries[name] = d.inodes
		d.names[name] = d.inodes
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("crash disk: %w", err)
	}
	return d, nil
}

// Ops says how many operations there were: a cut at Ops() happens after the last one.
func (d *CrashDisk) Ops() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ops)
}

// name is the path below root, with slashes.
func (d *CrashDisk) name(path string) (string, error) {
	name, err := filepath.Rel(d.root, path)
	if err != nil || strings.HasPrefix(name, "..") {
		return "", fmt.Errorf("%s lies outside the crash disk %s", path, d.root)
	}
	return filepath.ToSlash(name), nil
}

// record does an operation for real and notes it, in one step.
func (d *CrashDisk) record(path string, do func() error, note func(name string) operation) error {
	name, err := d.name(path)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := do(); err != nil {
		return err
	}
	d.ops = append(d.ops, note(name))
	return nil
}

func (d *CrashDisk) Create(path string) (lake.File, error) {
	var f lake.File
	inode := 0
	err := d.record(path, func() (err error) {
		f, err = d.disk.Create(path)
		return err
	}, func(name string) operation {
		d.inodes++
		inode = d.inodes
		d.names[name] = inode
		return operation{kind: opEntry, inode: inode, path: name}
	})
	if err != nil {
		return nil, err
	}
	return &crashFile{disk: d, file: f, inode: inode}, nil
}

func (d *CrashDisk) OpenWrite(path string) (lake.File, error) {
	name, err := d.name(path)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.disk.OpenWrite(path)
	if err != nil {
		return nil, err
	}
	inode, ok := d.names[name]
	if !ok {
		f.Close()
		return nil, fmt.Errorf("%s was not made through the crash disk", path)
	}
	return &crashFile{disk: d, file: f, inode: inode}, nil
}

func (d *CrashDisk) Link(oldPath, newPath string) error {
	old, err := d.name(oldPath)
	if err != nil {
		return err
	}
	return d.record(newPath, func() error { return d.disk.Link(oldPath, newPath) }, func(name string) operation {
		d.names[name] = d.names[old]
		return operation{kind: opEntry, inode: d.names[old], path: name}
	})
}

func (d *CrashDisk) Rename(oldPath, newPath string) error {
	old, err := d.name(oldPath)
	if err != nil {
		return err
	}
	return d.record(newPath, func() error { return d.disk.Rename(oldPath, newPath) }, func(name string) operation {
		inode, isFile := d.names[old]
		if !isFile {
			panic("laketest: renaming a folder is not recorded") // a test's bug
		}
		delete(d.names, old)
		d.names[name] = inode
		return operation{kind: opRename, inode: inode, path: name, from: old}
	})
}

func (d *CrashDisk) Remove(path string) error {
	return d.record(path, func() error { return d.disk.Remove(path) }, func(name string) operation {
		delete(d.names, name)
		return operation{kind: opRemove, path: name}
	})
}

func (d *CrashDisk) MkdirAll(path string) error {
	return d.record(path, func() error { return os.MkdirAll(path, 0o755) }, func(name string) operation {
		return operation{kind: opMkdir, path: name}
	})
}

func (d *CrashDisk) SyncDir(path string) error {
	return d.record(path, func() error {
		_, err := os.Stat(path)
		return err
	}, func(name string) operation { return operation{kind: opSyncDir, path: name, upTo: len(d.ops)} })
}

type crashFile struct {
	disk  *CrashDisk
	file  lake.File
	inode int
	at    int64 // of Write
}

func (f *crashFile) Write(p []byte) (int, error) {
	n, err := f.WriteAt(p, f.at)
	f.at += int64(n)
	return n, err
}

func (f *crashFile) WriteAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n, err := f.file.WriteAt(p, off)
	f.disk.ops = append(f.disk.ops, operation{kind: opWrite, inode: f.inode, off: off, data: append([]byte(nil), p[:n]...)})
	return n, err
}

func (f *crashFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.file.Truncate(size); err != nil {
		return err
	}
	f.disk.ops = append(f.disk.ops, operation{kind: opTruncate, inode: f.inode, off: size})
	return nil
}

// Sync is durable from the operation that it becomes: a cut before it leaves everything open.
func (f *crashFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.disk.ops = append(f.disk.ops, operation{kind: opSync, inode: f.inode, upTo: len(f.disk.ops)})
	return nil
}

func (f *crashFile) Close() error { return f.file.Close() }
