package duck

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// keyColumn is a column of events by which digests count.
type keyColumn int8

const (
	keyDate keyColumn = iota
	keyService
	keyStatus
	keyEndpoint // this and those below it differ within a file; a digest has each of them alone
	keyRegion
	keyHour
	keyColumns
)

// keyInfo is a key in the words of SQL.
type keyInfo struct {
	expression, name, kind string
	column                 string // of events that is read for it; "": a partition key
}

func (k keyColumn) info() keyInfo {
	return [keyColumns]keyInfo{
		keyDate:     {"event_date", "event_date", "DATE", ""},
		keyService:  {"service_name", "service_name", "VARCHAR", ""},
		keyStatus:   {"status_code", "status_code", "INTEGER", ""},
		keyEndpoint: {"endpoint", "endpoint", "VARCHAR", "endpoint"},
		keyRegion:   {"region", "region", "VARCHAR", "region"},
		keyHour:     {"date_trunc('hour', timestamp)", `date_trunc('hour', "timestamp")`, "TIMESTAMP", "timestamp"},
	}[k]
}

// isText says whether values of the key are text; else they are days, codes or microseconds.
func (k keyColumn) isText() bool { return k.info().kind == "VARCHAR" }

// keyValue is a key's value.
type keyValue struct {
	text string
	n    int64
	null bool
}

// textValue is a nullable text as files have it: "" is no value.
func textValue(s string) keyValue { return keyValue{text: s, null: s == ""} }

// result is the value as sql.Result has it.
func (k keyColumn) result(v keyValue) any {
	switch {
	case v.null:
		return nil
	case k.isText():
		return v.text
	case k == keyDate:
		return lake.Date(v.n).Start().Time()
	case k == keyHour:
		return lake.Micros(v.n).Time()
	}
	return v.n
}

// keys are the values of an event, or of many alike.
type keys [keyColumns]keyValue

// truth is SQL's.
type truth int8

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// predicate is a condition on keys.
type predicate struct {
	op     string // a comparison, "IN", "IS NULL" on column; "AND", "OR", "NOT" over of
	column keyColumn
	values []keyValue // one for a comparison; none of them is NULL
	of     []predicate
}

// holds evaluates the condition as DuckDB does.
func (p *predicate) holds(k *keys) truth {
	switch p.op {
	case "AND", "OR":
		out := yes
		if p.op == "OR" {
			out = no
		}
		for i := range p.of {
			if t := p.of[i].holds(k); p.op == "AND" {
				out = min(out, t)
			} else {
				out = max(out, t)
			}
		}
		return out
	case "NOT":
		return yes - p.of[0].holds(k)
	case "IS NULL":
		return truthOf(k[p.column].null)
	}
	v := &k[p.column]
	if v.null {
		return unknown
	}
	if p.op == "IN" {
		return truthOf(slices.ContainsFunc(p.values, func(w keyValue) bool { return p.column.compare(v, &w) == 0 }))
	}
	c := p.column.compare(v, &p.values[0])
	switch p.op {
	case "=":
		return truthOf(c == 0)
	case "<>":
		return truthOf(c != 0)
	case "<":
		return truthOf(c < 0)
	case "<=":
		return truthOf(c <= 0)
	case ">":
		return truthOf(c > 0)
	}
	return truthOf(c >= 0)
}

// compare orders two values of the key that are not NULL, text by its bytes.
func (k keyColumn) compare(v, w *keyValue) int {
	if k.isText() {
		return strings.Compare(v.text, w.text)
	}
	return cmp.Compare(v.n, w.n)
}

// uses marks the keys that the condition looks at.
func (p *predicate) uses(used *[keyColumns]bool) {
	for i := range p.of {
		p.of[i].uses(used)
	}
	if len(p.values) > 0 || p.op == "IS NULL" {
		used[p.column] = true
	}
}

// sql is the condition as text.
func (p *predicate) sql() string {
	switch p.op {
	case "AND", "OR":
		parts := make([]string, len(p.of))
		for i := range p.of {
			parts[i] = p.of[i].sql()
		}
		return "(" + strings.Join(parts, " "+p.op+" ") + ")"
	case "NOT":
		return "(NOT " + p.of[0].sql() + ")"
	case "IS NULL":
		return "(" + p.column.info().expression + " IS NULL)"
	}
	constants := make([]string, len(p.values))
	for i := range p.values {
		constants[i] = p.column.literal(&p.values[i])
	}
	if p.op == "IN" {
		return "(" + p.column.info().expression + " IN (" + strings.Join(constants, ", ") + "))"
	}
	return "(" + p.column.info().expression + " " + p.op + " " + constants[0] + ")"
}

func (k keyColumn) literal(v *keyValue) string {
	switch {
	case k.isText():
		return sql.Literal(v.text)
	case k == keyDate:
		return "DATE '" + lake.Date(v.n).String() + "'"
	}
	return strconv.FormatInt(v.n, 10)
}

// timeRange is [from, to) of event time.
type timeRange struct{ from, to lake.Micros }

// sql is the range as conditions, each with " AND " before it.
func (w timeRange) sql() string {
	const layout = "2006-01-02 15:04:05.000000"
	var b strings.Builder
	if w.from > minMicros {
		fmt.Fprintf(&b, " AND timestamp >= TIMESTAMP '%s'", w.from.Time().Format(layout))
	}
	if w.to < maxMicros {
		fmt.Fprintf(&b, " AND timestamp < TIMESTAMP '%s'", w.to.Time().Format(layout))
	}
	return b.String()
}

const (
	minMicros = lake.Micros(-1 << 62)
	maxMicros = lake.Micros(1 << 62)
)

// parseDay and parseInstant read constants that are written in full; DuckDB reads others as well, which are left to it.
func parseDay(s string) (lake.Date, bool) {
	d, err := lake.ParseDate(s)
	return d, err == nil && len(s) == len(time.DateOnly)
}

func parseInstant(s string) (lake.Micros, bool) {
	if d, ok := parseDay(s); ok {
		return d.Start(), true
	}
	whole, part, _ := strings.Cut(s, ".")
	t, err := time.ParseInLocation(time.DateTime, s, time.UTC)
	return lake.MicrosOf(t), err == nil && len(whole) == len(time.DateTime) && len(part) <= 6
}
