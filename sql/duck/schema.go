package duck

import (
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

// emptyTables are stand-ins of everything that a statement may name: the planner binds against them.
func emptyTables() []string {
	cells := "service_name VARCHAR, count BIGINT, http BIGINT, errors BIGINT, latencies BIGINT, buckets SMALLINT[], counts INTEGER[]"
	return []string{
		"CREATE TABLE events(" + columnsSQL() + ")",
		"CREATE TABLE minutes(minute TIMESTAMP, " + cells + ")", "CREATE TABLE hours(hour TIMESTAMP, " + cells + ")",
		"CREATE TABLE minutes_by_endpoint(minute TIMESTAMP, " + cells + ")", "CREATE TABLE hours_by_endpoint(hour TIMESTAMP, " + cells + ")",
	}
}
