package filter

import (
	"strings"

	"github.com/signallake/signallake/sql"
)

// node is a condition.
type node interface {
	// sql writes it. total: it must not be NULL, since a NOT stands above.
	sql(total bool) string
	nullable() bool
}

// leaf is a condition as it stands.
type leaf struct {
	text  string // with brackets around it where it has alternatives
	maybe bool   // it is NULL where a value is absent
}

func (l leaf) nullable() bool { return l.maybe }
func (l leaf) sql(total bool) string {
	if total && l.maybe {
		return "coalesce(" + l.text + ", false)"
	}
	return l.text
}

// equality is a leaf that lists are made of.
type equality struct {
	expression, literal string
	maybe               bool
}

func (e equality) nullable() bool { return e.maybe }
func (e equality) sql(total bool) string {
	return leaf{e.expression + " = " + e.literal, e.maybe}.sql(total)
}

// all is a conjunction, any_ a disjunction. Either is no where it is NULL, whatever stands above but a NOT.
type (
	all  []node
	any_ []node
)

func (a all) nullable() bool  { return someNullable(a) }
func (a any_) nullable() bool { return someNullable(a) }

func (a all) sql(total bool) string  { return joined(a, " AND ", a.nullable(), total) }
func (a any_) sql(total bool) string { return joined(a, " OR ", a.nullable(), total) }

func someNullable(nodes []node) bool {
	for _, n := range nodes {
		if n.nullable() {
			return true
		}
	}
	return false
}

func joined(nodes []node, with string, nullable, total bool) string {
	parts := make([]string, len(nodes))
	for i, n := range nodes {
		parts[i] = n.sql(false)
		if needsBrackets(n) {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	text := strings.Join(parts, with)
	if total && nullable {
		return "coalesce(" + text + ", false)"
	}
	return text
}

func needsBrackets(n node) bool {
	switch n := n.(type) {
	case all:
		return len(n) > 1
	case any_:
		return len(n) > 1
	}
	return false
}

// not excludes. What it excludes is never NULL, so neither is it: an absent value is not lost.
type not struct{ node }

func (n not) nullable() bool { return false }
func (n not) sql(bool) string {
	inner := n.node.sql(true)
	if needsBrackets(n.node) && !n.node.nullable() || !strings.HasPrefix(inner, "coalesce(") && !strings.HasPrefix(inner, "(") {
		inner = "(" + inner + ")"
	}
	return "NOT " + inner
}

// group is what stood in brackets.
type group struct{ node }

func (g group) sql(total bool) string {
	text := g.node.sql(total)
	if strings.HasPrefix(text, "coalesce(") && total {
		return text
	}
	return "(" + text + ")"
}

// listNode is one of several conditions; equalities of one expression become a list.
func listNode(options any_) node {
	if len(options) == 1 {
		return options[0]
	}
	var literals []string
	first, _ := options[0].(equality)
	for _, n := range options {
		e, ok := n.(equality)
		if !ok || e.expression != first.expression {
			return options
		}
		literals = append(literals, e.literal)
	}
	return leaf{first.expression + " IN (" + strings.Join(literals, ", ") + ")", first.maybe}
}

func literal(s string) string { return sql.Literal(s) }

// lowerLiteral is s in lower case. Beyond ASCII the engine lowers it, as it lowers what it is compared with.
func lowerLiteral(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return "lower(" + literal(s) + ")"
		}
	}
	return literal(strings.ToLower(s))
}

// saysNode is the condition that an event says the text: in its message or, where it has none, in its endpoint.
func saysNode(s string) node {
	word := lowerLiteral(s)
	return leaf{"(contains(lower(message), " + word + ") OR (message IS NULL AND contains(lower(endpoint), " + word + ")))", true}
}

// kinds are what is: knows.
var kinds = map[string]node{
	"error": leaf{sql.IsError, false},
	"warn":  leaf{"(status_code BETWEEN 400 AND 499 OR lower(level) IN ('warn', 'warning'))", false},
	"http":  leaf{"status_code >= 100", false},
}

// present is the condition that the field has a value.
func (f *field) present() node {
	switch {
	case f.kind == lowered:
		return leaf{f.column + " <> ''", false}
	case f.missing != "":
		return leaf{f.column + " <> " + f.missing, false}
	}
	return leaf{f.expression() + " IS NOT NULL", false}
}

// expression is the field in SQL: its column, or the attribute's text.
func (f *field) expression() string {
	path, ok := strings.CutPrefix(f.column, "@")
	if f.kind != document || !ok {
		return f.column
	}
	flat := attribute(path)
	if !plainPath(path) || !strings.Contains(path, ".") {
		return flat
	}
	return "coalesce(" + flat + ", " + attribute(strings.Split(path, ".")...) + ")"
}

// attribute is the text of an attribute at a path of keys: a JSON pointer (RFC 6901), since it can hold any key.
func attribute(keys ...string) string {
	path := ""
	for _, key := range keys {
		path += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
	}
	return "json_extract_string(attributes, " + literal(path) + ")"
}

// plainPath tells whether a path of keys can be written without quotes.
func plainPath(path string) bool {
	for i, r := range path {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		if !letter && (i == 0 || r != '.' && r != '-' && (r < '0' || r > '9')) {
			return false
		}
	}
	return path != "" && !strings.HasSuffix(path, ".") && !strings.Contains(path, "..")
}
