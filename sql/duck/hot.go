package duck

import (
	"database/sql/driver"
	"fmt"
	"sync"
	"sync/atomic"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/signallake/signallake/lake"
)

// hotTable holds the rows of one raw segment, or the first part of them. It is treated like a file: a version with a watermark above its
// segment does not see it, and it is dropped when no statement holds it any more.
type hotTable struct {
	name  string
	first lake.Seq     // of the segment
	rows  atomic.Int64 // flushed
	held  int          // statements that read it; guarded by hotSet.mu
	kept  bool         // a writer fills it: it stays among the tables; guarded by hotSet.mu
}

// hotSet is the hot tables of the prompt's instance. The lock makes two steps one: taking the newest version, and taking the tables that belong to it.
// What is taken away is below the watermark of the lake's current version, and a later pin cannot be older.
type hotSet struct {
	lake *lake.Lake
	conn *conn // the feed's; used by the feed's goroutine alone

	mu      sync.Mutex
	tables  []*hotTable // in the order of segments
	retired []*hotTable // no new statement sees them; dropped by the feed once nobody holds them
	made    int         // for names: after a rewind a segment's table may be made again
}

func newHotSet(l *lake.Lake, c *conn) *hotSet { return &hotSet{lake: l, conn: c} }

// view is what one statement sees: a version and its hot tables.
type view struct {
	*lake.Pin
	hot  []*hotTable
	rows int64 // in the hot tables when it was taken
	set  *hotSet
}

func (h *hotSet) pin() *view {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := &view{Pin: h.lake.Pin(), set: h}
	for _, t := range h.tables {
		if t.first >= v.Version.Watermark {
			t.held++
			v.rows += t.rows.Load()
			v.hot = append(v.hot, t)
		}
	}
	return v
}

func (v *view) release() {
	v.set.mu.Lock()
	for _, t := range v.hot {
		t.held--
	}
	v.hot = nil
	v.set.mu.Unlock()
	v.Release()
}

// add makes the table of a segment, on the connection of the writer that will fill it, and keeps it until finish.
func (h *hotSet) add(c *conn, segment lake.Seq) (*hotTable, error) {
	h.mu.Lock()
	h.made++
	t := &hotTable{name: fmt.Sprintf("hot_%d_%d", segment, h.made), first: segment, kept: true}
	h.mu.Unlock()
	if err := c.exec("CREATE TABLE " + t.name + "(" + columnsSQL() + ")"); err != nil {
		return nil, fmt.Errorf("make the table of segment %d: %w", segment, err)
	}
	h.mu.Lock()
	h.tables = append(h.tables, t)
	h.mu.Unlock()
	return t, nil
}

// finish tells that the table's writer has closed its appender.
func (h *hotSet) finish(t *hotTable) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.kept = false
}

// retire takes away the tables that the lake's current version does not see, and drops those that nobody holds. A table that is being written
// stays until its writer has closed its appender.
func (h *hotSet) retire() error {
	h.mu.Lock()
	watermark := h.lake.Current().Watermark
	var live, held, drop []*hotTable
	for _, t := range h.tables {
		if t.first >= watermark || t.kept {
			live = append(live, t)
		} else {
			h.retired = append(h.retired, t)
		}
	}
	for _, t := range h.retired {
		if t.held > 0 {
			held = append(held, t)
		} else {
			drop = append(drop, t)
		}
	}
	h.tables, h.retired = live, held
	h.mu.Unlock()
	for _, t := range drop {
		if err := h.conn.exec("DROP TABLE " + t.name); err != nil {
			return fmt.Errorf("drop the table of segment %d: %w", t.first, err)
		}
	}
	return nil
}

// cut takes back every row at or above a seq, in one transaction.
func (h *hotSet) cut(from lake.Seq) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var live []*hotTable
	if err := h.conn.exec("BEGIN"); err != nil {
		return err
	}
	for _, t := range h.tables {
		if t.first >= from {
			h.retired = append(h.retired, t)
			continue
		}
		live = append(live, t)
		if err := h.conn.exec(fmt.Sprintf("DELETE FROM %s WHERE seq >= %d", t.name, from)); err != nil {
			return err
		}
	}
	if err := h.conn.exec("COMMIT"); err != nil {
		return err
	}
	h.tables = live
	for _, t := range live {
		set, err := h.conn.query("SELECT count(*) FROM "+t.name, 1)
		if err != nil {
			return err
		}
		n, _ := set.rows[0][0].(int64)
		t.rows.Store(n)
	}
	return nil
}

// hotRow fills row with an event in the order of lake.Columns.
func hotRow(row []driver.Value, e *lake.Event, seq lake.Seq) {
	row[0] = e.Timestamp.Time()
	row[1] = lake.DateOf(e.Timestamp).Start().Time()
	row[2] = e.ServiceName
	row[3] = e.StatusCode
	row[4] = orNull(e.Endpoint)
	row[5] = orNull(e.Method)
	row[6] = nil
	if e.HasLatency {
		row[6] = e.LatencyMS
	}
	row[7] = orNull(e.Region)
	row[8] = orNull(e.Level)
	row[9] = orNull(e.Message)
	row[10] = orNull(e.Host)
	row[11] = e.EventID
	row[12] = orNull(e.RequestID)
	row[13] = orNull(e.TraceID)
	row[14] = orNull(e.SpanID)
	row[15] = orNull(e.Attributes)
	row[16] = e.ReceivedAt.Time()
	row[17] = int64(seq)
}

func orNull(s string) driver.Value {
	if s == "" {
		return nil
	}
	return s
}

// hotWriter appends rows to the table of the segment at hand.
type hotWriter struct {
	set      *hotSet
	conn     *conn // nobody else's while it writes
	table    *hotTable
	appender *duckdb.Appender
	row      [18]driver.Value
	pending  int64 // rows appended and not flushed
}

// open makes ready for a segment: the one before is flushed and closed first, before its conversion can begin to need that.
func (w *hotWriter) open(segment lake.Seq) error {
	if w.table != nil && w.table.first == segment {
		return nil
	}
	if err := w.close(); err != nil {
		return err
	}
	table, err := w.set.add(w.conn, segment)
	if err != nil {
		return err
	}
	w.table = table
	w.appender, err = duckdb.NewAppenderFromConn(w.conn.driver, "", table.name)
	return err
}

func (w *hotWriter) append(e *lake.Event, seq lake.Seq) error {
	hotRow(w.row[:], e, seq)
	if err := w.appender.AppendRow(w.row[:]...); err != nil {
		return fmt.Errorf("append event %d: %w", seq, err)
	}
	w.pending++
	return nil
}

func (w *hotWriter) flush() error {
	if w.pending == 0 {
		return nil
	}
	if err := w.appender.Flush(); err != nil {
		return fmt.Errorf("flush hot rows: %w", err)
	}
	w.table.rows.Add(w.pending)
	w.pending = 0
	return nil
}

func (w *hotWriter) close() error {
	if w.table == nil {
		return nil
	}
	var err error
	if w.appender != nil {
		if err = w.flush(); err != nil {
			return err
		}
		err = w.appender.Close()
	}
	w.set.finish(w.table)
	w.appender, w.table = nil, nil
	return err
}
