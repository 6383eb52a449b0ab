// Package cell draws on a grid of terminal cells. It promises that what comes out is exactly as wide and as high as the canvas, and that no
// control character, escape sequence or direction mark of the drawn text reaches the terminal: text from logs may be hostile.
package cell

import "strings"

// Cell is one column of one row. A wide cluster fills its first cell and leaves the second with an empty Text.
type Cell struct {
	Text  string
	Style Style
}

// Canvas is a grid of cells. The zero value has no cells; use New.
type Canvas struct {
	W, H  int
	ASCII bool // draw with ASCII alone: Glyphs, and anything else in text becomes '?'
	cells []Cell
	clip  Rect
}

// Rect is a rectangle in cells; X and Y are zero-based from the top left.
type Rect struct{ X, Y, W, H int }

// Contains tells whether the cell (x, y) lies inside.
func (r Rect) Contains(x, y int) bool { return x >= r.X && x < r.X+r.W && y >= r.Y && y < r.Y+r.H }

// Inset is the rectangle without its frame of one cell.
func (r Rect) Inset() Rect { return Rect{r.X + 1, r.Y + 1, max(0, r.W-2), max(0, r.H-2)} }

// Intersect is what two rectangles share.
func (r Rect) Intersect(o Rect) Rect {
	x, y := max(r.X, o.X), max(r.Y, o.Y)
	return Rect{x, y, max(0, min(r.X+r.W, o.X+o.W)-x), max(0, min(r.Y+r.H, o.Y+o.H)-y)}
}

// New is a blank canvas.
func New(w, h int) *Canvas {
	c := &Canvas{}
	c.Resize(w, h)
	return c
}

// Resize makes the canvas w by h and blanks it, reusing its memory where it can.
func (c *Canvas) Resize(w, h int) {
	w, h = max(0, w), max(0, h)
	if cap(c.cells) < w*h {
		c.cells = make([]Cell, w*h)
	}
	c.cells = c.cells[:w*h]
	c.W, c.H = w, h
	c.clip = Rect{0, 0, w, h}
	for i := range c.cells {
		c.cells[i] = Cell{Text: " "}
	}
}

// All is the whole canvas as a rectangle.
func (c *Canvas) All() Rect { return Rect{0, 0, c.W, c.H} }

// Clip limits drawing to r and returns the limit that stood before, to be restored.
func (c *Canvas) Clip(r Rect) Rect {
	old := c.clip
	c.clip = r.Intersect(old)
	return old
}

// Restore sets a limit that Clip returned.
func (c *Canvas) Restore(r Rect) { c.clip = r }

// At is the cell at (x, y); outside it is blank.
func (c *Canvas) At(x, y int) Cell {
	if !c.All().Contains(x, y) {
		return Cell{Text: " "}
	}
	return c.cells[y*c.W+x]
}

// put writes one cluster of width w (1 or 2) and mends a wide cluster that it cuts in half.
func (c *Canvas) put(x, y int, text string, w int, s Style) {
	if !c.clip.Contains(x, y) || (w == 2 && !c.clip.Contains(x+1, y)) {
		if w == 2 && c.clip.Contains(x, y) {
			c.put(x, y, " ", 1, s)
		}
		return
	}
	row := c.cells[y*c.W : (y+1)*c.W]
	if row[x].Text == "" && x > 0 {
		row[x-1].Text = " "
	}
	if end := x + w; end < c.W && row[end].Text == "" {
		row[end].Text = " "
	}
	row[x] = Cell{text, s}
	if w == 2 {
		row[x+1] = Cell{"", s}
	}
}

// Text draws s at (x, y), cut at the clip, and returns the column after it. Anything that a terminal would obey becomes a mark.
func (c *Canvas) Text(x, y int, s string, style Style) int {
	if y < c.clip.Y || y >= c.clip.Y+c.clip.H {
		return x + Width(s)
	}
	for len(s) > 0 {
		if b := s[0]; b >= 0x20 && b < 0x7f && (len(s) == 1 || s[1] < 0x80) {
			c.put(x, y, s[:1], 1, style)
			s, x = s[1:], x+1
			continue
		}
		text, w, n := next(s)
		s = s[n:]
		if w == 0 {
			continue
		}
		if c.ASCII {
			text = asciiFor(text, w)
		}
		for ; c.ASCII && w > 1; w-- {
			c.put(x, y, text[:1], 1, style)
			x++
		}
		c.put(x, y, text, w, style)
		x += w
	}
	return x
}

// TextCut draws s into at most w columns, ending it with an ellipsis when it is cut.
func (c *Canvas) TextCut(x, y, w int, s string, style Style) int {
	return c.Text(x, y, Cut(s, w), style)
}

// TextRight draws s so that it ends before column right, cut to w columns.
func (c *Canvas) TextRight(right, y, w int, s string, style Style) {
	s = Cut(s, w)
	c.Text(right-Width(s), y, s, style)
}

// Fill blanks a rectangle with a style.
func (c *Canvas) Fill(r Rect, s Style) {
	r = r.Intersect(c.clip)
	for y := r.Y; y < r.Y+r.H; y++ {
		for x := r.X; x < r.X+r.W; x++ {
			c.put(x, y, " ", 1, s)
		}
	}
}

// Paint gives every cell of r the background of s and keeps its text.
func (c *Canvas) Paint(r Rect, s Style) {
	r = r.Intersect(c.clip)
	for y := r.Y; y < r.Y+r.H; y++ {
		for x := r.X; x < r.X+r.W; x++ {
			p := &c.cells[y*c.W+x]
			p.Style = p.Style.On(s.Background())
		}
	}
}

// Dim turns all of r into dimmed text: what is shown there is old.
func (c *Canvas) Dim(r Rect) {
	r = r.Intersect(c.clip)
	for y := r.Y; y < r.Y+r.H; y++ {
		for x := r.X; x < r.X+r.W; x++ {
			c.cells[y*c.W+x].Style = Faint
		}
	}
}

// Blit copies all of src to (x, y).
func (c *Canvas) Blit(x, y int, src *Canvas) {
	for sy := range src.H {
		for sx := range src.W {
			p := src.cells[sy*src.W+sx]
			switch {
			case p.Text == "":
			case sx+1 < src.W && src.cells[sy*src.W+sx+1].Text == "":
				c.put(x+sx, y+sy, p.Text, 2, p.Style)
			default:
				c.put(x+sx, y+sy, p.Text, 1, p.Style)
			}
		}
	}
}

// Render is the canvas as lines of styled text: H lines, each W columns wide.
func (c *Canvas) Render(t *Theme) string {
	var b strings.Builder
	b.Grow(len(c.cells) * 2)
	for y := range c.H {
		if y > 0 {
			b.WriteByte('\n')
		}
		current := Style(0)
		for _, p := range c.cells[y*c.W : (y+1)*c.W] {
			if p.Text != "" && p.Style != current {
				b.WriteString(t.sgr(p.Style))
				current = p.Style
			}
			b.WriteString(p.Text)
		}
		if current != 0 {
			b.WriteString("\x1b[m")
		}
	}
	return b.String()
}

// Plain is the canvas as text without styles; lines end where their last mark is.
func (c *Canvas) Plain() string {
	var b strings.Builder
	for y := range c.H {
		var line strings.Builder
		for _, p := range c.cells[y*c.W : (y+1)*c.W] {
			line.WriteString(p.Text)
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		b.WriteByte('\n')
	}
	return b.String()
}
