package lake

// eventKey stands for one event where events are compared: a hash of its service and id, and one of all that it says.
type eventKey struct {
	id      uint64 // 0: not to be compared
	content uint64
}

// entryBytes is what an entry takes, its places in the two tables included.
const entryBytes = 27

// pair is one number for both, as well spread as each of them.
func (k eventKey) pair() uint64 { return k.id ^ k.content }

// window knows the newest events that came with an id of their sender, so that one that comes again is told. It is exact for at least the newest
// limit events, and first in, first out. What is entered can be taken back until keep, so that a group of batches that could not be written leaves no
// trace. It belongs to one goroutine.
//
// The keys lie in a ring. ids finds the newest event of an id; hidden finds the few that a later event with the same id and other content hides,
// so that a sender who uses one id a million times costs no more than any other.
type window struct {
	limit   int
	room    int // of the ring: limit, and what may be entered between two calls of keep
	ring    []eventKey
	tail    uint64 // entries [tail, head) are known; entry n lies at ring[n % room]
	head    uint64
	ids     keyTable
	hidden  keyTable
	changed []hiding // since keep
	warm    uint32   // see touch
}

// hiding says that the entry at one place of the ring took over an id from the entry at another.
type hiding struct{ by, from uint32 }

// A ring begins with 1,024 entries, 16 KiB. One that needs more than 32,768 gets all its room at once: it is written from its beginning on, and what was
// never written takes no memory.
const (
	ringFirst = 1 << 10
	ringMany  = 1 << 15
)

// newWindow makes a window of limit events, of which at most slack are entered between two calls of keep.
func newWindow(limit, slack int) *window {
	w := &window{limit: limit, room: limit + slack}
	w.ids = newKeyTable(w.room, func(at uint32) uint64 { return w.ring[at].id })
	w.hidden = newKeyTable(w.room, func(at uint32) uint64 { return w.ring[at].pair() })
	return w
}

type verdict int

const (
	newEvent  verdict = iota
	duplicate         // an event of the same id and content is known
	conflict          // an event of the same id is known, with other content
)

// enter compares an event with what is known, and makes it known unless it is a duplicate.
func (w *window) enter(k eventKey) verdict {
	last, known := w.ids.find(k.id)
	if known && w.ring[last] == k {
		return duplicate
	}
	if known {
		if at, ok := w.hidden.find(k.pair()); ok && w.ring[at] == k {
			return duplicate
		}
	}
	at := w.push(k)
	if !known {
		w.ids.insert(k.id, at)
		return newEvent
	}
	w.ids.move(k.id, last, at)
	w.hidden.insert(w.ring[last].pair(), last)
	w.changed = append(w.changed, hiding{by: at, from: last})
	return conflict
}

// push puts a key at the ring's head.
func (w *window) push(k eventKey) uint32 {
	at := int(w.head % uint64(w.room))
	if at == len(w.ring) {
		w.grow()
		w.ring = append(w.ring, k)
	} else {
		w.ring[at] = k
	}
	w.head++
	return uint32(at)
}

// grow makes room for one more entry.
func (w *window) grow() {
	if n := len(w.ring); n == cap(w.ring) {
		room := w.room
		if n == 0 {
			room = min(room, ringFirst)
		} else if n < ringMany {
			room = min(room, ringMany)
		}
		w.ring = append(make([]eventKey, 0, room), w.ring...)
	}
}

// undo takes back what was entered since head was to.
func (w *window) undo(to uint64) {
	for w.head > to {
		w.head--
		at := uint32(w.head % uint64(w.room))
		k := w.ring[at]
		if n := len(w.changed); n > 0 && w.changed[n-1].by == at {
			from := w.changed[n-1].from
			w.changed = w.changed[:n-1]
			w.hidden.remove(w.ring[from].pair(), from)
			w.ids.move(k.id, at, from)
		} else {
			w.ids.remove(k.id, at)
		}
	}
}

// touchAhead is how many table lines are asked for before the first of them is used: enough for the memory to work on as many as it can.
const touchAhead = 64

// keep makes what was entered stay, and forgets the oldest beyond the limit.
func (w *window) keep() {
	w.changed = w.changed[:0]
	for over := int(w.head-w.tail) - w.limit; over > 0; over -= touchAhead {
		end := w.tail + uint64(min(over, touchAhead))
		for n := w.tail; n < end; n++ {
			w.warm += w.ids.touch(w.ring[n%uint64(w.room)].id)
		}
		for ; w.tail < end; w.tail++ {
			at := uint32(w.tail % uint64(w.room))
			w.forget(at)
		}
	}
}

// forget takes the entry at a place of the ring out of the tables.
func (w *window) forget(at uint32) {
	if k := w.ring[at]; k.id != 0 && !w.ids.remove(k.id, at) {
		w.hidden.remove(k.pair(), at)
	}
}

// touch has the memory fetch what the next keys need, all at the same time: one after the other would wait for each.
func (w *window) touch(keys []eventKey) {
	for i := range keys {
		w.warm += w.ids.touch(keys[i].id)
	}
}

// restore enters an event of an earlier process, the oldest first. One that is known counts from now on.
func (w *window) restore(k eventKey) {
	last, known := w.ids.find(k.id)
	if known && w.ring[last] != k {
		last, known = w.hidden.find(k.pair())
		known = known && w.ring[last] == k
	}
	if known {
		w.forget(last)
		w.ring[last] = eventKey{} // an empty place, which goes in its turn
	}
	w.enter(k)
	w.keep()
}

// newest are the last n keys entered, or as many as there are, the oldest first.
func (w *window) newest(n int) []eventKey {
	n = min(n, int(w.head-w.tail))
	keys := make([]eventKey, 0, n)
	for i := w.head - uint64(n); i < w.head; i++ {
		if k := w.ring[i%uint64(w.room)]; k.id != 0 {
			keys = append(keys, k)
		}
	}
	return keys
}
