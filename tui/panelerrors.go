package tui

import (
	"fmt"
	"math"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
)

// errorHead is how many lines the rate and its chart take above the endpoints.
const errorHead = 2

func errorsKind() panelKind {
	return panelKind{
		title: "error rate",
		load:  asks(sql.Panels.ErrorRate),
		empty: func(data any) bool { return data.(*sql.ErrorRate).HTTP == 0 },
		rows:  func(data any) int { return len(data.(*sql.ErrorRate).Endpoints) },
		draw:  drawErrors,
		frame: func(p *panel, c *cell.Canvas, r cell.Rect) {
			data := p.data.(*sql.ErrorRate)
			c.OnFrame(r, p.kind.title+"  ", r.X+r.W-1, fmt.Sprintf("%s of %s", short(float64(data.Errors)), short(float64(data.HTTP))), cell.Muted)
		},
		enter: func(p *panel) tea.Cmd {
			row := p.data.(*sql.ErrorRate).Endpoints[p.cursor]
			return p.app.drill("5xx of "+row.Endpoint, termOf("service_name", row.Service), termOf("endpoint", row.Endpoint), "status>=500")
		},
		lines: func(p *panel) int { return errorHead + min(max(p.rowCount(), 1), 6) },
	}
}

func drawErrors(p *panel, c *cell.Canvas, in cell.Rect) {
	data := p.data.(*sql.ErrorRate)
	style := cell.Good
	if data.Rate >= 0.01 {
		style = cell.Bad
	} else if data.Rate > 0.001 {
		style = cell.Warn
	}
	x := c.Text(in.X, in.Y, percent(data.Rate), style|cell.Bold)
	if arrow, look := trend(data.Rate, data.Prev, 0.1); arrow != "" {
		text := arrow
		if arrow != "~" {
			text = fmt.Sprintf("%s %+.2f", arrow, (data.Rate-data.Prev)*100)
		}
		x = c.Text(x+2, in.Y, text, look)
	}
	x = c.Text(x+2, in.Y, "5xx", cell.Muted) + 2
	if w := in.X + in.W - x; w > 6 {
		chart.Spark(c, x, in.Y, w, data.Spark, 0, cell.Bad)
	}
	body := cell.Rect{X: in.X, Y: in.Y + errorHead, W: in.W, H: in.H - errorHead}
	if len(data.Endpoints) == 0 && body.H > 0 {
		c.Text(body.X, body.Y, "✓ no endpoint has errors", cell.Good)
	}
	top := p.window(body.H)
	serviceW := 4
	for _, row := range data.Endpoints {
		serviceW = max(serviceW, cell.Width(row.Service))
	}
	serviceW = min(serviceW, in.W/4)
	for i := 0; i < body.H && top+i < len(data.Endpoints); i++ {
		row, y := data.Endpoints[top+i], body.Y+i
		right := in.X + in.W
		regionW := 0
		if in.W >= 64 {
			regionW = 14
			c.TextRight(right, y, regionW-1, row.WorstRegion, cell.Muted)
		}
		c.TextRight(right-regionW, y, countW-1, short(float64(row.Errors)), cell.Muted)
		c.TextRight(right-regionW-countW, y, 7, percent(row.Rate), cell.Text|cell.Bold)
		c.TextCut(in.X, y, serviceW, row.Service, cell.Muted)
		c.TextCut(in.X+serviceW+1, y, in.W-regionW-countW-8-serviceW-2, row.Endpoint, cell.Text)
		p.mark(c, in, y, top+i)
	}
}

func regionsKind() panelKind {
	return panelKind{
		title: "5xx by region",
		load:  asks(sql.Panels.ErrorsByRegion),
		empty: func(data any) bool { return len(data.(*sql.ErrorsByRegion).Rows) == 0 },
		rows:  func(data any) int { return len(data.(*sql.ErrorsByRegion).Rows) },
		draw:  drawRegions,
		frame: func(p *panel, c *cell.Canvas, r cell.Rect) {
			right := r.X + r.W - 2
			for _, h := range []struct {
				text string
				w    int
			}{{"rate", 8}, {"5xx", countW}, {"share", 7}} {
				c.Text(right-cell.Width(h.text)-1, r.Y, " "+h.text+" ", cell.Muted)
				right -= h.w
			}
		},
		enter: func(p *panel) tea.Cmd {
			row := p.data.(*sql.ErrorsByRegion).Rows[p.cursor]
			return p.app.drill("5xx in "+row.Region, termOf("region", row.Region), "status>=500")
		},
		lines: func(p *panel) int { return min(max(p.rowCount(), 2), 8) },
	}
}

func drawRegions(p *panel, c *cell.Canvas, in cell.Rect) {
	rows := p.data.(*sql.ErrorsByRegion).Rows
	nameW := 8
	for _, row := range rows {
		nameW = max(nameW, cell.Width(row.Region))
	}
	nameW = min(nameW, in.W/3)
	top := p.window(in.H)
	for i := 0; i < in.H && top+i < len(rows); i++ {
		row, y := rows[top+i], in.Y+i
		right := in.X + in.W
		c.TextRight(right, y, 7, percent(row.Rate), cell.Muted)
		c.TextRight(right-8, y, countW-1, short(float64(row.Errors)), cell.Text)
		share := none
		if !math.IsNaN(row.OfErrors) {
			share = fmt.Sprintf("%.0f%%", row.OfErrors*100)
		}
		c.TextRight(right-8-countW, y, 6, share, cell.Text|cell.Bold)
		c.TextCut(in.X, y, nameW, row.Region, cell.Text)
		barX := in.X + nameW + 1
		chart.Bar(c, barX, y, right-8-countW-7-barX-1, row.OfErrors, cell.Bad)
		p.mark(c, in, y, top+i)
	}
}
