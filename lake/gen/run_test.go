package gen

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/signallake/signallake/lake"
)

// newRelay is one with room for so many batches, whose sink notes their sizes.
func newRelay(room int, batches int64) (r *relay, got *[]int) {
	got = new([]int)
	r = &relay{batches: batches, made: make([]lake.Batch, room), sink: func(b lake.Batch) error { *got = append(*got, b.N); return nil }}
	r.room.L = &r.mu
	return r, got
}

// TestRelayKeepsOrderAndRoom: batches that are made out of their order wait for it, in no more memory than there is room for.
func TestRelayKeepsOrderAndRoom(t *testing.T) {
	r, got := newRelay(3, 7)
	take := func(want int64) lake.Batch {
		t.Helper()
		b, room, ok := r.take(t.Context())
		if !ok || b != want || len(room) != 0 || cap(room) != batchRoom {
			t.Fatalf("batch %d, %v, memory %d of %d; want batch %d", b, ok, len(room), cap(room), want)
		}
		return lake.Batch{Lines: room, N: int(b) + 1}
	}
	zero, one, two := take(0), take(1), take(2)
	r.give(t.Context(), 2, two)
	r.give(t.Context(), 1, one)
	if len(*got) > 0 {
		t.Fatalf("%v were given away before the first was made", *got)
	}
	var waiting sync.WaitGroup
	var three lake.Batch
	waiting.Go(func() { // there is no room for it until another was given away
		b, room, _ := r.take(t.Context())
		three = lake.Batch{Lines: room, N: int(b) + 1}
	})
	r.give(t.Context(), 0, zero)
	waiting.Wait()
	r.give(t.Context(), 3, three)
	for b := int64(4); b < 7; b++ {
		r.give(t.Context(), b, take(b))
	}
	if _, _, ok := r.take(t.Context()); ok || !slices.Equal(*got, []int{1, 2, 3, 4, 5, 6, 7}) || len(r.spare) > 3 {
		t.Errorf("given away were %v in the memory of %d", *got, len(r.spare))
	}
}

// TestRelayEndsForThoseWhoWait: nobody waits for room that will never be there.
func TestRelayEndsForThoseWhoWait(t *testing.T) {
	full := errors.New("disk full")
	for _, want := range []error{full, context.Canceled} {
		r, _ := newRelay(1, 3)
		r.sink = func(lake.Batch) error { return full }
		ctx, cancel := context.WithCancel(t.Context())
		_, room, _ := r.take(ctx)
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() {
				if b, _, ok := r.take(ctx); ok {
					t.Errorf("batch %d is to be made after the end", b)
				}
			})
		}
		if want == full {
			r.give(ctx, 0, lake.Batch{Lines: room, N: 1})
		} else {
			cancel()
			r.wake()
		}
		waiting.Wait()
		cancel()
		if r.err != want {
			t.Errorf("it ended with %v, want %v", r.err, want)
		}
	}
}
