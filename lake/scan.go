package lake

import (
	"encoding/binary"
	"unicode/utf8"
	"unsafe"
)

// Scanner reads canonical lines (Event.AppendLine) back into events: the inner loop of conversion, tail and verify. A line that is exactly
// canonical and needs no unescaping takes the fast path, which validates every byte and allocates nothing; any other line goes to the
// general decoder: never wrong, only slower. The zero value is ready; a Scanner is for one goroutine.
//
// It holds lines against the shape of the contract (types, service name, status, finite latency, real dates) but not against its limits
// and its window: those are for senders, and what was accepted once is readable for good.
type Scanner struct {
	timestamp, received dayCache // most neighbours share a day
}

// dayCache is the day that was read last, as its text.
type dayCache struct {
	head  uint64 // YYYY-MM-
	tail  uint32 // -DDT
	start Micros
}

// Scan reads one line, with or without its newline. The strings of e alias line unless it took the slow path. After an error, which is a
// *FieldError, e is of no use.
func (s *Scanner) Scan(line []byte, e *Event) error {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if s.fast(line, e) {
		return nil
	}
	return scanSlow(line, e)
}

// fast reads a canonical line without escapes; false means that the line has a surprise in it, and e is of no use.
func (s *Scanner) fast(p []byte, e *Event) bool {
	i := s.head(p, e)
	if i < 0 {
		return false
	}
	if i = text(p, i, `,"endpoint":"`, &e.Endpoint); i < 0 {
		return false
	}
	if i = text(p, i, `,"method":"`, &e.Method); i < 0 {
		return false
	}
	if i = scanStatus(p, i, e); i < 0 {
		return false
	}
	if i = scanLatency(p, i, e); i < 0 {
		return false
	}
	if i = text(p, i, `,"region":"`, &e.Region); i < 0 {
		return false
	}
	if i = text(p, i, `,"host":"`, &e.Host); i < 0 {
		return false
	}
	if i = text(p, i, `,"level":"`, &e.Level); i < 0 {
		return false
	}
	if i = text(p, i, `,"message":"`, &e.Message); i < 0 {
		return false
	}
	if i = text(p, i, `,"request_id":"`, &e.RequestID); i < 0 {
		return false
	}
	if i = text(p, i, `,"trace_id":"`, &e.TraceID); i < 0 {
		return false
	}
	if i = text(p, i, `,"span_id":"`, &e.SpanID); i < 0 {
		return false
	}
	i = scanAttributes(p, i, e)
	return i >= 0 && i == len(p)-1 && p[i] == '}'
}

// head reads the keys that every line has, up to and with the service name's closing quote. It returns the offset after that, or -1.
func (s *Scanner) head(p []byte, e *Event) int {
	const (
		open      = `{"event_id":"`
		timestamp = `","timestamp":"`
		received  = `","received_at":"`
		service   = `","service_name":"`
		instant   = 27 // 2026-11-21T07:56:05.123456Z
	)
	if len(p) < len(open) || string(p[:len(open)]) != open {
		return -1
	}
	i := len(open)
	end, wide := stringRun(p, i)
	if end == i || wide || len(p)-end < len(timestamp)+instant+len(received)+instant+len(service) {
		return -1
	}
	e.EventID = alias(p, i, end)
	if string(p[end:end+len(timestamp)]) != timestamp {
		return -1
	}
	i = end + len(timestamp)
	var ok bool
	if e.Timestamp, ok = s.timestamp.instant(p[i : i+instant]); !ok {
		return -1
	}
	i += instant
	if string(p[i:i+len(received)]) != received {
		return -1
	}
	i += len(received)
	if e.ReceivedAt, ok = s.received.instant(p[i : i+instant]); !ok {
		return -1
	}
	i += instant
	if string(p[i:i+len(service)]) != service {
		return -1
	}
	i += len(service)
	end = i
	for end < len(p) && serviceByte[p[end]] {
		end++
	}
	if end == len(p) || p[end] != '"' || end == i || end-i > maxServiceBytes || !serviceStart(p[i]) {
		return -1
	}
	e.ServiceName = alias(p, i, end)
	return end + 1
}

// alias is p[start:end] as a string over the same bytes; start must be inside p.
func alias(p []byte, start, end int) string { return unsafe.String(&p[start], end-start) }

// text reads an optional member: at i stands either key (with the value's opening quote) and a string, or something else, and then the
// member is absent. It returns the offset of what follows, or -1 when the string has a surprise in it.
func text(p []byte, i int, key string, out *string) int {
	if len(p)-i < len(key) || string(p[i:i+len(key)]) != key {
		*out = ""
		return i
	}
	i += len(key)
	end, wide := stringRun(p, i)
	if end == len(p) || p[end] != '"' || wide && !utf8.Valid(p[i:end]) {
		return -1
	}
	*out = alias(p, i, end)
	return end + 1
}

