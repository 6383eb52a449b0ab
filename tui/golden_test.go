package tui

import (
	"fmt"
	"image/color"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/exp/golden"

	"github.com/signallake/signallake/sql"
)

var sizes = [][2]int{{80, 24}, {120, 36}, {200, 60}}

// TestGoldenFrames draws every screen at every size on every kind of terminal.
func TestGoldenFrames(t *testing.T) {
	for _, screen := range []struct {
		name string
		keys []string
	}{
		{"dash", nil},
		{"explore", []string{"2", "down"}},
		{"sql", []string{"3", "text:SELECT service_name, count(*) FROM events -- all of them", "f5"}},
		{"tasks", []string{"4", "a", "v", "a", "c", "enter"}},
		{"ingest", []string{"5"}},
		{"import", []string{"i", "text:lo", "tab", "down", "down"}},
	} {
		for _, size := range sizes {
			for _, m := range modes {
				t.Run(fmt.Sprintf("%s-%dx%d-%s", screen.name, size[0], size[1], m.name), func(t *testing.T) {
					d := drive(t, newFake(), size[0], size[1])
					d.use(m)
					d.press(screen.keys...)
					d.elapse(tickEvery)
					golden.RequireEqual(t, d.frame())
				})
			}
		}
	}
}

// TestGoldenStates draws what is not the everyday: an empty lake, failing panels, a lake that another process owns, old data, dialogs.
func TestGoldenStates(t *testing.T) {
	failing := func() *fake { f := newFake(); f.fail = errFake; return f }
	old := func() *fake { f := newFake(); f.ends = fakeNow.AddDate(-11, -6, 0); return f }
	loading := func(f *fake) *fake {
		f.fresh.Loading, f.fresh.Unseen, f.fresh.Load = true, 1_300_000, sql.Load{Done: 2_100_000, Total: 3_400_000, Left: 4 * time.Second}
		return f
	}
	behind := func() *fake { f := newFake(); f.chain = fakeBacklog(3 << 30); return f }
	for _, state := range []struct {
		name string
		fake *fake
		keys []string
	}{
		{"empty", newFake().empty(), nil},
		{"loading", loading(newFake()), nil},
		{"loading-empty", loading(newFake().empty()), nil},
		{"behind", behind(), nil},
		{"behind-ingest", behind(), []string{"5"}},
		{"failing", failing(), nil},
		{"storage-fails", newFake().broken(), []string{"5"}},
		{"read-only", newFake().readOnly(), []string{"5"}},
		{"old", old(), nil},
		{"help", newFake(), []string{"?"}},
		{"palette", newFake().readOnly(), []string{"4", ":"}},
		{"range", newFake(), []string{"t", "text:yesterday 14:00"}},
		{"form", newFake(), []string{"4", "a", "g", "text:x"}},
		{"record", newFake(), []string{"3", "text:SELECT 1", "f5", "esc", "enter"}},
		{"refused", newFake(), []string{"3", "text:COPY events TO 'x'"}},
		{"zoom", newFake(), []string{"tab", "tab", "z"}},
		{"service", newFake(), []string{"down", "enter"}},
		{"drilled", newFake(), []string{"tab", "enter"}},
		{"event", newFake(), []string{"2", "e", "enter"}},
		{"values", newFake(), []string{"2", "f", "space"}},
		{"filter-error", newFake(), []string{"2", "/", "text:is:error stauts:500"}},
	} {
		for _, size := range sizes[:2] {
			t.Run(fmt.Sprintf("%s-%dx%d", state.name, size[0], size[1]), func(t *testing.T) {
				d := drive(t, state.fake, size[0], size[1])
				d.use(modes[1])
				d.press(state.keys...)
				d.elapse(tickEvery)
				golden.RequireEqual(t, d.text())
			})
		}
	}
}

