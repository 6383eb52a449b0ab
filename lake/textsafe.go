package lake

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Thousands writes a count for people: 1,204,000.
func Thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// SafeText makes text from outside fit for a terminal or a log line: escape sequences (CSI, OSC, DCS and their kin, also in their C1
// forms) are taken out as a whole, control characters and characters that turn the direction of writing are dropped, newlines and tabs
// become one space each, and bytes that are not UTF-8 become U+FFFD. A result of more than max runes is cut to max, the last one being an
// ellipsis; 0 means no cut.
func SafeText(s string, max int) string {
	if isPlainASCII(s) && (max <= 0 || len(s) <= max) {
		return s
	}
	var b strings.Builder
	runes, lastStart := 0, 0 // lastStart is where the newest rune begins in b
	unterminated := false    // no string terminator follows any more: looking again for each opener would be quadratic
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if skip := sequenceLength(s[i:], r, n, &unterminated); skip > 0 {
			i += skip
			continue
		}
		i += n
		if r = safeRune(r); r < 0 {
			continue
		}
		if max > 0 && runes == max {
			return b.String()[:lastStart] + "…"
		}
		lastStart = b.Len()
		b.WriteRune(r)
		runes++
	}
	return b.String()
}

func isPlainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// safeRune is what stands for r on a screen; negative: nothing.
func safeRune(r rune) rune {
	switch {
	case r == '\n' || r == '\t' || r == '\u2028' || r == '\u2029':
		return ' '
	case r < 0x20, 0x7f <= r && r < 0xa0:
		return -1
	case r == '\u061c' || r == '\u200e' || r == '\u200f' || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' || r == '\ufeff':
		return -1
	}
	return r
}

// sequenceLength is the length of the escape sequence that s starts with (ECMA-48), r being its first rune of n bytes; 0 when it starts
// with none. Of a control string without an end only the opener counts, so that it cannot hide the rest of a message.
func sequenceLength(s string, r rune, n int, unterminated *bool) int {
	kind := r
	if r == 0x1b {
		if len(s) == 1 {
			return 1
		}
		c := s[1]
		switch {
		case 0x40 <= c && c < 0x60: // the two-byte form of a C1 control
			kind, n = rune(c)+0x40, 2
		case 0x20 <= c && c < 0x30: // intermediates and one final byte
			i := 1
			for i < len(s) && 0x20 <= s[i] && s[i] < 0x30 {
				i++
			}
			if i < len(s) && 0x30 <= s[i] && s[i] < 0x7f {
				i++
			}
			return i
		case 0x30 <= c && c < 0x7f:
			return 2
		default:
			return 1
		}
	}
	switch kind {
	case 0x9b: // CSI: parameters, intermediates, final byte
		i := n
		for i < len(s) && 0x30 <= s[i] && s[i] < 0x40 {
			i++
		}
		for i < len(s) && 0x20 <= s[i] && s[i] < 0x30 {
			i++
		}
		if i < len(s) && 0x40 <= s[i] && s[i] < 0x7f {
			i++
		}
		return i
	case 0x90, 0x98, 0x9d, 0x9e, 0x9f: // DCS, SOS, OSC, PM, APC: a string up to its terminator
		if !*unterminated {
			if end := stringEnd(s[n:]); end > 0 {
				return n + end
			}
			*unterminated = true
		}
		return n
	}
	if r == 0x1b {
		return n
	}
	return 0
}

// stringEnd is the length of a control string with its terminator (BEL, ST in either form, CAN or SUB); 0 when it has none.
func stringEnd(s string) int {
	for i := range len(s) {
		switch {
		case s[i] == 0x07 || s[i] == 0x18 || s[i] == 0x1a:
			return i + 1
		case i+1 < len(s) && (s[i] == 0x1b && s[i+1] == '\\' || s[i] == 0xc2 && s[i+1] == 0x9c):
			return i + 2
		}
	}
	return 0
}
