package tui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
)

// benchListWidth is the width of the list of reports, where the window has room for it.
const benchListWidth = 40

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
	main := r
	if r.W >= gridWidth && len(p.reports) > 1 {
		main.W -= benchListWidth
		p.drawList(c, cell.Rect{X: r.X + main.W, Y: r.Y, W: benchListWidth, H: r.H})
	}
	c.Box(main, p.title(), true, p.app.theme.Colourless())
	in := cell.Rect{X: main.X + 2, Y: main.Y + 1, W: main.W - 4, H: main.H - 2}
	rows := p.rows(in.W)
	p.lines, p.page = len(rows), in.H
	p.wheel(0, 0, 0)
	old := c.Clip(in)
	for i := range min(in.H, len(rows)-p.top) {
		rows[p.top+i](c, in.X, in.Y+i, in.W)
	}
	c.Restore(old)
	if below := p.lines - p.page - p.top; below > 0 {
		c.Text(main.X+2, main.Y+main.H-1, fmt.Sprintf(" ↓ %s more ", counted(int64(below), "row")), cell.Muted)
	}
	if p.report() == nil {
		p.app.zone(in, func(int, int) tea.Cmd { return p.begin() })
	}
}

// title names the report at hand and its place among the others.
func (p *benchPage) title() string {
	i := p.at()
	if i < 0 {
		return "bench"
	}
	title := "bench: " + stamp(p.reports[i].At)
	if n := len(p.reports); n > 1 {
		title += fmt.Sprintf(", report %d of %d", i+1, n)
	}
	return title
}

