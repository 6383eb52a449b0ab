package importer

import (
	"bytes"
	"context"
	"errors"
	"io"
)

const (
	// maxLine is the longest line that is parsed: the longest event that the contract takes.
	maxLine = 1 << 20
	// chunkBytes is what a parser gets at once: milliseconds of work, so that handing it over costs nothing, and little enough for the cache.
	chunkBytes = 512 << 10
	// chunkLines bounds what becomes of a chunk of very short lines, each of which grows into a whole event.
	chunkLines = 32 << 10
	// longText is how much of a line that is too long goes to the dead letters.
	longText = 64 << 10
	// sampleBytes is how much of an input is looked at to find its format.
	sampleBytes = 64 << 10
)

// errPause is what a live source's Read says instead of waiting for long: nothing more comes at once, so hand on what is there.
var errPause = errors.New("nothing more for now")

// chunk is a piece of an input, whole lines, on its way from the cutter through a parser to the lake.
type chunk struct {
	data  []byte
	start int64 // offset of data in the input
	first int64 // number of the first line
	kind  chunkKind
	raw   int64 // bytes of the file up to the chunk's end, as the source counts them

	end   int64 // offset behind it
	tail  string
	lines int64 // physical ones

	parsed // what the parser made of it
	done   chan struct{}
	isDone bool // the token of done was taken
}

// chunkKind says what else data may be than whole lines.
type chunkKind int

const (
	wholeLines chunkKind = iota
	longLine             // the start of one line that is too long to parse
	restOfLine           // the first line is the rest of one whose start was imported when there was no more
)

// source is where an input's bytes come from. Once ctx ends a source that can be read again answers its error; one that cannot answers
// io.EOF, so that what was taken from it goes on to the lake.
type source interface {
	read(ctx context.Context, p []byte) (int, error)
}

// fixed is an input that does not grow.
type fixed struct{ io.Reader }

func (f fixed) read(ctx context.Context, p []byte) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return f.Read(p)
}

// cutter cuts a source into chunks at line ends. Memory: one carried line, whatever the source.
type cutter struct {
	src    source
	raw    func() int64 // how much of the file the source has read; nil: not known
	carry  []byte       // read and not yet cut
	offset int64        // of the carry in the input
	line   int64        // lines before it
	window []byte       // the last up to tailBytes before offset
	rest   bool         // the carry goes on with a line that was imported already
	chunk  int          // bytes of a chunk, unless a line is longer
	marked bool         // the input's position is kept: chunks need the sum of what stands before their end
	paused bool         // the carry holds whole lines, and nothing more comes for now
	ended  bool
}

// newCutter starts at a position whose window (the bytes before it) is given.
func newCutter(src source, raw func() int64, offset, line int64, window []byte) *cutter {
	c := &cutter{src: src, chunk: chunkBytes, raw: raw, offset: offset, line: line, window: append(make([]byte, 0, 2*tailBytes), window...)}
	c.rest = len(window) > 0 && window[len(window)-1] != '\n'
	return c
}

