package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// confirmTries is how often the folder's sync is tried after a link. The name is in place then: giving up early only leaves the question
// open for longer.
const confirmTries = 3

// commit puts tx in place as the next version. ErrConflict: a precondition does not hold (any more). ErrUnsettled: see there. Any other
// error: nothing was committed.
func (c *catalog) commit(ctx context.Context, tx Tx) (*Version, error) {
	if err := tx.validate(); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	if c.unsettled {
		if _, err := c.adopt(); err != nil {
			return nil, fmt.Errorf("commit %s: an earlier commit is not settled: %w", tx.ID, err)
		}
	}
	if v := c.current(); v.TxID == tx.ID {
		return v, nil
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v, err := c.tryCommit(tx)
		if errors.Is(err, ErrConflict) && c.moved() {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("commit %s: %w", tx.ID, err)
		}
		if v != nil {
			return v, nil
		}
	}
}

// moved looks for versions that others committed, and says whether there were any. Called with mu held.
func (c *catalog) moved() bool {
	before := c.current()
	_, err := c.adopt()
	return err == nil && c.current() != before
}

// validate finds what no state of the catalog could accept.
func (tx *Tx) validate() error {
	if len(tx.ID) != 16 || strings.Trim(tx.ID, "0123456789abcdef") != "" {
		return fmt.Errorf("transaction id %q: want 16 hex digits (NewTxID)", tx.ID)
	}
	if tx.NewWatermark < tx.ExpectWatermark || tx.Converted < 0 || tx.Quarantined < 0 {
		return fmt.Errorf("transaction %s: watermark %d to %d, %d converted: may not go back", tx.ID, tx.ExpectWatermark, tx.NewWatermark, tx.Converted)
	}
	rows := tx.Converted - tx.Quarantined
	for i := range tx.Add {
		f := &tx.Add[i]
		rows -= f.Rows
		if f.MaxSeq >= tx.NewWatermark || f.MinSeq > f.MaxSeq {
			return fmt.Errorf("transaction %s: file %s holds seq %d..%d, the watermark is %d", tx.ID, f.Name, f.MinSeq, f.MaxSeq, tx.NewWatermark)
		}
	}
	for i := range tx.Remove {
		rows += tx.Remove[i].Rows
	}
	if rows != 0 {
		return fmt.Errorf("transaction %s: %d events are in the files that go but in none that come", tx.ID, rows)
	}
	for _, list := range [][]FileEntry{tx.Add, tx.AddRollups, tx.Remove, tx.RemoveRollups} {
		for i := range list {
			if name := list[i].Name; name == "" || name != filepath.Base(name) || strings.ContainsAny(name, "/\\\"") {
				return fmt.Errorf("transaction %s: %q is no file name", tx.ID, name)
			}
		}
	}
	return nil
}

// object is the transaction as the version after base.
func (tx *Tx) object(base *Version, at Micros) *catalogObject {
	o := &catalogObject{header: base.header(kindVersion, tx.ExpectWatermark)}
	h := &o.header
	h.Version, h.TxID, h.CommittedAt, h.Watermark = base.Number+1, tx.ID, at, tx.NewWatermark
	h.Ledger.Converted += tx.Converted
	h.Ledger.Quarantined += tx.Quarantined
	for op, list := range [...][]FileEntry{opRemove: tx.Remove, opRemoveRollup: tx.RemoveRollups, opAdd: tx.Add, opAddRollup: tx.AddRollups} {
		for _, f := range list {
			o.changes = append(o.changes, catalogChange{op: changeOp(op), entry: f})
		}
	}
	return o
}

// tryCommit makes one attempt at the next number. Nil and nil: another commit took it, and is adopted now.
func (c *catalog) tryCommit(tx Tx) (*Version, error) {
	base := c.current()
	if tx.ExpectWatermark != base.Watermark {
		return nil, fmt.Errorf("%w: %w", ErrConflict, watermarkError(tx.ExpectWatermark, base.Watermark))
	}
	o := tx.object(base, MicrosOf(c.now()))
	next, gone, err := buildVersion(base, c.goneFiles(), []*catalogObject{o})
	if errors.Is(err, errNotLive) {
		return nil, fmt.Errorf("%w: %w", ErrConflict, err)
	}
	if err != nil {
		return nil, err
	}
	data, err := o.encode()
	if err != nil {
		return nil, err
	}
	linked, err := c.put(c.versionPath(next.Number), data)
	if err != nil {
		return nil, err
	}
	if !linked {
		return c.lost(tx)
	}
	if err := c.confirmLinked(); err != nil {
		c.unsettled = true
		return nil, fmt.Errorf("version %d: %w: %w", next.Number, ErrUnsettled, err)
	}
	if over, err := c.overtaken(base); over || err != nil {
		return c.afterHistory(tx, next.Number, err)
	}
	c.logBytes += int64(len(data))
	c.publish(next, gone)
	c.maybeCheckpoint()
	return next, nil
}

