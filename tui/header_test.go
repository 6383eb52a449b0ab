package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
)

// TestHeaderKeepsTheStateOfTheLake: in a narrow window the program's name and long tabs go, not the error rate and the rate of events.
func TestHeaderKeepsTheStateOfTheLake(t *testing.T) {
	header := func(d *driver) string { return strings.SplitN(d.text(), "\n", 2)[0] }
	d := drive(t, newFake(), 80, 24)
	for _, w := range []int{80, 91, 92, 103, 104, 120, 200} {
		d.send(tea.WindowSizeMsg{Width: w, Height: 24})
		for _, text := range []string{"1 Dash", "2 Expl", "3 SQL", "4 Tasks", "5 Ingest", "6 Bench", "● LIVE", "12,410 ev/s", "err 0.42% ▲"} {
			if !strings.Contains(header(d), text) {
				t.Errorf("at %d columns %q is missing: %s", w, text, header(d))
			}
		}
		if named := strings.Contains(header(d), "SignalLake"); named != (w >= namedWidth) {
			t.Errorf("at %d columns: %s", w, header(d))
		}
	}
	d.send(tea.WindowSizeMsg{Width: 60, Height: 24})
	d.wants("6 Bench", "● LIVE")
	for _, click := range []struct{ tab, crumb string }{{"6 Bench", "Bench"}, {"2 Expl", "Explore"}, {"4 Tasks", "Tasks"}} {
		d.click(click.tab)
		if line := strings.Split(d.text(), "\n")[1]; !strings.HasPrefix(line, " "+click.crumb) {
			t.Errorf("a click on %s leads to %s", click.tab, line)
		}
	}
}

// TestPaletteNamesOnce: wherever it is opened, each command's name stands in the palette once.
func TestPaletteNamesOnce(t *testing.T) {
	for _, f := range []*fake{newFake(), newFake().empty()} {
		for _, screen := range []string{"1", "2", "3", "4", "5", "6"} {
			d := drive(t, f, 120, 36)
			d.press(screen, "esc", "ctrl+p")
			seen := map[string]bool{}
			for _, ch := range d.app.overlays[0].(*picker).choices {
				if seen[ch.Label] {
					t.Errorf("on screen %s %q stands in the palette twice", screen, ch.Label)
				}
				seen[ch.Label] = true
			}
			for i := range d.app.actions {
				if act := &d.app.actions[i]; act.run != nil && !seen[act.label] {
					t.Errorf("on screen %s %q is not in the palette", screen, act.label)
				}
			}
		}
	}
}

// TestHelpIsReadable: at 80 x 24 no text of the help is cut, and the last line can be reached.
func TestHelpIsReadable(t *testing.T) {
	d := drive(t, newFake(), 80, 24)
	for _, screen := range []string{"1", "3", "4", "5", "6"} {
		d.press(screen, "f1")
		all := d.text()
		for range d.app.overlays[0].(*picker).choices {
			d.press("down")
			all += d.text()
		}
		for _, line := range strings.Split(all, "\n") {
			if strings.Contains(line, "┃") && strings.Contains(line, "…") {
				t.Fatalf("on screen %s a line of the help is cut: %s", screen, line)
			}
		}
		if !strings.Contains(all, "the bench screen (Alt+6 while typing)") {
			t.Errorf("on screen %s the last line of the help cannot be reached:\n%s", screen, d.text())
		}
		d.press("esc")
	}
}
