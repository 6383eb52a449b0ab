package main

// The middle of a sign, and how far the common ones reach from it, in cell widths.
const (
	midX  = 0.5
	midY  = 1.03 // where Go Mono's lower-case letters have their middle
	reach = 0.42
	thin  = 0.1
)

// shapes are the signs that Go Mono has no glyph for, or one that is too small to be read in a picture.
var shapes = map[rune][][]point{
	'▲': {triangle(point{midX, midY - reach}, point{midX + reach, midY + reach*0.85}, point{midX - reach, midY + reach*0.85})},
	'▼': {triangle(point{midX, midY + reach}, point{midX - reach, midY - reach*0.85}, point{midX + reach, midY - reach*0.85})},
	'▶': {triangle(point{midX + reach, midY}, point{midX - reach*0.8, midY + reach}, point{midX - reach*0.8, midY - reach})},
	'◀': {triangle(point{midX - reach, midY}, point{midX + reach*0.8, midY - reach}, point{midX + reach*0.8, midY + reach})},
	'▴': {triangle(point{midX, midY - reach*0.7}, point{midX + reach*0.7, midY + reach*0.6}, point{midX - reach*0.7, midY + reach*0.6})},
	'▾': {triangle(point{midX, midY + reach*0.7}, point{midX - reach*0.7, midY - reach*0.6}, point{midX + reach*0.7, midY - reach*0.6})},
	'▸': {triangle(point{midX + reach*0.7, midY}, point{midX - reach*0.6, midY + reach*0.8}, point{midX - reach*0.6, midY - reach*0.8})},
	'◂': {triangle(point{midX - reach*0.7, midY}, point{midX + reach*0.6, midY - reach*0.8}, point{midX + reach*0.6, midY + reach*0.8})},
	'◆': {diamond(reach)},
	'◇': {diamond(reach), reversed(diamond(reach - 1.5*thin))},
	'●': {circle(point{midX, midY}, reach*0.95)},
	'○': {circle(point{midX, midY}, reach*0.95), reversed(circle(point{midX, midY}, reach*0.95-thin))},
	'◉': {circle(point{midX, midY}, reach*0.95), reversed(circle(point{midX, midY}, reach*0.95-thin)), circle(point{midX, midY}, reach*0.5)},
	'■': {square(reach * 0.85)},
	'□': {square(reach * 0.85), reversed(square(reach*0.85 - thin))},
	'✓': {stroke(point{0.1, 1.05}, point{0.4, 1.36}, 0.15), stroke(point{0.34, 1.36}, point{0.92, 0.64}, 0.15)},
	'✗': cross(0.36, 0.14),
	'×': cross(0.29, 0.12),
	'‖': {stroke(point{0.34, 0.45}, point{0.34, 1.6}, 0.13), stroke(point{0.66, 0.45}, point{0.66, 1.6}, 0.13)},
	'⏎': {stroke(point{0.85, 0.6}, point{0.85, 1.2}, thin), stroke(point{0.9, 1.15}, point{0.3, 1.15}, thin),
		triangle(point{0.06, 1.15}, point{0.42, 0.88}, point{0.42, 1.42})},
	'⚠': warning(),
	'·': {circle(point{midX, midY}, 0.1)},
	'…': {circle(point{0.18, 1.5}, 0.085), circle(point{0.5, 1.5}, 0.085), circle(point{0.82, 1.5}, 0.085)},
}

func triangle(a, b, c point) []point { return []point{a, b, c} }

func diamond(r float64) []point {
	return []point{{midX, midY - r*1.15}, {midX + r, midY}, {midX, midY + r*1.15}, {midX - r, midY}}
}

func square(r float64) []point {
	return []point{{midX - r, midY - r}, {midX + r, midY - r}, {midX + r, midY + r}, {midX - r, midY + r}}
}

func cross(r, width float64) [][]point {
	return [][]point{stroke(point{midX - r, midY - r}, point{midX + r, midY + r}, width), stroke(point{midX + r, midY - r}, point{midX - r, midY + r}, width)}
}

// warning is a triangle with the exclamation mark cut out of it.
func warning() [][]point {
	mark := []point{{midX - 0.055, 0.82}, {midX - 0.035, 1.18}, {midX + 0.035, 1.18}, {midX + 0.055, 0.82}} // counter-clockwise: a hole
	dot := reversed(circle(point{midX, 1.3}, 0.06))
	return [][]point{{{midX, 0.52}, {1, 1.44}, {0, 1.44}}, mark, dot}
}
