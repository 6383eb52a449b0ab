package main

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// pen draws one cell's sign. Signs are drawn by hand where the font has none, and where they have to meet their neighbours without a gap.
type pen struct {
	img   *image.RGBA
	box   image.Rectangle
	scale int
	ink   color.RGBA
}

// byHand draws a character and tells whether it knows it.
func byHand(p *pen, r rune) bool {
	switch {
	case r >= 0x2500 && r <= 0x257f:
		return p.boxDrawing(r)
	case r >= 0x2580 && r <= 0x259f:
		return p.block(r)
	case r >= 0x2800 && r <= 0x28ff:
		p.braille(r)
		return true
	}
	shape, ok := shapes[r]
	if ok {
		p.path(shape)
	}
	return ok
}

// fill colours a part of the cell; the arguments are shares of its width and height.
func (p *pen) fill(left, top, right, bottom float64) {
	w, h := float64(p.box.Dx()), float64(p.box.Dy())
	at := func(share, length float64, from int) int { return from + int(math.Round(share*length)) }
	fill(p.img, image.Rect(at(left, w, p.box.Min.X), at(top, h, p.box.Min.Y), at(right, w, p.box.Min.X), at(bottom, h, p.box.Min.Y)), p.ink)
}

// block is a block element: eighths, quadrants and shades.
func (p *pen) block(r rune) bool {
	eighth := func(n rune) float64 { return float64(n) / 8 }
	switch {
	case r == 0x2580: // ▀
		p.fill(0, 0, 1, 0.5)
	case r <= 0x2588: // ▁ … █
		p.fill(0, 1-eighth(r-0x2580), 1, 1)
	case r <= 0x258f: // ▉ … ▏
		p.fill(0, 0, eighth(0x2590-r), 1)
	case r == 0x2590: // ▐
		p.fill(0.5, 0, 1, 1)
	case r <= 0x2593: // ░ ▒ ▓
		p.shade(float64(r-0x2590) / 4)
	case r == 0x2594: // ▔
		p.fill(0, 0, 1, eighth(1))
	case r == 0x2595: // ▕
		p.fill(eighth(7), 0, 1, 1)
	default:
		p.quadrants(quadrantBits[r-0x2596])
	}
	return true
}

// quadrantBits are the filled quarters of ▖▗▘▙▚▛▜▝▞▟: 1 upper left, 2 upper right, 4 lower left, 8 lower right.
var quadrantBits = [...]int{4, 8, 1, 1 | 4 | 8, 1 | 8, 1 | 2 | 4, 1 | 2 | 8, 2, 2 | 4, 2 | 4 | 8}

func (p *pen) quadrants(bits int) {
	for i := range 4 {
		if bits&(1<<i) != 0 {
			x, y := float64(i%2)/2, float64(i/2)/2
			p.fill(x, y, x+0.5, y+0.5)
		}
	}
}

// shade covers the cell evenly with a part of the ink, as most terminals do: neighbours join to one surface.
func (p *pen) shade(share float64) {
	mask := image.NewUniform(color.Alpha{uint8(share * 0xff)})
	draw.DrawMask(p.img, p.box, image.NewUniform(p.ink), image.Point{}, mask, image.Point{}, draw.Over)
}

// brailleDots are the places of the eight bits of a braille pattern: column, row.
var brailleDots = [8][2]float64{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {0, 3}, {1, 3}}

// braille draws a pattern's dots on a grid of 2 by 4 that goes on over the edges of the cell.
func (p *pen) braille(r rune) {
	w, h := float64(p.box.Dx()), float64(p.box.Dy())
	radius := w * 0.16
	for bit, at := range brailleDots {
		if r&(1<<bit) != 0 {
			x, y := w*(0.25+at[0]*0.5), h*(0.125+at[1]*0.25)
			p.path([][]point{circle(point{x / w, y / w}, radius/w)})
		}
	}
}

// point is a place in a cell, both coordinates in cell widths from the upper left corner: a cell is 1 wide and 2 high.
type point struct{ x, y float64 }

// path fills outlines; one that runs the other way round cuts a hole.
func (p *pen) path(outlines [][]point) {
	w := float64(cellWidth * p.scale)
	shift := (float64(p.box.Dx()) - w) / 2 // a sign in a wide cell stands in its middle
	z := vector.NewRasterizer(p.box.Dx(), p.box.Dy())
	for _, outline := range outlines {
		for i, at := range outline {
			x, y := float32(at.x*w+shift), float32(at.y*w)
			if i == 0 {
				z.MoveTo(x, y)
			} else {
				z.LineTo(x, y)
			}
		}
		z.ClosePath()
	}
	z.Draw(p.img, p.box, image.NewUniform(p.ink), image.Point{})
}

// circle runs clockwise on the screen.
func circle(center point, radius float64) []point { return arc(center, radius, 0, 2*math.Pi) }

// arc is a part of a circle; angles in radians, clockwise from the right.
func arc(center point, radius, from, to float64) []point {
	const steps = 48
	points := make([]point, 0, steps+1)
	for i := range steps + 1 {
		angle := from + (to-from)*float64(i)/steps
		points = append(points, point{center.x + radius*math.Cos(angle), center.y + radius*math.Sin(angle)})
	}
	return points
}

// reversed runs an outline the other way.
func reversed(outline []point) []point {
	back := make([]point, 0, len(outline))
	for i := len(outline) - 1; i >= 0; i-- {
		back = append(back, outline[i])
	}
	return back
}

// stroke is a line of some width between two points.
func stroke(a, b point, width float64) []point {
	dx, dy := b.x-a.x, b.y-a.y
	length := math.Hypot(dx, dy)
	nx, ny := -dy/length*width/2, dx/length*width/2
	return []point{{a.x - nx, a.y - ny}, {b.x - nx, b.y - ny}, {b.x + nx, b.y + ny}, {a.x + nx, a.y + ny}}
}
