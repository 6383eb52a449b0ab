package tui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
)

// benchListWidth is the width of the list of reports. It stands beside tables that are at least benchTableWidth wide: that much they need for the reference,
// the reach and the whole names.
const benchListWidth, benchTableWidth = 40, 120

// benchRow draws one row of the report.
type benchRow func(c *cell.Canvas, x, y, w int)

func textRow(text string, style cell.Style) benchRow {
	return func(c *cell.Canvas, x, y, w int) { c.TextCut(x, y, w, text, style) }
}

func wrappedRows(text string, w int, style cell.Style) []benchRow {
	var rows []benchRow
	for _, line := range cell.Wrap(text, w) {
		rows = append(rows, textRow(line, style))
	}
	return rows
}

func (p *benchPage) draw(c *cell.Canvas, r cell.Rect) {
	s, main := p.suite(), r
	if r.W >= benchListWidth+benchTableWidth && s.size() > 1 {
		main.W -= benchListWidth
		p.drawList(c, cell.Rect{X: r.X + main.W, Y: r.Y, W: benchListWidth, H: r.H})
	}
	c.Box(main, "", true, p.app.theme.Colourless())
	p.drawTabs(c, main)
	in := cell.Rect{X: main.X + 2, Y: main.Y + 1, W: main.W - 4, H: main.H - 2}
	rows := p.rows(in.W)
	p.lines, p.page = len(rows), in.H
	p.wheel(0, 0, 0)
	top := *s.scroll()
	old := c.Clip(cell.Rect{X: in.X - 1, Y: in.Y, W: in.W + 2, H: in.H})
	for i := range min(in.H, len(rows)-top) {
		rows[top+i](c, in.X, in.Y+i, in.W)
	}
	c.Restore(old)
	if below := p.lines - p.page - top; below > 0 {
		c.Text(main.X+2, main.Y+main.H-1, fmt.Sprintf(" ↓ %s more ", counted(int64(below), "row")), cell.Muted)
	}
	if s.at() < 0 {
		p.app.zone(in, func(int, int) tea.Cmd { return p.begin() })
	}
}

// drawTabs names the suites in the frame's top edge, and the report at hand and its place among the others.
func (p *benchPage) drawTabs(c *cell.Canvas, r cell.Rect) {
	x := r.X + 2
	for i, s := range p.suites() {
		label, style := " "+s.name()+" ", cell.Muted
		if i == p.current {
			label, style = " ▸"+s.name()+" ", cell.OnAccent|cell.Active|cell.Bold
		}
		from := x
		x = c.Text(x, r.Y, label, style)
		p.app.zone(cell.Rect{X: from, Y: r.Y, W: x - from, H: 1}, func(int, int) tea.Cmd { p.turn(s.name()); return nil })
		x++
	}
	s := p.suite()
	i := s.at()
	if i < 0 {
		return
	}
	title := stamp(s.entry(i).at)
	if n := s.size(); n > 1 {
		title += fmt.Sprintf(", report %d of %d", i+1, n)
	}
	if room := r.X + r.W - 2 - (x + 1); room > 4 {
		c.TextCut(x+1, r.Y, room, " "+title+" ", cell.Accent|cell.Bold)
	}
}

// rows is everything there is to say, top to bottom: the run in flight, the report, its words.
func (p *benchPage) rows(w int) []benchRow {
	var rows []benchRow
	s := p.suite()
	if j, ok := s.run(); ok && (!j.Ended() || j.State == Failed) {
		rows = append(rows, p.runRows(j, w)...)
	} else if other, j, ok := p.running(); ok {
		rows = append(rows, textRow(jobSign(j, p.app.ticks)+" "+other.name()+" runs: "+jobWords(j), cell.Accent), textRow("", cell.Text))
	}
	if err := s.fault(); err != nil {
		rows = append(rows, wrappedRows("× earlier reports: "+err.Error(), w, cell.Bad)...)
	}
	switch {
	case s.at() >= 0:
		p.above = len(rows)
		return append(rows, s.rows(w)...)
	case !s.ready():
		return append(rows, textRow(cell.Spinner(p.app.ticks)+" reading the earlier reports", cell.Muted))
	}
	return append(rows, p.emptyRows(w)...)
}

