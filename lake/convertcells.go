package lake

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/signallake/signallake/lake/rollup"
)

// writeCells sums the run up and writes the cells as a durable file, day after day: of a run that spans many days they would take as much
// memory as its events.
func (c *conversion) writeCells(ctx context.Context, r *scannedRun, temp string) (FileEntry, error) {
	entry := r.facts()
	entry.Name = parquetName(entry.MinSeq, entry.MaxSeq, c.id)
	file, err := c.disk.Create(temp)
	if err != nil {
		return entry, err
	}
	w := c.memory.cells
	w.Reset(file)
	sum, counted := r.cellSum(c.memory.sum)
	if counted {
		c.memory.sum = sum.Sum
	}
	for from := 0; from < len(r.partitions) && err == nil; {
		to := from + 1
		for to < len(r.partitions) && r.partitions[to].Date == r.partitions[from].Date {
			to++
		}
		if counted {
			if err = sum.add(ctx, from, to); err == nil {
				w.WriteSum(sum.Sum)
			}
		} else {
			var cells *rollup.Cells
			if cells, err = r.cells(ctx, from, to); err == nil {
				w.Write(cells)
			}
		}
		from = to
	}
	if err == nil {
		var summary rollup.Summary
		summary, err = w.Close()
		entry.Bytes, entry.CRC32C, entry.FooterBytes = summary.Bytes, summary.CRC32C, summary.FooterBytes
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return entry, fmt.Errorf("write %s: %w", temp, err)
	}
	return entry, nil
}

// facts is the rollup file's entry as far as it tells of the events.
func (r *scannedRun) facts() FileEntry {
	first, last := r.blocks[0], r.blocks[len(r.blocks)-1]
	entry := FileEntry{Rows: r.events, MinSeq: first.first, MaxSeq: last.first + Seq(last.rows()) - 1, MinTS: math.MaxInt64, MaxTS: math.MinInt64}
	for _, b := range r.blocks {
		entry.MinTS, entry.MaxTS = min(entry.MinTS, Micros(slices.Min(b.timestamp))), max(entry.MaxTS, Micros(slices.Max(b.timestamp)))
	}
	return entry
}

// cellSum sums the run's partitions up by the numbers of its dictionaries.
type cellSum struct {
	*rollup.Sum
	run       *scannedRun
	services  []uint32 // by partition
	endpoints [][]uint32
	regions   [][]uint32 // by block: the names' numbers that are not of a dictionary
}

// cellSum prepares, with the memory of an earlier sum, if there is one; ok is false when the run has too many names to number them.
func (r *scannedRun) cellSum(earlier *rollup.Sum) (s *cellSum, ok bool) {
	s = &cellSum{run: r}
	var services []string
	for i := range r.partitions {
		n := slices.Index(services, r.partitions[i].Service)
		if n < 0 {
			n = len(services)
			services = append(services, r.partitions[i].Service)
		}
		s.services = append(s.services, uint32(n))
	}
	endpoints, others, ok1 := r.names(textEndpoint)
	s.endpoints = others
	regions, others, ok2 := r.names(textRegion)
	s.regions = others
	if !ok1 || !ok2 {
		return nil, false
	}
	if s.Sum, ok = rollup.NewSum(services, endpoints, regions); ok && earlier != nil {
		s.Sum.TakeOver(earlier)
	}
	return s, ok
}

// mostNames is how many names beside those of the dictionaries are worth numbers: above it they hardly repeat.
const mostNames = 1 << 14

// names are a text column's values: those of the dictionaries in their order, and then the others, whose numbers others has by block.
func (r *scannedRun) names(column int) (list []string, others [][]uint32, ok bool) {
	list = r.texts[column].values
	var numbers map[string]uint32
	for i, b := range r.blocks {
		c := &b.text[column]
		if len(c.ends) == 0 {
			continue
		}
		if numbers == nil {
			list, others, numbers = slices.Clone(list), make([][]uint32, len(r.blocks)), make(map[string]uint32, len(list))
			for n, name := range list {
				numbers[name] = uint32(n)
			}
		}
		for k := range c.ends {
			name := c.ownAt(dictionaryLimit + uint16(k))
			n, known := numbers[name]
			if !known {
				if n = uint32(len(list)); int(n) == len(r.texts[column].values)+mostNames {
					return nil, nil, false
				}
				numbers[name] = n
				list = append(list, name)
			}
			others[i] = append(others[i], n)
		}
	}
	return list, others, true
}

// add counts the events of some partitions, which are of one day.
func (s *cellSum) add(ctx context.Context, from, to int) error {
	r := s.run
	events := 0
	for _, n := range r.rows[from:to] {
		events += n
	}
	s.Begin(int64(r.partitions[from].Date.Start()))
	s.Reserve(events)
	for i := from; i < to; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		status, service := r.partitions[i].Status, s.services[i]
		for _, piece := range r.pieces[i] {
			b := r.blocks[piece.block]
			endpointOf, regionOf := r.texts[textEndpoint].of[b.worker.number], r.texts[textRegion].of[b.worker.number]
			endpoints, regions := b.text[textEndpoint].numbers, b.text[textRegion].numbers
			for row := piece.from; row < piece.to; row++ {
				var endpoint, region uint32
				if n := endpoints[row]; n < dictionaryLimit {
					endpoint = endpointOf[n]
				} else {
					endpoint = s.endpoints[piece.block][n-dictionaryLimit]
				}
				if n := regions[row]; n < dictionaryLimit {
					region = regionOf[n]
				} else {
					region = s.regions[piece.block][n-dictionaryLimit]
				}
				s.Add(b.timestamp[row], service, endpoint, region, status, b.latency[row])
			}
		}
	}
	return nil
}

// cells sums some of the run's partitions up by the names themselves.
func (r *scannedRun) cells(ctx context.Context, from, to int) (*rollup.Cells, error) {
	cells := rollup.New()
	for i := from; i < to; i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := &r.partitions[i]
		for _, piece := range r.pieces[i] {
			b := r.blocks[piece.block]
			for row := int(piece.from); row < int(piece.to); row++ {
				latency := b.latency[row]
				has := !math.IsNaN(latency)
				if !has {
					latency = 0
				}
				cells.Add(b.timestamp[row], p.Service, b.textAt(textEndpoint, row), b.textAt(textRegion, row), p.Status, latency, has)
			}
		}
	}
	return cells, nil
}
