package lake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Pins keep the files of old versions in place while somebody reads them. In the owner they are a counter a version. Any other process
// holds one pin file, locked for as long as the process lives, with one number: it needs nothing that was removed at or before that
// version. The number only grows, and stays behind the newest version by at most a poll of the catalog, so that a query pins for free.

// pin counts a reader of the current version. Called without locks.
func (c *catalog) pin() *Version {
	c.pub.Lock()
	defer c.pub.Unlock()
	return c.pinLocked()
}

func (c *catalog) pinLocked() *Version {
	v := c.current()
	c.pins[v.Number]++
	return v
}

func (c *catalog) unpin(v *Version) {
	c.pub.Lock()
	defer c.pub.Unlock()
	if c.pins[v.Number]--; c.pins[v.Number] <= 0 {
		delete(c.pins, v.Number)
	}
}

// oldestPin is the oldest version that a reader in this process holds, or the current one.
func (c *catalog) oldestPin() uint64 {
	c.pub.Lock()
	defer c.pub.Unlock()
	oldest := c.current().Number
	for n := range c.pins {
		oldest = min(oldest, n)
	}
	return oldest
}

// pinFile is this process's pin file.
type pinFile struct {
	dir string

	mu   sync.Mutex
	file *os.File
	off  bool   // the data folder cannot be written: go without
	held uint64 // what the file says; meaningless while file is nil
}

// pinNote is the file's content, in pinBytes bytes that are overwritten in place: a rename would lose the lock.
type pinNote struct {
	PID     int    `json:"pid"`
	Version uint64 `json:"version"`
	CRC32C  uint32 `json:"crc32c"` // of "pid version": a note that was read half-written is not believed
}

const pinBytes = 128

func (n *pinNote) sum() uint32 {
	return crc32c(0, fmt.Appendf(nil, "%d %d", n.PID, n.Version))
}

func pinsDir(l Layout) string { return filepath.Join(l.State(), "pins") }

// covers says whether version n is safe to read by what the file says now; writing the file if it does not exist yet. The caller looks
// for a newer version after covers wrote (fresh is true) and repeats with that: only a pin that stood before the newest commit holds.
func (p *pinFile) covers(n uint64) (fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.off || (p.file != nil && p.held <= n) {
		return false
	}
	if p.file == nil {
		if err := p.create(); err != nil {
			p.off = true
			return false
		}
	}
	p.write(n)
	return true
}

// advance moves the pin to n, which no reader in this process is behind.
func (p *pinFile) advance(n uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file != nil && n > p.held {
		p.write(n)
	}
}

func (p *pinFile) write(n uint64) {
	note := pinNote{PID: os.Getpid(), Version: n}
	note.CRC32C = note.sum()
	data, err := json.Marshal(&note)
	if err != nil {
		return // cannot be: plain numbers
	}
	text := fmt.Sprintf("%-*s\n", pinBytes-1, data)
	if _, err := p.file.WriteAt([]byte(text), 0); err != nil {
		p.off = true // the older number stays in the file, or a torn one, which holds everything
	}
	p.held = n
}

// create makes the file and locks it. A sweep may take it for a dead one between the two steps: then once more.
func (p *pinFile) create() error {
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return err
	}
	for {
		path := filepath.Join(p.dir, fmt.Sprintf("%d-%s.json", os.Getpid(), NewTxID()[:8]))
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
		if err != nil {
			return err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
			return errors.Join(err, f.Close(), os.Remove(path))
		}
		mine, err1 := f.Stat()
		named, err2 := os.Stat(path)
		if err1 == nil && err2 == nil && os.SameFile(mine, named) {
			p.file = f
			return nil
		}
		_ = f.Close() // it has no name any more
	}
}

func (p *pinFile) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file == nil {
		return nil
	}
	err := errors.Join(os.Remove(p.file.Name()), p.file.Close())
	p.file = nil
	return err
}

// oldestForeignPin is the oldest version that a living process holds by its pin file, or fallback. Files of dead processes are removed. A
// note that cannot be read holds everything.
func oldestForeignPin(l Layout, fallback uint64) (uint64, error) {
	entries, err := os.ReadDir(pinsDir(l))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	oldest := fallback
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".json") {
			continue
		}
		n, alive, err := readPin(filepath.Join(pinsDir(l), entry.Name()))
		if err != nil {
			return 0, err
		}
		if alive {
			oldest = min(oldest, n)
		}
	}
	return oldest, nil
}

func readPin(path string) (version uint64, alive bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		err = os.Remove(path)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return 0, false, err
	}
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return 0, false, err
	}
	data := make([]byte, pinBytes)
	n, _ := f.ReadAt(data, 0) // short: being written; holds everything
	var note pinNote
	if json.Unmarshal(data[:n], &note) != nil || note.CRC32C != note.sum() {
		return 0, true, nil
	}
	return note.Version, true, nil
}
