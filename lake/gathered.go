package lake

import "slices"

// gathered is the values of the column at hand, on their way to a column.Writer.
type gathered struct {
	int64s  []int64
	int32s  []int32
	doubles []float64
	numbers []int32 // of words
	words   []string
	data    []byte
	lengths []int32 // of the texts in data
	present []uint8
	nulls   int
}

// clear begins a column, or a part of one.
func (g *gathered) clear() {
	g.int64s, g.int32s, g.doubles, g.numbers, g.words = g.int64s[:0], g.int32s[:0], g.doubles[:0], g.numbers[:0], g.words[:0]
	g.data, g.lengths, g.nulls = g.data[:0], g.lengths[:0], 0
}

// absent notes that a row, one of n, has no value.
func (g *gathered) absent(row, n int) {
	if g.nulls == 0 {
		g.present = slices.Grow(g.present[:0], n)[:n]
		for i := range g.present {
			g.present[i] = 1
		}
	}
	g.present[row] = 0
	g.nulls++
}

// presence is the levels of so many rows: nil when nothing is absent.
func (g *gathered) presence(rows int) []uint8 {
	if g.nulls == 0 {
		return nil
	}
	return g.present[:rows]
}
