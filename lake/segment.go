package lake

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// DamageError says which bytes of a raw segment are not what was acknowledged.
type DamageError struct {
	File   string
	Offset int64
	First  Seq // of the damaged events
	End    Seq // one past them; First when it is not known how many
	Reason string
}

func (e *DamageError) Error() string {
	if e.End > e.First {
		return fmt.Sprintf("%s: at byte %d: %s (events %d to %d)", e.File, e.Offset, e.Reason, e.First, e.End-1)
	}
	return fmt.Sprintf("%s: at byte %d: %s", e.File, e.Offset, e.Reason)
}

// segmentView is what readers may know of one segment at one moment. It is never changed.
type segmentView struct {
	Segment
	prevEnd  Seq   // from the header: one past the newest committed event of all earlier segments
	indexEnd int64 // the index's committed records end here; MaxInt64 of a sealed one, which ends with its seal record
	holes    bool
	stalled  bool   // of a followed one: behind indexEnd stands something that does not count, or not yet
	newest   Micros // when its newest batch was appended
	indexCRC uint32 // of a sealed one: what its seal says of the index before it
}

// eventsEnd is one past the newest event up to here. Of a segment that holds nothing but notes, First names the file and no event.
func (s *segmentView) eventsEnd() Seq {
	if s.End > s.First {
		return max(s.End, s.prevEnd)
	}
	return s.prevEnd
}

// logView is the whole log at one moment. It is never changed; closed shares its array with older and newer views.
type logView struct {
	closed []*segmentView // nothing more will be appended to them; all but those whose seal failed are sealed
	open   *segmentView   // nil: the next append makes one
	end    Seq            // one past the newest committed event
}

func (v *logView) len() int {
	if v.open != nil {
		return len(v.closed) + 1
	}
	return len(v.closed)
}

func (v *logView) at(i int) *segmentView {
	if i < len(v.closed) {
		return v.closed[i]
	}
	return v.open
}

// find returns the index of the last segment that starts at or below seq, or -1.
func (v *logView) find(seq Seq) int {
	if v.open != nil && v.open.First <= seq {
		return len(v.closed)
	}
	i, found := slices.BinarySearchFunc(v.closed, seq, func(s *segmentView, seq Seq) int { return int(min(1, max(-1, s.First-seq))) })
	if found {
		return i
	}
	return i - 1
}

// listSegments names the segments whose index, and those whose data file lies in raw/, each in the order of seq.
func listSegments(l Layout) (indexes, datas []Seq, err error) {
	entries, err := os.ReadDir(l.Raw())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, fmt.Errorf("list the raw segments: %w", err)
	}
	for _, entry := range entries {
		if digits, ok := strings.CutSuffix(entry.Name(), ".idx"); ok {
			indexes = appendSeq(indexes, digits)
		} else if digits, ok := strings.CutSuffix(entry.Name(), ".jsonl"); ok {
			datas = appendSeq(datas, digits)
		}
	}
	return indexes, datas, nil
}

func appendSeq(dst []Seq, digits string) []Seq {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || len(digits) != 20 || n < 1 {
		return dst // a foreign file: none of ours
	}
	return append(dst, Seq(n))
}

// segmentReader reads one segment's batches in order, joined where they touch, each checked.
type segmentReader struct {
	segment Seq
	index   *os.File
	data    *os.File
	off     int64  // in the index, of the next record
	buf     []byte // the index's bytes from off on, as far as they are read
	space   []byte // what buf is a part of
	parts   []record
	lines   []byte
}

func openReader(l Layout, first Seq) (*segmentReader, error) {
	s, err := openIndexReader(l, first)
	if err != nil {
		return nil, err
	}
	if s.data, err = os.Open(l.SegmentData(first)); err != nil {
		s.index.Close()
		return nil, fmt.Errorf("read raw segment: %w", err)
	}
	return s, nil
}

// openIndexReader opens a segment for its records alone.
func openIndexReader(l Layout, first Seq) (*segmentReader, error) {
	index, err := os.Open(l.SegmentIndex(first))
	if err != nil {
		return nil, fmt.Errorf("read raw segment: %w", err)
	}
	return &segmentReader{segment: first, index: index, off: headerSize}, nil
}

func (s *segmentReader) close() error {
	err := s.index.Close()
	if s.data != nil {
		err = errors.Join(err, s.data.Close())
	}
	return err
}

// indexReadBytes at a time: some 1,400 records, little enough to throw away when a reader stops early.
const indexReadBytes = 64 << 10

// peek returns the next record that ends at or before limit; io.EOF when there is none, or only the seal.
func (s *segmentReader) peek(limit int64) (record, int, error) {
	if s.off >= limit {
		return record{}, 0, io.EOF
	}
	r, size, ok := parseRecord(s.segment, s.buf)
	if !ok && len(s.buf) < recordSize+maxNote {
		if err := s.fill(limit); err != nil {
			return record{}, 0, err
		}
		r, size, ok = parseRecord(s.segment, s.buf)
	}
	switch {
	case !ok:
		return record{}, 0, &DamageError{File: s.index.Name(), Offset: s.off, Reason: "no index record"}
	case r.kind == kindSeal:
		return record{}, 0, io.EOF
	}
	return r, size, nil
}

