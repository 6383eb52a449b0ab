package duck

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// TestInlineMeansTheSame asks statements over a view and with their own events, and pins down which may have them.
func TestInlineMeansTheSame(t *testing.T) {
	rig := newPruneRig(t)
	for text, inline := range map[string]bool{
		"select count(*) from events":                                                                                                        true,
		"select sum(seq)::bigint from EVENTS e where e.status_code = 500":                                                                    true,
		"with w as (select * from events) select count(*) from w join events using (seq)":                                                    true,
		"with recursive r(n) as (select min(seq) from events union all select n + 1 from r where n < 5) select n from r order by n":          true,
		"select (select max(f.seq) from events f where f.service_name = e.service_name) m, count(*) from events e group by all order by all": true,
		"from events select count(distinct status_code), min(event_date), max(service_name)":                                                 true,
		"select columns(c -> c like '%_code') from events order by all limit 3":                                                              true,
		"from (pivot (select status_code, service_name from events) on service_name in ('auth', 'cart') using count(*)) order by all":        true,
		"select * from (select * exclude (attributes) from events) order by seq limit 2":                                                     true,
		"with events as (select * from events where status_code = 500) select count(*) from events":                                          false,
		"select count(*) from main.events":                                                                                                   false,
		"select count(*) from (describe events)":                                                                                             false,
		"from (summarize events) select column_name, count order by all":                                                                     false,
		"select count(*) from minutes":                                                                                                       false,
		"explain select count(*) from events":                                                                                                false,
	} {
		s, err := rig.engine.admit(t.Context(), text)
		if err != nil {
			t.Errorf("%s\n%v", text, err)
			continue
		}
		if s.inline != inline {
			t.Errorf("%s\nhas its own events: %v, want %v", text, s.inline, inline)
		}
		p, err := rig.engine.planNow(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.overView(t.Context(), rig.conn, rig.layout, rig.prune(p), rig.view.hot, maxPruneRows)
		if err != nil && !strings.Contains(text, "with events as") { // DuckDB takes a table of its own name for a circle
			t.Errorf("%s\nover a view: %v", text, err)
			continue
		}
		got, err2 := s.execute(t.Context(), rig.conn, rig.layout, rig.prune(p), nil, rig.view.hot, columnsOf(p.costs), maxPruneRows)
		if (err == nil) != (err2 == nil) {
			t.Errorf("%s\n%v, over a view %v", text, err2, err)
			continue
		}
		if err == nil && fmt.Sprint(got.rows) != fmt.Sprint(want.rows) && !s.explain {
			t.Errorf("%s\n%v\nwant\n%v", text, got.rows, want.rows)
		}
		if inline {
			if _, err := rig.conn.query(s.inlineSQL(rig.layout, rig.prune(p), nil, rig.view.hot, columnsOf(p.costs), maxPruneRows), 0); err != nil {
				t.Errorf("%s\nfails with its own events: %v", text, err)
			}
		}
	}
}

// TestWrongPlanIsNoticed plans a statement as if it read no key: a constant in a key's place must never become an answer.
func TestWrongPlanIsNoticed(t *testing.T) {
	rig := newPruneRig(t)
	s, err := rig.engine.admit(t.Context(), "select count(distinct status_code), count(distinct service_name), count(distinct event_date) from events where status_code < 1000")
	if err != nil {
		t.Fatal(err)
	}
	all := sql.Prune(rig.view.Version.Files, []sql.Scan{sql.AllColumns()}, sql.Leeway{})
	if _, err := rig.conn.query(s.inlineSQL(rig.layout, all, nil, nil, []string{"seq"}, maxPruneRows), 0); err == nil || !needsView(err) {
		t.Errorf("keys that no plan reads were read: %v", err)
	}
	got, err := s.execute(t.Context(), rig.conn, rig.layout, all, nil, nil, []string{"seq"}, maxPruneRows)
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.overView(t.Context(), rig.conn, rig.layout, all, nil, maxPruneRows)
	if err != nil || fmt.Sprint(got.rows) != fmt.Sprint(want.rows) {
		t.Errorf("%v, want %v (%v)", got.rows, want.rows, err)
	}
}

func TestSharedKeysAreConstants(t *testing.T) {
	day, err := lake.ParseDate("2026-11-15")
	if err != nil {
		t.Fatal(err)
	}
	file := func(service string, status int32) *lake.FileEntry {
		return &lake.FileEntry{Partition: lake.Partition{Date: day, Service: service, Status: status}, Name: "f.parquet", Rows: 1}
	}
	layout := lake.Layout{Root: "/lake"}
	for _, c := range []struct {
		files []*lake.FileEntry
		reads []string
		hive  bool
		holds string
	}{
		{[]*lake.FileEntry{file("it's", 200)}, nil, false, "'it''s'::VARCHAR AS service_name, 200::INTEGER AS status_code"},
		{[]*lake.FileEntry{file("cart", 200), file("cart", 500)}, nil, true, ""},
		{[]*lake.FileEntry{file("cart", 200), file("cart", 500)}, []string{"seq", "status_code"}, true, ""},
		{[]*lake.FileEntry{file("cart", 200), file("cart", 500)}, []string{"seq"}, false, "'2026-11-15'::DATE AS event_date"},
		{[]*lake.FileEntry{file("cart", 200), file("auth", 200)}, []string{"seq"}, false, "200::INTEGER AS status_code"},
	} {
		text := selectFiles(layout, c.files, nil, c.reads)
		if strings.Contains(text, "hive_partitioning = true") != c.hive || !strings.Contains(text, c.holds) {
			t.Errorf("%v reading %v:\n%s", c.files, c.reads, text)
		}
	}
}

// TestStatementsAreKept asks twice: the second time nothing is parsed or planned, unless the plan asked the clock too long ago.
func TestStatementsAreKept(t *testing.T) {
	l, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir(), ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	now := time.Date(2026, 11, 15, 12, 0, 0, 0, time.UTC)
	e, err := Open(t.Context(), Config{Lake: l, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	planned := func(text string) (*statement, time.Time) {
		t.Helper()
		if _, err := e.Estimate(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		s := e.kept.find(text)
		if s == nil {
			t.Fatalf("%s is not kept", text)
		}
		return s, s.planned.Load().at
	}
	const plain, clock = "select min(region) from events", "select min(region) from events where timestamp > now() - interval 1 hour"
	first, _ := planned(plain)
	_, began := planned(clock)
	now = now.Add(planLife / 2)
	if s, at := planned(plain); s != first || at != began {
		t.Error("a text was planned again")
	}
	if _, at := planned(clock); at != began {
		t.Error("a plan of 15 seconds was not used again")
	}
	now = now.Add(planLife)
	if _, at := planned(plain); at != began {
		t.Error("a plan that does not ask the clock grew old")
	}
	if _, at := planned(clock); at != now {
		t.Error("a plan that asks the clock was used for longer than it is good")
	}
	for i := range keptStatements {
		planned(fmt.Sprint("select ", i))
	}
	if e.kept.find(plain) != nil || len(e.kept.byText) != keptStatements || len(e.kept.order) != keptStatements {
		t.Errorf("%d texts are kept, in an order of %d", len(e.kept.byText), len(e.kept.order))
	}
	if _, err := e.Estimate(t.Context(), "select 1 --"+strings.Repeat(" ", keptText)); err != nil || len(e.kept.byText) != keptStatements {
		t.Errorf("a long text: %v, %d kept", err, len(e.kept.byText))
	}
	if _, err := e.Estimate(t.Context(), "drop table events"); err == nil || e.kept.find("drop table events") != nil {
		t.Errorf("a refused text: %v", err)
	}
}

// TestSmallReadsKeep checks that each connection of the prompt has a twin, which alone keeps what it reads.
func TestSmallReadsKeep(t *testing.T) {
	rig := newPruneRig(t)
	c := rig.conn
	if c.forRead(smallRead) == c || c.forRead(smallRead+1) != c || c.forRead(0).forRead(0) != c.small {
		t.Fatal("small reads do not go to the twin, or large ones do")
	}
	for conn, want := range map[*conn]string{c: "false", c.small: "true"} {
		if got, err := conn.text("SELECT current_setting('prefetch_all_parquet_files')::VARCHAR"); err != nil || got != want {
			t.Errorf("it keeps what it reads: %s, %v; want %s", got, err, want)
		}
	}
}
