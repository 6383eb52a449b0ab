package format

import (
	"bytes"
	"math"
	"strconv"
)

// durationUnit is a unit of time as people write it.
type durationUnit struct {
	name    string
	shift   int     // the power of ten that makes milliseconds of it
	seconds float64 // of minutes and hours, which no power of ten makes milliseconds of; 0 otherwise
}

// durationUnits has no unit behind one that it begins with.
var durationUnits = []durationUnit{
	{"milliseconds", 0, 0}, {"millisecond", 0, 0}, {"microseconds", -3, 0}, {"microsecond", -3, 0}, {"nanoseconds", -6, 0}, {"nanosecond", -6, 0},
	{"seconds", 3, 0}, {"second", 3, 0}, {"minutes", 0, 60}, {"minute", 0, 60}, {"hours", 0, 3600}, {"hour", 0, 3600}, {"millis", 0, 0}, {"micros", -3, 0},
	{"nanos", -6, 0}, {"msec", 0, 0}, {"usec", -3, 0}, {"nsec", -6, 0}, {"secs", 3, 0}, {"mins", 0, 60}, {"sec", 3, 0}, {"min", 0, 60},
	{"ms", 0, 0}, {"us", -3, 0}, {"µs", -3, 0}, {"μs", -3, 0}, {"ns", -6, 0}, {"s", 3, 0}, {"m", 0, 60}, {"h", 0, 3600},
}

// readLatency reads a duration in milliseconds: a number in the given unit, or a text with units as Go and people write it (12.5ms, 1m3.2s,
// 1.2 s). ok is false for anything else and for a negative one.
func readLatency(s []byte, u unit) (ms float64, ok bool) {
	switch end := decimalEnd(s); {
	case end == 0:
		return 0, false
	case end == len(s):
		return decimal(s, u.shift(s))
	}
	for len(s) > 0 {
		num, i, rest := cutUnit(s)
		if i < 0 {
			return 0, false
		}
		part, ok := decimal(num, durationUnits[i].shift)
		if !ok {
			return 0, false
		}
		if seconds := durationUnits[i].seconds; seconds > 0 {
			part *= seconds * 1000
		}
		ms += part
		s = bytes.TrimLeft(rest, " ")
	}
	return ms, !math.IsInf(ms, 0)
}

// shift is the power of ten that makes milliseconds of a bare number.
func (u unit) shift(num []byte) int {
	switch {
	case u == unitOpen, u == unitGo && !allDigits(num):
		return int(unitMilli)
	case u == unitGo:
		return int(unitNanos)
	}
	return int(u)
}

// cutUnit cuts a number with its unit, an index into durationUnits; -1: s starts with none.
func cutUnit(s []byte) (num []byte, unit int, rest []byte) {
	end := decimalEnd(s)
	rest = bytes.TrimLeft(s[end:], " ")
	if end > 0 {
		for i := range durationUnits {
			if name := durationUnits[i].name; len(rest) >= len(name) && string(rest[:len(name)]) == name {
				return s[:end], i, rest[len(name):]
			}
		}
	}
	return nil, -1, s
}

// isDuration says whether a text is one number with a unit.
func isDuration(s []byte) bool {
	_, unit, rest := cutUnit(s)
	return unit >= 0 && len(rest) == 0
}

// decimalEnd is where the decimal number ends that s starts with, an exponent included; 0 when it does not start with a digit.
func decimalEnd(s []byte) int {
	i := digitsEnd(s, 0)
	if i == 0 {
		return 0
	}
	if i < len(s) && s[i] == '.' {
		if end := digitsEnd(s, i+1); end > i+1 {
			i = end
		}
	}
	if i+1 < len(s) && s[i]|0x20 == 'e' {
		j := i + 1
		if s[j] == '+' || s[j] == '-' {
			j++
		}
		if end := digitsEnd(s, j); end > j {
			i = end
		}
	}
	return i
}

func digitsEnd(s []byte, i int) int {
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}

// decimal is a number (see decimalEnd) times ten to the power of shift, rounded once: 0.057 s are exactly 57 ms. ok is false for one that is
// too large.
func decimal(num []byte, shift int) (f float64, ok bool) {
	const exact = 15 // digits, and powers of ten, that a float64 holds exactly
	if len(num) > exact {
		return longDecimal(num, shift)
	}
	var n uint64
	places := shift
	for i, c := range num {
		switch {
		case c == '.':
			places -= len(num) - i - 1
		case c > '9':
			return longDecimal(num, shift)
		default:
			n = n*10 + uint64(c-'0')
		}
	}
	switch {
	case -exact <= places && places < 0:
		return float64(n) / powersOfTen[-places], true
	case 0 <= places && places+len(num) <= exact:
		return float64(n) * powersOfTen[places], true
	}
	return longDecimal(num, shift)
}

var powersOfTen = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// longDecimal is decimal for any number.
func longDecimal(num []byte, shift int) (float64, bool) {
	mantissa, exponent, has := bytes.Cut(bytes.ToLower(num), []byte("e"))
	if has {
		n, err := strconv.Atoi(string(exponent))
		if err != nil || n > 1000 || n < -1000 {
			return 0, false
		}
		shift += n
	}
	f, err := strconv.ParseFloat(string(mantissa)+"e"+strconv.Itoa(shift), 64)
	return f, err == nil
}
