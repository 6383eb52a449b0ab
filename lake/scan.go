package lake

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Scanner reads canonical lines (Event.AppendLine) back into events: the inner loop of conversion, tail and verify. A line that is exactly
// canonical and needs no unescaping takes the fast path, which validates every byte and allocates nothing; any other line goes to the
// general decoder: never wrong, only slower. The zero value is ready; a Scanner is for one goroutine.
//
// It holds lines against the shape of the contract (types, service name, status, finite latency, real dates) but not against its limits
// and its window: those are for senders, and what was accepted once is readable for good.
type Scanner struct {
	timestamp, received dayCache // most neighbours share a day
	batch               sameInstant
	id, tracing         idShapes
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
	if s.fast(line, e) == len(line) {
		return nil
	}
	return scanSlow(line, e)
}

// Next is Scan of the first of many lines. n is its length, with its newline where it has one; it is 0 only when there is none. That the
// caller need not look for the line's end saves a pass over the bytes.
func (s *Scanner) Next(lines []byte, e *Event) (n int, err error) {
	if n = s.fast(lines, e); n > 0 { // it passes no newline
		switch {
		case n == len(lines):
			return n, nil
		case lines[n] == '\n':
			return n + 1, nil
		}
	}
	n = bytes.IndexByte(lines, '\n') + 1
	if n == 0 {
		return len(lines), scanSlow(lines, e)
	}
	return n, scanSlow(lines[:n-1], e)
}

// fast reads a canonical line without escapes at the front of p. It returns the offset after its closing brace; -1 means that the line has
// a surprise in it, and e is of no use.
func (s *Scanner) fast(p []byte, e *Event) int {
	i := s.head(p, e)
	if i < 0 {
		return -1
	}
	if i = texts(p, i, placeTexts[:], []*string{&e.Endpoint, &e.Method}); i < 0 {
		return -1
	}
	if i = scanStatus(p, i, e); i < 0 {
		return -1
	}
	if i = scanLatency(p, i, e); i < 0 {
		return -1
	}
	if i = texts(p, i, originTexts[:], []*string{&e.Region, &e.Host, &e.Level, &e.Message}); i < 0 {
		return -1
	}
	if i = s.tracing.texts(p, i, tracingTexts[:], []*string{&e.RequestID, &e.TraceID, &e.SpanID}); i < 0 {
		return -1
	}
	if i = scanAttributes(p, i, e); i < 0 || i >= len(p) || p[i] != '}' {
		return -1
	}
	return i + 1
}

// head reads the keys that every line has, up to and with the service name's closing quote. It returns the offset after that, or -1.
func (s *Scanner) head(p []byte, e *Event) int {
	const (
		instant = 27 // 2026-11-21T07:56:05.123456Z
		rest    = len(`,"timestamp":"`) + instant + len(`","received_at":"`) + instant + len(`","service_name":"`)
	)
	i := s.id.texts(p, 0, idText[:], []*string{&e.EventID})
	if i <= 0 || e.EventID == "" || len(p)-i < rest || !keyTimestamp.at(p, i) {
		return -1
	}
	q := p[i+keyTimestamp.n : i+rest]
	i += rest
	var ok bool
	if e.Timestamp, ok = s.timestamp.instant(q[:instant]); !ok {
		return -1
	}
	q = q[instant:]
	if q[0] != '"' || !keyReceived.at(q, 1) {
		return -1
	}
	q = q[1+keyReceived.n:]
	if e.ReceivedAt, ok = s.batch.instant(q[:instant], &s.received); !ok {
		return -1
	}
	q = q[instant:]
	if !keyService.at(q, 0) || q[keyService.n] != ':' || q[keyService.n+1] != '"' {
		return -1
	}
	end := quickRun(p, i)
	if end < 0 || p[end] != '"' || !serviceRun(p, i, end) {
		return -1
	}
	e.ServiceName = alias(p, i, end)
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
	i += len(key)
	f, next := eightFloat(p, i)
	if next < 0 {
		f, next = shortFloat(p, i)
	}
	e.LatencyMS = f
	return next
}

// eightFloat is shortFloat for a number that ends within eight bytes, as most do: all of its digits are found and turned to a number at
// once. It returns -1 also where shortFloat knows more.
func eightFloat(p []byte, i int) (f float64, next int) {
	if len(p)-i < 9 {
		return 0, -1
	}
	d := binary.LittleEndian.Uint64(p[i:]) ^ swarOnes*'0'
	other := ((d&^swarHigh + swarOnes*0x76) | d) & swarHigh // what is no digit
	whole := bits.TrailingZeros64(other) >> 3
	digits, decimals := whole, 0
	if whole < 8 && p[i+whole] == '.' {
		end := bits.TrailingZeros64(other&(other-1)) >> 3
		before := uint64(1)<<(8*whole) - 1
		d = d&before | d>>8&^before
		digits, decimals = end-1, end-1-whole
		if decimals == 0 || end == 8 {
			return 0, -1
		}
		i++
	}
	if whole == 0 || whole == 8 || whole > 1 && d&0xff == 0 || p[i+digits]|0x20 == 'e' {
		return 0, -1
	}
	return float64(eightDigits(d<<(64-8*digits))) / powersOfTen[decimals], i + digits
}

// eightDigits is the number of eight digits 0 to 9, the first in the lowest byte.
func eightDigits(d uint64) uint64 {
	const pairs = 0x000000ff000000ff
	d = d*10 + d>>8
	return (d&pairs*(100+1_000_000<<32) + d>>16&pairs*(1+10_000<<32)) >> 32
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
	end := plainObject(p, i)
	if end < 0 {
		w := jsonWalk{p: p, depth: maxDepth + 1}
		end = w.object(i, 2)
		if end < 0 || w.flags&^jsonWide != 0 || end == i+2 || w.flags != 0 && !utf8.Valid(p[i:end]) {
			return -1
		}
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
	t, f = t*10+t>>8, f>>8
	f = f*10 + f>>8
	hour, minute, sec := t&0xff, t>>24&0xff, t>>48&0xff
	if hour > 23 || minute > 59 || sec > 59 {
		return 0, false
	}
	micros := (f&0xff*100+f>>16&0xff)*100 + f>>32&0xff
	return c.start + Micros(((hour*60+minute)*60+sec)*1_000_000+micros), true
}

// sameInstant is the instant that was read last, as its text: neighbours were often received at once.
type sameInstant struct {
	text [4]uint64 // the last one overlaps; zero: nothing was read yet
	at   Micros
}

func (c *sameInstant) instant(p []byte, day *dayCache) (Micros, bool) {
	_ = p[26]
	text := [4]uint64{binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:]), binary.LittleEndian.Uint64(p[16:]), binary.LittleEndian.Uint64(p[19:])}
	if text[0] == c.text[0] && text[1] == c.text[1] && text[2] == c.text[2] && text[3] == c.text[3] && text[0] != 0 {
		return c.at, true
	}
	at, ok := day.instant(p)
	if ok {
		c.text, c.at = text, at
	}
	return at, ok
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
