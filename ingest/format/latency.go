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

// appendLatency appends a duration as milliseconds: a number in the given unit, or a text with units as Go and people write it (12.5ms,
// 1m3.2s, 1.2 s). Decimal shifts are done on the digits: 0.057 s is exactly 57. ok is false for anything else and for a negative one.
func appendLatency(dst, s []byte, u unit) (_ []byte, ok bool) {
	if end := decimalEnd(s); end == len(s) {
		return appendInUnit(dst, s, u)
	} else if end == 0 {
		return dst, false
	}
	if num, name, ok := cutUnit(s); ok && name.seconds == 0 {
		return appendShifted(dst, num, name.shift)
	}
	var total float64 // milliseconds of several units, or of minutes and hours
	for len(s) > 0 {
		end := decimalEnd(s)
		if end == 0 {
			return dst, false
		}
		num := s[:end]
		s = bytes.TrimLeft(s[end:], " ")
		i := unitAt(s)
		if i < 0 {
			return dst, false
		}
		name := &durationUnits[i]
		s = bytes.TrimLeft(s[len(name.name):], " ")
		ms, err := millis(num, name.shift)
		if err != nil {
			return dst, false
		}
		if name.seconds > 0 {
			ms *= name.seconds * 1000
		}
		total += ms
	}
	return strconv.AppendFloat(dst, total, 'f', -1, 64), !math.IsInf(total, 0)
}

// cutUnit cuts a single number with a unit.
func cutUnit(s []byte) (num []byte, u *durationUnit, ok bool) {
	end := decimalEnd(s)
	rest := bytes.TrimLeft(s[end:], " ")
	i := unitAt(rest)
	if end == 0 || i < 0 || len(durationUnits[i].name) != len(rest) {
		return nil, nil, false
	}
	return s[:end], &durationUnits[i], true
}

// unitAt finds the unit that s starts with: an index into durationUnits, or -1.
func unitAt(s []byte) int {
	for i := range durationUnits {
		if name := durationUnits[i].name; len(s) >= len(name) && string(s[:len(name)]) == name {
			return i
		}
	}
	return -1
}

// decimalEnd is where the digits with at most one dot end that s starts with, an exponent included; 0 when it does not start so.
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

// appendInUnit appends a bare number of a unit.
func appendInUnit(dst, num []byte, u unit) (_ []byte, ok bool) {
	switch u {
	case unitOpen:
		u = unitMilli
	case unitGo:
		if u = unitMilli; allDigits(num) {
			u = unitNanos
		}
	}
	return appendShifted(dst, num, int(u))
}

// appendShifted appends num times ten to the power of shift, by moving the point.
func appendShifted(dst, num []byte, shift int) (_ []byte, ok bool) {
	if bytes.ContainsAny(num, "eE") || len(num) > 40 {
		ms, err := millis(num, shift)
		if err != nil {
			return dst, false
		}
		return strconv.AppendFloat(dst, ms, 'f', -1, 64), true
	}
	whole, frac, _ := bytes.Cut(num, []byte("."))
	var digits [48]byte // whole and frac side by side
	n := copy(digits[:], whole)
	n += copy(digits[n:], frac)
	point := len(whole) + shift
	start := len(dst)
	for i := min(point, 0); i < max(point, n); i++ {
		if i == point {
			if len(dst) == start {
				dst = append(dst, '0')
			}
			dst = append(dst, '.')
		}
		c := byte('0')
		if 0 <= i && i < n {
			c = digits[i]
		}
		if c == '0' && len(dst) == start && i+1 < point { // leading zeros
			continue
		}
		dst = append(dst, c)
	}
	return trimFraction(dst, start), true
}

// trimFraction cuts zeros at the end of a fraction: they say nothing.
func trimFraction(dst []byte, start int) []byte {
	if bytes.IndexByte(dst[start:], '.') < 0 {
		return dst
	}
	return bytes.TrimRight(bytes.TrimRight(dst, "0"), ".")
}

// millis is a number as milliseconds.
func millis(num []byte, shift int) (float64, error) {
	mantissa, exponent, has := bytes.Cut(bytes.ToLower(num), []byte("e"))
	if has {
		n, err := strconv.Atoi(string(exponent))
		if err != nil {
			return 0, err
		}
		shift += n
	}
	return strconv.ParseFloat(string(mantissa)+"e"+strconv.Itoa(shift), 64)
}
