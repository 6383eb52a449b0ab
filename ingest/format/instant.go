package format

import (
	"bytes"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
)

// instantReader reads the timestamps of logs. Neighbours mostly share a day, so the last one's is kept.
type instantReader struct {
	location *time.Location // of instants without a zone; nil: UTC
	day      [11]byte       // the text of the last day, "21/Nov/2026" or "2026-11-21"
	dayLen   int
	dayStart lake.Micros // in UTC
	naive    bool        // the instant that was read last had no zone
}

// read reads an instant: an epoch in the given unit (unitOpen: s, ms, µs or ns by magnitude), ISO 8601 and RFC 3339 with 'T' or a space, a
// fraction behind '.' or ',' and any or no zone, the access logs' 21/Nov/2026:06:33:10 +0000, and what net/http, date(1) and syslogs with a
// year write.
func (r *instantReader) read(s []byte, isNumber bool, u unit) (t lake.Micros, ok bool) {
	r.naive = false
	s = bytes.TrimSpace(s)
	if isNumber || isEpoch(s) {
		return epoch(s, u)
	}
	switch {
	case len(s) >= 20 && s[2] == '/' && s[6] == '/' && s[11] == ':':
		return r.common(s)
	case len(s) >= 16 && (s[4] == '-' || s[4] == '/'):
		return r.iso(s)
	case len(s) >= len("Mon Jan 2 15:04:05 2006") && len(s) <= 40:
		return r.words(s)
	}
	return 0, false
}

// isEpoch says whether a text is a number of at least nine digits: a shorter one is more likely a slip than a time in 1970.
func isEpoch(s []byte) bool {
	end := decimalEnd(s)
	return end == len(s) && digitsEnd(s, 0) >= 9
}

// epoch reads a number.
func epoch(s []byte, u unit) (t lake.Micros, ok bool) {
	shift := int(u) + 3 // milliseconds to microseconds
	if u == unitOpen {
		end := digitsEnd(s, 0)
		if end == 0 {
			return 0, false
		}
		switch whole := len(bytes.TrimLeft(s[:end], "0")); { // the bounds of the contract: each unit covers 1973 to 5138
		case whole <= 11:
			shift = 6
		case whole <= 14:
			shift = 3
		case whole <= 17:
			shift = 0
		default:
			shift = -3
		}
	}
	return micros(s, shift)
}

// micros is a decimal number times ten to the power of shift as a whole number; what is left behind the point is cut off.
func micros(s []byte, shift int) (t lake.Micros, ok bool) {
	if decimalEnd(s) != len(s) || bytes.ContainsAny(s, "eE") {
		f, ok := longDecimal(s, shift)
		return lake.Micros(f), ok && decimalEnd(s) == len(s) && f < 1e18
	}
	whole, frac, _ := bytes.Cut(s, []byte("."))
	for i := range len(whole) + shift {
		digit := byte('0')
		if i < len(whole) {
			digit = whole[i]
		} else if i-len(whole) < len(frac) {
			digit = frac[i-len(whole)]
		}
		if t = t*10 + lake.Micros(digit-'0'); t >= 1e18 {
			return 0, false
		}
	}
	return t, true
}

// clock reads hh:mm:ss with a fraction of seconds behind '.' or ',' and returns what follows.
func clock(s []byte) (us lake.Micros, rest []byte, ok bool) {
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return 0, nil, false
	}
	h, ok1 := two(s)
	m, ok2 := two(s[3:])
	sec, ok3 := two(s[6:])
	if !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || sec > 59 {
		return 0, nil, false
	}
	us = lake.Micros((h*60+m)*60+sec) * 1_000_000
	rest = s[8:]
	if len(rest) > 1 && (rest[0] == '.' || rest[0] == ',') {
		end := digitsEnd(rest, 1)
		unit := lake.Micros(100_000)
		for _, c := range rest[1:end] {
			us += lake.Micros(c-'0') * unit
			unit /= 10
		}
		if end == 1 {
			return 0, nil, false
		}
		rest = rest[end:]
	}
	return us, rest, true
}

