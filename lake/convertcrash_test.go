package lake_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

// noSyncDisk spares the reopened lakes of the crash test their syncs.
type noSyncDisk struct{ lake.OSDisk }

type noSyncFile struct{ lake.File }

func (noSyncFile) Sync() error { return nil }

func (noSyncDisk) SyncDir(string) error { return nil }

func (noSyncDisk) MkdirAll(path string) error { return os.MkdirAll(path, 0o755) }

func (d noSyncDisk) Create(path string) (lake.File, error) {
	f, err := d.OSDisk.Create(path)
	return noSyncFile{f}, err
}

func (d noSyncDisk) OpenWrite(path string) (lake.File, error) {
	f, err := d.OSDisk.OpenWrite(path)
	return noSyncFile{f}, err
}

// cancelDisk cancels a context at one of its operations.
type cancelDisk struct {
	noSyncDisk
	left   atomic.Int64 // operations until then
	cancel context.CancelFunc
}

func (d *cancelDisk) step() {
	if d.left.Add(-1) == 0 {
		d.cancel()
	}
}

func (d *cancelDisk) Create(path string) (lake.File, error) {
	d.step()
	return d.noSyncDisk.Create(path)
}

func (d *cancelDisk) MkdirAll(path string) error {
	d.step()
	return d.noSyncDisk.MkdirAll(path)
}

func (d *cancelDisk) Rename(from, to string) error {
	d.step()
	return d.noSyncDisk.Rename(from, to)
}

func (d *cancelDisk) Link(from, to string) error {
	d.step()
	return d.noSyncDisk.Link(from, to)
}

func (d *cancelDisk) SyncDir(path string) error {
	d.step()
	return d.noSyncDisk.SyncDir(path)
}

// TestConvertCancelledAnywhere: a cancelled conversion leaves the old version, or the whole new one when it came too late.
func TestConvertCancelledAnywhere(t *testing.T) {
	cancelled := 0
	for n := int64(1); ; n++ {
		disk := &cancelDisk{}
		c := openConvertLake(t, memDir(t), disk, nil)
		c.narrow = true
		c.append(t, 20, 1)
		c.convert(t)
		c.append(t, 20, 1)
		before := c.Current()
		ctx, cancel := context.WithCancel(t.Context())
		disk.cancel = cancel
		disk.left.Store(n)
		_, err := c.Convert(ctx, nil)
		reached := disk.left.Load() <= 0
		cancel()
		if err != nil {
			cancelled++
			if !errors.Is(err, context.Canceled) || c.Current() != before {
				t.Fatalf("cancelled at operation %d: version %d, %v", n, c.Current().Number, err)
			}
		}
		mustCheck(t, c)
		c.convert(t)
		if w := c.Current().Watermark; w != c.Committed() {
			t.Fatalf("cancelled at operation %d: converted up to %d of %d", n, w, c.Committed())
		}
		mustCheck(t, c)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if !reached {
			break
		}
	}
	if cancelled < 5 {
		t.Errorf("only %d conversions were cancelled", cancelled)
	}
}

// TestConvertFaultsAnywhere lets each operation of a conversion fail in each way: nothing becomes visible that is not whole, and the next
// conversion completes.
func TestConvertFaultsAnywhere(t *testing.T) {
	for fault := range laketest.Fault(4) {
		for n := int(fault) % stride(); ; n += stride() {
			disk := &laketest.FaultDisk{Disk: noSyncDisk{}}
			c := openConvertLake(t, memDir(t), disk, nil)
			c.narrow = true
			c.append(t, 40, 1)
			disk.FailAt(disk.Ops()+n, 1, fault)
			_, failed := c.Convert(t.Context(), nil)
			injected := disk.Injected()
			disk.Heal()
			if err := c.check(); err != nil {
				t.Fatalf("fault %d at operation %d (%v): %v", fault, n, failed, err)
			}
			if failed != nil {
				c.convert(t)
			}
			if w := c.Current().Watermark; w != c.Committed() {
				t.Fatalf("fault %d at operation %d (%v): converted up to %d of %d", fault, n, failed, w, c.Committed())
			}
			mustCheck(t, c)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if injected == 0 {
				t.Logf("fault %d: %d operations", fault, n)
				break
			}
		}
	}
}

// TestConvertCrashAnywhere cuts the power at every operation of two conversions, in every way: what was acknowledged is there exactly
// once, and the next conversion completes.
func TestConvertCrashAnywhere(t *testing.T) {
	live := memDir(t)
	disk, err := laketest.NewCrashDisk(live)
	if err != nil {
		t.Fatal(err)
	}
	c := openConvertLake(t, live, disk, nil)
	c.narrow = true
	type step struct {
		ops  int
		sent map[lake.Seq]lake.Event
	}
	var steps []step
	for range 2 {
		c.append(t, 25, 1)
		steps = append(steps, step{disk.Ops(), maps.Clone(c.sent)})
		c.convert(t)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	from := steps[1].ops // the second conversion meets all that the first one does
	if os.Getenv("SIGNALLAKE_LONG_TESTS") != "" {
		from = steps[0].ops
	}
	states, where := 0, filepath.Join(memDir(t), "state")
	err = disk.Cuts(from, dice(), 11, thinned(0, func(cut laketest.Cut) error {
		states++
		if err := os.RemoveAll(where); err != nil {
			return err
		}
		if err := disk.Materialise(where, cut); err != nil {
			return err
		}
		// Events that were being appended at the cut may be there or not: those of the second batch are, once its answer was given.
		sent := steps[0].sent
		for _, s := range steps {
			if cut.At >= s.ops {
				sent = s.sent
			}
		}
		reopened := openConvertLake(t, where, noSyncDisk{}, sent)
		defer reopened.Close()
		if missing := len(c.sent) - len(sent); missing > 0 && reopened.Status().Visible == int64(len(c.sent)) {
			reopened.sent = maps.Clone(c.sent)
		}
		if err := reopened.check(); err != nil {
			return fmt.Errorf("%v: %w", cut, err)
		}
		if _, err := reopened.Convert(t.Context(), nil); err != nil {
			return fmt.Errorf("%v: %w", cut, err)
		}
		if err := reopened.check(); err != nil {
			return fmt.Errorf("%v, converted: %w", cut, err)
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d states", states)
}
