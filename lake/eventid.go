package lake

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// uuidBytes is the length of a UUID's text.
const uuidBytes = 36

// appendEventID appends a new UUIDv7 (RFC 9562, 5.7) in its text form. Its 48 bits of milliseconds are now's; 74 bits are random, from the
// runtime's generator that the operating system seeds.
func appendEventID(dst []byte, now Micros) []byte {
	return appendUUID(dst, uuidHead(now)|rand.Uint64()&0xfff, randomTail())
}

// uuidHead is the upper half of a UUIDv7 but for its twelve random bits.
func uuidHead(now Micros) uint64 { return uint64(now/1000)<<16 | 7<<12 }

// randomTail is a lower half: the variant and 62 random bits.
func randomTail() uint64 { return rand.Uint64()>>2 | 1<<63 }

// appendUUID appends 16 bytes as 8-4-4-4-12 hex digits.
func appendUUID(dst []byte, high, low uint64) []byte {
	var p [uuidBytes]byte
	binary.LittleEndian.PutUint64(p[:], hexText(uint32(high>>32)))
	p[8] = '-'
	putGroups(p[9:], hexText(uint32(high)))
	p[18] = '-'
	putGroups(p[19:], hexText(uint32(low>>32)))
	binary.LittleEndian.PutUint64(p[28:], hexText(uint32(low)))
	return append(dst, p[:]...)
}

// putGroups puts eight digits as two groups of four.
func putGroups(p []byte, digits uint64) {
	binary.LittleEndian.PutUint32(p, uint32(digits))
	p[4] = '-'
	binary.LittleEndian.PutUint32(p[5:], uint32(digits>>32))
}

// hexText is x as eight hex digits in lower case, the first one in the lowest byte.
func hexText(x uint32) uint64 {
	return hexOf(bits.ReverseBytes32(x)) // the first byte of the text lowest
}
