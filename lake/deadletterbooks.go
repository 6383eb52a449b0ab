package lake

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// deadBooks are what the files of the dead zone say, taken in line by line.
type deadBooks struct {
	files []deadFile // in order; all but the last have nothing more to come
	live  seqRanges  // the IDs of the letters that count
	next  int64      // above every ID that was seen
	deadDrop
}

// deadFile is one file of the zone.
type deadFile struct {
	name    int64 // no letter in it has a smaller ID
	end     int64 // of its first line; 0: that one is not sound
	size    int64 // up to the end of the last sound line
	sound   bool  // it holds a sound line
	doubt   int64 // lines behind size that are not sound: damage only once a sound one follows
	damaged int64
}

// kept counts the letters from an ID on and below another.
func (b *deadBooks) kept(from, to int64) (n int64) {
	i, _ := slices.BinarySearchFunc(b.live, Seq(from), func(r seqRange, s Seq) int {
		if r.End <= s {
			return -1
		}
		return 1
	})
	for _, r := range b.live[i:] {
		if r.First >= Seq(to) {
			break
		}
		n += int64(min(r.End, Seq(to)) - max(r.First, Seq(from)))
	}
	return n
}

// upTo is the smallest ID that a later file than files[i] may hold.
func (b *deadBooks) upTo(i int) int64 {
	if i+1 < len(b.files) {
		return b.files[i+1].name
	}
	return b.next
}

// status sums up.
func (b *deadBooks) status() DeadStatus {
	s := DeadStatus{Kept: b.kept(0, b.next), Dropped: b.Dropped}
	for i := range b.files {
		s.Bytes += b.files[i].size
		s.Damaged += b.files[i].damaged
	}
	return s
}

// take takes in the next line of a file, its newline included. An error wraps ErrNewer.
func (b *deadBooks) take(f *deadFile, line []byte) error {
	if len(line) == 1 {
		return nil
	}
	if !soundLine(line) {
		f.doubt++
		return nil
	}
	f.damaged, f.doubt, f.sound = f.damaged+f.doubt, 0, true
	if id, ok := letterID(line); ok {
		if n := len(b.live); id >= b.Below && (n == 0 || Seq(id) >= b.live[n-1].End) {
			b.live = b.live.add(Seq(id), Seq(id)+1)
		}
		b.next = max(b.next, id+1)
		return nil
	}
	var r deadRecord
	if err := json.Unmarshal(line, &r); err != nil {
		return nil // sound and yet not for us
	}
	switch {
	case r.Dead != nil:
		if r.Dead.Format > deadFormat {
			return fmt.Errorf("format %d, this release reads up to %d: %w", r.Dead.Format, deadFormat, ErrNewer)
		}
		f.end = r.Dead.End
		b.next = max(b.next, r.Dead.First)
		if r.Dead.End < r.Dead.First {
			b.live = b.live.without(seqRanges{{Seq(r.Dead.End), Seq(r.Dead.First)}})
		}
		b.drop(r.Dead.deadDrop)
	case r.Drop != nil:
		b.drop(*r.Drop)
	case r.State != "":
		gone := make(seqRanges, 0, len(r.IDs))
		for _, ids := range r.IDs {
			gone = append(gone, seqRange{Seq(ids[0]), Seq(ids[1]) + 1})
		}
		b.live = b.live.without(gone)
	}
	return nil
}

func (b *deadBooks) drop(d deadDrop) {
	b.deadDrop = d
	b.live = b.live.from(Seq(d.Below))
}

// wrote takes in what was written to a file.
func (b *deadBooks) wrote(t deadTarget, p []byte) error {
	if t.fresh {
		b.files = append(b.files, deadFile{name: t.name})
	}
	f := &b.files[len(b.files)-1]
	for line := range bytes.Lines(p) {
		if err := b.take(f, line); err != nil {
			return err
		}
	}
	f.size += int64(len(p))
	return nil
}

