package duck

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/filter"
)

// oddEvents are events with every kind of absence, at instants that often coincide.
func oddEvents(n int) []lake.Event {
	rnd := rand.New(rand.NewPCG(3, 5))
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	events := make([]lake.Event, n)
	start := lake.MicrosOf(time.Date(2026, 11, 19, 22, 0, 0, 0, time.UTC))
	for i := range events {
		e := &events[i]
		*e = lake.Event{EventID: fmt.Sprintf("e%d", i), Timestamp: start + lake.Micros(rnd.IntN(4*3600))*1_000_000, ServiceName: pick("auth", "checkout", "search"), StatusCode: int32([]int{0, 200, 200, 404, 500, 503}[rnd.IntN(6)]),
			Endpoint: pick("", "/pay", "/api/a_b", "/api/%x", `/back\slash`, "/Pay"), Method: pick("", "GET", "post"), Region: pick("unknown", "eu-west-1", "us-east-1"), Level: pick("info", "info", "ERROR", "warn"),
			Message: pick("", "", "Card declined", "it's 100% \"sure\"", "ÄRGER im Zoll"), RequestID: pick("", "r1", "r2"), TraceID: pick("", "t1"),
			Attributes: pick("", `{"tier":"gold","n":7}`, `{"user":{"id":42},"n":"x"}`, `{"user.id":"42","a b/c":true}`)}
		if rnd.IntN(3) > 0 {
			e.LatencyMS, e.HasLatency = float64(rnd.IntN(2000)), true
		}
		e.ReceivedAt = e.Timestamp
	}
	return events
}

