package tui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
)

// View draws the whole screen: header, crumbs, body, footer, and the dialog on top.
func (a *App) View() tea.View {
	started := time.Now()
	v := tea.View{AltScreen: true, WindowTitle: "SignalLake", ReportFocus: false}
	if a.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	a.canvas.Resize(a.width, a.height)
	a.zones = a.zones[:0]
	if a.tooSmall() {
		a.drawTooSmall()
	} else {
		a.drawHeader(cell.Rect{X: 0, Y: 0, W: a.width, H: 1})
		a.drawCrumbs(cell.Rect{X: 0, Y: 1, W: a.width, H: 1})
		body := cell.Rect{X: 0, Y: 2, W: a.width, H: a.height - 3}
		a.here().draw(a.canvas, body)
		v.Cursor = a.here().cursor()
		a.drawFooter(cell.Rect{X: 0, Y: a.height - 1, W: a.width, H: 1})
		for _, o := range a.overlays {
			a.canvas.Dim(body)
			o.draw(a.canvas, body)
			v.Cursor = o.cursor()
		}
		a.drawToast()
		if a.hud.on {
			a.drawHUD()
		}
	}
	v.Content = a.canvas.Render(a.theme)
	a.hud.drawn(time.Since(started), a.cfg.Now())
	return v
}

func (a *App) tooSmall() bool { return a.width < minWidth || a.height < minHeight }

func (a *App) drawTooSmall() {
	lines := []string{"SignalLake", fmt.Sprintf("needs %d x %d", minWidth, minHeight), fmt.Sprintf("this is %d x %d", a.width, a.height), "q quits"}
	for i, line := range lines {
		line = cell.Cut(line, a.width)
		a.canvas.Text((a.width-cell.Width(line))/2, max(0, (a.height-len(lines))/2)+i, line, cell.Text)
	}
}

// badge is a piece of the header's right side. Those that matter less go first when the room is short.
type badge struct {
	text  string
	style cell.Style
	rank  int // 0 stays longest
}

func (a *App) drawHeader(r cell.Rect) {
	c := a.canvas
	x := a.drawTabs(c, r)
	badges := a.badges()
	for rank := 9; rank > 0 && badgesWidth(badges) > r.W-x-2; rank-- {
		kept := badges[:0]
		for _, b := range badges {
			if b.rank < rank {
				kept = append(kept, b)
			}
		}
		badges = kept
	}
	at := r.X + r.W - 1 - badgesWidth(badges)
	for _, b := range badges {
		at = c.Text(at, r.Y, b.text, b.style) + 2
	}
}

// The windows in which the header has room for the state of the lake beside the program's name, and beside the tabs' whole names.
const namedWidth, tabbedWidth = 104, 92

// drawTabs draws the screens' names and returns the column after them. In a narrow window the state of the lake matters more than the
// program's name, then more than blanks and long names.
func (a *App) drawTabs(c *cell.Canvas, r cell.Rect) int {
	x := r.X
	if r.W >= namedWidth {
		x = c.Text(r.X+1, r.Y, "SignalLake", cell.Accent|cell.Bold) + 1
	}
	narrow := r.W < tabbedWidth
	here, hereX := "", 0
	for _, t := range tabs {
		name, work := t.name, ""
		if n := a.running(); t.id == tasksScreen && n > 0 {
			work = " " + cell.Spinner(a.ticks) + strconv.Itoa(n)
		}
		if t.id == ingestScreen && a.ingest.news {
			work = " !"
		}
		if narrow {
			name, work = t.short, strings.TrimPrefix(strings.TrimRight(work, "0123456789"), " ")
		}
		label := fmt.Sprintf(" %d %s%s ", t.id, name, work)
		at := x
		if x = c.Text(x, r.Y, label, cell.Muted); t.id == a.current {
			here, hereX = label, at
		}
		if narrow {
			x-- // neighbours share a blank
		}
		a.zone(cell.Rect{X: at, Y: r.Y, W: x - at, H: 1}, func(int, int) tea.Cmd { a.closeAll(); return a.show(t.id) })
	}
	c.Text(hereX, r.Y, here, cell.OnAccent|cell.Active|cell.Bold)
	return x
}

func badgesWidth(badges []badge) int {
	w := 0
	for _, b := range badges {
		w += cell.Width(b.text) + 2
	}
	return max(0, w-2)
}

