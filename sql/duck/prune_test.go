package duck

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// statementMaker generates statements over events whose answers do not depend on the order of rows.
type statementMaker struct{ *rand.Rand }

func (m statementMaker) pick(list ...string) string { return list[m.IntN(len(list))] }

func (m statementMaker) service() string {
	return m.pick("'checkout'", "'payments'", "'search'", "'catalog'", "'auth'", "'nothing'", "'cart'", "''", "NULL")
}

func (m statementMaker) day() string {
	return fmt.Sprintf("DATE '2026-11-%02d'", 12+m.IntN(8))
}

func (m statementMaker) instant() string {
	text := fmt.Sprintf("2026-11-%02d %02d:%02d:%02d", 13+m.IntN(6), m.IntN(24), m.IntN(60), m.IntN(60))
	return m.pick("TIMESTAMP '"+text+"'", "'"+text+"'", "TIMESTAMPTZ '"+text+"+02'", "TIMESTAMP '"+text+"' - INTERVAL 90 MINUTE", m.day(), "date_trunc('day', TIMESTAMP '"+text+"')")
}

func (m statementMaker) status() string { return m.pick("200", "500", "404", "503", "0", "499", "201") }

func (m statementMaker) compare() string { return m.pick("=", "<", ">", "<=", ">=", "<>") }

// predicate is over the relation with the given prefix ("" or "e.").
func (m statementMaker) predicate(prefix string, depth int) string {
	p := func(column string) string { return prefix + column }
	if depth > 0 && m.IntN(3) == 0 {
		a, b := m.predicate(prefix, depth-1), m.predicate(prefix, depth-1)
		return m.pick("("+a+" AND "+b+")", "("+a+" OR "+b+")", "NOT ("+a+")", "CASE WHEN "+a+" THEN "+b+" ELSE false END", "coalesce("+a+", true)", "("+a+") IS NOT TRUE")
	}
	switch m.IntN(22) {
	case 0, 1, 2:
		return p("service_name") + " " + m.compare() + " " + m.service()
	case 3:
		return p("service_name") + " IN (" + m.service() + ", " + m.service() + ", " + m.service() + ")"
	case 4:
		return p("service_name") + m.pick(" LIKE ", " NOT LIKE ", " ILIKE ") + m.pick("'c%'", "'%a%'", "'_art'", "'p%s'", "'Check%'")
	case 5, 6:
		return p("status_code") + " " + m.compare() + " " + m.status()
	case 7:
		return p("status_code") + m.pick(" BETWEEN ", " NOT BETWEEN ") + m.status() + " AND " + m.status()
	case 8:
		return p("status_code") + " IN (" + m.status() + ", " + m.status() + ")"
	case 9, 10:
		return p("event_date") + " " + m.compare() + " " + m.day()
	case 11:
		return p("event_date") + " BETWEEN " + m.day() + " AND " + m.day()
	case 12:
		return p("event_date") + " " + m.compare() + " " + m.instant()
	case 13, 14, 15:
		return p("timestamp") + " " + m.compare() + " " + m.instant()
	case 16:
		return m.pick("date_trunc('day', "+p("timestamp")+")", p("timestamp")+"::DATE", "CAST("+p("timestamp")+" AS DATE)") + " " + m.compare() + " " + m.day()
	case 17:
		return p("timestamp") + " BETWEEN " + m.instant() + " AND " + m.instant()
	case 18:
		return m.pick(p("endpoint")+" IS NULL", p("latency_ms")+" > 300", p("region")+" = 'eu-west'", "length("+p("service_name")+") > 5", p("status_code")+" % 100 = 0", "hour("+p("timestamp")+") < 12")
	case 19:
		return p("status_code") + "::VARCHAR " + m.pick("LIKE '5%'", "= '200'") + " AND upper(" + p("service_name") + ") <> 'AUTH'"
	case 20:
		return m.status() + " " + m.compare() + " " + p("status_code") + " OR " + m.service() + " = " + p("service_name")
	}
	return p("timestamp") + " > " + m.pick("now() - INTERVAL 400 DAY", "current_date - 500", "TIMESTAMP '2026-11-15' + INTERVAL '1 day'", "make_timestamp(2026, 11, 16, 1, 2, 3)")
}

const pruneTotals = "count(*), sum(seq)::BIGINT, min(timestamp), max(status_code)"

