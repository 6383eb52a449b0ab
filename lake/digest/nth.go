package digest

import (
	"cmp"
	"slices"
)

// at is the latency of a rank within the bucket.
func (w *want) at(rank int64) float64 {
	if len(w.alike) == 0 {
		return nth(w.values, int(rank))
	}
	slices.Sort(w.values)
	slices.SortFunc(w.alike, func(a, b alike) int { return cmp.Compare(a.ms, b.ms) })
	values := w.values
	for _, a := range w.alike {
		for len(values) > 0 && values[0] < a.ms {
			if rank == 0 {
				return values[0]
			}
			values, rank = values[1:], rank-1
		}
		if rank < a.count {
			return a.ms
		}
		rank -= a.count
	}
	return values[rank]
}

// nth is the value of a rank, 0 being the smallest. It reorders values so that no smaller one stands behind the rank. Expected time is linear;
// when the pivots are bad for long it sorts.
func nth(values []float64, rank int) float64 {
	const few = 16
	lo, hi := 0, len(values)-1
	for turns := 0; hi-lo > few; turns++ {
		if turns == 48 {
			break
		}
		p := median3(values[lo], values[lo+(hi-lo)/2], values[hi])
		i, j := lo, hi
		for i <= j {
			for values[i] < p {
				i++
			}
			for values[j] > p {
				j--
			}
			if i <= j {
				values[i], values[j] = values[j], values[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case rank <= j:
			hi = j
		case rank >= i:
			lo = i
		default: // between are values equal to the pivot
			return p
		}
	}
	slices.Sort(values[lo : hi+1])
	return values[rank]
}

func median3(a, b, c float64) float64 {
	return max(min(a, b), min(max(a, b), c))
}
