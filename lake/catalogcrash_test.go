package lake_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

// acknowledged is what was true after a commit was answered.
type acknowledged struct {
	ops     int
	version *lake.Version
}

// commitUnderRecord commits by turns through two catalogs, with checkpoints in between.
func commitUnderRecord(t *testing.T, root string, disk *laketest.CrashDisk) []acknowledged {
	t.Helper()
	l := lake.Layout{Root: root}
	for _, dir := range []string{l.Catalog(), l.Tmp()} {
		if err := disk.MkdirAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	var catalogs [2]lake.Catalog
	for i := range catalogs {
		c, err := lake.OpenCatalog(root, disk)
		if err != nil {
			t.Fatal(err)
		}
		catalogs[i] = c
	}
	acks := []acknowledged{{version: catalogs[0].Current()}}
	for n := range 8 {
		c := catalogs[n%2]
		if n%3 == 2 {
			c.CheckpointSoon()
		}
		tx := lake.NewTestTx(acks[n].version.Watermark, 3)
		if stale := c.Current(); acks[n].version.Number != stale.Number { // the other one came before
			if _, err := c.Commit(lake.NewTestTx(stale.Watermark, 1)); !errors.Is(err, lake.ErrConflict) {
				t.Fatalf("converting a range again answered %v", err)
			}
		}
		v, err := c.Commit(tx)
		if err != nil {
			t.Fatal(err)
		}
		acks = append(acks, acknowledged{ops: disk.Ops(), version: v})
	}
	return acks
}

// The power goes at every operation of eight commits, with every variant of what was not synced: what is found afterwards is one of the
// versions, whole, at or after the last one that was answered; and commits go on from there.
func TestCommitPowerCut(t *testing.T) {
	root := filepath.Join(memDir(t), "live")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	disk, err := laketest.NewCrashDisk(root)
	if err != nil {
		t.Fatal(err)
	}
	acks := commitUnderRecord(t, root, disk)
	cuts, newer, dir := 0, 0, filepath.Join(memDir(t), "cut")
	err = disk.Cuts(0, 2, 11, thinned(0, func(c laketest.Cut) error {
		if err := disk.Materialise(dir, c); err != nil {
			return err
		}
		cuts++
		var answered uint64
		for _, a := range acks {
			if a.ops <= c.At {
				answered = a.version.Number
			}
		}
		again, err := lake.OpenCatalog(dir, lake.OSDisk{})
		if err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
		v := again.Current()
		if v.Number < answered || int(v.Number) >= len(acks) || !reflect.DeepEqual(v.Files, acks[v.Number].version.Files) ||
			v.Watermark != acks[v.Number].version.Watermark || v.Ledger != acks[v.Number].version.Ledger {
			return fmt.Errorf("%v: found version %d with %d files, %d was answered", c, v.Number, len(v.Files), answered)
		}
		if v.Number > answered {
			newer++
		}
		for _, zone := range []string{again.Layout().Catalog(), again.Layout().Tmp()} {
			if err := os.MkdirAll(zone, 0o755); err != nil {
				return err
			}
		}
		if _, err := again.Commit(lake.NewTestTx(v.Watermark, 1)); err != nil {
			return fmt.Errorf("%v: going on: %w", c, err)
		}
		return os.RemoveAll(dir)
	}))
	if err != nil {
		t.Fatal(err)
	}
	if newer == 0 || cuts < 500/stride() {
		t.Fatalf("%d cuts, %d of them with an unanswered version: the test looks at too little", cuts, newer)
	}
}
