package lake

import (
	"sync"
	"unsafe"
)

// arena is the memory of a run's columns: slabs that are full of values without pointers, and that the next run takes over. So a run of
// half a gigabyte leaves the collector nothing to find, and the next one does not come on top of it.
type arena struct {
	mu         sync.Mutex
	free, used [][]uint64
	bytes      int // of all slabs
}

const (
	slabLeast = 256 << 10 // small runs take little
	slabMost  = 4 << 20   // what is left over at the end of a slab is little of it
)

// slab is the next slab for somebody to fill.
func (a *arena) slab() []uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	var slab []uint64
	if n := len(a.free); n > 0 {
		slab, a.free = a.free[n-1], a.free[:n-1]
	} else {
		size := min(max(slabLeast, a.bytes/8), slabMost)
		a.bytes += size
		slab = make([]uint64, size/8)
	}
	a.used = append(a.used, slab)
	return slab
}

// reset takes all slabs back: nobody may hold anything of them any more.
func (a *arena) reset() {
	a.free, a.used = append(a.free, a.used...), a.used[:0]
}

// carver cuts slices out of an arena's slabs, for one goroutine.
type carver struct {
	arena *arena
	rest  []uint64
}

// carve is room for n values, which are not zero.
func carve[T uint8 | uint16 | uint32 | int64 | float64](c *carver, n int) []T {
	if n == 0 {
		return nil
	}
	words := (n*int(unsafe.Sizeof(*new(T))) + 7) / 8
	if words > slabLeast/8 { // long texts: rare, and a slab might not do
		return make([]T, n)
	}
	if words > len(c.rest) {
		c.rest = c.arena.slab()
	}
	out := unsafe.Slice((*T)(unsafe.Pointer(&c.rest[0])), n)
	c.rest = c.rest[words:]
	return out
}
