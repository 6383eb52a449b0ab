package duck

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
	"github.com/signallake/signallake/sql"
)

// generateInto appends count synthetic events to the lake.
func generateInto(tb testing.TB, l *lake.Lake, count int64, seed uint64) {
	tb.Helper()
	start := lake.MicrosOf(time.Date(2026, 11, 14, 0, 0, 0, 0, time.UTC))
	g, err := gen.New(gen.Config{Seed: seed, Count: count, Days: 4, Services: 6, Start: start, ReceivedAt: start})
	if err != nil {
		tb.Fatal(err)
	}
	err = g.Run(tb.Context(), 2, func(b lake.Batch) error {
		_, err := l.Append(tb.Context(), b)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// outsider is a DuckDB with no sandbox and no catalog of ours: it reads what any tool reads.
func outsider(tb testing.TB, events string) *stdsql.DB {
	tb.Helper()
	db, err := stdsql.Open("duckdb", "")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	for _, text := range append([]string{"set TimeZone = 'UTC'", "create view events as " + events}, macros()...) {
		if _, err := db.Exec(text); err != nil {
			tb.Fatalf("%s: %v", text, err)
		}
	}
	return db
}

// rawRelation reads the raw JSONL with DuckDB's own JSON reader and derives the partition key as the contract says.
func rawRelation(l *lake.Lake) string {
	var columns []string
	for _, c := range lake.Columns() {
		switch c.Name {
		case "event_date", "seq":
		case "attributes":
			columns = append(columns, c.Name+": 'JSON'")
		default:
			columns = append(columns, c.Name+": '"+c.Type+"'")
		}
	}
	return fmt.Sprintf("select * replace (cast(attributes as varchar) as attributes), cast(timestamp as date) as event_date from read_json('%s', format = 'newline_delimited', columns = {%s})",
		filepath.Join(l.Layout().Raw(), "*.jsonl"), strings.Join(columns, ", "))
}

// parquetRelation reads the files of the newest version directly, as `files` prints them.
func parquetRelation(l *lake.Lake) string {
	return "select * from read_parquet([" + strings.Join(livePaths(l), ", ") + "], hive_partitioning = true, hive_types = {'event_date': DATE, 'service_name': VARCHAR, 'status_code': INTEGER})"
}

// livePaths are the files of the newest version as SQL literals.
func livePaths(l *lake.Lake) []string {
	var paths []string
	version := l.Current()
	for i := range version.Files {
		paths = append(paths, sql.Literal(l.Layout().Path(&version.Files[i])))
	}
	return paths
}

// answers runs a statement on a plain DuckDB and returns its rows as the engine would.
func answers(tb testing.TB, db *stdsql.DB, text string) [][]any {
	tb.Helper()
	rows, err := db.Query(text)
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		tb.Fatal(err)
	}
	var out [][]any
	for rows.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			tb.Fatal(err)
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return out
}

// same compares two values; floats may differ in the last digits, since a parallel sum has no fixed order.
func same(a, b any) bool {
	x, err1 := asFloat(a)
	y, err2 := asFloat(b)
	if err1 == nil && err2 == nil {
		return x == y || math.Abs(x-y) <= 1e-9*math.Max(math.Abs(x), math.Abs(y))
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

func asFloat(v any) (float64, error) {
	var f float64
	if _, ok := v.(time.Time); ok {
		return 0, fmt.Errorf("a time")
	}
	_, err := fmt.Sscan(fmt.Sprint(v), &f)
	return f, err
}

func requireSame(tb testing.TB, what string, got, want [][]any) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("%s: %d rows, want %d", what, len(got), len(want))
	}
	for i := range want {
		for j := range want[i] {
			if !same(got[i][j], want[i][j]) {
				tb.Fatalf("%s: row %d is %v, want %v", what, i, got[i], want[i])
			}
		}
	}
}

// checkAnswers holds the engine's answers against the raw lines and, when all is converted, against the Parquet files.
func checkAnswers(tb testing.TB, l *lake.Lake, engine *Engine) {
	tb.Helper()
	statements := map[string]string{"count and sum": "select count(*), sum(latency_ms), count(latency_ms), count(distinct event_id), min(timestamp), max(timestamp) from events"}
	for _, q := range sql.Questions() {
		text, err := q.Statement(sql.Params{})
		if err != nil {
			tb.Fatal(err)
		}
		statements[q.Name] = text
	}
	raw := outsider(tb, rawRelation(l))
	var parquet *stdsql.DB
	if l.Status().HotEvents == 0 {
		parquet = outsider(tb, parquetRelation(l))
	}
	for name, text := range statements {
		result, err := engine.Query(context.Background(), sql.Query{Text: text, MinSeq: l.Committed()})
		if err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		want := answers(tb, raw, text)
		if len(want) == 0 {
			tb.Fatalf("%s: no rows at all", name)
		}
		requireSame(tb, name+": engine against raw", result.Rows, want)
		if parquet != nil {
			requireSame(tb, name+": Parquet against raw", answers(tb, parquet, text), want)
		}
	}
}

// openBoth opens a lake of its own and the engine over it.
func openBoth(tb testing.TB, dir string) (*lake.Lake, *Engine) {
	tb.Helper()
	l, err := lake.Open(tb.Context(), lake.Config{Dir: dir, ConvertAge: -1, ConvertBytes: 1 << 40})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	engine, err := Open(tb.Context(), Config{Lake: l})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { engine.Close() })
	return l, engine
}

// TestAnswersAgree asks the same of raw JSONL, of the Parquet files and of the engine: before, during and after conversion.
func TestAnswersAgree(t *testing.T) {
	l, engine := openBoth(t, t.TempDir())
	generateInto(t, l, 25_000, 1)
	checkAnswers(t, l, engine)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	checkAnswers(t, l, engine)
	generateInto(t, l, 25_000, 2)
	checkAnswers(t, l, engine)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	checkAnswers(t, l, engine)
}

// benchEvents is the lake of the benchmarks here: a million events, or few with -short, where they only show that they still run.
func benchEvents() int64 {
	if testing.Short() {
		return 50_000
	}
	return 1_000_000
}

// BenchmarkAnswers proves the same on a million events and times the five questions beside the outsider over the same files by list.
func BenchmarkAnswers(b *testing.B) {
	l, engine := openBoth(b, b.TempDir())
	generateInto(b, l, benchEvents(), 1)
	if _, err := l.Convert(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	checkAnswers(b, l, engine)
	db := outsider(b, parquetRelation(l))
	for _, q := range sql.Questions() {
		text, err := q.Statement(sql.Params{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(q.Name, func(b *testing.B) {
			var ours, theirs time.Duration
			for b.Loop() {
				started := time.Now()
				if _, err := engine.Query(b.Context(), sql.Query{Text: text}); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				answers(b, db, text)
				ours, theirs = ours+between.Sub(started), theirs+time.Since(between)
			}
			b.ReportMetric(float64(ours)/float64(theirs), "x_of_plain_duckdb")
		})
	}
}
