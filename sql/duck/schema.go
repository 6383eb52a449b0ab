package duck

import (
	"fmt"
	"strings"

	"github.com/signallake/signallake/lake"
)

// columnsSQL is the column list of events as a table definition has it.
func columnsSQL() string {
	var b strings.Builder
	for i, c := range lake.Columns() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.Name + " " + c.Type)
	}
	return b.String()
}

// columnNames is the select list of events, in the order that users see.
func columnNames() string {
	var names []string
	for _, c := range lake.Columns() {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// tier is one resolution of the cell tables.
type tier struct {
	table string // of service cells; those of endpoints are <table>_by_endpoint
	time  string // name of the time column
	unit  string // of date_trunc
	width int64  // microseconds
}

// tiers are the minutes and, for long windows, the hours.
var tiers = [...]tier{
	{table: "minutes", time: "minute", unit: "minute", width: 60 * 1_000_000},
	{table: "hours", time: "hour", unit: "hour", width: 3600 * 1_000_000},
}

// cellCounts are the columns that both kinds of cells have. count is every event, http those with a status of 100 and above, errors 5xx,
// client_errors 4xx; latencies are milliseconds.
const cellCounts = "count BIGINT, http BIGINT, errors BIGINT, client_errors BIGINT, latency_count BIGINT, latency_sum DOUBLE, latency_max DOUBLE"

// cellLists is the distribution: buckets of rollup.BucketOf and how many latencies lie in each.
const cellLists = "buckets SMALLINT[], counts INTEGER[]"

func (t tier) serviceColumns() string {
	return t.time + " TIMESTAMP, service_name VARCHAR, " + cellCounts + ", p50 DOUBLE, p95 DOUBLE, p99 DOUBLE, " + cellLists
}

func (t tier) endpointColumns() string {
	return t.time + " TIMESTAMP, service_name VARCHAR, endpoint VARCHAR, region VARCHAR, " + cellCounts + ", " + cellLists
}

// sealed and open are the two tables behind each view of cells: the open one is small and replaced as a whole at each flush.
func sealed(table string) string { return "signallake_sealed_" + table }
func open(table string) string   { return "signallake_open_" + table }

// wantedKeys names the cells that a flush takes back from a sealed table; empty between flushes.
const wantedKeys = "signallake_wanted"

// minuteTables makes the cell tables and the views over them. In the views of endpoints a cell may have several rows, each a part of it.
func minuteTables() []string {
	texts := []string{"CREATE TABLE " + wantedKeys + "(cell TIMESTAMP, service_name VARCHAR)"}
	for _, t := range tiers {
		for table, columns := range map[string]string{t.table: t.serviceColumns(), t.table + "_by_endpoint": t.endpointColumns()} {
			texts = append(texts, fmt.Sprintf("CREATE TABLE %s(%s)", sealed(table), columns), fmt.Sprintf("CREATE TABLE %s(%s)", open(table), columns),
				fmt.Sprintf("CREATE VIEW %s AS SELECT * FROM %s UNION ALL SELECT * FROM %s", table, sealed(table), open(table)))
		}
	}
	return texts
}

// emptyTables are stand-ins of everything that a statement may name: the planner binds against them.
func emptyTables() []string {
	texts := []string{"CREATE TABLE events(" + columnsSQL() + ")"}
	for _, t := range tiers {
		texts = append(texts, fmt.Sprintf("CREATE TABLE %s(%s)", t.table, t.serviceColumns()), fmt.Sprintf("CREATE TABLE %s_by_endpoint(%s)", t.table, t.endpointColumns()))
	}
	return texts
}
