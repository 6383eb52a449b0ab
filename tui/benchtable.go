package tui

import (
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
)

// verdictSign is a verdict as a sign, a short word and a colour.
func verdictSign(v bench.Verdict) (sign, word string, style cell.Style) {
	switch v {
	case bench.Fail:
		return "×", "FAIL", cell.Bad | cell.Bold
	case bench.Pass:
		return "✓", "pass", cell.Good
	case bench.Reached, bench.Excellent:
		return "◆", "reached", cell.Good | cell.Bold
	case bench.NotMeasured:
		return "?", "no data", cell.Warn
	}
	return "·", "no goal", cell.Muted
}

// rows are a report: what was measured, the table, how the stages grow, and the findings; or one line alone.
func (s *pipelineSuite) rows(w int) []benchRow {
	r, blank := s.report(), textRow("", cell.Text)
	if l := s.line(); s.opened && l != nil {
		return s.lineRows(l, w)
	}
	rows := append(wrappedRows(pipelineHead(r), w, cell.Text), wrappedRows(machineWords(&r.Machine), w, cell.Muted)...)
	if text := s.comparison(); text != "" {
		rows = append(rows, wrappedRows(text, w, cell.Muted)...)
	}
	cols, change := pipelineColumns(w), s.changeHead()
	rows = append(rows, tallyRow(r.Tally()), blank, func(c *cell.Canvas, x, y, _ int) { cols.head(c, x, y, change) })
	s.first = len(rows)
	for i := range r.Lines {
		rows = append(rows, func(c *cell.Canvas, x, y, w int) { s.drawLine(c, x, y, w, cols, r, i) })
	}
	rows = append(rows, growthRows(r, w)...)
	rows = append(rows, s.saidRows(w)...)
	if len(r.Cached) > 0 {
		rows = append(rows, blank, textRow("kept from one round to the next", cell.Muted|cell.Bold))
	}
	for _, text := range r.Cached {
		rows = append(rows, pointRows(text, w, cell.Muted)...)
	}
	return rows
}

// tallyRow counts the verdicts.
func tallyRow(t bench.Tally) benchRow {
	return func(c *cell.Canvas, x, y, w int) {
		if t.Judged == 0 {
			c.TextCut(x, y, w, "nothing here is held to a goal", cell.Muted)
			return
		}
		for _, part := range []struct {
			n       int
			verdict bench.Verdict
			word    string
		}{{t.Passed, bench.Pass, fmt.Sprintf("%d of %s met", t.Passed, counted(int64(t.Judged), "goal"))}, {t.Reached, bench.Reached, fmt.Sprintf("%d reached", t.Reached)},
			{t.Failed, bench.Fail, fmt.Sprintf("%d FAIL", t.Failed)}} {
			if part.n > 0 {
				sign, _, style := verdictSign(part.verdict)
				x = c.Text(x, y, sign+" "+part.word, style) + 3
			}
		}
	}
}

// pipelineCols are the table's columns at a width: where each ends, for the verdict where it begins; 0: there is no room for it.
type pipelineCols struct{ name, title, titleW, ours, reference, ratio, goal, reach, bar, barW, verdict, change int }

// amountWidth is how wide a side's median may be.
const amountWidth = 16

// pipelineColumns lays the table out in w columns: first the verdict, then as there is room the goal, the change, the reference, the reach, a bar and the
// titles.
func pipelineColumns(w int) pipelineCols {
	spare := w - 54
	take := func(n int) int {
		if spare < n {
			return 0
		}
		spare -= n
		return n
	}
	goal, change, reference, reach, bar := take(12), take(9), take(amountWidth+1), take(11), take(12)
	col := pipelineCols{name: 18}
	at := col.name
	if spare >= 16 {
		col.title, col.titleW = at, min(spare, 56)
		at += col.titleW
		bar += min(spare-col.titleW, 24)
	}
	next := func(n int) int { at += n; return at }
	col.ours = next(17)
	if reference > 0 {
		col.reference = next(reference)
	}
	col.ratio = next(8)
	if goal > 0 {
		col.goal = next(goal)
	}
	if reach > 0 {
		col.reach = next(reach)
	}
	if bar > 0 {
		col.bar, col.barW = at+2, bar-2
		at += bar
	}
	col.verdict = at + 2
	if change > 0 {
		col.change = col.verdict + 8 + change
	}
	return col
}

func (col pipelineCols) head(c *cell.Canvas, x, y int, change string) {
	const style = cell.Muted | cell.Bold
	right := func(at int, text string) {
		if at > 0 {
			c.TextRight(x+at, y, 20, text, style)
		}
	}
	c.Text(x, y, "stage", style)
	right(col.ours, "ours")
	right(col.reference, "reference")
	right(col.ratio, "ratio")
	right(col.goal, "goal")
	right(col.reach, "reach")
	c.Text(x+col.verdict, y, "verdict", style)
	right(col.change, change)
}