func (m statementMaker) statement() string {
	where := func(prefix string) string { return " WHERE " + m.predicate(prefix, 3) }
	switch m.IntN(13) {
	case 0:
		return "SELECT service_name, status_code, " + pruneTotals + " FROM events" + where("") + " GROUP BY service_name, status_code"
	case 1:
		return "WITH w AS (SELECT * FROM events" + where("") + ") SELECT " + pruneTotals + " FROM w" + where("")
	case 2:
		return "SELECT " + pruneTotals + " FROM (SELECT timestamp, seq, status_code, service_name, event_date, endpoint, latency_ms, region FROM events e" + where("e.") + ") x" + where("x.")
	case 3:
		return "SELECT count(*), sum(a.seq + b.seq)::BIGINT FROM events a " + m.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN") + " events b ON a.seq = b.seq AND " + m.predicate("b.", 1) + where("a.")
	case 4:
		return "SELECT " + pruneTotals + " FROM (SELECT * FROM events" + where("") + " UNION ALL SELECT * FROM events" + where("") + ") u" + where("")
	case 5:
		return "SELECT " + pruneTotals + " FROM events e WHERE " + m.pick("EXISTS", "NOT EXISTS") + " (SELECT 1 FROM events f WHERE f.seq = e.seq AND " + m.predicate("f.", 1) + ") AND " + m.predicate("e.", 1)
	case 6:
		return "SELECT " + pruneTotals + " FROM events WHERE service_name " + m.pick("IN", "NOT IN") + " (SELECT service_name FROM events" + where("") + ")"
	case 7:
		return "SELECT (SELECT count(*) FROM events" + where("") + "), (SELECT max(seq) FROM events" + where("") + ")"
	case 8:
		return "SELECT service_name, n FROM (SELECT service_name, count(*) AS n, max(status_code) AS status_code, min(timestamp) AS timestamp, min(event_date) AS event_date, max(latency_ms) AS latency_ms, min(region) AS region, min(endpoint) AS endpoint FROM events GROUP BY service_name) g" + where("")
	case 9:
		return "SELECT seq, row_number() OVER (PARTITION BY service_name ORDER BY seq) AS r FROM events" + where("") + " QUALIFY r <= 3"
	case 10:
		// the fourth name stands for status_code, and what is called method is endpoint
		return "SELECT count(*), sum(seq)::BIGINT, min(timestamp), max(endpoint) FROM events x(timestamp, event_date, service_name, endpoint, method) WHERE " + m.pick("endpoint", "x.endpoint") + " " + m.compare() + " 300"
	case 11:
		return "WITH w AS MATERIALIZED (SELECT * FROM events) SELECT count(*) FROM w a JOIN w b USING (seq)" + where("a.") + " AND " + m.predicate("b.", 1)
	}
	return "SELECT " + pruneTotals + " FROM events" + where("")
}

// pruneRig runs a statement over the files that survive pruning, and over all of them.
type pruneRig struct {
	engine  *Engine
	layout  lake.Layout // with an absolute root
	conn    *conn
	view    *view
	inlined int // statements that ran with their own events
	own     int // of them: over files that the program's own reader read
	failed  int // statements that fail on all files as well: a cast of text that is no number, say
}

func newPruneRig(tb testing.TB) *pruneRig {
	l, e := openBoth(tb, tb.TempDir())
	for seed := range uint64(2) { // overlapping files in most partitions
		generateInto(tb, l, 500, seed+1)
		if _, err := l.Convert(tb.Context(), nil); err != nil {
			tb.Fatal(err)
		}
	}
	root, err := filepath.Abs(l.Layout().Root)
	if err != nil {
		tb.Fatal(err)
	}
	rig := &pruneRig{engine: e, layout: lake.Layout{Root: root}, conn: <-e.conns, view: e.hot.pin()}
	tb.Cleanup(func() {
		rig.view.release()
		e.conns <- rig.conn
	})
	return rig
}

func (r *pruneRig) answer(files []*lake.FileEntry, text string) ([]string, error) {
	view, err := eventsSQL(r.layout, files, r.view.hot)
	if err != nil {
		return nil, err
	}
	if err := r.conn.exec(view); err != nil {
		return nil, err
	}
	set, err := r.conn.query("SELECT * FROM ("+text+"\n) ORDER BY ALL", 0)
	if err != nil {
		return nil, err
	}
	return rowTexts(set), nil
}

