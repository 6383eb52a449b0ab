package pipeline

import (
	"fmt"
	"strconv"
	"time"
	"unsafe"

	"github.com/buger/jsonparser"

	"github.com/signallake/signallake/lake"
)

// referenceName is the general parser that the scanner is held against.
const referenceName = "github.com/buger/jsonparser, ObjectEach"

// referenceReader reads events with it, allocating as little as it can: strings alias the line where they need no unescaping.
type referenceReader struct {
	e       *lake.Event
	handler func(key, value []byte, kind jsonparser.ValueType, offset int) error // made once: a closure a line would be an allocation
}

func newReferenceReader() *referenceReader {
	r := &referenceReader{}
	r.handler = r.member
	return r
}

func (r *referenceReader) read(line []byte, e *lake.Event) error {
	*e = lake.Event{}
	r.e = e
	return jsonparser.ObjectEach(line, r.handler)
}

func (r *referenceReader) member(key, value []byte, kind jsonparser.ValueType, _ int) (err error) {
	e := r.e
	switch string(key) {
	case "event_id":
		return text(value, kind, &e.EventID)
	case "timestamp":
		e.Timestamp, err = instant(value)
	case "received_at":
		e.ReceivedAt, err = instant(value)
	case "service_name":
		return text(value, kind, &e.ServiceName)
	case "endpoint":
		return text(value, kind, &e.Endpoint)
	case "method":
		return text(value, kind, &e.Method)
	case "status_code":
		var code int64
		code, err = jsonparser.ParseInt(value)
		e.StatusCode = int32(code)
	case "latency_ms":
		e.LatencyMS, err = strconv.ParseFloat(alias(value), 64)
		e.HasLatency = true
	case "region":
		return text(value, kind, &e.Region)
	case "host":
		return text(value, kind, &e.Host)
	case "level":
		return text(value, kind, &e.Level)
	case "message":
		return text(value, kind, &e.Message)
	case "request_id":
		return text(value, kind, &e.RequestID)
	case "trace_id":
		return text(value, kind, &e.TraceID)
	case "span_id":
		return text(value, kind, &e.SpanID)
	case "attributes":
		e.Attributes = alias(value)
	default:
		return fmt.Errorf("the key %q is not an event's", key)
	}
	return err
}

func instant(value []byte) (lake.Micros, error) {
	t, err := time.Parse(time.RFC3339Nano, alias(value))
	return lake.MicrosOf(t), err
}

// text takes a string over; one with an escape in it becomes another.
func text(value []byte, kind jsonparser.ValueType, out *string) error {
	if kind != jsonparser.String {
		return fmt.Errorf("%q is no string", value)
	}
	for _, b := range value {
		if b == '\\' {
			s, err := jsonparser.ParseString(value)
			*out = s
			return err
		}
	}
	*out = alias(value)
	return nil
}

// alias is a string over the same bytes.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
