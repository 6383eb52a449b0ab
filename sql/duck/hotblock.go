package duck

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/signallake/signallake/lake"
)

// The columns of a hot row, in the order of lake.Columns.
const (
	hotTimestamp = iota
	hotDate
	hotService
	hotStatus
	hotEndpoint
	hotMethod
	hotLatency
	hotRegion
	hotLevel
	hotMessage
	hotHost
	hotEventID
	hotRequestID
	hotTraceID
	hotSpanID
	hotAttributes
	hotReceived
	hotSeq
	hotColumns
)

const (
	// blockRows is the length of DuckDB's vectors: a block is what a scan hands over in one step.
	blockRows = 2048
	maskWords = blockRows / 64
)

// hotWidths are the bytes of a value as DuckDB's vectors hold it.
var hotWidths = [hotColumns]int{
	hotTimestamp: 8, hotDate: 4, hotService: textBytes, hotStatus: 4, hotEndpoint: textBytes, hotMethod: textBytes, hotLatency: 8, hotRegion: textBytes,
	hotLevel: textBytes, hotMessage: textBytes, hotHost: textBytes, hotEventID: textBytes, hotRequestID: textBytes, hotTraceID: textBytes, hotSpanID: textBytes,
	hotAttributes: textBytes, hotReceived: 8, hotSeq: 8,
}

// hotBlock is up to blockRows rows, column by column, in the form of DuckDB's vectors. It lies outside of Go's heap. A row is written once, by its table's
// writer, and read by statements that were told of it after that.
type hotBlock struct {
	before  int64 // rows of the table before it
	columns [hotColumns]unsafe.Pointer
	valid   [hotColumns]*[maskWords]uint64 // a bit a row: 0 is NULL; written and read by whole words
	nulls   atomic.Uint32                  // a bit a column: it may hold a NULL
}

func newHotBlock(a *arena, before int64) (*hotBlock, error) {
	b := &hotBlock{before: before}
	n := 0
	for _, width := range hotWidths {
		n += blockRows*width + maskWords*8
	}
	memory, err := a.take(n)
	if err != nil {
		return nil, err
	}
	for i, width := range hotWidths {
		b.columns[i], memory = unsafe.Pointer(&memory[0]), memory[blockRows*width:]
		b.valid[i], memory = (*[maskWords]uint64)(unsafe.Pointer(&memory[0])), memory[maskWords*8:]
		for word := range b.valid[i] {
			b.valid[i][word] = ^uint64(0)
		}
	}
	return b, nil
}

func (b *hotBlock) int64s(column int) *[blockRows]int64 {
	return (*[blockRows]int64)(b.columns[column])
}

func (b *hotBlock) int32s(column int) *[blockRows]int32 {
	return (*[blockRows]int32)(b.columns[column])
}

func (b *hotBlock) float64s(column int) *[blockRows]float64 {
	return (*[blockRows]float64)(b.columns[column])
}

func (b *hotBlock) texts(column int) *[blockRows]hotText {
	return (*[blockRows]hotText)(b.columns[column])
}

const (
	textBytes = 16
	// inlineText is the longest text that DuckDB keeps in the value itself; of a longer one it keeps the first four bytes there, and where it lies.
	inlineText = 12
)

// hotText is DuckDB's duckdb_string_t: the length in 4 bytes, then the text itself, filled up with zeros, or its first 4 bytes and its address.
type hotText struct{ head, tail uint64 }

// inlined is a text of up to inlineText bytes.
func inlined(s string) hotText {
	n := len(s)
	switch {
	case n >= 8:
		first, last := load64(s), load32(s[n-4:])
		return hotText{uint64(n) | first<<32, first>>32 | uint64(last>>(8*(12-n)))<<32}
	case n >= 4:
		return hotText{uint64(n) | uint64(load32(s))<<32, uint64(load32(s[n-4:]) >> (8 * (8 - n)))}
	}
	t := hotText{head: uint64(n)}
	for i := range n {
		t.head |= uint64(s[i]) << (32 + 8*i)
	}
	return t
}

