package lake

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// sideFiles keeps the side files of the segments: it writes one when a segment is sealed, reads them when the log is opened, and removes those that
// nobody needs any more. Nothing depends on them, so their troubles are nobody's: what is missing is made from the segment again.
type sideFiles struct {
	layout Layout
	disk   Disk
	now    func() time.Time
	limit  int      // of the window; 0: events are not compared
	secret *hashKey // nil when limit is 0
	kept   []keptSide
}

// keptSide is a side file that is there.
type keptSide struct {
	first  Seq
	keys   int
	newest Micros // of its segment
}

// sideNotesKept is how long a side file stays for its notes alone: twice the 24 hours for which keys of requests are remembered.
const sideNotesKept = Micros(48 * 60 * 60 * 1e6)

// write writes the side file of a segment.
func (f *sideFiles) write(s *segmentView, keys []eventKey, notes *sideNotes) {
	path := f.layout.SegmentSide(s.First)
	file, err := f.disk.Create(path)
	if errors.Is(err, os.ErrExist) && f.disk.Remove(path) == nil {
		file, err = f.disk.Create(path)
	}
	if err != nil {
		return
	}
	_, err = file.Write(makeSideFile(s, f.secret, keys, notes))
	if errors.Join(err, file.Close()) != nil {
		f.disk.Remove(path) // half a file is passed over anyway
		return
	}
	f.kept = append(f.kept, keptSide{first: s.First, keys: len(keys), newest: s.newest})
}

// trim removes the side files that lie outside the window and whose notes are old.
func (f *sideFiles) trim() {
	newer, old := 0, MicrosOf(f.now())-sideNotesKept
	for i := len(f.kept) - 1; i >= 0; i-- {
		if side := &f.kept[i]; newer >= f.limit && side.newest < old {
			f.disk.Remove(f.layout.SegmentSide(side.first))
			f.kept = slices.Delete(f.kept, i, i+1)
		} else {
			newer += side.keys
		}
	}
}

// load fills the window with the events of the segments, and answers it. An error names a segment that could not be read.
func (f *sideFiles) load(segments []*segmentView) (*window, error) {
	w := newWindow(f.limit, groupEvents)
	f.removeStrange(segments)
	if f.limit > 0 {
		f.secret = chooseSecret(f.layout, segments)
	}
	var parts [][]eventKey
	var errs []error
	for i, n := len(segments)-1, 0; i >= 0; i-- {
		if n >= f.limit {
			f.keepForNotes(segments[i])
			continue
		}
		keys, err := f.keysOf(segments[i])
		if err != nil {
			errs = append(errs, err)
		}
		parts, n = append(parts, keys), n+len(keys)
	}
	slices.SortFunc(f.kept, func(a, b keptSide) int { return cmp.Compare(a.first, b.first) })
	f.trim()
	for _, keys := range slices.Backward(parts) {
		for len(keys) > 0 {
			some := keys[:min(touchAhead, len(keys))]
			w.touch(some)
			for _, k := range some {
				w.restore(k)
			}
			keys = keys[len(some):]
		}
	}
	if len(w.ring) > ringMany {
		parts = nil
		runtime.GC() // a few milliseconds: what was read is as large as the window, and would lie beside a conversion's memory for long
	}
	return w, errors.Join(errs...)
}

// keepForNotes notes that a segment outside the window has a side file, if it has one.
func (f *sideFiles) keepForNotes(s *segmentView) {
	if _, err := os.Lstat(f.layout.SegmentSide(s.First)); err == nil {
		f.kept = append(f.kept, keptSide{first: s.First, newest: s.newest})
	}
}

// removeStrange removes the side files of segments that are not there.
func (f *sideFiles) removeStrange(segments []*segmentView) {
	entries, err := os.ReadDir(f.layout.Window())
	if err != nil {
		return
	}
	for _, entry := range entries {
		digits, ours := strings.CutSuffix(entry.Name(), sideSuffix)
		if first := appendSeq(nil, digits); ours && len(first) == 1 {
			_, found := slices.BinarySearchFunc(segments, first[0], func(s *segmentView, seq Seq) int { return cmp.Compare(s.First, seq) })
			if !found {
				f.disk.Remove(filepath.Join(f.layout.Window(), entry.Name()))
			}
		}
	}
}

