package ingest

import (
	"testing"
	"time"
)

func TestAckBucketsAreGaplessAndNarrow(t *testing.T) {
	next := uint64(0)
	for i := range ackBuckets {
		low, high := ackBounds(i)
		if low != next || high < low || ackBucket(low) != i || ackBucket(high) != i {
			t.Fatalf("bucket %d is %d..%d, want it to begin at %d; its bounds fall into %d and %d", i, low, high, next, ackBucket(low), ackBucket(high))
		}
		if float64(high-low) > float64(low)/16 {
			t.Errorf("bucket %d is %d..%d: too wide", i, low, high)
		}
		next = high + 1
	}
	if ackBucket(next) != ackBuckets-1 || ackBucket(1<<62) != ackBuckets-1 {
		t.Error("what is above the last bucket does not count there")
	}
}

func TestAckQuantile(t *testing.T) {
	var h ackHistogram
	if h.quantile(0.5) != 0 {
		t.Error("of nothing")
	}
	h.add(-time.Second)
	if got := h.quantile(0.95); got != 0 {
		t.Errorf("of a negative duration: %v", got)
	}
	var other ackHistogram
	for i := range 9 {
		other.add(time.Duration(i+1) * time.Microsecond)
	}
	h.merge(&other)
	h.merge(&ackHistogram{})
	for q, want := range map[float64]time.Duration{0: 0, 0.5: 4 * time.Microsecond, 0.95: 9 * time.Microsecond, 1: 9 * time.Microsecond} {
		if got := h.quantile(q); got != want {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
}
