package tui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
)

// explored is the console on the Explore screen.
func explored(t *testing.T, f *fake, w, h int) *driver {
	t.Helper()
	d := drive(t, f, w, h)
	d.press("2")
	return d
}

// copied is what the newest copy put on the clipboard.
func (d *driver) copied() string {
	d.t.Helper()
	for i := len(d.seen) - 1; i >= 0; i-- {
		if typeName(d.seen[i]) == "tea.setClipboardMsg" {
			return fmt.Sprint(d.seen[i])
		}
	}
	d.t.Fatal("nothing was copied")
	return ""
}

func TestListPagesBothWays(t *testing.T) {
	d := explored(t, newFake(), 120, 36)
	l := &d.app.explore.list
	d.press("t", "text:6h", "enter")
	d.wants("range 6 h", "14:22:06.000")
	all := 6*3600/7 + 1
	seen := map[sql.Position]bool{}
	for range all {
		seen[l.position()] = true
		if len(l.rows) > keptRows {
			t.Fatalf("%d rows are kept, at most %d may be", len(l.rows), keptRows)
		}
		d.press("down")
	}
	if len(seen) < all-60 || l.older { // the range begins on a whole slot
		t.Errorf("%d events on the way down, want about %d; more beyond: %v", len(seen), all, l.older)
	}
	d.wants("the range begins here")
	if !l.newer {
		t.Fatal("the newest rows are still kept")
	}
	back := map[sql.Position]bool{}
	for range all {
		back[l.position()] = true
		d.press("up")
	}
	if len(back) != len(seen) || l.newer {
		t.Errorf("%d events on the way up, %d on the way down", len(back), len(seen))
	}
	d.press("G")
	d.wants("the range begins here")
	oldest := l.position()
	d.press("pgup", "pgup", "end")
	if l.position() != oldest {
		t.Error("End did not go to the oldest event")
	}
	d.press("g")
	if !l.follows() {
		t.Error("g did not go to the newest event")
	}
}

func TestFilterTakesEffectWhileTyped(t *testing.T) {
	d := explored(t, newFake(), 120, 36)
	ran := len(d.fake.ran)
	d.press("/", "text:stauts>=500")
	d.wants("status>=500 ·", "Enter apply") // the hint
	if len(d.fake.ran) != ran {
		t.Error("each letter asks")
	}
	d.elapse(tickEvery)
	d.wants(`no field is called "stauts"`, "is it status?", "312,400 events")
	d.press("enter")
	d.wants("no field is called") // what is wrong is not left
	d.press("ctrl+u", "text:status>=500 refused")
	d.elapse(tickEvery)
	d.wants("503", "upstream refused", "counted: ")
	d.lacks("14:22:06.000", "no field")
	d.press("esc")
	d.wants("/ status>=500 refused", "Enter record")
	d.press("esc")
	d.wants("/ status>=500")
	d.lacks("500 refused") // the last term goes first
	d.press("esc")
	d.wants("filter: everything")
	d.press("esc", "esc")
	if d.app.current != exploreScreen || d.quit {
		t.Error("Esc left a screen that was not entered from another one")
	}
	d.press("[")
	d.wants("/ status>=500")
	d.press("[")
	d.wants("/ status>=500 refused")
	d.press("]", "]")
	d.wants("filter: everything")
	d.press("]")
	d.wants("nothing ahead")
}

func TestNextErrorAndNextSlow(t *testing.T) {
	d := explored(t, newFake(), 120, 36)
	l := &d.app.explore.list
	d.press("e")
	first := l.position()
	if row := l.current(); !row.Failed() {
		t.Fatalf("e went to %+v", row)
	}
	d.press("e") // beyond what is loaded
	if row := l.current(); !row.Failed() || !row.Before(first) || len(l.rows) < above {
		t.Fatalf("e went to %+v among %d rows", row, len(l.rows))
	}
	d.press("E")
	if l.position() != first {
		t.Errorf("E went to %v, want %v", l.position(), first)
	}
	d.press("E")
	d.wants("no newer error in this range")
	d.press("w")
	d.wants("slow ≥ 665ms, the p95 here")
	if row := l.current(); row.LatencyMS < 665 {
		t.Errorf("w went to %+v", row)
	}
	d.press("W", "W", "W", "W", "W")
	d.wants("no newer slow request in this range")
	d.press("/", "text:status:503", "enter", "G", "e")
	d.wants("no older error in this range")
}

func TestRecord(t *testing.T) {
	d := explored(t, newFake(), 120, 36)
	d.press("e", "enter")
	d.wants("record 2026-11-21", "status_code", "503", "@user.id", "@user.plan", "pro", "@cart", "[1,2]", "@http.route", "partition event_date=2026-11-21/service_name=checkout/status_code=503", "Enter same request")
	d.press("y", "j")
	var event map[string]any
	if err := json.Unmarshal([]byte(d.copied()), &event); err != nil || event["service_name"] != "checkout" || event["attributes"].(map[string]any)["http.route"] != "/pay" {
		t.Errorf("copied %s: %v", d.copied(), err)
	}
	d.press("right")
	d.wants("status_code   200")
	d.press("left", "left")
	d.lacks("status_code   503")
	d.press("right", "enter") // the same request, wherever it went
	d.wants("Explore › request", "/ req:00000012-77aa", "range 30 min", "2 events")
	d.press("esc")
	d.wants("filter: everything", "LIVE")
	if row := d.app.explore.list.current(); !row.Failed() {
		t.Errorf("the way back led to %+v", row)
	}
	d.press("enter", "g", "down", "down", "f") // service_name
	d.wants("/ service:checkout")
	d.press("enter", "g", "down", "down", "down", "!")
	d.wants("/ service:checkout !status:200")
	d.press("enter", "g", "enter") // the timestamp
	d.wants("Explore › around", "range 2 min", "filter: everything")
	d.press("esc")
	d.wants("/ service:checkout !status:200")
	d.press("enter", "s")
	d.wants("SELECT *", "seq = ")
	d.press("esc", "esc")
	d.wants("events, newest first")
}

