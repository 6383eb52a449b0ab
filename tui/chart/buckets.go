// Package chart draws numbers on a cell.Canvas: sparklines, bars and lines. It promises that a spike of one sample stays visible however
// narrow the chart is, and that "no data" (NaN) is never drawn as zero.
package chart

import "math"

// Buckets fits values into n columns. With more values than columns each column shows the largest of its values, so that a spike stays;
// with fewer, the columns between two values are filled in between them, and columns beside a gap stay a gap. NaN is "no data".
func Buckets(values []float64, n int) []float64 {
	out := make([]float64, n)
	if len(values) == 0 || n <= 0 {
		for i := range out {
			out[i] = math.NaN()
		}
		return out
	}
	values = finite(values)
	if len(values) >= n {
		for i := range out {
			out[i] = maxOf(values[i*len(values)/n : (i+1)*len(values)/n])
		}
		return out
	}
	for i := range out {
		out[i] = between(values, i, n)
	}
	return out
}

// finite is values with infinities as "no data".
func finite(values []float64) []float64 {
	for i, v := range values {
		if math.IsInf(v, 0) {
			clean := append([]float64(nil), values...)
			for ; i < len(clean); i++ {
				if math.IsInf(clean[i], 0) {
					clean[i] = math.NaN()
				}
			}
			return clean
		}
	}
	return values
}

func maxOf(values []float64) float64 {
	best := math.NaN()
	for _, v := range values {
		if !math.IsNaN(v) && (math.IsNaN(best) || v > best) {
			best = v
		}
	}
	return best
}

// between is column i of n over fewer values: on the line between the two values beside it.
func between(values []float64, i, n int) float64 {
	if n == 1 || len(values) == 1 {
		return values[0]
	}
	at := float64(i) * float64(len(values)-1) / float64(n-1)
	left := min(int(at), len(values)-2)
	share := at - float64(left)
	a, b := values[left], values[left+1]
	switch {
	case math.IsNaN(a) && math.IsNaN(b):
		return math.NaN()
	case math.IsNaN(b):
		if share <= 0.5 {
			return a
		}
		return b
	case math.IsNaN(a):
		if share >= 0.5 {
			return b
		}
		return a
	}
	return a + (b-a)*share
}

// Extent is the smallest and largest value; ok is false when there is none.
func Extent(series ...[]float64) (low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, values := range series {
		for _, v := range values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				low, high, ok = min(low, v), max(high, v), true
			}
		}
	}
	return low, high, ok
}
