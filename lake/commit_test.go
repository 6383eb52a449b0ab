package lake

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync/atomic"
	"testing"
)

var errFault = errors.New("injected fault")

// faultDisk fails the operation number failAt (counted from 0) and, when sticky, all that follow. A failing link may have happened all
// the same: its answer is lost.
type faultDisk struct {
	Disk
	ops      atomic.Int64
	failAt   int64
	sticky   bool
	lostLink bool
}

func (d *faultDisk) fail() bool {
	n := d.ops.Add(1) - 1
	return n == d.failAt || (d.sticky && n > d.failAt)
}

func (d *faultDisk) Create(path string) (File, error) {
	if d.fail() {
		return nil, errFault
	}
	f, err := d.Disk.Create(path)
	return faultFile{f, d}, err
}

func (d *faultDisk) Link(from, to string) error {
	if d.fail() {
		if d.lostLink {
			_ = d.Disk.Link(from, to)
		}
		return errFault
	}
	return d.Disk.Link(from, to)
}

func (d *faultDisk) Remove(path string) error {
	if d.fail() {
		return errFault
	}
	return d.Disk.Remove(path)
}

func (d *faultDisk) SyncDir(path string) error {
	if d.fail() {
		return errFault
	}
	return d.Disk.SyncDir(path)
}

type faultFile struct {
	File
	disk *faultDisk
}

func (f faultFile) Write(b []byte) (int, error) {
	if f.disk.fail() {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, errFault
	}
	return f.File.Write(b)
}

func (f faultFile) Sync() error {
	if f.disk.fail() {
		return errFault
	}
	return f.File.Sync()
}

// One fault, or faults from there on, at every step of a commit that also writes a checkpoint: the answer is right, the same catalog goes
// on, and a new one reads the same state.
func TestCommitFaultAtEveryStep(t *testing.T) {
	f := func(sticky, lostLink bool) {
		t.Helper()
		for step := int64(0); ; step++ {
			root := t.TempDir()
			c := newTestCatalog(t, root, OSDisk{})
			before := mustCommit(t, c, testTx(1, 1))
			c.logBytes = 2 * checkpointSlack // the commit is to write a checkpoint
			disk := &faultDisk{Disk: OSDisk{}, failAt: step, sticky: sticky, lostLink: lostLink}
			c.disk = disk
			tx := testTx(before.Watermark, 7)
			v, err := c.commit(context.Background(), tx)
			reached := disk.ops.Load() > step
			c.disk = OSDisk{}
			mustFollowFault(t, c, before, tx, v, err)
			if !reached {
				if err != nil || step < 10 || !exists(c.checkpointPath(v.Number)) {
					t.Fatalf("ended after %d steps with %v", step, err)
				}
				return
			}
		}
	}
	f(false, false)
	f(false, true)
	f(true, false)
	f(true, true)
}

func mustFollowFault(t *testing.T, c *catalog, before *Version, tx Tx, v *Version, err error) {
	t.Helper()
	onDisk := newTestCatalog(t, c.layout.Root, OSDisk{}).current()
	switch {
	case err == nil:
		mustEqualVersions(t, onDisk, v)
		if v.TxID != tx.ID || c.current() != v {
			t.Fatalf("answered version %d of %s", v.Number, v.TxID)
		}
	case errors.Is(err, ErrUnsettled):
		if onDisk.TxID != tx.ID || c.current() != before {
			t.Fatalf("unsettled: the disk has %d, published is %d", onDisk.Number, c.current().Number)
		}
	default:
		mustEqualVersions(t, onDisk, before)
		if !errors.Is(err, errFault) || c.current() != before {
			t.Fatalf("got %v, published is %d", err, c.current().Number)
		}
	}
	again, err := c.commit(context.Background(), tx)
	if err != nil || again.TxID != tx.ID || again.Number != before.Number+1 {
		t.Fatalf("the same transaction again: %+v, %v", again, err)
	}
	next := mustCommit(t, c, testTx(again.Watermark, 1))
	mustEqualVersions(t, newTestCatalog(t, c.layout.Root, OSDisk{}).current(), next)
	if next.Number != before.Number+2 {
		t.Fatalf("version %d follows %d", next.Number, before.Number)
	}
}

func TestCommitCancelled(t *testing.T) {
	c := newTestCatalog(t, t.TempDir(), OSDisk{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.commit(ctx, testTx(1, 1)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if left, _ := os.ReadDir(c.layout.Catalog()); len(left) != 0 {
		t.Fatalf("the catalog holds %v", left)
	}
}

// parquetFault is a disk on which no Parquet file moves into its place while it is broken.
type parquetFault struct {
	Disk
	broken atomic.Bool
}

func (d *parquetFault) Rename(from, to string) error {
	if d.broken.Load() {
		return errFault
	}
	return d.Disk.Rename(from, to)
}

// A catalog that slept through so many commits that its next number is free again, because what had it is history, does not take that number: its commit
// would be in no version that anybody reads.
func TestSleptThroughHistory(t *testing.T) {
	for _, before := range []int{0, 5} {
		root := t.TempDir()
		asleep, awake := newTestCatalog(t, root, OSDisk{}), newTestCatalog(t, root, OSDisk{})
		for range before {
			mustCommit(t, asleep, testTx(asleep.current().Watermark, 1))
		}
		if err := awake.refresh(); err != nil {
			t.Fatal(err)
		}
		var removed FileEntry
		for range 3 * checkpointCommits {
			v := mustCommit(t, awake, testTx(awake.current().Watermark, 1))
			removed = v.Files[0]
		}
		next := asleep.versionPath(asleep.current().Number + 1)
		if _, err := os.Stat(next); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%s is not history: %v", next, err)
		}
		if _, err := asleep.commit(context.Background(), testTx(asleep.current().Watermark, 1)); !errors.Is(err, ErrConflict) {
			t.Errorf("after %d commits: got %v, want a conflict", before, err)
		}
		if _, err := os.Stat(next); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was left: %v", next, err)
		}
		mustEqualVersions(t, asleep.current(), awake.current())

		// A transaction without a watermark of its own finds its place behind them.
		w := asleep.current().Watermark
		late := Tx{ID: NewTxID(), ExpectWatermark: w, NewWatermark: w, Remove: []FileEntry{removed}, Add: []FileEntry{removed}}
		late.Add[0].Name = "again-" + removed.Name
		for range 3 * checkpointCommits {
			mustCommit(t, awake, Tx{ID: NewTxID(), ExpectWatermark: w, NewWatermark: w})
		}
		if _, err := asleep.commit(context.Background(), late); err != nil {
			t.Errorf("after %d commits: %v", before, err)
		}
		v := newTestCatalog(t, root, OSDisk{}).current()
		if v.TxID != late.ID || v.Number != uint64(before+6*checkpointCommits+1) {
			t.Errorf("the newest version is %d of %s, want %d of %s", v.Number, v.TxID, before+6*checkpointCommits+1, late.ID)
		}
		mustEqualVersions(t, asleep.current(), v)
	}
}
