package lake_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

// probedLake is a lake on a disk that can be made to fail.
func probedLake(t *testing.T) (*lake.Lake, *laketest.FaultDisk) {
	t.Helper()
	disk := &laketest.FaultDisk{Disk: lake.OSDisk{}}
	l, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir(), Disk: disk, ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, disk
}

func oneLine(id string) lake.Batch {
	e := lake.Event{EventID: id, Timestamp: 1_795_247_999_000_000, ReceivedAt: 1_795_248_000_000_000, ServiceName: "checkout", StatusCode: 200, Region: "unknown", Level: "info"}
	return lake.Batch{Lines: e.AppendLine(nil), N: 1}
}

// Whatever the disk refuses, a probe says so; after it has healed one probe makes the log ready, and every acknowledged event is there once.
func TestProbeFindsOutWhetherTheDiskTakesEvents(t *testing.T) {
	for _, fault := range []laketest.Fault{laketest.FaultError, laketest.FaultNoSpace, laketest.FaultShort, laketest.FaultLate} {
		t.Run(fmt.Sprint(fault), func(t *testing.T) {
			l, disk := probedLake(t)
			ctx := t.Context()
			if _, err := l.Append(ctx, oneLine("before")); err != nil {
				t.Fatal(err)
			}
			disk.FailAt(disk.Ops(), 1<<30, fault)
			if _, err := l.Append(ctx, oneLine("during")); !errors.Is(err, lake.ErrLogFailed) {
				t.Errorf("an append during the trouble: %v", err)
			}
			for range 3 {
				if err := l.Probe(ctx); !errors.Is(err, laketest.ErrFault) {
					t.Errorf("a probe during the trouble: %v", err)
				}
			}
			disk.Heal()
			if err := l.Probe(ctx); err != nil {
				t.Fatalf("a probe after it: %v", err)
			}
			injected := disk.Injected()
			if _, err := l.Append(ctx, oneLine("after")); err != nil {
				t.Errorf("an append after the probe: %v", err)
			}
			if n := disk.Injected(); n != injected || injected == 0 {
				t.Errorf("%d faults were injected, then %d", injected, n)
			}
			if status := l.Status(); status.RawEvents != 2 {
				t.Errorf("%d events are in raw, want 2", status.RawEvents)
			}
			if left, err := os.ReadDir(l.Layout().Tmp()); err != nil || len(left) > 3 {
				t.Errorf("tmp/ holds %v, %v", left, err)
			}
		})
	}
}

// Each operation that a probe makes is needed for its verdict: when it alone fails, so does the probe.
func TestProbeFailsAtEveryOperation(t *testing.T) {
	l, disk := probedLake(t)
	ctx := t.Context()
	if _, err := l.Append(ctx, oneLine("before")); err != nil {
		t.Fatal(err)
	}
	spoil := func() { // the next probe has a failed segment to settle and a new one to make
		disk.FailAt(disk.Ops(), 1<<30, laketest.FaultError)
		if _, err := l.Append(ctx, oneLine("lost")); err == nil {
			t.Fatal("it was appended")
		}
		disk.Heal()
	}
	failed := 0
	for at := 0; ; at++ {
		if err := l.Seal(); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append(ctx, oneLine(fmt.Sprint("e", at))); err != nil {
			t.Fatal(err)
		}
		spoil()
		injected := disk.Injected()
		disk.FailAt(disk.Ops()+at, 1, laketest.FaultError)
		err := l.Probe(ctx)
		disk.Heal()
		if disk.Injected() == injected {
			if err != nil {
				t.Errorf("nothing failed, and the probe says %v", err)
			}
			break
		}
		if failed++; err == nil {
			t.Errorf("operation %d failed, and the probe says nothing", at)
		}
		if err := l.Probe(ctx); err != nil {
			t.Errorf("the probe after a failure at operation %d: %v", at, err)
		}
	}
	if failed < 12 {
		t.Errorf("a probe made %d operations: this test is looking in the wrong place", failed)
	}
}

func TestProbeOfAHealthyLakeStoresNothing(t *testing.T) {
	l, _ := probedLake(t)
	for range 3 {
		if err := l.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	status := l.Status()
	if left, err := os.ReadDir(l.Layout().Tmp()); err != nil || len(left) > 0 || status.RawEvents != 0 || status.RawSegments > 1 {
		t.Errorf("tmp/ holds %v, %v; %+v", left, err, status)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Probe(t.Context()); !errors.Is(err, lake.ErrClosed) {
		t.Errorf("of a closed lake: %v", err)
	}
	if segments, err := filepath.Glob(filepath.Join(l.Layout().Raw(), "*")); err != nil || len(segments) != 0 {
		t.Errorf("raw/ keeps %v, %v", segments, err)
	}
}

func TestFullDiskIsNamedWithTheWayOut(t *testing.T) {
	l, disk := probedLake(t)
	disk.FailAt(disk.Ops(), 1<<30, laketest.FaultNoSpace)
	_, appended := l.Append(t.Context(), oneLine("e"))
	for what, err := range map[string]error{"append": appended, "bury": l.Bury(t.Context(), []lake.DeadLetter{{Text: []byte("x"), Reason: "y"}}), "probe": l.Probe(t.Context())} {
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk that holds "+l.Layout().Root+" is full") || !strings.Contains(err.Error(), "bytes are free: free space there") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The backlog says how long: with the measured rate of conversions, and of nobody knows before there is one.
func TestBacklogTellsHowLong(t *testing.T) {
	l, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir(), ConvertAge: -1, HotLimit: 200})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	fill := func() *lake.BacklogError {
		t.Helper()
		for i := range 1000 {
			_, err := l.Append(t.Context(), oneLine(fmt.Sprint(i)))
			if full := (*lake.BacklogError)(nil); errors.As(err, &full) {
				if !errors.Is(err, lake.ErrBacklog) || full.Hot < full.Limit || full.Limit != 200 {
					t.Errorf("%v: %+v", err, full)
				}
				return full
			} else if err != nil {
				t.Fatal(err)
			}
		}
		t.Fatal("the bound does not hold")
		return nil
	}
	if full := fill(); full.PerSec != 0 || full.Wait >= 0 {
		t.Errorf("before any conversion: %+v", full)
	}
	if _, err := l.Convert(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if err := l.Backlog(); err != nil {
		t.Errorf("after the conversion: %v", err)
	}
	if full := fill(); full.PerSec <= 0 || full.Wait < 0 || full.Wait > time.Hour {
		t.Errorf("after a conversion: %+v", full)
	}
}
