package lake

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// arena is the memory of a run's columns: slabs that are full of values without pointers, and that the next run takes over. They are not the
// collector's: it would keep as much again for garbage that a conversion does not make, and give it back late. Whoever resets or releases an
// arena sees to it that nobody holds anything of its slabs any more.
type arena struct {
	mu         sync.Mutex
	free, used [][]byte
	bytes      int // of all slabs
}

const (
	slabLeast = 256 << 10 // small runs take little
	slabMost  = 4 << 20   // what is left over at the end of a slab is little of it
)

// slab is the next slab for somebody to fill.
func (a *arena) slab() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.free); n > 0 {
		slab := a.free[n-1]
		a.free, a.used = a.free[:n-1], append(a.used, slab)
		return slab
	}
	size := min(max(slabLeast, a.bytes/8&^(slabLeast-1)), slabMost)
	slab, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil { // too many mappings: the collector's memory will do
		return make([]byte, size)
	}
	a.bytes += size
	a.used = append(a.used, slab)
	return slab
}

// reset takes all slabs back, for the next run.
func (a *arena) reset() {
	a.free, a.used = append(a.free, a.used...), a.used[:0]
}

// release gives all slabs back to the system.
func (a *arena) release() {
	a.reset()
	for _, slab := range a.free {
		_ = unix.Munmap(slab) // it fails for what is no mapping only
	}
	a.free, a.bytes = nil, 0
}

// carver cuts slices out of an arena's slabs, for one goroutine.
type carver struct {
	arena *arena
	rest  []byte
}

// carve is room for n values, which are not zero.
func carve[T uint8 | uint16 | uint32 | int64 | float64](c *carver, n int) []T {
	if n == 0 {
		return nil
	}
	size := (n*int(unsafe.Sizeof(*new(T))) + 7) &^ 7
	if size > slabLeast { // long texts: rare, and a slab might not do
		return make([]T, n)
	}
	if size > len(c.rest) {
		c.rest = c.arena.slab()
	}
	out := unsafe.Slice((*T)(unsafe.Pointer(&c.rest[0])), n)
	c.rest = c.rest[size:]
	return out
}
