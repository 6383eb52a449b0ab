package importer

import (
	"bytes"
	"context"
	"errors"

	"github.com/signallake/signallake/ingest/format"
	"github.com/signallake/signallake/lake"
)

// input is one text that is about to be imported from a position on: a pipe, or what a path names until it is rotated.
type input struct {
	result *Result
	src    source
	raw    func() int64 // bytes of the file read so far; nil: not known
	end    func()
	mark   mark   // the position; without identity for a pipe
	window []byte // the bytes before it
	origin string // of dead letters
	pipe   bool   // cannot be read again: no position is kept
	lines  bool   // progress counts lines, not bytes
	sample []byte // the start of the text; nil: the source's own first bytes
	whole  bool   // sample is all there is
}

// from makes a file's stream the source.
func (in *input) from(s *stream, m mark) {
	in.src, in.raw, in.end = fixed{s}, func() int64 { return s.raw.off }, s.end
	in.mark, in.window, in.origin = m, s.window, m.origin()
}

// sinkError is a failure of the lake, after which nothing else can be imported either.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }
func (e *sinkError) Unwrap() error { return e.err }

// isBroken tells a failure of the lake.
func isBroken(err error) bool {
	var broken *sinkError
	return errors.As(err, &broken)
}

// stream imports the input to the end of its source, and books in its result what became durable.
func (j *job) stream(reading, writing context.Context, in *input) error {
	c := newCutter(in.src, in.raw, in.mark.Offset, in.mark.line(), in.window)
	c.marked, c.chunk = !in.pipe, j.chunk
	found, err := j.detect(reading, in, c)
	if err != nil {
		return err
	}
	r := in.result
	r.detected(found)
	p := &pipeline{cutter: c, sink: j.Sink, mark: in.mark, keep: !in.pipe, skipTo: j.memory.buriedTo(in.origin)}
	for range j.Parsers {
		lines, err := format.NewParser(j.format(r), found)
		if err != nil {
			return err
		}
		p.parsers = append(p.parsers, &parser{lines: lines, guard: j.Guard, now: j.micros, source: "import " + r.Name, origin: in.origin})
	}
	raw := int64(0)
	if in.raw != nil {
		raw = in.raw()
	}
	p.moved = func(k *chunk) {
		r.add(k)
		if in.lines {
			j.Progress.Add(k.lines - k.blank)
		} else {
			j.Progress.Add(k.raw - raw)
			raw = k.raw
		}
	}
	err = p.run(reading, writing)
	in.mark = p.mark
	if !in.pipe {
		j.memory.keep(p.mark, j.micros())
	}
	return err
}

func (j *job) micros() lake.Micros { return lake.MicrosOf(j.Now()) }

func (j *job) format(r *Result) format.Config {
	service := j.Service
	if service == "" {
		service = ServiceOf(r.Path)
	}
	return format.Config{Kind: j.Kind, Service: service, Map: j.Map, Contract: j.Contract, Location: j.Location}
}

// detect finds the format, from the sample or from the first lines that come: from as few as say it, so that a pipe's first line is seen
// at once.
func (j *job) detect(ctx context.Context, in *input, c *cutter) (found format.Detection, err error) {
	config := j.format(in.result)
	defer func() {
		if errors.Is(err, format.ErrEmpty) {
			err = errEmpty
		}
	}()
	if in.sample != nil {
		sample := in.sample
		if end := bytes.LastIndexByte(sample, '\n') + 1; end > 0 && !in.whole {
			sample = sample[:end]
		}
		return format.Detect(bytes.TrimPrefix(sample, bom), config)
	}
	err = c.peek(ctx, func(sample []byte, last bool) (bool, error) {
		if len(sample) == 0 {
			return true, errEmpty
		}
		if err := checkText(sample, in.result.Path); err != nil {
			return true, err
		}
		var err error
		found, err = format.Detect(bytes.TrimPrefix(sample, bom), config)
		if last {
			return true, err
		}
		return err == nil, nil
	})
	return found, err
}

// isStop tells the end of ctx from a failure.
func isStop(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}