// runRows show how far the run is, or why it failed.
func (p *benchPage) runRows(j JobView, w int) []benchRow {
	blank := textRow("", cell.Text)
	head := jobSign(j, p.app.ticks) + " " + j.Title
	if j.State == Failed {
		return append(append([]benchRow{textRow(head, cell.Bad|cell.Bold)}, wrappedRows(j.Summary, w, cell.Bad)...), blank)
	}
	return []benchRow{
		func(c *cell.Canvas, x, y, w int) {
			end := c.Text(x, y, head, cell.Accent|cell.Bold)
			c.TextCut(end+2, y, x+w-end-2, jobWords(j), cell.Muted)
		},
		func(c *cell.Canvas, x, y, w int) {
			share := 0.0
			if j.Progress.Total > 0 {
				share = float64(j.Progress.Done) / float64(j.Progress.Total)
			}
			chart.Progress(c, x, y, min(w, 72), share, cell.Accent)
		},
		textRow("Ctrl+C cancels; what else runs on this machine is measured, too", cell.Muted), blank,
	}
}

// emptyRows say what this is and what it costs.
func (p *benchPage) emptyRows(w int) []benchRow {
	s, blank := p.suite(), textRow("", cell.Text)
	head := "No benchmark has run yet."
	if j, ok := s.run(); ok && !j.Ended() {
		head = "The first report comes when this run has ended."
	}
	rows := []benchRow{textRow(head, cell.Text|cell.Bold), blank}
	about := s.about()
	for i, text := range about {
		style := cell.Text
		if i == len(about)-1 {
			style = cell.Muted
		}
		rows = append(append(rows, wrappedRows(text, min(w, 100), style)...), blank)
	}
	if _, _, ok := p.running(); ok {
		return rows
	}
	if why := p.cannot(); why != "" {
		return append(rows, wrappedRows("a  "+s.name()+": "+why, w, cell.Faint)...)
	}
	return append(rows, func(c *cell.Canvas, x, y, _ int) {
		end := c.Text(x, y, " a ", cell.OnAccent|cell.Active|cell.Bold)
		c.Text(end+1, y, "run a benchmark", cell.Text|cell.Bold)
	})
}

// saidRows are the findings of the report at hand.
func (s *shelf[R, P]) saidRows(w int) []benchRow {
	rows := []benchRow{textRow("", cell.Text)}
	if !s.said.done {
		return append(rows, textRow(cell.Spinner(s.app.ticks)+" reading the numbers", cell.Muted))
	}
	for _, finding := range s.said.findings {
		rows = append(rows, pointRows(finding, w, cell.Text)...)
	}
	return rows
}

// pointRows are a sentence of a list.
func pointRows(text string, w int, style cell.Style) []benchRow {
	var rows []benchRow
	for i, line := range cell.Wrap(text, min(w, 120)-2) {
		mark := "  "
		if i == 0 {
			mark = "· "
		}
		rows = append(rows, textRow(mark+line, style))
	}
	return rows
}

// changeHead heads the column of changes; "" where there is nothing to compare with.
func (s *shelf[R, P]) changeHead() string {
	switch {
	case s.base() == nil:
		return ""
	case s.against.IsZero():
		return "vs last"
	}
	return "change"
}

// drawList lists the reports of the suite at hand, newest first.
func (p *benchPage) drawList(c *cell.Canvas, r cell.Rect) {
	s := p.suite()
	c.Box(r, "reports", false, p.app.theme.Colourless())
	in := cell.Rect{X: r.X + 2, Y: r.Y + 1, W: r.W - 4, H: r.H - 2}
	each := 2
	page := max(1, in.H/each)
	top := max(0, min(s.at()-page/2, s.size()-page))
	for i := 0; i < page && top+i < s.size(); i++ {
		entry, y := s.entry(top+i), in.Y+i*each
		sign := ""
		if entry.compared {
			sign = "  compared with"
		}
		c.TextCut(in.X, y, in.W, stamp(entry.at)+sign, cell.Text|cell.Bold)
		c.TextCut(in.X, y+1, in.W, entry.title, cell.Muted)
		if top+i == s.at() {
			c.Text(in.X-1, y, "▸", cell.Accent)
			c.Paint(cell.Rect{X: in.X - 1, Y: y, W: in.W + 2, H: 1}, cell.Selected)
		}
	}
	p.app.zone(in, func(_, dy int) tea.Cmd { return s.show(top + dy/each) })
}
