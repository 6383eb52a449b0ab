package replay

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/signallake/signallake/ingest/format"
	"github.com/signallake/signallake/lake"
)

// value casts one JSON value. null and "" stay what they are. The error is a *lake.FieldError with the key.
func (c cast) value(value []byte) ([]byte, error) {
	if isNothing(value) {
		return value, nil
	}
	text, isText := plainText(value)
	ok := false
	var out []byte
	switch c.to {
	case toString:
		return castString(value, text, isText), nil
	case toTime:
		var at lake.Micros
		if at, ok = format.Instant(text); ok {
			out = append(lake.AppendInstant([]byte{'"'}, at), '"')
		}
	default:
		out, ok = c.number(text)
	}
	if !ok || value[0] == '{' || value[0] == '[' {
		return nil, &lake.FieldError{Field: c.key, Reason: fmt.Sprintf("cannot be cast to %s, got %s", c.to, lake.SafeText(string(value[:min(len(value), 160)]), 40))}
	}
	return out, nil
}

// plainText is what a value says: of a string its text, of anything else its JSON.
func plainText(value []byte) (text string, isText bool) {
	if value[0] != '"' {
		return string(value), false
	}
	return strings.TrimSpace(string(lake.AppendUnescaped(nil, value[1:len(value)-1]))), true
}

func castString(value []byte, text string, isText bool) []byte {
	if isText {
		return value
	}
	return lake.AppendQuoted(nil, text)
}

// number reads a number as JSON. Where the key means milliseconds, a time with its unit is one too: "1.2s", "250ms".
func (c cast) number(text string) ([]byte, bool) {
	digits := text
	if !json.Valid([]byte(text)) || !startsNumber(text) {
		f, err := strconv.ParseFloat(text, 64)
		switch {
		case err == nil && isDecimal(text):
		case strings.HasSuffix(c.key, "_ms"):
			ok := false
			if f, ok = format.Latency(text); !ok {
				return nil, false
			}
		default:
			return nil, false
		}
		digits = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if c.to == toInteger {
		return wholeNumber(digits)
	}
	return []byte(digits), true
}

func startsNumber(text string) bool { return text[0] == '-' || '0' <= text[0] && text[0] <= '9' }

// isDecimal: digits, a sign, a point and an exponent, and not the hexadecimals, underscores and words that ParseFloat takes too.
func isDecimal(text string) bool { return strings.Trim(text, "0123456789+-.eE") == "" }

// wholeNumber is a number without a fraction; 200.0 is one.
func wholeNumber(digits string) ([]byte, bool) {
	whole, frac, _ := strings.Cut(digits, ".")
	if strings.ContainsAny(digits, "eE") {
		f, err := strconv.ParseFloat(digits, 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return nil, false
		}
		return strconv.AppendFloat(nil, f, 'f', 0, 64), true
	}
	if strings.Trim(frac, "0") != "" {
		return nil, false
	}
	return []byte(whole), true
}
