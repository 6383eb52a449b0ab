package lake_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

// TestCrashAfterKill: the process dies at any operation (its writes stay in the page cache, none of them synced by the death), a new one recovers
// and shows events, then the power goes. What was shown must still be there.
func TestCrashAfterKill(t *testing.T) { bothWays(t, crashAfterKill) }

func crashAfterKill(t *testing.T, journaled bool) {
	states := 0
	for n := 0; ; n += max(1, 12/dice()) {
		dir := memDir(t)
		crash, err := laketest.NewCrashDisk(dir)
		if err != nil {
			t.Fatal(err)
		}
		dying := &laketest.FaultDisk{Disk: crash}
		dying.FailAt(n, 1<<30, laketest.FaultError)
		j := journal{journaled: journaled}
		if r, err := j.open(dir, dying, 2400); err == nil {
			for i := range 6 {
				if err := j.append(t, r, crash.Ops, fmt.Sprint("k", i), 2+i); err != nil {
					break
				}
			}
			r.Close() // fails: the process is dead
		}
		r, err := j.open(dir, crash, 0)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := readAll(r)
		if err == nil {
			err = j.check(shown, crash.Ops()+1)
		}
		if err != nil {
			t.Fatalf("killed at %d: %v", n, err)
		}
		from := crash.Ops()
		mustAppend(t, r, eventsOf("new", 2))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		where := filepath.Join(memDir(t), "state")
		err = crash.Cuts(from, 1, uint64(n), thinned(n, func(c laketest.Cut) error {
			states++
			if err := errors.Join(os.RemoveAll(where), crash.Materialise(where, c)); err != nil {
				return err
			}
			r, err := reopenLog(where)
			if err != nil {
				return fmt.Errorf("%s: %w", c, err)
			}
			defer r.Close()
			got, err := readAll(r)
			if err != nil || len(got) < len(shown) || !slices.Equal(got[:len(shown)], shown) {
				return fmt.Errorf("%s: %d events of the %d that were shown, %v", c, len(got), len(shown), err)
			}
			if err := j.resend(t, r, from); err != nil {
				return fmt.Errorf("%s: %w", c, err)
			}
			return nil
		}))
		if err != nil {
			t.Fatalf("killed at %d, %v", n, err)
		}
		if dying.Injected() == 0 {
			break
		}
	}
	t.Logf("%d states", states)
}

// stuckDisk refuses to open existing files, so that a failed segment cannot be cut.
type stuckDisk struct{ syncGate }

func (d *stuckDisk) OpenWrite(path string) (lake.File, error) {
	return nil, &os.PathError{Op: "open", Path: path, Err: errors.New("the disk is stuck")}
}

// TestFailedGroupStaysAway: a batch whose sync failed lies whole in both files and could not be cut. Once a later segment exists it does not come back: neither
// for a reader in another process, nor after a kill.
func TestFailedGroupStaysAway(t *testing.T) {
	dir, dead := t.TempDir(), filepath.Join(t.TempDir(), "dead")
	disk := &stuckDisk{}
	r := openLog(t, dir, disk, 0)
	one, two, three := batchOf("one", 3), batchOf("two", 4), batchOf("three", 2)
	want := splitLines(mustAppend(t, r, one), one.Lines)
	disk.set(func() error { return errors.New("the disk is broken") })
	if _, err := r.Append(t.Context(), two); !errors.Is(err, lake.ErrLogFailed) {
		t.Fatal(err)
	}
	disk.set(nil)
	want = append(want, splitLines(mustAppend(t, r, three), three.Lines)...)
	if s := r.Segments(); len(s) != 2 || s[0].Sealed || s[0].End != 4 || s[1].First < 8 {
		t.Fatalf("segments: %+v", s)
	}
	if err := r.Seal(); err == nil {
		t.Fatal("the seal of the failed segment succeeded")
	}
	check := func(what string, r lake.RawLog) {
		t.Helper()
		got, err := readAll(r)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		same(t, what, got, want)
		if got, err = tailAll(t.Context(), r, 1); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		same(t, what+", tail", got, want)
	}
	check("in the process", r)
	if data, err := os.ReadFile(lake.Layout{Root: dir}.SegmentData(1)); err != nil || len(data) != len(one.Lines)+len(two.Lines) {
		t.Fatalf("the failed batch is not in the file (%d bytes), so this test shows nothing: %v", len(data), err)
	}
	stopped(t, dir, dead)
	check("in another process", openReader(t, dead))
	after, err := reopenLog(dead)
	if err != nil {
		t.Fatal(err)
	}
	check("after a kill", after)
	if q := after.Quarantined(); len(q) != 0 {
		t.Errorf("quarantined: %q", q)
	}
	if err := after.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err == nil {
		t.Error("close says that all is sealed")
	}
}
