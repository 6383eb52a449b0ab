package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// millis writes a duration in milliseconds with three significant digits: 0.87, 3.45, 13.1, 231.
func millis(d time.Duration) string {
	return digits(float64(d) / float64(time.Millisecond))
}

// digits writes a number with about three significant digits and no exponent.
func digits(v float64) string {
	switch abs := math.Abs(v); {
	case abs < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case abs < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return count(int64(math.Round(v)))
}

// size writes bytes in units of 1024, as the console does.
func size(n int64) string {
	v := float64(n)
	for _, unit := range []string{"B", "KB", "MB", "GB"} {
		if v < 999.5 || unit == "GB" {
			if unit == "B" {
				return strconv.FormatInt(n, 10) + " B"
			}
			return strings.TrimSuffix(digits(v), ".00") + " " + unit
		}
		v /= 1024
	}
	return "" // not reached: GB takes the rest
}

// count writes an integer with thousands separators.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Brief writes a number of events in a few columns: 950, 100k, 1M, 2.5M.
func Brief(n int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"G", 1e9}, {"M", 1e6}, {"k", 1e3}} {
		if n >= unit.size {
			return strconv.FormatFloat(math.Round(float64(n)/float64(unit.size)*10)/10, 'f', -1, 64) + unit.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// percent writes a share: 0.927 is "92.7 %".
func percent(share float64) string {
	return strconv.FormatFloat(100*share, 'f', 1, 64) + " %"
}

// times writes a factor: "1.45x".
func times(v float64) string { return digits(v) + "x" }

// RatioWords writes a factor with three digits, so that it can be told from its bound: "0.352x", "2.97x", "12.5x".
func RatioWords(v float64) string {
	if math.Abs(v) < 0.9995 {
		return strconv.FormatFloat(v, 'f', 3, 64) + "x"
	}
	return times(v)
}

// few writes the mean number of files: whole where it is.
func few(v float64) string {
	if v == math.Trunc(v) {
		return count(int64(v))
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// verdict is the ratio in words.
func (r Ratio) verdict() string {
	switch {
	case r.Faster():
		return "faster"
	case r.Slower():
		return "slower"
	}
	return "which may be chance"
}

// interval writes the ratio with what it may be: "0.76x (0.73 to 0.79)".
func (r Ratio) interval() string {
	return fmt.Sprintf("%s (%s to %s)", times(r.Value), digits(r.Low), digits(r.High))
}

// plural is "1 file", "616 files".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(int64(n)) + " " + what + "s"
}

// stamp is a moment to the minute.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02 15:04Z") }

// capital makes a sentence's first letter a capital one.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
