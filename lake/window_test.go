package lake

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// plainWindow is the window as one would write it down: a list.
type plainWindow struct {
	limit int
	kept  []eventKey
	fresh []eventKey
}

func (p *plainWindow) enter(k eventKey) verdict {
	found := newEvent
	for _, old := range slices.Concat(p.kept, p.fresh) {
		if old == k {
			return duplicate
		}
		if old.id == k.id {
			found = conflict
		}
	}
	p.fresh = append(p.fresh, k)
	return found
}

func (p *plainWindow) keep() {
	p.kept = append(p.kept, p.fresh...)
	p.fresh = nil
	p.kept = p.kept[max(0, len(p.kept)-p.limit):]
}

// spread makes a key of small numbers: as far apart as hashes are, or, with crowd, all in one bucket.
func spread(id, content uint64, crowd bool) eventKey {
	k := eventKey{id: (id + 1) * 0x9e3779b97f4a7c15, content: (content + 1) * 0xd1342543de82ef95}
	if crowd {
		k.id, k.content = k.id>>40, k.content>>40
	}
	return k
}

// TestWindowLikeAList drives the window and the list through the same groups, kept and taken back, and compares every answer and what is known at the end.
func TestWindowLikeAList(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 10 // the race detector's run
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 1))
		limit := []int{0, 1, 3, 50, 700}[seed%5]
		ids := []int{2, 40, 900, 3000}[rng.IntN(4)]
		contents := 1 + rng.IntN(6)
		w, p := newWindow(limit, 64), &plainWindow{limit: limit}
		for range 400 {
			before := w.head
			for i := range rng.IntN(64) {
				k := spread(uint64(rng.IntN(ids)), uint64(rng.IntN(contents)), seed%3 == 0)
				if got, want := w.enter(k), p.enter(k); got != want {
					t.Fatalf("seed %d: event %d of a group is %d, want %d", seed, i, got, want)
				}
			}
			if rng.IntN(3) == 0 {
				w.undo(before)
				p.fresh = nil
				w.keep() // a later group
			} else {
				w.keep()
				p.keep()
			}
		}
		if got := w.newest(limit + 1); !slices.Equal(got, p.kept) {
			t.Fatalf("seed %d: %d keys are known, want %d", seed, len(got), len(p.kept))
		}
		if n := w.ids.n + w.hidden.n; n != len(p.kept) || len(w.ids.spilled) > w.ids.n || len(w.hidden.spilled) > w.hidden.n {
			t.Fatalf("seed %d: the tables hold %d, the window %d", seed, n, len(p.kept))
		}
	}
}

// TestWindowUndoesPart: one batch of a group is taken back, the others stay.
func TestWindowUndoesPart(t *testing.T) {
	w := newWindow(10, 10)
	a, b := spread(1, 1, false), spread(1, 2, false)
	w.enter(a)
	mark := w.head
	if got := w.enter(b); got != conflict {
		t.Fatalf("b: %d", got)
	}
	w.undo(mark)
	if got := w.enter(b); got != conflict {
		t.Fatalf("b again: %d", got)
	}
	w.keep()
	if got := w.enter(a); got != duplicate {
		t.Fatalf("a: %d", got)
	}
}

// TestWindowRestores: what an earlier process left is known afterwards as if it had just been entered; a key that comes twice counts from its last time.
func TestWindowRestores(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 2))
		limit := 1 + rng.IntN(90)
		w := newWindow(limit, 8)
		var all []eventKey
		for range rng.IntN(400) {
			k := spread(uint64(rng.IntN(70)), uint64(rng.IntN(2)), seed%2 == 0)
			w.restore(k)
			all = append(all, k)
		}
		known := all[max(0, len(all)-limit):]
		for i, k := range known {
			if got := w.enter(k); got != duplicate {
				t.Fatalf("seed %d: key %d of the last %d is %d", seed, i, limit, got)
			}
		}
		for i, k := range all[:len(all)-len(known)] {
			mark := w.head
			if got := w.enter(k); (got == duplicate) != slices.Contains(known, k) {
				t.Fatalf("seed %d: key %d before the last %d is %d", seed, i, limit, got)
			}
			w.undo(mark)
		}
	}
}
