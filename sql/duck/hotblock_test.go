package duck

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
)

// hotRig is an engine whose hot rows a test writes itself.
type hotRig struct {
	t      *testing.T
	engine *Engine
	writer hotWriter
}

func newHotRig(t *testing.T) *hotRig {
	_, e := openBoth(t, t.TempDir())
	return &hotRig{t: t, engine: e, writer: hotWriter{set: e.hot}}
}

// query asks over what is published now.
func (r *hotRig) query(text string) [][]string {
	r.t.Helper()
	v := r.engine.hot.pin()
	defer v.release()
	view, err := eventsSQL(r.engine.lake.Layout(), nil, v.hot)
	if err != nil {
		r.t.Fatal(err)
	}
	c := <-r.engine.conns
	defer func() { r.engine.conns <- c }()
	if err := c.exec(view); err != nil {
		r.t.Fatal(err)
	}
	set, err := c.query(text, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	var rows [][]string
	for _, row := range set.rows {
		var cells []string
		for _, cell := range row {
			cells = append(cells, fmt.Sprint(cell))
		}
		rows = append(rows, cells)
	}
	return rows
}

// hotEvent is an event all of whose texts are as long as asked for, and differ.
func hotEvent(length int) lake.Event {
	letters := strings.Repeat("äbcdefghijklmnopqrstuvwxyz0123456789", length/36+1)
	at := 0
	next := func() string {
		at++
		text := letters[:length]
		if length > 1 {
			text = text[:length-1] + string(rune('A'+at))
		}
		return strings.ToValidUTF8(text, "_")
	}
	return lake.Event{Timestamp: 1_800_000_000_123_456, ReceivedAt: 1_800_000_001_000_001, StatusCode: 503, LatencyMS: 12.75, HasLatency: true, ServiceName: next(), Endpoint: next(),
		Method: next(), Region: next(), Level: next(), Message: next(), Host: next(), EventID: next(), RequestID: next(), TraceID: next(), SpanID: next(), Attributes: next()}
}

// TestHotTexts writes texts of every length around the one that fits in a value, and reads them back, whole and compared by DuckDB itself.
func TestHotTexts(t *testing.T) {
	r := newHotRig(t)
	r.writer.open(1)
	var lengths []int
	for n := range 40 {
		lengths = append(lengths, n)
	}
	lengths = append(lengths, 255, 4096, slabBytes, slabBytes+1, 1)
	var want []lake.Event
	for i, n := range lengths {
		e := hotEvent(n)
		e.HasLatency = i%3 > 0
		want = append(want, e)
		if err := r.writer.append(&e, lake.Seq(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	r.writer.publish()
	columns := "service_name, endpoint, method, region, level, message, host, event_id, request_id, trace_id, span_id, attributes"
	rows := r.query("select " + columns + ", epoch_us(timestamp), event_date::varchar, status_code, latency_ms, epoch_us(received_at), seq from events order by seq")
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	null := func(s string) string {
		if s == "" {
			return "<nil>"
		}
		return s
	}
	for i, row := range rows {
		e := &want[i]
		latency := "12.75"
		if !e.HasLatency {
			latency = "<nil>"
		}
		cells := []string{e.ServiceName, null(e.Endpoint), null(e.Method), null(e.Region), null(e.Level), null(e.Message), null(e.Host), e.EventID, null(e.RequestID), null(e.TraceID),
			null(e.SpanID), null(e.Attributes), "1800000000123456", "2027-01-15", "503", latency, "1800000001000001", fmt.Sprint(i + 1)}
		for j, cell := range row {
			if cell != cells[j] {
				t.Errorf("length %d, column %d: %.60q, want %.60q", lengths[i], j, cell, cells[j])
			}
		}
	}
	for i, n := range lengths { // comparisons and hashes look at the value's own bytes, and at what fills it up
		literal := strings.ReplaceAll(want[i].Message, "'", "''")
		if found := r.query(fmt.Sprintf("select seq from events where message = '%s' order by seq", literal)); n > 0 && (len(found) == 0 || found[0][0] != fmt.Sprint(i+1) && n != 1) {
			t.Errorf("length %d is not found by its text: %v", n, found)
		}
	}
	distinct := r.query("select count(distinct message), count(distinct message || ''), count(*) from (select message from events union all select 'x' || substr(message, 2) from events where false)")
	if distinct[0][0] != distinct[0][1] {
		t.Errorf("texts of the same letters are different values: %v", distinct)
	}
}

// TestHotRowsOfManyBlocks: several blocks, columns that are NULL here and there, and a statement that holds what it was told of while the writer goes on.
func TestHotRowsOfManyBlocks(t *testing.T) {
	r := newHotRig(t)
	const rows = 5*blockRows + 77
	published := func(from, to int) {
		for i := from; i < to; i++ {
			e := hotEvent(6 + i%9)
			e.StatusCode = int32(i % 7)
			if i%5 == 0 {
				e.Message, e.TraceID = "", ""
			}
			e.HasLatency = i%11 != 0
			r.writer.open(1)
			if err := r.writer.append(&e, lake.Seq(i+1)); err != nil {
				t.Fatal(err)
			}
		}
		r.writer.publish()
	}
	question := "select count(*), count(message), count(trace_id), count(latency_ms), sum(seq), sum(status_code), count(host) from events"
	check := func(n int) {
		t.Helper()
		var texts, latencies, seqs, statuses int
		for i := range n {
			if i%5 > 0 {
				texts++
			}
			if i%11 > 0 {
				latencies++
			}
			seqs, statuses = seqs+i+1, statuses+i%7
		}
		want := fmt.Sprint([]string{fmt.Sprint(n), fmt.Sprint(texts), fmt.Sprint(texts), fmt.Sprint(latencies), fmt.Sprint(seqs), fmt.Sprint(statuses), fmt.Sprint(n)})
		if got := fmt.Sprint(r.query(question)[0]); got != want {
			t.Errorf("%d rows: %s, want %s", n, got, want)
		}
	}
	at := 0
	for _, to := range []int{1, 63, 64, 65, 130, blockRows - 1, blockRows, blockRows + 1, 3*blockRows + 5, rows} {
		published(at, to)
		check(to)
		at = to
	}
	old := r.engine.hot.pin()
	defer old.release()
	r.writer.close()
	for _, from := range []lake.Seq{rows + 1, 4*blockRows + 1, 70, 1} { // what recovery takes back
		r.engine.hot.cut(from)
		if from > 1 {
			check(int(from) - 1)
		}
	}
	if old.rows != rows || old.hot[0].rowsOf(5) != 77 {
		t.Errorf("what a statement holds has changed: %d rows", old.rows)
	}
	c := <-r.engine.conns
	defer func() { r.engine.conns <- c }()
	set, err := c.query("select count(*), count(distinct seq) from "+old.hot[0].name, 1)
	if err != nil || set.rows[0][0] != int64(rows) || set.rows[0][1] != int64(rows) {
		t.Errorf("it reads %v: %v", set, err)
	}
}

// TestHotScanShapes asks in ways that scan the rows twice, in part, or not at all.
func TestHotScanShapes(t *testing.T) {
	r := newHotRig(t)
	r.writer.open(1)
	const rows = 40 * blockRows
	for i := range rows {
		e := hotEvent(16)
		e.StatusCode = int32(200 + i%2)
		if err := r.writer.append(&e, lake.Seq(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	r.writer.publish()
	for text, want := range map[string]string{
		"select count(*) from events":                                                                  fmt.Sprint(rows),
		"select seq from events limit 3":                                                               "1 2 3",
		"select seq from events order by seq desc limit 2":                                             fmt.Sprint(rows, " ", rows-1),
		"with e as (select * from events) select count(*) from e a join e b using (seq)":               fmt.Sprint(rows),
		"select count(*) from events a where exists (select 1 from events b where b.seq = a.seq + 1)":  fmt.Sprint(rows - 1),
		"select sum(n) from (select count(*) as n from events group by seq % 100 having count(*) > 1)": fmt.Sprint(rows),
		"select count(*) from (select seq from events intersect select seq from events where seq > 5)": fmt.Sprint(rows - 5),
		"select max(length(message)) from events tablesample 10 percent (bernoulli)":                   "15", // characters
	} {
		var cells []string
		for _, row := range r.query(text) {
			cells = append(cells, row...)
		}
		if got := strings.Join(cells, " "); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestHotSlabs: beyond the limit rows lie in a file without a name; what is given back is used again.
func TestHotSlabs(t *testing.T) {
	dir := t.TempDir()
	set := newHotSet(nil, 2*slabBytes, filepath.Join(dir, "spill", "hot"))
	a := arena{slabs: &set.slabs}
	for round := range 3 {
		for i := range 6 {
			piece, err := a.take(slabBytes - 100)
			if err != nil {
				t.Fatal(err)
			}
			for j := range piece {
				piece[j] = byte(i + j)
			}
			if piece[7] != byte(i+7) {
				t.Fatal("not written")
			}
		}
		if set.slabs.size() != 6*slabBytes || set.slabs.plain != 2*slabBytes || set.slabs.fileEnd != 4*slabBytes {
			t.Errorf("round %d: %d bytes in use, %d of them plain, the file has %d", round, set.slabs.size(), set.slabs.plain, set.slabs.fileEnd)
		}
		if err := a.release(); err != nil {
			t.Fatal(err)
		}
		if set.slabs.size() != 0 {
			t.Errorf("round %d: %d bytes are still in use", round, set.slabs.size())
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "spill", "*")); len(left) > 0 {
		t.Errorf("the file has a name: %v", left)
	}
	if err := set.close(); err != nil || set.slabs.plain != 0 {
		t.Errorf("%v, %d bytes", err, set.slabs.plain)
	}
	full := slabs{path: filepath.Join(dir, "spill", "hot", "below", "a\x00file")}
	if _, err := full.take(1); err == nil || !strings.Contains(err.Error(), "hot rows") {
		t.Errorf("%v", err)
	}
}
