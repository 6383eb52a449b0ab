package gen

import (
	"context"
	"runtime"
	"sync"

	"github.com/signallake/signallake/lake"
)

// batchesAhead is how many batches there may be for each goroutine, in the making or made: enough that nobody waits for the one who gives away.
const batchesAhead = 3

// relay hands batches out to be made, by whoever comes first, and gives them away in their order. Nobody is woken for it as long as there is room: whoever
// has made the batch that is next gives it away, and behind it those that others have made meanwhile.
type relay struct {
	sink    func(lake.Batch) error
	mu      sync.Mutex
	room    sync.Cond    // a batch was given away, or it is over
	batches int64        // altogether
	next    int64        // to be made
	given   int64        // the first that is not given away yet
	slots   []lake.Batch // of batch n in n % len: its memory, and its lines once made
	made    []bool
	giving  bool  // somebody is at it
	err     error // why it is over; nil: it is not, or all are given away
}

// Run makes the events on so many goroutines (0: one a core) and gives them to sink, in the order of time, in batches of about half a MiB. sink
// is called from those goroutines, one call after the other; a batch is valid until it returns. Run ends with sink's first error, or the
// context's.
func (g *Generator) Run(ctx context.Context, workers int, sink func(lake.Batch) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	r := &relay{sink: sink, batches: (g.cfg.Count + eventsABatch - 1) / eventsABatch}
	r.room.L = &r.mu
	workers = int(min(int64(workers), max(r.batches, 1)))
	r.slots = make([]lake.Batch, min(int64(workers*batchesAhead), max(r.batches, 1)))
	r.made = make([]bool, len(r.slots))
	defer context.AfterFunc(ctx, r.wake)()
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for b, slot := r.take(ctx); slot != nil; b, slot = r.take(ctx) {
				if slot.Lines == nil {
					slot.Lines = make([]byte, 0, batchRoom)
				}
				slot.Lines = g.appendBatch(slot.Lines[:0], b)
				slot.N = int(min(eventsABatch, g.cfg.Count-b*eventsABatch))
				r.give(ctx, b)
			}
		})
	}
	running.Wait()
	return r.err
}

// take is the next batch to be made, and where. It waits for room; nil: it is over.
func (r *relay) take(ctx context.Context) (int64, *lake.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.over(ctx) && r.next < r.batches && r.next-r.given == int64(len(r.slots)) {
		r.room.Wait()
	}
	if r.over(ctx) || r.next == r.batches {
		return 0, nil
	}
	b := r.next
	r.next++
	return b, &r.slots[b%int64(len(r.slots))]
}

// give says that a batch is made, and gives away all whose turn has come unless somebody is at it, who will.
func (r *relay) give(ctx context.Context, b int64) {
	n := int64(len(r.slots))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made[b%n] = true
	if r.giving {
		return
	}
	r.giving = true
	for at := r.given % n; r.made[at] && !r.over(ctx); at = r.given % n {
		r.mu.Unlock()
		err := r.sink(r.slots[at])
		r.mu.Lock()
		if err != nil {
			r.err = err
			break
		}
		r.made[at] = false
		r.given++
		r.room.Signal()
	}
	r.giving = false
	if r.over(ctx) {
		r.room.Broadcast()
	}
}

// over says whether it ended early.
func (r *relay) over(ctx context.Context) bool {
	if r.err == nil {
		r.err = context.Cause(ctx)
	}
	return r.err != nil
}

// wake has those who wait for room look again.
func (r *relay) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.room.Broadcast()
}
