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

// percent writes a share: 0.927 is "92.7 %".
func percent(share float64) string {
	return strconv.FormatFloat(100*share, 'f', 1, 64) + " %"
}

// times writes a factor: "1.45x".
func times(v float64) string { return digits(v) + "x" }

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