// peek reads on until ready is content with the whole lines that are there, at least once they fill a sample or the source ends (last). What
// was read is not lost.
func (c *cutter) peek(ctx context.Context, ready func(sample []byte, last bool) (bool, error)) error {
	buf := make([]byte, 0, sampleBytes)
	for {
		n, err := c.src.read(ctx, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		last := err == io.EOF || len(buf) == cap(buf)
		if err != nil && err != io.EOF && err != errPause {
			return err
		}
		sample := buf[:bytes.LastIndexByte(buf, '\n')+1]
		if last {
			sample = buf
		}
		c.carry, c.ended = buf, err == io.EOF
		if (err == errPause && len(sample) > 0) || last {
			if ok, err := ready(sample, last); ok || last || err != nil {
				c.paused = err == nil && !last
				return err
			}
		}
	}
}

// next fills a chunk. io.EOF: there is none; any other error is the source's, behind the last whole line.
func (c *cutter) next(ctx context.Context, k *chunk) error {
	k.reset()
	k.data = append(k.data, c.carry...)
	c.carry = c.carry[:0]
	if !c.paused {
		if err := c.fill(ctx, k); err != nil {
			return err
		}
	}
	c.paused = false
	k.start, k.first = c.offset, c.line+1
	switch at := c.cutAt(k.data); {
	case at > 0:
		c.carry = append(c.carry, k.data[at:]...)
		k.data = k.data[:at]
	case !c.ended:
		return c.long(ctx, k)
	}
	if c.rest {
		k.kind, c.rest = restOfLine, false
	}
	c.pass(k)
	return nil
}

// fill reads until the chunk holds something to hand on: enough lines, all that there is for now, or more than a line may have.
func (c *cutter) fill(ctx context.Context, k *chunk) error {
	for !c.ended {
		if len(k.data) >= c.chunk && bytes.IndexByte(k.data, '\n') >= 0 {
			return nil
		}
		room := cap(k.data)
		if len(k.data) < c.chunk {
			room = c.chunk
		}
		if len(k.data) == cap(k.data) {
			return nil
		}
		n, err := c.src.read(ctx, k.data[len(k.data):room])
		k.data = k.data[:len(k.data)+n]
		switch {
		case err == io.EOF:
			c.ended = true
		case err == errPause:
			if bytes.IndexByte(k.data, '\n') >= 0 {
				return nil
			}
		case err != nil:
			if bytes.IndexByte(k.data, '\n') < 0 {
				return err
			}
			c.src = failed{err}
			return nil
		}
	}
	if len(k.data) == 0 {
		return io.EOF
	}
	return nil
}

// failed is a source that has met an error.
type failed struct{ err error }

func (f failed) read(context.Context, []byte) (int, error) { return 0, f.err }

// cutAt is where data is cut: behind its last line end, and not behind more than chunkLines. 0: it holds no line end, or is the source's end.
func (c *cutter) cutAt(data []byte) int {
	at := bytes.LastIndexByte(data, '\n') + 1
	if bytes.Count(data[:at], []byte{'\n'}) > chunkLines {
		at = 0
		for range chunkLines {
			at += bytes.IndexByte(data[at:], '\n') + 1
		}
		return at
	}
	if c.ended {
		return 0
	}
	return at
}

// long passes over a line that is too long, keeping its start.
func (c *cutter) long(ctx context.Context, k *chunk) error {
	k.kind, c.rest = longLine, false
	c.slide(k.data)
	size := int64(len(k.data))
	scratch := k.data[longText:cap(k.data)]
	k.data = k.data[:longText]
	for !c.ended {
		n, err := c.src.read(ctx, scratch)
		piece := scratch[:n]
		at := bytes.IndexByte(piece, '\n') + 1
		if at > 0 {
			c.carry = append(c.carry, piece[at:]...)
			piece = piece[:at]
		}
		c.slide(piece)
		size += int64(len(piece))
		if err != nil && err != io.EOF && err != errPause {
			if at == 0 {
				return err
			}
			c.src = failed{err}
		}
		c.ended = err == io.EOF
		if at > 0 {
			break
		}
	}
	c.stamp(k, size, 1)
	return nil
}

// pass moves the position behind what the chunk holds.
func (c *cutter) pass(k *chunk) {
	c.slide(k.data)
	lines := int64(bytes.Count(k.data, []byte{'\n'}))
	if n := len(k.data); n > 0 && k.data[n-1] != '\n' {
		lines++
	}
	if k.kind == restOfLine && isBlank(firstLine(k.data)) { // only the line end of the line before
		lines--
		k.first--
	}
	c.stamp(k, int64(len(k.data)), lines)
}

// firstLine is data up to its first line end.
func firstLine(data []byte) []byte {
	if at := bytes.IndexByte(data, '\n'); at >= 0 {
		return data[:at]
	}
	return data
}

func (c *cutter) stamp(k *chunk, size, lines int64) {
	c.offset += size
	c.line += lines
	k.end, k.lines = c.offset, lines
	if c.marked {
		k.tail = sum(c.window)
	}
	if c.raw != nil {
		k.raw = c.raw()
	}
}

// slide moves the window over what was passed.
func (c *cutter) slide(data []byte) {
	if len(data) >= tailBytes {
		c.window = append(c.window[:0], data[len(data)-tailBytes:]...)
		return
	}
	c.window = append(c.window, data...)
	if n := len(c.window) - tailBytes; n > 0 {
		c.window = c.window[:copy(c.window, c.window[n:])]
	}
}
