package lake

import (
	"bytes"
	"math"
	"unicode/utf8"
)

// textLimits are those of textFields, by field; 0: no text.
var textLimits = func() (limits [fieldCount]int) {
	for _, r := range textFields {
		limits[r.field] = r.limit
	}
	return limits
}()

// walk finds the values of an object whose keys come as they are known to, and holds all of them against the contract but for what write sees.
// False: there is a surprise.
func (t *Transcriber) walk(p []byte) bool {
	if len(p) == 0 || p[0] != '{' {
		return false
	}
	f := &t.found
	f.seen, f.attrCount, f.whole, f.status, f.converted = 0, 0, span{}, 0, false
	clear(f.at[:])
	next := t.keys.first
	for i := 1; ; {
		if i >= len(p) {
			return false
		}
		if p[i] == '}' {
			const needed = 1<<fieldTimestamp | 1<<fieldService
			return i == len(p)-1 && f.seen&needed == needed && !f.at[fieldService].empty()
		}
		k, at := match(next, p, i)
		if k == nil || f.seen&k.bit != 0 {
			return false
		}
		f.seen |= k.bit
		if at >= len(p) {
			return false
		}
		switch k.field {
		case fieldUnknown:
			i = t.attribute(k, p, at, 2)
		case fieldTimestamp:
			i = t.instant(p, at)
		case fieldStatus:
			i = t.status(p, at)
		case fieldLatency:
			i = t.latency(p, at)
		case fieldAttributes:
			i = t.attributes(k, p, at)
		default:
			i = t.text(k.field, p, at)
		}
		if i < 0 {
			return false
		}
		next = k.next
	}
}

// null steps over a null, which counts as absent; -1: it is none.
func null(p []byte, i int) int {
	if len(p)-i >= 4 && string(p[i:i+4]) == "null" {
		return i + 4
	}
	return -1
}

// text finds a string of the contract. It returns the offset behind it, or -1, as the others do.
func (t *Transcriber) text(f field, p []byte, i int) int {
	if p[i] != '"' {
		return null(p, i)
	}
	start := i + 1
	end, flags := keptText(p, start)
	if end < 0 || end-start > textLimits[f] {
		return -1
	}
	switch f {
	case fieldEventID, fieldService, fieldLevel: // checked or changed further; in lower case what is not ASCII may be of another length
		if flags != 0 || f == fieldEventID && !printable(p[start:end]) {
			return -1
		}
	}
	t.found.at[f] = span{start, end}
	return end + 1
}

// keptText walks a string from one past its opening quote to the closing one; -1: a line would not have it as it stands here. Most escapes are written
// in the only way that a line has them.
func keptText(p []byte, start int) (end int, flags jsonFlags) {
	for i := start; ; {
		end, wide := stringRun(p, i)
		if wide {
			flags |= jsonWide
		}
		if end+1 < len(p) && p[end] == '\\' {
			switch p[end+1] {
			case '"', '\\', 'n', 'r', 't':
				i = end + 2
				flags |= jsonEscape
				continue
			}
		}
		if end == len(p) || p[end] != '"' || flags&jsonWide != 0 && !utf8.Valid(p[start:end]) {
			return -1, flags
		}
		return end, flags
	}
}

// instant finds timestamp.
func (t *Transcriber) instant(p []byte, i int) int {
	f := &t.found
	if p[i] != '"' {
		w := jsonWalk{p: p}
		end := -1
		if p[i] == '-' || p[i]-'0' <= 9 {
			end = w.number(i)
		}
		var ok bool
		if end > 0 {
			f.timestamp, ok = parseEpoch(textOf(p[i:end]))
		}
		if !ok || f.timestamp < t.from || f.timestamp > t.to {
			return -1
		}
		appendInstant(f.instant[:0], f.timestamp)
		return end
	}
	start := i + 1
	end := start + instantBytes // as most write it
	if end >= len(p) || p[end] != '"' {
		const longest = 36
		if end = bytes.IndexByte(p[start:min(start+longest, len(p))], '"'); end < 0 {
			return -1
		}
		end += start
	}
	if !t.readInstant(p[start:end]) || f.timestamp < t.from || f.timestamp > t.to {
		return -1
	}
	return end + 1
}

