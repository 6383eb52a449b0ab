package lake

import (
	"encoding/binary"
	"slices"
)

// idForm is how a block keeps the values of an id column. Ids are most of an event's bytes, and most of them are hex.
type idForm uint8

const (
	idVerbatim idForm = iota // as they are, with ends
	idUUID                   // 16 bytes each: all are 8-4-4-4-12 lower-case hex digits, or absent
	idHex                    // all are lower-case hex digits of one length, a multiple of eight, or absent
)

const uuidText = 36

// idColumn is the values of an id column in a block.
type idColumn struct {
	form   idForm
	width  int // packed bytes a value; not of idVerbatim
	data   []byte
	ends   []uint32 // idVerbatim: where each value ends in data
	absent []bool   // packed: nil when none is
}

// appendTo appends the row's value to dst: nothing when it is absent.
func (c *idColumn) appendTo(dst []byte, row int) []byte {
	if c.form == idVerbatim {
		start := uint32(0)
		if row > 0 {
			start = c.ends[row-1]
		}
		return append(dst, c.data[start:c.ends[row]]...)
	}
	if c.absent != nil && c.absent[row] {
		return dst
	}
	packed := c.data[row*c.width : (row+1)*c.width]
	n := len(dst)
	if c.form == idHex {
		dst = slices.Grow(dst, 2*c.width)[:n+2*c.width]
		for out := dst[n:]; len(packed) > 0; packed, out = packed[4:], out[8:] {
			binary.LittleEndian.PutUint64(out, hexOf(binary.LittleEndian.Uint32(packed)))
		}
		return dst
	}
	dst = slices.Grow(dst, uuidText)[:n+uuidText]
	unpackUUID((*[uuidText]byte)(dst[n:]), (*[16]byte)(packed))
	return dst
}

// idBuilder gathers the values of an id column for the block at hand.
type idBuilder struct {
	data []byte
	ends []uint32
}

func (b *idBuilder) add(s string) {
	b.data = append(b.data, s...)
	b.ends = append(b.ends, uint32(len(b.data)))
}

// finish packs what was gathered, if it can, and empties the builder.
func (b *idBuilder) finish() idColumn {
	length, absent := b.shape()
	c := idColumn{}
	switch {
	case length == 0: // none at all, or of different lengths
	case length == uuidText:
		c = b.pack(idUUID, 16, length, absent, packUUID)
	case length%8 == 0:
		c = b.pack(idHex, length/2, length, absent, packHex)
	}
	if c.form == idVerbatim {
		c = idColumn{data: take(&b.data), ends: take(&b.ends)}
	}
	b.data, b.ends = b.data[:0], b.ends[:0]
	return c
}

// shape is the length that all present values share, or 0, and whether some are absent.
func (b *idBuilder) shape() (length int, absent bool) {
	start := uint32(0)
	for _, end := range b.ends {
		n := int(end - start)
		start = end
		switch {
		case n == 0:
			absent = true
		case length == 0:
			length = n
		case n != length:
			return 0, false
		}
	}
	return length, absent
}

func (b *idBuilder) pack(form idForm, width, length int, absent bool, pack func(dst, text []byte) bool) idColumn {
	c := idColumn{form: form, width: width, data: make([]byte, width*len(b.ends))}
	if absent {
		c.absent = make([]bool, len(b.ends))
	}
	text := b.data
	for i := range b.ends {
		if absent && (i == 0 && b.ends[0] == 0 || i > 0 && b.ends[i] == b.ends[i-1]) {
			c.absent[i] = true
			continue
		}
		if !pack(c.data[i*width:(i+1)*width], text[:length]) {
			return idColumn{}
		}
		text = text[length:]
	}
	return c
}

func packHex(dst, text []byte) bool {
	for ; len(text) >= 8; dst, text = dst[4:], text[8:] {
		v, ok := unhex(binary.LittleEndian.Uint64(text))
		if !ok {
			return false
		}
		binary.LittleEndian.PutUint32(dst, v)
	}
	return true
}

func packUUID(dst, text []byte) bool {
	if text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false
	}
	half := func(at int) uint64 { return uint64(binary.LittleEndian.Uint32(text[at:])) }
	for i, digits := range [4]uint64{
		binary.LittleEndian.Uint64(text), half(9) | half(14)<<32, half(19) | half(24)<<32, binary.LittleEndian.Uint64(text[28:]),
	} {
		v, ok := unhex(digits)
		if !ok {
			return false
		}
		binary.LittleEndian.PutUint32(dst[4*i:], v)
	}
	return true
}

func unpackUUID(dst *[uuidText]byte, packed *[16]byte) {
	part := func(i int) uint64 { return hexOf(binary.LittleEndian.Uint32(packed[4*i:])) }
	binary.LittleEndian.PutUint64(dst[0:], part(0))
	second, third := part(1), part(2)
	binary.LittleEndian.PutUint32(dst[9:], uint32(second))
	binary.LittleEndian.PutUint32(dst[14:], uint32(second>>32))
	binary.LittleEndian.PutUint32(dst[19:], uint32(third))
	binary.LittleEndian.PutUint32(dst[24:], uint32(third>>32))
	binary.LittleEndian.PutUint64(dst[28:], part(3))
	dst[8], dst[13], dst[18], dst[23] = '-', '-', '-', '-'
}

// each repeats a byte in all eight of a word.
const each = 0x0101010101010101

// unhex reads eight lower-case hex digits at once, the first in the lowest byte; false when one is none.
func unhex(text uint64) (uint32, bool) {
	nibbles := text&(0x0f*each) + (text>>6&each)*9 // letters have bit 6 set, and a = 1 in the low four
	if nibbles&(0xf0*each) != 0 || hexDigits(nibbles) != text {
		return 0, false
	}
	pairs := (nibbles<<4 | nibbles>>8) & 0x00ff00ff00ff00ff
	pairs = (pairs | pairs>>8) & 0x0000ffff0000ffff
	return uint32(pairs | pairs>>16), true
}

// hexOf is the inverse of unhex.
func hexOf(v uint32) uint64 {
	pairs := uint64(v)
	pairs = (pairs | pairs<<16) & 0x0000ffff0000ffff
	pairs = (pairs | pairs<<8) & 0x00ff00ff00ff00ff
	return hexDigits(pairs>>4&0x000f000f000f000f | (pairs&0x000f000f000f000f)<<8)
}

// hexDigits turns eight numbers below 16 into their digits: '0' + n, and 'a' - '0' - 10 more above 9.
func hexDigits(nibbles uint64) uint64 {
	letters := (nibbles + 6*each) >> 4 & each
	return nibbles + '0'*each + letters*('a'-'0'-10)
}
