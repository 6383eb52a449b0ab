package laketest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
)

// state is a disk's content.
type state struct {
	files   map[int][]byte // inode -> bytes
	entries map[string]int // name -> inode
	dirs    map[string]bool
}

func newState() *state {
	return &state{files: map[int][]byte{}, entries: map[string]int{}, dirs: map[string]bool{}}
}

// Cut is one power cut: just before operation At was done, with the liberties that Variant and Seed decide.
type Cut struct {
	At      int
	Variant Variant
	Seed    uint64
}

func (c Cut) String() string {
	return fmt.Sprintf("cut at %d, %s, seed %d", c.At, c.Variant, c.Seed)
}

// Variant is a way in which what was not synced may have reached the disk.
type Variant int

const (
	DropAll    Variant = iota // nothing of it did
	KeepAll                   // all of it did, as after kill -9
	KeepData                  // all bytes, but no directory entry
	KeepNames                 // all directory entries, but no bytes: files are short or empty
	KeepZeros                 // all directory entries and sizes, but new bytes are zeros
	Torn                      // of each file a prefix of the writes, the last one cut at a 512-byte border or anywhere; each entry by chance
	Scattered                 // of each file each 512-byte sector by chance, zeros in the holes; each entry by chance
	ScatterOne                // as Scattered, but one file by chance is dropped wholly
	Variants                  // how many there are
)

func (v Variant) String() string {
	return [...]string{"drop all", "keep all", "keep data", "keep names", "keep zeros", "torn", "scattered", "scatter one"}[v]
}

