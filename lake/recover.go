package lake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// deepBytes of the newest sealed data have their whole index checked when the log is opened; of older segments only the header and the seal. It
// covers what may be unconverted (Config.HotLimit), and keeps the opening of a lake with years of raw segments fast.
const deepBytes = 4 << 30

// recovery is the owner's opening of the log: it repairs and seals what a crash left behind.
type recovery struct {
	layout   Layout
	disk     Disk
	segments []*segmentView
	damage   []string
	end      Seq // one past the newest event that counts
	next     Seq // what the next segment may start at
}

// recoverLog makes every segment in raw/ sealed and readable. It may be interrupted at any point and run again.
func recoverLog(l Layout, d Disk) (*recovery, error) {
	indexes, datas, err := listSegments(l)
	if err != nil {
		return nil, err
	}
	firsts := slices.Compact(slices.Sorted(slices.Values(slices.Concat(indexes, datas))))
	rec := &recovery{layout: l, disk: d, end: 1, next: 1}
	headers := make([]*header, len(firsts))
	sizes := make([]int64, len(firsts))
	for i, first := range firsts {
		if headers[i], err = readHeader(l, first); err != nil {
			return nil, err // a newer format: nothing was changed
		}
	}
	if err := redoJournal(l, d); err != nil {
		return nil, err
	}
	if err := rec.removeLitter(); err != nil {
		return nil, err
	}
	for i, first := range firsts {
		if info, err := os.Stat(l.SegmentData(first)); err == nil {
			sizes[i] = info.Size()
		}
	}
	newer := int64(0)
	deep := make([]bool, len(firsts))
	for i := len(firsts) - 1; i >= 0; i-- {
		deep[i] = newer < deepBytes
		newer += sizes[i]
	}
	for i, first := range firsts {
		var limit Seq
		if next := slices.IndexFunc(headers[i+1:], func(h *header) bool { return h != nil }); next >= 0 {
			limit = headers[i+1+next].prevEnd
		}
		if err := rec.segment(first, limit, sizes[i], deep[i]); err != nil {
			return nil, fmt.Errorf("recover %s: %w", l.SegmentData(first), err)
		}
	}
	rec.next = max(rec.next, rec.end)
	return rec, nil
}

// readHeader answers nil for a header that is missing or damaged. The error wraps ErrNewer or is the operating system's.
func readHeader(l Layout, first Seq) (*header, error) {
	f, err := os.Open(l.SegmentIndex(first))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var p [headerSize]byte
	n, _ := f.ReadAt(p[:], 0) // what cannot be read counts as damaged, and examine meets the error
	h, err := parseHeader(first, p[:n])
	if errors.Is(err, ErrNewer) {
		return nil, fmt.Errorf("%s: %w", l.SegmentIndex(first), err)
	}
	if err != nil {
		return nil, nil
	}
	return &h, nil
}

// newSuffix marks an index in the making.
const newSuffix = ".new"