// badges are the state of the lake in a few words.
func (a *App) badges() []badge {
	var list []badge
	switch w := a.window; {
	case w.paused:
		arrived := ""
		if n := a.status.Visible - w.pausedAt; n > 0 {
			arrived = fmt.Sprintf(" +%s events", count(n))
		}
		list = append(list, badge{"‖ PAUSED" + arrived, cell.Warn | cell.Bold, 0})
	case a.fresh.Err != "":
		list = append(list, badge{"× feed stopped", cell.Bad | cell.Bold, 0})
	case a.fresh.Loading:
		list = append(list, badge{strings.TrimSpace(cell.Spinner(a.ticks) + " loading " + loadBadge(a.fresh.Load)), cell.Warn, 0})
	case w.view.Live && (a.api.Trouble != "" || a.ownerless()): // nothing comes in: what is said instead follows
	case w.view.Live:
		list = append(list, badge{"● LIVE", cell.Good, 0})
	default:
		list = append(list, badge{"○ fixed range", cell.Muted, 0})
	}
	if a.api.Trouble != "" {
		text := "× storage fails"
		if a.width < tabbedWidth {
			text = "× storage"
		}
		list = append(list, badge{text, cell.Bad | cell.Bold, 0})
	}
	switch {
	case a.follow == nil:
	case a.follow.Gone:
		list = append(list, badge{"× owner gone", cell.Bad | cell.Bold, 0})
	default:
		list = append(list, badge{"read-only", cell.Warn, 1})
	}
	if a.fresh.LagP95 > 0 {
		list = append(list, badge{"lag p95 " + took(a.fresh.LagP95), cell.Muted, 4})
	}
	list = append(list, badge{rate(a.fresh.PerSecond) + " ev/s", cell.Muted, 3})
	if b, ok := a.dash.errorBadge(); ok {
		list = append(list, b)
	}
	return append(list, badge{clock(a.now), cell.Muted, 5})
}

func (a *App) drawCrumbs(r cell.Rect) {
	c := a.canvas
	x := r.X + 1
	for i, crumb := range a.here().crumbs() {
		style := cell.Text | cell.Bold
		if i > 0 {
			x = c.Text(x, r.Y, " › ", cell.Faint)
			style = cell.Text
		}
		x = c.TextCut(x, r.Y, max(0, r.W-x-10), crumb, style)
	}
	help := "[?] help"
	right := r.X + r.W - 1
	c.TextRight(right, r.Y, 8, help, cell.Muted)
	a.zone(cell.Rect{X: right - 8, Y: r.Y, W: 8, H: 1}, func(int, int) tea.Cmd { return a.openHelp() })
	if !a.window.filled() {
		return
	}
	switch room := (cell.Rect{X: x + 3, Y: r.Y, W: right - 10 - x - 3, H: 1}); a.current {
	case dashScreen:
		a.dash.drawRange(c, room)
	case exploreScreen:
		a.window.drawRange(c, room, "")
	}
}

// drawFooter draws the hints, which are buttons, and at the right what the last query cost and what runs.
func (a *App) drawFooter(r cell.Rect) {
	c := a.canvas
	state := a.footState()
	room := r.W - 2
	if w := cell.Width(state); w > 0 && w < r.W/2 {
		c.TextRight(r.X+r.W-1, r.Y, w, state, cell.Muted)
		room -= w + 2
	}
	if len(a.overlays) > 0 {
		return // the dialog on top says its own keys
	}
	x, at := r.X+1, a.places()
	for i := range a.actions {
		act := &a.actions[i]
		if !act.hint || act.place&at == 0 || act.off != nil && act.off(a) != "" {
			continue
		}
		key := shown(act.keys[0])
		w := cell.Width(key) + 1 + cell.Width(act.label)
		if x+w > r.X+1+room {
			break
		}
		from := x
		x = c.Text(x, r.Y, key, cell.Accent|cell.Bold)
		x = c.Text(x+1, r.Y, act.label, cell.Muted)
		a.zone(cell.Rect{X: from, Y: r.Y, W: x - from, H: 1}, func(int, int) tea.Cmd {
			if act.run == nil {
				return a.here().key(tea.KeyPressMsg{Code: tea.KeyEnter})
			}
			return a.do(act)
		})
		x += 2
	}
}

// footState is the last query's cost and the running tasks.
func (a *App) footState() string {
	var parts []string
	if s := a.sql.cost(); s != "" {
		parts = append(parts, s)
	}
	for _, j := range a.jobs {
		if !j.Ended() {
			text := j.Title
			if p := j.Progress; p.Total > 0 {
				text += fmt.Sprintf(" %.0f%%", math.Floor(100*float64(p.Done)/float64(p.Total)))
			}
			parts = append(parts, text)
			break
		}
	}
	return strings.Join(parts, " │ ")
}

// drawToast shows a short word above the footer.
func (a *App) drawToast() {
	if a.toast == "" {
		return
	}
	text := cell.Cut(a.toast, a.width-6)
	w := cell.Width(text) + 2
	x, y := a.width-w-2, a.height-2
	a.canvas.Text(x, y, " "+text+" ", cell.OnAccent|cell.Active)
}
