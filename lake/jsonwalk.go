package lake

import (
	"encoding/binary"
	"math/bits"
)

// jsonFlags says what a walked piece of JSON holds beside plain compact ASCII. A piece without flags is its own canonical form.
type jsonFlags uint8

const (
	jsonEscape jsonFlags = 1 << iota // a backslash inside a string
	jsonWide                         // a byte >= 0x80 inside a string: UTF-8 still to be checked
	jsonSpace                        // whitespace between tokens
)

// jsonWalk validates JSON (RFC 8259, as strict as json.Valid but for the depth) without building anything. After a failure problem and at
// say what is wrong and where; UTF-8 is not checked here, see jsonWide.
type jsonWalk struct {
	p       []byte
	depth   int // deepest nesting that is allowed; the outermost value has depth 1
	flags   jsonFlags
	at      int
	problem string
}

// jsonMember is one member of an object: offsets into the walked bytes. The key stands without its quotes.
type jsonMember struct {
	key, keyEnd, val, valEnd int32
	keyFlags, valFlags       jsonFlags
	field                    field
}

// problemDepth is the one problem that is no fault of the syntax.
const problemDepth = "it is nested too deeply"

const (
	swarOnes = 0x0101010101010101
	swarHigh = 0x8080808080808080
)

// stringStops marks, in the high bit of each byte of x, quotes, backslashes and control characters. Only the lowest mark is reliable:
// a borrow may raise false ones above it. Flipping bit 1 puts the quote (0x22) beside the control characters and the space (0x20) above it,
// so that one subtraction finds both.
func stringStops(x uint64) uint64 {
	low := (x ^ swarOnes*0x02) - swarOnes*0x21
	slash := (x ^ swarOnes*'\\') - swarOnes
	return (low | slash) &^ x & swarHigh
}

// stringRun skips characters that need no attention from i on; it returns the offset of the first quote, backslash or control character
// (or len(p)) and whether it passed a byte >= 0x80.
func stringRun(p []byte, i int) (end int, wide bool) {
	var high uint64
	for i+8 <= len(p) {
		x := binary.LittleEndian.Uint64(p[i:])
		if m := stringStops(x); m != 0 {
			high |= x & (m&-m - 1)
			return i + bits.TrailingZeros64(m)>>3, high&swarHigh != 0
		}
		high |= x
		i += 8
	}
	for ; i < len(p); i++ {
		c := p[i]
		if c == '"' || c == '\\' || c < 0x20 {
			break
		}
		high |= uint64(c)
	}
	return i, high&swarHigh != 0
}

func (w *jsonWalk) fail(i int, problem string) int {
	w.at, w.problem = i, problem
	return -1
}

// space returns the offset of the next byte that is not whitespace.
func (w *jsonWalk) space(i int) int {
	start := i
	for i < len(w.p) && (w.p[i] == ' ' || w.p[i] == '\n' || w.p[i] == '\t' || w.p[i] == '\r') {
		i++
	}
	if i > start {
		w.flags |= jsonSpace
	}
	return i
}

// text walks a string from one past its opening quote and returns the offset of the closing one, or -1.
func (w *jsonWalk) text(i int) int {
	for {
		end, wide := stringRun(w.p, i)
		if wide {
			w.flags |= jsonWide
		}
		switch {
		case end == len(w.p):
			return w.fail(end, "it ends inside a string")
		case w.p[end] == '"':
			return end
		case w.p[end] != '\\':
			return w.fail(end, "a control character stands in a string: write it as an escape")
		}
		w.flags |= jsonEscape
		if i = w.escape(end + 1); i < 0 {
			return -1
		}
	}
}

func (w *jsonWalk) escape(i int) int {
	if i >= len(w.p) {
		return w.fail(i, "it ends inside a string")
	}
	switch w.p[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		if _, ok := hex4(w.p, i+1); ok {
			return i + 5
		}
	}
	return w.fail(i-1, "a string holds an unknown escape")
}

