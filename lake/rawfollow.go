package lake

import (
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"time"
)

// follower builds the view of a log that another process writes, from the files alone. The writer writes data before its index record, and a segment's
// header before its name is known, so what parses is there. What a power cut tore is told by the checksums, which are compared when a segment is first
// met and as long as something in it does not count; other records come from a living writer.
type follower struct {
	mu       sync.Mutex
	view     *logView
	listed   []Seq
	listedAt time.Time // before the folder was read
	modified time.Time // of the folder
}

// racy: a folder that changed this shortly before it was read may have changed again with the same time stamp, so it is read again.
const racy = 100 * time.Millisecond

func (f *follower) latest() *logView {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.view == nil {
		return &logView{end: 1}
	}
	return f.view
}

// refresh looks at the files and answers the view of now; the same as before when nothing has changed.
func (f *follower) refresh(l Layout) (*logView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	changed, err := f.list(l)
	if err != nil {
		return nil, err
	}
	known := f.view
	if known == nil {
		known, changed = &logView{}, true
	}
	v := &logView{end: 1, closed: make([]*segmentView, 0, len(f.listed))}
	for _, first := range f.listed {
		var s *segmentView
		if i := known.find(first); i >= 0 && known.at(i).First == first {
			s = known.at(i)
		}
		if s == nil || !s.Sealed {
			prior := s
			if s, err = followSegment(l, first, prior, 0); err != nil {
				return nil, err
			}
			changed = changed || s != prior
		}
		if s != nil {
			v.closed = append(v.closed, s)
		}
	}
	if !changed {
		return known, nil
	}
	if err := v.settle(l); err != nil {
		return nil, err
	}
	f.view = v
	return v, nil
}

// settle cuts each unsealed segment to what the next one's header lets count, and computes the end.
func (v *logView) settle(l Layout) error {
	for i, s := range v.closed {
		if i+1 < len(v.closed) && v.closed[i+1].prevEnd < s.End && !s.Sealed {
			cut, err := followSegment(l, s.First, nil, v.closed[i+1].prevEnd)
			if err != nil {
				return err
			}
			if cut != nil {
				v.closed[i] = cut
			}
		}
		v.end = max(v.end, v.closed[i].eventsEnd())
	}
	return nil
}

// list reads the folder, if it may have changed. It answers whether it did read it.
func (f *follower) list(l Layout) (bool, error) {
	info, err := os.Stat(l.Raw())
	if errors.Is(err, os.ErrNotExist) {
		changed := len(f.listed) > 0
		f.listed = nil
		return changed, nil
	}
	if err != nil {
		return false, fmt.Errorf("follow the raw log: %w", err)
	}
	if info.ModTime().Equal(f.modified) && f.listedAt.Sub(f.modified) > racy {
		return false, nil
	}
	now := time.Now() // beside the file system's clock, not the lake's
	indexes, _, err := listSegments(l)
	if err != nil {
		return false, err
	}
	f.listed, f.listedAt, f.modified = indexes, now, info.ModTime()
	return true, nil
}

// followSegment reads what is new in a segment since prior (nil: everything, with the data's checksums). It answers nil for one that is not there,
// or not yet. Records at or above limit (0: none) do not count.
func followSegment(l Layout, first Seq, prior *segmentView, limit Seq) (*segmentView, error) {
	check, err := openChecker(l.SegmentData(first))
	if err != nil {
		return nil, err
	}
	defer check.close()
	sealed, _, err := loadSealed(l, first, check.size, false)
	if err != nil || sealed != nil {
		return sealed, ignoreMissing(err)
	}
	from := int64(0)
	if prior != nil {
		from = prior.indexEnd - 1 // one byte that was there
	}
	p, err := readRange(l.SegmentIndex(first), from, math.MaxInt64)
	switch {
	case err != nil:
		return nil, err
	case prior != nil && len(p) == 0: // shorter than it was: recovery is at work
		return followSegment(l, first, nil, limit)
	case prior != nil:
		return prior.extend(p[1:], limit, check, prior.stalled)
	}
	h, err := parseHeader(first, p)
	if errors.Is(err, ErrNewer) {
		return nil, fmt.Errorf("%s: %w", l.SegmentIndex(first), err)
	}
	if err != nil {
		return nil, nil
	}
	empty := &segmentView{Segment: Segment{First: first, End: first, Started: h.started.Time()}, prevEnd: h.prevEnd, indexEnd: headerSize}
	return empty.extend(p[headerSize:], limit, check, true)
}

// extend answers s with the records of p, the index's bytes from s.indexEnd on, as far as they are whole.
func (s *segmentView) extend(p []byte, limit Seq, check *checker, checksums bool) (*segmentView, error) {
	longer := *s
	for {
		r, size, ok := parseRecord(s.First, p)
		if !ok || r.kind != kindBatch || r.first != longer.End || r.start != longer.Bytes || r.dataEnd() > check.size || r.uncounted(s.First, limit) {
			break
		}
		if checksums {
			good, err := check.good(&r)
			if err != nil {
				return nil, err
			}
			if !good {
				break
			}
		}
		if longer.indexEnd == headerSize {
			longer.Started = r.at.Time() // the file may have been made long before
		}
		longer.End, longer.Bytes, longer.newest = r.end(), r.dataEnd(), max(longer.newest, r.at)
		longer.Events += int64(r.n)
		longer.indexEnd += int64(size)
		p = p[size:]
	}
	longer.stalled = len(p) > 0
	if longer.indexEnd == s.indexEnd && longer.stalled == s.stalled {
		return s, nil
	}
	return &longer, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
