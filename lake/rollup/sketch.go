package rollup

import (
	"math"
	"slices"
)

// fewValues is how many values a Sketch lists one by one before it counts by bucket: a list takes 2 bytes a value, counting takes 256
// bytes for each octave that the values span, and most cells of an endpoint see a handful of events.
const fewValues = 256

// Sketch counts latencies by bucket. The zero value is empty and ready. Its quantiles are off by at most ErrorBound. It is not safe for
// concurrent use while values are added.
type Sketch struct {
	few  []int16 // bucket of each value, unordered; nil once dense is used
	many *dense
}

// dense counts values of neighbouring buckets. A cell spans an hour at most, so 2^32 of a bucket are out of reach.
type dense struct {
	base   int16
	counts []uint32 // counts[i] is how many values lie in bucket base+i; nil when there are none yet
	n      int64
}

// Add counts a latency in milliseconds.
func (s *Sketch) Add(ms float64) { s.add(BucketOf(ms), 1) }

func (s *Sketch) add(bucket int16, n int64) {
	if s.many == nil {
		if n <= fewValues-int64(len(s.few)) {
			for range n {
				s.few = append(s.few, bucket)
			}
			return
		}
		s.pour()
	}
	s.many.add(bucket, n)
}

// pour moves the listed values into counts.
func (s *Sketch) pour() {
	s.many = &dense{}
	for _, b := range s.few {
		s.many.add(b, 1)
	}
	s.few = nil
}

// spread makes sure that the sketch counts by bucket.
func (s *Sketch) spread() {
	if s.many == nil {
		s.pour()
	}
}

func (d *dense) add(bucket int16, n int64) {
	i := int(bucket) - int(d.base)
	if i < 0 || i >= len(d.counts) {
		d.widen(bucket)
		i = int(bucket) - int(d.base)
	}
	d.counts[i] += uint32(n)
	d.n += n
}

// widen makes room for bucket, in whole octaves.
func (d *dense) widen(bucket int16) {
	low := bucket &^ (steps - 1)
	high := low + steps
	if d.counts != nil {
		low, high = min(low, d.base), max(high, d.base+int16(len(d.counts)))
	}
	wider := make([]uint32, high-low)
	if d.counts != nil {
		copy(wider[d.base-low:], d.counts)
	}
	d.counts, d.base = wider, low
}

// Merge adds what o counted. The counts stay exact.
func (s *Sketch) Merge(o *Sketch) {
	for _, b := range o.few {
		s.add(b, 1)
	}
	if o.many == nil {
		return
	}
	if s.many == nil {
		s.pour()
	}
	o.many.each(s.many.add)
}

// each visits the non-empty buckets in order.
func (d *dense) each(visit func(bucket int16, n int64)) {
	for i, n := range d.counts {
		if n > 0 {
			visit(d.base+int16(i), int64(n))
		}
	}
}

// Count is how many values were added.
func (s *Sketch) Count() int64 {
	if s.many != nil {
		return s.many.n
	}
	return int64(len(s.few))
}

// Quantile is the value at rank q*(n-1) in milliseconds, interpolated between neighbours as DuckDB's quantile_cont does; NaN when empty.
func (s *Sketch) Quantile(q float64) float64 {
	n := s.Count()
	switch {
	case n == 0:
		return math.NaN()
	case s.many == nil:
		var buffer [fewValues]int16
		sorted := buffer[:copy(buffer[:], s.few)]
		slices.Sort(sorted)
		return interpolate(n, q, func(rank int64) float64 { return BucketMS(sorted[rank]) })
	default:
		return interpolate(n, q, s.many.at)
	}
}

// at is the value of a rank.
func (d *dense) at(rank int64) float64 {
	var below int64
	last := d.base
	for i, n := range d.counts {
		if n == 0 {
			continue
		}
		last = d.base + int16(i)
		if below += int64(n); rank < below {
			break
		}
	}
	return BucketMS(last)
}

// Buckets lists the non-empty buckets in order, and how many values lie in each.
func (s *Sketch) Buckets() ([]int16, []int32) {
	if s.many == nil {
		return countBuckets(slices.Clone(s.few))
	}
	var buckets []int16
	var counts []int32
	s.many.each(func(b int16, n int64) {
		buckets, counts = append(buckets, b), append(counts, int32(min(n, math.MaxInt32)))
	})
	return buckets, counts
}

// countBuckets sorts the list in place and counts equal ones.
func countBuckets(list []int16) (buckets []int16, counts []int32) {
	slices.Sort(list)
	for i, b := range list {
		if i == 0 || b != list[i-1] {
			buckets, counts = append(buckets, b), append(counts, 0)
		}
		counts[len(counts)-1]++
	}
	return buckets, counts
}

// interpolate is the quantile q of n sorted values, n > 0.
func interpolate(n int64, q float64, at func(rank int64) float64) float64 {
	position := min(max(q, 0), 1) * float64(n-1)
	low := int64(math.Floor(position))
	value, part := at(low), position-float64(low)
	if part == 0 || low+1 >= n {
		return value
	}
	return value + (at(low+1)-value)*part
}
