package main

import (
	"image"
	"math"
)

// arms are the strokes of the box-drawing characters from the middle of the cell: up, right, down, left; 0 none, 1 light, 2 heavy.
// Characters with other features (dashes, double lines, arcs, diagonals) are not in it.
var arms = map[rune]string{
	'─': "0101", '━': "0202", '│': "1010", '┃': "2020",
	'┌': "0110", '┍': "0210", '┎': "0120", '┏': "0220", '┐': "0011", '┑': "0012", '┒': "0021", '┓': "0022",
	'└': "1100", '┕': "1200", '┖': "2100", '┗': "2200", '┘': "1001", '┙': "1002", '┚': "2001", '┛': "2002",
	'├': "1110", '┝': "1210", '┞': "2110", '┟': "1120", '┠': "2120", '┡': "2210", '┢': "1220", '┣': "2220",
	'┤': "1011", '┥': "1012", '┦': "2011", '┧': "1021", '┨': "2021", '┩': "2012", '┪': "1022", '┫': "2022",
	'┬': "0111", '┭': "0112", '┮': "0211", '┯': "0212", '┰': "0121", '┱': "0122", '┲': "0221", '┳': "0222",
	'┴': "1101", '┵': "1102", '┶': "1201", '┷': "1202", '┸': "2101", '┹': "2102", '┺': "2201", '┻': "2202",
	'┼': "1111", '┽': "1112", '┾': "1211", '┿': "1212", '╀': "2111", '╁': "1121", '╂': "2121", '╃': "2112",
	'╄': "2211", '╅': "1122", '╆': "1221", '╇': "2212", '╈': "1222", '╉': "2122", '╊': "2221", '╋': "2222",
	'╴': "0001", '╵': "1000", '╶': "0100", '╷': "0010", '╸': "0002", '╹': "2000", '╺': "0200", '╻': "0020",
	'╼': "0201", '╽': "1020", '╾': "0102", '╿': "2010",
}

// dashes are the dashed lines: how many dashes a cell holds, and the undashed character beneath.
var dashes = map[rune]struct {
	count int
	line  rune
}{
	'┄': {3, '─'}, '┅': {3, '━'}, '┆': {3, '│'}, '┇': {3, '┃'}, '┈': {4, '─'}, '┉': {4, '━'}, '┊': {4, '│'}, '┋': {4, '┃'},
	'╌': {2, '─'}, '╍': {2, '━'}, '╎': {2, '│'}, '╏': {2, '┃'},
}

// corners are the rounded ones: where the two ends lie, seen from the middle.
var corners = map[rune]point{'╭': {1, 1}, '╮': {-1, 1}, '╯': {-1, -1}, '╰': {1, -1}}

func (p *pen) boxDrawing(r rune) bool {
	if strokes, ok := arms[r]; ok {
		p.arms(strokes)
		return true
	}
	if dashed, ok := dashes[r]; ok {
		p.dashes(dashed.count, arms[dashed.line])
		return true
	}
	if ends, ok := corners[r]; ok {
		p.corner(ends)
		return true
	}
	switch falling, rising := stroke(point{0, 0}, point{1, 2}, thin), stroke(point{1, 0}, point{0, 2}, thin); r {
	case '╱':
		p.path([][]point{rising})
	case '╲':
		p.path([][]point{falling})
	case '╳':
		p.path([][]point{rising, falling})
	default: // double lines: the font has them
		return false
	}
	return true
}

// weight is a stroke's width in pixels.
func (p *pen) weight(of byte) int {
	if of == '2' {
		return 3 * p.scale
	}
	return p.scale
}

// center is a light line's upper left corner in the middle of the cell; heavy lines grow to both sides of it.
func (p *pen) center() image.Point {
	return image.Pt(p.box.Min.X+(p.box.Dx()-p.scale)/2, p.box.Min.Y+(p.box.Dy()-p.scale)/2)
}

// span is where a stroke of a weight lies across its direction.
func (p *pen) span(middle int, of byte) (int, int) {
	from := middle + (p.scale-p.weight(of))/2
	return from, from + p.weight(of)
}

// arms draws up to four strokes; each reaches over the widest of the strokes across it, so that corners are closed.
func (p *pen) arms(strokes string) {
	at := p.center()
	left, right := p.span(at.X, max(strokes[0], strokes[2]))
	top, bottom := p.span(at.Y, max(strokes[1], strokes[3]))
	for i, of := range []byte(strokes) {
		if of == '0' {
			continue
		}
		x0, x1 := p.span(at.X, of)
		y0, y1 := p.span(at.Y, of)
		switch i {
		case 0:
			fill(p.img, image.Rect(x0, p.box.Min.Y, x1, bottom), p.ink)
		case 1:
			fill(p.img, image.Rect(left, y0, p.box.Max.X, y1), p.ink)
		case 2:
			fill(p.img, image.Rect(x0, top, x1, p.box.Max.Y), p.ink)
		case 3:
			fill(p.img, image.Rect(p.box.Min.X, y0, right, y1), p.ink)
		}
	}
}

// dashes draws a straight line with gaps, the half of each gap on either side, so that the pattern goes on in the next cell.
func (p *pen) dashes(count int, strokes string) {
	at := p.center()
	across := strokes[1] != '0'
	length := p.box.Dy()
	if across {
		length = p.box.Dx()
	}
	for i := range count {
		from := int(math.Round(float64(length) * (float64(i) + 0.2) / float64(count)))
		to := int(math.Round(float64(length) * (float64(i) + 0.8) / float64(count)))
		if across {
			y0, y1 := p.span(at.Y, strokes[1])
			fill(p.img, image.Rect(p.box.Min.X+from, y0, p.box.Min.X+to, y1), p.ink)
		} else {
			x0, x1 := p.span(at.X, strokes[0])
			fill(p.img, image.Rect(x0, p.box.Min.Y+from, x1, p.box.Min.Y+to), p.ink)
		}
	}
}

// corner draws a quarter of a circle between two straight ends.
func (p *pen) corner(ends point) {
	w := float64(cellWidth * p.scale)
	light := float64(p.scale) / w
	at := p.center()
	middle := point{float64(at.X-p.box.Min.X)/w + light/2, float64(at.Y-p.box.Min.Y)/w + light/2}
	radius := 1 - middle.x
	if ends.x < 0 {
		radius = middle.x
	}
	turn := point{middle.x + ends.x*radius, middle.y + ends.y*radius} // the circle's middle
	from := math.Atan2(-ends.y, -ends.x) - math.Pi/4
	outer, inner := arc(turn, radius+light/2, from, from+math.Pi/2), arc(turn, radius-light/2, from, from+math.Pi/2)
	p.path([][]point{append(outer, reversed(inner)...)})
	x := at.X
	if ends.y > 0 {
		fill(p.img, image.Rect(x, p.box.Min.Y+int(math.Round(turn.y*w)), x+p.scale, p.box.Max.Y), p.ink)
	} else {
		fill(p.img, image.Rect(x, p.box.Min.Y, x+p.scale, p.box.Min.Y+int(math.Round(turn.y*w))), p.ink)
	}
}