func TestAbsentIsNeverZero(t *testing.T) {
	d := explored(t, newFake(), 120, 36)
	d.press("down", "down", "down", "down", "enter")
	d.wants("latency_ms    none", "trace_id      none")
	d.press("esc", "up", "enter")
	d.wants("status_code   none", "endpoint      none")
}

func TestValues(t *testing.T) {
	d := explored(t, newFake(), 120, 36)
	d.press("f", "space")
	d.wants("/ status:503", "■ 503", "Space toggle")
	d.press("down", "space")
	d.wants("/ status:503,200")
	d.press("up", "enter", "down", "down", "!")
	d.wants("/ status:200 !status:0", "! none")
	d.press("!")
	d.wants("/ status:200")
	d.press("esc", "esc")
	d.wants("filter: everything")
	d.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	d.lacks("values ─")
	d.press("f")
	d.wants("▸ values")
	d.press("f")
	d.lacks("▸ values")
}

// TestOvertakenAnswersAreDropped blocks the engine: one question for each part, and of a newer filter alone the answer is shown.
func TestOvertakenAnswersAreDropped(t *testing.T) {
	f := newFake()
	d := explored(t, f, 120, 36)
	flying, most := 0, 0
	release := make(chan struct{})
	answer := f.answer
	f.answer = func(ctx context.Context, q sql.Query) (*sql.Result, error) {
		if !strings.HasPrefix(q.Text, "SELECT timestamp, seq") {
			return answer(ctx, q)
		}
		f.mu.Lock()
		flying++
		most = max(most, flying)
		f.mu.Unlock()
		defer func() { f.mu.Lock(); flying--; f.mu.Unlock() }()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-release:
			return answer(ctx, q)
		}
	}
	apply := func(text string) { // without waiting for answers
		d.app.explore.field.editing = true
		d.app.explore.field.set(text)
		d.do(d.app.explore.applyTyped())
		d.app.explore.field.editing = false
	}
	apply("status:503")
	d.wants("shown is what was asked before", "14:22:06.000")
	apply("service:auth")
	apply("service:search")
	close(release)
	d.settle()
	if most != 1 {
		t.Errorf("%d lists were asked for at once", most)
	}
	for _, row := range d.app.explore.list.rows {
		if row.Service != "search" {
			t.Fatalf("%s is shown", row.Service)
		}
	}
	d.lacks("was asked before")
}

func TestStopGivesTheScreenBack(t *testing.T) {
	f := newFake()
	d := explored(t, f, 120, 36)
	answer := f.answer
	entered := blocked(f)
	d.send(key("/"))
	for _, r := range "status:503" {
		d.send(key(string(r)))
	}
	d.send(key("enter"))
	d.until(entered)
	d.send(key("ctrl+c"))
	d.settle()
	d.wants("stopped: g asks again")
	d.elapse(10 * time.Second)
	d.wants("stopped: g asks again")
	f.mu.Lock()
	f.answer = answer
	f.mu.Unlock()
	d.press("g")
	d.wants("503")
	d.lacks("stopped", "14:22:06.000")
}

func TestLiveFollowsAtTheTopOnly(t *testing.T) {
	f := newFake()
	d := explored(t, f, 120, 36)
	l := &d.app.explore.list
	arrive := func() {
		f.mu.Lock()
		f.ends = f.ends.Add(14 * time.Second)
		f.fresh.VisibleTo += 2
		f.status.Visible += 2
		f.mu.Unlock()
		d.elapse(2 * time.Second)
	}
	newest := l.position()
	arrive()
	if !newest.Before(l.position()) {
		t.Error("the list does not follow what is new")
	}
	d.press("down")
	at := l.position()
	arrive()
	if l.position() != at {
		t.Error("the list moved away below the cursor")
	}
	d.wants("newer events have come: g")
	d.press("g")
	d.lacks("newer events")
	top := l.position()
	d.press("space")
	arrive()
	d.wants("PAUSED +2 events")
	if l.position() != top {
		t.Error("a paused list moved")
	}
	d.press("/", "text:status:503", "enter") // what the user asks for is answered
	d.wants("503")
	d.press("space")
	d.wants("LIVE")
}

func TestExploreFailures(t *testing.T) {
	f := newFake()
	d := explored(t, f, 120, 36)
	answer := f.answer
	f.answer = func(context.Context, sql.Query) (*sql.Result, error) {
		return nil, errors.New("the statement needs more memory than the prompt may use")
	}
	d.press("/", "text:status:503", "enter")
	d.wants("× the statement needs more memory", "asks again in", "14:22:06.000", "as of 14:22:07Z")
	f.answer = answer
	d.elapse(6 * time.Second)
	d.wants("503")
	d.lacks("more memory")

	f.fail = errFake // the minutes, for the counts without a filter
	d.press("esc")
	d.wants("× rollup/000017.parquet: checksum differs", "14:22:06.000")
}

func TestExploreWithoutEvents(t *testing.T) {
	d := explored(t, newFake().empty(), 120, 36)
	d.wants("This lake has no events yet")
	d = explored(t, newFake(), 120, 36)
	d.press("/", "text:req:nothing", "enter")
	d.wants("no events in this range", "doubles the range", "0 events")
	d.press("enter", "e", "f", "esc", "esc")
	d.press("t", "text:2020-01-01 .. 2020-01-02", "enter")
	d.wants("no events in this range", "t takes another range; data 11-14")
}
