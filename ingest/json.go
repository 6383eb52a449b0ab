package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// appendJSON appends v and a newline. Everything that a terminal might obey or hide is written as \uXXXX: the values are the same, and
// neither an answer in a shell nor the request log in a pager can act on what a sender wrote.
func appendJSON(dst []byte, v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return dst, err
	}
	return appendVisible(dst, buf.Bytes()), nil
}

// appendVisible copies JSON text and escapes the invisible runes of its strings. The JSON encoder has escaped what is below U+0020.
func appendVisible(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c < 0x7f {
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if invisible(r) {
			dst = fmt.Appendf(dst, `\u%04x`, r)
		} else {
			dst = append(dst, text[i:i+n]...)
		}
		i += n
	}
	return dst
}

// invisible: DEL and the C1 controls (U+009B starts an escape sequence), zero-width characters, line separators, and the marks that turn
// the direction of text around.
func invisible(r rune) bool {
	switch {
	case r >= 0x7f && r <= 0x9f, r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff:
		return true
	}
	return false
}
