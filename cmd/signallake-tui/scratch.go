package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signallake/signallake/lake"
)

// scratchGrace is how old a folder must be before it can be a killed run's: longer than it takes to lock it.
const scratchGrace = time.Minute

// scratchParent is where a scratch folder is made: in tmp/ of the data folder, so that it lies on the disk that the lake lies on, or in the system's
// folder when there is no data folder.
func scratchParent(dir string) string {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return lake.Layout{Root: dir}.Tmp()
	}
	return os.TempDir()
}

// scratchFolder makes a folder for a scratch lake. It is locked for as long as the process lives, so that the next run can tell what a killed one
// left, and remove takes it away. The names of one kind of run have a prefix of their own.
func scratchFolder(parent, prefix string, need int64) (scratch string, remove func() error, err error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", nil, err
	}
	removeLitter(parent, prefix)
	var space unix.Statfs_t
	if err := unix.Statfs(parent, &space); err == nil && int64(space.Bavail) < need/int64(space.Bsize) {
		return "", nil, fmt.Errorf("a scratch lake needs about %d MB of disk, and %s has %d MB: choose fewer --events, or a folder on another disk", need>>20, parent,
			int64(space.Bavail)*int64(space.Bsize)>>20)
	}
	if scratch, err = os.MkdirTemp(parent, prefix); err != nil {
		return "", nil, err
	}
	lock, err := os.Open(scratch)
	if err == nil {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(scratch))
	}
	return scratch, func() error { return errors.Join(os.RemoveAll(scratch), lock.Close()) }, nil
}

// removeLitter takes away the scratch lakes of runs that were killed. What cannot be removed is no reason not to measure.
func removeLitter(parent, prefix string) {
	folders, _ := filepath.Glob(filepath.Join(parent, prefix+"*"))
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < scratchGrace {
			continue
		}
		if lock, err := os.Open(folder); err == nil {
			if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
				_ = unmountSmallDisk(filepath.Join(folder, diskName)) // of a torture that was killed; mostly there is none
				_ = os.RemoveAll(folder)
			}
			_ = lock.Close()
		}
	}
}
