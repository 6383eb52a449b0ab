package main

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/vt"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// A cell's measures in pixels for scale 1. Go Mono is 0.6 em wide, so that 15 pixels fill a cell of 9; the rest of 18 is the space between lines.
const (
	cellWidth  = 9
	cellHeight = 18
	fontSize   = 15
	baseline   = 14
	margin     = 9 // around the screen
)

// painter draws screens at a scale, with Go Mono for letters and its own strokes for lines, blocks and signs.
type painter struct {
	scale         int
	regular, bold face
}

type face struct {
	font.Face
	outlines *sfnt.Font
}

func newPainter(scale int) (*painter, error) {
	p := &painter{scale: scale}
	for _, f := range []struct {
		to  *face
		ttf []byte
	}{{&p.regular, gomono.TTF}, {&p.bold, gomonobold.TTF}} {
		outlines, err := opentype.Parse(f.ttf)
		if err != nil {
			return nil, fmt.Errorf("read the font: %w", err)
		}
		drawn, err := opentype.NewFace(outlines, &opentype.FaceOptions{Size: float64(fontSize * scale), DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			return nil, fmt.Errorf("scale the font: %w", err)
		}
		*f.to = face{drawn, outlines}
	}
	return p, nil
}

// has tells whether the font knows a character.
func (f face) has(r rune) bool {
	var buf sfnt.Buffer
	index, err := f.outlines.GlyphIndex(&buf, r)
	return err == nil && index != 0
}

// paint makes a picture of a screen.
func (p *painter) paint(s *screen) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, (s.width*cellWidth+2*margin)*p.scale, (s.height*cellHeight+2*margin)*p.scale))
	fill(img, img.Bounds(), s.background)
	for y := range s.height {
		for x := range s.width {
			if c := s.at(x, y); c.width > 0 {
				p.cell(img, p.box(x, y, c.width), c, s.background)
			}
		}
	}
	p.cursor(img, s)
	return img
}

// box is the place of a cell in the picture.
func (p *painter) box(x, y, width int) image.Rectangle {
	left, top := (margin+x*cellWidth)*p.scale, (margin+y*cellHeight)*p.scale
	return image.Rect(left, top, left+width*cellWidth*p.scale, top+cellHeight*p.scale)
}

func (p *painter) cell(img *image.RGBA, box image.Rectangle, c glyphCell, behind color.RGBA) {
	if c.bg != behind {
		fill(img, box, c.bg)
	}
	for _, r := range c.text {
		p.glyph(img, box, r, c)
	}
	if line := p.scale; c.underline {
		y := box.Min.Y + (baseline+2)*p.scale
		fill(img, image.Rect(box.Min.X, y, box.Max.X, y+line), c.fg)
	}
	if line := p.scale; c.strike {
		y := box.Min.Y + (baseline-4)*p.scale
		fill(img, image.Rect(box.Min.X, y, box.Max.X, y+line), c.fg)
	}
}

func (p *painter) glyph(img *image.RGBA, box image.Rectangle, r rune, c glyphCell) {
	if r == ' ' || r == utf8.RuneError || !unicode.IsPrint(r) && !unicode.Is(unicode.Mn, r) {
		return
	}
	if byHand(&pen{img: img, box: box, scale: p.scale, ink: c.fg}, r) {
		return
	}
	f := p.regular
	if c.bold && p.bold.has(r) {
		f = p.bold
	}
	if !f.has(r) {
		p.missing(img, box, c.fg)
		return
	}
	at := fixed.P(box.Min.X, box.Min.Y+baseline*p.scale)
	d := font.Drawer{Dst: img, Src: image.NewUniform(c.fg), Face: f, Dot: at}
	d.DrawString(string(r))
}

// missing is an empty box, as terminals show what they have no picture of.
func (p *painter) missing(img *image.RGBA, box image.Rectangle, ink color.RGBA) {
	inner := image.Rect(box.Min.X+2*p.scale, box.Min.Y+4*p.scale, box.Max.X-2*p.scale, box.Min.Y+baseline*p.scale)
	frame(img, inner, p.scale, ink)
}

// cursor draws the terminal's cursor as its style says: a block with the character left out of it, a bar or a line.
func (p *painter) cursor(img *image.RGBA, s *screen) {
	c := s.cursor
	if !c.visible || c.x < 0 || c.y < 0 || c.x >= s.width || c.y >= s.height {
		return
	}
	under := s.at(c.x, c.y)
	box := p.box(c.x, c.y, max(under.width, 1))
	switch c.style {
	case vt.CursorBar:
		fill(img, image.Rect(box.Min.X, box.Min.Y, box.Min.X+2*p.scale, box.Max.Y), s.foreground)
	case vt.CursorUnderline:
		fill(img, image.Rect(box.Min.X, box.Max.Y-2*p.scale, box.Max.X, box.Max.Y), s.foreground)
	default:
		under.fg, under.bg = s.background, s.foreground
		p.cell(img, box, under, s.background)
	}
}

func fill(img *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// frame is a rectangle's edge.
func frame(img *image.RGBA, r image.Rectangle, width int, c color.RGBA) {
	fill(img, image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+width), c)
	fill(img, image.Rect(r.Min.X, r.Max.Y-width, r.Max.X, r.Max.Y), c)
	fill(img, image.Rect(r.Min.X, r.Min.Y, r.Min.X+width, r.Max.Y), c)
	fill(img, image.Rect(r.Max.X-width, r.Min.Y, r.Max.X, r.Max.Y), c)
}