// oddLake is a lake of odd events, half of them converted.
func oddLake(t *testing.T, events []lake.Event) *Engine {
	t.Helper()
	l, e := openBoth(t, t.TempDir())
	half := len(events) / 2
	for i, part := range [][]lake.Event{events[:half], events[half:]} {
		var b lake.Batch
		for j := range part {
			b.Lines = part[j].AppendLine(b.Lines)
			b.N++
		}
		if _, err := l.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if _, err := l.Convert(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	return e
}

// claim is a filter with what it means, told without SQL.
type claim struct {
	text string
	true func(e *lake.Event) bool
}

func says(word string) func(e *lake.Event) bool {
	return func(e *lake.Event) bool {
		text := e.Message
		if text == "" {
			text = e.Endpoint
		}
		return strings.Contains(strings.ToLower(text), strings.ToLower(word))
	}
}

var claims = []claim{
	{"pay", says("pay")},
	{`"card DECLINED"`, says("card declined")},
	{`"100% \"sure"`, says(`100% "sure`)},
	{"it's", says("it's")},
	{"ärger", says("ärger")},
	{"service:Auth", func(e *lake.Event) bool { return e.ServiceName == "auth" }},
	{"service:s*,checkout", func(e *lake.Event) bool { return e.ServiceName != "auth" }},
	{"status>=500", func(e *lake.Event) bool { return e.StatusCode >= 500 }},
	{"status:5xx,404", func(e *lake.Event) bool { return e.StatusCode >= 400 }},
	{"status:200..404", func(e *lake.Event) bool { return e.StatusCode >= 200 && e.StatusCode <= 404 }},
	{"status:none", func(e *lake.Event) bool { return e.StatusCode == 0 }},
	{"has:status", func(e *lake.Event) bool { return e.StatusCode != 0 }},
	{"latency>1s", func(e *lake.Event) bool { return e.HasLatency && e.LatencyMS > 1000 }},
	{"latency:none", func(e *lake.Event) bool { return !e.HasLatency }},
	{"latency:100ms..0.5s", func(e *lake.Event) bool { return e.HasLatency && e.LatencyMS >= 100 && e.LatencyMS <= 500 }},
	{"path:/pay", func(e *lake.Event) bool { return e.Endpoint == "/pay" }},
	{"path!=/pay", func(e *lake.Event) bool { return e.Endpoint != "/pay" }},
	{"path:/api/*", func(e *lake.Event) bool { return strings.HasPrefix(e.Endpoint, "/api/") }},
	{"path:*a_b", func(e *lake.Event) bool { return strings.HasSuffix(e.Endpoint, "a_b") }},
	{"path:*%*", func(e *lake.Event) bool { return strings.Contains(e.Endpoint, "%") }},
	{`path:*k\s*`, func(e *lake.Event) bool { return strings.Contains(e.Endpoint, `k\s`) }},
	{`path:"/back\\slash",none`, func(e *lake.Event) bool { return e.Endpoint == `/back\slash` || e.Endpoint == "" }},
	{"path:*", func(e *lake.Event) bool { return e.Endpoint != "" }},
	{"method:get", func(e *lake.Event) bool { return e.Method == "GET" }},
	{"method:p*", func(e *lake.Event) bool { return e.Method == "post" }},
	{"level:error", func(e *lake.Event) bool { return e.Level == "ERROR" }},
	{"region:none", func(e *lake.Event) bool { return e.Region == "unknown" }},
	{"has:region", func(e *lake.Event) bool { return e.Region != "unknown" }},
	{"msg:DECLINED", func(e *lake.Event) bool { return strings.Contains(e.Message, "declined") }},
	{`msg="Card declined"`, func(e *lake.Event) bool { return e.Message == "Card declined" }},
	{"has:req", func(e *lake.Event) bool { return e.RequestID != "" }},
	{"req:r1,r2", func(e *lake.Event) bool { return e.RequestID != "" }},
	{"trace!=t1", func(e *lake.Event) bool { return e.TraceID != "t1" }},
	{"is:error", func(e *lake.Event) bool { return e.StatusCode >= 500 || e.Level == "ERROR" }},
	{"is:warn", func(e *lake.Event) bool { return e.StatusCode == 404 || e.Level == "warn" }},
	{"is:http", func(e *lake.Event) bool { return e.StatusCode >= 100 }},
	{"@tier:gold", func(e *lake.Event) bool { return strings.Contains(e.Attributes, "gold") }},
	{"@user.id:42", func(e *lake.Event) bool { return strings.Contains(e.Attributes, "user") }},
	{"@n>5", func(e *lake.Event) bool { return strings.Contains(e.Attributes, `"n":7`) }},
	{`has:@"a b/c"`, func(e *lake.Event) bool { return strings.Contains(e.Attributes, "a b") }},
	{"@tier:none", func(e *lake.Event) bool { return !strings.Contains(e.Attributes, "gold") }},
}

// compound makes a filter of claims with the same made of their meanings.
func compound(rnd *rand.Rand, depth int) claim {
	if depth == 0 || rnd.IntN(4) == 0 {
		return claims[rnd.IntN(len(claims))]
	}
	a, b := compound(rnd, depth-1), compound(rnd, depth-1)
	switch rnd.IntN(4) {
	case 0:
		return claim{"!(" + a.text + ")", func(e *lake.Event) bool { return !a.true(e) }}
	case 1:
		return claim{"(" + a.text + " | " + b.text + ")", func(e *lake.Event) bool { return a.true(e) || b.true(e) }}
	case 2:
		return claim{"NOT (" + a.text + " OR " + b.text + ")", func(e *lake.Event) bool { return !a.true(e) && !b.true(e) }}
	}
	return claim{"(" + a.text + ") " + b.text, func(e *lake.Event) bool { return a.true(e) && b.true(e) }}
}

// TestFilterMeansWhatItSays holds filters against their meaning, told in Go: each alone, excluded, and random compounds. Absent values count.
func TestFilterMeansWhatItSays(t *testing.T) {
	events := oddEvents(600)
	engine := oddLake(t, events)
	ids := func(c claim) []string {
		var list []string
		for i := range events {
			if c.true(&events[i]) {
				list = append(list, events[i].EventID)
			}
		}
		slices.Sort(list)
		return list
	}
	check := func(c claim) {
		t.Helper()
		q, err := filter.Parse(c.text)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		var got []string
		for _, row := range ask(t, engine, "select event_id from events where %s order by 1", q.SQL()) {
			got = append(got, row[0].(string))
		}
		if want := ids(c); !slices.Equal(got, want) {
			t.Fatalf("%s\n%s\n%d events, want %d", c.text, q.SQL(), len(got), len(want))
		}
	}
	for _, c := range claims {
		if n := len(ids(c)); n == 0 || n == len(events) {
			t.Errorf("%s tells nothing apart: %d events", c.text, n)
		}
		check(c)
		check(claim{"!" + c.text, func(e *lake.Event) bool { return !c.true(e) }})
	}
	rnd := rand.New(rand.NewPCG(11, 13))
	for range 120 {
		check(compound(rnd, 3))
	}
}

// TestAnyFilterIsOneCondition throws pieces of the language together: what is accepted must pass the gate as a condition and run.
func TestAnyFilterIsOneCondition(t *testing.T) {
	engine := oddLake(t, oddEvents(40))
	pieces := []string{"a", "status", ":", "=", "!", ">", "500", "5xx", "..", ",", "*", `"`, `\`, "'", "(", ")", "|", " ", " ", "OR", "AND", "NOT", "path", "latency", "1.5s", "@k", "@\"x y\"", "has:", "is:error", "--", ";", "/*",
		"level", "msg", "none", "%", "_", "é", "漢", "$1", "?", "service", "host", "e1", "0x1", "-1", "1e3", "seq"}
	rnd := rand.New(rand.NewPCG(17, 19))
	accepted := 0
	for range 3000 {
		var b strings.Builder
		for range 1 + rnd.IntN(9) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		q, err := filter.Parse(b.String())
		if err != nil || q.SQL() == "" {
			continue
		}
		if accepted++; accepted > 500 {
			break
		}
		if _, err := engine.Query(t.Context(), sql.Query{Text: "SELECT count(*) FROM events WHERE (" + q.SQL() + ")"}); err != nil {
			t.Fatalf("%q\n%s\n%v", b.String(), q.SQL(), err)
		}
	}
	if accepted < 400 {
		t.Errorf("only %d texts were filters", accepted)
	}
}

// TestPagesCoverTheSlice walks through a slice in pages, older and newer: every event once, in order, also where instants coincide.
func TestPagesCoverTheSlice(t *testing.T) {
	events := oddEvents(900)
	engine := oddLake(t, events)
	ask(t, engine, "select 1 from events limit 0") // all is visible
	q, err := filter.Parse("!service:search")
	if err != nil {
		t.Fatal(err)
	}
	from := events[0].Timestamp
	for _, e := range events {
		from = min(from, e.Timestamp)
	}
	slice := sql.Slice{From: from + 600_000_000, To: from + 3*3_600_000_000, Where: q.SQL()}
	var want []string
	for _, row := range ask(t, engine, "%s", slice.Statement(10_000)) {
		want = append(want, fmt.Sprint(row[0], row[1]))
	}
	if len(want) < 200 {
		t.Fatalf("only %d events to page through", len(want))
	}
	key := func(r sql.Row) string { return fmt.Sprint(r.Timestamp.Time(), int64(r.Seq)) }
	for _, newer := range []bool{false, true} {
		var got []string
		request := sql.PageRequest{Slice: slice, Newer: newer, Limit: 37}
		for more := true; more; {
			page, err := sql.ReadPage(t.Context(), engine, request)
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, r := range page.Rows {
				keys = append(keys, key(r))
			}
			more = page.More
			if newer {
				got = append(keys, got...)
				request.At = page.Rows[0].Position
			} else {
				got = append(got, keys...)
				request.At = page.Rows[len(page.Rows)-1].Position
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("newer %v: %d events, want %d in the same order", newer, len(got), len(want))
		}
	}
}

// TestPageReadsLittle: a page of the newest events must not pay for the whole slice.
func TestPageReadsLittle(t *testing.T) {
	l, engine := openBoth(t, t.TempDir())
	generateInto(t, l, 60_000, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	extent := ask(t, engine, "select min(timestamp), max(timestamp) from events")[0]
	slice := sql.Slice{From: lake.MicrosOf(extent[0].(time.Time)), To: lake.MicrosOf(extent[1].(time.Time)) + 1}
	page, err := sql.ReadPage(t.Context(), engine, sql.PageRequest{Slice: slice, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := engine.Query(t.Context(), sql.Query{Text: slice.Statement(100)})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Rows) != 100 || page.Stats.Bytes*2 > whole.Stats.Bytes {
		t.Errorf("%d rows for %d bytes, the whole slice has %d", len(page.Rows), page.Stats.Bytes, whole.Stats.Bytes)
	}
}

// TestPartsOfExplore holds counts, facets, quantile and record against plain statements.
func TestPartsOfExplore(t *testing.T) {
	events := oddEvents(700)
	engine := oddLake(t, events)
	all := ask(t, engine, "select time_bucket(interval '10 minutes', min(timestamp)), max(timestamp) from events")[0]
	from := lake.MicrosOf(all[0].(time.Time))
	slice := sql.Slice{From: from, To: from + 25*600_000_000, Where: "status_code <> 404"}
	counts, err := sql.ReadCounts(t.Context(), engine, slice, 25)
	if err != nil {
		t.Fatal(err)
	}
	var inSlots, failed float64
	for i := range counts.Slots {
		inSlots, failed = inSlots+counts.Counts[i], failed+counts.Failed[i]
	}
	want := ask(t, engine, "select count(*), count(*) filter (where status_code >= 500), quantile_cont(latency_ms, 0.95), count(*) filter (where %s) from events where status_code <> 404", sql.IsError)[0]
	if counts.Events != want[0] || counts.Errors != want[1] || inSlots != float64(counts.Events) || failed != float64(counts.Errors) {
		t.Errorf("%d events, %d errors, in slots %v and %v; want %v", counts.Events, counts.Errors, inSlots, failed, want)
	}
	p95, err := sql.ReadQuantile(t.Context(), engine, slice, 0.95)
	if err != nil || p95 != want[2] {
		t.Errorf("p95 %v, %v; want %v", p95, err, want[2])
	}
	if none, err := sql.ReadQuantile(t.Context(), engine, slice.And("latency_ms IS NULL"), 0.95); err != nil || !math.IsNaN(none) {
		t.Errorf("the p95 of nothing is %v, %v", none, err)
	}

	facets, err := sql.ReadFacets(t.Context(), engine, sql.FacetRequest{Slice: slice, Own: map[string]string{"status_code": ""}, Limit: 4})
	if err != nil {
		t.Fatal(err)
	}
	for i, column := range sql.FacetFields {
		where := " where status_code <> 404"
		if column == "status_code" {
			where = ""
		}
		rows := ask(t, engine, "select coalesce(cast(%s as varchar), '') as v, count(*) as n from events%s group by 1 order by n desc, v limit 4", column, where)
		for j, row := range rows {
			if j >= len(facets.Lists[i]) || facets.Lists[i][j] != (sql.FacetValue{Value: row[0].(string), Events: row[1].(int64)}) {
				t.Errorf("%s: %v, want %v", column, facets.Lists[i], rows)
				break
			}
		}
	}

	page, err := sql.ReadPage(t.Context(), engine, sql.PageRequest{Slice: slice, Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	errors := int64(0)
	byID := map[string]lake.Event{}
	for _, e := range events {
		byID[e.EventID] = e
	}
	for i := range page.Rows {
		if page.Rows[i].Failed() {
			errors++
		}
		if i%50 != 0 {
			continue
		}
		record, err := sql.ReadRecord(t.Context(), engine, &page.Rows[i])
		if err != nil || record == nil {
			t.Fatalf("%+v: %v, %v", page.Rows[i], record, err)
		}
		got := record.Event()
		sent := byID[got.EventID]
		if a, b := string(got.AppendLine(nil)), string(sent.AppendLine(nil)); a != b {
			t.Errorf("the record is\n%s\nwant\n%s", a, b)
		}
	}
	if errors != want[3] {
		t.Errorf("%d rows failed by Go, %v by SQL", errors, want[3])
	}
}