// asRun answers like answer, but the way that the engine runs a statement: over the pruned files, and with what the plan says of columns.
func (r *pruneRig) asRun(tb testing.TB, files []*lake.FileEntry, p plan, text string) ([]string, error) {
	sorted, err := r.engine.admit(tb.Context(), "SELECT * FROM ("+text+"\n) ORDER BY ALL")
	if err != nil {
		return nil, err
	}
	var set *rowSet
	if sorted.inline {
		r.inlined++
		if set, err = r.conn.query(sorted.inlineSQL(r.layout, files, nil, r.view.hot, columnsOf(p.costs), maxPruneRows), 0); err != nil {
			tb.Errorf("%s\nruns over a view only: %v", text, err)
		}
		r.byOwnReader(tb, sorted, files, p, set, err)
	} else {
		set, err = sorted.execute(tb.Context(), r.conn, r.layout, files, nil, r.view.hot, columnsOf(p.costs), maxPruneRows)
	}
	if err != nil {
		return nil, err
	}
	return rowTexts(set), nil
}

// byOwnReader asks again over files that the program's own reader reads.
func (r *pruneRig) byOwnReader(tb testing.TB, s *statement, files []*lake.FileEntry, p plan, want *rowSet, wantErr error) {
	own := r.engine.files.hold(files, columnsOf(p.costs), sieves(p.scans))
	if own == nil {
		return
	}
	set, err := r.conn.query(s.inlineSQL(r.layout, files, own, r.view.hot, columnsOf(p.costs), maxPruneRows), 0)
	if err2 := own.release(); err2 != nil {
		tb.Fatal(err2)
	}
	r.own++
	switch {
	case (err == nil) != (wantErr == nil):
		tb.Errorf("%s\nby our reader: %v, by DuckDB's: %v", s.body, err, wantErr)
	case err == nil && !slices.Equal(rowTexts(set), rowTexts(want)):
		tb.Errorf("%s\nby our reader %v\nby DuckDB's %v", s.body, rowTexts(set), rowTexts(want))
	}
}

// maxPruneRows is more than any of the statements answers.
const maxPruneRows = 100_000

func rowTexts(set *rowSet) []string {
	var out []string
	for _, row := range set.rows {
		out = append(out, fmt.Sprint(row))
	}
	return out
}

// compare answers how many files pruning kept, and the difference if there is one.
func (r *pruneRig) compare(tb testing.TB, text string, prune func(plan) []*lake.FileEntry) (kept int, difference string) {
	statement, err := r.engine.admit(tb.Context(), text)
	if err != nil {
		tb.Fatalf("%s\n%v", text, err)
	}
	p, err := r.engine.planNow(tb.Context(), statement)
	if err != nil {
		tb.Fatal(err)
	}
	var all []*lake.FileEntry
	for i := range r.view.Version.Files {
		all = append(all, &r.view.Version.Files[i])
	}
	want, err := r.answer(all, text)
	if err != nil {
		r.failed++
		return len(all), ""
	}
	files := prune(p)
	got, err := r.asRun(tb, files, p, text)
	if err != nil {
		return len(files), fmt.Sprintf("pruned: %v", err)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		return len(files), fmt.Sprintf("pruned to %d of %d files:\n%v\nwant\n%v", len(files), len(all), got, want)
	}
	return len(files), ""
}

func (r *pruneRig) prune(p plan) []*lake.FileEntry {
	return sql.Prune(r.view.Version.Files, p.scans, p.leeway)
}

