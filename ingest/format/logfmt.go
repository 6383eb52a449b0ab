package format

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/signallake/signallake/lake"
)

// logfmt reads a line of key=value pairs: a value is bare up to the next space, or quoted with the escapes of Go and JSON; a bare key is
// true. One pair at least must have its '=', else the line is some text.
func (p *Parser) logfmt(line []byte) error {
	pairs := 0
	for i := skipSpace(line, 0); i < len(line); i = skipSpace(line, i) {
		end := keyEnd(line, i)
		key := line[i:end]
		if len(key) == 0 {
			return &lake.FieldError{Reason: fmt.Sprintf("the line is no logfmt: a key should stand at byte %d, got %s", i+1, shown(line[i:]))}
		}
		if end == len(line) || line[end] != '=' {
			p.put(key, value{kind: tree, body: []byte("true")})
			i = end
			continue
		}
		v, next, err := p.logfmtValue(line, end+1)
		if err != nil {
			return err
		}
		pairs++
		p.put(key, v)
		i = next
	}
	if pairs == 0 {
		return &lake.FieldError{Reason: "the line is no logfmt: it has no key=value, got " + shown(line)}
	}
	return nil
}

// put offers a value to the field of its key, or makes an attribute of it.
func (p *Parser) put(key []byte, v value) {
	if !p.take(p.keys.find(key), key, v) && v.kind != absent {
		p.attribute(key, v)
	}
}

func skipSpace(s []byte, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}

// keyEnd is where a key ends that starts at i.
func keyEnd(s []byte, i int) int {
	for i < len(s) && s[i] > ' ' && s[i] != '=' && s[i] != '"' {
		i++
	}
	return i
}

// logfmtValue reads the value at i and returns where it ends.
func (p *Parser) logfmtValue(s []byte, i int) (v value, next int, err error) {
	if i == len(s) || s[i] != '"' {
		end := i
		for end < len(s) && s[end] > ' ' {
			end++
		}
		return bareValue(s[i:end]), end, nil
	}
	end, escaped := quoteEnd(s, i+1)
	if end < 0 {
		return v, 0, &lake.FieldError{Reason: fmt.Sprintf("the line is no logfmt: the quote at byte %d is not closed, got %s", i+1, shown(s[i:]))}
	}
	body := s[i+1 : end]
	if escaped {
		start := len(p.scratch)
		p.scratch = appendGoUnescaped(p.scratch, body)
		body = p.scratch[start:]
	}
	if len(body) == 0 {
		return value{}, end + 1, nil
	}
	return value{kind: text, body: body}, end + 1, nil
}

// bareValue is a value without quotes: a JSON number or truth value where it is one as it stands.
func bareValue(s []byte) value {
	switch {
	case len(s) == 0 || string(s) == "null":
		return value{}
	case string(s) == "true" || string(s) == "false":
		return value{kind: tree, body: s}
	case isNumber(s):
		return value{kind: number, body: s}
	}
	return value{kind: text, body: s}
}

// isNumber says whether a text is a JSON number that every reader keeps exactly: at most 15 digits, no exponent, no zero in front.
func isNumber(s []byte) bool {
	if len(s) > 0 && s[0] == '-' {
		s = s[1:]
	}
	end := decimalEnd(s)
	return end > 0 && end == len(s) && end <= 16 && bytes.IndexByte(s, 'e') < 0 && bytes.IndexByte(s, 'E') < 0 &&
		(s[0] != '0' || len(s) == 1 || s[1] == '.') && (end < 16 || bytes.IndexByte(s, '.') > 0)
}

// quoteEnd is where the quoted text ends that starts at i, its closing quote's offset; -1 when it has none.
func quoteEnd(s []byte, i int) (end int, escaped bool) {
	for i < len(s) {
		n := bytes.IndexByte(s[i:], '"')
		if n < 0 {
			return -1, escaped
		}
		slash := bytes.IndexByte(s[i:i+n], '\\')
		if slash < 0 {
			return i + n, escaped
		}
		escaped = true
		i += slash + 2
	}
	return -1, escaped
}

// appendGoUnescaped decodes the escapes of Go's strconv.Quote and of JSON; an unknown one stays as it stands.
func appendGoUnescaped(dst, s []byte) []byte {
	for len(s) > 0 {
		i := bytes.IndexByte(s, '\\')
		if i < 0 || i+1 == len(s) {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		var n int
		dst, n = appendGoEscape(dst, s[i:])
		s = s[i+n:]
	}
	return dst
}

// simpleEscapes are the characters behind a backslash and what they stand for.
const (
	simpleEscapes = `"\/'abfnrtv`
	simpleMeaning = "\"\\/'\a\b\f\n\r\t\v"
)

// appendGoEscape decodes the escape that s starts with and returns its length.
func appendGoEscape(dst, s []byte) (_ []byte, n int) {
	if i := bytes.IndexByte([]byte(simpleEscapes), s[1]); i >= 0 {
		return append(dst, simpleMeaning[i]), 2
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	if digits == 0 || len(s) < 2+digits {
		return append(dst, s[:2]...), 2
	}
	code, err := strconv.ParseUint(string(s[2:2+digits]), 16, 32)
	if err != nil {
		return append(dst, s[:2]...), 2
	}
	n = 2 + digits
	if s[1] == 'x' {
		return append(dst, byte(code)), n
	}
	if 0xd800 <= code && code < 0xdc00 && len(s) >= n+6 && s[n] == '\\' && s[n+1] == 'u' { // JSON's pair for one rune
		if low, err := strconv.ParseUint(string(s[n+2:n+6]), 16, 32); err == nil && 0xdc00 <= low && low < 0xe000 {
			return utf8.AppendRune(dst, rune(0x10000+(code-0xd800)<<10+(low-0xdc00))), n + 6
		}
	}
	return utf8.AppendRune(dst, rune(code)), n
}
