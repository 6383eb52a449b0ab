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
)

// digestRig is a lake of several conversions and a hot tail, with all that is odd, and its engine.
type digestRig struct {
	lake   *lake.Lake
	engine *Engine
	random *rand.Rand
}

var rigStart = time.Date(2026, 11, 14, 0, 0, 0, 0, time.UTC)

func newDigestRig(tb testing.TB) *digestRig {
	r := &digestRig{random: rand.New(rand.NewPCG(11, 12))}
	r.lake, r.engine = openBoth(tb, tb.TempDir())
	for range 3 {
		r.append(tb, 3000)
		if _, err := r.lake.Convert(tb.Context(), nil); err != nil {
			tb.Fatal(err)
		}
	}
	r.append(tb, 700)
	return r
}

// append appends odd events, the days at random: later ones are late for a file that is there.
func (r *digestRig) append(tb testing.TB, n int) {
	tb.Helper()
	pick := func(list ...string) string { return list[r.random.IntN(len(list))] }
	var lines []byte
	for range n {
		e := lake.Event{
			Timestamp:   lake.MicrosOf(rigStart.Add(time.Duration(r.random.Int64N(int64(3 * 24 * time.Hour))))),
			ServiceName: pick("checkout", "checkout", "auth", "123", "a.b-c_d"), Endpoint: pick("", "/a", "/b", "/it's", "/ü/"), Region: pick("unknown", "eu-west", "us"),
			StatusCode: [...]int32{200, 200, 200, 404, 500, 503, 0}[r.random.IntN(7)], EventID: fmt.Sprintf("e%d", r.random.Uint64()), Level: "info", ReceivedAt: 1, HasLatency: true,
		}
		if r.random.IntN(40) == 0 { // exactly midnight
			e.Timestamp = lake.DateOf(e.Timestamp).Start()
		}
		e.LatencyMS = math.Round(math.Exp(r.random.NormFloat64()+3)*1000) / 1000
		switch r.random.IntN(12) {
		case 0:
			e.HasLatency, e.LatencyMS = false, 0
		case 1:
			odd := []float64{0, 0.0001, 1e-7, 7.123456789, 0.1, 3e10, 0.127, 0.128, 1.0 / 3, 12.345678}
			e.LatencyMS = odd[r.random.IntN(len(odd))]
		}
		lines = e.AppendLine(lines)
	}
	if _, err := r.lake.Append(tb.Context(), lake.Batch{Lines: lines, N: n}); err != nil {
		tb.Fatal(err)
	}
}

// ask runs a statement, or the same without the help of digests.
func (r *digestRig) ask(tb testing.TB, text string, digests bool) *sql.Result {
	tb.Helper()
	e := r.engine
	if _, err := e.feed.catchUp(tb.Context(), r.lake.Committed()); err != nil {
		tb.Fatal(err)
	}
	s, err := e.admit(tb.Context(), text)
	if err != nil {
		tb.Fatalf("%s\n%v", text, err)
	}
	if !digests {
		s = &statement{body: s.body, offset: s.offset, relations: s.relations, inline: s.inline}
	}
	c, err := take(tb.Context(), e.conns, e.closing)
	if err != nil {
		tb.Fatal(err)
	}
	result, err := (&run{engine: e, conn: c, statement: s, maxRows: defaultMaxRows}).start(tb.Context())
	if err != nil {
		tb.Fatalf("%s\n%v", text, err)
	}
	return result
}

// printed is an answer to the last bit; rows in order only if the statement orders them.
func printed(r *sql.Result, ordered bool) string {
	var rows []string
	for _, row := range r.Rows {
		var cells []string
		for _, v := range row {
			if f, ok := v.(float64); ok {
				v = fmt.Sprintf("%v (%x)", f, math.Float64bits(f))
			}
			cells = append(cells, fmt.Sprintf("%T %v", v, v))
		}
		rows = append(rows, strings.Join(cells, " | "))
	}
	if !ordered {
		slices.Sort(rows)
	}
	return fmt.Sprint(r.Columns, r.More, "\n", strings.Join(rows, "\n"))
}

