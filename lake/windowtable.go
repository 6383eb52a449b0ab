package lake

import "math/bits"

// keyTable finds places of a ring by 64-bit keys that are well spread already. It is made of buckets as large as a line of the processor's cache, so
// that looking for a key that is not there, the usual case, costs one access to memory; a slot holds the place and some bits of the key, so that the ring
// itself is looked at only where they agree. The few keys that their bucket has no room for lie in a map. It grows with what it holds.
type keyTable struct {
	keyOf     func(at uint32) uint64 // of the entry at a place of the ring
	placeBits int                    // of a slot: the place plus one; the rest are the key's lowest bits
	buckets   []bucket
	most      int // buckets
	spilled   map[uint64]uint32
	n         int
}

// bucket is 64 bytes: slots, and how many keys that belong here are in the map.
type bucket [16]uint32

const (
	bucketSlots = 15
	// bucketLoad: at 8 keys a bucket on the average, less than one bucket in a hundred spills.
	bucketLoad = 8
	// A table begins with 64 buckets, 4 KiB, goes on with 128 KiB, and then takes all that a full one needs: to grow by and by would stop the log for
	// some tens of milliseconds again and again.
	bucketsFirst = 64
	bucketsMany  = 2048
)

// newKeyTable makes a table for up to places entries.
func newKeyTable(places int, keyOf func(at uint32) uint64) keyTable {
	most := max(1, (places+bucketLoad-1)/bucketLoad)
	return keyTable{
		keyOf: keyOf, placeBits: bits.Len(uint(places)), most: most,
		buckets: make([]bucket, min(most, bucketsFirst)), spilled: map[uint64]uint32{},
	}
}

// home is the bucket of a key: its highest bits, scaled to any number of buckets.
func (t *keyTable) home(key uint64) *bucket {
	at, _ := bits.Mul64(key, uint64(len(t.buckets)))
	return &t.buckets[at]
}

// find answers the place of the entry with this key.
func (t *keyTable) find(key uint64) (at uint32, ok bool) {
	b := t.home(key)
	tag, places := uint32(key)<<t.placeBits, uint32(1)<<t.placeBits-1
	for _, slot := range b[:bucketSlots] {
		if place := slot ^ tag; place-1 < places && t.keyOf(place-1) == key { // an equal tag leaves the place alone; an empty slot is none
			return place - 1, true
		}
	}
	if b[bucketSlots] > 0 {
		at, ok = t.spilled[key]
	}
	return at, ok
}

// insert adds a key that the table does not hold.
func (t *keyTable) insert(key uint64, at uint32) {
	if t.n >= len(t.buckets)*bucketLoad && len(t.buckets) < t.most {
		t.grow()
	}
	t.n++
	t.put(key, at)
}

func (t *keyTable) put(key uint64, at uint32) {
	b := t.home(key)
	for i, slot := range b[:bucketSlots] {
		if slot == 0 {
			b[i] = t.slot(key, at)
			return
		}
	}
	t.spilled[key] = at
	b[bucketSlots]++
}

func (t *keyTable) slot(key uint64, at uint32) uint32 { return uint32(key)<<t.placeBits | (at + 1) }

func (t *keyTable) grow() {
	old := *t
	size := t.most
	if len(old.buckets) < bucketsMany {
		size = min(size, bucketsMany)
	}
	t.buckets, t.spilled = make([]bucket, size), map[uint64]uint32{}
	places := uint32(1)<<t.placeBits - 1
	for i := range old.buckets {
		for _, slot := range old.buckets[i][:bucketSlots] {
			if slot != 0 {
				at := slot&places - 1
				t.put(t.keyOf(at), at)
			}
		}
	}
	for key, at := range old.spilled {
		t.put(key, at)
	}
}

// slotOf finds where the key's entry at this place is written: nil when it is in the map, or nowhere.
func (t *keyTable) slotOf(key uint64, at uint32) (*bucket, *uint32) {
	b, want := t.home(key), t.slot(key, at)
	for i, slot := range b[:bucketSlots] {
		if slot == want {
			return b, &b[i]
		}
	}
	return b, nil
}

// remove takes the key's entry at this place out, and says whether it was there.
func (t *keyTable) remove(key uint64, at uint32) bool {
	b, slot := t.slotOf(key, at)
	if slot != nil {
		*slot = 0
		t.n--
		return true
	}
	if b[bucketSlots] == 0 {
		return false
	}
	if place, ok := t.spilled[key]; !ok || place != at {
		return false
	}
	delete(t.spilled, key)
	b[bucketSlots]--
	t.n--
	return true
}

// move lets the key's entry be at another place of the ring.
func (t *keyTable) move(key uint64, from, to uint32) {
	if _, slot := t.slotOf(key, from); slot != nil {
		*slot = t.slot(key, to)
	} else {
		t.spilled[key] = to
	}
}

// touch reads the first slot of a key's bucket; only the reading counts.
func (t *keyTable) touch(key uint64) uint32 { return t.home(key)[0] }
