package rollup

import (
	"math"
	"math/bits"
)

// A bucket is a range of whole microseconds. Below 128 us every microsecond is a bucket of its own; above, each octave [2^e, 2^(e+1)) is
// cut into 64 equal buckets, so a bucket is at most 1/64 of its lower edge wide and its middle is off by at most 1/128 (0.79 %) of any
// value in it. Rounding a latency to whole microseconds adds at most 0.5 us, which matters below 50 us only.
//
//	bucket(u) = u                                       for u < 64
//	bucket(u) = 64*(e-5) + (u >> (e-6)) mod 64          for u >= 64, e = floor(log2 u)
//
// The same in SQL, from a bucket number b to milliseconds, is BucketSQL.
const (
	stepBits = 6             // 64 buckets an octave: the fewest, as a power of two, that keep the error below 1 %
	steps    = 1 << stepBits //
	maxShift = 56            // buckets end at 2^62 us (146,000 years): anything above counts as that
	// MaxBucket is the highest bucket number; every bucket fits an int16.
	MaxBucket = steps*(maxShift+1) - 1
)

// ErrorBound is the largest relative error of a quantile that comes from buckets, for latencies of 0.1 ms and more; see bucket.go.
const ErrorBound = 0.01

// BucketSQL is the expression that turns a bucket number in the column b into milliseconds, in the words that DuckDB and Trino share. It
// gives the number that BucketMS gives.
const BucketSQL = "(CASE WHEN b < 64 THEN b ELSE (64 + b % 64 + 0.5) * power(2, floor(b / 64.0) - 1) - 0.5 END) / 1000.0"

// BucketOf is the bucket of a latency in milliseconds. Negative values and NaN count as 0.
func BucketOf(ms float64) int16 {
	us := ms*1000 + 0.5 // then cut: rounds to the nearest
	if !(us >= 1) {
		return 0
	}
	u := uint64(1)<<62 - 1
	if us < 1<<62 {
		u = uint64(us)
	}
	if u < steps {
		return int16(u)
	}
	shift := bits.Len64(u) - 1 - stepBits
	return int16(shift<<stepBits + int(u>>shift))
}

// BucketMS is the middle of a bucket in milliseconds: the value that stands for all of it.
func BucketMS(bucket int16) float64 {
	if bucket < steps {
		return float64(bucket) / 1000
	}
	shift := int(bucket)>>stepBits - 1
	low := float64(steps + int(bucket)%steps)
	return ((low+0.5)*math.Ldexp(1, shift) - 0.5) / 1000
}

// BucketRange is what a bucket holds: latencies that round to 2^width whole microseconds from low on. The last bucket also holds all above it.
func BucketRange(bucket int16) (low uint64, width int) {
	if bucket < steps {
		return uint64(bucket), 0
	}
	width = int(bucket)>>stepBits - 1
	return uint64(steps+int(bucket)%steps) << width, width
}
