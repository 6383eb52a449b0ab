package lake

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// CurrentOwner tells who owns the lake at this moment, as OwnerOf does. A screen asks it every few seconds.
func (l *Lake) CurrentOwner() (note Owner, owned bool, err error) {
	if !l.cfg.ReadOnly {
		l.ownerMu.Lock()
		defer l.ownerMu.Unlock()
		return l.cfg.Owner, true, nil
	}
	return OwnerOf(l.layout)
}

// OwnerOf tells who owns the lake of a layout at this moment. owned is false when nobody does: then the note is the one that a killed owner left, or
// empty after one that ended in order. It reads two small files and opens nothing else.
func OwnerOf(layout Layout) (note Owner, owned bool, err error) {
	note, err = readOwner(layout)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return Owner{}, false, fmt.Errorf("read the owner's note: %w", err)
	}
	f, err := os.Open(lockPath(layout))
	if errors.Is(err, os.ErrNotExist) {
		return note, false, nil
	}
	if err != nil {
		return Owner{}, false, fmt.Errorf("ask for the owner: %w", err)
	}
	defer f.Close() // and with it the lock, if we got it
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return note, true, nil
	}
	if err != nil {
		return Owner{}, false, fmt.Errorf("ask for the owner: %w", err)
	}
	return note, false, nil
}

// Somebody who asks whether the lake is owned holds a shared lock for some microseconds; whoever wants to own it must not take that for an owner.
const (
	lockTries = 10
	lockPause = 2 * time.Millisecond
)

// tryLock takes the lock for good, or answers EWOULDBLOCK when it is held by more than a question. pause waits between the tries.
func tryLock(f *os.File, pause func()) error {
	for try := 1; ; try++ {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) || try == lockTries {
			return err
		}
		pause()
	}
}
