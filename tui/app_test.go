package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/widget"
)

func typeName(v any) string { return fmt.Sprintf("%T", v) }

func TestWalk(t *testing.T) {
	d := drive(t, newFake(), 120, 36)
	d.wants("1 Dash", "LIVE", "12,410 ev/s", "err 0.42% ▲", "latency by service", "checkout", "p95 over time", "slowest endpoints", "5xx by region", "volume", "freshness")
	d.press("2")
	d.wants("events, newest first", "312,400 events")
	d.press("6")
	d.wants("bench")
	d.press("3")
	d.wants("statement", "F5 run")
	d.press("alt+4")
	d.wants("No task has run")
	d.press("5")
	d.wants("http://127.0.0.1:8000", "curl", "last requests", "rejected lines")
	d.press("?")
	d.wants("help: the keys of this place", "Ctrl+Q")
	d.press("text:suspend")
	d.wants("fg comes back")
	d.lacks("Ctrl+Q")
	d.press("esc", "1")
	d.wants("latency by service")
	d.press("ctrl+q")
	if !d.quit {
		t.Error("Ctrl+Q did not quit")
	}
}

func TestDrillIntoService(t *testing.T) {
	d := drive(t, newFake(), 120, 36)
	d.press("down", "enter")
	d.wants("Dashboard › auth", "service auth")
	last := d.fake.ranges[len(d.fake.ranges)-1]
	if last.Service != "auth" {
		t.Errorf("the newest question is about %q, want auth", last.Service)
	}
	d.press("esc")
	d.lacks("› auth")
	d.press("esc", "esc")
	if d.quit {
		t.Error("Esc quit")
	}
}

func TestSQLBehindPanel(t *testing.T) {
	d := drive(t, newFake(), 120, 36)
	d.press("s")
	d.wants("SELECT 'latency' AS panel")
	if len(d.fake.ran) != 0 {
		t.Error("the statement ran by itself")
	}
	if at := d.app.sql.editor.Cursor(); at != (widget.Place{}) {
		t.Errorf("the cursor is at %v: what the statement is about stands on its first line", at)
	}
	d.press("f5")
	d.wants("result 1–")
	d.press("esc", "esc")
	d.wants("latency by service")
}

