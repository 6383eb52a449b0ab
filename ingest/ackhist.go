package ingest

import (
	"math/bits"
	"time"
)

const (
	ackSubBits = 4                                           // 16 buckets an octave: a percentile is right within about 3 %
	ackOctaves = 28                                          // up to 2^28 us, four minutes: above every timeout
	ackBuckets = (ackOctaves - ackSubBits + 1) << ackSubBits // the first 16 us have a bucket each
)

// ackHistogram counts durations in log-linear buckets over whole microseconds.
type ackHistogram struct {
	counts [ackBuckets]uint32
	total  uint64
}

func (h *ackHistogram) add(d time.Duration) {
	us := uint64(max(0, d.Microseconds()))
	h.counts[ackBucket(us)]++
	h.total++
}

func (h *ackHistogram) merge(other *ackHistogram) {
	if other.total == 0 {
		return
	}
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// quantile is the middle of the bucket that holds the value of rank ceil(q*total); 0 when nothing was counted.
func (h *ackHistogram) quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := uint64(q * float64(h.total))
	if float64(rank) < q*float64(h.total) || rank == 0 {
		rank++
	}
	var below uint64
	for i, n := range h.counts {
		below += uint64(n)
		if below >= rank {
			low, high := ackBounds(i)
			return time.Duration(low+high) * time.Microsecond / 2
		}
	}
	return 0
}

func ackBucket(us uint64) int {
	if us < 1<<ackSubBits {
		return int(us)
	}
	octave := bits.Len64(us) - 1 - ackSubBits // how far the value is shifted to fit the sub-buckets
	return min(ackBuckets-1, octave<<ackSubBits+int(us>>octave))
}

// ackBounds are the first and the last microsecond of a bucket.
func ackBounds(i int) (low, high uint64) {
	if i < 1<<(ackSubBits+1) {
		return uint64(i), uint64(i)
	}
	octave := i>>ackSubBits - 1
	low = uint64(i-octave<<ackSubBits) << octave
	return low, low + 1<<octave - 1
}