// two reads two digits.
func two(s []byte) (n int, ok bool) {
	a, b := s[0]-'0', s[1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

// common reads 21/Nov/2026:06:33:10 +0000.
func (r *instantReader) common(s []byte) (lake.Micros, bool) {
	if !r.sameDay(s[:11]) {
		month := bytes.Index([]byte("JanFebMarAprMayJunJulAugSepOctNovDec"), s[3:6])
		dom, ok1 := two(s)
		century, ok2 := two(s[7:])
		year, ok3 := two(s[9:])
		if month < 0 || month%3 != 0 || !ok1 || !ok2 || !ok3 || !r.setDay(s[:11], century*100+year, month/3+1, dom) {
			return 0, false
		}
	}
	us, rest, ok := clock(s[12:])
	if !ok {
		return 0, false
	}
	return r.zoned(us, rest)
}

// iso reads 2026-11-21T06:33:10.123+01:00 and its kin, also with slashes.
func (r *instantReader) iso(s []byte) (lake.Micros, bool) {
	if s[7] != s[4] || s[10] != 'T' && s[10] != 't' && s[10] != ' ' && s[10] != '_' {
		return 0, false
	}
	if !r.sameDay(s[:10]) {
		century, ok1 := two(s)
		year, ok2 := two(s[2:])
		month, ok3 := two(s[5:])
		dom, ok4 := two(s[8:])
		if !ok1 || !ok2 || !ok3 || !ok4 || !r.setDay(s[:10], century*100+year, month, dom) {
			return 0, false
		}
	}
	us, rest, ok := clock(s[11:])
	if !ok {
		return 0, false
	}
	return r.zoned(us, rest)
}

func (r *instantReader) sameDay(s []byte) bool { return string(r.day[:r.dayLen]) == string(s) }

// setDay remembers a day; false: the calendar has none like it.
func (r *instantReader) setDay(s []byte, year, month, dom int) bool {
	start := time.Date(year, time.Month(month), dom, 0, 0, 0, 0, time.UTC)
	if start.Day() != dom || int(start.Month()) != month {
		return false
	}
	r.dayLen = copy(r.day[:], s)
	r.dayStart = lake.MicrosOf(start)
	return true
}

// zoned is the instant of a clock on the current day, in the zone that rest names.
func (r *instantReader) zoned(us lake.Micros, rest []byte) (lake.Micros, bool) {
	for len(rest) > 0 && rest[0] == ' ' {
		rest = rest[1:]
	}
	minutes, ok := offset(rest)
	switch {
	case ok:
		return r.dayStart + us - lake.Micros(minutes)*60_000_000, true
	case len(rest) > 0:
		return 0, false
	}
	return r.local(r.dayStart + us), true
}

// local is the instant of a wall clock in the reader's location, given as if it were UTC.
func (r *instantReader) local(t lake.Micros) lake.Micros {
	r.naive = true
	if r.location == nil || r.location == time.UTC {
		return t
	}
	u := t.Time()
	return lake.MicrosOf(time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), u.Nanosecond(), r.location))
}

// offset reads Z, UTC, GMT, +hh:mm, +hhmm and +hh, in minutes east.
func offset(s []byte) (minutes int, ok bool) {
	switch string(s) {
	case "Z", "z", "UTC", "GMT":
		return 0, true
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	h, ok1 := two(s[1:])
	m, ok2 := 0, len(s) == 3
	if rest := s[3:]; len(rest) == 2 || len(rest) == 3 && rest[0] == ':' {
		m, ok2 = two(rest[len(rest)-2:])
	}
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return 0, false
	}
	if s[0] == '-' {
		return -(h*60 + m), true
	}
	return h*60 + m, true
}

// wordLayouts are the rarer forms, with names of days and months.
var wordLayouts = []string{time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC, time.UnixDate, time.RubyDate, "Mon Jan 2 15:04:05.999999 2006",
	"02 Jan 2006 15:04:05 -0700", "02 Jan 2006 15:04:05 MST", "02 Jan 2006 15:04:05", "Jan _2 2006 15:04:05"}

// words reads an instant with names in it.
func (r *instantReader) words(s []byte) (lake.Micros, bool) {
	location := r.location
	if location == nil {
		location = time.UTC
	}
	for _, layout := range wordLayouts {
		t, err := time.ParseInLocation(layout, string(s), location)
		if err != nil {
			continue
		}
		if strings.Contains(layout, "MST") { // a zone by its name: time makes one up when it does not know it
			if name, _ := t.Zone(); name != "UTC" && name != "GMT" && t.Location() != location {
				return 0, false
			}
		} else {
			r.naive = !strings.Contains(layout, "-0700")
		}
		return lake.MicrosOf(t), true
	}
	return 0, false
}
