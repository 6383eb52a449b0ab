package tui

import (
	"context"
	"fmt"
	"math"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
)

// trend compares a number with the one before it, where more is worse: an arrow, and a look. Changes below the share are "~"; no number is "".
func trend(now, before, share float64) (string, cell.Style) {
	switch {
	case math.IsNaN(now) || math.IsNaN(before):
		return "", cell.Muted
	case now > before*(1+share) && now > before:
		return "▲", cell.Bad
	case now < before*(1-share):
		return "▼", cell.Good
	}
	return "~", cell.Muted
}

// change writes the change against the window before: ▲ +61%, ▼ -12%, ~.
func change(now, before float64) (string, cell.Style) {
	arrow, style := trend(now, before, 0.1)
	switch {
	case arrow == "" && math.IsNaN(before) && !math.IsNaN(now):
		return "new", cell.Muted
	case arrow == "" || arrow == "~" || before == 0:
		return arrow, style
	}
	percent := (now - before) / before * 100
	if percent > 999 {
		return arrow + " >999%", style
	}
	return fmt.Sprintf("%s %+.0f%%", arrow, percent), style
}

// The widths of number columns, shared so that panels line up.
const msW, deltaW, countW = 7, 8, 8

func latencyKind() panelKind {
	return panelKind{
		title: "latency by service",
		load:  asks(sql.Panels.LatencyByService),
		empty: func(data any) bool { return len(data.(*sql.LatencyByService).Rows) == 0 },
		rows:  func(data any) int { return len(data.(*sql.LatencyByService).Rows) },
		draw:  drawLatency,
		frame: latencyHeads,
		enter: func(p *panel) tea.Cmd {
			d := p.app.dash
			name := p.data.(*sql.LatencyByService).Rows[p.cursor].Service
			if d.service == name {
				return p.app.drill("") // the filter of the dashboard is the term
			}
			return d.setService(name)
		},
		lines: func(p *panel) int { return min(max(p.rowCount(), 2), 12) },
	}
}

// latencyColumns are the places of the columns: name, sparkline, then from the right events, change and percentiles.
func latencyColumns(in cell.Rect, rows []sql.ServiceLatency) (nameW, sparkX, sparkW, right int, events bool) {
	nameW = 8
	for _, row := range rows {
		nameW = max(nameW, cell.Width(row.Service))
	}
	nameW = min(nameW, max(8, in.W/4))
	numbers := 3*msW + deltaW
	if events = in.W > nameW+numbers+countW+14; events {
		numbers += countW
	}
	sparkX = in.X + nameW + 2
	sparkW = in.X + in.W - numbers - sparkX - 1
	return nameW, sparkX, sparkW, in.X + in.W, events
}

func latencyHeads(p *panel, c *cell.Canvas, r cell.Rect) {
	in := cell.Rect{X: r.X + 2, Y: r.Y + 1, W: r.W - 4, H: r.H - 2}
	_, sparkX, _, right, events := latencyColumns(in, p.data.(*sql.LatencyByService).Rows)
	heads := []struct {
		text string
		w    int
	}{{"Δp95", deltaW}, {"≈p99", msW}, {"≈p95", msW}, {"≈p50", msW}}
	if events {
		heads = append(heads, struct {
			text string
			w    int
		}{"events", countW})
	}
	for _, h := range heads {
		if right-h.w > sparkX && right-h.w > r.X+cell.Width(p.kind.title)+6 {
			c.Text(right-cell.Width(h.text)-1, r.Y, " "+h.text+" ", cell.Muted)
		}
		right -= h.w
	}
}

func drawLatency(p *panel, c *cell.Canvas, in cell.Rect) {
	rows := p.data.(*sql.LatencyByService).Rows
	nameW, sparkX, sparkW, right, events := latencyColumns(in, rows)
	top := p.window(in.H)
	for i := 0; i < in.H && top+i < len(rows); i++ {
		row, y := rows[top+i], in.Y+i
		c.TextCut(in.X, y, nameW, row.Service, cell.Text)
		text, style := change(row.P95, row.PrevP95)
		if sparkW >= 4 {
			chart.Spark(c, sparkX, y, sparkW, row.Spark, 0, cell.Accent)
		}
		c.TextRight(right, y, deltaW-1, text, style)
		x := right - deltaW
		for _, q := range []float64{row.P99, row.P95, row.P50} {
			look := cell.Text
			if math.IsNaN(q) {
				look = cell.Faint
			}
			c.TextRight(x, y, msW-1, ms(q), look)
			x -= msW
		}
		if events {
			c.TextRight(x, y, countW-1, short(float64(row.Requests)), cell.Muted)
		}
		p.mark(c, in, y, top+i)
	}
}

func slowestKind() panelKind {
	return panelKind{
		title: "slowest endpoints",
		load: asks(func(p sql.Panels, ctx context.Context, r sql.Range) (*sql.SlowestEndpoints, error) {
			return p.SlowestEndpoints(ctx, r, 50)
		}),
		empty: func(data any) bool { return len(data.(*sql.SlowestEndpoints).Rows) == 0 },
		none:  noLatencies,
		rows:  func(data any) int { return len(data.(*sql.SlowestEndpoints).Rows) },
		draw:  drawSlowest,
		frame: func(p *panel, c *cell.Canvas, r cell.Rect) {
			right := r.X + r.W - 2
			for _, h := range []struct {
				text string
				w    int
			}{{"events", countW}, {"≈p99", msW}, {"≈p95", msW}} {
				c.Text(right-cell.Width(h.text)-1, r.Y, " "+h.text+" ", cell.Muted)
				right -= h.w
			}
		},
		enter: func(p *panel) tea.Cmd {
			row := p.data.(*sql.SlowestEndpoints).Rows[p.cursor]
			name := "slow " + row.Endpoint
			if math.IsNaN(row.P95) { // none of its events has a latency
				name = row.Endpoint
			}
			return p.app.drill(name, termOf("service_name", row.Service), termOf("endpoint", row.Endpoint), slowTerm(row.Quantiles))
		},
		lines: func(p *panel) int { return min(max(p.rowCount(), 2), 8) },
	}
}

func drawSlowest(p *panel, c *cell.Canvas, in cell.Rect) {
	rows := p.data.(*sql.SlowestEndpoints).Rows
	top := p.window(in.H)
	worst := 0.0
	serviceW := 4
	for _, row := range rows {
		if !math.IsNaN(row.P95) {
			worst = max(worst, row.P95)
		}
		serviceW = max(serviceW, cell.Width(row.Service))
	}
	serviceW = min(serviceW, in.W/5)
	for i := 0; i < in.H && top+i < len(rows); i++ {
		row, y := rows[top+i], in.Y+i
		x := in.X + in.W
		c.TextRight(x, y, countW-1, short(float64(row.Requests)), cell.Muted)
		c.TextRight(x-countW, y, msW-1, ms(row.P99), cell.Text)
		c.TextRight(x-countW-msW, y, msW-1, ms(row.P95), cell.Text|cell.Bold)
		room := in.W - countW - 2*msW
		c.TextCut(in.X, y, serviceW, row.Service, cell.Muted)
		nameX := in.X + serviceW + 1
		barW := min(10, room-serviceW-22)
		nameW := room - serviceW - 2
		if barW > 3 {
			nameW -= barW + 1
			chart.Bar(c, in.X+room-barW-1, y, barW, row.P95/worst, cell.Accent)
		}
		c.TextCut(nameX, y, nameW, row.Endpoint, cell.Text)
		p.mark(c, in, y, top+i)
	}
}
