package lake

import (
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// The instants that a line can write with a year of four digits.
const (
	minInstant Micros = -62167219200000000 // 0000-01-01T00:00:00Z
	maxInstant Micros = 253402300799999999 // 9999-12-31T23:59:59.999999Z
)

// AppendLine appends the event's canonical line, the raw log's wire form: one JSON object with keys in a fixed order, absent optional ones
// left out, instants in UTC with six digits of fraction, and a newline. Strings are escaped as little as JSON allows; bytes that are not
// UTF-8 become U+FFFD. Attributes is written as it stands: it must be "" or a compact JSON object. An instant outside the years 0000 to
// 9999 is written as the nearest one inside; a latency that is no finite number is left out.
func (e *Event) AppendLine(dst []byte) []byte {
	dst = appendQuoted(append(dst, `{"event_id":`...), e.EventID)
	dst = appendInstant(append(dst, `,"timestamp":"`...), e.Timestamp)
	dst = appendInstant(append(dst, `","received_at":"`...), e.ReceivedAt)
	dst = appendQuoted(append(dst, `","service_name":`...), e.ServiceName)
	dst = appendMember(dst, `,"endpoint":`, e.Endpoint)
	dst = appendMember(dst, `,"method":`, e.Method)
	dst = strconv.AppendInt(append(dst, `,"status_code":`...), int64(e.StatusCode), 10)
	if e.HasLatency && !math.IsNaN(e.LatencyMS) && !math.IsInf(e.LatencyMS, 0) {
		dst = appendFloat(append(dst, `,"latency_ms":`...), e.LatencyMS)
	}
	dst = appendMember(dst, `,"region":`, e.Region)
	dst = appendMember(dst, `,"host":`, e.Host)
	dst = appendMember(dst, `,"level":`, e.Level)
	dst = appendMember(dst, `,"message":`, e.Message)
	dst = appendMember(dst, `,"request_id":`, e.RequestID)
	dst = appendMember(dst, `,"trace_id":`, e.TraceID)
	dst = appendMember(dst, `,"span_id":`, e.SpanID)
	if e.Attributes != "" {
		dst = append(append(dst, `,"attributes":`...), e.Attributes...)
	}
	return append(dst, '}', '\n')
}

func appendMember(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	return appendQuoted(append(dst, key...), value)
}

// appendQuoted appends s as a JSON string: quote, backslash and control characters escaped, everything else as it is.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if end, wide := stringRun(bytesOf(s), 0); end == len(s) && (!wide || utf8.ValidString(s)) {
		return append(append(dst, s...), '"')
	}
	plain := 0 // s[plain:i] needs no change and is not yet appended
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[plain:i]...), "\ufffd"...)
				plain = i + 1
			}
			i += n
			continue
		}
		if c < 0x20 || c == '"' || c == '\\' {
			dst = appendEscape(append(dst, s[plain:i]...), c)
			plain = i + 1
		}
		i++
	}
	return append(append(dst, s[plain:]...), '"')
}

// bytesOf is s as bytes that must not be written to.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\t':
		return append(dst, '\\', 't')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// appendInstant appends t as 2026-11-21T07:56:05.123456Z: always 27 bytes.
func appendInstant(dst []byte, t Micros) []byte {
	t = min(max(t, minInstant), maxInstant)
	day := DateOf(t)
	year, month, dom := civilOf(day)
	us := int64(t - day.Start())
	sec := us / 1_000_000
	dst = append(dst, byte('0'+year/1000), byte('0'+year/100%10))
	dst = append2(dst, year%100)
	dst = append2(append(dst, '-'), month)
	dst = append2(append(dst, '-'), dom)
	dst = append2(append(dst, 'T'), int(sec/3600))
	dst = append2(append(dst, ':'), int(sec/60%60))
	dst = append2(append(dst, ':'), int(sec%60))
	frac := int(us % 1_000_000)
	dst = append2(append(dst, '.'), frac/10000)
	dst = append2(dst, frac/100%100)
	dst = append2(dst, frac%100)
	return append(dst, 'Z')
}

func append2(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// appendFloat appends the shortest decimal that reads back as f, with an exponent only below 1e-6 and from 1e21 on.
func appendFloat(dst []byte, f float64) []byte {
	// A latency mostly has at most three decimals. m/1000 with at most 15 digits is then the shortest text, as any two decimals of at
	// most 15 digits are different float64s.
	if m := math.Round(f * 1000); f >= 0 && m < 1e15 && m/1000 == f {
		return appendThousandths(dst, int64(m))
	}
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
		if n := len(dst); dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' { // 1e-09: the zero says nothing
			dst[n-2] = dst[n-1]
			dst = dst[:n-1]
		}
		return dst
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

func appendThousandths(dst []byte, m int64) []byte {
	dst = strconv.AppendInt(dst, m/1000, 10)
	frac := m % 1000
	if frac == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+frac/100))
	if frac%100 != 0 {
		dst = append(dst, byte('0'+frac/10%10))
		if frac%10 != 0 {
			dst = append(dst, byte('0'+frac%10))
		}
	}
	return dst
}
