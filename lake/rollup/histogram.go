package rollup

import (
	"math"
	"slices"
)

// ExactValues is how many values a Histogram keeps as they are. A quantile of few values is decided by which of them it falls on, so
// buckets alone would be off by tens of percent in quiet minutes; 256 values are 2 KiB, about what the buckets of a busy minute take.
const ExactValues = 256

// Histogram holds latencies: the values themselves up to ExactValues of them, buckets above. The zero value is empty and ready. It is not
// safe for concurrent use while values are added.
type Histogram struct {
	raw    []float64 // unordered; nil once there were more than ExactValues
	sketch Sketch    // empty until then
}

// Add takes a latency in milliseconds: finite and not negative.
func (h *Histogram) Add(ms float64) {
	if h.Exact() {
		if len(h.raw) < ExactValues {
			h.raw = append(h.raw, ms)
			return
		}
		h.pour()
	}
	h.sketch.Add(ms)
}

// pour moves the kept values into the buckets.
func (h *Histogram) pour() {
	if h.Exact() {
		h.sketch.pour()
	}
	for _, v := range h.raw {
		h.sketch.Add(v)
	}
	h.raw = nil
}

// Merge adds what o holds: counts stay exact, and values too while there are at most ExactValues of both. The result does not depend on
// how the values were split.
func (h *Histogram) Merge(o *Histogram) {
	if h.Exact() && o.Exact() && len(h.raw)+len(o.raw) <= ExactValues {
		h.raw = append(h.raw, o.raw...)
		return
	}
	h.pour()
	for _, v := range o.raw {
		h.sketch.Add(v)
	}
	h.sketch.Merge(&o.sketch)
}

// Count is how many values were added.
func (h *Histogram) Count() int64 { return h.sketch.Count() + int64(len(h.raw)) }

// Exact tells whether quantiles come from the values themselves.
func (h *Histogram) Exact() bool { return h.sketch.many == nil }

// Raw is the kept values in no order; empty when Exact is false. It belongs to the histogram.
func (h *Histogram) Raw() []float64 { return h.raw }

// Quantile is the value at rank q*(n-1) in milliseconds, interpolated between neighbours as DuckDB's quantile_cont does: exact when Exact,
// else within ErrorBound. NaN when empty.
func (h *Histogram) Quantile(q float64) float64 {
	return h.Quantiles(q)[0]
}

// Quantiles is Quantile for each of qs, sorting once.
func (h *Histogram) Quantiles(qs ...float64) []float64 {
	out := make([]float64, len(qs))
	h.quantiles(out, qs)
	return out
}

func (h *Histogram) quantiles(out, qs []float64) {
	if !h.Exact() {
		for i, q := range qs {
			out[i] = h.sketch.Quantile(q)
		}
		return
	}
	var buffer [ExactValues]float64
	sorted := buffer[:copy(buffer[:], h.raw)]
	slices.Sort(sorted)
	for i, q := range qs {
		out[i] = math.NaN()
		if len(sorted) > 0 {
			out[i] = interpolate(int64(len(sorted)), q, func(rank int64) float64 { return sorted[rank] })
		}
	}
}

// Buckets lists the non-empty buckets in order, and how many values lie in each, also while the values are kept.
func (h *Histogram) Buckets() ([]int16, []int32) {
	if !h.Exact() {
		return h.sketch.Buckets()
	}
	list := make([]int16, len(h.raw))
	for i, v := range h.raw {
		list[i] = BucketOf(v)
	}
	return countBuckets(list)
}
