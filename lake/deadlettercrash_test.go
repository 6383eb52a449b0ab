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

// buried is one call that a test made, and between which of the disk's operations that was.
type buried struct {
	letters    []lake.DeadLetter // with IDs when it went well
	discards   string            // instead: letters of this origin
	from, upTo int
	failed     bool
}

// deadJournal is everything that a test asked of a dead zone.
type deadJournal struct {
	mu    sync.Mutex
	calls []buried
}

// deadLetters are n letters whose texts tell them apart; every third is no UTF-8.
func deadLetters(name string, n int) []lake.DeadLetter {
	out := make([]lake.DeadLetter, n)
	for i := range out {
		text := fmt.Sprintf("%s/%d %s\n\"", name, i, strings.Repeat("ü", (len(name)*7+i*13)%50))
		if i%3 == 2 {
			text += "\xff"
		}
		out[i] = lake.DeadLetter{At: 1, Source: "test", Origin: name, Line: int64(i + 1), Reason: "bad", Text: []byte(text)}
	}
	return out
}

func (j *deadJournal) bury(t testing.TB, z lake.DeadZone, ops func() int, name string, n int) error {
	c := buried{letters: deadLetters(name, n), from: ops()}
	err := z.Bury(t.Context(), c.letters)
	c.upTo, c.failed = ops(), err != nil
	j.add(c)
	return err
}

func (j *deadJournal) discard(t testing.TB, z lake.DeadZone, ops func() int, origin string) error {
	c := buried{discards: origin, from: ops()}
	_, err := z.Discard(t.Context(), func(d *lake.DeadLetter) bool { return d.Origin == origin })
	c.upTo, c.failed = ops(), err != nil
	j.add(c)
	return err
}

func (j *deadJournal) add(c buried) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls = append(j.calls, c)
}

// check compares letters with the journal at a cut: what was acknowledged before it and not discarded is there, once and whole; what was
// discarded before it is not; nothing foreign is. missing is how many of the oldest may have gone for the bound.
func (j *deadJournal) check(got []lake.DeadLetter, cut int, missing int64) error {
	byText := map[string]*lake.DeadLetter{}
	last, oldest := int64(0), int64(0)
	for i := range got {
		d := &got[i]
		if d.ID <= last {
			return fmt.Errorf("ID %d after %d", d.ID, last)
		}
		if i == 0 {
			oldest = d.ID
		}
		if byText[string(d.Text)] != nil {
			return fmt.Errorf("twice: %q", d.Text)
		}
		byText[string(d.Text)], last = d, d.ID
	}
	certain, perhaps := map[string]bool{}, map[string]bool{} // discarded
	for _, c := range j.calls {
		if c.discards != "" && c.from < cut {
			perhaps[c.discards] = true
			certain[c.discards] = certain[c.discards] || !c.failed && c.upTo <= cut
		}
	}
	for _, c := range j.calls {
		for i := range c.letters {
			want := &c.letters[i]
			d := byText[string(want.Text)]
			delete(byText, string(want.Text))
			acked := !c.failed && c.upTo <= cut
			switch {
			case d != nil && c.from >= cut:
				return fmt.Errorf("not sent yet: %q", d.Text)
			case d != nil && acked && certain[d.Origin]:
				return fmt.Errorf("discarded: %q", d.Text)
			case d != nil && acked && string(d.AppendJSON(nil)) != string(want.AppendJSON(nil)):
				return fmt.Errorf("got %s, want %s", d.AppendJSON(nil), want.AppendJSON(nil))
			case d == nil && acked && !perhaps[want.Origin] && (missing == 0 || oldest != 0 && want.ID > oldest):
				return fmt.Errorf("lost: %s", want.AppendJSON(nil))
			}
		}
	}
	for text := range byText {
		return fmt.Errorf("foreign: %q", text)
	}
	return nil
}

// reopen checks a materialised state: as a reader finds it, after the owner's opening, after new letters, and once more.
func (j *deadJournal) reopen(t *testing.T, dir string, cut int, limit int64) error {
	t.Helper()
	layout := lake.Layout{Root: dir}
	reader := lake.FollowDeadZone(layout)
	got, err := reader.Letters()
	if err == nil {
		err = j.check(got, cut, reader.Status().Dropped)
	}
	if err != nil {
		return fmt.Errorf("read-only: %w", err)
	}
	for round := range 2 {
		z, err := lake.OpenDeadZone(layout, lake.OSDisk{}, limit)
		if err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		before, err := z.Letters()
		if err == nil && round == 0 {
			err = j.check(before, cut, z.Status().Dropped)
		}
		if err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		fresh := deadLetters(fmt.Sprint("new", round), 2)
		if err := z.Bury(t.Context(), fresh); err != nil {
			return fmt.Errorf("round %d: bury: %w", round, err)
		}
		want := append(before, fresh...)
		for what, read := range map[string]func() ([]lake.DeadLetter, error){"owner": z.Letters, "reader": reader.Letters, "new reader": lake.FollowDeadZone(layout).Letters} {
			got, err := read()
			if err != nil || z.Status().Dropped == 0 && !sameLetters(got, want) {
				return fmt.Errorf("round %d, %s: %d letters, want %d, %v", round, what, len(got), len(want), err)
			}
		}
		if s, r := z.Status(), reader.Status(); s.Kept != r.Kept || s.Dropped != r.Dropped {
			return fmt.Errorf("round %d: the owner counts %+v, a reader %+v", round, s, r)
		}
		if err := z.Close(); err != nil {
			return err
		}
	}
	return nil
}

