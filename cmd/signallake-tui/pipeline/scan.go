package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/signallake/signallake/lake"
)

// referenceName is the parser behind jsonReader.
const referenceName = "github.com/segmentio/encoding/json"

// measureScan reads the same lines with our scanner and with the reference, on one thread each: its processor time, as both do nothing but compute. Ours reads
// them as often as it takes to have seen as many events as the corpus has.
func measureScan(ctx context.Context, c *corpus, o *outcome) error {
	lines, n, err := c.firstLines(ctx)
	if err != nil {
		return err
	}
	same, err := scansAlike(lines)
	if err != nil {
		return err
	}
	var mallocs uint64
	var passes int64
	ours := func(ctx context.Context, _ int) (float64, error) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		passes = 0
		took, err := threadTimeOf(func() (err error) {
			var scanner lake.Scanner
			for ; passes*n < c.events && err == nil && ctx.Err() == nil; passes++ {
				err = readAll(lines, scanner.Scan)
			}
			return errors.Join(err, ctx.Err())
		})
		runtime.ReadMemStats(&after)
		mallocs = after.Mallocs - before.Mallocs
		return float64(took) / float64(passes*n), err
	}
	reference := func(context.Context, int) (float64, error) {
		took, err := threadTimeOf(func() error { return readAll(lines, new(jsonReader).read) })
		return float64(took) / float64(n), err
	}
	samples, err := c.turns(ctx, nil, way{"scan", ours}, way{referenceName, reference})
	if err != nil {
		return err
	}
	f := o.add("scan", samples[0], samples[1]).equal(same)
	f.note("processor time of one thread; %.4f allocations an event; %d lines in memory", float64(mallocs)/float64(passes*n), n)
	f.note("the reference is %s: of a dozen decoders the fastest that checks what it reads; it fills the same event, without a copy", referenceName)
	return nil
}

// readAll reads lines one after the other into the same event.
func readAll(lines []byte, read func(line []byte, e *lake.Event) error) error {
	var e lake.Event
	for len(lines) > 0 {
		end := bytes.IndexByte(lines, '\n') + 1
		if err := read(lines[:end], &e); err != nil {
			return err
		}
		lines = lines[end:]
	}
	return nil
}

// threadTimeOf is the processor time that work takes, which runs on one thread.
func threadTimeOf(work func() error) (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := threadTime()
	if err != nil {
		return 0, err
	}
	if err := work(); err != nil {
		return 0, err
	}
	after, err := threadTime()
	return after - before, err
}

// scansAlike holds every event of both against each other.
func scansAlike(lines []byte) (bool, error) {
	reader := new(jsonReader)
	var scanner lake.Scanner
	for line := range bytes.Lines(lines) {
		var ours, theirs lake.Event
		if err := scanner.Scan(line, &ours); err != nil {
			return false, err
		}
		if err := reader.read(line, &theirs); err != nil {
			return false, fmt.Errorf("%s: %w: %s", referenceName, err, line)
		}
		if ours != theirs {
			return false, nil
		}
	}
	return true, nil
}
