package column

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// Ids are most of a file's bytes, and zstd takes half a byte for each of their hex digits: there is nothing to find but the code. So a page
// of them is not compressed but written as what a compressor would come to: a zstd frame (RFC 8878) of literals, under a Huffman code that is
// known beforehand. With sixteen digits of four bits each, in the format's order of codes, a digit's code is its value, and the stream of
// literals, which is read from its end, is the packed bytes in reverse.

// frame is a zstd frame in the making.
type frame struct{ b []byte }

const (
	zstdMagic = 0xfd2fb528
	// singleSegment: the window is the content, whose length follows in four bytes.
	singleSegment = 0xa0
	// blockBytes is the most that a block may come to.
	blockBytes = 128 << 10

	rawBlock, compressedBlock   = 0, 2
	codedLiterals, sameLiterals = 2, 3 // with a description of the code, or with the block's before it
)

func (f *frame) begin(size int) {
	f.b = binary.LittleEndian.AppendUint32(f.b, zstdMagic)
	f.b = binary.LittleEndian.AppendUint32(append(f.b, singleSegment), uint32(size))
}

// block puts the header of a block of so many bytes to where its three bytes are kept free.
func (f *frame) block(at, kind, length int, last bool) {
	v := uint32(length)<<3 | uint32(kind)<<1
	if last {
		v |= 1
	}
	f.b[at], f.b[at+1], f.b[at+2] = byte(v), byte(v>>8), byte(v>>16)
}

// raw adds a block as it is, of at most blockBytes.
func (f *frame) raw(b []byte, last bool) {
	at := len(f.b)
	f.b = append(append(f.b, 0, 0, 0), b...)
	f.block(at, rawBlock, len(b), last)
}

// literals adds a block of n values, as texts of a length: a multiple of four of them as four streams, up to three as one.
func (f *frame) literals(c *digitCode, packed []byte, n, text int, describe, last bool) {
	at := len(f.b)
	f.b = append(f.b, 0, 0, 0)
	kind, tree := sameLiterals, []byte(nil)
	if describe {
		kind, tree = codedLiterals, c.tree
	}
	if n < 4 {
		f.b = append(f.b, 0, 0, 0)
		f.b = c.stream(append(f.b, tree...), packed)
		v := uint32(kind) | uint32(n*text)<<4 | uint32(len(f.b)-at-6)<<14
		f.b[at+3], f.b[at+4], f.b[at+5] = byte(v), byte(v>>8), byte(v>>16)
	} else {
		f.b = append(f.b, 0, 0, 0, 0, 0)
		f.b = append(f.b, tree...)
		jump := len(f.b)
		f.b = append(f.b, 0, 0, 0, 0, 0, 0)
		quarter := len(packed) / 4
		for i := range 4 {
			from := len(f.b)
			f.b = c.stream(f.b, packed[i*quarter:(i+1)*quarter])
			if i < 3 { // the last one's length is what is left
				binary.LittleEndian.PutUint16(f.b[jump+2*i:], uint16(len(f.b)-from))
			}
		}
		v := uint64(kind) | 3<<2 | uint64(n*text)<<4 | uint64(len(f.b)-at-8)<<22
		binary.LittleEndian.PutUint32(f.b[at+3:], uint32(v))
		f.b[at+7] = byte(v >> 32)
	}
	f.b = append(f.b, 0) // no sequences: the literals are all
	f.block(at, compressedBlock, len(f.b)-at-3, last)
}

// digitCode is a Huffman code for texts of a form.
type digitCode struct {
	tree   []byte                          // its description
	stream func(dst, packed []byte) []byte // appends values as one stream
	text   func(packed []byte) []byte      // of one value
}

// hexCode gives every digit four bits.
var hexCode = &digitCode{
	tree:   describe(func(c byte) byte { return 1 }, "0123456789abcdef"),
	stream: appendReversed,
	text:   func(packed []byte) []byte { return hex.AppendEncode(nil, packed) },
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

// describe is a Huffman code as weights, one for every byte up to the last symbol, whose weight follows from the others'. A symbol has one
// bit less than the longest codes for each step of its weight above 1.
func describe(weight func(symbol byte) byte, symbols string) []byte {
	last := symbols[len(symbols)-1]
	weights := make([]byte, last+last%2)
	for _, c := range []byte(symbols[:len(symbols)-1]) {
		weights[c] = weight(c)
	}
	out := []byte{127 + last}
	for ; len(weights) > 0; weights = weights[2:] {
		out = append(out, weights[0]<<4|weights[1])
	}
	return out
}

// appendReversed is hexCode's stream: the bytes from the last to the first, and the bit that ends a stream.
func appendReversed(dst, packed []byte) []byte {
	for len(packed) >= 8 {
		n := len(packed) - 8
		dst = binary.BigEndian.AppendUint64(dst, binary.LittleEndian.Uint64(packed[n:]))
		packed = packed[:n]
	}
	for i := len(packed) - 1; i >= 0; i-- {
		dst = append(dst, packed[i])
	}
	return append(dst, 1)
}

// uuidPairs has the code of every byte's two digits, the first above the second, in the low ten bits, and its length above.
var uuidPairs = func() (pairs [256]uint16) {
	digit := func(d int) (code, length int) {
		if d == 15 {
			return 1, 5 // codes of one length go by symbols: the hyphen is 0
		}
		return d + 1, 4
	}
	for b := range pairs {
		high, n := digit(b >> 4)
		low, m := digit(b & 15)
		pairs[b] = uint16((n+m)<<10 | high<<m | low)
	}
	return pairs
}()

// appendUUIDs is uuidCode's stream: codes from the last symbol to the first, each above the one before it.
func appendUUIDs(dst, packed []byte) []byte {
	const most, hyphen = 23, 5 // bytes of a UUID when all digits are f; bits
	at := len(dst)
	dst = slices.Grow(dst, len(packed)/uuidBytes*most+8)
	out := dst[at:cap(dst)]
	var bits uint64
	var n uint
	pos := 0
	add := func(b byte) {
		pair := uuidPairs[b]
		bits |= uint64(pair&0x3ff) << n
		n += uint(pair >> 10)
	}
	flush := func() {
		binary.LittleEndian.PutUint64(out[pos:], bits)
		pos += int(n / 8)
		bits >>= n &^ 7
		n &= 7
	}
	for ; len(packed) > 0; packed = packed[:len(packed)-uuidBytes] {
		v := (*[uuidBytes]byte)(packed[len(packed)-uuidBytes:])
		add(v[15])
		add(v[14])
		add(v[13])
		add(v[12])
		add(v[11])
		flush()
		add(v[10])
		n += hyphen
		add(v[9])
		add(v[8])
		n += hyphen
		flush()
		add(v[7])
		add(v[6])
		n += hyphen
		add(v[5])
		add(v[4])
		n += hyphen
		flush()
		add(v[3])
		add(v[2])
		add(v[1])
		add(v[0])
		flush()
	}
	return append(dst[:at+pos], byte(bits|1<<n))
}