// hex4 reads four hex digits at i.
func hex4(p []byte, i int) (rune, bool) {
	if i+4 > len(p) {
		return 0, false
	}
	var r rune
	for _, c := range p[i : i+4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// value walks any value that starts at i and returns the offset after it, or -1.
func (w *jsonWalk) value(i, depth int) int {
	if i >= len(w.p) {
		return w.fail(i, "it ends where a value should stand")
	}
	switch c := w.p[i]; {
	case c == '"':
		if end := w.text(i + 1); end >= 0 {
			return end + 1
		}
		return -1
	case c == '-' || '0' <= c && c <= '9':
		return w.number(i)
	case c == '{':
		return w.object(i, depth)
	case c == '[':
		return w.array(i, depth)
	case c == 't':
		return w.literal(i, "true")
	case c == 'f':
		return w.literal(i, "false")
	case c == 'n':
		return w.literal(i, "null")
	}
	return w.fail(i, "no value can start here")
}

func (w *jsonWalk) literal(i int, word string) int {
	if len(w.p)-i < len(word) || string(w.p[i:i+len(word)]) != word {
		return w.fail(i, "no value can start here")
	}
	return i + len(word)
}

func (w *jsonWalk) number(i int) int {
	if w.p[i] == '-' {
		i++
	}
	switch {
	case i < len(w.p) && w.p[i] == '0':
		i++
	default:
		if i = w.digits(i); i < 0 {
			return -1
		}
	}
	if i < len(w.p) && w.p[i] == '.' {
		if i = w.digits(i + 1); i < 0 {
			return -1
		}
	}
	if i < len(w.p) && w.p[i]|0x20 == 'e' {
		i++
		if i < len(w.p) && (w.p[i] == '+' || w.p[i] == '-') {
			i++
		}
		return w.digits(i)
	}
	return i
}

func (w *jsonWalk) digits(i int) int {
	start := i
	for i < len(w.p) && '0' <= w.p[i] && w.p[i] <= '9' {
		i++
	}
	if i == start {
		return w.fail(i, "a number lacks a digit")
	}
	return i
}

func (w *jsonWalk) array(i, depth int) int {
	if depth > w.depth {
		return w.fail(i, problemDepth)
	}
	i = w.space(i + 1)
	if i < len(w.p) && w.p[i] == ']' {
		return i + 1
	}
	for {
		if i = w.value(i, depth+1); i < 0 {
			return -1
		}
		if i = w.space(i); i >= len(w.p) {
			return w.fail(i, "it ends inside an array")
		}
		if w.p[i] == ']' {
			return i + 1
		}
		if w.p[i] != ',' {
			return w.fail(i, "a comma or ] should stand here")
		}
		i = w.space(i + 1)
	}
}

func (w *jsonWalk) object(i, depth int) int {
	if depth > w.depth {
		return w.fail(i, problemDepth)
	}
	i = w.space(i + 1)
	if i < len(w.p) && w.p[i] == '}' {
		return i + 1
	}
	for {
		key, colon := w.key(i)
		if key < 0 {
			return -1
		}
		if i = w.value(colon, depth+1); i < 0 {
			return -1
		}
		next, more := w.nextMember(i)
		if !more {
			return next
		}
		i = next
	}
}

// key walks a member's key and colon from the key's opening quote; it returns the offsets of the closing quote and of the value, or -1.
func (w *jsonWalk) key(i int) (keyEnd, val int) {
	if i >= len(w.p) || w.p[i] != '"' {
		return w.fail(i, "a key in quotes should stand here"), 0
	}
	keyEnd = w.text(i + 1)
	if keyEnd < 0 {
		return -1, 0
	}
	i = w.space(keyEnd + 1)
	if i >= len(w.p) || w.p[i] != ':' {
		return w.fail(i, "a colon should stand here"), 0
	}
	return keyEnd, w.space(i + 1)
}

// nextMember walks what follows a member's value: more is false after the closing brace (next is then one past it) and on failure (-1).
func (w *jsonWalk) nextMember(i int) (next int, more bool) {
	i = w.space(i)
	switch {
	case i >= len(w.p):
		return w.fail(i, "it ends inside an object"), false
	case w.p[i] == '}':
		return i + 1, false
	case w.p[i] != ',':
		return w.fail(i, "a comma or } should stand here"), false
	}
	return w.space(i + 1), true
}

// members walks the object whose brace is at i and appends its members to list. next is one past the object, or -1.
func (w *jsonWalk) members(i, depth int, list []jsonMember) (_ []jsonMember, next int) {
	i = w.space(i + 1)
	if i < len(w.p) && w.p[i] == '}' {
		return list, i + 1
	}
	for {
		w.flags = 0
		keyEnd, val := w.key(i)
		if keyEnd < 0 {
			return list, -1
		}
		m := jsonMember{key: int32(i + 1), keyEnd: int32(keyEnd), val: int32(val), keyFlags: w.flags}
		w.flags = 0
		end := w.value(val, depth+1)
		if end < 0 {
			return list, -1
		}
		m.valEnd, m.valFlags = int32(end), w.flags
		list = append(list, m)
		var more bool
		if i, more = w.nextMember(end); !more {
			return list, i
		}
	}
}
