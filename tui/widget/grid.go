package widget

import (
	"fmt"
	"strconv"

	"github.com/signallake/signallake/tui/cell"
)

// Grid shows a window of any number of rows. It asks for the cells in sight alone, so its cost does not depend on how many there are.
type Grid struct {
	Heads []string
	Right []bool // columns that align to the right: numbers
	Rows  int
	At    func(row, col int) (text string, null bool)
	// SortBy is the column that the rows are ordered by, -1 for none; Descending is its direction. The grid shows them; it does not sort.
	SortBy     int
	Descending bool

	row, col  int // the cursor
	top, left int // first row and column in sight
	widths    []int
	page      int // rows in sight when last drawn
	shown     []shownColumn
}

type shownColumn struct{ col, x, w int }

const (
	sampledRows  = 400 // rows that column widths are taken from, spread over all of them
	maxColWidth  = 44  // wider text is cut; the record view shows all of it
	columnMargin = 2
)

// NewGrid is a grid over rows.
func NewGrid(heads []string, right []bool, rows int, at func(row, col int) (string, bool)) *Grid {
	g := &Grid{Heads: heads, Right: right, Rows: rows, At: at, SortBy: -1}
	g.Measure()
	return g
}

// Measure sizes the columns anew.
func (g *Grid) Measure() {
	g.widths = make([]int, len(g.Heads))
	for col, head := range g.Heads {
		w := cell.Width(head) + 2 // room for the sort mark
		samples := min(g.Rows, sampledRows)
		for i := range samples {
			row := i * (g.Rows - 1) / max(1, samples-1) // the first and the last are among them
			text, null := g.At(row, col)
			if null {
				text = "null"
			}
			w = max(w, cell.Width(text))
		}
		g.widths[col] = min(w, maxColWidth)
	}
}

// Cursor is the row and the column at hand.
func (g *Grid) Cursor() (row, col int) { return g.row, g.col }

// Window is the first and last row in sight, one-based.
func (g *Grid) Window() (first, last int) {
	return min(g.top+1, g.Rows), min(g.top+max(1, g.page), g.Rows)
}

// Key takes a moving key and tells whether it was one.
func (g *Grid) Key(name string) bool {
	switch name {
	case "up", "k":
		g.row--
	case "down", "j":
		g.row++
	case "left", "h":
		g.col--
	case "right", "l":
		g.col++
	case "pgup", "ctrl+u":
		g.row -= max(1, g.page-1)
	case "pgdown", "ctrl+d":
		g.row += max(1, g.page-1)
	case "g", "ctrl+home":
		g.row = 0
	case "G", "ctrl+end":
		g.row = g.Rows - 1
	case "home":
		g.col = 0
	case "end":
		g.col = len(g.Heads) - 1
	default:
		return false
	}
	g.clamp()
	return true
}

// Scroll moves the cursor by n rows.
func (g *Grid) Scroll(n int) {
	g.row += n
	g.clamp()
}

// Go puts the cursor on a row.
func (g *Grid) Go(row int) {
	g.row = row
	g.clamp()
}

func (g *Grid) clamp() {
	g.row = max(0, min(g.row, g.Rows-1))
	g.col = max(0, min(g.col, len(g.Heads)-1))
}

// Click moves the cursor to the cell at (dx, dy) within the rectangle last drawn; head tells that the heading was hit.
func (g *Grid) Click(dx, dy int) (head bool) {
	for _, s := range g.shown {
		if dx >= s.x-1 && dx < s.x+s.w+1 {
			g.col = s.col
		}
	}
	if dy == 0 {
		return true
	}
	g.row = g.top + dy - 1
	g.clamp()
	return false
}

// Draw draws the heading and the rows in sight into r.
func (g *Grid) Draw(c *cell.Canvas, r cell.Rect, focused bool) {
	if r.H < 2 || len(g.Heads) == 0 {
		return
	}
	g.page = r.H - 1
	g.clamp()
	g.top = max(0, min(max(g.top, g.row-g.page+1), g.row))
	g.top = max(0, min(g.top, g.Rows-g.page))
	gutter := max(3, len(strconv.Itoa(max(1, g.Rows)))) + 1
	g.layout(r.W-gutter-1, gutter+1)
	old := c.Clip(r)
	defer c.Restore(old)
	for _, s := range g.shown {
		g.head(c, r, s)
	}
	for i := range g.page {
		row := g.top + i
		if row >= g.Rows {
			break
		}
		y := r.Y + 1 + i
		c.TextRight(r.X+gutter, y, gutter, strconv.Itoa(row+1), cell.Faint)
		for _, s := range g.shown {
			g.cell(c, r, s, row, y)
		}
		if row == g.row {
			g.paintCursor(c, r, y, gutter, focused)
		}
	}
}

// layout chooses the columns in sight: from left on, so that the cursor's column is among them.
func (g *Grid) layout(w, x0 int) {
	g.left = max(0, min(g.left, g.col))
	for ; g.left < g.col; g.left++ {
		used := 0
		for col := g.left; col <= g.col; col++ {
			used += g.widths[col] + columnMargin
		}
		if used-columnMargin <= w {
			break
		}
	}
	g.shown = g.shown[:0]
	for x, col := x0, g.left; col < len(g.Heads) && x < x0+w; col++ {
		cw := min(g.widths[col], x0+w-x)
		g.shown = append(g.shown, shownColumn{col, x, cw})
		x += cw + columnMargin
	}
}

func (g *Grid) head(c *cell.Canvas, r cell.Rect, s shownColumn) {
	text := g.Heads[s.col]
	if g.SortBy == s.col {
		mark := " ▲"
		if g.Descending {
			mark = " ▼"
		}
		text = cell.Cut(text, s.w-2) + mark
	}
	style := cell.Muted | cell.Bold
	if g.right(s.col) {
		c.TextRight(r.X+s.x+s.w, r.Y, s.w, text, style)
	} else {
		c.TextCut(r.X+s.x, r.Y, s.w, text, style)
	}
}

func (g *Grid) right(col int) bool { return col < len(g.Right) && g.Right[col] }

func (g *Grid) cell(c *cell.Canvas, r cell.Rect, s shownColumn, row, y int) {
	text, null := g.At(row, s.col)
	style := cell.Text
	if null {
		text, style = "null", cell.Faint
	}
	if g.right(s.col) {
		c.TextRight(r.X+s.x+s.w, y, s.w, text, style)
	} else {
		c.TextCut(r.X+s.x, y, s.w, text, style)
	}
}

// paintCursor marks the row and, where the focus is, the cell; the arrow says it without colours.
func (g *Grid) paintCursor(c *cell.Canvas, r cell.Rect, y, gutter int, focused bool) {
	look := cell.Resting
	if focused {
		look = cell.Selected
		c.Text(r.X, y, "▸", cell.Accent)
	}
	c.Paint(cell.Rect{X: r.X, Y: y, W: r.W, H: 1}, look)
	for _, s := range g.shown {
		if s.col == g.col && focused {
			c.Paint(cell.Rect{X: r.X + s.x - 1, Y: y, W: s.w + 2, H: 1}, cell.Active)
		}
	}
}

// Hidden says how many columns lie left and right of the window; "" when all are in sight.
func (g *Grid) Hidden() string {
	if len(g.shown) == 0 || len(g.shown) == len(g.Heads) {
		return ""
	}
	first, last := g.shown[0].col, g.shown[len(g.shown)-1].col
	return fmt.Sprintf("columns %d–%d of %d", first+1, last+1, len(g.Heads))
}