func load32(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

func load64(s string) uint64 { return uint64(load32(s)) | uint64(load32(s[4:8]))<<32 }

// hotWriter appends rows to the table of the segment at hand. Nobody sees them before publish.
type hotWriter struct {
	set   *hotSet
	table *hotRows
	block *hotBlock // nil: the next row begins one
	used  int       // rows of block
	nulls [hotColumns]uint64
	rows  int64 // of the table
}

// open makes ready for a segment; what was appended to the one before is published.
func (w *hotWriter) open(segment lake.Seq) {
	if w.table != nil && w.table.first == segment {
		return
	}
	w.close()
	w.table = w.set.add(segment)
}

// append adds one event. Its strings are copied.
func (w *hotWriter) append(e *lake.Event, seq lake.Seq) error {
	if w.block == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	b, i := w.block, w.used
	b.int64s(hotTimestamp)[i] = int64(e.Timestamp)
	b.int32s(hotDate)[i] = int32(lake.DateOf(e.Timestamp))
	b.int32s(hotStatus)[i] = e.StatusCode
	b.float64s(hotLatency)[i] = e.LatencyMS
	if !e.HasLatency {
		w.nulls[hotLatency] |= 1 << (i % 64)
	}
	b.int64s(hotReceived)[i] = int64(e.ReceivedAt)
	b.int64s(hotSeq)[i] = int64(seq)
	err := w.texts(i, e)
	if err != nil {
		return fmt.Errorf("keep event %d for SQL: %w", seq, err)
	}
	w.rows++
	if w.used++; w.used%64 == 0 {
		w.mask(w.used - 64)
		clear(w.nulls[:])
	}
	if w.used == blockRows {
		w.block = nil
	}
	return nil
}

func (w *hotWriter) begin() error {
	block, err := newHotBlock(&w.table.fixed, w.rows)
	if err != nil {
		return err
	}
	w.set.extend(w.table, block)
	w.block, w.used = block, 0
	return nil
}

// texts writes the columns of texts. What does not fit in its value goes, one behind the other, into one piece of memory.
func (w *hotWriter) texts(i int, e *lake.Event) error {
	most := len(e.ServiceName) + len(e.Endpoint) + len(e.Method) + len(e.Region) + len(e.Level) + len(e.Message) + len(e.Host) + len(e.EventID) + len(e.RequestID) + len(e.TraceID) +
		len(e.SpanID) + len(e.Attributes)
	if err := w.table.long.reserve(most); err != nil {
		return err
	}
	w.text(hotService, i, e.ServiceName)
	w.textOrNull(hotEndpoint, i, e.Endpoint)
	w.textOrNull(hotMethod, i, e.Method)
	w.textOrNull(hotRegion, i, e.Region)
	w.textOrNull(hotLevel, i, e.Level)
	w.textOrNull(hotMessage, i, e.Message)
	w.textOrNull(hotHost, i, e.Host)
	w.text(hotEventID, i, e.EventID)
	w.textOrNull(hotRequestID, i, e.RequestID)
	w.textOrNull(hotTraceID, i, e.TraceID)
	w.textOrNull(hotSpanID, i, e.SpanID)
	w.textOrNull(hotAttributes, i, e.Attributes)
	return nil
}

// textOrNull writes an absent text as NULL.
func (w *hotWriter) textOrNull(column, i int, s string) {
	if s == "" {
		w.nulls[column] |= 1 << (i % 64)
	}
	w.text(column, i, s)
}

func (w *hotWriter) text(column, i int, s string) {
	to := &w.block.texts(column)[i]
	if len(s) <= inlineText {
		*to = inlined(s)
		return
	}
	at := w.table.long.reserved(len(s))
	copy(at, s)
	*to = hotText{uint64(len(s)) | uint64(load32(s))<<32, uint64(uintptr(unsafe.Pointer(&at[0])))}
}

// mask writes the words of validity of the 64 rows from row on, as far as they are known.
func (w *hotWriter) mask(row int) {
	flags := w.block.nulls.Load()
	for column, nulls := range w.nulls {
		if nulls != 0 {
			atomic.StoreUint64(&w.block.valid[column][row/64], ^nulls)
			flags |= 1 << column
		}
	}
	w.block.nulls.Store(flags)
}

// publish shows statements what was appended, and answers how many rows are new to them.
func (w *hotWriter) publish() int64 {
	if w.table == nil {
		return 0
	}
	if w.block != nil && w.used%64 > 0 {
		w.mask(w.used &^ 63)
	}
	return w.set.publish(w.table, w.rows)
}

// close publishes, and lets the table go when it is converted.
func (w *hotWriter) close() {
	if w.table == nil {
		return
	}
	w.publish()
	w.set.finish(w.table)
	clear(w.nulls[:])
	w.table, w.block, w.used, w.rows = nil, nil, 0, 0
}
