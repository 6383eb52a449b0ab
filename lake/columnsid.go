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
	form    idForm
	width   int // packed bytes a value; not of idVerbatim
	data    []byte
	ends    []uint32 // idVerbatim: where each value ends in data
	present []uint8  // packed: 1 for each row that has a value; nil when all have one
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
	if c.present != nil && c.present[row] == 0 {
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

// idBuilder gathers the values of an id column for the block at hand, packed for as long as all have one form.
type idBuilder struct {
	form    idForm
	length  int      // of each value's text, by which the form was chosen; 0: there was no value yet, verbatim: they differ
	width   int      // packed bytes a value
	packed  []byte   // the values, with room for those that are absent
	present []uint8  // packed: 1 for each row that has a value
	text    []byte   // idVerbatim: the values
	ends    []uint32 // idVerbatim: where each value ends in text
	absent  bool     // some are
}

// verbatim is the length of values that have no form in common.
const verbatim = -1

func (b *idBuilder) add(s string) {
	if len(s) != b.length || !b.pack(bytesOf(s)) {
		b.addOther(s)
	}
}

// addOther adds what is not just like the values before it.
func (b *idBuilder) addOther(s string) {
	switch {
	case b.length == verbatim:
		b.text = append(b.text, s...)
		b.ends = append(b.ends, uint32(len(b.text)))
	case s == "":
		b.packed = append(b.packed, make([]byte, b.width)...)
		b.present, b.absent = append(b.present, 0), true
	case b.length == 0 && b.begin(len(s)) && b.pack(bytesOf(s)):
	default:
		b.unpack()
		b.addOther(s)
	}
}

// begin chooses the form by the length of the first value; the rows before it have none. False: there is no form for it.
func (b *idBuilder) begin(length int) bool {
	switch {
	case length == uuidText:
		b.form, b.width = idUUID, 16
	case length%8 == 0:
		b.form, b.width = idHex, length/2
	default:
		return false
	}
	b.length = length
	b.packed = append(b.packed, make([]byte, b.width*len(b.present))...)
	return true
}

// pack adds a value of the form's length; false when it has another form.
func (b *idBuilder) pack(text []byte) bool {
	n := len(b.packed)
	b.packed = slices.Grow(b.packed, b.width)[:n+b.width]
	if b.form == idUUID && packUUID(b.packed[n:], text) || b.form == idHex && len(text) > 0 && packHex(b.packed[n:], text) {
		b.present = append(b.present, 1)
		return true
	}
	b.packed = b.packed[:n]
	return false
}

// unpack turns the values into their texts.
func (b *idBuilder) unpack() {
	c := idColumn{form: max(b.form, idUUID), width: b.width, data: b.packed, present: b.present}
	for row := range b.present {
		b.text = c.appendTo(b.text, row)
		b.ends = append(b.ends, uint32(len(b.text)))
	}
	b.form, b.length = idVerbatim, verbatim
}

func (b *idBuilder) clear() {
	*b = idBuilder{packed: b.packed[:0], present: b.present[:0], text: b.text[:0], ends: b.ends[:0]}
}

// start is where a value begins in text.
func (b *idBuilder) start(row uint16) uint32 {
	if row == 0 {
		return 0
	}
	return b.ends[row-1]
}

// finish is what was gathered, in an order.
func (b *idBuilder) finish(c *carver, order []uint16) idColumn {
	if b.length == 0 {
		b.unpack()
	}
	if b.length == verbatim {
		out := idColumn{data: carve[uint8](c, len(b.text)), ends: carve[uint32](c, len(b.ends))}
		end := uint32(0)
		for i, row := range order {
			end += uint32(copy(out.data[end:], b.text[b.start(row):b.ends[row]]))
			out.ends[i] = end
		}
		return out
	}
	out := idColumn{form: b.form, width: b.width, data: carve[uint8](c, b.width*len(order))}
	gather(out.data, b.packed, b.width, order)
	if b.absent {
		out.present = sorted(c, b.present, order)
	}
	return out
}

// gather puts values of so many bytes into an order.
func gather(dst, values []byte, width int, order []uint16) {
	switch width {
	case 16:
		for i, row := range order {
			*(*[16]byte)(dst[16*i:]) = *(*[16]byte)(values[16*int(row):])
		}
	case 8:
		for i, row := range order {
			*(*[8]byte)(dst[8*i:]) = *(*[8]byte)(values[8*int(row):])
		}
	default:
		for i, row := range order {
			copy(dst[width*i:][:width], values[width*int(row):])
		}
	}
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
