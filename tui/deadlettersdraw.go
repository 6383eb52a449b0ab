package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui/cell"
)

// From this height on the panel shows the group at hand in a few lines below the list.
const previewFrom, previewLines = 13, 6

const deadPanelTitle = "dead letters, by reason"

// draw draws the groups. What cannot be read, what is not read yet and what is not there look different.
func (p *deadPanel) draw(c *cell.Canvas, r cell.Rect, heavy bool) {
	g, a := p.app.ingest, p.app
	in := g.drawTable(c, r, deadPanelTitle, 1, heavy)
	old := c.Clip(r.Inset())
	defer c.Restore(old)
	switch {
	case len(p.groups) == 0 && p.err != nil:
		p.drawFailure(c, in)
		return
	case a.dead.Kept == 0:
		p.drawNone(c, in)
		return
	case len(p.groups) == 0:
		c.TextCut(in.X, in.Y, in.W, cell.Spinner(a.ticks)+" reading "+counted(a.dead.Kept, "dead letter"), cell.Muted)
		return
	}
	list := in
	if in.H >= previewFrom {
		list.H -= previewLines + 1
	} else if p.err != nil {
		list.H--
	}
	p.drawRows(c, list)
	if in.H >= previewFrom {
		p.drawPreview(c, cell.Rect{X: in.X, Y: list.Y + list.H, W: in.W, H: previewLines + 1})
	}
	c.Restore(old)
	if p.err != nil {
		p.drawOld(c, r, in)
	} else if age := p.age(); age > 0 {
		c.Dim(in)
		c.OnFrame(r, deadPanelTitle, r.X+r.W-1, "as of "+span(age)+" ago", cell.Warn)
	}
	if n := p.marks(); n > 0 {
		c.OnFrame(r, deadPanelTitle, r.X+r.W-1, fmt.Sprintf("%d marked", n), cell.Accent)
	}
	p.drawFoot(c, r)
}

// drawRows draws the list of groups with its heading.
func (p *deadPanel) drawRows(c *cell.Canvas, in cell.Rect) {
	a := p.app
	sourceW := 0
	if in.W >= 76 {
		sourceW = min(28, in.W/4)
	}
	reasonX := in.X + 21
	reasonW := in.W - 21 - sourceW
	c.TextRight(in.X+8, in.Y, 7, "letters", cell.Muted|cell.Bold)
	c.Text(in.X+10, in.Y, "newest", cell.Muted|cell.Bold)
	c.Text(reasonX, in.Y, "reason", cell.Muted|cell.Bold)
	if sourceW > 0 {
		c.Text(reasonX+reasonW+1, in.Y, "source", cell.Muted|cell.Bold)
	}
	a.ingest.eachRow(c, in, 1, func(i, y int) {
		g := &p.groups[i]
		if p.marked[g.Key()] {
			c.Text(in.X, y, "■", cell.Accent|cell.Bold)
		}
		c.TextRight(in.X+8, y, 6, short(float64(g.Letters)), cell.Warn)
		c.Text(in.X+10, y, when(g.Newest, a.now), cell.Muted)
		end := c.TextCut(reasonX, y, reasonW, reasonOf(g.Field, g.Reason), cell.Text)
		if sourceW > 0 {
			c.TextCut(reasonX+reasonW+1, y, sourceW-1, g.Source, cell.Muted)
		} else {
			c.TextCut(end+2, y, in.X+in.W-end-2, g.Source, cell.Muted)
		}
	})
}

// drawPreview is the group at hand: the whole reason, where it came from, and how such a letter looks.
func (p *deadPanel) drawPreview(c *cell.Canvas, r cell.Rect) {
	g, ok := p.current()
	if !ok {
		return
	}
	p.app.rowZone(r, func(int, int) tea.Cmd { p.app.ingest.rejects = true; return nil })
	for x := r.X; x < r.X+r.W; x++ {
		c.Text(x, r.Y, "─", cell.Faint)
	}
	var lines []readerLine
	lines = append(lines, firstLines(wrapped("", reasonOf(g.Field, g.Reason), 0, r.W, cell.Text|cell.Bold), 2)...)
	lines = append(lines, readerLine{text: g.Source + " · " + period(&g, p.app.now), style: cell.Muted})
	lines = append(lines, firstLines(wrapped("", leading(string(g.Example.Text), []string{g.Field}), 0, r.W, cell.Literal), previewLines-len(lines))...)
	for i, l := range lines {
		c.TextCut(r.X, r.Y+1+i, r.W, l.text, l.style)
	}
}

// firstLines is the first n lines; what is left out shows as an ellipsis.
func firstLines(lines []readerLine, n int) []readerLine {
	if n <= 0 || len(lines) <= n {
		return lines[:max(0, min(n, len(lines)))]
	}
	lines[n-1].text += " …"
	return lines[:n]
}

