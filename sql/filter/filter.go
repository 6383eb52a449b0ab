// Package filter is the language in which one narrows events while looking at them: a line of terms that compiles to a condition over `events`.
// It promises that every text either is refused with the place of the fault or becomes one condition that the engine parses, that no text can
// say more than a condition, and that what a term excludes are the events that the term alone would show: an absent value is never lost.
//
//	timeout "card declined"     words: all of them stand in the message, whatever their case; where there is no message, in the endpoint
//	service:checkout            a field is exactly this
//	status:500,503  path:/api/* any of a list; * stands for anything
//	status>=500  status:5xx     comparisons, classes of status codes, and both ends of a range: status:500..503
//	latency>250ms latency<1.5s  durations; a bare number is milliseconds
//	has:trace_id  region:none   present, absent
//	is:error                    a status of 5xx or a level from error on; is:warn, is:http
//	@user_id:42  @user.plan:pro an attribute, which the contract does not know; attributes.user_id is the same
//	!path:/health               everything but that; also for words and for brackets
//	a | b   a OR b   (a b) | c  one of them; terms beside each other must all hold
package filter

import (
	"fmt"
	"slices"
	"strings"
)

// Error is a text that is no filter, with the place of the fault.
type Error struct {
	Offset, End int    // bytes from the start of the text; End > Offset unless the fault is at the text's end
	Message     string // a sentence fragment with the way out
}

func (e *Error) Error() string { return e.Message }

// Query is a filter that was understood. The zero value lets everything through.
type Query struct {
	text  string
	root  node
	terms []*term // what must hold, one beside the other; a filter that is an OR as a whole is a single one
}

// term is one part of a filter's top row, with its place in the text.
type term struct {
	node
	start, end int
	column     string   // of a term that lists values of one column; else ""
	values     []string // that it lists
	negated    bool
	open       bool // alternatives without brackets around them
}

// String is the filter as it was written, without space around it.
func (q *Query) String() string { return strings.TrimSpace(q.text) }

// SQL is the condition over events; "" lets everything through. It is never NULL where it stands below a NOT of ours, and may be NULL for
// "no" at the top, as in any WHERE.
func (q *Query) SQL() string {
	if q.root == nil {
		return ""
	}
	return q.root.sql(false)
}

// SQLWithout is the condition without the terms that list values of a column: what the column's other values are counted under.
func (q *Query) SQLWithout(column string) string {
	var rest all
	for _, t := range q.terms {
		if t.column != column || t.negated {
			rest = append(rest, t.node)
		}
	}
	if len(rest) == 0 {
		return ""
	}
	return rest.sql(false)
}

// Lists tells whether the filter asks for a column's value by name, and whether it excludes it.
func (q *Query) Lists(column, value string) (asked, excluded bool) {
	value = normal(column, value)
	for _, t := range q.terms {
		if t.column == column && slices.Contains(t.values, value) {
			asked, excluded = asked || !t.negated, excluded || t.negated
		}
	}
	return asked, excluded
}

// Only is the value when the whole filter is one value of one column.
func (q *Query) Only(column string) (value string, ok bool) {
	if len(q.terms) != 1 || q.terms[0].column != column || q.terms[0].negated || len(q.terms[0].values) != 1 {
		return "", false
	}
	return q.terms[0].values[0], true
}

// DropLast is the text without its last term.
func (q *Query) DropLast() string {
	if len(q.terms) == 0 {
		return ""
	}
	return withoutAND(q.text[:q.terms[len(q.terms)-1].start])
}

// withoutAND is the text before a term that goes.
func withoutAND(before string) string {
	before = strings.TrimSpace(before)
	if rest, ok := strings.CutSuffix(before, "AND"); ok && strings.TrimRightFunc(rest, isSpace) != rest {
		return strings.TrimSpace(rest)
	}
	return before
}

// And is the text narrowed by another term.
func (q *Query) And(text string) string {
	switch {
	case q.root == nil:
		return text
	case q.terms[0].open:
		return "(" + q.String() + ") " + text
	}
	return q.String() + " " + text
}

// Toggle is the text with a column's value asked for, or no longer so when it was. A value that was excluded is no longer.
func (q *Query) Toggle(column, value string) string {
	value = normal(column, value)
	if t, i := q.listing(column, value); t != nil {
		return q.replace(t, slices.Delete(slices.Clone(t.values), i, i+1))
	}
	if t := q.list(column, false); t != nil {
		return q.replace(t, append(slices.Clone(t.values), value))
	}
	return q.And(Term(column, value))
}

// listing is the term that names a column's value, and its place in it.
func (q *Query) listing(column, value string) (*term, int) {
	for _, t := range q.terms {
		if i := slices.Index(t.values, value); i >= 0 && t.column == column {
			return t, i
		}
	}
	return nil, 0
}

// list is the first term that asks for values of a column, or that excludes some.
func (q *Query) list(column string, negated bool) *term {
	for _, t := range q.terms {
		if t.column == column && t.negated == negated {
			return t
		}
	}
	return nil
}

// Exclude is the text with a column's value excluded. It is no longer asked for.
func (q *Query) Exclude(column, value string) string {
	value = normal(column, value)
	if t, i := q.listing(column, value); t != nil && t.negated {
		return q.String()
	} else if t != nil {
		return q.replace(t, slices.Delete(slices.Clone(t.values), i, i+1))
	}
	if t := q.list(column, true); t != nil {
		return q.replace(t, append(slices.Clone(t.values), value))
	}
	return q.And("!" + Term(column, value))
}

// replace writes a term's list of values anew; without values the term goes.
func (q *Query) replace(t *term, values []string) string {
	text := ""
	if len(values) > 0 {
		text = Term(t.column, values...)
		if t.negated {
			text = "!" + text
		}
	}
	before, after := strings.TrimSpace(q.text[:t.start]), strings.TrimSpace(q.text[t.end:])
	if text == "" {
		if before = withoutAND(before); before == "" {
			if rest, ok := strings.CutPrefix(after, "AND"); ok && strings.TrimLeftFunc(rest, isSpace) != rest {
				after = strings.TrimSpace(rest)
			}
		}
	}
	return strings.Join(slices.DeleteFunc([]string{before, text, after}, func(s string) bool { return s == "" }), " ")
}

// Term writes the term that a column has one of the values; "" is "absent". A column is one of events, or an attribute with @ before its name.
func Term(column string, values ...string) string {
	name := column
	for _, f := range fields {
		if f.column == column {
			name = f.name
			break
		}
	}
	if path, ok := strings.CutPrefix(column, "@"); ok && !plainPath(path) {
		name = "@" + quote(path)
	}
	sign := ":"
	if column == "message" {
		sign = "=" // with a colon it would be a part of the message
	}
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(valueText(v))
	}
	return name + sign + b.String()
}

// valueText writes a value so that it is read as nothing but itself.
func valueText(v string) string {
	if v == "" {
		return absent
	}
	for i, r := range v {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 0x7f && !isSpace(r) || strings.ContainsRune("/_-.:@{}%+~#&=;$^<>[]", r)
		if !plain || i == 0 && strings.ContainsRune("<>=", r) {
			return quote(v)
		}
	}
	if v == absent || strings.Contains(v, "..") || strings.HasSuffix(strings.ToLower(v), "xx") {
		return quote(v)
	}
	return v
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Names are the fields as the language calls them, for a line of help.
func Names() []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	return names
}

func errorf(start, end int, format string, args ...any) *Error {
	return &Error{Offset: start, End: max(end, start), Message: fmt.Sprintf(format, args...)}
}
