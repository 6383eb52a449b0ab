package chart

import (
	"math"

	"github.com/signallake/signallake/tui/cell"
)

var sparks = [...]string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}

// Spark draws values as one row of blocks w columns wide, scaled from zero to the largest value (scale 0) or to scale. No data is a dot. It
// leaves the top eighth of the row free, so that sparklines below each other stay apart.
func Spark(c *cell.Canvas, x, y, w int, values []float64, scale float64, style cell.Style) {
	values = Buckets(values, w)
	if _, high, ok := Extent(values); scale <= 0 && ok {
		scale = high
	}
	for i, v := range values {
		switch {
		case math.IsNaN(v):
			c.Text(x+i, y, "·", cell.Faint)
		case scale <= 0 || v <= 0:
			c.Text(x+i, y, sparks[0], style)
		default:
			step := int(math.Ceil(v/scale*float64(len(sparks)-1))) - 1
			c.Text(x+i, y, sparks[min(max(step, 0), len(sparks)-2)], style)
		}
	}
}

// Bar draws a share in [0, 1] as a thin bar of at most w columns, in halves of a column.
func Bar(c *cell.Canvas, x, y, w int, share float64, style cell.Style) {
	if math.IsNaN(share) || w <= 0 {
		return
	}
	halves := int(math.Round(min(max(share, 0), 1) * float64(w) * 2))
	if halves == 0 && share > 0 {
		halves = 1
	}
	for i := range halves / 2 {
		c.Text(x+i, y, "━", style)
	}
	if halves%2 == 1 {
		c.Text(x+halves/2, y, "╸", style)
	}
}

// Columns draws values as bars h rows high standing on row y+h-1, w columns wide, scaled from zero to the largest. Nothing is drawn where there
// is nothing.
func Columns(c *cell.Canvas, r cell.Rect, values []float64, style cell.Style) {
	values = Buckets(values, r.W)
	_, high, ok := Extent(values)
	if !ok || r.H <= 0 {
		return
	}
	for i, v := range values {
		if math.IsNaN(v) || v <= 0 || high <= 0 {
			continue
		}
		eighths := max(1, int(math.Round(v/high*float64(r.H)*8)))
		for row := range r.H {
			if filled := eighths - row*8; filled > 0 {
				c.Text(r.X+i, r.Y+r.H-1-row, sparks[min(filled, 8)-1], style)
			}
		}
	}
}

// Progress draws how much of a whole is done, w columns wide.
func Progress(c *cell.Canvas, x, y, w int, share float64, style cell.Style) {
	done := int(min(max(share, 0), 1) * float64(w))
	for i := range w {
		if i < done {
			c.Text(x+i, y, "▓", style)
		} else {
			c.Text(x+i, y, "░", cell.Faint)
		}
	}
}
