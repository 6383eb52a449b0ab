package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is a flag's number of bytes: 4096, 500KB (thousands), 64MiB (1,024s).
type byteSize int64

// sizeUnits are tried in this order: "MiB" ends in "B", too.
var sizeUnits = [...]struct {
	name  string
	bytes int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

// String is the shortest exact form.
func (b byteSize) String() string {
	for i := 2; i >= 0; i-- {
		if u := sizeUnits[i]; b != 0 && int64(b)%u.bytes == 0 {
			return strconv.FormatInt(int64(b)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// Set reads a size above 0.
func (b *byteSize) Set(text string) error {
	for _, u := range sizeUnits {
		digits, ok := cutUnit(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n <= 0 || n > math.MaxInt64/u.bytes {
			break
		}
		*b = byteSize(n * u.bytes)
		return nil
	}
	return fmt.Errorf("want a size above 0 such as 64MiB, 500MB or 1GiB")
}

// cutUnit takes the unit off the end, in upper or lower case.
func cutUnit(text, unit string) (digits string, ok bool) {
	cut := len(text) - len(unit)
	if cut < 0 || !strings.EqualFold(text[cut:], unit) {
		return "", false
	}
	return text[:cut], true
}
