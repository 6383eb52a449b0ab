package lake

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
	"unsafe"
)

// scanKey is the text of a key with what surrounds it, 8 to 16 bytes: compared as two words that overlap.
type scanKey struct {
	head, tail uint64
	n          int
}

func newScanKey(text string) scanKey {
	p := []byte(text)
	return scanKey{binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[len(p)-8:]), len(p)}
}

// The keys of a line: those of texts that stand together.
var (
	idText       = [1]scanKey{newScanKey(`{"event_id":"`)}
	keyTimestamp = newScanKey(`,"timestamp":"`)
	keyReceived  = newScanKey(`,"received_at":"`)
	keyService   = newScanKey(`","service_name"`)
	placeTexts   = [2]scanKey{newScanKey(`,"endpoint":"`), newScanKey(`,"method":"`)}
	originTexts  = [4]scanKey{newScanKey(`,"region":"`), newScanKey(`,"host":"`), newScanKey(`,"level":"`), newScanKey(`,"message":"`)}
	tracingTexts = [3]scanKey{newScanKey(`,"request_id":"`), newScanKey(`,"trace_id":"`), newScanKey(`,"span_id":"`)}
)

// at says whether the key stands at i.
func (k *scanKey) at(p []byte, i int) bool {
	return len(p)-i >= k.n && word(p, i) == k.head && word(p, i+k.n-8) == k.tail
}

// word is eight bytes at i, which must not be negative. Slicing first would cost more than the load itself.
func word(p []byte, i int) uint64 {
	_ = p[i+7]
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(p)), i))[:])
}

// quickRun is stringRun for plain ASCII away from the end; it returns -1 for what is not.
func quickRun(p []byte, i int) int {
	for ; i+8 <= len(p); i += 8 {
		x := word(p, i)
		if m := notPlain(x) & swarHigh; m != 0 {
			if x&swarHigh != 0 {
				return -1
			}
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	return -1
}

// alias is p[start:end] as a string over the same bytes; start must be inside p.
func alias(p []byte, start, end int) string { return unsafe.String(&p[start], end-start) }

// texts reads optional members: from i on stand, in the order of the keys, a key (with the value's opening quote) and a string, or the key
// is absent. It returns the offset of what follows, or -1 when a string has a surprise in it.
func texts(p []byte, i int, keys []scanKey, out []*string) int {
	out = out[:len(keys)]
	for k := range keys {
		key := &keys[k]
		if !key.at(p, i) {
			*out[k] = ""
			continue
		}
		i += key.n
		end := quickRun(p, i)
		if end < 0 {
			var wide bool
			if end, wide = stringRun(p, i); end == len(p) || wide && !utf8.Valid(p[i:end]) {
				return -1
			}
		}
		if p[end] != '"' {
			return -1
		}
		*out[k] = alias(p, i, end)
		i = end + 1
	}
	return i
}

// idShapes is how long the ids of some columns are: the last one's length is tried first, and then it is enough to see that nothing ends
// it earlier.
type idShapes [3]int

// texts is as the function texts.
func (s *idShapes) texts(p []byte, i int, keys []scanKey, out []*string) int {
	out = out[:len(keys)]
	for k := range keys {
		key := &keys[k]
		if !key.at(p, i) {
			*out[k] = ""
			continue
		}
		start := i + key.n
		end := start + s[k]
		if s[k] >= 8 && end < len(p) && p[end] == '"' && plainRun(p, start, end) {
			*out[k] = alias(p, start, end)
			i = end + 1
			continue
		}
		if i = texts(p, i, keys[k:k+1], out[k:k+1]); i < 0 {
			return -1
		}
		s[k] = len(*out[k])
	}
	return i
}

// plainRun says whether the 8 bytes or more from i to end are ASCII without a quote, a backslash or a control character.
func plainRun(p []byte, i, end int) bool {
	all := notPlain(word(p, end-8))
	for ; i+8 <= end; i += 8 {
		all |= notPlain(word(p, i))
	}
	return all&swarHigh == 0
}

// notPlain is stringStops with the bytes >= 0x80 among them.
func notPlain(x uint64) uint64 {
	return ((x ^ swarOnes*0x02) - swarOnes*0x21) | ((x ^ swarOnes*'\\') - swarOnes) | x
}

// serviceRun says whether the bytes from i to end are a service's name: validService, eight at once.
func serviceRun(p []byte, i, end int) bool {
	if end == i || end-i > maxServiceBytes || !serviceStart(p[i]) {
		return false
	}
	var bad uint64
	for ; i < end; i += 8 {
		if i+8 > len(p) {
			return false // a line does not end so soon after its service
		}
		x := word(p, i)
		if rest := end - i; rest < 8 {
			inside := uint64(1)<<(8*rest) - 1
			x = x&inside | swarOnes*'a'&^inside
		}
		bad |= notService(x)
	}
	return bad&swarHigh == 0
}

// notService marks, in the high bit of each byte of x, what no service's name has. Where a byte is not ASCII some mark is set.
func notService(x uint64) uint64 {
	const a, pastZ, dash, past9 = swarOnes * (0x80 - 'a'), swarOnes * (0x7f - 'z'), swarOnes * (0x80 - '-'), swarOnes * (0x7f - '9') // x + these: at least so much
	letter := (x + a) &^ (x + pastZ)
	digit := (x + dash) &^ (x + past9) & ((x ^ swarOnes*'/') + swarOnes*0x7f) // with the dash and the dot
	line := ^((x ^ swarOnes*'_') + swarOnes*0x7f)
	return ^(letter | digit | line) | x
}

// plainObject walks the object at i when it is as most are: compact, with plain strings. It returns the offset after it, or -1 when the
// general walk has to look.
func plainObject(p []byte, i int) int {
	w := jsonWalk{p: p, depth: maxDepth + 1}
	for depth := 0; ; { // i stands before a key
		i++
		end := plainText(p, i)
		if end < 0 || len(p)-end < 3 || p[end+1] != ':' {
			return -1
		}
		i = end + 2
		switch c := p[i]; {
		case c == '"':
			if i = plainText(p, i); i < 0 {
				return -1
			}
			i++
		case c == '{' && p[i+1] == '"' && depth < 4:
			depth++
			continue
		default:
			if i = w.value(i, depth+3); i < 0 || w.flags != 0 {
				return -1
			}
		}
		for ; i < len(p) && p[i] == '}'; i++ {
			if depth--; depth < 0 {
				return i + 1
			}
		}
		if i >= len(p) || p[i] != ',' {
			return -1
		}
	}
}

// plainText returns the offset of the closing quote of a plain string whose opening one stands at i, or -1.
func plainText(p []byte, i int) int {
	if i >= len(p) || p[i] != '"' {
		return -1
	}
	end := quickRun(p, i+1)
	if end < 0 || p[end] != '"' {
		return -1
	}
	return end
}
