package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ownerLock is the lake's lock: flock on state/lock, which dies with the process, and a note beside it that tells others who holds it.
type ownerLock struct {
	file  *os.File
	note  string
	since time.Time // when the lock was taken, by the file system's clock
}

func lockPath(l Layout) string  { return filepath.Join(l.State(), "lock") }
func ownerPath(l Layout) string { return filepath.Join(l.State(), "owner.json") }

// Error names the owner and the way out.
func (e *OwnedError) Error() string {
	if e.Owner.PID == 0 {
		return ErrOwned.Error() + ": wait for it to end, or open the lake read-only"
	}
	at := ""
	if e.Owner.Address != "" {
		at = ", its API listens on " + e.Owner.Address
	}
	return fmt.Sprintf("%v: %s (pid %d, since %s%s): stop it, or open the lake read-only", ErrOwned, e.Owner.Command, e.Owner.PID,
		e.Owner.Since.Format(time.RFC3339), at)
}

// Is makes errors.Is(err, ErrOwned) true.
func (e *OwnedError) Is(target error) bool { return target == ErrOwned }

// takeLock becomes the owner, or answers *OwnedError.
func takeLock(l Layout, owner Owner) (*ownerLock, error) {
	f, err := os.OpenFile(lockPath(l), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f, func() { time.Sleep(lockPause) }); err != nil {
		_ = f.Close() // nothing was written through it
		if errors.Is(err, unix.EWOULDBLOCK) {
			note, _ := readOwner(l) // without a note the error says less, not something else
			return nil, &OwnedError{Owner: note}
		}
		return nil, fmt.Errorf("lock %s: %w: put the data folder on a file system with locks", lockPath(l), err)
	}
	k := &ownerLock{file: f, note: ownerPath(l)}
	if err := k.write(owner); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	info, err := os.Stat(k.note)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	k.since = info.ModTime()
	return k, nil
}

// lockEvery is how often the owner looks whether it still is: a lock file that somebody removed keeps nobody else out.
const lockEvery = time.Second

// errLockLost ends the owner's writing. errors.Is(err, ErrOwned).
var errLockLost = fmt.Errorf("%w: the lock file was removed or replaced while this process owned the lake: stop every process on this lake, then start one", ErrOwned)

// keepLock looks until the lake closes.
func (l *Lake) keepLock(ctx context.Context) {
	tick := time.NewTicker(lockEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.checkLock()
		}
	}
}

// checkLock notes that another process may own the lake by now. That does not pass: what we would write it does not know.
func (l *Lake) checkLock() {
	ours, err := l.lock.file.Stat()
	if err != nil {
		return
	}
	there, err := os.Stat(lockPath(l.layout))
	if errors.Is(err, os.ErrNotExist) || err == nil && !os.SameFile(ours, there) {
		l.lockLost.Store(true)
	}
}

// write replaces the note. It is not synced: it means nothing after a restart.
func (k *ownerLock) write(owner Owner) error {
	data, err := json.Marshal(owner)
	if err != nil {
		return err
	}
	temp := k.note + ".new"
	if err := os.WriteFile(temp, append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(temp, k.note)
}

// release takes the note away and lets go.
func (k *ownerLock) release() error {
	err := os.Remove(k.note)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, k.file.Close())
}

func readOwner(l Layout) (Owner, error) {
	var owner Owner
	data, err := os.ReadFile(ownerPath(l))
	if err == nil {
		err = json.Unmarshal(data, &owner)
	}
	return owner, err
}

// probeLink proves that the file system has link(2) with put-if-absent, which every commit needs.
func probeLink(l Layout, d Disk) error {
	one := filepath.Join(l.Tmp(), NewTxID()+tempCommit)
	other := filepath.Join(l.Tmp(), NewTxID()+tempCommit)
	if err := writeFile(d, one, nil); err != nil {
		return err
	}
	err := d.Link(one, other)
	if err == nil {
		if again := d.Link(one, other); !errors.Is(again, os.ErrExist) {
			err = fmt.Errorf("link onto an existing name answered %v", again)
		}
		_ = d.Remove(other) // the sweep takes what stays
	}
	_ = d.Remove(one)
	if err != nil {
		return fmt.Errorf("%s lies on a file system without hard links, which commits need: %w: use a local one such as ext4, xfs, btrfs or apfs", l.Root, err)
	}
	return nil
}
