package lake

import (
	"fmt"
	"time"
)

// The bounds of what a sender may send. They keep one event from filling a page of a Parquet file or a screen; lengths are bytes of the
// decoded text.
const (
	maxEventBytes      = 1 << 20 // the whole object as sent
	maxDepth           = 64      // nesting, the object itself included: the depth that common readers of the raw files take
	maxAttributesBytes = 64 << 10
	maxServiceBytes    = 64
)

// Contract is the rule that every accepted event has passed. The zero value is ready.
type Contract struct {
	Back  time.Duration // how far in the past a timestamp may lie; 0: 30 years
	Ahead time.Duration // how far in the future; 0: 24 h
}

// Defaults of Contract: 30 years reach back beyond any log that one would import; a day ahead forgives clocks that show local time as UTC.
const (
	defaultBack  = 30 * 365 * 24 * time.Hour
	defaultAhead = 24 * time.Hour
)

// field is one key of the contract, in the order of the canonical line.
type field uint8

const (
	fieldUnknown field = iota
	fieldEventID
	fieldTimestamp
	fieldReceivedAt
	fieldService
	fieldEndpoint
	fieldMethod
	fieldStatus
	fieldLatency
	fieldRegion
	fieldHost
	fieldLevel
	fieldMessage
	fieldRequestID
	fieldTraceID
	fieldSpanID
	fieldAttributes
	fieldCount
)

// fieldOf is the field of a key, as it stands in JSON.
func fieldOf(key []byte) field {
	switch string(key) {
	case "event_id":
		return fieldEventID
	case "timestamp":
		return fieldTimestamp
	case "received_at":
		return fieldReceivedAt
	case "service_name":
		return fieldService
	case "endpoint":
		return fieldEndpoint
	case "method":
		return fieldMethod
	case "status_code":
		return fieldStatus
	case "latency_ms":
		return fieldLatency
	case "region":
		return fieldRegion
	case "host":
		return fieldHost
	case "level":
		return fieldLevel
	case "message":
		return fieldMessage
	case "request_id":
		return fieldRequestID
	case "trace_id":
		return fieldTraceID
	case "span_id":
		return fieldSpanID
	case "attributes":
		return fieldAttributes
	}
	return fieldUnknown
}

// Parse reads one JSON object from a sender into e, whose strings do not alias object. It fills in what the lake owns: EventID when the
// sender gave none, ReceivedAt = now, Region and Level. Keys are matched exactly; null and "" count as absent.
//
// A key that the contract does not know goes to Attributes with its value compacted, nesting and digits kept; so does received_at, which
// only the lake may set. A sender's own "attributes" object is merged in: of a key that stands both there and at the top, the top one
// wins. Of a duplicate key the last wins, at the place of the first; duplicates says how many values were dropped that way, at the top and
// inside attributes.
//
// The error is a *FieldError for the first broken rule that was found; for an input that is no JSON object its Field is "". e is then of
// no use.
func (c Contract) Parse(object []byte, now Micros, e *Event) (duplicates int, err error) {
	if len(object) > maxEventBytes {
		return 0, &FieldError{Reason: fmt.Sprintf("the event is %d bytes long, the limit is %d", len(object), maxEventBytes)}
	}
	var store [24]jsonMember // most events have fewer keys; append moves longer lists to the heap
	o, err := walkObject(object, store[:0], maxDepth)
	if err != nil {
		return 0, err
	}
	duplicates = o.index(false)
	var texts [1024]byte // as above
	var at [fieldCount]span
	*e = Event{ReceivedAt: now}
	buf, err := o.texts(texts[:0], &at, true)
	if err != nil {
		return duplicates, err
	}
	if err := c.numbers(&o, now, e); err != nil {
		return duplicates, err
	}
	e.GivenID = !at[fieldEventID].empty()
	if !e.GivenID {
		start := len(buf)
		buf = appendEventID(buf, now)
		at[fieldEventID] = span{start, len(buf)}
	}
	start := len(buf)
	buf, dropped, err := o.attributes(buf)
	duplicates += dropped
	if err != nil {
		return duplicates, err
	}
	if err := attributesFit(len(buf) - start); err != nil {
		return duplicates, err
	}
	at[fieldAttributes] = span{start, len(buf)}
	e.setTexts(string(buf), &at)
	e.fillIn()
	return duplicates, nil
}

