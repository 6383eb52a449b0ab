package digest

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"

	"github.com/signallake/signallake/lake/rollup"
)

const (
	// gapBytes is up to which distance two pieces are read as one: a read costs about as much as copying this.
	gapBytes = 16 << 10
	// spanBytes bounds the memory of one read of several pieces.
	spanBytes = 1 << 20
)

// fetcher reads the values that a selection wants from one file after the other.
type fetcher struct {
	bits   [rollup.MaxBucket + 1]int64 // of values, by bucket; then where the bucket's next cell begins
	marked [rollup.MaxBucket + 1]bool  // some group wants the bucket
	found  []foundCell
	buffer []byte
	out    []float64
}

// foundCell is a cell in a marked bucket.
type foundCell struct {
	cell
	endpoint int32
	at       int64 // its first bit
	wants    []*want
}

func (f *fetcher) fetch(s *Selection, file *selected) error {
	f.find(s, file)
	f.place(file.unit)
	found := f.found[:0]
	for _, c := range f.found {
		for _, g := range file.groups[c.endpoint] {
			if w := s.groups[g].wanted(c.bucket); w != nil {
				c.wants = append(c.wants, w)
			}
		}
		if len(c.wants) > 0 {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b foundCell) int { return cmp.Compare(a.at, b.at) })
	for len(found) > 0 {
		n := span(found, file.unit)
		if err := f.read(file, found[:n]); err != nil {
			return err
		}
		found = found[n:]
	}
	return nil
}

// find marks the buckets that groups want of this file, and goes over all cells once: how many bits each bucket has, and which cells lie in marked ones.
func (f *fetcher) find(s *Selection, file *selected) {
	clear(f.bits[:])
	clear(f.marked[:])
	for _, groups := range file.groups {
		for _, g := range groups {
			for _, w := range s.groups[g].wants {
				f.marked[w.bucket] = true
			}
		}
	}
	f.found = f.found[:0]
	for i := range file.Endpoints {
		for r := file.Endpoints[i].reader(); r.next(); {
			f.bits[r.bucket] += r.bits(file.unit)
			if f.marked[r.bucket] {
				f.found = append(f.found, foundCell{cell: r.cell, endpoint: int32(i)})
			}
		}
	}
}

// place says where the found cells begin. Endpoints come in their order, as they stand in each bucket.
func (f *fetcher) place(u unit) {
	var sum int64
	for b, n := range f.bits {
		f.bits[b] = sum
		sum += n
	}
	for i := range f.found {
		c := &f.found[i]
		c.at = f.bits[c.bucket]
		f.bits[c.bucket] += c.bits(u)
	}
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

// read fetches the blocks under the cells, checks them, and gives the values to whoever wants them.
func (f *fetcher) read(file *selected, cells []foundCell) error {
	last := cells[len(cells)-1]
	first, end := cells[0].at/8/BlockBytes, ((last.at+last.bits(file.unit)+7)/8+BlockBytes-1)/BlockBytes
	from, to := first*BlockBytes, min(end*BlockBytes, file.values)
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
		c.at -= from * 8
		f.give(file.unit, c, padded)
	}
	return nil
}

// give unpacks a cell.
func (f *fetcher) give(u unit, c *foundCell, b []byte) {
	p := u.packing(c.bucket)
	if !c.raw && p.width == 0 {
		for _, w := range c.wants {
			w.mu.Lock()
			w.alike = append(w.alike, alike{u.value(p.base), c.count})
			w.mu.Unlock()
		}
		return
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
	} else {
		mask := uint64(1)<<p.width - 1
		for i, at := 0, c.at; i < len(f.out); i, at = i+1, at+int64(p.width) {
			f.out[i] = u.value(p.base + int64(binary.LittleEndian.Uint64(b[at/8:])>>(at%8)&mask))
		}
	}
	for _, w := range c.wants {
		w.mu.Lock()
		w.values = append(w.values, f.out...)
		w.mu.Unlock()
	}
}
