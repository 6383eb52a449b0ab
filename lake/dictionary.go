package lake

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unsafe"
)

const (
	// dictionaryLimit is how many different values of a column a worker keeps: above it the column does not repeat enough.
	dictionaryLimit = 8192
	// dictionaryText: longer values than this go to the block, so that a dictionary takes 2 MiB at most.
	dictionaryText = 256
	// recentValues is how many values are found without the map.
	recentValues = 512
	// A full dictionary that knows fewer than one of eight values, of so many, is asked no more.
	dictionaryTrial = 1024
)

// dictionary gives the values of a column numbers.
type dictionary struct {
	numbers     map[string]uint16
	values      []string
	recent      [recentValues]uint16 // by a quick hash; a value that is not at its place is looked for in numbers
	tries, hits int                  // of the trial at hand
	closed      bool
}

// number finds or gives the value's number; false when there is no room for it.
func (d *dictionary) number(s string) (uint16, bool) {
	if d.closed || len(s) > dictionaryText {
		return 0, false
	}
	slot := &d.recent[quickHash(s)]
	if n := *slot; int(n) < len(d.values) && d.values[n] == s {
		d.hits++
		return n, true
	}
	n, ok := d.numbers[s]
	switch {
	case ok:
		d.hits++
	case len(d.values) == dictionaryLimit:
		if d.tries++; d.tries == dictionaryTrial {
			d.closed = d.hits < dictionaryTrial/8
			d.tries, d.hits = 0, 0
		}
		return 0, false
	default:
		if d.numbers == nil {
			d.numbers = map[string]uint16{}
		}
		s = strings.Clone(s)
		n = uint16(len(d.values))
		d.numbers[s] = n
		d.values = append(d.values, s)
	}
	*slot = n
	return n, true
}

// quickHash is a number below recentValues from the length and both ends of a string: enough to tell the few values apart that come again
// and again. Nothing depends on it but speed.
func quickHash(s string) uint32 {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	var h uint64
	switch n := len(b); {
	case n >= 8:
		h = binary.LittleEndian.Uint64(b) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(b[n-8:]), 29)
	case n >= 4:
		h = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32
	case n > 0:
		h = uint64(b[0]) | uint64(b[n/2])<<8 | uint64(b[n-1])<<16
	}
	return uint32((h + uint64(len(b))) * 0x9e3779b97f4a7c15 >> (64 - 9))
}
