package rollup

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// exactQuantile is quantile_cont over the sorted values.
func exactQuantile(sorted []float64, q float64) float64 {
	position := q * float64(len(sorted)-1)
	low := int(position)
	if low+1 >= len(sorted) {
		return sorted[low]
	}
	return sorted[low] + (sorted[low+1]-sorted[low])*(position-float64(low))
}

func latencies(r *rand.Rand, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Round(math.Exp(r.NormFloat64()+3)*1000) / 1000
	}
	return out
}

func near(got, want float64) bool { return math.Abs(got-want) <= ErrorBound*want+0.0005 }

func TestQuantilesAgainstSortedValues(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 3, 29, 255, 256, 257, 1000, 50_000} {
		values := latencies(r, n)
		var h Histogram
		var s Sketch
		for _, v := range values {
			h.Add(v)
			s.Add(v)
		}
		sorted := slices.Sorted(slices.Values(values))
		if h.Exact() != (n <= ExactValues) {
			t.Fatalf("n=%d: Exact is %v", n, h.Exact())
		}
		for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.95, 0.99, 1} {
			want := exactQuantile(sorted, q)
			if got := h.Quantile(q); h.Exact() && got != want || !near(got, want) {
				t.Errorf("n=%d q=%v: histogram %v, want %v", n, q, got, want)
			}
			if got := s.Quantile(q); !near(got, want) {
				t.Errorf("n=%d q=%v: sketch %v, want %v", n, q, got, want)
			}
		}
	}
}

func TestEmptyQuantilesAreNaN(t *testing.T) {
	var h Histogram
	var s Sketch
	if !math.IsNaN(h.Quantile(0.5)) || !math.IsNaN(s.Quantile(0.5)) {
		t.Errorf("empty: %v, %v, want NaN", h.Quantile(0.5), s.Quantile(0.5))
	}
}

func TestMergedPartsEqualTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		n := r.IntN(700)
		values := latencies(r, n)
		var whole, merged Histogram
		var wholeSketch, mergedSketch Sketch
		parts := make([]Histogram, 1+r.IntN(5))
		sketches := make([]Sketch, len(parts))
		for _, v := range values {
			whole.Add(v)
			wholeSketch.Add(v)
			k := r.IntN(len(parts))
			parts[k].Add(v)
			sketches[k].Add(v)
		}
		for i := range parts {
			merged.Merge(&parts[i])
			mergedSketch.Merge(&sketches[i])
		}
		if merged.Exact() != whole.Exact() || merged.Count() != whole.Count() {
			t.Fatalf("n=%d: merged exact %v count %d, whole exact %v count %d", n, merged.Exact(), merged.Count(), whole.Exact(), whole.Count())
		}
		wb, wc := whole.Buckets()
		mb, mc := merged.Buckets()
		sb, sc := mergedSketch.Buckets()
		if !slices.Equal(wb, mb) || !slices.Equal(wc, mc) || !slices.Equal(wb, sb) || !slices.Equal(wc, sc) {
			t.Fatalf("n=%d: buckets differ", n)
		}
		for _, q := range []float64{0.5, 0.95, 0.99} {
			if w, m := whole.Quantile(q), merged.Quantile(q); n > 0 && w != m {
				t.Fatalf("n=%d q=%v: whole %v, merged %v", n, q, w, m)
			}
			if w, m := wholeSketch.Quantile(q), mergedSketch.Quantile(q); n > 0 && w != m {
				t.Fatalf("n=%d q=%v: whole sketch %v, merged %v", n, q, w, m)
			}
		}
	}
}

func BenchmarkHistogramAdd(b *testing.B) {
	values := latencies(rand.New(rand.NewPCG(7, 8)), 1<<12)
	var h Histogram
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.Add(values[i&(1<<12-1)])
	}
}
