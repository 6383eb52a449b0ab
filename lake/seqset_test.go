package lake

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSeqRanges(t *testing.T) {
	r := seqRanges{}.add(1, 5).add(5, 9).add(20, 30)
	f := func(name string, got, want seqRanges) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Fatalf("%s: got %v, want %v", name, got, want)
		}
	}
	f("add", r, seqRanges{{1, 9}, {20, 30}})
	f("below", r.below(22), seqRanges{{1, 9}, {20, 22}})
	f("below the first", r.below(1), nil)
	f("from", r.from(7), seqRanges{{7, 9}, {20, 30}})
	f("without the middle", r.without(seqRanges{{3, 4}, {6, 25}}), seqRanges{{1, 3}, {4, 6}, {25, 30}})
	f("without others", r.without(seqRanges{{0, 1}, {9, 20}, {30, 99}}), r)
	f("without anything", r.without(seqRanges{{0, 99}}), nil)
	f("without nothing", r.without(nil), r)
	f("windows of 4", r.windows(4), seqRanges{{1, 5}, {5, 9}, {20, 24}, {24, 28}, {28, 30}})
	f("one window", r.windows(100), seqRanges{{1, 30}})
	for s := Seq(0); s < 32; s++ {
		if got, want := r.contains(s), (s >= 1 && s < 9) || (s >= 20 && s < 30); got != want {
			t.Fatalf("contains %d: %v", s, got)
		}
	}
	if got := r.String(); got != "1..8, 20..29" {
		t.Fatal(got)
	}
}

func TestSeqBitsAgainstMap(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		first := Seq(r.IntN(1000))
		ranges := seqRanges{}.add(first, first+Seq(1+r.IntN(200)))
		ranges = ranges.add(ranges[0].End+Seq(1+r.IntN(90)), ranges[0].End+Seq(100+r.IntN(200)))
		window := seqRange{ranges[0].First, ranges[1].End}
		b, set := newSeqBits(window), map[Seq]bool{}
		for range r.IntN(600) {
			s := window.First + Seq(r.IntN(int(window.End-window.First)))
			if again := b.set(s); again != set[s] {
				t.Fatalf("set %d: %v", s, again)
			}
			set[s] = true
		}
		missing, n := b.missing(ranges)
		var want int64
		for s := window.First; s < window.End; s++ {
			lost := ranges.contains(s) && !set[s]
			if lost {
				want++
			}
			if missing.contains(s) != lost {
				t.Fatalf("seq %d: missing %v, want %v", s, missing.contains(s), lost)
			}
		}
		if n != want {
			t.Fatalf("%d missing, want %d", n, want)
		}
	}
}
