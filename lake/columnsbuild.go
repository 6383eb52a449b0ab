package lake

import (
	"math"
	"slices"
	"strings"
)

// scanWorker turns lines into blocks, with dictionaries of its own.
type scanWorker struct {
	number       int    // among the run's workers
	lines        []byte // of the batches that are scanned
	scanner      Scanner
	dictionaries [textColumns]dictionary
	services     map[string]string // interned
	partitions   []Partition
	numbers      map[Partition]uint32
	recent       [recentValues]uint32 // into partitions, by a quick hash
	builder      blockBuilder
	carver       carver
}

func newScanWorker(number int, a *arena) *scanWorker {
	return &scanWorker{number: number, services: map[string]string{}, numbers: map[Partition]uint32{}, carver: carver{arena: a}}
}

// begin makes ready for a run: nothing of the one before is used any more.
func (w *scanWorker) begin() {
	for i := range w.dictionaries {
		w.dictionaries[i].clear()
	}
	clear(w.numbers)
	w.partitions, w.carver.rest = w.partitions[:0], nil
	w.builder.clear()
}

// blockBuilder is the worker's scratch for the block at hand, in the order of seq; finish sorts it into a block.
type blockBuilder struct {
	timestamp, received []int64
	latency             []float64
	partition           []uint32
	ids                 [idColumns]idBuilder
	text                [textColumns]textColumn

	order  []uint16 // of the rows, by partition
	counts []uint32 // of rows, by partition
	seen   []uint32 // partitions that have some
}

// add appends one event to the block at hand. e may alias bytes that change afterwards.
func (w *scanWorker) add(e *Event) {
	b := &w.builder
	b.timestamp = append(b.timestamp, int64(e.Timestamp))
	b.received = append(b.received, int64(e.ReceivedAt))
	latency := e.LatencyMS
	if !e.HasLatency {
		latency = math.NaN()
	}
	b.latency = append(b.latency, latency)
	b.partition = append(b.partition, w.partition(e))
	w.addText(textEndpoint, e.Endpoint)
	w.addText(textMethod, e.Method)
	w.addText(textRegion, e.Region)
	w.addText(textHost, e.Host)
	w.addText(textLevel, e.Level)
	w.addText(textMessage, e.Message)
	w.addText(textAttributes, e.Attributes)
	b.ids[idEvent].add(e.EventID)
	b.ids[idRequest].add(e.RequestID)
	b.ids[idTrace].add(e.TraceID)
	b.ids[idSpan].add(e.SpanID)
}

func (w *scanWorker) partition(e *Event) uint32 {
	p := PartitionOf(e)
	slot := &w.recent[quickHash(p.Service)^uint32(p.Status)%recentValues]
	if int(*slot) < len(w.partitions) && w.partitions[*slot] == p {
		return *slot
	}
	n, ok := w.numbers[p]
	if !ok {
		service, ok := w.services[p.Service]
		if !ok {
			service = strings.Clone(p.Service)
			w.services[service] = service
		}
		p.Service = service
		n = uint32(len(w.partitions))
		w.numbers[p] = n
		w.partitions = append(w.partitions, p)
	}
	*slot = n
	return n
}

func (w *scanWorker) addText(column int, s string) {
	c := &w.builder.text[column]
	n, ok := w.dictionaries[column].number(s)
	if !ok {
		n = dictionaryLimit + uint16(len(c.ends))
		c.own = append(c.own, s...)
		c.ends = append(c.ends, uint32(len(c.own)))
	}
	c.numbers = append(c.numbers, n)
}

func (w *scanWorker) full() bool { return len(w.builder.timestamp) == blockRows }

// finish returns the block at hand, which starts at first, and begins the next one.
func (w *scanWorker) finish(first Seq) *block {
	b, c := &w.builder, &w.carver
	out := &block{first: first, worker: w, parts: w.sortByPartition()}
	out.order = carve[uint16](c, len(b.order))
	copy(out.order, b.order)
	out.timestamp = sorted(c, b.timestamp, b.order)
	out.latency = sorted(c, b.latency, b.order)
	if out.receivedAll = b.received[0]; slices.ContainsFunc(b.received, func(at int64) bool { return at != out.receivedAll }) {
		out.received = sorted(c, b.received, b.order)
	}
	for i := range b.text {
		out.text[i] = b.text[i].inOrder(c, b.order)
	}
	for i := range b.ids {
		out.ids[i] = b.ids[i].finish(c, b.order)
	}
	b.clear()
	return out
}

// clear empties the builder.
func (b *blockBuilder) clear() {
	b.timestamp, b.received, b.latency, b.partition = b.timestamp[:0], b.received[:0], b.latency[:0], b.partition[:0]
	for i := range b.text {
		t := &b.text[i]
		t.numbers, t.own, t.ends = t.numbers[:0], t.own[:0], t.ends[:0]
	}
	for i := range b.ids {
		b.ids[i].clear()
	}
}

// sortByPartition orders the rows: by partition, in the order of their numbers, within one as they came.
func (w *scanWorker) sortByPartition() []blockPart {
	b := &w.builder
	for len(b.counts) < len(w.partitions) { // all are zero: the end of this function sees to it
		b.counts = append(b.counts, 0)
	}
	b.seen = b.seen[:0]
	for _, p := range b.partition {
		if b.counts[p] == 0 {
			b.seen = append(b.seen, p)
		}
		b.counts[p]++
	}
	slices.Sort(b.seen)
	parts := make([]blockPart, len(b.seen))
	end := uint32(0)
	for i, p := range b.seen {
		n := b.counts[p]
		b.counts[p] = end // from here on where its next row goes
		end += n
		parts[i] = blockPart{partition: p, end: uint16(end)}
	}
	b.order = slices.Grow(b.order[:0], len(b.partition))[:len(b.partition)]
	for row, p := range b.partition {
		b.order[b.counts[p]] = uint16(row)
		b.counts[p]++
	}
	for _, p := range b.seen {
		b.counts[p] = 0
	}
	return parts
}

// inOrder is the column in an order, its own values too: whoever writes a partition finds them side by side.
func (t *textColumn) inOrder(c *carver, order []uint16) textColumn {
	out := textColumn{numbers: sorted(c, t.numbers, order), own: carve[uint8](c, len(t.own)), ends: carve[uint32](c, len(t.ends))}
	if len(t.ends) == 0 {
		return out
	}
	end, n := 0, 0
	for i, number := range out.numbers {
		if number >= dictionaryLimit {
			end += copy(out.own[end:], t.ownAt(number))
			out.ends[n] = uint32(end)
			out.numbers[i] = dictionaryLimit + uint16(n)
			n++
		}
	}
	return out
}

// sorted is the values in an order.
func sorted[T uint8 | uint16 | int64 | float64](c *carver, values []T, order []uint16) []T {
	out := carve[T](c, len(values))
	for i, row := range order {
		out[i] = values[row]
	}
	return out
}
