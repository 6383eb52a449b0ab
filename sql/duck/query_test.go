package duck

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

func TestEmptyLakeAnswersZeroRows(t *testing.T) {
	_, e := openBoth(t, t.TempDir())
	for _, q := range sql.Questions() {
		result, err := e.Query(t.Context(), sql.Query{Text: q.SQL})
		if err != nil || len(result.Rows) != 0 || len(result.Columns) < 3 {
			t.Errorf("%s: %+v, %v", q.Name, result, err)
		}
		estimate, err := e.Estimate(t.Context(), q.SQL)
		if err != nil || estimate.Files != 0 || estimate.USD != 0 {
			t.Errorf("%s: %+v, %v", q.Name, estimate, err)
		}
	}
	for _, column := range lake.Columns() {
		rows := ask(t, e, "select column_type from (describe events) where column_name = '%s'", column.Name)
		if len(rows) != 1 || rows[0][0] != column.Type {
			t.Errorf("%s is %v in an empty lake, want %s", column.Name, rows, column.Type)
		}
	}
}

// TestMissingFolderOpenedReadOnly: nothing is created by asking.
func TestMissingFolderOpenedReadOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nothing", "here")
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if rows := ask(t, e, "select count(*) from events"); rows[0][0] != int64(0) {
		t.Errorf("%v", rows)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
}

func TestTypesAreTheSameInFilesAndHotRows(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 300, 1)
	text := "select string_agg(distinct typeof(COLUMNS(*)), '') from events"
	hot := ask(t, e, "%s", text)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	files := ask(t, e, "%s", text)
	for i, c := range lake.Columns() {
		if hot[0][i] != c.Type || files[0][i] != c.Type {
			t.Errorf("%s: %v in hot rows, %v in files, want %s", c.Name, hot[0][i], files[0][i], c.Type)
		}
	}
}

func TestRowCap(t *testing.T) {
	_, e := openBoth(t, t.TempDir())
	for _, c := range []struct {
		rows, limit, want int
		more              bool
	}{{10, 10, 10, false}, {11, 10, 10, true}, {0, 10, 0, false}, {10_001, 0, 10_000, true}} {
		result, err := e.Query(t.Context(), sql.Query{Text: fmt.Sprintf("from range(%d) -- all", c.rows), MaxRows: c.limit})
		if err != nil || len(result.Rows) != c.want || result.More != c.more {
			t.Errorf("%+v: %d rows, more %v, %v", c, len(result.Rows), result.More, err)
		}
	}
}

func TestResultTypes(t *testing.T) {
	_, e := openBoth(t, t.TempDir())
	for text, want := range map[string]any{
		"NULL": nil, "true": true, "1::TINYINT": int64(1), "1::UBIGINT": int64(1), "sum(5)": int64(5), "1.5::FLOAT": 1.5, "'x'": "x", "1.50": "1.50", "-0.05": "-0.05",
		"DATE '2026-11-21'": time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), "TIMESTAMP '2026-11-21 01:02:03.000004'": time.Date(2026, 11, 21, 1, 2, 3, 4000, time.UTC),
		"TIMESTAMPTZ '2026-11-21 01:02:03+02'": time.Date(2026, 11, 20, 23, 2, 3, 0, time.UTC), "TIME '01:02:03'": "01:02:03", "INTERVAL 90 MINUTE": "01:30:00", "INTERVAL 14 MONTH": "1 year 2 months",
		"[1, NULL, 3]": "[1, NULL, 3]", "{'a': 'x y', 'b': [1]}": "{'a': 'x y', 'b': [1]}", "MAP {'k': 1}": "{k=1}", "170141183460469231731687303715884105727::HUGEINT": "170141183460469231731687303715884105727",
		"'\\x41'::BLOB": `\x41`, "'550e8400-e29b-41d4-a716-446655440000'::UUID": "550e8400-e29b-41d4-a716-446655440000", "'{\"b\": [1, 2]}'::JSON": `{"b":[1,2]}`, "'NaN'::DOUBLE > 1": true, "['a, b']": "['a, b']",
	} {
		result, err := e.Query(t.Context(), sql.Query{Text: "select " + text + " as v"})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := result.Rows[0][0]
		if at, ok := want.(time.Time); ok {
			if is, _ := got.(time.Time); !is.Equal(at) {
				t.Errorf("%s: %v, want %v", text, got, at)
			}
		} else if got != want {
			t.Errorf("%s: %v (%T), want %v", text, got, got, want)
		}
	}
}

