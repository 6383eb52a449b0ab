package gen

import (
	"context"
	"sync"

	"github.com/signallake/signallake/lake"
)

// batchesAhead is how many batches there may be for each goroutine, in the making or made. Two would do on an idle machine; these carry the others over the
// while that the one who gives away is not given a processor.
const batchesAhead = 4

// relay hands batches out to be made, by whoever comes first, and gives them away in their order. Nobody is woken for it as long as there is room: whoever
// has made the batch that is next gives it away, and behind it those that others have made meanwhile.
type relay struct {
	sink    func(lake.Batch) error
	mu      sync.Mutex
	room    sync.Cond    // a batch was given away, or it is over
	batches int64        // altogether
	next    int64        // to be made
	given   int64        // the first that is not given away yet
	made    []lake.Batch // batch n at n % len, from when it is made until it is given away
	spare   [][]byte     // memory of batches given away, the newest last: it may still be in a cache
	giving  bool         // somebody is at it
	err     error        // why it ended early
}

// Run makes the events on so many goroutines (0: one a core) and gives them to sink, in the order of time, in batches of about 1 MiB. sink
// is called from those goroutines, one call after the other; a batch is valid until it returns. Run ends with sink's first error, or the
// context's.
func (g *Generator) Run(ctx context.Context, workers int, sink func(lake.Batch) error) error {
	if workers <= 0 {
		workers = lake.Processors()
	}
	r := &relay{sink: sink, batches: (g.cfg.Count + eventsABatch - 1) / eventsABatch}
	r.room.L = &r.mu
	workers = int(min(int64(workers), max(r.batches, 1)))
	r.made = make([]lake.Batch, workers*batchesAhead)
	defer context.AfterFunc(ctx, r.wake)()
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for {
				b, room, ok := r.take(ctx)
				if !ok {
					return
				}
				lines := g.appendBatch(room, b)
				r.give(ctx, b, lake.Batch{Lines: lines, N: int(min(eventsABatch, g.cfg.Count-b*eventsABatch))})
			}
		})
	}
	running.Wait()
	return r.err
}

// take is the next batch to be made, and empty memory for its lines. It waits until there may be one more; not ok: there is none, or it is over.
func (r *relay) take(ctx context.Context) (b int64, room []byte, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.over(ctx) && r.next < r.batches && r.next-r.given == int64(len(r.made)) {
		r.room.Wait()
	}
	if r.over(ctx) || r.next == r.batches {
		return 0, nil, false
	}
	b = r.next
	r.next++
	if n := len(r.spare); n > 0 {
		room, r.spare = r.spare[n-1][:0], r.spare[:n-1]
	} else {
		room = make([]byte, 0, batchRoom)
	}
	return b, room, true
}

// give says that a batch is made, and gives away all whose turn has come unless somebody is at it, who will.
func (r *relay) give(ctx context.Context, b int64, batch lake.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := int64(len(r.made))
	r.made[b%n] = batch
	if r.giving {
		return
	}
	r.giving = true
	for due := &r.made[r.given%n]; due.N > 0 && !r.over(ctx); due = &r.made[r.given%n] {
		r.mu.Unlock()
		err := r.sink(*due)
		r.mu.Lock()
		if err != nil {
			r.err = err
			break
		}
		r.spare = append(r.spare, due.Lines)
		*due = lake.Batch{}
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
