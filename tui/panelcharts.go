package tui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
)

func chartKind() panelKind {
	return panelKind{
		title: "p95 over time",
		load:  asks(sql.Panels.LatencyOverTime),
		empty: func(data any) bool {
			d := data.(*sql.LatencyOverTime)
			for _, s := range d.Series {
				if _, _, ok := chart.Extent(s.Points); ok {
					return false
				}
			}
			return true
		},
		none:  noLatencies,
		draw:  drawChart,
		enter: func(p *panel) tea.Cmd { return p.app.drill("") },
		lines: func(*panel) int { return 11 },
	}
}

func drawChart(p *panel, c *cell.Canvas, in cell.Rect) {
	data := p.data.(*sql.LatencyOverTime)
	l := chart.Lines{Label: ms, Marks: p.app.theme.Colourless()}
	for i, s := range data.Series {
		l.Series = append(l.Series, s.Points)
		l.Styles = append(l.Styles, cell.SeriesStyle(i))
	}
	if len(data.Slots) > 1 {
		l.Ticks = ticks(data.Slots)
	}
	x := in.X
	for i, s := range data.Series {
		sign := l.Sign(i)
		if x+cell.Width(s.Name)+2 > in.X+in.W {
			c.Text(min(x, in.X+in.W-1), in.Y, "…", cell.Faint)
			break
		}
		x = c.Text(x, in.Y, sign+" ", cell.SeriesStyle(i)|cell.Bold)
		x = c.Text(x, in.Y, s.Name, cell.Muted) + 2
	}
	l.Draw(c, cell.Rect{X: in.X, Y: in.Y + 1, W: in.W, H: in.H - 1})
}

// ticks labels slots with their time of day, or with their day where the slots span days.
func ticks(slots []lake.Micros) []string {
	first, last := slots[0].Time(), slots[len(slots)-1].Time()
	format := "15:04"
	switch length := last.Sub(first); {
	case length > 300*24*time.Hour:
		format = "2006-01"
	case length > 36*time.Hour:
		format = "01-02 15:04"
	}
	labels := make([]string, len(slots))
	for i, s := range slots {
		labels[i] = s.Time().Format(format)
	}
	return labels
}

func volumeKind() panelKind {
	return panelKind{
		title: "volume",
		load:  asks(sql.Panels.Volume),
		empty: func(data any) bool { return data.(*sql.Volume).Events == 0 },
		draw:  drawVolume,
		enter: func(p *panel) tea.Cmd { return p.app.drill("") },
		frame: func(p *panel, c *cell.Canvas, r cell.Rect) {
			data := p.data.(*sql.Volume)
			c.OnFrame(r, p.kind.title+"  ", r.X+r.W-1, short(float64(data.Events))+" events", cell.Muted)
		},
		foot:  (*App).drawBacklog,
		lines: func(*panel) int { return 5 },
	}
}

func drawVolume(p *panel, c *cell.Canvas, in cell.Rect) {
	data := p.data.(*sql.Volume)
	axis := 0
	if in.H >= 3 {
		axis = 1
	}
	chart.Columns(c, cell.Rect{X: in.X, Y: in.Y, W: in.W, H: in.H - axis}, data.Counts, cell.Series0)
	if axis == 0 || len(data.Slots) == 0 {
		return
	}
	labels := ticks(data.Slots)
	y := in.Y + in.H - 1
	c.Text(in.X, y, labels[0], cell.Muted)
	c.TextRight(in.X+in.W, y, in.W, labels[len(labels)-1], cell.Muted)
	if _, high, ok := chart.Extent(data.Counts); ok && in.W > 34 && len(data.Slots) > 1 {
		slot := time.Duration(data.Slots[1]-data.Slots[0]) * time.Microsecond
		text := fmt.Sprintf("peak %s in %s", short(high), words(slot))
		c.Text(in.X+(in.W-cell.Width(text))/2, y, text, cell.Muted)
	}
}

func freshnessKind() panelKind {
	return panelKind{
		title: "freshness",
		empty: func(any) bool { return false },
		draw:  drawFreshness,
		lines: func(*panel) int { return 5 },
	}
}

// drawFreshness tells how far the answers are behind the acknowledgements, and what the lake holds.
func drawFreshness(p *panel, c *cell.Canvas, in cell.Rect) {
	a := p.app
	f, s := a.fresh, a.status
	type line struct {
		name, text string
		style      cell.Style
	}
	var lines []line
	add := func(name, text string, style cell.Style) { lines = append(lines, line{name, text, style}) }
	switch {
	case f.Err != "":
		add("feed", "× "+f.Err, cell.Bad)
	case f.Loading:
		add("loading", cell.Spinner(a.ticks)+" "+loadWords(f.Load), cell.Warn)
	case f.Unseen > 0:
		add("behind", count(f.Unseen)+" events", cell.Warn)
	default:
		add("behind", "✓ nothing", cell.Good)
	}
	if f.LagP95 > 0 {
		add("lag p95", took(f.LagP95), cell.Text)
	}
	newest := "none since start"
	if f.NewestAt > 0 {
		newest = ago(f.NewestAt, a.now)
	}
	add("newest", newest, cell.Text)
	backlog := count(s.HotEvents) + " events"
	if s.Converting {
		backlog += " " + cell.Spinner(a.ticks) + " converting"
	}
	add("backlog", backlog, cell.Text)
	if s.LastError != "" {
		add("convert", "× "+s.LastError, cell.Bad)
	}
	add("parquet", fmt.Sprintf("%s in %s", short(float64(s.ParquetEvents)), counted(int64(s.ParquetFiles), "file")), cell.Text)
	add("on disk", fmt.Sprintf("%s, raw %s", size(s.ParquetBytes), size(s.RawBytes)), cell.Text)
	add("version", count(int64(s.Version)), cell.Text)
	for i, l := range lines {
		if i >= in.H {
			return
		}
		c.Text(in.X, in.Y+i, l.name, cell.Muted)
		c.TextCut(in.X+9, in.Y+i, in.W-9, l.text, l.style)
	}
}
