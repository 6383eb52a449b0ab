package duck

import "strings"

// outline is what the gate has to know of a text before DuckDB's parser sees it.
type outline struct {
	body    string // without a trailing semicolon and what comments follow it
	offset  int    // of body in the text
	first   string // the first word, in capitals; "" when the text begins with something else
	second  string // the word behind it
	rest    int    // of the text behind the first word, in bytes from the start of body
	depth   int    // how deep brackets nest
	several bool   // something stands behind a semicolon
}

// scanOutline reads a text by PostgreSQL's rules for strings and comments, which DuckDB has taken over. It only serves for words, brackets and
// the last semicolon: what may run is decided on DuckDB's own tree of the body.
func scanOutline(text string) outline {
	var o outline
	depth, end, words := 0, -1, 0
	begin := -1
	for i := 0; i < len(text); {
		if n := skipBlank(text[i:]); n > 0 {
			i += n
			continue
		}
		if end >= 0 && text[i] != ';' {
			o.several = true
			end = -1
		}
		if begin < 0 {
			begin = i
		}
		switch c := text[i]; {
		case c == ';':
			if end < 0 {
				end = i
			}
			i++
		case c == '(' || c == '[' || c == '{':
			depth++
			o.depth = max(o.depth, depth)
			i++
		case c == ')' || c == ']' || c == '}':
			depth--
			i++
		case isWordByte(c):
			n := wordLength(text[i:])
			if words++; words == 1 && i == begin {
				o.first, o.rest = strings.ToUpper(text[i:i+n]), i+n-begin
			} else if words == 2 && o.first != "" && o.second == "" {
				o.second = strings.ToUpper(text[i : i+n])
			}
			i += n
		default:
			words += 2 // what stands behind something that is no word is not the second word
			i += skipToken(text[i:])
		}
	}
	if begin < 0 {
		return o
	}
	o.offset = begin
	if end < 0 || o.several {
		end = len(text)
	}
	o.body = text[begin:end]
	return o
}

// skipBlank is the length of white space or of one comment at the start of s.
func skipBlank(s string) int {
	switch {
	case strings.IndexByte(" \t\r\n\f\v", s[0]) >= 0:
		return 1
	case strings.HasPrefix(s, "--"):
		if n := strings.IndexByte(s, '\n'); n >= 0 {
			return n + 1
		}
		return len(s)
	case strings.HasPrefix(s, "/*"):
		depth := 0
		for i := 0; i < len(s); i++ {
			if strings.HasPrefix(s[i:], "/*") {
				depth++
				i++
			} else if strings.HasPrefix(s[i:], "*/") {
				depth--
				i++
				if depth == 0 {
					return i + 1
				}
			}
		}
		return len(s)
	}
	return 0
}

// skipToken is the length of the string, quoted name or single character at the start of s.
func skipToken(s string) int {
	switch c := s[0]; c {
	case '\'', '"':
		for i := 1; i < len(s); i++ {
			if s[i] == c {
				return i + 1 // a doubled quote begins the next token, which is a quote again
			}
		}
		return len(s)
	case '$':
		if tag := dollarTag(s); tag != "" {
			if n := strings.Index(s[len(tag):], tag); n >= 0 {
				return n + 2*len(tag)
			}
			return len(s)
		}
	}
	return 1
}

// dollarTag is the $tag$ that begins s, or "".
func dollarTag(s string) string {
	for i := 1; i < len(s); i++ {
		if s[i] == '$' {
			return s[:i+1]
		}
		if !isWordByte(s[i]) || i == 1 && s[i] >= '0' && s[i] <= '9' {
			return ""
		}
	}
	return ""
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// wordLength is the length of the word at the start of s. A word that opens an escape string (E'...') takes the string with it.
func wordLength(s string) int {
	n := 0
	for n < len(s) && isWordByte(s[n]) {
		n++
	}
	if n == 1 && (s[0] == 'e' || s[0] == 'E') && n < len(s) && s[n] == '\'' {
		for i := n + 1; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case '\'':
				return i + 1
			}
		}
		return len(s)
	}
	return n
}