func (rec *recovery) removeLitter() error {
	entries, err := os.ReadDir(rec.layout.Raw())
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".idx"+newSuffix) || entry.Name() == "journal"+newSuffix {
			if err := rec.disk.Remove(filepath.Join(rec.layout.Raw(), entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// segment takes one segment over: as it is if its seal is sound, else repaired.
func (rec *recovery) segment(first, limit Seq, size int64, deep bool) error {
	view, holes, err := loadSealed(rec.layout, first, size, deep)
	if err != nil {
		return err
	}
	if view != nil {
		for i := range holes {
			rec.damage = append(rec.damage, rec.holeName(first, &holes[i]))
		}
		if size > view.Bytes {
			rec.damage = append(rec.damage, fmt.Sprintf("%s: %d foreign bytes behind its end, from byte %d on; they are never read",
				rec.layout.SegmentData(first), size-view.Bytes, view.Bytes))
		}
		rec.add(view)
		return nil
	}
	x, err := examine(rec.layout, first, limit)
	if err != nil {
		return err
	}
	rec.next = max(rec.next, x.seen+seqJump)
	if len(x.records) > 0 {
		return rec.repair(x)
	}
	if x.dataSize > groupBytes || (x.dataSize > 0 && !x.headerOK) {
		return rec.lost(x)
	}
	return removeSegment(rec.disk, rec.layout.SegmentData(first), rec.layout.SegmentIndex(first))
}

func (rec *recovery) add(view *segmentView) {
	rec.segments = append(rec.segments, view)
	rec.end = max(rec.end, view.eventsEnd())
	rec.next = max(rec.next, view.First+1) // its name is taken also when it holds nothing but notes
}

// loadSealed answers the view of a segment whose seal is sound, and its holes; nil when it is not sealed, or not soundly. deep: every index record is vouched for too.
func loadSealed(l Layout, first Seq, dataSize int64, deep bool) (*segmentView, []record, error) {
	f, err := os.Open(l.SegmentIndex(first))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.Size() < headerSize+recordSize {
		return nil, nil, nil
	}
	head, tail := make([]byte, headerSize), make([]byte, recordSize)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, nil, err
	}
	if _, err := f.ReadAt(tail, info.Size()-recordSize); err != nil {
		return nil, nil, err
	}
	h, err := parseHeader(first, head)
	seal, ok := parseSeal(first, tail)
	if err != nil || !ok || seal.start > dataSize {
		return nil, nil, nil
	}
	var holes []record
	if deep || seal.flags&flagHoles != 0 {
		p, err := os.ReadFile(l.SegmentIndex(first))
		if err != nil {
			return nil, nil, err
		}
		if len(p) < recordSize || crc32c(0, p[:len(p)-recordSize]) != seal.crc {
			return nil, nil, nil
		}
		if seal.flags&flagHoles != 0 {
			holes = slices.DeleteFunc(scanRecords(first, p).records, func(r record) bool { return r.kind != kindHole })
		}
	}
	return &segmentView{
		Segment: Segment{First: first, End: seal.first, Events: int64(seal.n), Bytes: seal.start, Sealed: true, Started: h.started.Time()},
		prevEnd: h.prevEnd, indexEnd: math.MaxInt64, newest: seal.at, holes: seal.flags&flagHoles != 0, indexCRC: seal.crc,
	}, holes, nil
}

// lost names a data file whose index is gone, and keeps its seqs from being used again. The file stays where it is.
func (rec *recovery) lost(x *examined) error {
	path := rec.layout.SegmentData(x.first)
	lines, err := countLines(path)
	if err != nil {
		return err
	}
	rec.next = max(rec.next, x.first+Seq(lines)+seqJump)
	rec.damage = append(rec.damage, fmt.Sprintf("%s: its index does not know its %d lines, so they are not part of the lake; import the file to have them again", path, lines))
	return nil
}

func countLines(path string) (n int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for p := make([]byte, checkReadBytes); ; {
		got, err := f.Read(p)
		n += bytes.Count(p[:got], []byte{'\n'})
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// repair cuts the segment to what counts, sets damaged bytes aside, seals it and takes it over.
func (rec *recovery) repair(x *examined) error {
	data, index := rec.layout.SegmentData(x.first), rec.layout.SegmentIndex(x.first)
	if x.dataSize > x.dataEnd && x.dataSize-x.dataEnd > groupBytes {
		name, err := rec.setAside(x.first, data, x.dataEnd, x.dataSize)
		if err != nil {
			return err
		}
		rec.damage = append(rec.damage, fmt.Sprintf("%s: %d bytes from byte %d on had no sound index record and were cut; kept in %s", data, x.dataSize-x.dataEnd, x.dataEnd, name))
	}
	for i := range x.fresh {
		h := &x.fresh[i]
		if _, err := rec.setAside(x.first, data, h.start, h.dataEnd()); err != nil {
			return err
		}
	}
	if x.dataSize > 0 {
		if err := cutFile(rec.disk, data, min(x.dataEnd, x.dataSize), nil); err != nil {
			return err
		}
	}
	view, seal := x.view(rec.end)
	if x.rewrite {
		if _, err := rec.setAside(x.first, index, 0, int64(len(x.index))); err != nil {
			return err
		}
		if err := rec.rewriteIndex(x, view, seal); err != nil {
			return err
		}
	} else {
		seal.crc = crc32c(0, x.index[:x.indexEnd])
		view.indexCRC = seal.crc
		if err := cutFile(rec.disk, index, x.indexEnd, appendRecord(nil, x.first, seal)); err != nil {
			return err
		}
	}
	for i := range x.records {
		if h := &x.records[i]; h.kind == kindHole {
			rec.damage = append(rec.damage, rec.holeName(x.first, h))
		}
	}
	rec.add(view)
	return nil
}

// view is the segment as it will be once sealed, and its seal record without the checksum. prevEnd is used when the header is damaged.
func (x *examined) view(prevEnd Seq) (*segmentView, *record) {
	started, newest := x.times()
	if x.headerOK {
		prevEnd = x.header.prevEnd
	}
	view := &segmentView{
		Segment: Segment{First: x.first, End: x.end, Events: x.events(), Bytes: min(x.dataEnd, x.dataSize), Sealed: true, Started: started.Time()},
		prevEnd: prevEnd, indexEnd: math.MaxInt64, newest: newest, holes: x.hasHoles(),
	}
	seal := &record{kind: kindSeal, n: uint32(view.Events), first: x.end, start: view.Bytes, at: newest}
	if view.holes {
		seal.flags = flagHoles
	}
	return view, seal
}

// rewriteIndex replaces the index by one that holds x's records and the seal.
func (rec *recovery) rewriteIndex(x *examined, view *segmentView, seal *record) error {
	p := appendHeader(nil, header{first: x.first, prevEnd: view.prevEnd, started: MicrosOf(view.Started)})
	for i := range x.records {
		p = appendRecord(p, x.first, &x.records[i])
	}
	seal.crc = crc32c(0, p)
	view.indexCRC = seal.crc
	p = appendRecord(p, x.first, seal)
	path := rec.layout.SegmentIndex(x.first)
	if err := writeNew(rec.disk, path+newSuffix, p); err != nil {
		return err
	}
	if err := rec.disk.Rename(path+newSuffix, path); err != nil {
		return err
	}
	return rec.disk.SyncDir(rec.layout.Raw())
}

// writeNew writes and syncs a file, in place of an older one that an interrupted attempt may have left.
func writeNew(d Disk, path string, p []byte) error {
	if err := removeIfThere(d, path); err != nil {
		return err
	}
	f, err := d.Create(path)
	if err != nil {
		return err
	}
	if _, err = f.Write(p); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// holeName is the sentence that names a damaged range.
func (rec *recovery) holeName(first Seq, h *record) string {
	doubt := ""
	if h.flags&flagDoubt != 0 {
		doubt = ", perhaps never acknowledged"
	}
	return fmt.Sprintf("%s: events %d to %d are damaged (bytes %d to %d%s); what was there is kept in %s", rec.layout.SegmentData(first),
		h.first, h.end()-1, h.start, h.dataEnd(), doubt, rec.asidePath(rec.layout.SegmentData(first), h.start))
}

func (rec *recovery) asidePath(path string, start int64) string {
	return filepath.Join(rec.layout.Quarantine(), fmt.Sprintf("%s-at-%d", filepath.Base(path), start))
}

// setAside copies bytes of a file, as far as they are there, to quarantine/, durably.
func (rec *recovery) setAside(first Seq, path string, start, end int64) (string, error) {
	p, err := readRange(path, start, end)
	if err != nil {
		return "", err
	}
	if err := rec.disk.MkdirAll(rec.layout.Quarantine()); err != nil {
		return "", err
	}
	name := rec.asidePath(path, start)
	if err := writeNew(rec.disk, name, p); err != nil {
		return "", fmt.Errorf("set damaged bytes aside: %w", err)
	}
	return name, rec.disk.SyncDir(rec.layout.Quarantine())
}

// readRange reads the bytes [start, end) of a file; fewer when it is shorter or gone.
func readRange(path string, start, end int64) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p := make([]byte, max(0, min(end, info.Size())-start))
	n, err := f.ReadAt(p, start)
	if n == len(p) {
		err = nil
	}
	return p[:n], err
}