// drawLine draws a line of the table.
func (s *pipelineSuite) drawLine(c *cell.Canvas, x, y, w int, col pipelineCols, p *bench.Pipeline, i int) {
	l := &p.Lines[i]
	sign, word, style := verdictSign(l.Verdict())
	right := func(at, w int, text string, style cell.Style) {
		if at > 0 {
			c.TextRight(x+at, y, w, text, style)
		}
	}
	c.TextCut(x, y, col.name-1, p.Label(l), cell.Text|cell.Bold)
	if col.titleW > 0 {
		c.TextCut(x+col.title, y, col.titleW-1, l.Title, cell.Muted)
	}
	right(col.ours, amountWidth, measured(&l.Ours, l.Unit), cell.Text)
	if l.Reference != nil {
		right(col.reference, amountWidth, measured(l.Reference, l.Unit), cell.Muted)
		right(col.ratio, 8, l.ValueWords(), cell.Text|cell.Bold)
	}
	right(col.goal, 11, l.GoalWords(), cell.Muted)
	right(col.reach, 10, l.ReachWords(), cell.Muted)
	if col.barW > 0 {
		goalBar(c, x+col.bar, y, col.barW, l)
	}
	c.Text(x+col.verdict, y, sign+" "+word, style)
	if change, ok := s.changeOf(l.Name, l.Events, false); ok {
		text, look := changeWords(change)
		if change.Worse() {
			text += "!" // where there is no colour: the sign tells the way, and either may be for the worse
		}
		right(col.change, 8, text, look)
	}
	if i == s.cursorAt() {
		c.Text(x-1, y, "▸", cell.Accent)
		c.Paint(cell.Rect{X: x - 1, Y: y, W: w + 2, H: 1}, cell.Selected)
	}
	s.app.rowZone(cell.Rect{X: x, Y: y, W: w, H: 1}, func(int, int) tea.Cmd { s.selected = keyOf(l); return nil })
}

// measured is a side's median in its column; "-" where nothing was measured.
func measured(m *bench.Measure, unit string) string {
	if m.Median <= 0 {
		return "-"
	}
	if text := bench.Amount(m.Median, unit); cell.Width(text) <= amountWidth {
		return text
	}
	return bench.Brief(int64(m.Median)) + " " + unit // no digit may be lost to an ellipsis
}

// goalBar draws how far a line is on the way to its reach, or to twice its goal where nothing is said to be excellent; a tick stands where the goal is.
func goalBar(c *cell.Canvas, x, y, w int, l *bench.Line) {
	value, ok := l.Value()
	if l.Goal == nil || !ok {
		return
	}
	full := 2.0
	if l.Reach != nil {
		if v := l.Goal.Times(max(l.Reach.AtLeast, l.Reach.AtMost)); v > 1 {
			full = v
		}
	}
	_, _, style := verdictSign(l.Verdict())
	chart.Bar(c, x, y, w, l.Goal.Times(value)/full, style)
	c.Text(x+min(w-1, int(float64(w)/full)), y, "│", cell.Text)
}

// growthRows are how the stages grow, under their header; nil when nothing is known about it.
func growthRows(p *bench.Pipeline, w int) []benchRow {
	if len(p.Growth) == 0 {
		return nil
	}
	const name = 15
	medians := min(w-name-10-9-11, 44) // wider, the eye would lose the row
	draw := func(label, said, exponent, bound string, look, second cell.Style, v *bench.Verdict) benchRow {
		return func(c *cell.Canvas, x, y, _ int) {
			c.TextCut(x, y, name-1, label, look)
			c.TextCut(x+name, y, medians, said, second)
			c.TextRight(x+name+medians+10, y, 9, exponent, look)
			c.TextRight(x+name+medians+19, y, 8, bound, second)
			if v != nil {
				sign, word, style := verdictSign(*v)
				c.Text(x+name+medians+21, y, sign+" "+word, style)
			}
		}
	}
	rows := []benchRow{textRow("", cell.Text), draw("growth", "medians", "exponent", "at most", cell.Muted|cell.Bold, cell.Muted|cell.Bold, nil)}
	for i := range p.Growth {
		g := &p.Growth[i]
		var said []string
		for j := range min(len(g.Medians), len(g.Events)) {
			said = append(said, bench.Brief(g.Events[j])+" "+bench.Amount(g.Medians[j], ""))
		}
		bound, v := "", g.Verdict()
		if g.AtMost != 0 {
			bound = strconv.FormatFloat(g.AtMost, 'f', 2, 64)
		}
		rows = append(rows, draw(g.Name, strings.Join(said, "  ")+" "+g.Unit, strconv.FormatFloat(g.Exponent, 'f', 2, 64), bound, cell.Text|cell.Bold, cell.Muted, &v))
	}
	return rows
}