// chooseSecret takes the secret of the newest side file, so that it and the older ones are of use; where there is none, it draws one.
func chooseSecret(l Layout, segments []*segmentView) *hashKey {
	for _, s := range slices.Backward(segments) {
		if side := openSideFile(l, s); side != nil {
			side.close()
			if side.flags&flagKeys != 0 {
				return &side.secret
			}
		}
	}
	secret := new(hashKey)
	rand.Read(secret[:]) // never fails
	return secret
}

// keysOf answers the keys of one segment: from its side file, or from its lines. Then a new side file saves the next opening the work.
func (f *sideFiles) keysOf(s *segmentView) ([]eventKey, error) {
	if side := openSideFile(f.layout, s); side != nil {
		defer side.close()
		if keys, ok := side.readKeys(f.secret); ok {
			f.kept = append(f.kept, keptSide{first: s.First, keys: len(keys), newest: s.newest})
			return keys, nil
		}
	}
	keys, whole, err := scanKeys(f.layout, s, f.secret)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // recovery has named it
	}
	if err != nil {
		return keys, fmt.Errorf("%s: some of its events cannot be compared with new ones: %w", f.layout.SegmentData(s.First), err)
	}
	if whole {
		var notes sideNotes
		if readNotes(f.layout, s, math.MinInt64, func(e *noteEntry) error { notes.add(e); return nil }) == nil {
			f.write(s, keys, &notes)
		}
	}
	return keys, nil
}

// scanKeys hashes the lines of a segment, with all cores. Which of its events came with an id of the sender's is not written in them, so each has its
// key. Damaged batches are passed over, as nobody can tell what they were; whole says that there were none.
func scanKeys(l Layout, s *segmentView, secret *hashKey) (keys []eventKey, whole bool, err error) {
	reader, err := openReader(l, s.First)
	if err != nil {
		return nil, false, err
	}
	defer reader.close()
	h := startHashing(secret)
	whole = true
	for {
		run, err := reader.next(s.indexEnd, 0, s.End, spanBytes)
		damage := (*DamageError)(nil)
		switch {
		case err == nil:
			h.full <- chunk{lines: run.lines, first: run.first, n: run.n}
			reader.lines = <-h.empty // the others are being hashed
			continue
		case errors.As(err, &damage):
			whole, err = false, nil
			if damage.End > damage.First {
				continue // the reader is past it
			}
		case err == io.EOF:
			err = nil
		}
		return h.keys(), whole && err == nil, err
	}
}

// chunk is lines on their way to a worker.
type chunk struct {
	lines []byte
	first Seq
	n     int
}

// hashing is one goroutine a core that hashes lines.
type hashing struct {
	full  chan chunk
	empty chan []byte // room for the lines of the next chunk
	wg    sync.WaitGroup
	done  [][]hashed // by goroutine
}

// hashed are the keys of a chunk.
type hashed struct {
	first Seq
	keys  []eventKey
}

func startHashing(secret *hashKey) *hashing {
	workers := Processors()
	h := &hashing{full: make(chan chunk), empty: make(chan []byte, workers), done: make([][]hashed, workers)}
	for range workers {
		h.empty <- nil
	}
	for i := range workers {
		h.wg.Go(func() {
			k := keyer{secret: secret}
			for c := range h.full {
				h.done[i] = append(h.done[i], hashed{c.first, k.lines(make([]eventKey, 0, c.n), c.lines)})
				h.empty <- c.lines
			}
		})
	}
	return h
}

// keys waits for the rest and answers all keys in the order of seq.
func (h *hashing) keys() []eventKey {
	close(h.full)
	h.wg.Wait()
	parts := slices.Concat(h.done...)
	slices.SortFunc(parts, func(a, b hashed) int { return cmp.Compare(a.first, b.first) })
	var keys []eventKey
	for _, p := range parts {
		keys = append(keys, p.keys...)
	}
	return keys
}
