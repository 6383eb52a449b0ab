package tui

import (
	"fmt"
	"math"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
)

// The shares of 5xx from which on a slot is marked.
const (
	someFail = 0.01
	manyFail = 0.05
)

// failMark is the sign below a slot: × from 5 % of 5xx on, ! from 1 %, · for any.
func failMark(failed, events float64) (string, cell.Style) {
	switch share := failed / events; {
	case failed <= 0 || events <= 0:
		return " ", cell.Text
	case share >= manyFail:
		return "×", cell.Bad
	case share >= someFail:
		return "!", cell.Warn
	}
	return "·", cell.Faint
}

// drawHistogram draws the events over the time of the range, the marks of 5xx below them, and where the cursor is.
func (p *explorePage) drawHistogram(c *cell.Canvas, r cell.Rect) {
	n := &p.counts
	title := "events over time"
	if d := n.data; d != nil && !n.old(p.subject()) {
		title = counted(d.Events, "event")
		if _, high, ok := chart.Extent(d.Counts); ok && d.Events > 0 && r.W > 90 {
			title += fmt.Sprintf(", peak %s in %s", short(high), words(time.Duration(p.slotWidth(d))*time.Microsecond))
		}
	}
	c.Box(r, title, false, p.app.theme.Colourless())
	in := cell.Rect{X: r.X + 2, Y: r.Y + 1, W: r.W - 4, H: r.H - 2}
	p.histogram = cell.Rect{}
	right := r.X + r.W - 1
	switch d := n.data; {
	case n.err != nil:
		drawWords(c, in, "× "+n.err.Error(), cell.Bad)
	case d == nil:
		c.Text(in.X, in.Y, cell.Spinner(p.app.ticks)+" counting", cell.Muted)
	case n.old(p.subject()):
		p.drawBars(c, in, d)
		c.Dim(in)
		c.OnFrame(r, title, right, cell.Spinner(p.app.ticks)+" counting", cell.Warn)
	default:
		p.drawBars(c, in, d)
		c.OnFrame(r, title, right, fitting(r.W-cell.Width(title)-8, countWords(d)), cell.Muted)
	}
}

// countWords tell what failed and what the counting cost, from the fullest wording to the shortest.
func countWords(d *sql.Counts) []string {
	failed, legend, cost := "no 5xx", "", ""
	if d.Errors > 0 {
		failed = fmt.Sprintf("5xx %s, %s", short(float64(d.Errors)), percent(float64(d.Errors)/float64(d.Events)))
		legend = "  × ≥5% ! ≥1% · some"
	}
	if d.Stats.FilesTotal > 0 {
		cost = fmt.Sprintf("counted: %d/%d files %s %s  ", d.Stats.Files, d.Stats.FilesTotal, size(d.Stats.Bytes), took(d.Stats.Elapsed))
	}
	return []string{cost + failed + legend, cost + failed, failed + legend, failed}
}

// fitting is the first of the wordings that fits into w columns, or the last.
func fitting(w int, wordings []string) string {
	for _, text := range wordings {
		if cell.Width(text) <= w {
			return text
		}
	}
	return wordings[len(wordings)-1]
}

// drawBars draws one bar for each slot. With more slots than columns a column has its slots' largest count.
func (p *explorePage) drawBars(c *cell.Canvas, r cell.Rect, d *sql.Counts) {
	marks, axis := 1, 0
	if r.H >= 4 {
		axis = 1
	}
	bars := cell.Rect{X: r.X, Y: r.Y, W: r.W, H: r.H - marks - axis}
	if bars.H < 1 || len(d.Slots) == 0 {
		return
	}
	values, failed := make([]float64, r.W), make([]float64, r.W)
	for x := range r.W {
		first, last := x*len(d.Slots)/r.W, max((x+1)*len(d.Slots)/r.W, x*len(d.Slots)/r.W+1)
		for i := first; i < last; i++ {
			values[x] = max(values[x], d.Counts[i])
			if d.Failed[i]/max(1, d.Counts[i]) >= failed[x] {
				failed[x] = d.Failed[i] / max(1, d.Counts[i])
			}
		}
	}
	chart.Columns(c, bars, values, cell.Series0)
	for x, share := range failed {
		mark, style := failMark(share, 1)
		c.Text(r.X+x, bars.Y+bars.H, mark, style|cell.Bold)
		if share >= someFail {
			for y := range bars.H {
				if at := c.At(r.X+x, bars.Y+y); at.Text != " " {
					c.Text(r.X+x, bars.Y+y, at.Text, style)
				}
			}
		}
	}
	p.histogram = cell.Rect{X: r.X, Y: bars.Y, W: r.W, H: bars.H + 1}
	p.app.zone(p.histogram, func(dx, _ int) tea.Cmd { return p.zoomTo(dx) })
	if axis > 0 {
		p.drawAxis(c, cell.Rect{X: r.X, Y: r.Y + r.H - 1, W: r.W, H: 1}, d)
	}
	if row := p.list.current(); row != nil && !p.list.old(p.subject()) { // on the frame: what is below the bars has its own signs
		if x := p.columnOf(row.Timestamp, d, r.W); x >= 0 {
			c.Text(r.X+x, r.Y+r.H, "▲", cell.Accent|cell.Bold)
		}
	}
}

// drawAxis labels the ends.
func (p *explorePage) drawAxis(c *cell.Canvas, r cell.Rect, d *sql.Counts) {
	labels := ticks(d.Slots)
	c.Text(r.X, r.Y, labels[0], cell.Muted)
	c.TextRight(r.X+r.W, r.Y, r.W, labels[len(labels)-1], cell.Muted)
}

// slotWidth is the length of a slot.
func (p *explorePage) slotWidth(d *sql.Counts) lake.Micros {
	if len(d.Slots) > 1 {
		return d.Slots[1] - d.Slots[0]
	}
	v := p.app.window.view
	return v.To - v.From
}

// columnOf is the column that an instant falls into; -1 when it lies outside.
func (p *explorePage) columnOf(at lake.Micros, d *sql.Counts, w int) int {
	length := p.slotWidth(d) * lake.Micros(len(d.Slots))
	if at < d.Slots[0] || at >= d.Slots[0]+length {
		return -1
	}
	return int(math.Floor(float64(at-d.Slots[0]) / float64(length) * float64(w)))
}

// zoomTo looks at a fifth of the range around a column of the histogram.
func (p *explorePage) zoomTo(column int) tea.Cmd {
	d := p.counts.data
	if d == nil || p.histogram.W == 0 {
		return nil
	}
	length := p.slotWidth(d) * lake.Micros(len(d.Slots))
	middle := d.Slots[0] + lake.Micros((float64(column)+0.5)/float64(p.histogram.W)*float64(length))
	span := max(minSpan, (time.Duration(length/5) * time.Microsecond).Round(time.Minute))
	return p.app.setRange(timeRange{Span: span, End: middle + lake.Micros(span.Microseconds()/2), Chosen: true})
}
