package laketest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

// outcomes runs do on a fresh crash disk that holds old ("old"), and answers every state that a cut at the end can leave, as sorted listings
// like "a=x b=y".
func outcomes(t *testing.T, do func(d lake.Disk, dir string) error) map[string]int {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "old"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := laketest.NewCrashDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := do(d, dir); err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	err = d.Cuts(d.Ops(), 50, 1, func(c laketest.Cut) error {
		state := filepath.Join(t.TempDir(), "state")
		if err := d.Materialise(state, c); err != nil {
			return err
		}
		found[listing(t, state)]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		p, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if len(p) > 20 {
			p = fmt.Appendf(nil, "%d bytes", len(p))
		}
		out = append(out, e.Name()+"="+string(p))
	}
	return strings.Join(out, " ")
}

func create(d lake.Disk, path, content string, sync bool) error {
	f, err := d.Create(path)
	if err != nil {
		return err
	}
	if _, err := f.Write([]byte(content)); err != nil {
		return err
	}
	if sync {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return f.Close()
}

func TestCrashDiskKeepsWhatWasSyncedAndNothingElseForSure(t *testing.T) {
	want := func(what string, must, mustNot []string, do func(d lake.Disk, dir string) error) {
		t.Helper()
		found := outcomes(t, do)
		for _, s := range must {
			if found[s] == 0 {
				t.Errorf("%s: %q never happens, only %v", what, s, found)
			}
		}
		for _, s := range mustNot {
			if found[s] != 0 {
				t.Errorf("%s: %q happens", what, s)
			}
		}
		if len(mustNot) == 0 && len(found) != len(must) {
			t.Errorf("%s: only %q may happen, got %v", what, must, found)
		}
	}
	want("nothing", []string{"old=old"}, nil, func(lake.Disk, string) error { return nil })
	want("all synced", []string{"new=data old=old"}, nil, func(d lake.Disk, dir string) error {
		return errors.Join(create(d, dir+"/new", "data", true), d.SyncDir(dir))
	})
	want("the name was not synced", []string{"new=data old=old", "old=old"}, nil, func(d lake.Disk, dir string) error {
		return create(d, dir+"/new", "data", true)
	})
	want("the bytes were not synced", []string{"new=data old=old", "new= old=old", "new=\x00\x00\x00\x00 old=old", "new=da old=old"}, []string{"old=old"},
		func(d lake.Disk, dir string) error {
			return errors.Join(create(d, dir+"/new", "data", false), d.SyncDir(dir))
		})
	want("renamed over", []string{"new=data old=old", "old=old", "old=data"}, nil, func(d lake.Disk, dir string) error {
		return errors.Join(create(d, dir+"/new", "data", true), d.Rename(dir+"/new", dir+"/old"))
	})
	want("renamed and synced", []string{"old=data"}, nil, func(d lake.Disk, dir string) error {
		return errors.Join(create(d, dir+"/new", "data", true), d.Rename(dir+"/new", dir+"/old"), d.SyncDir(dir))
	})
	want("linked", []string{"link=old old=old", "old=old"}, nil, func(d lake.Disk, dir string) error { return d.Link(dir+"/old", dir+"/link") })
	want("removed", []string{"old=old", ""}, nil, func(d lake.Disk, dir string) error { return d.Remove(dir + "/old") })
	want("removed and synced", []string{""}, nil, func(d lake.Disk, dir string) error {
		return errors.Join(d.Remove(dir+"/old"), d.SyncDir(dir))
	})
	want("written in place", []string{"old=old", "old=new", "old=ned"}, []string{"", "old="}, func(d lake.Disk, dir string) error {
		f, err := d.OpenWrite(dir + "/old")
		if err != nil {
			return err
		}
		defer f.Close()
		return errors.Join(f.Truncate(3), write(f, "new", 0))
	})
}

func write(f lake.File, s string, off int64) error {
	_, err := f.WriteAt([]byte(s), off)
	return err
}

func TestCrashDiskThrowsTheSameDice(t *testing.T) {
	dir := t.TempDir()
	d, err := laketest.NewCrashDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		if err := create(d, filepath.Join(dir, name), strings.Repeat(name, 3000), false); err != nil {
			t.Fatal(err)
		}
	}
	err = d.Cuts(0, 3, 9, func(c laketest.Cut) error {
		one, two := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")
		if err := errors.Join(d.Materialise(one, c), d.Materialise(two, c)); err != nil {
			return err
		}
		for _, name := range []string{"a", "b", "c"} {
			p, err1 := os.ReadFile(filepath.Join(one, name))
			q, err2 := os.ReadFile(filepath.Join(two, name))
			if string(p) != string(q) || (err1 == nil) != (err2 == nil) {
				return fmt.Errorf("%s: %s differs", c, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFaultDisk(t *testing.T) {
	fail := func(at int, fault laketest.Fault) (string, error) {
		dir := t.TempDir()
		d := &laketest.FaultDisk{Disk: lake.OSDisk{}}
		d.FailAt(at, 1, fault)
		err := create(d, dir+"/new", "data", true) // create, write, sync
		if (err != nil) != (d.Injected() == 1) {
			t.Errorf("injected %d, error %v", d.Injected(), err)
		}
		return listing(t, dir), err
	}
	want := func(at int, fault laketest.Fault, left string, errno error) {
		t.Helper()
		got, err := fail(at, fault)
		if got != left || !errors.Is(err, errno) || (errno != nil && !errors.Is(err, laketest.ErrFault)) {
			t.Errorf("fault %d at %d leaves %q, %v; want %q, %v", fault, at, got, err, left, errno)
		}
	}
	want(0, laketest.FaultError, "", syscall.EIO)
	want(0, laketest.FaultLate, "new=", syscall.EIO)
	want(1, laketest.FaultError, "new=", syscall.EIO)
	want(1, laketest.FaultShort, "new=da", syscall.EIO)
	want(1, laketest.FaultNoSpace, "new=da", syscall.ENOSPC)
	want(1, laketest.FaultLate, "new=data", syscall.EIO)
	want(2, laketest.FaultError, "new=data", syscall.EIO)
	want(3, laketest.FaultError, "new=data", nil)
}