// excess answers the ID below which letters have to go, whole files of them, so that there is room for more bytes in the current file.
func (b *deadBooks) excess(more, limit, current int64) int64 {
	below := b.Below
	total := more
	for i := range b.files {
		if b.upTo(i) > b.Below {
			total += b.files[i].size
		}
	}
	for i := range b.files {
		if total <= limit || b.files[i].name >= current {
			break
		}
		if to := b.upTo(i); to > below {
			total -= b.files[i].size
			below = to
		}
	}
	return below
}

// listDead names the files of the zone in order.
func listDead(l Layout) ([]int64, error) {
	entries, err := os.ReadDir(l.Dead())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []int64
	for _, entry := range entries {
		digits, ok := strings.CutSuffix(entry.Name(), ".jsonl")
		if n, err := strconv.ParseInt(digits, 10, 64); ok && err == nil && len(digits) == 20 && n > 0 {
			names = append(names, n) // ReadDir sorts, and all have the same width
		}
	}
	return names, nil
}

// refresh takes in what the files have gained. What does not fit what it knew begins anew.
func (b *deadBooks) refresh(l Layout) error {
	names, err := listDead(l)
	if err != nil {
		return err
	}
	if n := len(b.files); n > 0 {
		last := b.files[n-1]
		b.files = slices.DeleteFunc(b.files, func(f deadFile) bool {
			_, there := slices.BinarySearch(names, f.name)
			return !there
		})
		known := len(b.files)
		info, err := os.Stat(l.DeadFile(last.name))
		if err != nil || info.Size() < last.size || known == 0 || names[known-1] != last.name {
			*b = deadBooks{}
		}
	}
	for i, name := range names {
		if i >= len(b.files) {
			b.files = append(b.files, deadFile{name: name})
			b.next = max(b.next, name+1)
		}
		if i < len(b.files)-1 {
			continue // nothing more comes to it
		}
		if err := b.read(l.DeadFile(name), &b.files[i]); err != nil {
			return fmt.Errorf("%s: %w", l.DeadFile(name), err)
		}
	}
	return nil
}

// read takes in a file from where it was left. A file that is gone meanwhile held nothing that counts any more.
func (b *deadBooks) read(path string, f *deadFile) error {
	in, err := os.Open(path)
	if err != nil {
		return ignoreMissing(err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	f.doubt = 0
	at := f.size
	return eachLine(io.NewSectionReader(in, at, info.Size()-at), func(line []byte) error {
		at += int64(len(line))
		err := b.take(f, line)
		if f.doubt == 0 {
			f.size = at
		}
		return err
	})
}

// eachLine calls fn with each line, its newline included; one that is longer than any of ours comes in pieces. What stands behind the last
// newline is left out: it is being written, or was cut off.
func eachLine(in *io.SectionReader, fn func(line []byte) error) error {
	for lines := bufio.NewReaderSize(in, int(min(maxDeadLine, in.Size()+1))); ; {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if err := fn(line); err != nil {
			return err
		}
	}
}

// list calls fn with the letters that count and whose ID is at least since. b is a copy that nobody changes.
func (b *deadBooks) list(l Layout, since int64, fn func(*DeadLetter) error) error {
	for i := range b.files {
		if b.kept(max(since, b.files[i].name), b.upTo(i)) == 0 {
			continue
		}
		in, err := os.Open(l.DeadFile(b.files[i].name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // given up since the books were copied
		}
		if err != nil {
			return fmt.Errorf("read the dead letters: %w", err)
		}
		last := int64(0)
		err = eachLine(io.NewSectionReader(in, 0, b.files[i].size), func(line []byte) error {
			id, ok := letterID(line)
			if !ok || id < since || id <= last || !b.live.contains(Seq(id)) || !soundLine(line) {
				return nil
			}
			last = id
			letter, err := parseLetter(line)
			if err != nil {
				return fmt.Errorf("read the dead letter %d: %w", id, err)
			}
			return fn(letter)
		})
		in.Close() // only read
		if err != nil {
			return err
		}
	}
	return nil
}
