package duck

import (
	"errors"
	"strings"
	"testing"

	"github.com/signallake/signallake/sql"
)

// testInstance is a locked instance with the tables of a lake and nothing in them.
func testInstance(t *testing.T) *instance {
	t.Helper()
	in, err := openInstance(box{memory: 512 << 20, threads: 2, spill: t.TempDir() + "/spill", allowed: []string{t.TempDir()}, connections: 2, setup: emptyTables()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.close(); err != nil {
			t.Error(err)
		}
	})
	return in
}

var accepted = []string{
	"SELECT 1", "select count(*) from events", "FROM events", "from events select region limit 3", "TABLE events", "VALUES (1, 'x')",
	"select * from main.events", `SELECT * FROM "Events"`, "with w as (select * from events) select count(*) from w",
	"with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select * from r",
	"with events as (select 1 as n) select * from events", "with events as materialized (select * from minutes) select * from events",
	"SUMMARIZE events", "summarize select region from events", "DESCRIBE events", "describe select 1", "SHOW TABLES", "show events", "describe",
	"select * from (summarize events)", "EXPLAIN SELECT count(*) FROM events", "explain (select 1)", "explain from events", "/* c */ explain /* d */ select 1",
	"select * from range(10)", "select * from range(1, 10, 2) t(i), generate_series(3)", "select unnest([1, 2])", "select * from unnest([1, 2]) u(x)",
	"select row_number() over (partition by service_name order by timestamp) from events", "select lag(latency_ms) over w from events window w as (order by timestamp)",
	"select count(distinct region) filter (where status_code >= 500) from events", "select e.* exclude (seq) replace (upper(region) as region) from events e",
	"select columns('.*_id') from events", "select columns(c -> c like 's%') from events", "from (pivot events on status_code in (200, 500) using count(*))",
	"unpivot (select seq, status_code from events) on status_code into name n value v", "select approx_percentile(latency_ms, 0.95) from events",
	"select json_extract_string(attributes, '$.a'), attributes ->> '$.b', attributes -> '$.c' from events", "select j.key from events, json_each(attributes) j",
	"select date_trunc('hour', timestamp) h, count(*) from events group by all order by all", "select extract(hour from timestamp), timestamp::date from events",
	"select now(), current_date, today(), interval 1 day, timestamp at time zone 'Europe/Berlin' from events", "select position('a' in region), trim(both ' ' from region) from events",
	"select list_transform([1, 2], x -> x + 1), [y * 2 for y in [1, 2]], {'a': 1}.a, map {'k': 1}['k'], [1, 2, 3][1:2]", "select 1 where 'a' = any(select region from events)",
	"select * from events tablesample 10%", "select * from events a asof join minutes m on a.service_name = m.service_name and a.timestamp >= m.minute",
	"select a.region from events a natural join events b", "select 1 union all select 2 except select 3 intersect select 4", "select case when true then 1 end, coalesce(null, 1), nullif(1, 2), if(true, 1, 2), ifnull(null, 1)",
	"select 'a' ~ 'b', 'a' similar to 'b', 'a' ilike '%b%', not true, 5 % 2, 5 // 2, 2 ** 3, -seq, 1 between 0 and 2, 1 is distinct from 2 from events",
	"select 1;", "select 1 ; -- done", "select ';' -- ; copy\n", "select $$ ; copy x $$", "select E'\\';'", "select \"a;b\" from (select 1 as \"a;b\")",
	"select quantile_cont(latency_ms, [0.5, 0.9]), mode(region), string_agg(region, ',' order by region), list(seq), arg_max(seq, timestamp) from events",
	"select grouping(region), count(*) from events group by grouping sets ((region), ())", "select count(*) from events group by rollup (region)", "select 1 limit 10%", "select distinct on (region) region from events",
	"select repeat('-', 40), lpad(region, 12, ' '), unnest(range(24)), range(0, 100, 5), generate_series(-5, 5) from events", "select unnest(generate_series(timestamp '2026-11-21', timestamp '2026-11-22', interval 1 hour))",
	"select * from range(100000000)", "select bar(latency_ms, 0, 500, 20) from events", "select #1 from events", "select e from events e", "select * from events where exists (select 1 from minutes) and service_name in (select service_name from hours)",
	"select * from events e, lateral (select e.seq + 1) l", "select cast('x' as varchar) collate nocase, try_cast('1' as decimal(10, 2)), 'a'::enum('a', 'b')", "select \u00a01",
}

