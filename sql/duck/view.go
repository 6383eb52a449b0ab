package duck

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// eventsSQL is the statement that makes `events` on a statement's own connection: the surviving files and the hot tables. Never a view that
// connections share: one that two of them replace gives wrong answers. Types of the partition key are named, since a service called 123 would become a number.
func eventsSQL(layout lake.Layout, files []*lake.FileEntry, hot []*hotTable) (string, error) {
	columns := columnNames()
	var b strings.Builder
	b.WriteString("CREATE OR REPLACE TEMP VIEW events AS ")
	if len(files) == 0 && len(hot) == 0 {
		b.WriteString(emptyEvents())
		return b.String(), nil
	}
	if len(files) > 0 {
		root, err := filepath.Abs(layout.Root)
		if err != nil {
			return "", err
		}
		layout.Root = root
		b.WriteString("SELECT " + columns + " FROM " + readFiles(layout, files))
	}
	for i, t := range hot {
		if i > 0 || len(files) > 0 {
			b.WriteString(" UNION ALL ")
		}
		b.WriteString("SELECT " + columns + " FROM " + t.name)
	}
	return b.String(), nil
}

// readFiles is the table function that reads the files; layout's root is absolute.
func readFiles(layout lake.Layout, files []*lake.FileEntry) string {
	return readParquet(layout, files, "hive_partitioning = true, hive_types = {'event_date': DATE, 'service_name': VARCHAR, 'status_code': INTEGER}")
}

// readParquet reads the files with some options. DuckDB is told how many rows they hold: else it looks for each file, and into one, before it plans.
func readParquet(layout lake.Layout, files []*lake.FileEntry, options string) string {
	var rows int64
	for _, f := range files {
		rows += f.Rows
	}
	return fmt.Sprintf("read_parquet(%s, explicit_cardinality = %d, %s)", pathList(layout, files), rows, options)
}

// pathList is a list constant of the files' paths.
func pathList(layout lake.Layout, files []*lake.FileEntry) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, f := range files {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(sql.Literal(layout.Path(f)))
	}
	b.WriteByte(']')
	return b.String()
}

// emptyEvents has the right columns and types and no row.
func emptyEvents() string {
	var parts []string
	for _, c := range lake.Columns() {
		parts = append(parts, "NULL::"+c.Type+" AS "+c.Name)
	}
	return "SELECT " + strings.Join(parts, ", ") + " WHERE false"
}
