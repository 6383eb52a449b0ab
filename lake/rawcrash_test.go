package lake_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

// cycles drives the log through appends alone and at once, seals by request and by size, a close and a reopening.
func (j *journal) cycles(t *testing.T, dir string, disk *laketest.CrashDisk) {
	t.Helper()
	for open := range 2 {
		r, err := j.open(dir, disk, 5000)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			if err := j.append(t, r, disk.Ops, fmt.Sprintf("lone%d-%d", open, i), 1+i*2); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Seal(); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := range 2 {
					if err := j.append(t, r, disk.Ops, fmt.Sprintf("many%d-%d-%d", open, w, i), 2+w); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCrashAnywhere cuts the power at every operation, in every way.
func TestCrashAnywhere(t *testing.T) { bothWays(t, crashAnywhere) }

func crashAnywhere(t *testing.T, journaled bool) {
	live := memDir(t)
	disk, err := laketest.NewCrashDisk(live)
	if err != nil {
		t.Fatal(err)
	}
	j := journal{journaled: journaled}
	j.cycles(t, live, disk)
	states := 0
	where := filepath.Join(memDir(t), "state")
	err = disk.Cuts(0, dice(), 7, thinned(0, func(c laketest.Cut) error {
		states++
		if err := os.RemoveAll(where); err != nil {
			return err
		}
		if err := disk.Materialise(where, c); err != nil {
			return err
		}
		if err := j.reopen(t, where, c.At, false); err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d states of %d operations", states, disk.Ops())
}

// TestCrashInRecovery cuts the power in the log, and again at every operation of the recovery.
func TestCrashInRecovery(t *testing.T) { bothWays(t, crashInRecovery) }

func crashInRecovery(t *testing.T, journaled bool) {
	live := memDir(t)
	disk, err := laketest.NewCrashDisk(live)
	if err != nil {
		t.Fatal(err)
	}
	j := journal{journaled: journaled}
	j.cycles(t, live, disk)
	first, second := filepath.Join(memDir(t), "first"), filepath.Join(memDir(t), "second")
	states := 0
	for at := 3; at <= disk.Ops(); at += max(1, 120/dice()) {
		for v := range laketest.Variants {
			c := laketest.Cut{At: at, Variant: v, Seed: uint64(at)}
			if err := errors.Join(os.RemoveAll(first), disk.Materialise(first, c)); err != nil {
				t.Fatal(err)
			}
			again, err := laketest.NewCrashDisk(first)
			if err != nil {
				t.Fatal(err)
			}
			r, err := j.open(first, again, 0)
			if err == nil {
				err = r.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			err = again.Cuts(0, 1, uint64(at), thinned(at+int(v), func(c2 laketest.Cut) error {
				states++
				if err := errors.Join(os.RemoveAll(second), again.Materialise(second, c2)); err != nil {
					return err
				}
				if err := j.reopen(t, second, c.At, false); err != nil {
					return fmt.Errorf("%s, then %s: %w", c, c2, err)
				}
				return nil
			}))
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d states", states)
}

// dice is how often a variant that throws dice is tried: few in the everyday run, many when asked for.
func dice() int {
	if os.Getenv("SIGNALLAKE_LONG_TESTS") != "" {
		return 40
	}
	return 3
}

// TestFaultAnywhere fails each operation in each way, once or for a while; what was acknowledged stays, and appends work again afterwards.
func TestFaultAnywhere(t *testing.T) { bothWays(t, faultAnywhere) }

func faultAnywhere(t *testing.T, journaled bool) {
	faults := []laketest.Fault{laketest.FaultError, laketest.FaultNoSpace, laketest.FaultShort, laketest.FaultLate}
	for _, times := range []int{1, 9} {
		for _, fault := range faults {
			for n := int(fault) % stride(); ; n += stride() {
				dir := memDir(t)
				injected, err := faultRun(t, dir, n, times, fault, journaled)
				if err != nil {
					t.Fatalf("fault %d, %d times from operation %d: %v", fault, times, n, err)
				}
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
				if injected == 0 {
					break // the run has fewer operations
				}
			}
		}
	}
}

func faultRun(t *testing.T, dir string, n, times int, fault laketest.Fault, journaled bool) (injected int, err error) {
	crash, err := laketest.NewCrashDisk(dir)
	if err != nil {
		return 0, err
	}
	disk := &laketest.FaultDisk{Disk: crash}
	disk.FailAt(n, times, fault)
	j := journal{journaled: journaled}
	for range 2 {
		r, err := j.open(dir, disk, 2400)
		if errors.Is(err, laketest.ErrFault) {
			continue
		}
		if err != nil {
			return 0, err
		}
		for i := range 5 {
			name := fmt.Sprintf("f%d-%d", len(j.sent), i)
			for range 2 { // a sender tries again
				err := j.append(t, r, crash.Ops, name, 2+i)
				if err == nil {
					break
				}
				if !errors.Is(err, lake.ErrLogFailed) || !errors.Is(err, laketest.ErrFault) {
					return 0, err
				}
			}
			if i == 2 {
				if err := r.Seal(); err != nil && !errors.Is(err, laketest.ErrFault) {
					return 0, err
				}
			}
			got, err := readAll(r)
			if err == nil {
				err = errors.Join(j.exactly(got), j.checkNotes(r, crash.Ops()+1))
			}
			if err != nil {
				return 0, fmt.Errorf("after %s: %w", name, err)
			}
		}
		if err := r.Close(); err != nil && !errors.Is(err, laketest.ErrFault) {
			return 0, err
		}
	}
	injected = disk.Injected()
	disk.Heal()
	for _, v := range []laketest.Variant{laketest.DropAll, laketest.Scattered} { // and the power goes after all that
		where := filepath.Join(dir, "cut")
		if err := errors.Join(os.RemoveAll(where), crash.Materialise(where, laketest.Cut{At: crash.Ops(), Variant: v, Seed: uint64(n)})); err != nil {
			return 0, err
		}
		if err := j.reopen(t, where, crash.Ops()+1, false); err != nil {
			return 0, fmt.Errorf("after a power cut, %s: %w", v, err)
		}
	}
	return injected, j.reopen(t, dir, crash.Ops()+1, false)
}

// exactly: a reader in the process sees the acknowledged batches and nothing else.
func (j *journal) exactly(got []lineAt) error {
	var want []lineAt
	for _, s := range j.sent {
		if !s.failed {
			want = append(want, splitLines(s.first, s.batch.Lines)...)
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("%d events, want %d", len(got), len(want))
	}
	return nil
}
