package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	// diskName is the folder of a small disk in a scratch folder.
	diskName = "disk"
	// ballastName is the file that takes a disk's room.
	ballastName = "ballast"
)

// mountSmallDisk mounts a file system of so many bytes, in memory.
func mountSmallDisk(folder string, bytes int64) (unmount func() error, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	if err := unix.Mount("signallake-torture", folder, "tmpfs", unix.MS_NODEV|unix.MS_NOSUID, fmt.Sprintf("size=%d", bytes)); err != nil {
		return nil, fmt.Errorf("make a small disk at %s: %w", folder, err)
	}
	return func() error { return unmountSmallDisk(folder) }, nil
}

// unmountSmallDisk takes the disk away; what still has a file on it open keeps that until it ends.
func unmountSmallDisk(folder string) error {
	if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("take the small disk %s away: %w", folder, err)
	}
	return nil
}

// fillTries is how often the room of a disk is counted anew, when others took some of it in between.
const fillTries = 20

// fillDisk takes all of a disk's room but so many bytes. free gives it back.
func fillDisk(disk string, leave int64) (free func() error, err error) {
	name := filepath.Join(disk, ballastName)
	free = func() error { return os.Remove(name) }
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	for range fillTries {
		var space unix.Statfs_t
		if err = unix.Statfs(disk, &space); err != nil {
			break
		}
		room := int64(space.Bavail)*int64(space.Bsize) - leave
		if room <= 0 {
			break
		}
		if err = unix.Fallocate(int(file.Fd()), 0, 0, room); !errors.Is(err, unix.ENOSPC) {
			break
		}
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(err, free())
	}
	return free, nil
}

// limitFiles lets a process write no file any longer, as a full disk would; free lets it write again. It is for those who may not mount.
func limitFiles(pid int) (free func() error, err error) {
	var before unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 0, Max: unix.RLIM_INFINITY}, &before); err != nil {
		return nil, fmt.Errorf("limit the files of process %d: %w", pid, err)
	}
	return func() error { return unix.Prlimit(pid, unix.RLIMIT_FSIZE, &before, nil) }, nil
}
