package filter

import (
	"slices"
	"strings"

	"github.com/signallake/signallake/lake"
)

// kind is how a field's values are compared.
type kind int

const (
	text     kind = iota // exactly
	folded               // whatever the case: senders disagree about it
	lowered              // the lake keeps it in lower case
	phrase               // `:` finds a part of it, whatever the case
	integer              // a status code; 0 is "none"
	duration             // milliseconds
	document             // an attribute: text, and a number where it is compared
)

// field is a column of events as the language has it.
type field struct {
	name    string   // the short one that terms are written with
	column  string   // of events
	others  []string // more names
	kind    kind
	missing string // the value that stands for "none" in a column that is never NULL
}

// nullable tells whether the column, or the attribute, can be NULL.
func (f *field) nullable() bool {
	for _, c := range lake.Columns() {
		if c.Name == f.column {
			return c.Nullable
		}
	}
	return true
}

// absent is the bare word for "has no value"; a value of that name is written in quotes.
const absent = "none"

// fields are the columns that one filters by. The instants are not among them: the time range is.
var fields = []field{
	{name: "service", column: "service_name", others: []string{"app", "svc"}, kind: lowered},
	{name: "status", column: "status_code", others: []string{"code"}, kind: integer, missing: "0"},
	{name: "path", column: "endpoint", others: []string{"url", "uri", "route"}},
	{name: "method", column: "method", others: []string{"verb"}, kind: folded},
	{name: "latency", column: "latency_ms", others: []string{"duration", "took"}, kind: duration},
	{name: "region", column: "region", missing: "'unknown'"},
	{name: "level", column: "level", others: []string{"severity", "lvl"}, kind: folded},
	{name: "msg", column: "message", others: []string{"text"}, kind: phrase},
	{name: "host", column: "host", others: []string{"hostname", "pod", "instance"}},
	{name: "req", column: "request_id", others: []string{"request", "requestid"}},
	{name: "trace", column: "trace_id", others: []string{"traceid"}},
	{name: "span", column: "span_id", others: []string{"spanid"}},
	{name: "id", column: "event_id", missing: "''"},
	{name: "seq", column: "seq", kind: integer, missing: "0"},
}

// timeFields are answered with the way to the time range.
var timeFields = []string{"timestamp", "time", "ts", "@timestamp", "event_date", "date", "received_at"}

const attributesPrefix = "attributes."

// fieldOf finds a field by one of its names, whatever their case; nil when there is none.
func fieldOf(name string) *field {
	if path, ok := strings.CutPrefix(name, "@"); ok && path != "" {
		return &field{name: name, column: name, kind: document}
	}
	lower := strings.ToLower(name)
	if strings.HasPrefix(lower, attributesPrefix) && len(name) > len(attributesPrefix) {
		return fieldOf("@" + name[len(attributesPrefix):])
	}
	for i := range fields {
		if f := &fields[i]; f.name == lower || f.column == lower || slices.Contains(f.others, lower) {
			return f
		}
	}
	return nil
}

// unknown is the error for a name that is no field: near ones, or all; and how to look for the text instead.
func unknown(name, whole string, start int) *Error {
	end := start + len(name)
	if slices.Contains(timeFields, strings.ToLower(name)) {
		return errorf(start, end, "%s is not filtered by: the time range is, with t", name)
	}
	if rest, ok := strings.CutPrefix(name, "-"); ok && fieldOf(rest) != nil {
		return errorf(start, start+1, "! excludes: !%s", strings.TrimPrefix(whole, "-"))
	}
	var near []string
	for _, f := range fields {
		for _, candidate := range append([]string{f.name, f.column}, f.others...) {
			if distance(strings.ToLower(name), candidate) <= max(1, len(name)/3) || len(name) > 2 && strings.HasPrefix(candidate, strings.ToLower(name)) {
				near = append(near, f.name)
				break
			}
		}
	}
	hint := "there are " + strings.Join(Names(), ", ")
	if len(near) > 0 {
		hint = "is it " + strings.Join(near, " or ") + "?"
	}
	return errorf(start, end, "no field is called %q: %s An attribute is @%s; in quotes it is a text to look for", name, sentence(hint), name)
}

func sentence(s string) string {
	if strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// distance is how many letters must be changed, put in, left out or swapped with their neighbour to make b of a.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		rows[0], rows[1], rows[2] = last, row, before
	}
	return rows[1][len(b)]
}
