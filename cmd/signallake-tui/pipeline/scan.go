package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/signallake/signallake/lake"
)

// referenceName is the parser behind jsonReader.
const referenceName = "github.com/segmentio/encoding/json"

// measureScan reads the same lines with our scanner and with the reference, one goroutine each, as often as it takes to have seen as many events as the
// corpus has.
func measureScan(ctx context.Context, c *corpus, o *outcome) error {
	lines, n, err := c.firstLines(ctx)
	if err != nil {
		return err
	}
	same, err := scansAlike(lines)
	if err != nil {
		return err
	}
	var allocations float64
	ours := func(ctx context.Context, _ int) (float64, error) {
		took, mallocs, err := scanAll(ctx, lines, c.events)
		allocations = mallocs
		return took, err
	}
	reference := func(context.Context, int) (float64, error) {
		reader := new(jsonReader)
		var e lake.Event
		started := time.Now()
		for line := range bytes.Lines(lines) {
			if err := reader.read(line, &e); err != nil {
				return 0, err
			}
		}
		return float64(time.Since(started)) / float64(n), nil
	}
	samples, err := c.turns(ctx, nil, way{"scan", ours}, way{referenceName, reference})
	if err != nil {
		return err
	}
	f := o.add("scan", samples[0], samples[1]).equal(same)
	f.note("%.4f allocations an event; %d lines in memory", allocations, n)
	f.note("the reference is %s: of a dozen decoders the fastest that checks what it reads; it fills the same event, without a copy", referenceName)
	return nil
}

// scanAll scans lines again and again until so many events were scanned: nanoseconds and allocations an event.
func scanAll(ctx context.Context, lines []byte, events int64) (took, mallocs float64, err error) {
	var before, after runtime.MemStats
	var scanner lake.Scanner
	var e lake.Event
	runtime.ReadMemStats(&before)
	done := int64(0)
	started := time.Now()
	for done < events {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		for rest := lines; len(rest) > 0; done++ {
			end := bytes.IndexByte(rest, '\n') + 1
			if err := scanner.Scan(rest[:end], &e); err != nil {
				return 0, 0, err
			}
			rest = rest[end:]
		}
	}
	elapsed := time.Since(started)
	runtime.ReadMemStats(&after)
	return float64(elapsed) / float64(done), float64(after.Mallocs-before.Mallocs) / float64(done), nil
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
