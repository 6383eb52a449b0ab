package importer

import (
	"bufio"
	"context"
	"io"
	"time"
)

// pipeBytes is what is read from a pipe at once: the kernel's pipe holds as much.
const pipeBytes = 64 << 10

// pipe reads an input that cannot be read again, in a goroutine of its own: nothing else can be told while a read waits for the writer. The
// goroutine ends with the pipe, or with the process.
type pipe struct {
	full, free chan []byte
	err        error // why the pipe ended; set before full is closed
	rest       []byte
	buf        []byte           // what rest is a part of
	flush      time.Duration    // how long lines may wait for more
	due        <-chan time.Time // when they have waited so long; nil: none wait
}

func newPipe(r io.Reader, flush time.Duration) *pipe {
	const buffers = 4
	p := &pipe{full: make(chan []byte, buffers), free: make(chan []byte, buffers), flush: flush}
	for range buffers {
		p.free <- make([]byte, pipeBytes)
	}
	go p.pump(r)
	return p
}

// pump reads until the pipe ends.
func (p *pipe) pump(r io.Reader) {
	defer close(p.full)
	r, end, err := unpackPipe(r)
	if err != nil {
		p.err = err
		return
	}
	defer end()
	for buf := range p.free {
		n, err := r.Read(buf[:pipeBytes])
		if n > 0 {
			p.full <- buf[:n]
		} else {
			p.free <- buf
		}
		if err != nil {
			p.err = err
			return
		}
	}
}

// unpackPipe finds out how a pipe is packed without waiting for more bytes than that takes.
func unpackPipe(r io.Reader) (io.Reader, func(), error) {
	b := bufio.NewReaderSize(r, pipeBytes)
	zip := plain
	for n := 1; n <= len(zstdMagic); n++ {
		start, err := b.Peek(n)
		if err != nil || packed(start) != plain {
			zip = packed(start)
			break
		}
		if start[n-1] != zstdMagic[n-1] && (n > 1 || start[0] != gzipMagic[0]) {
			break
		}
	}
	if zip == plain {
		return b, func() {}, nil
	}
	return unpack(b, zip)
}

// read answers errPause at the latest when the first of the bytes that it handed out since the last one has waited for the flush interval.
func (p *pipe) read(ctx context.Context, dst []byte) (int, error) {
	if len(p.rest) == 0 {
		if err := p.next(ctx); err != nil {
			return 0, err
		}
	}
	n := copy(dst, p.rest)
	p.rest = p.rest[n:]
	if p.due == nil {
		p.due = time.After(p.flush)
	}
	return n, nil
}

// next waits for a full buffer. Once ctx ends it takes those that are there and gives none back, so that the pump stops.
func (p *pipe) next(ctx context.Context) error {
	if p.buf != nil && ctx.Err() == nil {
		p.free <- p.buf
	}
	p.buf = nil
	select {
	case <-ctx.Done():
		select {
		case buf, ok := <-p.full:
			return p.take(buf, ok)
		default:
			return io.EOF
		}
	case <-p.due:
		p.due = nil
		return errPause
	case buf, ok := <-p.full:
		return p.take(buf, ok)
	}
}

func (p *pipe) take(buf []byte, ok bool) error {
	if !ok {
		return p.err
	}
	p.buf, p.rest = buf, buf
	return nil
}