func TestErrorsHaveAPlace(t *testing.T) {
	_, e := openBoth(t, t.TempDir())
	for text, offset := range map[string]int{
		"select nothing from events": 7, "  select 1 from events where nothing = 1": 29, "explain select nothing from events": 15, "select count(*) from events group by": 36, "select 'x'::integr": -2,
	} {
		for name, err := range map[string]error{"query": second(e.Query(t.Context(), sql.Query{Text: text})), "estimate": second(e.Estimate(t.Context(), text))} {
			var syntax *sql.SyntaxError
			if !errors.As(err, &syntax) || syntax.Message == "" || strings.Contains(syntax.Message, "{") {
				t.Errorf("%s of %q: %T %v", name, text, err, err)
			} else if offset >= 0 && syntax.Offset != offset {
				t.Errorf("%s of %q: offset %d, want %d (%s)", name, text, syntax.Offset, offset, syntax.Message)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestCancelReturnsAtOnce also sees that the connections serve again afterwards.
func TestCancelReturnsAtOnce(t *testing.T) {
	_, e := openBoth(t, t.TempDir())
	for range promptConns * 2 {
		ctx, cancel := context.WithCancel(t.Context())
		answered := make(chan error)
		go func() {
			_, err := e.Query(ctx, sql.Query{Text: "select sum(a.range * b.range) from range(10000000) a, range(1000000) b"})
			answered <- err
		}()
		waitBusy(t, e)
		started := time.Now()
		cancel()
		err := <-answered
		if took := time.Since(started); took > 100*time.Millisecond {
			t.Errorf("cancel took %v", took)
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
	for range promptConns {
		ask(t, e, "select 1")
	}
}

// waitBusy waits until a statement runs.
func waitBusy(t *testing.T, e *Engine) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(e.conns) == cap(e.conns)-ownConns; {
		if time.Now().After(deadline) {
			t.Fatal("nothing runs")
		}
		pause(t, time.Millisecond)
	}
	pause(t, 20*time.Millisecond)
}

func pause(t *testing.T, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

func TestCloseStopsWhatRuns(t *testing.T) {
	l, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		if _, err := e.Query(t.Context(), sql.Query{Text: "select sum(a.range * b.range) from range(10000000) a, range(1000000) b"}); !errors.Is(err, errClosed) {
			t.Errorf("%v", err)
		}
	})
	waitBusy(t, e)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	work.Wait()
	if _, err := e.Query(t.Context(), sql.Query{Text: "select 1"}); !errors.Is(err, errClosed) {
		t.Errorf("a query after Close: %v", err)
	}
}

func TestGreedyStatementLeavesThePanelsAlone(t *testing.T) {
	l, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir(), ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e, err := Open(t.Context(), Config{Lake: l, MemoryLimit: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	generateInto(t, l, 1000, 1)
	waitCounted(t, e)
	_, err = e.Query(t.Context(), sql.Query{Text: "select list(a.range || 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') from range(30000000) a"})
	if err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("%v, want to be out of memory", err)
	}
	if extent, err := e.Extent(t.Context()); err != nil || extent.Events != 1000 {
		t.Errorf("%+v, %v", extent, err)
	}
	if rows := ask(t, e, "select count(*) from events"); rows[0][0] != int64(1000) {
		t.Errorf("after running out of memory: %v", rows)
	}
}

func TestBrokenFileIsNamed(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 500, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	path := l.Layout().Path(&l.Current().Files[0])
	for name, damage := range map[string]func() error{"truncated": func() error { return os.Truncate(path, 100) }, "missing": func() error { return os.Remove(path) }} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		_, err := e.Query(t.Context(), sql.Query{Text: "select sum(latency_ms) from events"})
		if err == nil || !strings.Contains(err.Error(), filepath.Base(path)) || !strings.Contains(err.Error(), "verify") {
			t.Errorf("%s: %v, want an error that names %s", name, err, filepath.Base(path))
		}
	}
}

// TestEstimateEqualsWhatIsRead compares with DuckDB's own account of the column chunks, and with the statement's statistics afterwards.
func TestEstimateEqualsWhatIsRead(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 4000, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	db := outsider(t, parquetRelation(l))
	for text, want := range map[string]struct{ columns, files string }{
		"select count(*) from events":        {"", "true"},
		"select avg(latency_ms) from events": {"latency_ms", "true"},
		"select service_name, approx_percentile(latency_ms, 0.95) from events group by 1":          {"latency_ms", "true"},
		"select avg(latency_ms) from events where service_name = 'checkout'":                       {"latency_ms", "file_name like '%service_name=checkout/%'"},
		"select avg(latency_ms) from events where service_name = 'checkout' and status_code = 200": {"latency_ms", "file_name like '%service_name=checkout/status_code=200/%'"},
		"select count(*) from events where endpoint = '/x' and event_date = '2026-11-15'":          {"endpoint", "file_name like '%event_date=2026-11-15/%'"},
		"with w as (select * from events) select max(region) from w where message like '%x%'":      {"region message", "true"},
		"select x.host from (select * from events where latency_ms > 5) x":                         {"latency_ms host", "true"},
		"select count(distinct trace_id) from events where hour(timestamp) = 3":                    {"timestamp trace_id", "true"},
		"select * from events":  {"*", "true"},
		"select 1 from minutes": {"", "false"},
		"select service_name from events where status_code = 500 group by 1": {"", "file_name like '%status_code=500/%'"},
	} {
		estimate, err := e.Estimate(t.Context(), text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		result, err := e.Query(t.Context(), sql.Query{Text: text})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if result.Stats.Bytes != estimate.Bytes || result.Stats.Files != estimate.Files || result.Stats.USD != estimate.USD || result.Stats.Version != estimate.Version {
			t.Errorf("%s: estimated %+v, then read %+v", text, estimate, result.Stats)
		}
		chosen := []string{"-1"}
		for i, c := range lake.FileColumns() {
			if slices.Contains(strings.Fields(want.columns), c.Name) {
				chosen = append(chosen, fmt.Sprint(i))
			}
		}
		condition := "column_id in (" + strings.Join(chosen, ", ") + ")"
		if want.columns == "*" {
			condition = "true"
		} else if got := strings.Join(estimate.Columns, " "); got != want.columns {
			t.Errorf("%s: reads columns %q, want %q", text, got, want.columns)
		}
		files := parquetRelation(l)
		files = files[strings.Index(files, "[") : strings.Index(files, "]")+1]
		chunks := answers(t, db, "select coalesce(sum(total_compressed_size), 0) from parquet_metadata("+files+") where "+condition+" and "+want.files)
		footers := answers(t, db, "select coalesce(sum(footer_size), 0), count(*) from parquet_file_metadata("+files+") where "+want.files)
		exact, _ := asFloat(chunks[0][0])
		footer, _ := asFloat(footers[0][0])
		count, _ := asFloat(footers[0][1])
		exact += footer
		if int(count) != estimate.Files {
			t.Errorf("%s: %d files, want %v", text, estimate.Files, count)
		}
		if math.Abs(exact-float64(estimate.Bytes)) > 0.01*exact+12*count { // magic and length of a footer
			t.Errorf("%s: estimated %d bytes, DuckDB's account is %.0f", text, estimate.Bytes, exact)
		}
	}
}

// TestNoStatementWritesAFile runs everything that the gate accepts.
func TestNoStatementWritesAFile(t *testing.T) {
	dir := t.TempDir()
	l, e := openBoth(t, dir)
	generateInto(t, l, 300, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	ask(t, e, "select 1 from minutes limit 0")
	before := tree(t, dir)
	for _, text := range accepted {
		if _, err := e.Query(t.Context(), sql.Query{Text: text}); err != nil {
			var syntax *sql.SyntaxError
			if !errors.As(err, &syntax) {
				t.Errorf("%s\n%v", text, err)
			}
		}
	}
	for _, pair := range refused {
		if _, err := e.Query(t.Context(), sql.Query{Text: pair[0]}); err == nil {
			t.Errorf("%s ran", pair[0])
		}
	}
	if after := tree(t, dir); after != before {
		t.Errorf("files before:\n%s\nafter:\n%s", before, after)
	}
}

func tree(tb testing.TB, dir string) string {
	tb.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Join(names, "\n")
}

// FuzzGate looks for a text that passes the gate and writes a file or reads one of the system's.
func FuzzGate(f *testing.F) {
	dir := f.TempDir()
	l, e := openBoth(f, dir)
	generateInto(f, l, 50, 1)
	ask(f, e, "select 1 from minutes limit 0")
	for _, text := range accepted {
		f.Add(text)
	}
	for _, pair := range refused {
		f.Add(pair[0])
	}
	before := tree(f, dir)
	f.Fuzz(func(t *testing.T, text string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		result, err := e.Query(ctx, sql.Query{Text: text, MaxRows: 10})
		if err == nil && strings.Contains(fmt.Sprint(result.Rows), "root:x:0") {
			t.Fatalf("%q read the system's files", text)
		}
		if after := tree(t, dir); after != before {
			t.Fatalf("%q changed the lake:\n%s", text, after)
		}
	})
}

// TestMinSeqSeesOwnWrites asks right after each acknowledgement.
func TestMinSeqSeesOwnWrites(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	for i := range 10 {
		first, err := l.Append(t.Context(), onceBatchOf(0, i*onceBatch))
		if err != nil {
			t.Fatal(err)
		}
		result, err := e.Query(t.Context(), sql.Query{Text: "select count(*) from events", MinSeq: first + onceBatch})
		if err != nil {
			t.Fatal(err)
		}
		if want := int64((i + 1) * onceBatch); result.Rows[0][0] != want || result.Stats.HotRows != want {
			t.Fatalf("%v rows, %d hot, want %d", result.Rows[0][0], result.Stats.HotRows, want)
		}
	}
	fresh := e.Freshness()
	if fresh.VisibleTo != l.Committed() || fresh.Committed != l.Committed() || fresh.LagP95 <= 0 || fresh.LagP95 > 5*time.Second || fresh.PerSecond <= 0 || fresh.NewestAt == 0 || fresh.Err != "" {
		t.Errorf("%+v", fresh)
	}
}

// TestHotTablesAreDropped: after a conversion only statements that run may hold them.
func TestHotTablesAreDropped(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 500, 1)
	ask(t, e, "select count(*) from events")
	held := e.hot.pin()
	if len(held.hot) == 0 {
		t.Fatal("no hot table")
	}
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	generateInto(t, l, 50, 2)
	if rows := ask(t, e, "select count(*) from events"); rows[0][0] != int64(550) {
		t.Errorf("%v", rows)
	}
	name := held.hot[0].name
	exists := func() bool {
		c := <-e.conns
		defer func() { e.conns <- c }()
		_, err := c.query("select 1 from "+name+" limit 1", 1)
		return err == nil
	}
	if !exists() {
		t.Error("a table was dropped while a statement held it")
	}
	held.release()
	for deadline := time.Now().Add(10 * time.Second); exists(); {
		if time.Now().After(deadline) {
			t.Fatal("the table is still there")
		}
		pause(t, 20*time.Millisecond)
	}
}

const zoneEnv = "SIGNALLAKE_TEST_ZONE_DIR"

// TestTimeZonesAgree asks the same lake in child processes that live in three time zones.
func TestTimeZonesAgree(t *testing.T) {
	dir := t.TempDir()
	if l, e := openBoth(t, dir); true {
		generateInto(t, l, 2000, 1)
		if _, err := l.Convert(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		generateInto(t, l, 500, 2)
		ask(t, e, "select 1")
	}
	var first string
	for _, zone := range []string{"UTC", "America/Los_Angeles", "Asia/Kathmandu"} {
		child := exec.Command(os.Args[0], "-test.run=^TestTimeZoneChild$", "-test.v")
		child.Env = append(os.Environ(), "TZ="+zone, zoneEnv+"="+dir)
		output, err := child.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", zone, err, output)
		}
		_, answer, found := strings.Cut(string(output), "ANSWERS\n")
		answer, _, _ = strings.Cut(answer, "END\n")
		if !found || !strings.Contains(answer, "2026-11-1") {
			t.Fatalf("%s: no answers\n%s", zone, output)
		}
		if first == "" {
			first = answer
		}
		if answer != first {
			t.Errorf("%s answers\n%s\nUTC answers\n%s", zone, answer, first)
		}
	}
}

func TestTimeZoneChild(t *testing.T) {
	dir := os.Getenv(zoneEnv)
	if dir == "" {
		return // only TestTimeZonesAgree starts it
	}
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.WaitLoaded(t.Context()); err != nil {
		t.Fatal(err)
	}
	fmt.Println("ANSWERS")
	texts := []string{"select min(timestamp), max(timestamp), min(event_date), max(received_at) from events", "select timestamp::varchar, timestamp::date, hour(timestamp) from events order by seq limit 3",
		"select count(*) from events where timestamp > TIMESTAMPTZ '2026-11-15 00:00:00+00'", "select count(*) from events where event_date = date '2026-11-15' and timestamp < '2026-11-15 12:00:00'",
		"select count(*) from events where timestamp::timestamptz > now() - interval 100 year", "select minute, count from minutes order by all limit 3", "select date_trunc('hour', '2026-11-15 23:30:00-05'::timestamptz)"}
	for _, q := range sql.Questions() {
		text, err := q.Statement(sql.Params{From: lake.MicrosOf(time.Date(2026, 11, 14, 22, 0, 0, 0, time.UTC)), To: lake.MicrosOf(time.Date(2026, 11, 16, 3, 0, 0, 0, time.UTC))})
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	for _, text := range texts {
		for _, row := range ask(t, e, "%s", text) {
			fmt.Println(row...)
		}
	}
	fmt.Println("END")
}