// overtaken says whether base is history already. The number after it may then have been free because its version was removed, not because nobody took it.
func (c *catalog) overtaken(base *Version) (bool, error) {
	if base.Number > 0 {
		_, err := os.Stat(c.versionPath(base.Number)) // removed before its successors
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		return false, err
	}
	list, err := c.list()
	return len(list.checkpoints) > 0, err
}

// afterHistory finds out what became of tx, which was linked as version n: it is in the newest state, or it took the name of a version that was removed, and
// is taken back. Nil and nil as for tryCommit.
func (c *catalog) afterHistory(tx Tx, n uint64, err error) (*Version, error) {
	if err == nil {
		err = c.reloadLocked()
	}
	if err != nil {
		c.unsettled = true
		return nil, fmt.Errorf("version %d: %w: %w", n, ErrUnsettled, err)
	}
	if v := c.current(); tx.appliedIn(v, c.goneFiles()) {
		return v, nil
	}
	if err := c.disk.Remove(c.versionPath(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return nil, nil
}

// appliedIn says whether a state came after tx. All of a transaction holds or nothing, so one file tells: one that it added is there or was, or, where it only
// removed, one of those is not there. Of a transaction without files nobody can tell.
func (tx *Tx) appliedIn(v *Version, gone []goneFile) bool {
	in := func(name string, files ...FileEntry) bool {
		return slices.ContainsFunc(files, func(f FileEntry) bool { return f.Name == name })
	}
	live := slices.Concat(v.Files, v.Rollups)
	if added := slices.Concat(tx.Add, tx.AddRollups); len(added) > 0 {
		name := added[0].Name
		return in(name, live...) || slices.ContainsFunc(gone, func(g goneFile) bool { return g.entry.Name == name })
	}
	removed := slices.Concat(tx.Remove, tx.RemoveRollups)
	return v.TxID == tx.ID || len(removed) > 0 && !in(removed[0].Name, live...)
}

// put writes data as a new durable file and gives it its name, if the name is free; false means that it is taken. The name itself is not
// durable yet. Our own file under the name is recognised when the answer of the link was lost.
func (c *catalog) put(path string, data []byte) (bool, error) {
	temp := filepath.Join(c.layout.Tmp(), NewTxID()+tempCommit) // a name of its own: two catalogs may write the same checkpoint
	if err := writeFile(c.disk, temp, data); err != nil {
		_ = c.disk.Remove(temp) // the error that matters is the first; the sweep takes what stays
		return false, err
	}
	linkErr := c.disk.Link(temp, path)
	linked := linkErr == nil || sameFile(temp, path)
	_ = c.disk.Remove(temp) // the sweep takes what stays
	if linked {
		return true, nil
	}
	if errors.Is(linkErr, fs.ErrExist) {
		return false, nil
	}
	return false, linkErr
}

// tempCommit ends the names of files that wait in tmp/ for their link.
const tempCommit = ".commit"

// lost reads what took our number. A winner with our own id is an earlier attempt of ours.
func (c *catalog) lost(tx Tx) (*Version, error) {
	before := c.current().Number
	objects, err := c.adopt()
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		if o.header.TxID == tx.ID {
			return c.current(), nil
		}
	}
	if c.current().Number == before {
		return nil, fmt.Errorf("version %d exists and cannot be listed: %w", before+1, ErrConflict)
	}
	return nil, nil
}

func (c *catalog) confirmLinked() error {
	var err error
	for range confirmTries {
		if err = c.confirm(); err == nil {
			return nil
		}
	}
	return err
}

// writeFile makes a new file with data, durable but for its name.
func writeFile(d Disk, path string, data []byte) error {
	f, err := d.Create(path)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