func scanStatus(p []byte, i int, e *Event) int {
	const key = `,"status_code":`
	if len(p)-i < len(key)+2 || string(p[i:i+len(key)]) != key {
		return -1
	}
	i += len(key)
	if p[i] == '0' {
		e.StatusCode = 0
		return i + 1
	}
	if len(p)-i < 4 {
		return -1
	}
	a, b, c := p[i]-'0', p[i+1]-'0', p[i+2]-'0'
	if a < 1 || a > 5 || b > 9 || c > 9 {
		return -1
	}
	e.StatusCode = int32(a)*100 + int32(b)*10 + int32(c)
	return i + 3
}

func scanLatency(p []byte, i int, e *Event) int {
	const key = `,"latency_ms":`
	if len(p)-i < len(key) || string(p[i:i+len(key)]) != key {
		e.LatencyMS, e.HasLatency = 0, false
		return i
	}
	e.HasLatency = true
	var next int
	e.LatencyMS, next = shortFloat(p, i+len(key))
	return next
}

// shortFloat reads digits[.digits] at i, without sign and exponent. Up to 15 digits the mantissa and the power of ten are exact as float64,
// so one division rounds correctly (W. D. Clinger, 1990). It returns the offset after the number, or -1 for any other form.
func shortFloat(p []byte, i int) (f float64, next int) {
	start := i
	var mantissa uint64
	for i < len(p) && p[i]-'0' <= 9 {
		mantissa = mantissa*10 + uint64(p[i]-'0')
		i++
	}
	digits := i - start
	if digits == 0 || digits > 15 || digits > 1 && p[start] == '0' {
		return 0, -1
	}
	decimals := 0
	if i < len(p) && p[i] == '.' {
		point := i
		for i++; i < len(p) && p[i]-'0' <= 9; i++ {
			mantissa = mantissa*10 + uint64(p[i]-'0')
		}
		decimals = i - point - 1
		if decimals == 0 || digits+decimals > 15 {
			return 0, -1
		}
	}
	if i < len(p) && p[i]|0x20 == 'e' {
		return 0, -1
	}
	return float64(mantissa) / powersOfTen[decimals], i
}

var powersOfTen = [16]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// scanAttributes takes the object as it stands when it is in canonical form.
func scanAttributes(p []byte, i int, e *Event) int {
	const key = `,"attributes":`
	if len(p)-i < len(key) || string(p[i:i+len(key)]) != key {
		e.Attributes = ""
		return i
	}
	i += len(key)
	if i >= len(p) || p[i] != '{' {
		return -1
	}
	w := jsonWalk{p: p, depth: maxDepth + 1}
	end := w.object(i, 2)
	if end < 0 || w.flags&^jsonWide != 0 || end == i+2 || w.flags != 0 && !utf8.Valid(p[i:end]) {
		return -1
	}
	e.Attributes = alias(p, i, end)
	return end
}

// instant reads exactly 2026-11-21T07:56:05.123456Z.
func (c *dayCache) instant(p []byte) (Micros, bool) {
	_ = p[26]
	head, tail := binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint32(p[7:])
	if head != c.head || tail != c.tail || tail == 0 { // 0: nothing was read yet
		if !c.fill(p) {
			return 0, false
		}
		c.head, c.tail = head, tail
	}
	const (
		nibbles  = 0xf0f0f0f0f0f0f0f0
		clock    = 0x30303a30303a3030 // 00:00:00, first character lowest
		clockMax = 0x06060f06060f0606 // what lifts a digit above 9, or any difference from a separator, into the high nibble
		frac     = 0x5a3030303030302e // .000000Z
		fracMax  = 0x0f0606060606060f
	)
	t := binary.LittleEndian.Uint64(p[11:]) ^ clock
	f := binary.LittleEndian.Uint64(p[19:]) ^ frac
	if (t|f)&nibbles != 0 || ((t+clockMax)|(f+fracMax))&nibbles != 0 {
		return 0, false
	}
	hour := t&15*10 + t>>8&15
	minute := t>>24&15*10 + t>>32&15
	sec := t>>48&15*10 + t>>56&15
	if hour > 23 || minute > 59 || sec > 59 {
		return 0, false
	}
	micros := f>>8&15*100_000 + f>>16&15*10_000 + f>>24&15*1_000 + f>>32&15*100 + f>>40&15*10 + f>>48&15
	return c.start + Micros(((hour*60+minute)*60+sec)*1_000_000+micros), true
}

// fill reads YYYY-MM-DDT.
func (c *dayCache) fill(p []byte) bool {
	year, ok1 := decimal(alias(p, 0, 4))
	month, ok2 := decimal(alias(p, 5, 7))
	dom, ok3 := decimal(alias(p, 8, 10))
	if !ok1 || !ok2 || !ok3 || p[4] != '-' || p[7] != '-' || p[10] != 'T' {
		return false
	}
	day, ok := civilDate(year, month, dom)
	if ok {
		c.start = day.Start()
	}
	return ok
}
