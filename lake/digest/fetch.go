package digest

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"
)

const (
	// gapBytes is up to which distance two pieces are read as one: a read costs about as much as copying this.
	gapBytes = 16 << 10
	// spanBytes bounds the memory of one read of several pieces.
	spanBytes = 1 << 20
)

// fetcher reads the values that a selection wants from one file after the other.
type fetcher struct {
	marks  []int   // buckets that some group wants of the file, ascending
	gaps   []int64 // bits of the cells from one mark, with it, to the next, without it; first of those below all marks
	found  []foundCell
	buffer []byte
	out    []float64
}

// foundCell is a cell in a marked bucket that some group wants.
type foundCell struct {
	cell
	endpoint int32
	mark     int32
	at       int64 // its first bit
}

func (f *fetcher) fetch(s *Selection, file *selected) error {
	f.mark(s, file)
	if len(f.marks) == 0 {
		return nil
	}
	f.find(file.Digest)
	f.place(file.Digest, func(c *foundCell) bool {
		return slices.ContainsFunc(file.groups[c.endpoint], func(g int32) bool { return s.groups[g].wanted(c.bucket) != nil })
	})
	return f.each(file.File, func(c *foundCell, run alike, values []float64) {
		for _, g := range file.groups[c.endpoint] {
			if w := s.groups[g].wanted(c.bucket); w != nil {
				w.take(run, values)
			}
		}
	})
}

// take adds equal values, and others.
func (w *want) take(run alike, values []float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if run.count > 0 {
		w.alike = append(w.alike, run)
	}
	w.values = append(w.values, values...)
}

// mark notes the buckets that groups want of this file.
func (f *fetcher) mark(s *Selection, file *selected) {
	f.marks = f.marks[:0]
	for _, groups := range file.groups {
		for _, g := range groups {
			for _, w := range s.groups[g].wants {
				f.marks = append(f.marks, w.bucket)
			}
		}
	}
	slices.Sort(f.marks)
	f.marks = slices.Compact(f.marks)
}

// find goes over all cells up to the last mark: how many bits there are between marks, and which cells lie in marked buckets.
func (f *fetcher) find(d *Digest) {
	f.found = f.found[:0]
	f.gaps = slices.Grow(f.gaps[:0], len(f.marks)+1)[:len(f.marks)+1]
	clear(f.gaps)
	for i := range d.Endpoints {
		m := 0 // marks up to the cell's bucket
		for r := d.Endpoints[i].reader(); r.next(); {
			for m < len(f.marks) && r.bucket >= f.marks[m] {
				m++
			}
			if m == len(f.marks) && r.bucket > f.marks[m-1] {
				break
			}
			f.gaps[m] += r.bits(d.unit)
			if m > 0 && r.bucket == f.marks[m-1] {
				f.found = append(f.found, foundCell{cell: r.cell, endpoint: int32(i), mark: int32(m - 1)})
			}
		}
	}
}

// place says where the found cells begin, and keeps some of them, in the order of the file. Endpoints come in their order, as they stand within a bucket.
func (f *fetcher) place(d *Digest, keep func(c *foundCell) bool) {
	var sum int64
	for i, n := range f.gaps { // now: where the values of the mark begin
		f.gaps[i] = sum + n
		sum += n
	}
	kept := f.found[:0]
	for _, c := range f.found {
		c.at = f.gaps[c.mark]
		f.gaps[c.mark] += c.bits(d.unit)
		if keep(&c) {
			kept = append(kept, c)
		}
	}
	// Cells without bits come before the one that begins where they stand, so that the last cell ends last.
	slices.SortFunc(kept, func(a, b foundCell) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.bits(d.unit), b.bits(d.unit)))
	})
	f.found = kept
}

// each reads the found cells and gives their values: equal ones, or one by one, good during the call.
func (f *fetcher) each(file File, give func(c *foundCell, run alike, values []float64)) error {
	for cells := f.found; len(cells) > 0; {
		n := span(cells, file.unit)
		if err := f.read(file, cells[:n], give); err != nil {
			return err
		}
		cells = cells[n:]
	}
	return nil
}

// span is how many of the cells, which are in the order of the file, are best read at once.
func span(cells []foundCell, u unit) int {
	start, end := cells[0].at, cells[0].at+cells[0].bits(u)
	n := 1
	for n < len(cells) && cells[n].at-end <= gapBytes*8 && cells[n].at+cells[n].bits(u)-start <= spanBytes*8 {
		end = cells[n].at + cells[n].bits(u)
		n++
	}
	return n
}

// read fetches the blocks under some cells, checks them and gives the values.
func (f *fetcher) read(file File, cells []foundCell, give func(c *foundCell, run alike, values []float64)) error {
	last := cells[len(cells)-1]
	first, end := cells[0].at/8/BlockBytes, ((last.at+last.bits(file.unit)+7)/8+BlockBytes-1)/BlockBytes
	from, to := first*BlockBytes, min(end*BlockBytes, file.values)
	f.buffer = f.buffer[:0]
	if from < to {
		f.buffer = slices.Grow(f.buffer[:0], int(to-from)+8)[:to-from]
		if n, err := file.Values.ReadAt(f.buffer, from); n < len(f.buffer) {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("digest: read its values: %w", err)
		}
		for i, rest := first, f.buffer; len(rest) > 0; i++ {
			block := rest[:min(BlockBytes, len(rest))]
			if sum := crc32.Checksum(block, castagnoli); sum != file.blocks[i] {
				return fmt.Errorf("digest: block %d of its values has CRC32C %08x, the index says %08x", i, sum, file.blocks[i])
			}
			rest = rest[len(block):]
		}
	}
	padded := append(f.buffer, 0, 0, 0, 0, 0, 0, 0, 0) // eight bytes are loaded wherever a value begins
	for i := range cells {
		c := &cells[i]
		if c.at -= from * 8; c.at+c.bits(file.unit) > int64(len(f.buffer))*8 && c.bits(file.unit) > 0 {
			return fmt.Errorf("digest: the values of bucket %d lie outside of what was read", c.bucket)
		}
		run, values := f.unpack(file.unit, c, padded)
		give(c, run, values)
	}
	return nil
}

// unpack is the values of a cell: that many equal ones where they have no bits, else one by one, good until the next call.
func (f *fetcher) unpack(u unit, c *foundCell, b []byte) (alike, []float64) {
	p := u.packing(c.bucket)
	if !c.raw && p.width == 0 {
		return alike{u.value(p.base), c.count}, nil
	}
	f.out = slices.Grow(f.out[:0], int(c.count))[:c.count]
	if c.raw {
		for i := range f.out {
			at := c.at + int64(i)*64
			bits := binary.LittleEndian.Uint64(b[at/8:]) >> (at % 8)
			if at%8 > 0 {
				bits |= uint64(b[at/8+8]) << (64 - at%8)
			}
			f.out[i] = math.Float64frombits(bits)
		}
		return alike{}, f.out
	}
	mask := uint64(1)<<p.width - 1
	for i, at := 0, c.at; i < len(f.out); i, at = i+1, at+int64(p.width) {
		f.out[i] = u.value(p.base + int64(binary.LittleEndian.Uint64(b[at/8:])>>(at%8)&mask))
	}
	return alike{}, f.out
}
