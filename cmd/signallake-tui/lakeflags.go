package main

import (
	"flag"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
)

// lakeFlags say when raw becomes Parquet. The zero values leave it to the lake.
type lakeFlags struct {
	convertAge                 time.Duration
	convertBytes, segmentBytes byteSize
}

func addLakeFlags(flags *flag.FlagSet) *lakeFlags {
	l := &lakeFlags{}
	flags.DurationVar(&l.convertAge, "convert-age", 0, "convert events that have waited for so `long`; 0: 15m")
	flags.Var(&l.convertBytes, "convert-bytes", "convert when so `much` waits (64MiB when not given)")
	flags.Var(&l.segmentBytes, "segment-bytes", "begin a new raw file at this `size` (64MiB when not given)")
	return l
}

// validate names the first value that cannot work.
func (l *lakeFlags) validate() error {
	if l.convertAge < 0 {
		return usagef("--convert-age %v: want a time above 0, such as 15m", l.convertAge)
	}
	return nil
}

// apply says the same to the lake. nil: nothing was said.
func (l *lakeFlags) apply(c *lake.Config) {
	if l != nil {
		c.ConvertAge, c.ConvertBytes, c.SegmentBytes = l.convertAge, int64(l.convertBytes), int64(l.segmentBytes)
	}
}

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
