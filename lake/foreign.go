package lake

import "fmt"

// JSONMember is one member of a JSON object. Both slices alias the text that JSONMembers walked.
type JSONMember struct {
	Key     []byte // without its quotes, as it stands: AppendUnescaped decodes it when Escaped says so
	Value   []byte // as it stands, of any type, with its quotes
	Escaped bool   // Key holds a backslash
}

// JSONMembers appends the members of the one JSON object that p holds to list, in their order, with duplicates: what a reader of foreign
// lines needs before Contract.Parse can check them. The whole of p is validated. The error is a *FieldError without a field.
func JSONMembers(list []JSONMember, p []byte) ([]JSONMember, error) {
	if len(p) > maxEventBytes {
		return list, &FieldError{Reason: fmt.Sprintf("the event is %d bytes long, the limit is %d", len(p), maxEventBytes)}
	}
	var store [24]jsonMember
	o, err := walkObject(p, store[:0], maxDepth)
	if err != nil {
		return list, err
	}
	for i := range o.members {
		m := &o.members[i]
		list = append(list, JSONMember{Key: p[m.key:m.keyEnd], Value: p[m.val:m.valEnd], Escaped: m.keyFlags&jsonEscape != 0})
	}
	return list, nil
}

// AppendUnescaped appends the text of a JSON string's body, which stands between its quotes and has been validated. Lone surrogates and
// bytes that are not UTF-8 become U+FFFD.
func AppendUnescaped(dst, body []byte) []byte { return appendUnescaped(dst, body) }

// AppendQuoted appends s as a JSON string, escaped as little as JSON allows; bytes that are not UTF-8 become U+FFFD.
func AppendQuoted(dst []byte, s string) []byte { return appendQuoted(dst, s) }

// AppendInstant appends t in UTC as 2026-11-21T07:56:05.123456Z: always 27 bytes. Outside the years 0000 to 9999 it is the nearest instant
// inside.
func AppendInstant(dst []byte, t Micros) []byte { return appendInstant(dst, t) }
