package lake

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// examined is what the two files of one segment say about it, after every batch's bytes were checked.
type examined struct {
	first     Seq
	header    header
	headerOK  bool
	records   []record // batches and holes in order; together they cover [first, end) and [0, dataEnd) without a gap
	fresh     []record // those holes that the index did not know yet
	end       Seq
	dataEnd   int64
	dataSize  int64
	index     []byte // the index file as it is
	indexEnd  int64  // where the seal belongs, unless rewrite
	rewrite   bool   // the index does not simply end behind its last good record
	lastGroup Seq    // events below it were acknowledged for certain
	seen      Seq    // one past the highest seq that any record names
	sealed    bool   // a seal record says where the segment ends
}

// examine reads a segment. A batch counts only if its index record and its bytes agree. Records at or above limit (0: none) were never acknowledged: the next
// segment's header says so. What is damaged becomes a hole if something valid lies behind it, or if it was acknowledged for certain: a later group
// is begun only when the one before is durable, and a seal only when all are. The rest is a torn tail, which is not in records.
func examine(l Layout, first, limit Seq) (*examined, error) {
	index, err := os.ReadFile(l.SegmentIndex(first))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	x := &examined{first: first, end: first, seen: first, lastGroup: first, index: index, indexEnd: headerSize}
	x.header, err = parseHeader(first, index)
	if errors.Is(err, ErrNewer) {
		return nil, fmt.Errorf("%s: %w", l.SegmentIndex(first), err)
	}
	x.headerOK = err == nil
	check, err := openChecker(l.SegmentData(first))
	if err != nil {
		return nil, err
	}
	defer check.close()
	x.dataSize = check.size
	s := scanRecords(first, index)
	x.sealed = s.seal != nil
	x.rewrite = s.skipped || !x.headerOK
	if err := x.weigh(s, limit, check); err != nil {
		return nil, err
	}
	return x, nil
}

// weigh decides for each record that the index holds whether it counts.
func (x *examined) weigh(s scanned, limit Seq, check *checker) error {
	certain := 0 // records before this one are acknowledged for certain
	for i := range s.records {
		x.seen = max(x.seen, s.records[i].end())
		if s.records[i].kind == kindBatch && s.records[i].flags&flagGroup != 0 && (limit == 0 || s.records[i].first < limit) {
			certain, x.lastGroup = i, s.records[i].first
		}
	}
	if x.sealed {
		certain, x.lastGroup, x.seen = len(s.records), max(x.first, s.seal.first), max(x.seen, s.seal.first)
	}
	lostEnd, lostData := x.end, x.dataEnd
	for i := range s.records {
		r := &s.records[i]
		if r.uncounted(x.first, limit) {
			break
		}
		if (r.n == 0 && !r.bare()) || r.first < x.end || r.start < x.dataEnd || (r.first == x.end && r.start != x.dataEnd) {
			x.rewrite = true // contradicts the records before it
			continue
		}
		good, err := check.good(r)
		if err != nil {
			return err
		}
		if good {
			x.hole(r.first, r.start)
			x.records = append(x.records, *r)
			x.end, x.dataEnd = r.end(), r.dataEnd()
			x.indexEnd += int64(recordSize + len(r.note))
		} else if i < certain {
			lostEnd, lostData = r.end(), r.dataEnd()
		}
	}
	if x.sealed && (limit == 0 || s.seal.first <= limit) {
		lostEnd, lostData = s.seal.first, s.seal.start
	}
	x.hole(lostEnd, max(lostData, x.dataEnd))
	return nil
}

// hole notes that what lies between the last good record and here is damaged, if anything does.
func (x *examined) hole(end Seq, dataEnd int64) {
	if end <= x.end {
		return
	}
	for x.end < end { // a record counts up to 32 bits of each
		n, length := min(end-x.end, math.MaxUint32), min(dataEnd-x.dataEnd, math.MaxUint32)
		h := record{kind: kindHole, n: uint32(n), first: x.end, start: x.dataEnd, length: uint32(length)}
		if h.first >= x.lastGroup {
			h.flags = flagDoubt
		}
		x.records, x.fresh = append(x.records, h), append(x.fresh, h)
		x.end, x.dataEnd = h.end(), h.dataEnd()
	}
	x.dataEnd = dataEnd
	x.rewrite = true
}

// events counts the readable ones.
func (x *examined) events() (n int64) {
	for i := range x.records {
		if x.records[i].kind == kindBatch {
			n += int64(x.records[i].n)
		}
	}
	return n
}

// times are those of the first and the newest batch.
func (x *examined) times() (started, newest Micros) {
	for i := range x.records {
		if r := &x.records[i]; r.kind == kindBatch {
			if started == 0 {
				started = r.at
			}
			newest = max(newest, r.at)
		}
	}
	if started == 0 {
		started = x.header.started
	}
	return started, newest
}

func (x *examined) hasHoles() bool {
	for i := range x.records {
		if x.records[i].kind == kindHole {
			return true
		}
	}
	return false
}

// checker compares a data file's bytes with records whose starts ascend. It reads the file once, in large pieces.
type checker struct {
	file *os.File // nil: there is no file
	size int64
	buf  []byte
	off  int64 // of buf in the file
}

// checkReadBytes at a time: large enough for the disk, small enough for the processor's cache.
const checkReadBytes = 1 << 20

func openChecker(path string) (*checker, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return &checker{}, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &checker{file: f, size: info.Size()}, nil
}

func (c *checker) close() {
	if c.file != nil {
		c.file.Close() // only read
	}
}

// good says whether the bytes that r speaks of are there and have its checksum. A hole is always good.
func (c *checker) good(r *record) (bool, error) {
	if r.kind == kindHole {
		return true, nil
	}
	if r.dataEnd() > c.size {
		return false, nil
	}
	var crc uint32
	for at := r.start; at < r.dataEnd(); {
		if at < c.off || at >= c.off+int64(len(c.buf)) {
			if err := c.read(at); err != nil {
				return false, err
			}
		}
		p := c.buf[at-c.off:]
		p = p[:min(int64(len(p)), r.dataEnd()-at)]
		crc = crc32c(crc, p)
		at += int64(len(p))
	}
	return crc == r.crc, nil
}

func (c *checker) read(at int64) error {
	if c.buf == nil {
		c.buf = make([]byte, checkReadBytes)
	}
	c.buf = c.buf[:cap(c.buf)]
	n, err := c.file.ReadAt(c.buf, at)
	if n == 0 {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // it was long enough a moment ago
		}
		return fmt.Errorf("check %s at byte %d: %w", c.file.Name(), at, err)
	}
	c.buf, c.off = c.buf[:n], at
	return nil
}
