package lake

import "math/rand/v2"

// appendEventID appends a new UUIDv7 (RFC 9562, 5.7) in its text form. Its 48 bits of milliseconds are now's; 74 bits are random, from the
// runtime's generator that the operating system seeds.
func appendEventID(dst []byte, now Micros) []byte {
	ms := uint64(now / 1000)
	high := ms<<16 | 7<<12 | rand.Uint64()&0xfff
	low := rand.Uint64()>>2 | 1<<63
	return appendUUID(dst, high, low)
}

// appendUUID appends 16 bytes as 8-4-4-4-12 hex digits.
func appendUUID(dst []byte, high, low uint64) []byte {
	dst = appendHex(dst, high>>32, 8)
	dst = appendHex(append(dst, '-'), high>>16, 4)
	dst = appendHex(append(dst, '-'), high, 4)
	dst = appendHex(append(dst, '-'), low>>48, 4)
	return appendHex(append(dst, '-'), low, 12)
}

// appendHex appends the lowest digits of x in lower case.
func appendHex(dst []byte, x uint64, digits int) []byte {
	for shift := (digits - 1) * 4; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[x>>shift&15])
	}
	return dst
}
