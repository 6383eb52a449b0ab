package lake

import "unicode/utf8"

// appendUnescaped appends the text of the body of a walked JSON string. Lone surrogates and bytes that are not UTF-8 become U+FFFD.
func appendUnescaped(dst, body []byte) []byte {
	for i := 0; i < len(body); {
		c := body[i]
		switch {
		case c == '\\' && body[i+1] == 'u':
			r, _ := hex4(body, i+2)
			i += 6
			if 0xd800 <= r && r < 0xe000 {
				low, ok := rune(0), false
				if r < 0xdc00 && i+1 < len(body) && body[i] == '\\' && body[i+1] == 'u' {
					low, ok = hex4(body, i+2)
				}
				if ok && 0xdc00 <= low && low < 0xe000 {
					r = 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
					i += 6
				} else {
					r = utf8.RuneError
				}
			}
			dst = utf8.AppendRune(dst, r)
		case c == '\\':
			dst = append(dst, unescaped(body[i+1]))
			i += 2
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, n := utf8.DecodeRune(body[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
		}
	}
	return dst
}

func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c // a quote, a backslash or a slash stands for itself
}

// appendCompact appends the canonical form of a walked value: no whitespace between tokens, strings as appendQuoted writes them, numbers
// digit for digit.
func appendCompact(dst, value []byte, flags jsonFlags) []byte {
	if flags == 0 || flags == jsonWide && utf8.Valid(value) {
		return append(dst, value...)
	}
	for i := 0; i < len(value); {
		switch c := value[i]; c {
		case ' ', '\n', '\t', '\r':
			i++
		case '"':
			end := i + 1
			for value[end] != '"' {
				if value[end] == '\\' {
					end++
				}
				end++
			}
			dst = appendQuoted(dst, string(appendUnescaped(nil, value[i+1:end])))
			i = end + 1
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}
