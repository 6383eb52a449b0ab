package column

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"slices"
)

// UUIDs that were made one after the other begin alike (RFC 9562, 5.7). A frame says that without any search: after a value's literals comes
// a sequence, which repeats the first characters of the value before, uuidText bytes ago. All sequences of a page are the same, so that each
// takes the few bits of its length of literals and nothing for a code. A value that begins otherwise begins a new run.

// sequences are what stands between the values of a block.
type sequences struct {
	n      int  // equal ones
	skip   int  // digits of a value that its literals are without
	repeat int  // characters that a sequence repeats: the digits with their hyphen
	offset bool // they say how far back; later blocks mean the same
}

// literalLengths are the codes of 16 and more literals that UUIDs need: the first length, and the bits that follow.
var literalLengths = [...]struct{ from, bits int }{{16, 1}, {18, 1}, {20, 1}, {22, 1}, {24, 2}, {28, 2}, {32, 3}, {40, 3}}

// append appends the sequences section.
func (q sequences) append(dst []byte) []byte {
	const (
		everySame = 0x54 // one code each for all lengths of literals, offsets and lengths of matches
		least     = 3    // of a match
		farCode   = 5    // offsets of 32 to 63 as they are counted, which is three more
		lastOne   = 0
	)
	switch {
	case q.n == 0:
		return append(dst, 0)
	case q.n < 128:
		dst = append(dst, byte(q.n))
	default:
		dst = append(dst, byte(q.n>>8+128), byte(q.n))
	}
	each := uuidText - q.repeat
	code := 0
	for literalLengths[code+1].from <= each {
		code++
	}
	length := literalLengths[code]
	pattern, size := uint64(each-length.from), length.bits
	far := lastOne
	if q.offset {
		far = farCode
		pattern |= uint64(uuidText+3-1<<farCode) << size
		size += farCode
	}
	dst = append(dst, everySame, byte(16+code), byte(far), byte(q.repeat-least))
	var pending uint64
	n := 0
	for range q.n {
		pending |= pattern << n
		for n += size; n >= 8; n -= 8 {
			dst = append(dst, byte(pending))
			pending >>= 8
		}
	}
	return append(dst, byte(pending|1<<n))
}

const (
	// fewShared and mostShared bound the digits that are worth a sequence: a match has three characters at least, and below the tenth digit
	// of milliseconds neighbours differ.
	fewShared, mostShared = 3, 10
	// runBits is about what beginning a run costs.
	runBits = 400
	// offsetRows is the length of the first block, whose sequences spend five bits on the offset.
	offsetRows = 12
)

// sharedDigits is with how many first digits it pays to let most UUIDs repeat those of the one before; 0: with none.
func sharedDigits(values []byte, code *digitCode) int {
	if code != uuidCode || len(values) < 4*uuidBytes {
		return 0
	}
	var rows [17]int // by how many digits they share with the one before
	last := binary.BigEndian.Uint64(values)
	for v := values[uuidBytes:]; len(v) > 0; v = v[uuidBytes:] {
		next := binary.BigEndian.Uint64(v)
		rows[bits.LeadingZeros64(last^next)/4]++
		last = next
	}
	best, saves := 0, 0
	runs := rows[0] + rows[1] + rows[2]
	n := len(values)/uuidBytes - 1
	for digits := fewShared; digits <= mostShared; digits++ {
		if save := (n-runs)*(digits*4-3) - runs*runBits; save > saves {
			best, saves = digits, save
		}
		runs += rows[digits]
	}
	return best
}

// runs adds a page of UUIDs of which most share their first digits with the one before. lead goes before them.
func (f *frame) runs(lead, values []byte, skip int) {
	q := sequences{skip: skip, repeat: skip, offset: true}
	if skip >= 8 {
		q.repeat++ // the hyphen
	}
	described := false
	for len(values) > 0 {
		n := sharedRun(values, skip)
		f.raw(append(lead, uuidCode.text(values[:uuidBytes])[:q.repeat]...), false)
		lead = nil
		for n > 0 {
			part := blockRows(n, uuidText)
			if q.offset {
				part = min(part, offsetRows)
			}
			q.n = part
			if part == n {
				q.n-- // nothing to repeat after the run
			}
			n -= part
			f.literals(uuidCode, values[:part*uuidBytes], part, uuidText-q.repeat, !described, q, len(values) == part*uuidBytes)
			values, described = values[part*uuidBytes:], true
			q.offset = q.offset && q.n == 0
		}
	}
}