// compare asks both ways and answers whether digests were read.
func (r *digestRig) compare(tb testing.TB, text string, ordered bool) bool {
	tb.Helper()
	got, want := r.ask(tb, text, true), r.ask(tb, text, false)
	if a, b := printed(got, ordered), printed(want, ordered); a != b {
		tb.Fatalf("%s\nfrom digests:\n%s\nDuckDB:\n%s", text, a, b)
	}
	if want.Stats.Files > 0 && got.Stats.HotRows != want.Stats.HotRows || // no file: DuckDB found the conditions to contradict each other
		got.Stats.Version != want.Stats.Version || got.Stats.FilesTotal != want.Stats.FilesTotal {
		tb.Fatalf("%s\nfrom digests: %+v\nDuckDB: %+v", text, got.Stats, want.Stats)
	}
	return got.Stats.Digests > 0
}

// TestNamedQuestionsFromDigests: every question in every narrowed form, three ways.
func TestNamedQuestionsFromDigests(t *testing.T) {
	r := newDigestRig(t)
	raw := outsider(t, rawRelation(r.lake))
	day := lake.MicrosOf(rigStart.AddDate(0, 0, 1))
	const hour = 3600 * 1_000_000
	for _, q := range sql.Questions() {
		for _, p := range []sql.Params{
			{}, {Service: "checkout"}, {Service: "123"}, {Service: "nothing"}, {Limit: 2}, {From: day}, {To: day}, {From: day, To: day + 24*hour},
			{From: day, To: day + 24*hour, Service: "a.b-c_d", Limit: 3}, {From: day - 100*24*hour, To: day - 90*24*hour},
			{From: day + 1}, {From: day - hour, To: day + 25*hour}, {To: day + 12*hour},
		} {
			text, err := q.Statement(p)
			if err != nil {
				t.Fatal(err)
			}
			used := r.compare(t, text, true)
			whole := p.From%(24*hour) == 0 && p.To%(24*hour) == 0
			if found := r.ask(t, text, true); whole && !used && found.Stats.Files > 0 {
				t.Errorf("%s %+v: digests were not asked", q.Name, p)
			}
			requireSame(t, fmt.Sprintf("%s %+v against raw", q.Name, p), r.ask(t, text, true).Rows, answers(t, raw, text))
		}
	}
}

// shapeMaker generates statements of the shape that digests answer, and some that come near.
type shapeMaker struct {
	statementMaker
	detail string // the key within files that a statement is about
}

func newShapeMaker(a, b uint64) shapeMaker {
	m := shapeMaker{statementMaker: statementMaker{rand.New(rand.NewPCG(a, b))}}
	m.detail = m.pick("", "", "endpoint", "endpoint", "region", "date_trunc('hour', timestamp)")
	return m
}

func (m shapeMaker) condition(depth int) string {
	if depth > 0 && m.IntN(3) == 0 {
		a, b := m.condition(depth-1), m.condition(depth-1)
		return m.pick("("+a+" AND "+b+")", "("+a+" OR "+b+")", "NOT ("+a+")")
	}
	service := func() string { return m.pick("'checkout'", "'auth'", "'123'", "'a.b-c_d'", "'none'", "''") }
	endpoint := func() string { return m.pick("'/a'", "'/b'", "'/it''s'", "'/ü/'", "''") }
	day := func() string { d := fmt.Sprintf("'2026-11-%02d'", 12+m.IntN(7)); return m.pick(d, "DATE "+d) }
	kind := m.IntN(12)
	if kind >= 9 && m.detail != "endpoint" && m.IntN(10) > 0 {
		if kind = 0; m.detail == "region" {
			return m.pick("region = 'eu-west'", "region <> 'us'", "region IN ('unknown', 'us')")
		}
	}
	switch kind {
	case 0, 1:
		return "service_name " + m.compare() + " " + service()
	case 2:
		return m.pick("service_name IN (", "service_name NOT IN (") + service() + ", " + service() + ")"
	case 3, 4:
		return "event_date " + m.compare() + " " + day()
	case 5:
		return "event_date" + m.pick(" BETWEEN ", " NOT BETWEEN ") + day() + " AND " + day()
	case 6:
		return m.status() + " " + m.compare() + " events.status_code"
	case 7:
		return "status_code " + m.compare() + " " + m.status()
	case 8:
		return "status_code IN (" + m.status() + ", -1, " + m.status() + ")"
	case 9:
		return "endpoint " + m.compare() + " " + endpoint()
	case 10:
		return "endpoint " + m.pick("IS NULL", "IS NOT NULL")
	}
	return "endpoint IN (" + endpoint() + ", " + endpoint() + ")"
}

