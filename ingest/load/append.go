package load

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signallake/signallake/lake"
)

// Append is what a server's acknowledgements are held against: the same bytes in the same batches, appended to a file and synced, without HTTP and
// without a look at them. Each of the writers takes the next batch, writes it and returns from its sync before it takes another, as a client waits for
// its answer; they share one file, or have one each. The sync is the one that the lake uses. The files stay in dir, which must be there and have none of
// their names. count batches are written, from the first again when there are fewer; 0: each once. events is how many a batch holds.
func Append(ctx context.Context, dir string, batches [][]byte, events, count, writers int, shared bool) (_ *Result, err error) {
	if len(batches) == 0 || writers < 1 {
		return nil, fmt.Errorf("append for comparison: %d batches, %d writers: want at least one of each", len(batches), writers)
	}
	if count == 0 {
		count = len(batches)
	}
	files := make([]*growing, writers)
	defer func() {
		for i, f := range files {
			if f != nil && (i == 0 || !shared) {
				err = errors.Join(err, f.file.Close())
			}
		}
	}()
	for i := range files {
		if i > 0 && shared {
			files[i] = files[0]
			continue
		}
		file, err := lake.OSDisk{}.Create(filepath.Join(dir, fmt.Sprintf("append-%d.jsonl", i)))
		if err != nil {
			return nil, err
		}
		files[i] = &growing{file: file}
	}
	if err := (lake.OSDisk{}).SyncDir(dir); err != nil {
		return nil, err
	}
	var begun atomic.Int64
	results, errs := make([]Result, writers), make([]error, writers)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for errs[i] == nil && ctx.Err() == nil {
				number := int(begun.Add(1)) - 1
				if number >= count {
					return
				}
				errs[i] = files[i].append(&results[i], batches[number%len(batches)], events)
			}
		})
	}
	wg.Wait()
	total := &Result{Took: time.Since(start)}
	for i := range results {
		total.add(&results[i])
	}
	slices.Sort(total.Waits)
	return total, errors.Join(append(errs, ctx.Err())...)
}

// growing is a file that several may append to.
type growing struct {
	mu   sync.Mutex
	file lake.File
}

func (g *growing) append(r *Result, batch []byte, events int) error {
	start := time.Now()
	g.mu.Lock()
	_, err := g.file.Write(batch)
	g.mu.Unlock()
	if err == nil {
		err = g.file.Sync() // outside the lock: what the others wrote meanwhile goes along, and theirs finds less to do
	}
	if err != nil {
		return err
	}
	r.Requests, r.Events, r.Bytes = r.Requests+1, r.Events+int64(events), r.Bytes+int64(len(batch))
	r.Waits = append(r.Waits, time.Since(start))
	return nil
}
