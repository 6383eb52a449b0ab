package lake_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

// sent is one batch that a test handed to the log, and between which of the disk's operations that was.
type sent struct {
	name       string
	batch      lake.Batch
	first      lake.Seq
	from, upTo int // disk operations before the call and after its answer
	failed     bool
}

// journal is what a test sent to a log, and how it opens it.
type journal struct {
	journaled bool // with a journal of the log's own from the first group on, so small that it turns all the time, and not for every group
	mu        sync.Mutex
	sent      []sent
}

func (j *journal) open(dir string, d lake.Disk, segmentBytes int64) (lake.RawLog, error) {
	if j.journaled {
		return lake.OpenJournaled(lake.Layout{Root: dir}, d, fixedNow, segmentBytes, 0, 8<<10, 500)
	}
	return lake.OpenRawLog(lake.Layout{Root: dir}, d, fixedNow, segmentBytes, false)
}

// bothWays runs a test with a log that syncs both its files, and with one that has a journal.
func bothWays(t *testing.T, test func(t *testing.T, journaled bool)) {
	t.Parallel()
	t.Run("two syncs", func(t *testing.T) { t.Parallel(); test(t, false) })
	t.Run("journal", func(t *testing.T) { t.Parallel(); test(t, true) })
}

func (j *journal) append(t testing.TB, r lake.RawLog, ops func() int, name string, n int) error {
	s := sent{name: name, batch: batchOf(name, n), from: ops()}
	first, err := r.Append(t.Context(), s.batch)
	s.first, s.upTo, s.failed = first, ops(), err != nil
	j.mu.Lock()
	j.sent = append(j.sent, s)
	j.mu.Unlock()
	return err
}

// check compares events with the journal at a cut: what was acknowledged before it is there, once, with the seq that was answered; what was
// under way is there wholly or not at all; nothing else is.
func (j *journal) check(got []lineAt, cut int) error {
	byLine := map[string]lake.Seq{}
	last := lake.Seq(0)
	for _, l := range got {
		if l.seq <= last {
			return fmt.Errorf("seq %d after %d", l.seq, last)
		}
		if _, twice := byLine[l.line]; twice {
			return fmt.Errorf("twice: %s", l.line)
		}
		byLine[l.line], last = l.seq, l.seq
	}
	for _, s := range j.sent {
		if s.from >= cut {
			continue // not sent yet; if it is there, it is counted as foreign below
		}
		want := splitLines(s.first, s.batch.Lines)
		present := 0
		for i, l := range want {
			seq, ok := byLine[l.line]
			if !ok {
				continue
			}
			present++
			if !s.failed && s.upTo <= cut && seq != l.seq {
				return fmt.Errorf("batch %s: event %d has seq %d, acknowledged as %d", s.name, i, seq, l.seq)
			}
			delete(byLine, l.line)
		}
		acked := !s.failed && s.upTo <= cut
		if present != len(want) && (acked || present != 0) {
			return fmt.Errorf("batch %s: %d of %d events, acknowledged %v", s.name, present, len(want), acked)
		}
	}
	for line := range byLine {
		return fmt.Errorf("foreign: %s", line)
	}
	return nil
}

// reopen checks a materialised state: first as a reader finds it, then after recovery, with a new append, and once more.
func (j *journal) reopen(t *testing.T, dir string, cut int, damageAllowed bool) error {
	t.Helper()
	reader, err := lake.OpenRawLog(lake.Layout{Root: dir}, lake.OSDisk{}, fixedNow, 0, true)
	if err != nil {
		return fmt.Errorf("open read-only: %w", err)
	}
	got, err := readAll(reader)
	lacks, lacksErr := lake.JournalLacks(lake.Layout{Root: dir})
	if err = errors.Join(err, lacksErr); err == nil && !damageAllowed && !lacks { // else Lake.Open has the journal redone before it reads
		err = j.check(got, cut)
	}
	if err := errors.Join(err, reader.Close()); err != nil {
		return fmt.Errorf("read-only: %w", err)
	}
	var first []lineAt
	for round := range 2 {
		disk, err := laketest.NewCrashDisk(dir)
		if err != nil {
			return err
		}
		if got, err = j.cycle(t, dir, disk, cut, fmt.Sprint("new", round), damageAllowed); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		if round == 1 && !slices.Equal(got[:len(first)], first) {
			return errors.New("the second opening changed the first one's events")
		}
		first = got
	}
	return nil
}

// cycle opens the log, compares, appends, compares the tail, and closes.
func (j *journal) cycle(t *testing.T, dir string, disk lake.Disk, cut int, name string, damageAllowed bool) ([]lineAt, error) {
	r, err := j.open(dir, disk, 0)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	defer r.Close()
	for _, q := range r.Quarantined() {
		if !damageAllowed && !strings.Contains(q, "perhaps never acknowledged") {
			return nil, fmt.Errorf("a crash is named as damage: %s", q)
		}
	}
	for _, s := range r.Segments() {
		if !s.Sealed {
			return nil, fmt.Errorf("not sealed: %+v", s)
		}
	}
	got, err := readAll(r)
	if err == nil {
		old := slices.DeleteFunc(slices.Clone(got), func(l lineAt) bool { return strings.HasPrefix(l.line, `{"b":"new`) })
		err = j.check(old, cut)
	}
	if err != nil {
		return nil, err
	}
	b := batchOf(name, 3)
	first, err := r.Append(t.Context(), b)
	if err != nil {
		return nil, fmt.Errorf("append after recovery: %w", err)
	}
	got = append(got, splitLines(first, b.Lines)...)
	for what, read := range map[string]func() ([]lineAt, error){
		"segments": func() ([]lineAt, error) { return readAll(r) },
		"tail":     func() ([]lineAt, error) { return tailAll(t.Context(), r, 1) },
	} {
		again, err := read()
		if err != nil || !slices.Equal(again, got) {
			return nil, fmt.Errorf("%s: %d events, want %d, %v", what, len(again), len(got), err)
		}
	}
	return got, r.Close()
}

// cycles drives the log through appends alone and at once, seals by request and by size, a close and a reopening.
func (j *journal) cycles(t *testing.T, dir string, disk *laketest.CrashDisk) {
	t.Helper()
	for open := range 2 {
		r, err := j.open(dir, disk, 2500)
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
	err = disk.Cuts(0, dice(), 7, func(c laketest.Cut) error {
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
	})
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
			err = again.Cuts(0, 1, uint64(at), func(c2 laketest.Cut) error {
				states++
				if err := errors.Join(os.RemoveAll(second), again.Materialise(second, c2)); err != nil {
					return err
				}
				if err := j.reopen(t, second, c.At, false); err != nil {
					return fmt.Errorf("%s, then %s: %w", c, c2, err)
				}
				return nil
			})
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
			for n := 0; ; n++ {
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
		r, err := j.open(dir, disk, 1200)
		if errors.Is(err, laketest.ErrFault) {
			continue
		}
		if err != nil {
			return 0, err
		}
		for i := range 5 {
			name := fmt.Sprintf("f%d-%d", len(j.sent), i)
			if err := j.append(t, r, crash.Ops, name, 2+i); err != nil && !(errors.Is(err, lake.ErrLogFailed) && errors.Is(err, laketest.ErrFault)) {
				return 0, err
			}
			if i == 2 {
				if err := r.Seal(); err != nil && !errors.Is(err, laketest.ErrFault) {
					return 0, err
				}
			}
			got, err := readAll(r)
			if err == nil {
				err = j.exactly(got)
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
