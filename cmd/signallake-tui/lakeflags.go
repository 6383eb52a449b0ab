package main

import (
	"flag"
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