// TestPrunedEqualsUnpruned generates statements, the same ones at each run; FuzzPrune makes others.
func TestPrunedEqualsUnpruned(t *testing.T) {
	rig := newPruneRig(t)
	const statements = 200
	kept, pruned := 0, 0
	const seed = 1
	for i := range uint64(statements) {
		m := statementMaker{rand.New(rand.NewPCG(seed, i))}
		text := m.statement()
		n, difference := rig.compare(t, text, rig.prune)
		if difference != "" {
			t.Fatalf("seed %d, statement %d\n%s\n%s", seed, i, text, difference)
		}
		kept += n
		if n < len(rig.view.Version.Files) {
			pruned++
		}
	}
	if rig.failed > 0 {
		t.Errorf("%d of %d statements fail by themselves: the generator is wrong", rig.failed, statements)
	}
	if rig.own < statements/2 {
		t.Errorf("%d of %d statements ran over files that our reader read: most do", rig.own, statements)
	}
	if rig.inlined < statements*9/10 {
		t.Errorf("%d of %d statements ran with their own events: nearly all do", rig.inlined, statements)
	}
	total := statements * len(rig.view.Version.Files)
	t.Logf("kept %d %% of files; pruned something in %d of %d statements", kept*100/total, pruned, statements)
	if kept*100 > total*85 || pruned < statements/4 {
		t.Errorf("pruning does next to nothing: %d of %d files kept", kept, total)
	}
}

// TestPruneComparisonCanFail plants a bug: a file too many is dropped where something was pruned. The comparison must notice most of the time.
func TestPruneComparisonCanFail(t *testing.T) {
	rig := newPruneRig(t)
	noticed := 0
	for i := range uint64(40) {
		m := statementMaker{rand.New(rand.NewPCG(7, i))}
		_, difference := rig.compare(t, m.statement(), func(p plan) []*lake.FileEntry {
			files := rig.prune(p)
			return files[:len(files)/2]
		})
		if difference != "" {
			noticed++
		}
	}
	if noticed < 10 {
		t.Errorf("the planted bug was noticed %d times in 40", noticed)
	}
}

func FuzzPrune(f *testing.F) {
	rig := newPruneRig(f)
	f.Add(uint64(1), uint64(1))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		text := statementMaker{rand.New(rand.NewPCG(a, b))}.statement()
		if _, difference := rig.compare(t, text, rig.prune); difference != "" {
			t.Fatalf("%s\n%s", text, difference)
		}
	})
}

// TestPruneKnownShapes pins down how far some statements narrow: a new release of DuckDB may write its plans differently, and that shows here.
func TestPruneKnownShapes(t *testing.T) {
	rig := newPruneRig(t)
	files := rig.view.Version.Files
	share := func(keep func(f *lake.FileEntry) bool) (n int) {
		for i := range files {
			if keep(&files[i]) {
				n++
			}
		}
		return n
	}
	day := func(n int) lake.Date { d, _ := lake.ParseDate(fmt.Sprintf("2026-11-%02d", n)); return d }
	checkout := share(func(f *lake.FileEntry) bool { return f.Partition.Service == "checkout" })
	errors := share(func(f *lake.FileEntry) bool { return f.Partition.Status >= 500 })
	fifteenth := share(func(f *lake.FileEntry) bool { return f.Partition.Date == day(15) })
	for text, want := range map[string]int{
		"select count(*) from events": len(files), "select count(*) from events where false": 0, "select 1 from minutes": 0, "describe events": 0,
		"select max(latency_ms) from events where service_name = 'checkout'":                                                checkout,
		"with w as (select service_name as s from events) select count(*) from w where s = 'checkout'":                      checkout,
		"select count(*) from events where status_code >= 500":                                                              errors,
		"select count(*) from events where status_code in (500, 501, 502, 503, 504)":                                        errors,
		"select count(*) from events where event_date = '2026-11-15'":                                                       fifteenth,
		"select count(*) from events where timestamp::date = DATE '2026-11-15'":                                             fifteenth,
		"select count(*) from events where timestamp >= '2026-11-15 00:02:00' and timestamp < '2026-11-15 23:58:00'":        fifteenth,
		"select count(*) from events where date_trunc('day', timestamp) = TIMESTAMP '2026-11-15 00:00:00' + interval 0 day": fifteenth,
		"select count(*) from events where event_date = '2026-11-15' or service_name = 'checkout'":                          len(files),
		"select count(*) from events where timestamp > now() + interval 100 year":                                           0,
		"summarize select region from events where service_name = 'checkout'":                                               checkout,
	} {
		kept, difference := rig.compare(t, text, rig.prune)
		if difference != "" {
			t.Errorf("%s\n%s", text, difference)
		}
		slack := 0
		if want == fifteenth { // a file of a neighbouring day may begin or end within the leeway
			slack = 12
		}
		if kept < want || kept > want+slack {
			t.Errorf("%s\nkept %d files, want %d", text, kept, want)
		}
	}
}