// rows is everything there is to say, top to bottom: the run in flight, the report, its words.
func (p *benchPage) rows(w int) []benchRow {
	var rows []benchRow
	if j, ok := p.newest(); ok && (!j.Ended() || j.State == Failed) {
		rows = append(rows, p.runRows(j, w)...)
	}
	if p.err != nil {
		rows = append(rows, wrappedRows("× earlier reports: "+p.err.Error(), w, cell.Bad)...)
	}
	r := p.report()
	switch {
	case r != nil:
		return append(rows, p.reportRows(r, w)...)
	case p.flying || !p.read:
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
	blank := textRow("", cell.Text)
	rows := []benchRow{textRow("No benchmark has run yet.", cell.Text|cell.Bold), blank}
	rows = append(rows, wrappedRows("It asks one question, the p95 latency of a service on a day, of the same events laid out in several ways, for every service and day: "+
		"in one file, in a Hive tree found by a pattern, in the same tree by the catalog's list. It proves that the answers are the same, and shows files, bytes and time "+
		"of each: what the partitions and the catalog are worth.", min(w, 100), cell.Text)...)
	rows = append(rows, blank)
	rows = append(rows, wrappedRows("1,000,000 events in a scratch lake: about a minute, 600 MB of disk that are given back, nothing of this lake is touched. This lake: "+
		"its own events, and one more file as large as its Parquet.", min(w, 100), cell.Muted)...)
	if _, ok := p.running(); ok {
		return rows
	}
	rows = append(rows, blank)
	if why := p.cannot(); why != "" {
		return append(rows, wrappedRows("a  benchmark: "+why, w, cell.Faint)...)
	}
	return append(rows, func(c *cell.Canvas, x, y, _ int) {
		end := c.Text(x, y, " a ", cell.OnAccent|cell.Active|cell.Bold)
		c.Text(end+1, y, "run a benchmark", cell.Text|cell.Bold)
	})
}

// reportRows are a report: what was asked, the ladder warm and cold, and the findings.
func (p *benchPage) reportRows(r *bench.Report, w int) []benchRow {
	blank := textRow("", cell.Text)
	rows := append(wrappedRows(dataWords(r), w, cell.Text), wrappedRows(machineWords(r), w, cell.Muted)...)
	base := p.base()
	if base != nil {
		text := "compared with " + stamp(base.At)
		if !r.Comparable(base) {
			text += ": other data or another machine, so the numbers say little"
		}
		rows = append(rows, wrappedRows(text, w, cell.Muted)...)
	}
	for _, cold := range []bool{false, true} {
		var rungs []bench.Rung
		var slowest time.Duration
		for _, rung := range r.Rungs {
			if rung.Cold == cold {
				rungs = append(rungs, rung)
				slowest = max(slowest, rung.Median)
			}
		}
		if len(rungs) == 0 {
			continue
		}
		name := "warm"
		if cold {
			name = "cold"
		}
		cols, change := benchColumns(w), ""
		switch {
		case base != nil && p.against.IsZero():
			change = "vs last"
		case base != nil:
			change = "change"
		}
		rows = append(rows, blank, func(c *cell.Canvas, x, y, _ int) { cols.head(c, x, y, name, change) })
		for i := range rungs {
			rows = append(rows, func(c *cell.Canvas, x, y, _ int) { p.drawRung(c, x, y, cols, &rungs[i], &rungs[0], slowest) })
		}
	}
	if r.Cold.Why != "" {
		rows = append(rows, wrappedRows("no cold runs: "+r.Cold.Why, w, cell.Muted)...)
	}
	rows = append(rows, blank)
	if !p.said.done {
		return append(rows, textRow(cell.Spinner(p.app.ticks)+" reading the numbers", cell.Muted))
	}
	for _, finding := range p.said.findings {
		for i, line := range cell.Wrap(finding, min(w, 120)-2) {
			mark := "  "
			if i == 0 {
				mark = "· "
			}
			rows = append(rows, textRow(mark+line, cell.Text))
		}
	}
	return rows
}

// columns are the ladder's columns at a width: where each ends, or for the name and the bar how wide it is.
type columns struct{ name, files, bytes, median, bar, barW, ratio, laps, same, change int }

// benchColumns lays the ladder out in w columns; what is left over goes to the names, then to the bars.
func benchColumns(w int) columns {
	spare := max(0, w-76)
	col := columns{name: 17 + min(spare, 20)}
	spare = max(0, spare-20)
	ratio := 0
	if spare >= 8 {
		ratio = 8
		spare -= ratio
	}
	col.barW = 8 + min(spare, 40)
	col.files = col.name + 9
	col.bytes = col.files + 8
	col.median = col.bytes + 8
	col.bar = col.median + 1
	col.laps = col.bar + col.barW + 12
	if ratio > 0 {
		col.ratio = col.bar + col.barW + ratio
		col.laps += ratio
	}
	col.same = col.laps + 5
	col.change = col.same + 8
	return col
}

func (col columns) head(c *cell.Canvas, x, y int, name, change string) {
	const style = cell.Muted | cell.Bold
	c.TextCut(x, y, col.name, name, style)
	right := func(at int, text string) { c.TextRight(x+at, y, 20, text, style) }
	right(col.files, "files")
	right(col.bytes, "bytes")
	right(col.median, "median")
	if col.ratio > 0 {
		right(col.ratio, "of 1 file")
	}
	right(col.laps, "best–worst")
	right(col.same, "same")
	right(col.change, change)
}

// drawRung draws one way to answer the question. first is what the others are compared with.
func (p *benchPage) drawRung(c *cell.Canvas, x, y int, col columns, r, first *bench.Rung, slowest time.Duration) {
	name := rungName(r)
	if cell.Width(r.Title) < col.name && r.Title != "" {
		name = r.Title
	}
	c.TextCut(x, y, col.name-1, name, cell.Text|cell.Bold)
	c.TextRight(x+col.files, y, 9, files(r), cell.Text)
	c.TextRight(x+col.bytes, y, 8, size(r.Bytes), cell.Text)
	c.TextRight(x+col.median, y, 8, lap(r.Median), cell.Text|cell.Bold)
	style := cell.Accent
	if r.Median < first.Median {
		style = cell.Good
	} else if r.Median > first.Median {
		style = cell.Warn
	}
	if slowest > 0 {
		chart.Bar(c, x+col.bar, y, col.barW, float64(r.Median)/float64(slowest), style)
	}
	if col.ratio > 0 && first.Median > 0 {
		c.TextRight(x+col.ratio, y, 8, fmt.Sprintf("%.2fx", float64(r.Median)/float64(first.Median)), style)
	}
	c.TextRight(x+col.laps, y, 14, laps(r.Best, r.Worst), cell.Muted)
	sign, look := "✓", cell.Good
	if !r.Same {
		sign, look = "×", cell.Bad|cell.Bold
	}
	c.TextRight(x+col.same, y, 1, sign, look)
	if change, ok := p.change(r); ok {
		text, look := changeWords(change)
		c.TextRight(x+col.change, y, 7, text, look)
	}
}

// drawList lists the reports, newest first.
func (p *benchPage) drawList(c *cell.Canvas, r cell.Rect) {
	c.Box(r, "reports", false, p.app.theme.Colourless())
	in := cell.Rect{X: r.X + 2, Y: r.Y + 1, W: r.W - 4, H: r.H - 2}
	each := 2
	page := max(1, in.H/each)
	top := max(0, min(p.at()-page/2, len(p.reports)-page))
	base := p.base()
	for i := 0; i < page && top+i < len(p.reports); i++ {
		report, y := &p.reports[top+i], in.Y+i*each
		sign := ""
		if base != nil && base.At.Equal(report.At) {
			sign = "  compared with"
		}
		c.TextCut(in.X, y, in.W, stamp(report.At)+sign, cell.Text|cell.Bold)
		c.TextCut(in.X, y+1, in.W, benchTitle(report), cell.Muted)
		if top+i == p.at() {
			c.Text(in.X-1, y, "▸", cell.Accent)
			c.Paint(cell.Rect{X: in.X - 1, Y: y, W: in.W + 2, H: 1}, cell.Selected)
		}
	}
	p.app.zone(in, func(_, dy int) tea.Cmd { return p.show(top + dy/each) })
}