// sharedRun is how many values from the first on share so many digits with the one before.
func sharedRun(values []byte, digits int) int {
	n := 1
	last := binary.BigEndian.Uint64(values)
	for v := values[uuidBytes:]; len(v) > 0; v = v[uuidBytes:] {
		next := binary.BigEndian.Uint64(v)
		if bits.LeadingZeros64(last^next)/4 < digits {
			break
		}
		last = next
		n++
	}
	return n
}

// uuidCode gives four bits to every digit but f, and five to f and the hyphen.
var uuidCode = &digitCode{
	tree: describe(func(c byte) byte {
		if c == '-' || c == 'f' {
			return 1
		}
		return 2
	}, "-0123456789abcdef"),
	stream: appendUUIDs,
	text: func(packed []byte) []byte {
		out := hex.AppendEncode(nil, packed)
		for _, at := range []int{8, 13, 18, 23} {
			out = slices.Insert(out, at, '-')
		}
		return out
	},
}

// uuidDigit is a digit's code: codes of one length go by symbols, so that of the longer two the hyphen has 0.
func uuidDigit(d int) (code, length int) {
	if d == 15 {
		return 1, 5
	}
	return d + 1, 4
}

// uuidPairs has the code of every byte's two digits, the first above the second, in the low ten bits, and its length above.
var uuidPairs = func() (pairs [256]uint16) {
	for b := range pairs {
		high, n := uuidDigit(b >> 4)
		low, m := uuidDigit(b & 15)
		pairs[b] = uint16((n+m)<<10 | high<<m | low)
	}
	return pairs
}()

// uuidStream is a stream of literals in the making: codes from the last symbol to the first, each above the one before it.
type uuidStream struct {
	out  []byte
	at   int
	bits uint64
	n    uint // of bits
}

func (s *uuidStream) add(b byte) {
	pair := uuidPairs[b]
	s.bits |= uint64(pair&0x3ff) << s.n
	s.n += uint(pair >> 10)
}

// flush writes whole bytes: before more than 64 bits have come together.
func (s *uuidStream) flush() {
	binary.LittleEndian.PutUint64(s.out[s.at:], s.bits)
	s.at += int(s.n / 8)
	s.bits >>= s.n &^ 7
	s.n &= 7
}

// appendUUIDs is uuidCode's stream.
func appendUUIDs(dst, packed []byte, skip int) []byte {
	const most, hyphen = 23, 5 // bytes of a UUID when all digits are f; bits
	from := len(dst)
	dst = slices.Grow(dst, len(packed)/uuidBytes*most+8)
	s := uuidStream{out: dst[from:cap(dst)]}
	for ; len(packed) > 0; packed = packed[:len(packed)-uuidBytes] {
		v := (*[uuidBytes]byte)(packed[len(packed)-uuidBytes:])
		s.add(v[15])
		s.add(v[14])
		s.add(v[13])
		s.add(v[12])
		s.add(v[11])
		s.flush()
		s.add(v[10])
		s.n += hyphen
		s.add(v[9])
		s.add(v[8])
		s.n += hyphen
		s.flush()
		s.add(v[7])
		s.add(v[6])
		s.n += hyphen
		s.flush()
		at := 5
		for ; at >= 4 && 2*at >= skip; at-- {
			s.add(v[at])
		}
		if skip < 8 {
			s.n += hyphen
			s.flush()
		}
		for ; 2*at >= skip && at >= 0; at-- {
			s.add(v[at])
		}
		if skip%2 == 1 {
			code, length := uuidDigit(int(v[at] & 15))
			s.bits |= uint64(code) << s.n
			s.n += uint(length)
		}
		s.flush()
	}
	return append(dst[:from+s.at], byte(s.bits|1<<s.n))
}
