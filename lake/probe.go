package lake

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// probeBytes is what a probe writes and takes away again: enough for some thousand events, so that a disk with a few free blocks does not pass for
// one that takes them.
const probeBytes = 1 << 20

// Probe finds out whether the lake's disk takes events, without any: in the log's writer it closes off what an earlier failure left, begins a
// new raw segment where none is open (two files and their names, all synced), and syncs a file of 1 MiB that goes at once. When it returns nil the
// next Append starts with a clean log. It waits for the batches before it; ctx ends that wait, not the probe itself.
func (l *Lake) Probe(ctx context.Context) error {
	if err := l.writable(); err != nil {
		return err
	}
	err := l.raw.do(ctx, &request{task: l.raw.w.probe, done: make(chan struct{}, 1)})
	if err == nil {
		err = l.probeSpace()
	}
	return l.explain(err)
}

// probe runs in the writer goroutine.
func (w *logWriter) probe() error {
	if err := w.settle(); err != nil {
		return fmt.Errorf("%w: %w", ErrLogFailed, err)
	}
	if w.open != nil {
		return nil
	}
	if err := w.create(); err != nil {
		return fmt.Errorf("start a raw segment: %w: %w", ErrLogFailed, err)
	}
	return nil
}

// probeSpace writes, syncs and removes a file. Should its removal fail, it is swept like what a dead transaction left.
func (l *Lake) probeSpace() (err error) {
	id := l.beginTx()
	defer func() { l.endTx(id, err == nil) }()
	path := filepath.Join(l.layout.Tmp(), id)
	f, err := l.disk.Create(path)
	if err != nil {
		return fmt.Errorf("try the disk: %w", err)
	}
	_, err = f.WriteAt(make([]byte, probeBytes), 0)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close(), l.disk.Remove(path)); err != nil {
		return fmt.Errorf("try the disk: %w", err)
	}
	return nil
}

// explain says of a full disk which one it is, how much is left, and what to do. Other errors stay as they are.
func (l *Lake) explain(err error) error {
	var what string
	switch {
	case errors.Is(err, syscall.ENOSPC):
		what = "the disk that holds %s is full, %sfree space there: %w"
	case errors.Is(err, syscall.EDQUOT):
		what = "the quota on the disk that holds %s is used up, %sfree space there or have it raised: %w"
	default:
		return err
	}
	left := ""
	var space unix.Statfs_t
	if unix.Statfs(l.layout.Root, &space) == nil {
		left = fmt.Sprintf("%d bytes are free: ", uint64(space.Bavail)*uint64(space.Bsize))
	}
	return fmt.Errorf(what, l.layout.Root, left, err)
}
