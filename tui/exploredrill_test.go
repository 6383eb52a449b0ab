package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
)

// TestDrill enters every panel: its events with the matching filter, and back.
func TestDrill(t *testing.T) {
	for _, row := range []struct {
		panel string
		keys  []string
		want  []string
	}{
		{"latency", []string{"enter", "enter"}, []string{"/ service:checkout", "Dashboard › Explore"}},
		{"error rate", []string{"tab", "enter"}, []string{"/ service:checkout path:/pay status>=500", "Dashboard › Explore › 5xx of /pay", "503"}},
		{"chart", []string{"tab", "tab", "enter"}, []string{"filter: everything"}},
		{"slowest", []string{"tab", "tab", "tab", "enter"}, []string{"/ service:checkout path:/pay latency>=1386ms"}},
		{"volume", []string{"tab", "tab", "tab", "tab", "enter"}, []string{"filter: everything", "312,400 events"}},
		{"regions", []string{"tab", "tab", "tab", "tab", "tab", "enter"}, []string{"/ region:eu-west-1 status>=500", "5xx in eu-west-1"}},
		{"regions of a service", []string{"enter", "tab", "tab", "tab", "tab", "tab", "enter"}, []string{"/ service:checkout region:eu-west-1 status>=500"}},
	} {
		t.Run(row.panel, func(t *testing.T) {
			d := drive(t, newFake(), 120, 36)
			d.press("t", "text:6h", "enter")
			d.press(row.keys...)
			d.wants(append(row.want, "range 6 h", "events, newest first")...)
			if where := d.app.explore.slice().Where; strings.Contains(row.want[0], "status>=500") != strings.Contains(where, "status_code >= 500") {
				t.Errorf("the events are those where %s", where)
			}
			d.press("f", "esc", "esc") // out of the values, then back
			d.wants("latency by service", "range 6 h")
		})
	}
	d := drive(t, newFake(), 120, 36)
	d.press("shift+tab", "enter")
	d.wants("nothing is behind freshness")
}

// TestEscapeWithinADrill drops what was added before it leads back.
func TestEscapeWithinADrill(t *testing.T) {
	d := drive(t, newFake(), 120, 36)
	d.press("tab", "enter", "/", "text:refused", "enter")
	d.wants("status>=500 refused")
	d.press("enter", "enter") // the same request
	d.wants("/ req:")
	d.press("esc")
	d.wants("/ service:checkout path:/pay status>=500 refused")
	d.press("esc")
	d.wants("/ service:checkout path:/pay status>=500")
	d.lacks("500 refused")
	d.press("esc")
	d.wants("latency by service", "LIVE")
}

func TestExploreMouse(t *testing.T) {
	d := explored(t, newFake(), 120, 36)
	d.click("14:21:45.000")
	if l := &d.app.explore.list; l.cursor != 3 {
		t.Errorf("the click went to row %d", l.cursor)
	}
	d.click("14:21:45.000") // twice
	d.wants("record 2026-11-21 14:21:45")
	d.press("esc")
	d.click("filter: everything")
	d.wants("Enter apply")
	d.press("esc")
	h := d.app.explore.histogram
	d.send(tea.MouseClickMsg{X: h.X + h.W/2, Y: h.Y, Button: tea.MouseLeft})
	d.settle()
	d.wants("range 12 min (13:4", "fixed range")
	d.press("[")
	d.wants("LIVE", "range 1 h")
	d.send(tea.MouseWheelMsg{X: 60, Y: 20, Button: tea.MouseWheelDown})
	if l := &d.app.explore.list; l.cursor != 6 {
		t.Errorf("the wheel went to row %d", l.cursor)
	}
	d.click("search  ")
	d.click("search  ")
	d.wants("/ service:search")
}

func TestExploreSQL(t *testing.T) {
	d := explored(t, newFake(), 120, 36)
	d.press("/", "text:status>=500 !path:/health", "enter", "s")
	d.wants("SELECT timestamp", "status_code >= 500 AND NOT coalesce(endpoint = '/health', false)", "LIMIT 500")
	d.press("esc", "esc")
	d.wants("events, newest first")
	d.press("y")
	d.wants("r  the row", "s  the statement", "f  the filter")
}

// TestRangeIsShared: one time for the whole console.
func TestRangeIsShared(t *testing.T) {
	d := explored(t, newFake(), 120, 36)
	d.press("t", "text:6h", "enter", ",")
	d.wants("range 6 h (05:25–11:25Z)")
	d.press("1")
	d.wants("range 6 h (05:25–11:25Z)", "latency by service")
	d.press("+", "2")
	d.wants("range 3 h")
}

func TestHostileEvents(t *testing.T) {
	f := newFake()
	f.service = hostile
	d := explored(t, f, 120, 36)
	harmless := func() {
		t.Helper()
		for _, r := range d.text() {
			if r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0x200d {
				t.Fatalf("%U reaches the terminal:\n%s", r, d.text())
			}
		}
	}
	harmless()
	for _, k := range []string{"enter", "y", "esc", "f", "esc", "e", "enter", "G", "f", "esc", "f", "down", "down", "down", "space", "esc", "/", "esc", "y", "esc", "s"} {
		d.press(k)
		harmless()
	}
}

func TestFilterReturnsWithTheSession(t *testing.T) {
	f := newFake()
	d := explored(t, f, 120, 36)
	d.press("/", "text:status:503", "enter")
	if err := d.app.leave(); err != nil {
		t.Fatal(err)
	}
	again := drive(t, f, 120, 36)
	again.wants("/ status:503", "events, newest first")
	again.press("esc")
	again.wants("filter: everything")
}