// period is when a group's letters came.
func period(g *replay.Group, now time.Time) string {
	if g.Letters == 1 || g.First == g.Newest {
		return when(g.Newest, now)
	}
	return when(g.First, now) + " to " + when(g.Newest, now)
}

// when is the time of day of what is of today, else the day: ten columns at most.
func when(m lake.Micros, now time.Time) string {
	t, now := m.Time(), now.UTC()
	if t.Year() == now.Year() && t.YearDay() == now.YearDay() {
		return clock(t)
	}
	return t.Format(time.DateOnly)
}

func (p *deadPanel) drawNone(c *cell.Canvas, in cell.Rect) {
	y := in.Y
	text := "✓ nothing was refused"
	if n := p.app.api.Rejected; n > 0 {
		text = fmt.Sprintf("✓ no dead letter is left; the API has refused %s since the start", counted(n, "line"))
	}
	if n := p.app.dead.Dropped; n > 0 {
		text += fmt.Sprintf("; %s oldest were dropped for the bound", count(n))
	}
	for _, line := range cell.Wrap(text, in.W) {
		c.Text(in.X, y, line, cell.Muted)
		y++
	}
	for _, line := range cell.Wrap("What breaks the contract is kept here with the reason; it can be mended and sent again.", in.W) {
		c.Text(in.X, y+1, line, cell.Faint)
		y++
	}
}

// drawFailure tells what happened and what to do, where nothing older can be shown.
func (p *deadPanel) drawFailure(c *cell.Canvas, in cell.Rect) {
	y := in.Y
	lines := cell.Wrap("× "+p.err.Error(), in.W)
	for _, line := range lines[:min(len(lines), max(1, in.H-2))] {
		c.TextCut(in.X, y, in.W, line, cell.Bad)
		y++
	}
	c.TextCut(in.X, y, in.W, p.failureHint(), cell.Muted)
	c.TextCut(in.X, y+1, in.W, "the letters are on disk: "+deadCommand+" reads them, too", cell.Muted)
}

func (p *deadPanel) failureHint() string {
	if p.err == errStopped {
		return "" // it says itself what to do
	}
	return p.retryHint()
}

// drawOld dates groups that could not be read anew, and keeps the error in the panel.
func (p *deadPanel) drawOld(c *cell.Canvas, r, in cell.Rect) {
	c.Dim(in)
	c.OnFrame(r, deadPanelTitle, r.X+r.W-1, "as of "+clock(p.at), cell.Warn)
	y := r.Y + r.H - 2
	c.Fill(cell.Rect{X: r.X + 1, Y: y, W: r.W - 2, H: 1}, cell.Text)
	c.TextCut(in.X, y, in.W, strings.TrimSuffix("× "+p.err.Error()+" · "+p.failureHint(), " · "), cell.Bad)
}

// drawFoot counts the zone on the frame's lower edge.
func (p *deadPanel) drawFoot(c *cell.Canvas, r cell.Rect) {
	s := p.app.dead
	text := fmt.Sprintf("%s, %s", counted(s.Kept, "letter"), size(s.Bytes))
	if s.Dropped > 0 {
		text += fmt.Sprintf(", %s oldest dropped", count(s.Dropped))
	}
	if s.Damaged > 0 {
		text += fmt.Sprintf(", %s", counted(s.Damaged, "damaged line"))
	}
	style := cell.Muted
	if s.Dropped+s.Damaged > 0 {
		style = cell.Warn
	}
	c.TextRight(r.X+r.W-2, r.Y+r.H-1, r.W-4, " "+text+" ", style)
}

// marks is how many groups are marked.
func (p *deadPanel) marks() int {
	n := 0
	for _, on := range p.marked {
		if on {
			n++
		}
	}
	return n
}

// drawHint names on the frame what Tab shows instead, where the window has room for one of the two panels.
func (p *deadPanel) drawHint(c *cell.Canvas, r cell.Rect) {
	g, text, style := p.app.ingest, " Tab: last requests ", cell.Muted
	switch kept := p.app.dead.Kept; {
	case p.app.cfg.Letters == nil:
		return
	case !g.rejects && kept == 0:
		text = " Tab: dead letters "
	case !g.rejects:
		text, style = " Tab: "+counted(kept, "dead letter")+" ", cell.Warn
	}
	at := cell.Rect{X: r.X + 2, Y: r.Y + r.H - 1, W: cell.Width(text), H: 1}
	c.Text(at.X, at.Y, text, style)
	p.app.zone(at, func(int, int) tea.Cmd { g.rejects = !g.rejects; return nil })
}