// TestGoldenBench draws the Bench screen before, during and after runs.
func TestGoldenBench(t *testing.T) {
	past := func(n int) *fake {
		f := newFake()
		for i := range n {
			f.reports = append(f.reports, fakeReport(fakeNow.AddDate(0, 0, -i), 1_000_000, i != 1, 1-float64(i)/10))
		}
		return f
	}
	for _, state := range []struct {
		name    string
		fake    *fake
		running bool
		keys    []string
	}{
		{"empty", past(0), false, []string{"6"}},
		{"running", past(0), true, []string{"6"}},
		{"result", past(1), false, []string{"6"}},
		{"history", past(5), false, []string{"6", "left"}},
	} {
		for _, size := range sizes {
			for _, m := range modes {
				t.Run(fmt.Sprintf("%s-%dx%d-%s", state.name, size[0], size[1], m.name), func(t *testing.T) {
					var entered chan struct{}
					if state.running {
						entered = slowBench(state.fake)
					}
					d := drive(t, state.fake, size[0], size[1])
					d.use(m)
					d.press(state.keys...)
					if state.running {
						d.press("a")
						d.send(key("enter"))
						<-entered
						d.send(tickMsg{})
						d.app.toast = ""
					} else {
						d.elapse(tickEvery)
					}
					golden.RequireEqual(t, d.frame())
				})
			}
		}
	}
}

// TestGoldenPipeline draws the Bench screen's suites of the stages and of layouts: before a run, a report, one line of it, and paged back.
func TestGoldenPipeline(t *testing.T) {
	past := func(n int) *fake {
		f := newFake()
		for i := range n {
			f.pipelines = append(f.pipelines, fakePipeline(fakeNow.AddDate(0, 0, -i), 1_000_000, 1+float64(i%3)/4))
		}
		return f
	}
	layouts := func(n int) *fake {
		f := past(1)
		for i := range n {
			f.layouts = append(f.layouts, fakeLayouts(fakeNow.AddDate(0, 0, -i), 1_000_000, i == 0, 1+float64(i)/2))
		}
		return f
	}
	for _, state := range []struct {
		name string
		fake *fake
		keys []string
	}{
		{"layout-empty", layouts(0), []string{"tab"}},
		{"layout", layouts(2), []string{"tab"}},
		{"empty", past(0), nil},
		{"form", past(1), []string{"enter", "a"}},
		{"result", past(1), []string{"down", "down"}},
		{"line", past(6), []string{"down", "down", "enter"}},
		{"end", past(6), []string{"left", "G"}},
	} {
		for _, size := range [][2]int{{80, 24}, {120, 36}, {160, 45}} {
			for _, m := range modes {
				t.Run(fmt.Sprintf("%s-%dx%d-%s", state.name, size[0], size[1], m.name), func(t *testing.T) {
					d := drive(t, state.fake, size[0], size[1])
					d.use(m)
					d.press("6", "tab")
					d.frame() // what is on the screen decides where the cursor goes
					d.press(state.keys...)
					d.elapse(tickEvery)
					golden.RequireEqual(t, d.frame())
				})
			}
		}
	}
}

// TestGoldenLetters draws the dead letters: the panel on every kind of terminal, and what is opened from it.
func TestGoldenLetters(t *testing.T) {
	sizes := [][2]int{{80, 24}, {120, 36}, {160, 45}}
	draws := func(name string, size [2]int, m mode, light bool, keys ...string) {
		t.Run(fmt.Sprintf("%s-%dx%d-%s", name, size[0], size[1], m.name), func(t *testing.T) {
			f := newFake()
			f.bury()
			d := drive(t, f, size[0], size[1])
			d.use(m)
			if light {
				d.send(tea.BackgroundColorMsg{Color: color.White})
			}
			d.press(keys...)
			d.elapse(tickEvery)
			golden.RequireEqual(t, d.frame())
		})
	}
	for _, size := range sizes {
		for _, m := range modes {
			draws("panel", size, m, false, "5", "down", "space")
			draws("fix", size, m, false, "5", "F")
		}
		draws("light", size, modes[0], true, "5")
		draws("list", size, modes[1], false, "5", "v", "down")
		draws("letter", size, modes[1], false, "5", "v", "enter")
		draws("replay", size, modes[1], false, "5", "R")
		draws("discard", size, modes[1], false, "5", "D")
		draws("export", size, modes[1], false, "5", "x")
		draws("keys", size, modes[1], false, "5", "F", "f1")
	}
}