// refused pairs a statement with a word of the sentence that the user reads.
var refused = [][2]string{
	{"COPY events TO 'x.parquet'", "COPY"}, {"copy (select 1) to '/tmp/x'", "COPY"}, {"EXPLAIN ANALYZE COPY (select 1) TO 'x'", "EXPLAIN ANALYZE"}, {"explain analyze select 1", "EXPLAIN ANALYZE"},
	{"explain /* x */ analyze select 1", "EXPLAIN ANALYZE"}, {"explain (analyze) select 1", "EXPLAIN ANALYZE"}, {"explain (analyze, format json) select 1", "EXPLAIN ANALYZE"}, {"explain (format json) select 1", "options"}, {"EXPLAIN COPY events TO 'x'", "EXPLAIN COPY"}, {"explain explain select 1", "EXPLAIN EXPLAIN"},
	{"ATTACH 'x.db'", "ATTACH"}, {"INSTALL httpfs", "INSTALL"}, {"LOAD httpfs", "LOAD"}, {"SET memory_limit = '1GB'", "SET"}, {"PRAGMA database_size", "PRAGMA"}, {"reset threads", "RESET"}, {"use memory", "USE"}, {"call pragma_version()", "CALL"},
	{"select 1; select 2", "more than one"}, {"select 1; copy events to 'x'", "more than one"}, {";;select 1;select 2", "more than one"}, {"select 1;;; drop table minutes", "more than one"},
	{"select * from read_text('/etc/passwd')", "read_text"}, {"select read_text('/etc/passwd')", "read_text"}, {"FROM '/etc/passwd'", "files"}, {"from \"/etc/passwd\"", "files"},
	{"select * from 'processed/partitioned/a.parquet'", "files"}, {"select * from read_parquet('x.parquet')", "read_parquet"}, {"from parquet_metadata('x')", "parquet_metadata"}, {"from signallake_files(1)", "signallake_files"}, {"from signallake_hot(1)", "signallake_hot"}, {"from glob('*')", "glob"},
	{"select * from enable_logging(storage = 'file', storage_config = {'path': 'x'})", "enable_logging"}, {"from disable_logging()", "disable_logging"}, {"from checkpoint()", "checkpoint"},
	{"from query('select 1')", "query"}, {"from query_table('events')", "query_table"}, {"from json_execute_serialized_sql('x')", "json_execute"}, {"from duckdb_settings()", "duckdb_settings"}, {"from duckdb_secrets()", "duckdb_secrets"},
	{"from sniff_csv('/etc/passwd')", "sniff_csv"}, {"from sql_auto_complete('x')", "sql_auto_complete"}, {"from histogram(events, region)", "histogram"}, {"from pragma_table_info('events')", "pragma_table_info"},
	{"select getenv('HOME')", "getenv"}, {"select current_setting('threads')", "current_setting"}, {"select getvariable('x')", "getvariable"}, {"select write_log('x')", "write_log"}, {"select setseed(0.5)", "setseed"}, {"select sleep_ms(1000)", "sleep_ms"},
	{"select nextval('s')", "nextval"}, {"select json_serialize_sql('select 1')", "json_serialize_sql"}, {"select no_such_function(1)", "no_such_function"}, {"select other.main.f(1)", "schema"},
	{"select ('x').read_text()", "read_text"}, {"select sum(write_log('x')) over () from events", "write_log"}, {"select list_transform(['x'], p -> write_log(p))", "write_log"}, {"select (select (select getenv('x')))", "getenv"},
	{"from range(write_log('x')::int)", "write_log"}, {"select columns(c -> write_log(c)) from events", "write_log"}, {"select 1 order by write_log('x')", "write_log"}, {"select 1 limit (select count(*) from read_csv('x'))", "read_csv"},
	{"select count(*) filter (where write_log('x') is null) from events", "write_log"}, {"values (write_log('x'))", "write_log"}, {"from (pivot events on write_log(region) in ('x') using count(*))", "write_log"},
	{"from hot_1", "hot_1"}, {"from duckdb_tables", "duckdb_tables"}, {"from information_schema.tables", "information_schema"}, {"from pg_catalog.pg_class", "pg_class"}, {"from sqlite_master", "sqlite_master"}, {"from other.events", "other.events"},
	{"from memory.main.events", "events"}, {"with \"/etc/passwd\" as (select 1) select * from '/etc/passwd'", "WITH"}, {"with \"a.parquet\" as (select 1) select 1", "WITH"}, {"with hot_1 as (select 1) from hot_1", "WITH"}, {"with duckdb_tables as (select 1) select 1", "WITH"},
	{"select * from (with w as (select 1) select * from w), nothere", "nothere"}, {"with w as (select * from read_text('x')) select 1", "read_text"}, {"select * from events at (version => 1)", "AT"}, {"select $1", "parameter"}, {"select ?", "parameter"},
	{"select repeat('x', 1000000000)", "repeat"}, {"select range(300000000)", "range"}, {"select repeat('x', '1000000000')", "repeat"}, {"select lpad('x', 10 * 1000000, 'y')", "lpad"}, {"select repeat(repeat('x', 10000), 10000 * 10000)", "repeat"}, {"select generate_series(1, (select 1000000000))", "generate_series"},
	{"summarize 'x.parquet'", "files"}, {"describe '/etc/passwd'", "files"}, {"show databases", "SHOW"}, {"insert into minutes values (1)", "INSERT"}, {"update events set region = 'x'", "UPDATE"}, {"delete from events", "DELETE"}, {"create table x(i int)", "CREATE"},
	{"drop table minutes", "DROP"}, {"alter table minutes rename to x", "ALTER"}, {"begin", "BEGIN"}, {"checkpoint", "CHECKPOINT"}, {"pivot events on region using count(*)", "PIVOT"}, {"export database 'x'", "EXPORT"}, {"import database 'x'", "kind of statement"},
	{"with w as (insert into minutes values (1)) select 1", ""}, {"comment on table minutes is 'x'", "kind of statement"}, {"prepare p as select 1", "PREPARE"}, {strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200), "brackets"}, {"select '" + strings.Repeat("x", maxTextBytes) + "'", "bytes"},
}