// fill reads more of the index, behind what is left of buf.
func (s *segmentReader) fill(limit int64) error {
	if s.space == nil {
		s.space = make([]byte, indexReadBytes)
	}
	have := copy(s.space, s.buf)
	want := min(int64(len(s.space)), max(limit-s.off, int64(have)))
	n, err := s.index.ReadAt(s.space[have:want], s.off+int64(have))
	if err != nil && err != io.EOF {
		return fmt.Errorf("read raw index: %w", err)
	}
	s.buf = s.space[:have+n]
	return nil
}

func (s *segmentReader) advance(size int) {
	s.off += int64(size)
	s.buf = s.buf[size:]
}

// lineRun is a run of whole batches without a gap between them.
type lineRun struct {
	first Seq
	n     int
	at    Micros // of its first batch
	lines []byte // valid until the next call
}

// next returns the next batches that are not wholly below from and start below end, joined up to about maxBytes (one batch may be larger). Damaged
// ranges that the index knows are passed over. io.EOF: no more up to limit (index offset) and end.
func (s *segmentReader) next(limit int64, from, end Seq, maxBytes int64) (lineRun, error) {
	bytes, err := s.plan(limit, from, end, maxBytes)
	if err != nil {
		return lineRun{}, err
	}
	if s.lines, err = readRecords(s.data, s.parts, bytes, s.lines); err != nil {
		return lineRun{}, err
	}
	first, last := &s.parts[0], &s.parts[len(s.parts)-1]
	return lineRun{first: first.first, n: int(last.end() - first.first), at: first.at, lines: s.lines}, nil
}

// plan puts the batches that next would read, which are so many bytes, into s.parts.
func (s *segmentReader) plan(limit int64, from, end Seq, maxBytes int64) (int, error) {
	s.parts = s.parts[:0]
	var bytes int64
	for {
		r, size, err := s.peek(limit)
		if err == io.EOF || (err == nil && r.first >= end) {
			break
		}
		if err != nil {
			if len(s.parts) > 0 {
				break // hand out what is good; the next call meets it again
			}
			return 0, err
		}
		if n := len(s.parts); n > 0 {
			last := &s.parts[n-1]
			if r.kind != kindBatch || r.first != last.end() || r.start != last.dataEnd() || bytes+int64(r.length) > maxBytes {
				break
			}
		}
		s.advance(size)
		if r.kind == kindBatch && r.n > 0 && r.end() > from {
			r.note = nil
			s.parts = append(s.parts, r)
			bytes += int64(r.length)
		}
	}
	if len(s.parts) == 0 {
		return 0, io.EOF
	}
	return int(bytes), nil
}

// readRecords reads and checks the bytes of records that follow each other, which are so many, into buffer or a larger one.
func readRecords(data *os.File, parts []record, size int, buffer []byte) ([]byte, error) {
	lines := slices.Grow(buffer[:0], size)[:size]
	start := parts[0].start
	got, err := data.ReadAt(lines, start)
	if err != nil && err != io.EOF {
		return lines, fmt.Errorf("read raw segment: %w", err)
	}
	for i := range parts {
		r := &parts[i]
		from, to := int(r.start-start), int(r.dataEnd()-start)
		if to > got || crc32c(0, lines[from:to]) != r.crc {
			return lines, &DamageError{File: data.Name(), Offset: r.start, First: r.first, End: r.end(), Reason: "the checksum does not match"}
		}
	}
	return lines, nil
}

// spanBytes is how much readSegment and a tail join: large enough that a batch's fixed cost vanishes, small enough for the processor's cache.
const spanBytes = 1 << 20

// readSegment calls fn with the committed batches of s, up to s.End, in order and in runs of about 1 MiB: n lines whose seqs follow first without a
// gap. lines is valid during the call. A *DamageError names the file and the offset of bytes that are not what was acknowledged; repair then
// sets them aside.
func (r *rawLog) readSegment(s Segment, fn func(lines []byte, first Seq, n int) error) error {
	if s.End <= s.First {
		return nil
	}
	reader, err := openReader(r.layout, s.First)
	if err != nil {
		return err
	}
	defer reader.close()
	for seen := s.First; seen < s.End; {
		run, err := reader.next(math.MaxInt64, 0, s.End, spanBytes)
		if err == io.EOF {
			return nil
		}
		if damage := (*DamageError)(nil); errors.As(err, &damage) && damage.First == 0 {
			damage.First, damage.End = seen, s.End
		}
		if err != nil {
			return err
		}
		if err := fn(run.lines, run.first, run.n); err != nil {
			return err
		}
		seen = run.first + Seq(run.n)
	}
	return nil
}
