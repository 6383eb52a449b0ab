package lake

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A checkpoint is written when checkpointCommits commits, or more bytes of them than the state itself and checkpointSlack, have gathered:
// opening then reads at most 64 small objects or twice the state, and writing checkpoints at most doubles what commits write. 64 commits
// are half an hour of automatic conversions.
const (
	checkpointCommits = 64
	checkpointSlack   = 4 << 20
)

// reloadTries bounds how often a reader starts over when the owner removes history under its hands: each time needs 64 commits.
const reloadTries = 5

// maybeCheckpoint writes one when it is due. It is a convenience for the next opening: when it fails the commit stands, the trouble is told
// and the next commit tries again. Called with mu held.
func (c *catalog) maybeCheckpoint() {
	v := c.current()
	if v.Number-c.checkpoint < checkpointCommits && c.logBytes <= c.checkBytes+checkpointSlack {
		return
	}
	c.troubles.tell(troubleCheckpoint, c.writeCheckpoint(v))
}

func (c *catalog) writeCheckpoint(v *Version) error {
	o := &catalogObject{header: v.header(kindCheckpoint, v.Watermark)}
	for op, list := range [...][]FileEntry{opAdd: v.Files, opAddRollup: v.Rollups} {
		for _, f := range list {
			o.changes = append(o.changes, catalogChange{op: changeOp(op), entry: f})
		}
	}
	for _, g := range c.goneFiles() {
		op := opGone
		if g.rollup {
			op = opGoneRollup
		}
		o.changes = append(o.changes, catalogChange{op: op, entry: g.entry, goneV: g.version, goneT: g.at})
	}
	data, err := o.encode()
	if err != nil {
		return err
	}
	// An existing one of the number was made from the same versions by another catalog: as good as ours.
	if _, err := c.put(c.checkpointPath(v.Number), data); err != nil {
		return fmt.Errorf("checkpoint %d: %w", v.Number, err)
	}
	if err := c.confirm(); err != nil {
		return fmt.Errorf("checkpoint %d: %w", v.Number, err)
	}
	keep := c.checkpoint
	c.checkpoint, c.logBytes, c.checkBytes = v.Number, 0, int64(len(data))
	return c.dropHistory(keep)
}

// dropHistory removes what is older than keep, the last checkpoint but one: should the newest be damaged, the one before it and the
// versions since still give the state.
func (c *catalog) dropHistory(keep uint64) error {
	list, err := c.list()
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range list.versions {
		if n <= keep {
			errs = append(errs, c.disk.Remove(c.versionPath(n)))
		}
	}
	for _, n := range list.checkpoints {
		if n < keep {
			errs = append(errs, c.disk.Remove(c.checkpointPath(n)))
		}
	}
	for i, err := range errs {
		if errors.Is(err, fs.ErrNotExist) { // another catalog was faster
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}

func (c *catalog) reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reloadLocked()
}

// reloadLocked reads the newest state from a checkpoint on, and publishes it when it is newer than what we have.
func (c *catalog) reloadLocked() error {
	var err error
	for range reloadTries {
		if err = c.reloadOnce(); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return &CatalogError{File: c.layout.Catalog(), Reason: "a version is missing: " + err.Error()}
}

func (c *catalog) reloadOnce() error {
	list, err := c.list()
	if err != nil {
		return err
	}
	base, gone, err := c.newestCheckpoint(list)
	if err != nil {
		return err
	}
	last := base.Number
	if n := len(list.versions); n > 0 {
		last = max(last, list.versions[n-1])
	}
	objects, err := c.readVersions(base.Number+1, last)
	if err != nil {
		return err
	}
	v, gone, err := buildVersion(base, gone, objects)
	if err != nil {
		return &CatalogError{File: c.layout.Catalog(), Reason: err.Error()}
	}
	c.checkpoint, c.logBytes = base.Number, 0
	for _, o := range objects {
		c.logBytes += o.bytes
	}
	if len(list.versions) > 0 {
		if err := c.confirm(); err != nil {
			return err
		}
	}
	if v.Number > c.current().Number {
		c.publish(v, gone)
	}
	return nil
}

// newestCheckpoint reads the newest valid one; the empty version when there is none. One that is damaged is passed over and told;
// one of a newer release is not.
func (c *catalog) newestCheckpoint(list catalogList) (*Version, []goneFile, error) {
	var firstDamage error
	for i := len(list.checkpoints) - 1; i >= 0; i-- {
		n := list.checkpoints[i]
		o, err := c.readObject(c.checkpointPath(n), kindCheckpoint, n)
		var damage *CatalogError
		if errors.As(err, &damage) {
			if firstDamage == nil {
				firstDamage = err
				c.troubles.tell(troubleCheckpoint, err)
			}
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		c.checkBytes = o.bytes
		return o.state()
	}
	if firstDamage != nil && (len(list.versions) == 0 || list.versions[0] != 1) {
		return nil, nil, firstDamage
	}
	return emptyVersion(), nil, nil
}

// state is a checkpoint's version.
func (o *catalogObject) state() (*Version, []goneFile, error) {
	v := &Version{}
	v.setHeader(&o.header)
	v.Files = make([]FileEntry, 0, len(o.changes))
	var gone []goneFile
	for i := range o.changes {
		switch c := &o.changes[i]; c.op {
		case opAdd:
			v.Files = append(v.Files, c.entry)
		case opAddRollup:
			v.Rollups = append(v.Rollups, c.entry)
		case opGone, opGoneRollup:
			gone = append(gone, goneFile{entry: c.entry, rollup: c.op == opGoneRollup, version: c.goneV, at: c.goneT})
		default:
			return nil, nil, fmt.Errorf("checkpoint %d: a line that only a version has", v.Number)
		}
	}
	sortEntries(v.Files)
	sortEntries(v.Rollups)
	return v, gone, nil
}

// sameFile says whether both names are one file.
func sameFile(a, b string) bool {
	one, err1 := os.Stat(a)
	other, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(one, other)
}
