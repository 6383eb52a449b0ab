package replay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

// mending is what every run of these tests asks for.
var mending = Params{Rules: Rules{Cast: []string{"latency_ms=number"}}}

// wantEvents are the events that come of the letters in the end, wantLeft the letters that nothing mends.
var (
	wantEvents = []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}
	wantLeft   = []string{event("bad", `,"status_code":9`), "nonsense"}
)

// fillZone keeps letters of every kind in the lake of a folder.
func fillZone(t *testing.T, dir string) {
	t.Helper()
	l := openLake(t, dir, nil)
	line := sent(`time=2026-11-21T07:00:00Z service=shop msg=i latency_ms=2s`)
	line.Source, line.Origin = "import a.log", "head-1-1"
	bury(t, l,
		sent(event("a", `,"latency_ms":"1ms"`)), sent(event("b", `,"event_id":"mine"`)), sent("nonsense"), sent("["+event("c", "")+","+event("d", "")+"]"),
		sent(event("e", "")+event("bad", `,"status_code":9`)+event("f", "")+event("g", "")), sent(event("h", "")), line)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// smallDesk makes batches of one or two letters.
func smallDesk(l *lake.Lake) *Desk {
	d := deskOf(l)
	d.note = 2 * noteBytes(1)
	return d
}

// checkZone says what is wrong with a lake: an event that is there twice, or at the end one that is missing.
func checkZone(t *testing.T, l *lake.Lake, final bool) error {
	t.Helper()
	got := messages(t, l)
	if once := slices.Compact(slices.Clone(got)); len(once) != len(got) {
		return fmt.Errorf("events are doubled: %q", got)
	}
	if !final {
		return nil
	}
	var left []string
	for _, d := range letters(t, l) {
		left = append(left, string(d.Text))
	}
	slices.Sort(left)
	if want := slices.Sorted(slices.Values(wantLeft)); !slices.Equal(got, wantEvents) || !slices.Equal(left, want) {
		return fmt.Errorf("events %q, want %q; letters left %q, want %q", got, wantEvents, left, want)
	}
	return nil
}

// finish opens the lake of a folder on a sound disk, as whatever happened before has left it, and replays until all is done.
func finish(t *testing.T, dir string) error {
	t.Helper()
	l, err := lake.Open(t.Context(), lakeConfig(dir, nil))
	if err != nil {
		return err
	}
	defer l.Close()
	if err := checkZone(t, l, false); err != nil {
		return fmt.Errorf("at the opening: %w", err)
	}
	d := smallDesk(l)
	if _, err := d.Settle(t.Context()); err != nil {
		return err
	}
	for round := range 2 {
		if _, err := d.Run(t.Context(), mending, nil); err != nil {
			return err
		}
		if err := checkZone(t, l, true); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
	return nil
}

// The power is cut at every operation of a replay, in every way. Replayed again, each letter's events are there exactly once.
func TestReplayCrashAnywhere(t *testing.T) {
	t.Parallel()
	live := laketest.MemDir(t)
	fillZone(t, live)
	disk, err := laketest.NewCrashDisk(live)
	if err != nil {
		t.Fatal(err)
	}
	l := openLake(t, live, disk)
	first := disk.Ops()
	if _, err := smallDesk(l).Run(t.Context(), mending, nil); err != nil {
		t.Fatal(err)
	}
	if err := checkZone(t, l, true); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	states := 0
	where := filepath.Join(laketest.MemDir(t), "state")
	err = disk.Cuts(first, 2, 11, func(c laketest.Cut) error {
		states++
		if err := errors.Join(os.RemoveAll(where), disk.Materialise(where, c)); err != nil {
			return err
		}
		if err := finish(t, where); err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d states of %d operations", states, disk.Ops()-first)
}

// Each operation of a replay fails in each way, once or for a while; the same process tries again, then another one; and should the power go in
// between, it is the same.
func TestReplayFaultAnywhere(t *testing.T) {
	t.Parallel()
	for _, times := range []int{1, 4} {
		for _, fault := range []laketest.Fault{laketest.FaultError, laketest.FaultNoSpace, laketest.FaultShort, laketest.FaultLate} {
			for n, injected := 0, true; injected; n++ {
				var err error
				if injected, err = faultRun(t, n, times, fault); err != nil {
					t.Fatalf("fault %d, %d times from operation %d: %v", fault, times, n, err)
				}
			}
		}
	}
}

func faultRun(t *testing.T, n, times int, fault laketest.Fault) (injected bool, err error) {
	dir := laketest.MemDir(t)
	defer os.RemoveAll(dir)
	live := filepath.Join(dir, "live")
	if err := os.Mkdir(live, 0o755); err != nil {
		return false, err
	}
	fillZone(t, live)
	crash, err := laketest.NewCrashDisk(live)
	if err != nil {
		return false, err
	}
	disk := &laketest.FaultDisk{Disk: crash}
	l, err := lake.Open(t.Context(), lakeConfig(live, disk))
	if err != nil {
		return false, err
	}
	defer l.Close()
	disk.FailAt(disk.Ops()+n, times, fault)
	d := smallDesk(l)
	var last error
	for range 3 {
		_, last = d.Run(t.Context(), mending, nil)
		if last != nil && !errors.Is(last, laketest.ErrFault) {
			return false, last
		}
		if err := checkZone(t, l, last == nil); err != nil {
			return false, fmt.Errorf("in the same process: %w", err)
		}
	}
	injected = disk.Injected() > 0
	for v := range laketest.Variants { // should the power go now, with all that the failures left unsynced
		if os.Getenv("SIGNALLAKE_LONG_TESTS") == "" && int(v) != n%int(laketest.Variants) {
			continue // the everyday run
		}
		c := laketest.Cut{At: crash.Ops(), Variant: v, Seed: uint64(n)}
		where := filepath.Join(dir, "state")
		if err := errors.Join(os.RemoveAll(where), crash.Materialise(where, c)); err != nil {
			return false, err
		}
		if err := finish(t, where); err != nil {
			return false, fmt.Errorf("%s: %w", c, err)
		}
	}
	disk.Heal()
	if err := l.Close(); err != nil {
		return false, err
	}
	if err := finish(t, live); err != nil {
		return false, fmt.Errorf("in the next process: %w", err)
	}
	return injected, nil
}

// A replay that is cancelled anywhere is taken up again.
func TestReplayCancelled(t *testing.T) {
	dir := t.TempDir()
	fillZone(t, dir)
	l := openLake(t, dir, nil)
	d := smallDesk(l)
	for n := 1; ; n++ {
		ctx := &countdown{Context: t.Context(), left: n}
		_, err := d.Run(ctx, mending, nil)
		if err := checkZone(t, l, err == nil); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			break
		}
		if !strings.Contains(err.Error(), errCountdown.Error()) {
			t.Fatal(err)
		}
	}
}

var errCountdown = errors.New("the countdown is over")

// countdown is a context that ends when it was asked so often.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return errCountdown
	}
	return nil
}
