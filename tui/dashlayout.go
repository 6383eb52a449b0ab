package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
)

// The window from which on the panels stand side by side; below it they are a list that scrolls.
const gridWidth, gridHeight = 100, 26

// slot is a panel's place on the screen.
type slot struct {
	panel *panel
	rect  cell.Rect
}

func (d *dashboard) body() cell.Rect {
	return cell.Rect{X: 0, Y: 2, W: d.app.width, H: d.app.height - 3}
}

// listed tells whether the panels stand in a list.
func (d *dashboard) listed() bool { return d.app.width < gridWidth || d.app.height < gridHeight }

// layout gives every panel its rectangle within r.
func (d *dashboard) layout(r cell.Rect) []slot {
	switch {
	case d.zoomed:
		return []slot{{d.focused(), r}}
	case d.listed():
		return d.list(r)
	}
	rows := max(3, d.latency.rowCount())
	top := min(max(rows+2, 7), r.H*38/100)
	bottom := min(max(8, r.H/4), 14)
	left := r.W * 56 / 100
	right := r.W - left
	middle := r.H - top - bottom
	third := left * 52 / 100
	return []slot{
		{d.latency, cell.Rect{X: r.X, Y: r.Y, W: left, H: top}},
		{d.errors, cell.Rect{X: r.X + left, Y: r.Y, W: right, H: top}},
		{d.chart, cell.Rect{X: r.X, Y: r.Y + top, W: left, H: middle}},
		{d.slowest, cell.Rect{X: r.X + left, Y: r.Y + top, W: right, H: middle}},
		{d.volume, cell.Rect{X: r.X, Y: r.Y + top + middle, W: third, H: bottom}},
		{d.freshness, cell.Rect{X: r.X + third, Y: r.Y + top + middle, W: left - third, H: bottom}},
		{d.regions, cell.Rect{X: r.X + left, Y: r.Y + top + middle, W: right, H: bottom}},
	}
}

// list stacks the panels, scrolled so that the focused one is in sight.
func (d *dashboard) list(r cell.Rect) []slot {
	tops, heights, total := d.heights(r.H)
	i := d.focus
	if tops[i] < d.scroll || heights[i] > r.H {
		d.scroll = tops[i]
	} else if tops[i]+heights[i] > d.scroll+r.H {
		d.scroll = tops[i] + heights[i] - r.H
	}
	d.scroll = max(0, min(d.scroll, total-r.H))
	var slots []slot
	for i, p := range d.panels {
		slots = append(slots, slot{p, cell.Rect{X: r.X, Y: r.Y + tops[i] - d.scroll, W: r.W, H: heights[i]}})
	}
	return slots
}

func (d *dashboard) heights(limit int) (tops, heights []int, total int) {
	for _, p := range d.panels {
		h := min(max(4, p.kind.lines(p)+2), limit)
		tops, heights = append(tops, total), append(heights, h)
		total += h
	}
	return tops, heights, total
}

// panelAt is the panel that scrolling to a row brings to the top, or the last one at the end.
func (d *dashboard) panelAt(row int) int {
	tops, heights, total := d.heights(d.body().H)
	row = max(0, min(row, total-d.body().H))
	best := 0
	for i := range tops {
		if tops[i] >= row && tops[i]+heights[i] <= row+d.body().H {
			return i
		}
		if tops[i] <= row {
			best = i
		}
	}
	return best
}

func (d *dashboard) draw(c *cell.Canvas, r cell.Rect) {
	if !d.filled() {
		d.drawEmpty(c, r)
		return
	}
	old := c.Clip(r)
	defer c.Restore(old)
	for _, s := range d.layout(r) {
		if s.rect.Y >= r.Y+r.H || s.rect.Y+s.rect.H <= r.Y {
			continue
		}
		s.panel.paint(c, s.rect, s.panel == d.focused())
		d.app.rowZone(s.rect.Intersect(r), func(_, dy int) tea.Cmd {
			d.focusOn(s.panel)
			if row := dy + max(0, r.Y-s.rect.Y) - 1 - s.panel.headLines(); row >= 0 && row+s.panel.top < s.panel.rowCount() {
				s.panel.cursor = row + s.panel.top
			}
			return nil
		})
	}
}

// headLines is how many lines of a panel stand above its rows.
func (p *panel) headLines() int {
	if p == p.app.dash.errors {
		return errorHead
	}
	return 0
}

func (d *dashboard) focusOn(p *panel) {
	for i := range d.panels {
		if d.panels[i] == p {
			d.focus = i
		}
	}
}

func dashActions() []action {
	loadDemo := func(a *App) string { return a.off(a.cfg.Tasks.Generate != nil && a.cfg.Tasks.Convert != nil) }
	return []action{
		{"demo lake", "generate a million events and convert them: a lake to look around in", []string{"d"}, onEmpty, true, loadDemo, (*App).demo},
		{"copy curl", "copy the curl line that sends an event", []string{"y"}, onEmpty, true, (*App).noAPI, func(a *App) tea.Cmd { return a.clip(copyItem{"", "the curl line", a.curl()}) }},
		{"rows", "enter what is at hand: a service filters the dashboard, all else opens its events", []string{"enter"}, onPanels, true, (*App).noRows, func(a *App) tea.Cmd {
			return a.dash.focused().kind.enter(a.dash.focused())
		}},
		{"SQL", "the SQL behind the focused panel, ready to run", []string{"s"}, onPanels, true, nil, func(a *App) tea.Cmd {
			p := a.dash.focused()
			if p.behind.SQL == "" {
				a.say(p.kind.title + ": no statement is behind this panel")
				return nil
			}
			return a.sql.openWith(p.behind.SQL, false)
		}},
		{"zoom", "the focused panel alone, and back", []string{"z"}, onPanels, true, nil, func(a *App) tea.Cmd { a.dash.zoomed = !a.dash.zoomed; return nil }},
		{"pause", "pause or resume; data keeps arriving and is counted", []string{"space"}, onPanels, true, nil, (*App).pause},
	}
}

// noRows tells why the focused panel cannot be entered; "" when it can.
func (a *App) noRows() string {
	switch p := a.dash.focused(); {
	case p.kind.enter == nil:
		return "nothing is behind " + p.kind.title
	case p.kind.load != nil && p.data == nil && p.err == nil || !a.dash.known:
		return "still loading"
	case p.data == nil || p.kind.empty(p.data) || p.kind.rows != nil && p.rowCount() == 0:
		return "there is nothing to enter"
	}
	return ""
}
