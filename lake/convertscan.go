package lake

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
)

// runSource hands out a run's committed lines in order: chunks of whole batches, good until fn returns.
type runSource func(fn func(lines []byte, first Seq, n int) error) error

// scannedRun is a run's events in memory. Nothing of it changes any more.
type scannedRun struct {
	blocks     []*block // in the order of seq
	partitions []Partition
	rows       [][]rowRef // of each partition, ordered by timestamp, then seq
	events     int64
}

// chunk is lines on their way to a scan worker.
type chunk struct {
	lines []byte
	first Seq
	n     int
}

// scanRun reads a run with some workers.
func scanRun(ctx context.Context, source runSource, workers int, p *Progress) (*scannedRun, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	full, empty := make(chan chunk), make(chan []byte, workers+1)
	for range workers + 1 {
		empty <- nil
	}
	var wg sync.WaitGroup
	scanned := make([][]*block, workers)
	for i := range workers {
		wg.Go(func() {
			w := newScanWorker()
			for c := range full {
				if ctx.Err() == nil {
					blocks, err := w.scan(c)
					if err != nil {
						cancel(err)
					}
					scanned[i] = append(scanned[i], blocks...)
					p.Add(int64(c.n))
				}
				empty <- c.lines
			}
		})
	}
	err := source(func(lines []byte, first Seq, n int) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		full <- chunk{lines: append((<-empty)[:0], lines...), first: first, n: n}
		return nil
	})
	close(full)
	wg.Wait()
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	return arrange(ctx, slices.Concat(scanned...))
}

// scan turns a chunk into blocks.
func (w *scanWorker) scan(c chunk) ([]*block, error) {
	var blocks []*block
	var e Event
	seq, first := c.first, c.first
	for rest := c.lines; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			end = len(rest)
		}
		if err := w.scanner.Scan(rest[:end], &e); err != nil {
			w.finish(first) // leaves the builder empty
			return nil, fmt.Errorf("the line of event %d is not canonical: %w", seq, err)
		}
		w.add(&e)
		rest = rest[end:]
		seq++
		if w.full() {
			blocks, first = append(blocks, w.finish(first)), seq
		}
	}
	if seq > first {
		blocks = append(blocks, w.finish(first))
	}
	if n := int(seq - c.first); n != c.n {
		return nil, fmt.Errorf("the batches from event %d on hold %d lines, their index says %d", c.first, n, c.n)
	}
	return blocks, nil
}

// arrange sorts the rows by partition, then by time.
func arrange(ctx context.Context, blocks []*block) (*scannedRun, error) {
	if len(blocks) > maxBlocks {
		return nil, fmt.Errorf("%d blocks of events in one run, the most is %d", len(blocks), maxBlocks)
	}
	slices.SortFunc(blocks, func(a, b *block) int { return int(min(1, max(-1, a.first-b.first))) })
	r := &scannedRun{blocks: blocks}
	numbers := r.number()
	counts := make([]int, len(r.partitions))
	for _, b := range blocks {
		of := numbers[b.worker]
		for _, p := range b.partition {
			counts[of[p]]++
		}
		r.events += int64(b.rows())
	}
	all := make([]rowRef, r.events)
	r.rows = make([][]rowRef, len(counts))
	for i, n := range counts {
		r.rows[i], all = all[:0:n], all[n:]
	}
	for i, b := range blocks {
		of := numbers[b.worker]
		for row, p := range b.partition {
			n := of[p]
			r.rows[n] = append(r.rows[n], rowRef(i<<rowBits|row))
		}
	}
	var keys []rowKey
	for _, rows := range r.rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		keys = r.sortByTime(rows, keys)
	}
	return r, nil
}

// number gives all workers' partitions common numbers, in the order of Partition.Compare.
func (r *scannedRun) number() map[*scanWorker][]int {
	numbers := map[*scanWorker][]int{}
	for _, b := range r.blocks {
		if numbers[b.worker] == nil {
			numbers[b.worker] = make([]int, len(b.worker.partitions))
			r.partitions = append(r.partitions, b.worker.partitions...)
		}
	}
	slices.SortFunc(r.partitions, Partition.Compare)
	r.partitions = slices.Compact(r.partitions)
	for w, of := range numbers {
		for i, p := range w.partitions {
			of[i], _ = slices.BinarySearchFunc(r.partitions, p, Partition.Compare)
		}
	}
	return numbers
}

type rowKey struct {
	at  Micros
	row rowRef
}

// sortByTime sorts one partition's rows, which come in the order of seq, by timestamp and then seq. keys is scratch.
func (r *scannedRun) sortByTime(rows []rowRef, keys []rowKey) []rowKey {
	keys = keys[:0]
	sorted := true
	for i, ref := range rows {
		at := r.blocks[ref>>rowBits].timestamp[ref&(blockRows-1)]
		sorted = sorted && (i == 0 || keys[i-1].at <= at)
		keys = append(keys, rowKey{at, ref})
	}
	if sorted {
		return keys
	}
	slices.SortFunc(keys, func(a, b rowKey) int {
		if a.at != b.at {
			if a.at < b.at {
				return -1
			}
			return 1
		}
		if a.row < b.row {
			return -1
		}
		return 1
	})
	for i := range keys {
		rows[i] = keys[i].row
	}
	return keys
}