// blocked makes the engine answer only when its context ends; entered tells that it was asked.
func blocked(f *fake) (entered chan struct{}) {
	entered = make(chan struct{}, 8)
	f.answer = func(ctx context.Context, _ sql.Query) (*sql.Result, error) {
		entered <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return entered
}

func TestCancelQueryGivesTheScreenBack(t *testing.T) {
	f := newFake()
	entered := blocked(f)
	d := drive(t, f, 120, 36)
	d.press("3", "text:SELECT 1")
	d.send(key("f5"))
	<-entered
	d.wants("running", "Ctrl+C cancels")
	d.send(key("x")) // the editor goes on
	d.wants("SELECT 1x")
	d.send(key("ctrl+c"))
	d.wants("cancelled")
	d.lacks("running")
	d.settle() // the engine's late answer
	d.wants("cancelled")
	if d.quit {
		t.Error("Ctrl+C quit")
	}
	if len(f.store.files[historyName]) != 0 {
		t.Error("the late answer was taken")
	}
}

func TestStaleResultIsDropped(t *testing.T) {
	f := newFake()
	entered := blocked(f)
	d := drive(t, f, 120, 36)
	d.press("3", "text:SELECT 1")
	d.send(key("f5"))
	<-entered
	f.mu.Lock()
	f.answer = f.table(3)
	f.mu.Unlock()
	d.press("f5")
	d.wants("result 1–3 of 3")
}

func TestInterruptTwiceQuits(t *testing.T) {
	d := drive(t, newFake(), 80, 24)
	d.press("ctrl+c")
	d.wants("again quits")
	if d.quit {
		t.Fatal("the first Ctrl+C quit")
	}
	d.elapse(5 * time.Second)
	d.press("ctrl+c")
	if d.quit {
		t.Fatal("a Ctrl+C long after the first quit")
	}
	d.press("ctrl+c")
	if !d.quit {
		t.Error("the second Ctrl+C did not quit")
	}
}

func TestStalePanelAnswerIsDropped(t *testing.T) {
	d := drive(t, newFake(), 120, 36)
	p := d.app.dash.latency
	before := p.data
	d.send(answerMsg{to: p, gen: p.gen - 1, data: &sql.LatencyByService{}})
	if p.data != before {
		t.Error("an overtaken answer was shown")
	}
}

func TestOneQuestionInFlightAPanel(t *testing.T) {
	d := newDriver(t, newFake())
	d.send(tea.WindowSizeMsg{Width: 120, Height: 36})
	d.app.dash.extent, d.app.dash.known = sql.Extent{Events: 1, Last: lake.MicrosOf(fakeNow)}, true
	first := d.app.dash.tick()
	if first == nil {
		t.Fatal("no question at first")
	}
	for _, p := range d.app.dash.panels {
		if p.kind.load == nil {
			continue
		}
		if cmd := p.refresh(sql.Range{Service: "other"}, dataMark{9, 9, 9}, 0); cmd != nil {
			t.Errorf("%s asks twice at once", p.kind.title)
		}
	}
}

func TestFailedPanelKeepsOldData(t *testing.T) {
	d := drive(t, newFake(), 120, 36)
	d.fake.mu.Lock()
	d.fake.fail = errFake
	d.fake.fresh.VisibleTo++
	d.fake.mu.Unlock()
	d.elapse(2 * time.Second)
	d.wants("checkout", "1.38s", "as of 14:22:07Z", "checksum differs", "asks again in")
	d.fake.mu.Lock()
	d.fake.fail = nil
	d.fake.mu.Unlock()
	d.elapse(6 * time.Second)
	d.lacks("checksum differs", "as of")
}

func TestOldDataShowItsOwnTime(t *testing.T) {
	f := newFake()
	f.ends = time.Date(2015, 5, 20, 21, 5, 0, 0, time.UTC)
	d := drive(t, f, 120, 36)
	d.wants("data ends 2015-05-20; showing its last 24 h", "fixed range")
	f.mu.Lock()
	f.ends, f.fresh.VisibleTo = fakeNow, f.fresh.VisibleTo+1
	f.mu.Unlock()
	d.elapse(2 * time.Second)
	d.wants("LIVE", "range 1 h")
	d.lacks("data ends")
}

func TestPauseFreezesAndCounts(t *testing.T) {
	d := drive(t, newFake(), 120, 36)
	d.press("space")
	d.wants("PAUSED")
	asked := len(d.fake.asked)
	d.fake.mu.Lock()
	d.fake.status.Visible += 1204
	d.fake.fresh.VisibleTo += 1204
	d.fake.mu.Unlock()
	d.elapse(2 * time.Minute)
	d.wants("+1,204 events", "13:23–14:23Z")
	if len(d.fake.asked) != asked {
		t.Error("a paused dashboard asked questions")
	}
	d.press("space")
	d.wants("LIVE", "13:25–14:25Z")
}

func TestRange(t *testing.T) {
	d := drive(t, newFake(), 120, 36)
	d.press("t", "text:6h", "enter")
	d.wants("range 6 h")
	d.press(",")
	d.wants("range 6 h (05:25–11:25Z)", "fixed range")
	d.press("+")
	d.wants("range 3 h")
	d.press("t", "text:nonsense", "enter")
	d.wants("want a length")
	d.press("esc", "t", "text:auto", "enter")
	d.wants("LIVE", "range 1 h")
}

func TestDemoLake(t *testing.T) {
	d := drive(t, newFake().empty(), 120, 36)
	d.wants("This lake is empty", "make a demo lake", "curl -s http://127.0.0.1:8000/ingest", "data folder")
	d.press("d")
	d.elapse(2 * time.Second)
	d.wants("latency by service", "checkout", "demo lake: 1000000 events of 7 days; converted partitioned")
}

func TestTooSmallNamesTheSize(t *testing.T) {
	d := drive(t, newFake(), 40, 10)
	d.wants("needs 60 x 16", "this is 40 x 10")
	d.press("3", "x")
	d.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	d.wants("latency by service")
}

func TestMouse(t *testing.T) {
	d := drive(t, newFake(), 120, 36)
	d.click("5 Ingest")
	d.wants("last requests")
	d.click("1 Dash")
	d.click("search")
	if p := d.app.dash.focused(); p != d.app.dash.latency || p.cursor != 2 {
		t.Errorf("a click on a row went to row %d", p.cursor)
	}
	d.click("search") // the second click of a double click
	d.wants("Dashboard › search")
	d.press("esc", "3", "text:ab")
	d.click("ab")
	d.click("ab") // no newline: a double click in a text is not Enter
	if got := d.app.sql.editor.Value(); got != "ab" {
		t.Errorf("a double click made %q of the text", got)
	}
	d.press("alt+1")
	d.click("pause")
	d.wants("PAUSED")
	d.click("[?] help")
	d.wants("help: the keys")
	d.send(tea.MouseWheelMsg{X: 20, Y: 10, Button: tea.MouseWheelDown})
	d.press("esc", "f2")
	if d.app.View().MouseMode != tea.MouseModeNone {
		t.Error("F2 left the mouse on")
	}
}

func TestSessionAndHistoryReturn(t *testing.T) {
	f := newFake()
	d := drive(t, f, 120, 36)
	d.press("t", "text:6h", "enter", "3", "text:SELECT 42", "f5", "ctrl+u")
	if err := d.app.leave(); err != nil {
		t.Fatal(err)
	}
	again := drive(t, f, 120, 36)
	again.wants("statement", "SQL › result")
	again.press("tab", "up")
	again.wants("SELECT 42")
	again.press("f8")
	again.wants("saved questions", "p95-latency", "✓ 14:22:07Z")
	again.press("esc", "alt+1")
	again.wants("range 6 h")
}

func TestPanicKey(t *testing.T) {
	d := drive(t, newFake(), 80, 24)
	d.press("ctrl+\\")
	d.app.cfg.PanicKey = true
	defer func() {
		if recover() == nil {
			t.Error("the panic key did not panic")
		}
	}()
	d.press("ctrl+\\")
}

func TestPlain(t *testing.T) {
	f := newFake()
	var out strings.Builder
	if err := Plain(context.Background(), f.config(), &out, 100); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SignalLake", "latency by service", "checkout", "5xx by region", "slowest endpoints"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, out.String())
		}
	}
	if strings.ContainsRune(out.String(), 0x1b) {
		t.Error("plain text holds an escape sequence")
	}
	f.fail = errFake
	if err := Plain(context.Background(), f.config(), &out, 100); !errors.Is(err, errFake) {
		t.Errorf("error %v, want the panels'", err)
	}
}

// TestRangeFollowsWhatIsCounted: the panels' tables follow the acknowledgements a little later, and the range must move with them even when
// nothing else moves any more.
func TestRangeFollowsWhatIsCounted(t *testing.T) {
	f := newFake()
	f.ends = fakeNow.Add(-72 * time.Hour)
	d := drive(t, f, 120, 36)
	d.wants("data ends 2026-11-18", "fixed range")
	f.mu.Lock()
	f.ends, f.fresh.CountedTo = fakeNow, f.fresh.CountedTo+1
	f.mu.Unlock()
	d.elapse(3 * time.Second)
	d.wants("LIVE")
	d.lacks("data ends")
}
