package lake

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// catalog is the log of versions in one folder. Several catalogs, of any processes, may commit to one folder: link(2) lets one of them
// have each number. A version is acted upon only after the folder that holds its name was synced, and no number is taken before its
// predecessor's name was synced: a crash leaves no gap.
type catalog struct {
	layout   Layout
	disk     Disk
	now      func() time.Time
	readOnly bool

	mu         sync.Mutex // one commit or refresh at a time; held over disk operations
	closed     bool
	unsettled  bool   // a version was linked and the folder's sync failed: adopt before the next commit
	checkpoint uint64 // number of the newest checkpoint
	logBytes   int64  // of the version objects after it
	checkBytes int64  // of the newest checkpoint

	cur     atomic.Pointer[Version]
	pub     sync.Mutex    // publication: cur, gone, changed, pins
	changed chan struct{} // closed when cur changes
	gone    []goneFile
	pins    map[uint64]int // in this process, by version

	troubles troubles
}

// ErrUnsettled is a commit whose object is in place while the disk did not confirm its name. It may or may not survive a power cut; the
// files that it adds must stay. The next commit settles it first, and recognises the same transaction as done.
var ErrUnsettled = errors.New("the commit is written but the disk did not confirm it")

// NewTxID names a new transaction: 16 hex digits.
func NewTxID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails; it ends the program if the system has no randomness
	return hex.EncodeToString(b[:])
}

// openCatalog reads the newest state. A missing folder is an empty lake.
func openCatalog(l Layout, d Disk, now func() time.Time, readOnly bool) (*catalog, error) {
	c := &catalog{layout: l, disk: d, now: now, readOnly: readOnly, changed: make(chan struct{}), pins: map[uint64]int{}}
	c.cur.Store(emptyVersion())
	if err := c.reload(); err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	return c, nil
}

func (c *catalog) current() *Version { return c.cur.Load() }

func (c *catalog) versionPath(n uint64) string {
	return filepath.Join(c.layout.Catalog(), fmt.Sprintf("v%020d.jsonl", n))
}

func (c *catalog) checkpointPath(n uint64) string {
	return filepath.Join(c.layout.Catalog(), fmt.Sprintf("checkpoint-%020d.jsonl", n))
}

// catalogList is what the folder holds, ascending.
type catalogList struct{ versions, checkpoints []uint64 }

func (c *catalog) list() (catalogList, error) {
	var out catalogList
	entries, err := os.ReadDir(c.layout.Catalog())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return out, err
	}
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".jsonl")
		if !ok {
			continue
		}
		into := &out.versions
		digits, ok := strings.CutPrefix(name, "v")
		if !ok {
			into = &out.checkpoints
			digits, ok = strings.CutPrefix(name, "checkpoint-")
		}
		if n, err := strconv.ParseUint(digits, 10, 64); ok && err == nil && len(digits) == 20 {
			*into = append(*into, n)
		}
	}
	return out, nil
}

// readObject reads one object and checks that it is what its name says.
func (c *catalog) readObject(path, kind string, n uint64) (*catalogObject, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	o, err := decodeObject(path, data)
	if err != nil {
		return nil, err
	}
	if o.header.Version != n || o.header.Kind != kind {
		return nil, &CatalogError{File: path, Reason: fmt.Sprintf("it holds the %s %d", o.header.Kind, o.header.Version)}
	}
	return o, nil
}

// readVersions reads the objects of from..to.
func (c *catalog) readVersions(from, to uint64) ([]*catalogObject, error) {
	var out []*catalogObject
	for n := from; n <= to; n++ {
		o, err := c.readObject(c.versionPath(n), kindVersion, n)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// publish makes v what readers see. Called with mu held.
func (c *catalog) publish(v *Version, gone []goneFile) {
	c.pub.Lock()
	defer c.pub.Unlock()
	c.cur.Store(v)
	c.gone = gone
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *catalog) goneFiles() []goneFile {
	c.pub.Lock()
	defer c.pub.Unlock()
	return c.gone
}

// adopt publishes versions that others committed (or that we could not settle) and answers their objects. Called with mu held.
func (c *catalog) adopt() ([]*catalogObject, error) {
	list, err := c.list()
	if err != nil {
		return nil, err
	}
	base := c.current()
	last := base.Number
	if n := len(list.versions); n > 0 {
		last = max(last, list.versions[n-1])
	}
	if last == base.Number {
		if c.unsettled {
			return nil, c.confirm()
		}
		return nil, nil
	}
	objects, err := c.readVersions(base.Number+1, last)
	if errors.Is(err, fs.ErrNotExist) { // we slept through so many commits that the next one is history
		return nil, c.reloadLocked()
	}
	if err != nil {
		return nil, err
	}
	v, gone, err := buildVersion(base, c.goneFiles(), objects)
	if err != nil {
		return nil, &CatalogError{File: c.versionPath(base.Number + 1), Reason: err.Error()}
	}
	if err := c.confirm(); err != nil {
		return nil, err
	}
	for _, o := range objects {
		c.logBytes += o.bytes
	}
	c.publish(v, gone)
	return objects, nil
}

// confirm makes the names in the folder durable before anyone builds on them.
func (c *catalog) confirm() error {
	if c.readOnly {
		return nil // whoever commits syncs; a power cut that takes a version back takes this process too
	}
	if err := c.disk.SyncDir(c.layout.Catalog()); err != nil {
		return fmt.Errorf("sync %s: %w", c.layout.Catalog(), err)
	}
	c.unsettled = false
	return nil
}

// refresh looks for newer versions on the disk.
func (c *catalog) refresh() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.adopt()
	return err
}

// close lets the commit at work end and refuses later ones: another process may own the folder soon.
func (c *catalog) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

// waitVersion blocks until a version above after is current.
func (c *catalog) waitVersion(ctx context.Context, after uint64, closed <-chan struct{}) (*Version, error) {
	for {
		c.pub.Lock()
		v, changed := c.current(), c.changed
		c.pub.Unlock()
		if v.Number > after {
			return v, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-closed:
			return nil, ErrClosed
		}
	}
}
