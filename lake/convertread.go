package lake

import (
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// shareBytes is how much of the raw log a scan worker takes at a time: some full blocks, and little enough that workers end together.
	shareBytes = 4 << 20
	// readBytes is how much of it the worker reads at once, unless one batch is more: it is still in the processor's cache when it is scanned.
	readBytes = 256 << 10
)

// runLines hands out the batches of a run in shares. Several goroutines take turns, each of which reads its shares itself.
type runLines struct {
	layout Layout

	mu       sync.Mutex
	segments []Segment      // from the one at hand on
	reader   *segmentReader // of the first one; nil: it is not open yet
	data     *sharedFile    // the reader's
	seen     Seq            // the first segment's events below it were handed out
}

// share is some batches that follow each other without a gap. done must be called when it was read, or will not be.
type share struct {
	data  *sharedFile
	parts []record
	first Seq
	n     int
}

// sharedFile is closed by its last user.
type sharedFile struct {
	*os.File
	users atomic.Int32
}

func (f *sharedFile) done() {
	if f.users.Add(-1) == 0 {
		_ = f.Close() // it was read only
	}
}

func (s *share) done() { s.data.done() }

// next is the next share; io.EOF when there is none. After any error there is none either.
func (r *runLines) next() (share, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.segments) > 0 {
		s, err := r.take(&r.segments[0])
		if err == nil {
			return s, nil
		}
		r.closeSegment()
		if err != io.EOF {
			r.segments = nil
			return share{}, err
		}
		r.segments = r.segments[1:]
	}
	return share{}, io.EOF
}

// take is the next share of the segment at hand.
func (r *runLines) take(s *Segment) (share, error) {
	if r.reader == nil {
		reader, err := openReader(r.layout, s.First)
		if err != nil {
			return share{}, err
		}
		r.reader, r.data, r.seen = reader, &sharedFile{File: reader.data}, s.First
		r.data.users.Add(1)
	}
	if r.seen >= s.End {
		return share{}, io.EOF
	}
	_, err := r.reader.plan(math.MaxInt64, 0, s.End, shareBytes)
	if damage := (*DamageError)(nil); errors.As(err, &damage) && damage.First == 0 {
		damage.First, damage.End = r.seen, s.End
	}
	if err != nil {
		return share{}, err
	}
	parts := slices.Clone(r.reader.parts)
	r.data.users.Add(1)
	out := share{data: r.data, parts: parts, first: parts[0].first, n: int(parts[len(parts)-1].end() - parts[0].first)}
	r.seen = out.first + Seq(out.n)
	return out, nil
}

// closeSegment closes the segment at hand; those who still read shares of it keep its data open.
func (r *runLines) closeSegment() {
	if r.reader != nil {
		_ = r.reader.index.Close() // it was read only
		r.data.done()
		r.reader = nil
	}
}

// close ends the handing out.
func (r *runLines) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closeSegment()
	r.segments = nil
}

// each reads the share's batches, some at a time, into *buffer or a larger one, and calls fn with their lines, which are good during the call.
func (s *share) each(buffer *[]byte, fn func(lines []byte) error) error {
	for rest := s.parts; len(rest) > 0; {
		n, bytes := 1, int(rest[0].length)
		for n < len(rest) && bytes+int(rest[n].length) <= readBytes {
			bytes += int(rest[n].length)
			n++
		}
		var err error
		if *buffer, err = readRecords(s.data.File, rest[:n], bytes, *buffer); err != nil {
			return err
		}
		if err := fn(*buffer); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}