// readInstant reads the text of an instant. What is not written as most write it takes the way of Contract.Parse.
func (t *Transcriber) readInstant(s []byte) (ok bool) {
	f := &t.found
	const whole = len("2026-11-21T07:56:05")
	if n := len(s); n == instantBytes {
		f.instant = [instantBytes]byte(s)
	} else if n > whole && n < instantBytes && s[n-1] == 'Z' && (n == whole+1 || n > whole+2 && s[whole] == '.') {
		copy(f.instant[:], s[:n-1])
		copy(f.instant[n-1:], ".000000Z"[n-1-whole:])
	} else {
		f.instant[0] = 0 // no year
	}
	if f.timestamp, ok = t.day.instant(f.instant[:]); ok {
		return true
	}
	var problem string
	if f.timestamp, problem = parseInstant(textOf(s)); problem != "" {
		return false
	}
	appendInstant(f.instant[:0], f.timestamp)
	return true
}

// status finds status_code where it is written as an integer.
func (t *Transcriber) status(p []byte, i int) int {
	if p[i] == '0' {
		return i + 1
	}
	if len(p)-i < 3 {
		return -1
	}
	a, b, c := p[i]-'0', p[i+1]-'0', p[i+2]-'0'
	if a < 1 || a > 5 || b > 9 || c > 9 {
		return null(p, i)
	}
	t.found.status = int32(a)*100 + int32(b)*10 + int32(c)
	return i + 3
}

// latency finds latency_ms. Of at most nine digits and six decimals what is written is what the line has, but for zeros at the end: that many digits
// name one float64 and no shorter number names it.
func (t *Transcriber) latency(p []byte, i int) int {
	start := i
	for i < len(p) && p[i]-'0' <= 9 {
		i++
	}
	if digits := i - start; digits == 0 || digits > 9 || digits > 1 && p[start] == '0' || i == len(p) {
		return t.oddLatency(p, start)
	}
	end := i // of what the line has
	if p[i] == '.' {
		point := i
		for i++; i < len(p) && p[i]-'0' <= 9; i++ {
			if p[i] != '0' {
				end = i + 1
			}
		}
		if decimals := i - point - 1; decimals == 0 || decimals > 6 {
			return t.oddLatency(p, start)
		}
	}
	if i < len(p) && p[i]|0x20 == 'e' {
		return t.oddLatency(p, start)
	}
	t.found.at[fieldLatency] = span{start, end}
	return i
}

// oddLatency finds any number that the contract takes, or a null.
func (t *Transcriber) oddLatency(p []byte, i int) int {
	if p[i] == 'n' {
		return null(p, i)
	}
	if p[i] != '-' && p[i]-'0' > 9 {
		return -1
	}
	w := jsonWalk{p: p}
	end := w.number(i)
	if end < 0 {
		return -1
	}
	f := &t.found
	ms, _ := number(p[i:end])
	if math.IsInf(ms, 0) || ms < 0 || ms > maxLatency {
		return -1
	}
	text := appendFloat(f.number[:0], ms+0)
	if len(text) > len(f.number) {
		return -1
	}
	f.numberLen, f.converted = len(text), true
	f.at[fieldLatency] = span{i, end}
	return end
}

// attribute finds the value of a key that the contract does not know.
func (t *Transcriber) attribute(k *keyStep, p []byte, i, depth int) int {
	f := &t.found
	var end int
	if p[i] == '"' {
		end, _ = keptText(p, i+1)
		if end++; end == 0 {
			return -1
		}
	} else {
		w := jsonWalk{p: p, depth: maxDepth}
		if end = w.value(i, depth); end < 0 || w.flags&^jsonWide != 0 || w.flags != 0 && !utf8.Valid(p[i:end]) {
			return -1
		}
	}
	if f.attrCount == len(f.attrs) {
		return -1
	}
	f.attrs[f.attrCount] = keyed{key: span{i - k.back, i - k.back + k.keyLen}, value: span{i, end}}
	f.attrCount++
	f.whole = span{}
	return end
}

// attributes finds the members of the sender's own attributes.
func (t *Transcriber) attributes(k *keyStep, p []byte, i int) int {
	if p[i] != '{' {
		return null(p, i)
	}
	f := &t.found
	alone, compact := f.attrCount == 0, true
	start := i
	i++
	next := k.inside
	for {
		if i >= len(p) {
			return -1
		}
		if p[i] == '}' {
			i++
			if alone && compact && f.attrCount > 0 {
				f.whole = span{start, i}
			}
			return i
		}
		m, at := match(next, p, i)
		if m == nil || f.seen&m.bit != 0 || at >= len(p) {
			return -1
		}
		f.seen |= m.bit
		compact = compact && m.compact
		if i = t.attribute(m, p, at, 3); i < 0 {
			return -1
		}
		next = m.next
	}
}
