package gen

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// hex8 is x in eight lower-case hex digits, the first in the lowest byte: each nibble gets a byte of its own, all turned to text at once.
func hex8(x uint32) uint64 {
	v := uint64(x)
	v = (v | v<<16) & 0x0000ffff0000ffff
	v = (v | v<<8) & 0x00ff00ff00ff00ff
	v = (v | v<<4) & 0x0f0f0f0f0f0f0f0f
	letters := (v + 0x0606060606060606) >> 4 & 0x0101010101010101
	return bits.ReverseBytes64(v + 0x3030303030303030 + letters*('a'-'0'-10))
}

func put2(p []byte, n uint32) {
	_ = p[1]
	p[0], p[1] = byte('0'+n/10), byte('0'+n%10)
}

// numbers is the text of the numbers below 1000, the first character in the lowest byte. Where the length varies it stands in the highest byte.
type numbers struct {
	padded  [1000]uint32 // 007
	whole   [1000]uint32 // 7
	decimal [1000]uint32 // what 7 thousandths are behind the point, with it counted in the length: 007; nothing of 0
}

// roomForNumber is how much is written at most for a number: the 20 digits of the largest one, or a point and decimals behind 17.
const roomForNumber = 24

func newNumbers() *numbers {
	t := new(numbers)
	for k := range uint32(1000) {
		a, b, c := k/100, k/10%10, k%10
		text := func(digits ...uint32) (word uint32) {
			for i, d := range digits {
				word |= ('0' + d) << (8 * i)
			}
			return word
		}
		t.padded[k] = text(a, b, c)
		switch {
		case a > 0:
			t.whole[k] = text(a, b, c) | 3<<24
		case b > 0:
			t.whole[k] = text(b, c) | 2<<24
		default:
			t.whole[k] = text(c) | 1<<24
		}
		switch {
		case c > 0:
			t.decimal[k] = text(a, b, c) | 4<<24
		case b > 0:
			t.decimal[k] = text(a, b) | 3<<24
		case a > 0:
			t.decimal[k] = text(a) | 2<<24
		}
	}
	return t
}

// putUint writes n to the front of p, which has roomForNumber. It returns the length.
func (t *numbers) putUint(p []byte, n uint64) int {
	if n < 1000 {
		word := t.whole[n]
		binary.LittleEndian.PutUint32(p, word)
		return int(word >> 24)
	}
	if n < 1_000_000 {
		word := t.whole[n/1000]
		binary.LittleEndian.PutUint32(p, word)
		size := int(word >> 24)
		binary.LittleEndian.PutUint32(p[size:], t.padded[n%1000])
		return size + 3
	}
	return len(strconv.AppendUint(p[:0], n, 10))
}

// putMillis writes microseconds as milliseconds in the shortest decimal, as the canonical line has it. Otherwise it is as putUint.
func (t *numbers) putMillis(p []byte, us int64) int {
	n := t.putUint(p, uint64(us/1000))
	word := t.decimal[us%1000]
	p[n] = '.'
	binary.LittleEndian.PutUint32(p[n+1:], word)
	return n + int(word>>24)
}

// putPhrase writes a text around a number.
func (t *numbers) putPhrase(p []byte, text *phrase, number uint64) int {
	n := text.before.put(p)
	n += t.putUint(p[n:], number)
	return n + text.after.put(p[n:])
}