func sameLetters(a, b []lake.DeadLetter) bool {
	return slices.EqualFunc(a, b, func(a, b lake.DeadLetter) bool { return string(a.AppendJSON(nil)) == string(b.AppendJSON(nil)) })
}

// drive buries letters alone and at once, discards some, and opens the zone twice. Errors that were injected are part of it.
func (j *deadJournal) drive(t *testing.T, dir string, disk lake.Disk, ops func() int, limit int64) error {
	t.Helper()
	fine := func(err error) error {
		if errors.Is(err, laketest.ErrFault) {
			return nil
		}
		return err
	}
	for open := range 2 {
		z, err := lake.OpenDeadZone(lake.Layout{Root: dir}, disk, limit)
		if errors.Is(err, laketest.ErrFault) {
			continue
		}
		if err != nil {
			return err
		}
		for i := range 4 {
			err := j.bury(t, z, ops, fmt.Sprintf("lone%d-%d", open, i), 1+i)
			if fine(err) != nil || err != nil && !errors.Is(err, lake.ErrBury) {
				return err
			}
		}
		if err := fine(j.discard(t, z, ops, fmt.Sprintf("lone%d-2", open))); err != nil {
			return err
		}
		var wg sync.WaitGroup
		for w := range 3 {
			wg.Go(func() {
				if err := fine(j.bury(t, z, ops, fmt.Sprintf("many%d-%d", open, w), 2+w)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := z.Letters()
		if err == nil {
			err = j.exactly(got, z.Status().Dropped)
		}
		if err := errors.Join(err, z.Close()); err != nil {
			return err
		}
	}
	return nil
}

// exactly: in the process that buried them, letters that were not acknowledged are not seen.
func (j *deadJournal) exactly(got []lake.DeadLetter, dropped int64) error {
	for i := range got {
		for _, c := range j.calls[len(j.calls)-8:] { // those of this opening
			if c.failed && slices.ContainsFunc(c.letters, func(d lake.DeadLetter) bool { return string(d.Text) == string(got[i].Text) }) {
				return fmt.Errorf("not acknowledged: %s", got[i].AppendJSON(nil))
			}
		}
	}
	return j.check(got, 1<<30, dropped)
}

// The power is cut at every operation, in every way; with a roomy zone, and with one that gives up files all the time.
func TestDeadLettersCrashAnywhere(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{1 << 20, 3000} {
		live := memDir(t)
		layout := lake.Layout{Root: live}
		if err := os.MkdirAll(layout.Dead(), 0o755); err != nil {
			t.Fatal(err)
		}
		disk, err := laketest.NewCrashDisk(live)
		if err != nil {
			t.Fatal(err)
		}
		var j deadJournal
		if err := j.drive(t, live, disk, disk.Ops, limit); err != nil {
			t.Fatal(err)
		}
		states := 0
		where := filepath.Join(memDir(t), "state")
		err = disk.Cuts(0, dice(), 11, thinned(0, func(c laketest.Cut) error {
			states++
			if err := errors.Join(os.RemoveAll(where), disk.Materialise(where, c)); err != nil {
				return err
			}
			if err := j.reopen(t, where, c.At, limit); err != nil {
				return fmt.Errorf("limit %d, %s: %w", limit, c, err)
			}
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("limit %d: %d states of %d operations", limit, states, disk.Ops())
	}
}

// Each operation fails in each way, once or for a while; what was acknowledged stays, and burying works again afterwards.
func TestDeadLettersFaultAnywhere(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{1 << 20, 3000} {
		for _, times := range []int{1, 5} {
			for _, fault := range []laketest.Fault{laketest.FaultError, laketest.FaultNoSpace, laketest.FaultShort, laketest.FaultLate} {
				for n, injected := int(fault)%stride(), 1; injected > 0; n += stride() {
					var err error
					if injected, err = deadFaultRun(t, limit, n, times, fault); err != nil {
						t.Fatalf("limit %d, fault %d, %d times from operation %d: %v", limit, fault, times, n, err)
					}
				}
			}
		}
	}
}

func deadFaultRun(t *testing.T, limit int64, n, times int, fault laketest.Fault) (injected int, err error) {
	dir := memDir(t)
	defer os.RemoveAll(dir)
	layout := lake.Layout{Root: dir}
	if err := os.MkdirAll(layout.Dead(), 0o755); err != nil {
		return 0, err
	}
	crash, err := laketest.NewCrashDisk(dir)
	if err != nil {
		return 0, err
	}
	disk := &laketest.FaultDisk{Disk: crash}
	disk.FailAt(n, times, fault)
	var j deadJournal
	if err := j.drive(t, dir, disk, crash.Ops, limit); err != nil {
		return 0, err
	}
	injected = disk.Injected()
	disk.Heal()
	if err := j.reopen(t, dir, crash.Ops()+1, limit); err != nil {
		return 0, err
	}
	// And should the power go now, with all that the failures left unsynced.
	where := filepath.Join(dir, "state")
	for v := range laketest.Variants {
		if dice() == 3 && int(v) != n%int(laketest.Variants) {
			continue // the everyday run
		}
		c := laketest.Cut{At: crash.Ops(), Variant: v, Seed: uint64(n)}
		if err := errors.Join(os.RemoveAll(where), crash.Materialise(where, c)); err != nil {
			return 0, err
		}
		if err := j.reopen(t, where, crash.Ops(), limit); err != nil {
			return 0, fmt.Errorf("%s: %w", c, err)
		}
	}
	return injected, nil
}