// attributesFit refuses attributes that are too long.
func attributesFit(n int) error {
	if n > maxAttributesBytes {
		return &FieldError{"attributes", fmt.Sprintf("is %d bytes long as compact JSON with all unknown keys, the limit is %d", n, maxAttributesBytes)}
	}
	return nil
}

// fillIn gives what every event has to one that lacks it.
func (e *Event) fillIn() {
	if e.Region == "" {
		e.Region = "unknown"
	}
	if e.Level == "" {
		e.Level = levelOf(e.StatusCode)
	}
}

// levelOf is the level of an event that names none.
func levelOf(status int32) string {
	switch {
	case status >= 500:
		return "error"
	case status >= 400:
		return "warn"
	}
	return "info"
}

// span is a piece of a buffer.
type span struct{ start, end int }

func (s span) empty() bool { return s.start == s.end }
func (s span) size() int   { return s.end - s.start }

// setTexts cuts every string of e out of one string: one allocation an event.
func (e *Event) setTexts(s string, at *[fieldCount]span) {
	cut := func(f field) string { return s[at[f].start:at[f].end] }
	e.EventID = cut(fieldEventID)
	e.ServiceName = cut(fieldService)
	e.Endpoint = cut(fieldEndpoint)
	e.Method = cut(fieldMethod)
	e.Region = cut(fieldRegion)
	e.Host = cut(fieldHost)
	e.Level = cut(fieldLevel)
	e.Message = cut(fieldMessage)
	e.RequestID = cut(fieldRequestID)
	e.TraceID = cut(fieldTraceID)
	e.SpanID = cut(fieldSpanID)
	e.Attributes = cut(fieldAttributes)
}

// numbers reads the fields that are no text.
func (c Contract) numbers(o *jsonObject, now Micros, e *Event) (err error) {
	if e.Timestamp, err = c.timestamp(o, now); err != nil {
		return err
	}
	if e.StatusCode, err = o.status(); err != nil {
		return err
	}
	if e.LatencyMS, e.HasLatency, err = o.latency(); err == nil && e.LatencyMS > maxLatency {
		err = &FieldError{"latency_ms", problemLatency + ", got " + sample(o.raw(fieldLatency))}
	}
	return err
}

// maxLatency is a year in milliseconds. What is above it is in another unit or a fault, and one such value would flatten every chart that it is in. Lines
// that are in the lake already may have more.
const (
	maxLatency     = 366 * 24 * 3600 * 1000.0
	problemLatency = "must be at most a year, in milliseconds"
)

// timestamp reads the sender's timestamp and holds it against the window.
func (c Contract) timestamp(o *jsonObject, now Micros) (Micros, error) {
	raw := o.raw(fieldTimestamp)
	if raw == nil {
		return 0, &FieldError{"timestamp", "is missing"}
	}
	var t Micros
	switch {
	case raw[0] == '"':
		var problem string
		if t, problem = o.parseInstant(fieldTimestamp); problem != "" {
			return 0, &FieldError{"timestamp", problem + ", got " + sample(raw)}
		}
	case raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9':
		var ok bool
		if t, ok = parseEpoch(string(raw)); !ok {
			return 0, &FieldError{"timestamp", "is no epoch number in s, ms, µs or ns, got " + sample(raw)}
		}
	default:
		return 0, &FieldError{"timestamp", "must be RFC 3339 text or an epoch number, got " + sample(raw)}
	}
	if problem := c.outside(t, now); problem != "" {
		return 0, &FieldError{"timestamp", problem + ", got " + sample(raw)}
	}
	return t, nil
}

// outside says in which way t lies outside the window; "": it does not.
func (c Contract) outside(t, now Micros) (problem string) {
	from, to := c.window(now)
	if t < from || t > to || t < minInstant || t > maxInstant {
		return fmt.Sprintf("%s is outside the accepted window %s to %s", instantText(t), instantText(from), instantText(to))
	}
	return ""
}

// window is the first and the last timestamp that are accepted now.
func (c Contract) window(now Micros) (from, to Micros) {
	back, ahead := c.Back, c.Ahead
	if back == 0 {
		back = defaultBack
	}
	if ahead == 0 {
		ahead = defaultAhead
	}
	return now - Micros(back.Microseconds()), now + Micros(ahead.Microseconds())
}

// instantText is t for a sender's eyes.
func instantText(t Micros) string { return t.Time().Format(time.RFC3339Nano) }
