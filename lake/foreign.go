package lake

import (
	"fmt"
	"math"
	"unicode/utf8"
)

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

// CompactObject appends the one JSON object that p holds in the form of Event.Attributes: without whitespace, numbers digit for digit, strings as AppendQuoted writes
// them. Of a duplicate key the last one wins, at the place of the first; dropped counts the others. The error is a *FieldError without a field.
func CompactObject(dst, p []byte) (_ []byte, dropped int, err error) {
	var store [24]jsonMember
	o, err := walkObject(p, store[:0], maxDepth)
	if err != nil {
		return dst, 0, err
	}
	var list [24]attribute
	set := attributeSet{list: list[:0]}
	for _, m := range o.members {
		set = set.put(p, m, true)
	}
	if len(set.list) == 0 {
		return append(dst, '{', '}'), 0, nil
	}
	return set.append(dst, p), set.dropped, nil
}

// Adopt holds an event that was read from another form than our JSON against the rules of Parse, and fills in what the lake owns: EventID where e has
// none, ReceivedAt = now, Region and Level. The strings of e may alias anything when it is called and alias nothing of the caller's afterwards; bytes that are
// not UTF-8 become U+FFFD. Attributes must be "" or come from CompactObject. The error is a *FieldError, and e is then of no use.
func (c Contract) Adopt(e *Event, now Micros) error {
	e.ReceivedAt = now
	if problem := c.outside(e.Timestamp, now); problem != "" {
		return &FieldError{"timestamp", problem}
	}
	if s := e.StatusCode; s != 0 && (s < minStatus || s > maxStatus) {
		return &FieldError{"status_code", fmt.Sprintf("%s, got %d", problemStatus, s)}
	}
	switch ms := e.LatencyMS; {
	case !e.HasLatency:
		e.LatencyMS = 0
	case math.IsNaN(ms) || math.IsInf(ms, 0) || ms < 0:
		return &FieldError{"latency_ms", fmt.Sprintf("must be a finite number that is not negative, got %v", ms)}
	case ms > maxLatency:
		return &FieldError{"latency_ms", fmt.Sprintf("%s, got %v", problemLatency, ms)}
	}
	if err := attributesFit(len(e.Attributes)); err != nil {
		return err
	}
	e.GivenID = e.EventID != ""
	var store [1024]byte // most events have less text; append moves more to the heap
	var at [fieldCount]span
	buf := store[:0]
	for i := range textFields {
		rule := &textFields[i]
		start := len(buf)
		s := *e.textOf(rule.field)
		switch {
		case s == "" && rule.field == fieldService:
			return &FieldError{rule.name, "is missing"}
		case s == "" && rule.field == fieldEventID:
			buf = appendEventID(buf, now)
		case s != "":
			var err error
			if buf, err = rule.check(appendValid(buf, s), start, nil); err != nil {
				return err
			}
		}
		at[rule.field] = span{start, len(buf)}
	}
	start := len(buf)
	buf = append(buf, e.Attributes...)
	at[fieldAttributes] = span{start, len(buf)}
	e.setTexts(string(buf), &at)
	e.fillIn()
	return nil
}

// appendValid appends s, each byte that is not UTF-8 as U+FFFD.
func appendValid(dst []byte, s string) []byte {
	if utf8.ValidString(s) {
		return append(dst, s...)
	}
	for _, r := range s {
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// textOf is the string of one of the textFields.
func (e *Event) textOf(f field) *string {
	switch f {
	case fieldEventID:
		return &e.EventID
	case fieldService:
		return &e.ServiceName
	case fieldEndpoint:
		return &e.Endpoint
	case fieldMethod:
		return &e.Method
	case fieldRegion:
		return &e.Region
	case fieldHost:
		return &e.Host
	case fieldLevel:
		return &e.Level
	case fieldMessage:
		return &e.Message
	case fieldRequestID:
		return &e.RequestID
	case fieldTraceID:
		return &e.TraceID
	}
	return &e.SpanID
}
