package lake

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unsafe"
)

const (
	// dictionaryLimit is how many different values of a column a worker may keep: what a number has room for beside a block's own.
	dictionaryLimit = 1 << 15
	// dictionaryBytes is how much text a dictionary takes, and dictionaryText of one value: longer ones go to the block.
	dictionaryBytes = 2 << 20
	dictionaryText  = 256
	// recentValues is how many values are found without the map.
	recentValues = 512
	// A dictionary is asked no more when looking a value up takes longer than compressing it: one of dictionarySome values when it knows less
	// than an eighth of a trial's, which is next to no repetition, and one of dictionaryMany when it knows less than three quarters.
	dictionarySome, dictionaryMany = 512, 8192
	// dictionaryTrial is how many values are a trial.
	dictionaryTrial = 1024
)

// dictionary gives the values of a column numbers.
type dictionary struct {
	numbers map[string]uint16
	values  []string
	bytes   int                  // of values
	recent  [recentValues]uint16 // by a quick hash; a value that is not at its place is looked for in numbers
	tries   int                  // of the trial at hand
	unknown int                  // of them
	closed  bool
}

// clear forgets all values.
func (d *dictionary) clear() {
	clear(d.numbers)
	clear(d.values)
	d.values, d.bytes, d.tries, d.unknown, d.closed = d.values[:0], 0, 0, 0, false
}

// number finds or gives the value's number; false when there is no room for it.
func (d *dictionary) number(s string) (uint16, bool) {
	if d.closed || len(s) > dictionaryText {
		return 0, false
	}
	slot := &d.recent[quickHash(s)]
	n := *slot
	known := int(n) < len(d.values) && d.values[n] == s
	if !known {
		if n, known = d.numbers[s]; known {
			*slot = n
		}
	}
	if len(d.values) >= dictionarySome && s != "" { // what is absent tells nothing of those that are not
		d.try(known)
	}
	if known {
		return n, true
	}
	if len(d.values) == dictionaryLimit || d.bytes+len(s) > dictionaryBytes {
		return 0, false
	}
	if d.numbers == nil {
		d.numbers = map[string]uint16{}
	}
	s = strings.Clone(s)
	n = uint16(len(d.values))
	d.numbers[s] = n
	d.values = append(d.values, s)
	d.bytes += len(s)
	*slot = n
	return n, true
}

// try counts how often the dictionary is asked in vain.
func (d *dictionary) try(known bool) {
	if !known {
		d.unknown++
	}
	if d.tries++; d.tries == dictionaryTrial {
		most := dictionaryTrial / 8 * 7
		if len(d.values) >= dictionaryMany {
			most = dictionaryTrial / 4
		}
		d.closed = d.unknown > most
		d.tries, d.unknown = 0, 0
	}
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
