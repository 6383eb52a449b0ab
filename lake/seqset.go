package lake

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// seqRange is [First, End).
type seqRange struct{ First, End Seq }

// seqRanges are disjoint and ascending.
type seqRanges []seqRange

// add appends a range that begins at or after the last one's end.
func (r seqRanges) add(first, end Seq) seqRanges {
	if n := len(r); n > 0 && r[n-1].End == first {
		r[n-1].End = end
		return r
	}
	return append(r, seqRange{first, end})
}

// below are the parts under w.
func (r seqRanges) below(w Seq) seqRanges {
	var out seqRanges
	for _, one := range r {
		if one.First < w {
			out = append(out, seqRange{one.First, min(one.End, w)})
		}
	}
	return out
}

func (r seqRanges) contains(s Seq) bool {
	i, found := slices.BinarySearchFunc(r, s, func(a seqRange, s Seq) int {
		switch {
		case a.End <= s:
			return -1
		case a.First > s:
			return 1
		}
		return 0
	})
	return found && i < len(r)
}

// windows cuts the ranges into pieces that span at most size seqs each, so that a bitmap of one piece has a bound.
func (r seqRanges) windows(size Seq) []seqRange {
	var out []seqRange
	for _, one := range r {
		for first := one.First; first < one.End; {
			end := min(one.End, first+size)
			if n := len(out); n > 0 && end-out[n-1].First <= size {
				out[n-1].End = end
			} else {
				out = append(out, seqRange{first, end})
			}
			first = end
		}
	}
	return out
}

func (r seqRanges) String() string {
	const shown = 5
	var parts []string
	for i, one := range r {
		if i == shown {
			parts = append(parts, fmt.Sprintf("and %d more ranges", len(r)-shown))
			break
		}
		parts = append(parts, fmt.Sprintf("%d..%d", one.First, one.End-1))
	}
	return strings.Join(parts, ", ")
}

// seqBits is one bit for each seq of a window.
type seqBits struct {
	window seqRange
	words  []uint64
}

func newSeqBits(window seqRange) *seqBits {
	return &seqBits{window: window, words: make([]uint64, (window.End-window.First+63)/64)}
}

// set marks s and says whether it was marked already. s lies in the window.
func (b *seqBits) set(s Seq) (again bool) {
	i := uint64(s - b.window.First)
	bit := uint64(1) << (i % 64)
	again = b.words[i/64]&bit != 0
	b.words[i/64] |= bit
	return again
}

// maxMissingRanges bounds the list of what is missing: a lost file of one partition leaves a hole at every other seq.
const maxMissingRanges = 1000

// missing are the first seqs of the ranges inside the window that are not marked, and how many there are in all.
func (b *seqBits) missing(ranges seqRanges) (out seqRanges, count int64) {
	for _, one := range ranges {
		for s := max(one.First, b.window.First); s < min(one.End, b.window.End); {
			i := uint64(s - b.window.First)
			unset := ^b.words[i/64] >> (i % 64)
			if unset == 0 {
				s += Seq(64 - i%64)
				continue
			}
			if skip := bits.TrailingZeros64(unset); skip > 0 {
				s += Seq(skip)
				continue
			}
			if len(out) < maxMissingRanges {
				out = out.add(s, s+1)
			}
			count++
			s++
		}
	}
	return out, count
}

// from are the parts at or above s.
func (r seqRanges) from(s Seq) seqRanges {
	var out seqRanges
	for _, one := range r {
		if one.End > s {
			out = append(out, seqRange{max(one.First, s), one.End})
		}
	}
	return out
}

// without are the parts that lie in none of the given ranges.
func (r seqRanges) without(others seqRanges) seqRanges {
	if len(r) == 0 || len(others) == 0 {
		return r
	}
	out := make(seqRanges, 0, len(r))
	for _, one := range r {
		for len(others) > 0 && others[0].End <= one.First {
			others = others[1:]
		}
		for _, other := range others {
			if other.First >= one.End {
				break
			}
			if one.First < other.First {
				out = append(out, seqRange{one.First, other.First})
			}
			one.First = max(one.First, other.End)
		}
		if one.First < one.End {
			out = append(out, one)
		}
	}
	return out
}
