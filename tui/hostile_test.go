package tui

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/bench"
)

// hostile is what a log may hold: colours, titles, clipboard writes, cursor moves, C1 controls, direction marks, joiners, broken bytes.
const hostile = "a\x1b[31mred\x1b]0;title\x07\x1b]52;c;aGk=\x07\x1b[2J\r\n\t\x9b31m\u202eevil\u200d\xff\xfe👨‍👩‍👧🇩🇪漢字é\x00z"

func TestHostileStrings(t *testing.T) {
	f := newFake()
	f.service = hostile
	f.api.Recent[0].Path, f.api.Recent[0].ServiceName = hostile, hostile
	f.api.Rejects[0].Reason, f.api.Rejects[0].Sample = hostile, hostile
	f.fresh.Err, f.status.LastError = hostile, hostile
	f.answer = func(context.Context, sql.Query) (*sql.Result, error) {
		return &sql.Result{Columns: []sql.ResultColumn{{Name: hostile, Type: "VARCHAR"}}, Rows: [][]any{{hostile}}}, nil
	}
	d := drive(t, f, 120, 36)
	harmless := func() {
		t.Helper()
		text := d.text() // checks the widths, too
		for _, r := range text {
			if r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0x200d {
				t.Fatalf("%U reaches the terminal:\n%s", r, text)
			}
		}
		if frame := d.frame(); strings.Contains(frame, "]52") && strings.Contains(frame, "\x1b]") || strings.Contains(frame, "\x1b[2J") {
			t.Fatalf("an escape sequence of the data reaches the terminal")
		}
	}
	harmless()
	for _, k := range []string{"enter", "5", "enter", "esc", "tab", "enter", "esc", "3"} {
		d.press(k)
		harmless()
	}
	d.send(tea.PasteMsg{Content: hostile})
	d.press("f5")
	harmless()
	d.press("esc", "enter")
	harmless()
	d.press("y")
	harmless()
	f.complete = func(context.Context, string) ([]string, error) { return []string{hostile + "a", hostile + "b/"}, nil }
	d = drive(t, f, 120, 36)
	d.press("i", "tab")
	harmless()
	d.press("enter")
	harmless()
}

// TestResizeAndKeysFuzz throws random keys, clicks and sizes at the console; every frame must fit.
func TestResizeAndKeysFuzz(t *testing.T) {
	names := []string{"1", "6", "i", "n", "l", "o", "/", "'", "\\", "b", "3", "4", "5", "tab", "shift+tab", "up", "down", "left", "right", "enter", "esc", "g", "G", "pgup", "pgdown", "home", "end", "z", "s", "y", "t", ",", ".", "+", "-", "space", "a", "c", "o", "?", ":",
		"f1", "f2", "f5", "f8", "f12", "ctrl+p", "ctrl+r", "backspace", "delete", "x", "漢", "2", "f", "e", "E", "w", "W", "[", "]", "!", "ctrl+u", "ctrl+w", "alt+1", "alt+3", "alt+y", "shift+left", "ctrl+_", "R", "ctrl+l", "d", "v", "n", ";", "F", "r", "D", "5", "v", "y", "ctrl+n"}
	for seed := range uint64(6) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		f := newFake()
		f.reports = []bench.Report{fakeReport(fakeNow, 1_000_000, true, 1), fakeReport(fakeNow.Add(-1), 1_000_000, false, 1)}
		if seed%3 == 2 {
			f.empty()
		}
		if seed > 1 {
			f.bury()
		}
		d := drive(t, f, 120, 36)
		d.use(modes[seed%3])
		for range 250 {
			switch rnd.IntN(8) {
			case 0:
				d.send(tea.WindowSizeMsg{Width: rnd.IntN(220), Height: rnd.IntN(70)})
			case 1:
				d.send(tea.MouseClickMsg{X: rnd.IntN(220), Y: rnd.IntN(70), Button: tea.MouseLeft})
			case 2:
				d.send(tea.MouseWheelMsg{X: rnd.IntN(220), Y: rnd.IntN(70), Button: []tea.MouseButton{tea.MouseWheelUp, tea.MouseWheelDown}[rnd.IntN(2)]})
			case 3:
				d.elapse(tickEvery)
			default:
				d.press(names[rnd.IntN(len(names))])
			}
			d.settle()
			if d.app.height > 0 {
				d.frame()
			}
		}
	}
}

// BenchmarkViewAnew draws the dashboard with new data in every panel: the most that a tick can cost.
func BenchmarkViewAnew(b *testing.B) {
	d := newDriver(&testing.T{}, newFake())
	d.send(tea.WindowSizeMsg{Width: 200, Height: 60})
	d.do(d.app.Init())
	d.settle()
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range d.app.dash.panels {
			p.answered++
		}
		d.app.View()
	}
}

// BenchmarkView draws each screen once more with nothing new: what a key costs.
func BenchmarkView(b *testing.B) {
	for _, screen := range []string{"1", "2", "3", "5", "6", "i"} {
		b.Run(screen, func(b *testing.B) {
			t := &testing.T{}
			f := newFake()
			f.reports = []bench.Report{fakeReport(fakeNow, 1_000_000, true, 1), fakeReport(fakeNow.Add(-1), 1_000_000, true, 1)}
			d := newDriver(t, f)
			d.send(tea.WindowSizeMsg{Width: 200, Height: 60})
			d.do(d.app.Init())
			d.settle()
			d.press("3", "text:SELECT 1", "f5", "esc", screen)
			b.ReportAllocs()
			for b.Loop() {
				d.app.View()
			}
		})
	}
}
