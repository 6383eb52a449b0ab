package lake

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// textFields are the contract's plain strings with their limits in bytes of decoded text. The limits hold for senders; a line that the lake
// once accepted is read whatever they are today.
var textFields = [...]textRule{
	{fieldEventID, "event_id", 64},
	{fieldService, "service_name", maxServiceBytes},
	{fieldEndpoint, "endpoint", 2048},
	{fieldMethod, "method", 16},
	{fieldRegion, "region", 255},
	{fieldHost, "host", 255},
	{fieldLevel, "level", 32},
	{fieldMessage, "message", 64 << 10},
	{fieldRequestID, "request_id", 128},
	{fieldTraceID, "trace_id", 128},
	{fieldSpanID, "span_id", 128},
}

// textRule is what a sender must keep to in one text.
type textRule struct {
	field field
	name  string
	limit int
}

// check holds the text that ends buf, from start on, against the rule, and puts it in the form that the lake keeps. raw is the text as it was sent, in
// JSON; nil: it is made of the text when an error needs it.
func (r *textRule) check(buf []byte, start int, raw []byte) ([]byte, error) {
	text := buf[start:]
	if len(text) > r.limit {
		return buf, &FieldError{r.name, fmt.Sprintf("is %d bytes long, the limit is %d", len(text), r.limit)}
	}
	problem := ""
	switch r.field {
	case fieldEventID:
		if !printable(text) {
			problem = "must be printable ASCII, got "
		}
	case fieldService:
		lowerASCII(text)
		if !validService(text) {
			problem = problemService
		}
	case fieldLevel:
		buf = append(buf[:start], lowered(text)...)
	}
	if problem == "" {
		return buf, nil
	}
	if raw == nil {
		raw = appendQuoted(nil, string(text))
	}
	return buf, &FieldError{r.name, problem + sample(raw)}
}

// problemService begins the refusal of a service's name.
const problemService = "must be letters, digits, dots, underscores and dashes after a letter or digit, got "

// jsonObject is one walked object with its members found.
type jsonObject struct {
	p       []byte
	members []jsonMember
	at      [fieldCount]int32 // index into members plus one; 0: absent, null or ""
	unknown int               // members that the contract does not know
}

// walkObject checks that p is exactly one JSON object, with whitespace around it, and finds its members in store.
func walkObject(p []byte, store []jsonMember, depth int) (jsonObject, error) {
	w := jsonWalk{p: p, depth: depth}
	i := w.space(0)
	if i == len(p) {
		return jsonObject{}, &FieldError{Reason: "the event is empty: want one JSON object"}
	}
	if p[i] != '{' {
		return jsonObject{}, &FieldError{Reason: "the event must be one JSON object, got " + sample(p[i:])}
	}
	members, end := w.members(i, 1, store)
	if end < 0 {
		if w.problem == problemDepth {
			return jsonObject{}, &FieldError{Reason: fmt.Sprintf("the event is nested deeper than %d levels", maxDepth)}
		}
		return jsonObject{}, &FieldError{Reason: fmt.Sprintf("the event is no valid JSON: %s (byte %d)", w.problem, w.at+1)}
	}
	if i = w.space(end); i != len(p) {
		return jsonObject{}, &FieldError{Reason: "after the event's object stands more: " + sample(p[i:])}
	}
	return jsonObject{p: p, members: members}, nil
}

// index finds the contract's fields among the members; of a duplicate field the last counts. Only the lake's own lines may set received_at.
func (o *jsonObject) index(ours bool) (duplicates int) {
	for i := range o.members {
		m := &o.members[i]
		key := o.p[m.key:m.keyEnd]
		if m.keyFlags&jsonEscape != 0 {
			key = appendUnescaped(nil, key)
		}
		m.field = fieldOf(key)
		if m.field == fieldReceivedAt && !ours {
			m.field = fieldUnknown
		}
		if m.field == fieldUnknown {
			o.unknown++
			continue
		}
		if o.at[m.field] != 0 {
			duplicates++
		}
		o.at[m.field] = int32(i + 1)
	}
	for f := range o.at {
		if raw := o.raw(field(f)); raw != nil && (string(raw) == "null" || string(raw) == `""`) {
			o.at[f] = 0
		}
	}
	return duplicates
}

// raw is the JSON of a field's value; nil when it is absent.
func (o *jsonObject) raw(f field) []byte {
	if o.at[f] == 0 {
		return nil
	}
	m := &o.members[o.at[f]-1]
	return o.p[m.val:m.valEnd]
}

// parseInstant reads a field that holds a string.
func (o *jsonObject) parseInstant(f field) (t Micros, problem string) {
	body := o.raw(f)
	body = body[1 : len(body)-1]
	if o.members[o.at[f]-1].valFlags != 0 {
		body = appendUnescaped(nil, body)
	}
	return parseInstant(unsafe.String(unsafe.SliceData(body), len(body)))
}

