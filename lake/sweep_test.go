package lake

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestSweepAtOpen(t *testing.T) {
	dir := t.TempDir()
	l := openOwner(t, dir)
	v := mustCommit(t, l.cat, placed(t, l.layout, testTx(1, 4)))
	closeLake(t, l)
	dead := NewTxID()
	litter := testEntry(dead, "checkout", 5, 9)
	lonely := testEntry(dead, "lonely", 5, 9)
	gone := []string{
		l.layout.Path(&litter), l.layout.Path(&lonely), l.layout.RollupPath(&litter),
		filepath.Join(l.layout.Tmp(), dead, "a", "b.parquet"), filepath.Join(l.layout.Tmp(), dead+tempCommit),
	}
	kept := []string{
		l.layout.Path(&v.Files[0]), l.layout.RollupPath(&v.Rollups[0]),
		filepath.Join(l.layout.Partitioned(), "mine.parquet"),
		filepath.Join(filepath.Dir(l.layout.Path(&litter)), "part-0.parquet"),
		filepath.Join(l.layout.Partitioned(), "copy", litter.Name),
		filepath.Join(l.layout.Rollup(), "old", litter.Name),
		filepath.Join(l.layout.Tmp(), "duckdb_temp", "x.tmp"),
		filepath.Join(l.layout.Raw(), "notes.txt"), filepath.Join(l.layout.Dead(), litter.Name),
	}
	for _, path := range append(gone, kept...) {
		place(t, path)
		old := time.Now().Add(-time.Second) // the clock of files has coarse ticks
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	l = openOwner(t, dir)
	for _, path := range gone {
		eventually(t, "swept: "+path, func() bool { return !exists(path) })
	}
	eventually(t, "the lonely folder goes", func() bool { return !exists(filepath.Dir(filepath.Dir(l.layout.Path(&lonely)))) })
	for _, path := range kept {
		if !exists(path) {
			t.Fatalf("%s was swept", path)
		}
	}
	want := []string{"processed/partitioned/copy/" + litter.Name, "processed/partitioned/" + v.Files[0].Partition.Dir() + "/part-0.parquet",
		"processed/partitioned/mine.parquet", "rollup/old/" + litter.Name}
	eventually(t, "foreign files are named", func() bool { return len(l.Foreign()) > 0 })
	got := l.Foreign()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("foreign files: got %q, want %q", got, want)
	}
	if s := l.Status(); s.LastError != "" {
		t.Fatal(s.LastError)
	}
}

// Files of a running transaction stay, before and after its commit; those of a failed one go.
func TestSweepWaitsForTransactions(t *testing.T) {
	l := openOwner(t, t.TempDir())
	make := func() (Tx, string) {
		tx := testTx(l.Current().Watermark, 4)
		tx.ID = l.beginTx()
		for _, f := range []*FileEntry{&tx.Add[0], &tx.AddRollups[0]} {
			f.Name = fmt.Sprintf("%020d-%020d-%s.parquet", f.MinSeq, f.MaxSeq, tx.ID)
		}
		placed(t, l.layout, tx)
		place(t, filepath.Join(l.layout.Tmp(), tx.ID, "x"))
		return tx, l.layout.Path(&tx.Add[0])
	}
	sweepAll := func() {
		t.Helper()
		if err := l.sweep.sweepTmp(false); err != nil {
			t.Fatal(err)
		}
		if err := l.sweep.sweepLitter(); err != nil {
			t.Fatal(err)
		}
	}
	good, goodPath := make()
	sweepAll()
	if !exists(goodPath) || !exists(filepath.Join(l.layout.Tmp(), good.ID, "x")) {
		t.Fatal("the sweep took files of a running transaction")
	}
	mustCommit(t, l.cat, good)
	l.endTx(good.ID, true)
	sweepAll()
	if !exists(goodPath) || !exists(l.layout.RollupPath(&good.AddRollups[0])) {
		t.Fatal("the sweep took committed files")
	}
	bad, badPath := make()
	l.endTx(bad.ID, false)
	eventually(t, "the failed one's files go", func() bool { return !exists(badPath) && !exists(filepath.Join(l.layout.Tmp(), bad.ID)) })
}

// A commit whose outcome is open keeps its files: the sweep settles it first.
func TestSweepSettlesFirst(t *testing.T) {
	c := newTestCatalog(t, t.TempDir(), OSDisk{})
	sweep := &sweeper{cat: c, txs: newTransactions(), since: time.Now().Add(time.Hour)}
	tx := placed(t, c.layout, testTx(1, 4))
	// The steps of a commit: create, write, sync, link, remove, sync of the folder.
	c.disk = &faultDisk{Disk: OSDisk{}, failAt: 5, sticky: true}
	if _, err := c.commit(t.Context(), tx); !errors.Is(err, ErrUnsettled) {
		t.Fatalf("the commit answered %v", err)
	}
	if err := sweep.sweepLitter(); err == nil {
		t.Fatal("the sweep went on without settling")
	}
	c.disk = OSDisk{}
	if err := sweep.sweepLitter(); err != nil {
		t.Fatal(err)
	}
	if v := c.current(); v.TxID != tx.ID || !exists(c.layout.Path(&tx.Add[0])) {
		t.Fatalf("version %d of %s; the file is there: %v", v.Number, v.TxID, exists(c.layout.Path(&tx.Add[0])))
	}
}
