package rollup

// AddBucket counts n values of which only the bucket is known, as they stand in a file's lists.
func (s *Sketch) AddBucket(bucket int16, n int64) { s.add(bucket, n) }

// AddBucket counts n values of which only the bucket is known; they are taken for the value that stands for it.
func (h *Histogram) AddBucket(bucket int16, n int64) {
	if h.Exact() && int64(len(h.raw))+n <= ExactValues {
		for range n {
			h.raw = append(h.raw, BucketMS(bucket))
		}
		return
	}
	h.pour()
	h.sketch.add(bucket, n)
}
