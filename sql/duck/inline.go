package duck

import (
	"slices"
	"strconv"
	"strings"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// A view is bound twice: when it is made, and when it is used. Over a dozen files each time costs as much as reading them. So a statement carries its
// `events` with it, as a common table expression, wherever that means the same; a statement that does not bind so runs over the view after all, which is
// what its user asked for and what errors tell about.

// notPlanned is what a key answers that no plan reads. It is never computed: where a plan is wrong the statement fails and runs over the view.
const notPlanned = "signallake: a key that no plan reads"

// inlineSQL is the statement with its own events: the surviving files, which own reads if it is not nil, and the hot tables. reads are the columns that its plan reads;
// nil: any.
func (s *statement) inlineSQL(layout lake.Layout, files []*lake.FileEntry, own *fileList, hot []*hotTable, reads []string, maxRows int) string {
	var b strings.Builder
	b.WriteString("WITH events AS NOT MATERIALIZED (")
	if len(files) == 0 && len(hot) == 0 {
		b.WriteString(emptyEvents())
	}
	if len(files) > 0 {
		b.WriteString(selectFiles(layout, files, own, reads))
	}
	for i, t := range hot {
		if i > 0 || len(files) > 0 {
			b.WriteString(" UNION ALL ")
		}
		b.WriteString("SELECT " + columnNames() + " FROM " + t.name)
	}
	b.WriteString(") " + wrapBefore + s.body + "\n) LIMIT " + strconv.Itoa(maxRows+1))
	return b.String()
}

// needsView tells that a statement with its own events failed before it read anything, or for a plan that was wrong about a key.
func needsView(err error) bool {
	parsed, ok := parseEngineError(err)
	if !ok {
		return false
	}
	return slices.Contains([]string{"Parser", "Syntax", "Binder", "Catalog", "Not implemented"}, parsed.Kind) || strings.Contains(parsed.Message, notPlanned)
}

// selectFiles reads files of which the catalog knows the partitionKeys: one that all files share is written as a constant, and one that the plan does not read is
// not looked for. Where that leaves none DuckDB need not take the paths apart.
func selectFiles(layout lake.Layout, files []*lake.FileEntry, own *fileList, reads []string) string {
	constants := map[string]string{}
	for _, key := range partitionKeys {
		value := key.constant(files[0])
		switch {
		case !slices.ContainsFunc(files, func(f *lake.FileEntry) bool { return key.constant(f) != value }):
			constants[key.name] = value + "::" + key.kind
		case own != nil: // it gives what is asked for
		case reads != nil && !slices.Contains(reads, key.name):
			constants[key.name] = "error(" + sql.Literal(notPlanned) + ")::" + key.kind
		default:
			return "SELECT " + columnNames() + " FROM " + readFiles(layout, files)
		}
	}
	var list []string
	for _, c := range lake.Columns() {
		if constant, ok := constants[c.Name]; ok {
			list = append(list, constant+" AS "+c.Name)
		} else {
			list = append(list, c.Name)
		}
	}
	if own != nil {
		return "SELECT " + strings.Join(list, ", ") + " FROM " + own.source()
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + readParquet(layout, files, "hive_partitioning = false")
}

// key is a column of the partition key.
type key struct {
	name, kind string
	constant   func(f *lake.FileEntry) string
}

var partitionKeys = [...]key{
	{"event_date", "DATE", func(f *lake.FileEntry) string { return sql.Literal(f.Partition.Date.String()) }},
	{"service_name", "VARCHAR", func(f *lake.FileEntry) string { return sql.Literal(f.Partition.Service) }},
	{"status_code", "INTEGER", func(f *lake.FileEntry) string { return strconv.Itoa(int(f.Partition.Status)) }},
}
