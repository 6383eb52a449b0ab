package main

import (
	"cmp"
	"image"
	"image/color"
	"slices"
)

// maxColours is what an indexed PNG can hold.
const maxColours = 256

// indexed is the picture with at most 256 colours, a third of the bytes as PNG. A console has a few dozen colours; the rest are the soft edges of
// letters, of which the rarest take the nearest colour that stays.
func indexed(img *image.RGBA) *image.Paletted {
	bounds := img.Bounds()
	counts := map[color.RGBA]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[img.RGBAAt(x, y)]++
		}
	}
	index, kept := choose(counts)
	out := image.NewPaletted(bounds, kept)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			out.SetColorIndex(x, y, index[img.RGBAAt(x, y)])
		}
	}
	return out
}

// choose keeps the most frequent colours, equal ones in a fixed order, and gives every colour the index of the nearest kept one.
func choose(counts map[color.RGBA]int) (map[color.RGBA]uint8, color.Palette) {
	all := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B), cmp.Compare(a.A, b.A))
	})
	var kept color.Palette
	for _, c := range all[:min(len(all), maxColours)] {
		kept = append(kept, c)
	}
	index := make(map[color.RGBA]uint8, len(all))
	for _, c := range all {
		index[c] = uint8(kept.Index(c))
	}
	return index, kept
}
