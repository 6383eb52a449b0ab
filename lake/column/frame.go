package column

import (
	"encoding/binary"
	"encoding/hex"
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

// literals adds a block of n values that have so many literals each: a multiple of four values as four streams, up to three as one.
func (f *frame) literals(c *digitCode, packed []byte, n, each int, describe bool, q sequences, last bool) {
	at := len(f.b)
	f.b = append(f.b, 0, 0, 0)
	kind, tree := sameLiterals, []byte(nil)
	if describe {
		kind, tree = codedLiterals, c.tree
	}
	if n < 4 {
		f.b = append(f.b, 0, 0, 0)
		f.b = c.stream(append(f.b, tree...), packed, q.skip)
		v := uint32(kind) | uint32(n*each)<<4 | uint32(len(f.b)-at-6)<<14
		f.b[at+3], f.b[at+4], f.b[at+5] = byte(v), byte(v>>8), byte(v>>16)
	} else {
		f.b = append(f.b, 0, 0, 0, 0, 0)
		f.b = append(f.b, tree...)
		jump := len(f.b)
		f.b = append(f.b, 0, 0, 0, 0, 0, 0)
		quarter := len(packed) / 4
		for i := range 4 {
			from := len(f.b)
			f.b = c.stream(f.b, packed[i*quarter:(i+1)*quarter], q.skip)
			if i < 3 { // the last one's length is what is left
				binary.LittleEndian.PutUint16(f.b[jump+2*i:], uint16(len(f.b)-from))
			}
		}
		v := uint64(kind) | 3<<2 | uint64(n*each)<<4 | uint64(len(f.b)-at-8)<<22
		binary.LittleEndian.PutUint32(f.b[at+3:], uint32(v))
		f.b[at+7] = byte(v >> 32)
	}
	f.b = q.append(f.b)
	f.block(at, compressedBlock, len(f.b)-at-3, last)
}

// digitCode is a Huffman code for texts of a form.
type digitCode struct {
	tree   []byte                                    // its description
	stream func(dst, packed []byte, skip int) []byte // appends values as one stream, without so many first digits of each
	text   func(packed []byte) []byte                // of one value
}

// hexCode gives every digit four bits.
var hexCode = &digitCode{
	tree:   describe(func(c byte) byte { return 1 }, "0123456789abcdef"),
	stream: func(dst, packed []byte, _ int) []byte { return appendReversed(dst, packed) },
	text:   func(packed []byte) []byte { return hex.AppendEncode(nil, packed) },
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