// Cuts enumerates every cut from operation first on with every variant; the variants that throw dice are tried dice times, seeded by seed.
func (d *CrashDisk) Cuts(first, dice int, seed uint64, fn func(Cut) error) error {
	for at := first; at <= d.Ops(); at++ {
		for v := range Variants {
			times := 1
			if v >= Torn {
				times = dice
			}
			for i := range times {
				if err := fn(Cut{At: at, Variant: v, Seed: seed + uint64(i)}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Materialise lays out, in the empty or missing folder dir, what the disk holds after the cut.
func (d *CrashDisk) Materialise(dir string, c Cut) error {
	d.mu.Lock()
	ops := d.ops[:c.At]
	d.mu.Unlock()
	p := &plan{cut: c, ops: ops, rng: rand.New(rand.NewPCG(c.Seed, uint64(c.At)<<8|uint64(c.Variant)))}
	s := p.state(d.base)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name := range s.dirs {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(name)), 0o755); err != nil {
			return err
		}
	}
	made := map[int]string{}
	for name, inode := range s.entries {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if first, ok := made[inode]; ok {
			if err := os.Link(first, full); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(full, s.files[inode], 0o644); err != nil {
			return err
		}
		made[inode] = full
	}
	return nil
}

// plan decides which operations before the cut reached the disk.
type plan struct {
	cut Cut
	ops []operation
	rng *rand.Rand
}

// sectorBytes is what a disk writes whole or not at all.
const sectorBytes = 512

func (p *plan) state(base *state) *state {
	fileSynced, dirSynced := map[int]int{}, map[string]int{}
	for _, op := range p.ops {
		switch op.kind {
		case opSync:
			fileSynced[op.inode] = op.upTo
		case opSyncDir:
			dirSynced[op.path] = op.upTo
		}
	}
	s := newState()
	for name := range base.dirs {
		s.dirs[name] = true
	}
	for name, inode := range base.entries {
		s.entries[name] = inode
	}
	byInode := map[int][]int{}
	for i, op := range p.ops {
		switch op.kind {
		case opWrite, opTruncate:
			byInode[op.inode] = append(byInode[op.inode], i)
		case opMkdir:
			s.dirs[op.path] = true
		case opEntry, opRemove, opRename:
			p.entry(s, i, dirSynced)
		}
	}
	live := map[int]bool{}
	for _, inode := range s.entries {
		live[inode] = true
	}
	for inode := range maxInode(base, p.ops) + 1 { // in order, so that the dice fall the same way each time
		if live[inode] {
			s.files[inode] = p.content(base.files[inode], byInode[inode], fileSynced[inode])
		}
	}
	return s
}

func maxInode(base *state, ops []operation) (most int) {
	for inode := range base.files {
		most = max(most, inode)
	}
	for _, op := range ops {
		most = max(most, op.inode)
	}
	return most
}

// entry applies a directory operation if it reached the disk. A rename may leave both names, never neither.
func (p *plan) entry(s *state, i int, synced map[string]int) {
	op := p.ops[i]
	kept := i < synced[path.Dir(op.path)] || p.keepsName()
	switch op.kind {
	case opEntry:
		if kept {
			s.entries[op.path] = op.inode
		}
	case opRemove:
		if kept {
			delete(s.entries, op.path)
		}
	case opRename:
		gone := i < synced[path.Dir(op.from)] || (path.Dir(op.from) == path.Dir(op.path) && kept) || p.keepsName()
		if kept || gone {
			s.entries[op.path] = op.inode
		}
		if gone {
			delete(s.entries, op.from)
		}
	}
}

func (p *plan) keepsName() bool {
	switch p.cut.Variant {
	case DropAll, KeepData:
		return false
	case KeepAll, KeepNames, KeepZeros:
		return true
	}
	return p.rng.IntN(2) == 0
}

// content is a file's bytes: those that were synced, and of the later operations (indexes into ops) what the variant leaves.
func (p *plan) content(base []byte, ops []int, synced int) []byte {
	durable := append([]byte(nil), base...)
	n := 0
	for n < len(ops) && ops[n] < synced {
		durable = apply(durable, &p.ops[ops[n]])
		n++
	}
	later := ops[n:]
	switch p.cut.Variant {
	case DropAll, KeepNames:
		return durable
	case KeepAll, KeepData:
		return p.all(durable, later)
	case KeepZeros:
		whole := p.all(durable, later)
		if len(whole) <= len(durable) {
			return whole
		}
		return append(durable, make([]byte, len(whole)-len(durable))...)
	case Torn:
		return p.torn(durable, later)
	case ScatterOne:
		if p.rng.IntN(3) == 0 {
			return durable
		}
	}
	return p.scattered(durable, later)
}

func apply(content []byte, op *operation) []byte {
	if op.kind == opTruncate {
		if op.off <= int64(len(content)) {
			return content[:op.off:op.off]
		}
		return append(content, make([]byte, op.off-int64(len(content)))...)
	}
	if end := op.off + int64(len(op.data)); end > int64(len(content)) {
		content = append(content, make([]byte, end-int64(len(content)))...)
	}
	copy(content[op.off:], op.data)
	return content
}

func (p *plan) all(content []byte, ops []int) []byte {
	for _, i := range ops {
		content = apply(append([]byte(nil), content...), &p.ops[i])
	}
	return content
}

// torn keeps the first operations, and of one write a prefix.
func (p *plan) torn(content []byte, ops []int) []byte {
	if len(ops) == 0 {
		return content
	}
	n := p.rng.IntN(len(ops) + 1)
	content = p.all(content, ops[:n])
	if n == len(ops) || p.ops[ops[n]].kind != opWrite {
		return content
	}
	cut := p.ops[ops[n]]
	length := int64(p.rng.IntN(len(cut.data) + 1))
	if p.rng.IntN(2) == 0 { // the border counts from the file's beginning
		length = max(0, (cut.off+length)/sectorBytes*sectorBytes-cut.off)
	}
	cut.data = cut.data[:length]
	return apply(append([]byte(nil), content...), &cut)
}

// scattered takes each sector from before or after, and the size from either, or from between.
func (p *plan) scattered(before []byte, ops []int) []byte {
	after := p.all(before, ops)
	size := len(after)
	if p.rng.IntN(3) == 0 {
		low, high := min(len(before), len(after)), max(len(before), len(after))
		size = low + p.rng.IntN(high-low+1)
	}
	out := make([]byte, size)
	for at := 0; at < size; at += sectorBytes {
		from := before
		if p.rng.IntN(2) == 0 {
			from = after
		}
		if at < len(from) {
			copy(out[at:min(size, at+sectorBytes)], from[at:])
		}
	}
	return out
}