// texts appends the decoded strings of the event to buf and notes where each lies. With strict it applies what a sender must keep to.
func (o *jsonObject) texts(buf []byte, at *[fieldCount]span, strict bool) ([]byte, error) {
	for i := range textFields {
		rule := &textFields[i]
		raw := o.raw(rule.field)
		if raw == nil {
			if rule.field == fieldService {
				return buf, &FieldError{rule.name, "is missing"}
			}
			continue
		}
		if raw[0] != '"' {
			return buf, &FieldError{rule.name, "must be a string, got " + sample(raw)}
		}
		start := len(buf)
		body := raw[1 : len(raw)-1]
		if flags := o.members[o.at[rule.field]-1].valFlags; flags == 0 || flags == jsonWide && utf8.Valid(body) {
			buf = append(buf, body...)
		} else {
			buf = appendUnescaped(buf, body)
		}
		if strict {
			var err error
			if buf, err = rule.check(buf, start, raw); err != nil {
				return buf, err
			}
		} else if rule.field == fieldService && !validService(buf[start:]) {
			return buf, &FieldError{rule.name, problemService + sample(raw)}
		}
		at[rule.field] = span{start, len(buf)}
	}
	return buf, nil
}

// ValidServiceName says whether s is a service name as the contract keeps it: lower case, [a-z0-9][a-z0-9._-]{0,63}.
func ValidServiceName(s string) bool { return validService([]byte(s)) }

// validService says whether s is [a-z0-9][a-z0-9._-]{0,63}: safe as a folder's name in every engine's Hive layout.
func validService(s []byte) bool {
	if len(s) == 0 || len(s) > maxServiceBytes || !serviceStart(s[0]) {
		return false
	}
	for _, c := range s {
		if !serviceByte[c] {
			return false
		}
	}
	return true
}

// serviceStart says whether a byte of a service name may be its first.
func serviceStart(c byte) bool { return c != '.' && c != '_' && c != '-' }

// serviceByte holds the bytes of a service name.
var serviceByte = func() (set [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyz0123456789._-") {
		set[c] = true
	}
	return set
}()

func printable(s []byte) bool {
	for _, c := range s {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

func lowerASCII(s []byte) {
	for i, c := range s {
		if 'A' <= c && c <= 'Z' {
			s[i] = c | 0x20
		}
	}
}

// lowered is s in lower case, in place where it can be.
func lowered(s []byte) []byte {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return bytes.ToLower(s)
		}
	}
	lowerASCII(s)
	return s
}

// The statuses of HTTP, and what a sender hears about any other.
const (
	minStatus     = 100
	maxStatus     = 599
	problemStatus = "must be 100 to 599, or 0 for what is no HTTP exchange"
)

// status reads status_code: any JSON number with a whole value, as some languages have no other way than 200.0 to write it.
func (o *jsonObject) status() (int32, error) {
	raw := o.raw(fieldStatus)
	if raw == nil {
		return 0, nil
	}
	if raw[0] == '"' {
		return 0, &FieldError{"status_code", "must be a number without quotes, got " + sample(raw)}
	}
	f, isNumber := number(raw)
	if !isNumber || f != math.Trunc(f) {
		return 0, &FieldError{"status_code", "must be a whole number, got " + sample(raw)}
	}
	if f != 0 && (f < minStatus || f > maxStatus) {
		return 0, &FieldError{"status_code", problemStatus + ", got " + sample(raw)}
	}
	return int32(f), nil
}

func (o *jsonObject) latency() (ms float64, has bool, err error) {
	raw := o.raw(fieldLatency)
	if raw == nil {
		return 0, false, nil
	}
	f, isNumber := number(raw)
	switch {
	case raw[0] == '"':
		return 0, false, &FieldError{"latency_ms", "must be a number without quotes, got " + sample(raw)}
	case !isNumber:
		return 0, false, &FieldError{"latency_ms", "must be a number, got " + sample(raw)}
	case math.IsInf(f, 0):
		return 0, false, &FieldError{"latency_ms", "is too large for a 64-bit float, got " + sample(raw)}
	case f < 0:
		return 0, false, &FieldError{"latency_ms", "must not be negative, got " + sample(raw)}
	}
	return f + 0, true, nil
}

// number reads a walked value as float64, ±Inf when it is too large; ok is false when it is no number. -0 is 0.
func number(raw []byte) (f float64, ok bool) {
	if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	if f, n := shortFloat(raw, 0); n == len(raw) {
		return f, true
	}
	f, _ = strconv.ParseFloat(string(raw), 64)
	if f == 0 {
		f = 0 // not -0
	}
	return f, true
}

// sample is the start of a value, safe to show in an error.
func sample(raw []byte) string {
	const most = 40 // enough to find it again
	cut := raw[:min(len(raw), 4*most)]
	return SafeText(string(cut), most)
}
