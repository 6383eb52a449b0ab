package rollup

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestBucketsCoverTheAxisWithoutGaps(t *testing.T) {
	last := BucketOf(0)
	if last != 0 {
		t.Fatalf("bucket of 0 is %d", last)
	}
	for us := 1; us < 1<<20; us++ {
		b := BucketOf(float64(us) / 1000)
		if b != last && b != last+1 {
			t.Fatalf("bucket jumps from %d to %d at %d us", last, b, us)
		}
		last = b
	}
}

func TestBucketMiddleIsInItsBucketAndClose(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		ms := math.Exp(r.Float64()*30 - 7) // 1 us to 10^10 ms
		b := BucketOf(ms)
		mid := BucketMS(b)
		if BucketOf(mid) != b && BucketOf(mid) != b+1 { // an even number of microseconds has its middle between two: it rounds up or down inside
			t.Fatalf("%v ms: bucket %d, middle %v lies in bucket %d", ms, b, mid, BucketOf(mid))
		}
		bound := ms/128 + 0.0005
		if math.Abs(mid-ms) > bound*(1+1e-9) {
			t.Fatalf("%v ms: bucket %d, middle %v is off by %v > %v", ms, b, mid, mid-ms, bound)
		}
	}
}

func TestBucketOfOddValues(t *testing.T) {
	for _, c := range []struct {
		ms   float64
		want int16
	}{{-1, 0}, {math.NaN(), 0}, {0.0004, 0}, {0.0006, 1}, {0.063, 63}, {0.064, 64}, {0.127, 127}, {0.128, 128}, {0.129, 128}, {math.Inf(1), MaxBucket}, {1e300, MaxBucket}} {
		if got := BucketOf(c.ms); got != c.want {
			t.Errorf("BucketOf(%v) = %d, want %d", c.ms, got, c.want)
		}
	}
}

// TestBucketRange: the ranges lie side by side, and both ends of each are in their bucket.
func TestBucketRange(t *testing.T) {
	next := uint64(0)
	for b := range MaxBucket + 1 {
		low, width := BucketRange(int16(b))
		if low != next {
			t.Fatalf("bucket %d begins at %d, the one before ends at %d", b, low, next)
		}
		next = low + 1<<width
		if next > 1<<51 { // far above, a double of milliseconds does not tell microseconds apart
			continue
		}
		for _, us := range []uint64{low, next - 1} {
			if got := BucketOf(float64(us) / 1000); int(got) != b {
				t.Fatalf("%d us are in bucket %d, want %d", us, got, b)
			}
		}
	}
}
