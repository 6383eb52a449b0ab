package widget

import (
	"strings"

	"github.com/signallake/signallake/tui/cell"
)

// Pager shows text as it is, line by line, and slides both ways: for plans and drawings that wrapping would break.
type Pager struct {
	lines     []string
	width     int // of the widest line
	top, left int
	w, h      int // when last drawn
}

// NewPager is a pager over text.
func NewPager(text string) *Pager {
	p := &Pager{lines: strings.Split(strings.TrimRight(text, "\n"), "\n")}
	for _, line := range p.lines {
		p.width = max(p.width, cell.Width(line))
	}
	return p
}

// Text is all of it.
func (p *Pager) Text() string { return strings.Join(p.lines, "\n") }

// Key takes a moving key and tells whether it was one.
func (p *Pager) Key(name string) bool {
	switch name {
	case "up", "k":
		p.Scroll(-1)
	case "down", "j":
		p.Scroll(1)
	case "pgup", "ctrl+u":
		p.Scroll(-max(1, p.h-1))
	case "pgdown", "ctrl+d":
		p.Scroll(max(1, p.h-1))
	case "g":
		p.Scroll(-len(p.lines))
	case "G":
		p.Scroll(len(p.lines))
	case "left", "h":
		p.slide(-8)
	case "right", "l":
		p.slide(8)
	case "home":
		p.slide(-p.width)
	case "end":
		p.slide(p.width)
	default:
		return false
	}
	return true
}

// Scroll moves the window by n lines.
func (p *Pager) Scroll(n int) { p.top = max(0, min(p.top+n, len(p.lines)-p.h)) }

func (p *Pager) slide(n int) { p.left = max(0, min(p.left+n, p.width-p.w)) }

// Window is the first and last line in sight, one-based.
func (p *Pager) Window() (first, last int) {
	return p.top + 1, min(p.top+max(p.h, 1), len(p.lines))
}

// Len is how many lines there are.
func (p *Pager) Len() int { return len(p.lines) }

// Hidden says that lines go on beside the window; "" when they do not.
func (p *Pager) Hidden() string {
	switch more := p.left+p.w < p.width; {
	case p.left > 0 && more:
		return "← more →"
	case p.left > 0:
		return "← more"
	case more:
		return "more →"
	}
	return ""
}

// Draw draws the lines in sight into r.
func (p *Pager) Draw(c *cell.Canvas, r cell.Rect) {
	p.w, p.h = r.W, r.H
	p.Scroll(0)
	p.slide(0)
	old := c.Clip(r)
	defer c.Restore(old)
	for i := range min(r.H, len(p.lines)-p.top) {
		c.Text(r.X, r.Y+i, cell.Skip(p.lines[p.top+i], p.left), cell.Text)
	}
}
