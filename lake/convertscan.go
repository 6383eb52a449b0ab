package lake

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
)

// scannedRun is a run's events in memory. Nothing of it changes any more.
type scannedRun struct {
	blocks     []*block // in the order of seq
	partitions []Partition
	pieces     [][]piece // of each partition, in the order of seq
	rows       []int     // of each partition
	texts      [textColumns]*runDictionary
	events     int64
}

// scanRun reads a run with all workers.
func scanRun(ctx context.Context, source *runLines, m *convertMemory, p *Progress) (*scannedRun, error) {
	defer source.close()
	m.begin()
	group := newTaskGroup(ctx)
	scanned := make([][]*block, len(m.scanned))
	for i, w := range m.scanned {
		group.run(func(ctx context.Context) error {
			for ctx.Err() == nil {
				s, err := source.next()
				if err == io.EOF {
					return nil
				}
				if err != nil {
					return err
				}
				blocks, err := w.scan(&s)
				s.done()
				if err != nil {
					return err
				}
				scanned[i] = append(scanned[i], blocks...)
				p.Add(int64(s.n))
			}
			return ctx.Err()
		})
	}
	if err := group.wait(); err != nil {
		return nil, err
	}
	return arrange(slices.Concat(scanned...), m)
}

// scan turns a share into blocks.
func (w *scanWorker) scan(s *share) ([]*block, error) {
	var blocks []*block
	var e Event
	seq, first := s.first, s.first
	err := s.each(&w.lines, func(lines []byte) error {
		for len(lines) > 0 {
			n, err := w.scanner.Next(lines, &e)
			if err != nil {
				return fmt.Errorf("the line of event %d is not canonical: %w", seq, err)
			}
			w.add(&e)
			lines = lines[n:]
			seq++
			if w.full() {
				blocks, first = append(blocks, w.finish(first)), seq
			}
		}
		return nil
	})
	if err != nil {
		w.builder.clear()
		return nil, err
	}
	if seq > first {
		blocks = append(blocks, w.finish(first))
	}
	if n := int(seq - s.first); n != s.n {
		return nil, fmt.Errorf("the batches from event %d on hold %d lines, their index says %d", s.first, n, s.n)
	}
	return blocks, nil
}

// arrange puts the workers' blocks together: their partitions and dictionaries get common numbers.
func arrange(blocks []*block, m *convertMemory) (*scannedRun, error) {
	if len(blocks) > maxBlocks {
		return nil, fmt.Errorf("%d blocks of events in one run, the most is %d", len(blocks), maxBlocks)
	}
	slices.SortFunc(blocks, func(a, b *block) int { return cmp.Compare(a.first, b.first) })
	r := &scannedRun{blocks: blocks}
	var workers []*scanWorker
	for _, b := range blocks {
		r.events += int64(b.rows())
		if !slices.Contains(workers, b.worker) {
			workers = append(workers, b.worker)
		}
	}
	for i := range r.texts {
		m.texts[i].join(workers, i)
		r.texts[i] = &m.texts[i]
	}
	numbers := r.number(workers)
	r.pieces, r.rows = make([][]piece, len(r.partitions)), make([]int, len(r.partitions))
	for i, b := range blocks {
		of := numbers[b.worker.number]
		from := uint16(0)
		for _, part := range b.parts {
			n := of[part.partition]
			r.pieces[n] = append(r.pieces[n], piece{uint32(i), from, part.end})
			r.rows[n] += int(part.end - from)
			from = part.end
		}
	}
	return r, nil
}

// number gives all workers' partitions common numbers, in the order of Partition.Compare. The result has them by worker and its number.
func (r *scannedRun) number(workers []*scanWorker) map[int][]int {
	for _, w := range workers {
		r.partitions = append(r.partitions, w.partitions...)
	}
	slices.SortFunc(r.partitions, Partition.Compare)
	r.partitions = slices.Compact(r.partitions)
	numbers := map[int][]int{}
	for _, w := range workers {
		of := make([]int, len(w.partitions))
		for i, p := range w.partitions {
			of[i], _ = slices.BinarySearchFunc(r.partitions, p, Partition.Compare)
		}
		numbers[w.number] = of
	}
	return numbers
}

// runDictionary is a text column's values in all workers' dictionaries.
type runDictionary struct {
	values  []string
	of      [][]uint32 // by worker and its own number: the value's place in values
	numbers map[string]uint32
}

func (d *runDictionary) join(workers []*scanWorker, column int) {
	if d.numbers == nil {
		d.numbers = map[string]uint32{}
	}
	clear(d.numbers)
	clear(d.values)
	d.values = d.values[:0]
	for _, w := range workers {
		for len(d.of) <= w.number {
			d.of = append(d.of, nil)
		}
		of := d.of[w.number][:0]
		for _, v := range w.dictionaries[column].values {
			n, ok := d.numbers[v]
			if !ok {
				n = uint32(len(d.values))
				d.numbers[v] = n
				d.values = append(d.values, v)
			}
			of = append(of, n)
		}
		d.of[w.number] = of
	}
}
