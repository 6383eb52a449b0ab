package main

import (
	"image/color"
	"slices"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/vt"
)

// screen is what stood on the terminal at one moment.
type screen struct {
	size
	cells      []glyphCell // row by row
	foreground color.RGBA  // of what has no colour of its own
	background color.RGBA
	cursor     cursor
}

// glyphCell is one cell: its text, its colours as they are seen, and how many columns it takes. A wide character's second cell has the width 0.
type glyphCell struct {
	text      string
	fg, bg    color.RGBA
	width     int
	bold      bool
	underline bool
	strike    bool
}

// cursor is where the terminal's cursor stands, if it shows.
type cursor struct {
	x, y    int
	visible bool
	style   vt.CursorStyle
}

func (s *screen) at(x, y int) glyphCell { return s.cells[y*s.width+x] }

// equal tells whether two screens look the same.
func (s *screen) equal(other *screen) bool {
	return s.size == other.size && s.cursor == other.cursor && slices.Equal(s.cells, other.cells)
}

// text is the screen's lines, without the blanks at their ends.
func (s *screen) text() string {
	var b strings.Builder
	for y := range s.height {
		var line strings.Builder
		for x := range s.width {
			if c := s.at(x, y); c.width > 0 {
				line.WriteString(c.text)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

// palette is a terminal's two default colours.
type palette struct{ foreground, background color.RGBA }

var (
	darkPalette  = palette{color.RGBA{0xd6, 0xd9, 0xe0, 0xff}, color.RGBA{0x16, 0x18, 0x1d, 0xff}}
	lightPalette = palette{color.RGBA{0x24, 0x28, 0x30, 0xff}, color.RGBA{0xfd, 0xfd, 0xfb, 0xff}}
)

// capture copies what an emulator shows.
func capture(e *vt.Emulator, p palette, at cursor) *screen {
	s := &screen{size: size{e.Width(), e.Height()}, foreground: p.foreground, background: p.background, cursor: at}
	s.cells = make([]glyphCell, 0, s.width*s.height)
	for y := range s.height {
		for x := range s.width {
			s.cells = append(s.cells, s.cell(e.CellAt(x, y)))
		}
	}
	return s
}

func (s *screen) cell(c *uv.Cell) glyphCell {
	if c == nil {
		return glyphCell{text: " ", width: 1, fg: s.foreground, bg: s.background}
	}
	g := glyphCell{text: c.Content, width: c.Width, fg: solid(c.Style.Fg, s.foreground), bg: solid(c.Style.Bg, s.background)}
	attrs := c.Style.Attrs
	if attrs&uv.AttrReverse != 0 {
		g.fg, g.bg = g.bg, g.fg
	}
	if attrs&uv.AttrFaint != 0 {
		g.fg = mix(g.fg, g.bg, 0.4)
	}
	if attrs&uv.AttrConceal != 0 {
		g.text = " "
	}
	g.bold = attrs&uv.AttrBold != 0
	g.strike = attrs&uv.AttrStrikethrough != 0
	g.underline = c.Style.Underline != uv.UnderlineNone
	return g
}

// solid is a colour without transparency; what none was given is the default.
func solid(c color.Color, otherwise color.RGBA) color.RGBA {
	if c == nil {
		return otherwise
	}
	r, g, b, _ := c.RGBA()
	return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 0xff}
}

// mix is a colour with a share of another one in it.
func mix(c, other color.RGBA, share float64) color.RGBA {
	part := func(a, b uint8) uint8 { return uint8(float64(a)*(1-share) + float64(b)*share + 0.5) }
	return color.RGBA{part(c.R, other.R), part(c.G, other.G), part(c.B, other.B), 0xff}
}
