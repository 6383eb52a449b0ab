package chart

import (
	"math"
	"strings"

	"github.com/guptarohit/asciigraph"

	"github.com/signallake/signallake/tui/cell"
)

// Lines is a chart of several series over the same slots.
type Lines struct {
	Series [][]float64
	Styles []cell.Style               // one a series
	Label  func(value float64) string // of the vertical axis
	Ticks  []string                   // below the chart, spread over its width; empty: no axis
	Marks  bool                       // there are no colours: lines are told apart by their signs
}

// signs are the lines' signs where colours cannot tell them apart.
var signs = [...]string{"*", "o", "+", "x", "#", "%"}

// Sign stands for a series in a legend.
func (l *Lines) Sign(i int) string {
	if l.Marks {
		return signs[i%len(signs)]
	}
	return "●"
}

// firstColor is what we tell asciigraph for series 0: a number of the 256 colours, which it writes as it stands. It is our own mark in its
// output, never a colour on the screen.
const firstColor = 100

var asciiCharSet = asciigraph.CharSet{Horizontal: "-", VerticalLine: "|", ArcDownRight: ".", ArcDownLeft: ".", ArcUpRight: "`", ArcUpLeft: "'", EndCap: "-", StartCap: "-", UpRight: "+", DownHorizontal: "+"}

// Draw draws the chart into r. The first series is drawn last, so that it lies on top. It draws nothing when there is no number at all.
func (l *Lines) Draw(c *cell.Canvas, r cell.Rect) {
	_, high, ok := Extent(l.Series...)
	axis := 0
	if len(l.Ticks) > 0 && r.H > 4 {
		axis = 1
	}
	rows := r.H - axis
	if !ok || rows < 2 {
		return
	}
	step := niceStep(high / float64(rows-1))
	label := func(v float64) string {
		if n := int(math.Round(v / step)); rows > 10 && n%2 == 1 {
			return "" // every other row is enough to read by
		}
		return l.Label(v)
	}
	labels := labelWidth(label, step, rows)
	cols := r.W - labels - 3
	if cols < 4 {
		return
	}
	var data [][]float64
	var colors []asciigraph.AnsiColor
	var chars []asciigraph.CharSet
	for i := len(l.Series) - 1; i >= 0; i-- {
		points := Buckets(l.Series[i], cols+1)
		if _, _, has := Extent(points); has {
			data = append(data, points)
			colors = append(colors, asciigraph.AnsiColor(firstColor+i))
			set := asciigraph.DefaultCharSet
			if c.ASCII {
				set = asciiCharSet
			}
			if l.Marks {
				set = asciigraph.CreateCharSet(l.Sign(i))
			}
			chars = append(chars, set)
		}
	}
	text := asciigraph.PlotMany(data, asciigraph.Height(rows-1), asciigraph.LowerBound(0), asciigraph.UpperBound(step*float64(rows-1)), asciigraph.SeriesColors(colors...),
		asciigraph.SeriesChars(chars...), asciigraph.Offset(3), asciigraph.YAxisValueFormatter(func(v float64) string {
			return cell.PadLeft(label(math.Abs(math.Round(v/step))*step), labels) // its sums miss the multiples of step by a hair
		}))
	lines := strings.Split(text, "\n")
	for i, line := range lines[max(0, len(lines)-rows):] {
		l.line(c, r, r.Y+i, labels, line)
	}
	if axis > 0 {
		l.ticks(c, cell.Rect{X: r.X + labels + 2, Y: r.Y + r.H - 1, W: cols + 1, H: 1})
	}
}

// labelWidth is the width of the widest label.
func labelWidth(label func(float64) string, step float64, rows int) int {
	w := 0
	for i := range rows {
		w = max(w, cell.Width(label(step*float64(i))))
	}
	return w
}

// line copies one line of asciigraph's output, whose only escape sequences are the colours that stand for our series.
func (l *Lines) line(c *cell.Canvas, r cell.Rect, y, labels int, text string) {
	style, x, old := cell.Faint, r.X, c.Clip(r)
	defer c.Restore(old)
	for len(text) > 0 {
		if code, rest, ok := takeColor(text); ok {
			style, text = l.styleOf(code), rest
			continue
		}
		end := strings.IndexByte(text, 0x1b)
		if end < 0 {
			end = len(text)
		}
		x, text = l.text(c, x, y, r.X+labels+3, text[:end], style), text[end:]
	}
}

// text draws a piece of a line; the axis and its labels (left of edge) have their own look.
func (l *Lines) text(c *cell.Canvas, x, y, edge int, s string, style cell.Style) int {
	for _, ch := range s {
		look := style
		if x < edge-1 && style == cell.Faint {
			look = cell.Muted
		}
		if ch == '┤' || ch == '┼' {
			look = cell.Faint
		}
		if ch == ' ' {
			x++
			continue
		}
		x = c.Text(x, y, string(ch), look)
	}
	return x
}

// takeColor reads a colour sequence at the start of text.
func takeColor(text string) (code int, rest string, ok bool) {
	if !strings.HasPrefix(text, "\x1b[") {
		return 0, text, false
	}
	end := strings.IndexByte(text, 'm')
	if end < 0 {
		return 0, "", true
	}
	for _, part := range strings.Split(text[2:end], ";") {
		code = 0
		for _, d := range part {
			code = code*10 + int(d-'0')
		}
	}
	return code, text[end+1:], true
}

func (l *Lines) styleOf(code int) cell.Style {
	if i := code - firstColor; i >= 0 && i < len(l.Styles) {
		return l.Styles[i]
	}
	return cell.Faint
}

func (l *Lines) ticks(c *cell.Canvas, r cell.Rect) {
	n := min(len(l.Ticks), max(2, r.W/14))
	free := r.X
	for i := range n {
		label := l.Ticks[i*(len(l.Ticks)-1)/max(1, n-1)]
		x := r.X + i*(r.W-1)/max(1, n-1) - cell.Width(label)/2
		x = min(max(x, r.X), r.X+r.W-cell.Width(label))
		if x >= free {
			free = c.Text(x, r.Y, label, cell.Muted) + 2
		}
	}
}

// niceStep is the next number at or above v with one leading digit out of 1, 2, 2.5, 5: the rows of the vertical axis are multiples of it.
func niceStep(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 2, 2.5, 5} {
		if v <= step*unit {
			return step * unit
		}
	}
	return 10 * unit
}
