package lake

import (
	"unsafe"
)

// A conversion run holds its events by column, in blocks of up to blockRows: about 120 bytes an event instead of the 350 of its line, because
// repeated strings are dictionary numbers and hex ids are kept as bytes. Within a block the rows are put together by partition, so that
// whoever writes a partition finds its values side by side. A block belongs to the worker that scanned it and is never changed once finished.

const (
	rowBits   = 12
	blockRows = 1 << rowBits // 4,096 rows: a builder's scratch (about 1 MiB) stays in the second-level cache
	// maxBlocks is what a rowRef can name; the run's cap on raw bytes keeps far below it.
	maxBlocks = 1 << (32 - rowBits)
)

// rowRef names a row of a run: the block's number above rowBits, the row below.
type rowRef uint32

// piece is neighbouring rows of a block: those of a partition, or some of them.
type piece struct {
	block    uint32
	from, to uint16
}

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

// block is some consecutive events of one raw segment, by partition, within one in the order of seq.
type block struct {
	first     Seq       // the lowest
	order     []uint16  // a row's seq is first and this
	timestamp []int64   // Micros, like received
	received  []int64   // nil: all have receivedAll
	latency   []float64 // NaN: none
	parts     []blockPart
	text      [textColumns]textColumn
	ids       [idColumns]idColumn
	worker    *scanWorker

	receivedAll int64
}

// blockPart is where a partition's rows end in a block; they start at the end of the part before.
type blockPart struct {
	partition uint32 // number in worker.partitions
	end       uint16
}

func (b *block) rows() int { return len(b.timestamp) }

// textColumn is the values of one text column in a block: numbers below dictionaryLimit are the worker's dictionary's, the others count
// on from there into own, where they have the order of the rows.
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
	return c.ownAt(n)
}

// ownAt is the value of a number that is not the dictionary's, over the block's own bytes.
func (c *textColumn) ownAt(number uint16) string {
	n := int(number - dictionaryLimit)
	start := c.ownStart(n)
	if start == c.ends[n] {
		return ""
	}
	return unsafe.String(&c.own[start], c.ends[n]-start)
}

// ownStart is where an own value begins.
func (c *textColumn) ownStart(n int) uint32 {
	if n == 0 {
		return 0
	}
	return c.ends[n-1]
}

// ownRun is how many own values stand at the front of some neighbouring rows' numbers: one at least, and more while they are no more bytes than most.
func (c *textColumn) ownRun(numbers []uint16, most int) int {
	first := int(numbers[0] - dictionaryLimit)
	start := c.ownStart(first)
	n := 1
	for n < len(numbers) && numbers[n] >= dictionaryLimit && int(c.ends[first+n]-start) <= most {
		n++
	}
	return n
}
