package lake

import (
	"math"
	"strings"
	"unsafe"
)

// A conversion run holds its events by column, in blocks of blockRows: about 120 bytes an event instead of the 350 of its line, because
// repeated strings are dictionary numbers and hex ids are kept as bytes. A block belongs to the worker that scanned it and is never
// changed once finished.

const (
	rowBits   = 12
	blockRows = 1 << rowBits // 4,096 rows: a builder's scratch (about 1 MiB) stays in the second-level cache
	// maxBlocks is what a rowRef can name; the run's cap on raw bytes keeps far below it.
	maxBlocks = 1 << (32 - rowBits)
)

// rowRef names a row of a run: the block's number above rowBits, the row below. Refs are in the order of seq.
type rowRef uint32

// The text columns: strings that repeat.
const (
	textEndpoint = iota
	textMethod
	textRegion
	textHost
	textLevel
	textMessage
	textAttributes
	textColumns
)

// The id columns: strings that do not.
const (
	idEvent = iota
	idRequest
	idTrace
	idSpan
	idColumns
)

// textColumnNames and idColumnNames have the order of the numbers above.
func textColumnNames() []string {
	return []string{"endpoint", "method", "region", "host", "level", "message", "attributes"}
}
func idColumnNames() []string { return []string{"event_id", "request_id", "trace_id", "span_id"} }

// block is some consecutive events of one raw segment.
type block struct {
	first     Seq // of row 0; the others follow without a gap
	timestamp []Micros
	received  []Micros
	latency   []float64 // NaN: none
	partition []uint32  // number in worker.partitions
	text      [textColumns]textColumn
	ids       [idColumns]idColumn
	worker    *scanWorker
}

func (b *block) rows() int { return len(b.timestamp) }

// textColumn is the values of one text column in a block: numbers below dictionaryLimit are the worker's dictionary's, the others count
// on from there into own.
type textColumn struct {
	numbers []uint16
	own     []byte   // what the dictionary had no room for, one after the other
	ends    []uint32 // where each of those ends
}

func (b *block) textAt(column, row int) string {
	c := &b.text[column]
	n := c.numbers[row]
	if n < dictionaryLimit {
		return b.worker.dictionaries[column].values[n]
	}
	n -= dictionaryLimit
	start := uint32(0)
	if n > 0 {
		start = c.ends[n-1]
	}
	if start == c.ends[n] {
		return ""
	}
	return unsafe.String(&c.own[start], c.ends[n]-start)
}

const (
	// dictionaryLimit is how many different values of a column a worker keeps: above it the column does not repeat enough.
	dictionaryLimit = 8192
	// dictionaryText: longer values than this go to the block, so that a dictionary takes 2 MiB at most.
	dictionaryText = 256
)

type dictionary struct {
	numbers map[string]uint16
	values  []string
}

// number finds or gives the value's number; false when there is no room for it.
func (d *dictionary) number(s string) (uint16, bool) {
	if n, ok := d.numbers[s]; ok {
		return n, true
	}
	if len(d.values) == dictionaryLimit || len(s) > dictionaryText {
		return 0, false
	}
	if d.numbers == nil {
		d.numbers = map[string]uint16{}
	}
	s = strings.Clone(s)
	n := uint16(len(d.values))
	d.numbers[s] = n
	d.values = append(d.values, s)
	return n, true
}

// scanWorker turns lines into blocks, with dictionaries of its own.
type scanWorker struct {
	scanner      Scanner
	dictionaries [textColumns]dictionary
	lastText     [textColumns]uint16 // neighbours are often alike
	services     map[string]string   // interned
	partitions   []Partition
	numbers      map[Partition]uint32
	builder      blockBuilder
}

func newScanWorker() *scanWorker {
	return &scanWorker{services: map[string]string{}, numbers: map[Partition]uint32{}}
}

// blockBuilder is the worker's scratch for the block at hand; finish copies it to size.
type blockBuilder struct {
	block
	ids  [idColumns]idBuilder
	text [textColumns]textColumn
}

// add appends one event to the block at hand. e may alias bytes that change afterwards.
func (w *scanWorker) add(e *Event) {
	b := &w.builder
	b.timestamp = append(b.timestamp, e.Timestamp)
	b.received = append(b.received, e.ReceivedAt)
	latency := math.NaN()
	if e.HasLatency {
		latency = e.LatencyMS
	}
	b.latency = append(b.latency, latency)
	b.partition = append(b.partition, w.partition(e))
	for i, s := range [textColumns]string{e.Endpoint, e.Method, e.Region, e.Host, e.Level, e.Message, e.Attributes} {
		w.addText(i, s)
	}
	for i, s := range [idColumns]string{e.EventID, e.RequestID, e.TraceID, e.SpanID} {
		b.ids[i].add(s)
	}
}

func (w *scanWorker) partition(e *Event) uint32 {
	p := PartitionOf(e)
	if n, ok := w.numbers[p]; ok {
		return n
	}
	service, ok := w.services[p.Service]
	if !ok {
		service = strings.Clone(p.Service)
		w.services[service] = service
	}
	p.Service = service
	n := uint32(len(w.partitions))
	w.numbers[p] = n
	w.partitions = append(w.partitions, p)
	return n
}

func (w *scanWorker) addText(column int, s string) {
	d, c := &w.dictionaries[column], &w.builder.text[column]
	if last := w.lastText[column]; int(last) < len(d.values) && d.values[last] == s {
		c.numbers = append(c.numbers, last)
		return
	}
	n, ok := d.number(s)
	if ok {
		w.lastText[column] = n
	} else {
		n = dictionaryLimit + uint16(len(c.ends))
		c.own = append(c.own, s...)
		c.ends = append(c.ends, uint32(len(c.own)))
	}
	c.numbers = append(c.numbers, n)
}

func (w *scanWorker) full() bool { return w.builder.rows() == blockRows }

// finish returns the block at hand, which starts at first, and begins the next one.
func (w *scanWorker) finish(first Seq) *block {
	b := &w.builder
	out := &block{
		first: first, worker: w, timestamp: take(&b.timestamp), received: take(&b.received), latency: take(&b.latency), partition: take(&b.partition),
	}
	for i := range b.text {
		out.text[i] = textColumn{numbers: take(&b.text[i].numbers), own: take(&b.text[i].own), ends: take(&b.text[i].ends)}
	}
	for i := range b.ids {
		out.ids[i] = b.ids[i].finish()
	}
	return out
}

// take copies a scratch slice to size and empties it.
func take[T any](scratch *[]T) []T {
	if len(*scratch) == 0 {
		return nil
	}
	out := make([]T, len(*scratch))
	copy(out, *scratch)
	*scratch = (*scratch)[:0]
	return out
}