func TestGateAccepts(t *testing.T) {
	c, g := testInstance(t).conns[0], newGate()
	for _, text := range accepted {
		if _, err := g.admit(c, text); err != nil {
			t.Errorf("%s\n  %v", text, err)
		}
	}
}

func TestGateRefuses(t *testing.T) {
	c, g := testInstance(t).conns[0], newGate()
	for _, pair := range refused {
		s, err := g.admit(c, pair[0])
		var refusal *sql.RefusedError
		var syntax *sql.SyntaxError
		switch {
		case err == nil:
			t.Errorf("%s\n  was let through as %q", pair[0], s.body)
		case errors.As(err, &syntax) && pair[1] == "":
		case !errors.As(err, &refusal):
			t.Errorf("%s\n  %T %v, want a refusal", pair[0], err, err)
		case !strings.Contains(refusal.Error(), pair[1]):
			t.Errorf("%s\n  %q does not name %q", pair[0], refusal.Error(), pair[1])
		case refusal.Hint == "":
			t.Errorf("%s\n  the refusal has no way out", pair[0])
		}
	}
}

func TestGateTellsThePlaceOfSyntaxErrors(t *testing.T) {
	c, g := testInstance(t).conns[0], newGate()
	for text, offset := range map[string]int{"selec 1": 0, "  selec 1": 2, "explain selec 1": 8, "select 1 +": 10, "select * frm events where x": 13, "": 0, "-- nothing\n": 0, "explain": 7, "select 'a": 7, "select \x00": -1, "select \xff": -1} {
		_, err := g.admit(c, text)
		var syntax *sql.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%q: %v, want a syntax error", text, err)
			continue
		}
		if syntax.Offset != offset || syntax.Message == "" {
			t.Errorf("%q: offset %d (%s), want %d", text, syntax.Offset, syntax.Message, offset)
		}
	}
}

// TestFunctionsKnown makes somebody decide about each function that a new release of DuckDB brings.
func TestFunctionsKnown(t *testing.T) {
	c, g := testInstance(t).conns[0], newGate()
	set, err := c.query("SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'macro') AND internal ORDER BY 1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.rows) < 500 {
		t.Fatalf("the catalog has %d functions: the question is wrong", len(set.rows))
	}
	for _, row := range set.rows {
		if _, known := g.functions[row[0].(string)]; !known {
			t.Errorf("functions.txt does not know %s", row[0])
		}
	}
}

// TestGateNamesWhatItReads: a statement that reads events through any disguise must be known to read them, or it would see no files.
func TestGateNamesWhatItReads(t *testing.T) {
	c, g := testInstance(t).conns[0], newGate()
	for text, want := range map[string]bool{"select 1": false, "from minutes": false, "FROM Events": true, "select * from (select (select count(*) from main.events))": true, "summarize events": true, "explain from events": true} {
		s, err := g.admit(c, text)
		if err != nil {
			t.Fatal(err)
		}
		if s.relations["events"] != want {
			t.Errorf("%s: reads events = %v", text, !want)
		}
	}
}