func (m shapeMaker) filter() string {
	if m.IntN(3) > 0 {
		return ""
	}
	return " FILTER (WHERE " + m.condition(1) + ")"
}

// statement answers a text, and whether its rows have one order.
func (m shapeMaker) statement() (string, bool) {
	var columns, groups []string
	for _, k := range []string{"service_name", "event_date", "status_code", m.detail} {
		if k != "" && m.IntN(3) == 0 {
			groups = append(groups, k)
			columns = append(columns, k)
		}
	}
	for i := range 1 + m.IntN(4) {
		c := m.pick("count(*)"+m.filter(), "count(latency_ms)"+m.filter(), "quantile_cont(latency_ms, "+m.pick("0", "0.25", "0.50", "0.9", "0.95", "0.99", "0.999", "1")+")"+m.filter(),
			"approx_percentile(latency_ms, 0.95)", "median(latency_ms)", "CAST(count(*)"+m.filter()+" AS DOUBLE) / count(*)", "quantile_cont(latency_ms, 0.95)", "count(*)")
		if strings.Contains(c, "latency") && m.detail != "" && m.detail != "endpoint" && m.IntN(10) > 0 {
			c = "count(*)" + m.filter()
		}
		if strings.Contains(c, "FILTER") || strings.Contains(c, "/") || m.IntN(4) > 0 {
			c += fmt.Sprintf(" AS x%d", i)
		}
		columns = append(columns, c)
	}
	m.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	text := "SELECT " + strings.Join(columns, ", ") + " FROM events"
	var where []string
	for range m.IntN(4) {
		where = append(where, m.condition(2))
	}
	if m.IntN(8) == 0 {
		where = append(where, m.pick("1 = 1", "2 < 1"))
	}
	if m.IntN(4) == 0 {
		where = append(where, "latency_ms IS NOT NULL")
	}
	if m.IntN(4) == 0 {
		where = append(where, "timestamp "+m.pick(">=", ">", "<", "<=")+fmt.Sprintf(" TIMESTAMP '2026-11-%02d %s'", 13+m.IntN(4), m.pick("00:00:00", "12:30:00", "23:59:59.999999")))
	}
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	if len(groups) > 0 {
		text += " GROUP BY " + m.pick(strings.Join(groups, ", "), "ALL")
	}
	if m.IntN(3) == 0 {
		return text, len(groups) == 0
	}
	order := slices.Clone(groups)
	m.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	if m.IntN(2) == 0 {
		order = slices.Insert(order, 0, fmt.Sprint(1+m.IntN(len(columns))))
	}
	if len(order) == 0 {
		return text, true
	}
	for i := range order {
		order[i] += m.pick("", " DESC", " ASC", " NULLS FIRST", " DESC NULLS LAST", " DESC NULLS FIRST")
	}
	return text + " ORDER BY " + strings.Join(order, ", ") + m.pick("", "", " LIMIT 5", " LIMIT 3 OFFSET 2", " LIMIT 1000"), true
}

func TestGeneratedStatementsFromDigests(t *testing.T) {
	r := newDigestRig(t)
	const statements = 250
	used, shaped := 0, 0
	for i := range uint64(statements) {
		text, ordered := newShapeMaker(5, i).statement()
		s, err := r.engine.admit(t.Context(), text)
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		if s.shape != nil {
			shaped++
		}
		if r.compare(t, text, ordered) {
			used++
		}
	}
	t.Logf("%d of %d statements have a shape, %d read digests", shaped, statements, used)
	if used < statements/2 {
		t.Errorf("digests were read for %d of %d statements", used, statements)
	}
}

func FuzzDigestStatements(f *testing.F) {
	r := newDigestRig(f)
	f.Add(uint64(1), uint64(1))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		text, ordered := newShapeMaker(a, b).statement()
		r.compare(t, text, ordered)
	})
}
