package tui

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// fakeTrouble is what ingest tells of a disk that fails.
const fakeTrouble = "storage fails since 14:20:03Z: append raw/000017.log: no space left on device; free some space, or move the lake to a larger disk: " +
	"it is tried again every second and goes on by itself, and no event that was acknowledged is lost meanwhile, whatever the reason may be, and however long this text may go on and on"

// broken makes the storage fail, and requests that were turned away for it and for more.
func (f *fake) broken() *fake {
	f.api.Trouble = fakeTrouble
	f.api.Refused = ingest.Refusals{Queue: 1204, Memory: 31, Size: 2, Slow: 1, Storage: 57}
	return f
}

// TestFailingStorageIsSeen: whatever screen and window, the header does not tell of a lake that takes events.
func TestFailingStorageIsSeen(t *testing.T) {
	f := newFake()
	d := drive(t, f, 80, 24)
	for _, w := range []int{60, 80, 91, 92, 120, 200} {
		d.send(tea.WindowSizeMsg{Width: w, Height: 24})
		for _, screen := range []string{"1", "2", "3", "4", "5", "6"} {
			d.press("alt+" + screen)
			f.mu.Lock()
			f.broken()
			f.mu.Unlock()
			d.elapse(tickEvery)
			want := "× storage"
			if w >= tabbedWidth {
				want = "× storage fails"
			}
			if head := strings.SplitN(d.text(), "\n", 2)[0]; !strings.Contains(head, want) || strings.Contains(head, "LIVE") {
				t.Errorf("screen %s at %d columns: %s", screen, w, head)
			}
			f.mu.Lock()
			f.api.Trouble = ""
			f.mu.Unlock()
			d.elapse(tickEvery)
			if head := strings.SplitN(d.text(), "\n", 2)[0]; !strings.Contains(head, "● LIVE") || strings.Contains(head, "storage") {
				t.Errorf("screen %s at %d columns, mended: %s", screen, w, head)
			}
		}
	}
	d.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	d.press("alt+5")
	d.wants("● up", "turned away  429 queue 1,204 memory 31 · 413 2 · 408 1 · 503 storage 57", "curl -s")
	d.lacks("takes no events")
	f.mu.Lock()
	f.broken()
	f.mu.Unlock()
	d.elapse(tickEvery)
	d.wants("× takes no events", "no space left on", "accepted", "503 storage 57")
	d.lacks("● up", "curl -s")
}

// TestPanelsWaitForTheLoad: a question that ran into its limit while the lake was read in has not failed, and is asked again at once.
func TestPanelsWaitForTheLoad(t *testing.T) {
	f := newFake()
	f.fail = fmt.Errorf("count the minutes: %w", context.DeadlineExceeded)
	f.fresh.Loading, f.fresh.Load = true, sql.Load{Done: 340_000, Total: 2_000_000, Left: 58 * time.Second}
	d := drive(t, f, 120, 36)
	d.wants("loading 17%, 340k of 2.0M events, 58s left")
	d.lacks("deadline", "asks again")
	f.mu.Lock()
	f.fail, f.fresh.Loading, f.fresh.Load = nil, false, sql.Load{}
	f.mu.Unlock()
	d.elapse(2 * tickEvery)
	d.wants("latency by service", "checkout")

	panel := func(kept bool) {
		t.Helper()
		f.mu.Lock()
		f.fail, f.fresh.Loading = fmt.Errorf("count the minutes: %w", context.DeadlineExceeded), kept
		f.status.Version++
		f.mu.Unlock()
		d.elapse(2 * time.Second)
	}
	panel(true)
	d.lacks("deadline")
	panel(false) // not while it loads: a failure like any other
	d.wants("deadline exceeded", "asks again in")
}

// TestEmptyLakeTellsOfRefusals: who looks for events that were refused is led to why.
func TestEmptyLakeTellsOfRefusals(t *testing.T) {
	f := newFake().empty()
	d := drive(t, f, 80, 24)
	check := func(want string, change func()) {
		t.Helper()
		f.mu.Lock()
		f.dead, f.api.Rejected, f.api.Refused, f.api.Trouble = lake.DeadStatus{}, 0, ingest.Refusals{}, ""
		change()
		f.mu.Unlock()
		d.elapse(tickEvery)
		d.wants("This lake is empty.")
		if want == "" {
			d.lacks("screen 5 tells why")
			return
		}
		d.wants("× " + want + ": screen 5 tells why")
	}
	check("", func() {})
	check("1 request was refused", func() { f.api.Refused.Size = 1 })
	check("58 requests were refused", func() { f.api.Refused.Storage, f.api.Refused.Slow = 57, 1 })
	check("3 lines were refused", func() { f.api.Rejected = 3 })
	check("1,204 lines were refused and kept as dead letters", func() { f.api.Rejected, f.dead.Kept = 3, 1204 })
	check("the API takes no events now", func() { f.api.Trouble = fakeTrouble })
	d.click("screen 5 tells why")
	d.wants("× takes no events")
	d.press("esc")
	d.wants("This lake is empty.")
}

// TestNewDeadLettersMarkTheTab until the screen that has them is looked at.
func TestNewDeadLettersMarkTheTab(t *testing.T) {
	f := newFake()
	f.dead.Kept = 40
	d := drive(t, f, 120, 36)
	kept := func(n int64) {
		f.mu.Lock()
		f.dead.Kept = n
		f.mu.Unlock()
		d.elapse(tickEvery)
	}
	kept(40)
	d.lacks("5 Ingest !")
	kept(41)
	d.wants("5 Ingest !")
	d.press("5")
	d.lacks("5 Ingest !")
	kept(42)
	d.lacks("5 Ingest !")
	d.press("1")
	kept(42)
	d.lacks("5 Ingest !")
	kept(7) // sent again elsewhere
	kept(8)
	d.wants("5 Ingest !")
	d.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	d.wants("5 Ingest!", "6 Bench", "● LIVE")
}

// TestNoLetterWritesWithoutOwner: what the owner would have done cannot be done once it is gone, though the way to it is still known.
func TestNoLetterWritesWithoutOwner(t *testing.T) {
	f := newFake().readOnly()
	f.bury()
	d := drive(t, f, 120, 36)
	d.press("5")
	d.wants("r replay", "D discard", "● LIVE")
	f.mu.Lock()
	f.gone = true
	f.mu.Unlock()
	d.elapse(tickEvery)
	d.wants("× owner gone")
	d.lacks("r replay", "D discard", "F fix", "LIVE")
	for _, k := range []string{"F", "r", "R", "D"} {
		d.press(k)
		d.wants("the lake's owner is gone")
		if len(d.app.overlays) > 0 {
			t.Fatalf("%s opens a dialog", k)
		}
	}
}
