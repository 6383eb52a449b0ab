package duck

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/signallake/signallake/lake"
)

// hotRows holds the events of one raw segment, or a part of them, for SQL. It is treated like a file: a version with a watermark above its segment does not
// see it, and its memory is given back when no statement holds it any more.
type hotRows struct {
	first lake.Seq // of the segment
	fixed arena    // of the blocks
	long  arena    // of texts that do not fit in a value

	// Guarded by hotSet.mu.
	blocks []*hotBlock // in the order of seq; the last ones may hold nothing that is published
	rows   int64       // published
	held   int         // statements that read it
	kept   bool        // a writer fills it: it stays among the tables
}

// hotSet is the hot rows of the lake. The lock makes two steps one: taking the newest version, and taking the rows that belong to it.
// What is taken away is below the watermark of the lake's current version, and a later pin cannot be older.
type hotSet struct {
	lake  *lake.Lake
	slabs slabs

	mu      sync.Mutex
	tables  []*hotRows // in the order in which they were begun
	retired []*hotRows // no new statement sees them; given back once nobody holds them
	pinned  map[int64]*hotTable
	made    int64 // for names
}

func newHotSet(l *lake.Lake, limit int64, spill string) *hotSet {
	return &hotSet{lake: l, slabs: slabs{limit: limit, spares: spareSlabs, path: spill}, pinned: map[int64]*hotTable{}}
}

// hotTable is what one statement sees of a segment's hot rows. It does not change, whatever is appended or taken back meanwhile.
type hotTable struct {
	id     int64
	name   string // what stands for it behind FROM, as long as the statement holds it
	from   *hotRows
	blocks []*hotBlock
	rows   int64
}

// rowsOf is how many rows of a block the statement sees.
func (t *hotTable) rowsOf(block int) int {
	return int(min(t.rows-t.blocks[block].before, blockRows))
}

// view is what one statement sees: a version and its hot rows.
type view struct {
	*lake.Pin
	hot  []*hotTable
	rows int64 // in the hot tables
	set  *hotSet
}

func (h *hotSet) pin() *view {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := &view{Pin: h.lake.Pin(), set: h}
	for _, from := range h.tables {
		if from.first < v.Version.Watermark || from.rows == 0 {
			continue
		}
		from.held++
		h.made++
		t := &hotTable{id: h.made, name: fmt.Sprintf("%s(%d)", hotFunction, h.made), from: from, rows: from.rows}
		for _, b := range from.blocks {
			if b.before < t.rows {
				t.blocks = append(t.blocks, b)
			}
		}
		h.pinned[t.id] = t
		v.rows += t.rows
		v.hot = append(v.hot, t)
	}
	return v
}

func (v *view) release() {
	v.set.mu.Lock()
	for _, t := range v.hot {
		t.from.held--
		delete(v.set.pinned, t.id)
	}
	v.hot = nil
	v.set.mu.Unlock()
	v.Release()
}

// held is the table that a running statement calls by its id.
func (h *hotSet) held(id int64) (*hotTable, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.pinned[id]
	return t, ok
}

// add begins a table for rows of a segment, and keeps it until finish.
func (h *hotSet) add(segment lake.Seq) *hotRows {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := &hotRows{first: segment, fixed: arena{slabs: &h.slabs}, long: arena{slabs: &h.slabs}, kept: true}
	h.tables = append(h.tables, t)
	return t
}

// extend adds a block to a table, whose rows are published later.
func (h *hotSet) extend(t *hotRows, b *hotBlock) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.blocks = append(t.blocks, b)
}

// publish shows the first rows of a table to new statements, and answers how many more these are than before.
func (h *hotSet) publish(t *hotRows, rows int64) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	more := rows - t.rows
	t.rows = rows
	return more
}

// finish tells that nothing more is written to the table.
func (h *hotSet) finish(t *hotRows) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.kept = false
}

// retire takes away the tables that the lake's current version does not see, and gives back those that nobody holds. A table that is being written
// stays until its writer is done with it.
func (h *hotSet) retire() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	watermark := h.lake.Current().Watermark
	h.tables = slices.DeleteFunc(h.tables, func(t *hotRows) bool {
		if t.first >= watermark || t.kept {
			return false
		}
		h.retired = append(h.retired, t)
		return true
	})
	var errs []error
	h.retired = slices.DeleteFunc(h.retired, func(t *hotRows) bool {
		if t.held > 0 {
			return false
		}
		errs = append(errs, t.fixed.release(), t.long.release())
		return true
	})
	return errors.Join(errs...)
}

// cut takes back every row at or above a seq. No table may be kept. Statements that hold the rows go on seeing them: nothing is written over.
func (h *hotSet) cut(from lake.Seq) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tables = slices.DeleteFunc(h.tables, func(t *hotRows) bool {
		if t.first >= from {
			h.retired = append(h.retired, t)
			return true
		}
		t.rows = t.below(from)
		return false
	})
}

// below counts the published rows with a lower seq: they are in its order.
func (t *hotRows) below(seq lake.Seq) int64 {
	low, high := int64(0), t.rows
	for low < high {
		middle := (low + high) / 2
		if t.seqOf(middle) < seq {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// seqOf is the seq of a row. Every block but the last is full.
func (t *hotRows) seqOf(row int64) lake.Seq {
	return lake.Seq(t.blocks[row/blockRows].int64s(hotSeq)[row%blockRows])
}

// close gives everything back. No statement may run any more.
func (h *hotSet) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, t := range append(h.tables, h.retired...) {
		errs = append(errs, t.fixed.release(), t.long.release())
	}
	h.tables, h.retired = nil, nil
	return errors.Join(append(errs, h.slabs.close())...)
}
