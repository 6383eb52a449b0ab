package lake

import (
	"fmt"
	"time"
)

// Micros is an instant in microseconds since 1970-01-01T00:00:00Z: the resolution of the lake.
type Micros int64

// Time returns the instant in UTC.
func (m Micros) Time() time.Time { return time.UnixMicro(int64(m)).UTC() }

// MicrosOf cuts t to microseconds.
func MicrosOf(t time.Time) Micros { return Micros(t.UnixMicro()) }

// Seq is an event's position in the lake, given at append: 1 is the first, gaps are allowed, order is the order of acceptance.
type Seq int64

// Event is one application event as the lake keeps it. Optional strings are empty when absent (the lake does not tell "" from absent).
// An Event that a Scanner filled aliases the scanned bytes: clone its strings to keep them longer than those bytes live.
type Event struct {
	EventID     string // 1..64 printable bytes; Contract.Parse gives a UUIDv7 where the sender gave none
	Timestamp   Micros // when it happened
	ReceivedAt  Micros // when the lake accepted it
	ServiceName string // [a-z0-9][a-z0-9._-]{0,63}; partition key
	Endpoint    string
	Method      string
	Region      string // "unknown" when absent
	Host        string
	Level       string
	Message     string
	RequestID   string
	TraceID     string
	SpanID      string
	Attributes  string // a compact JSON object holding every key the contract does not know, or ""
	StatusCode  int32  // 100..599, or 0 for an event that is no HTTP exchange; partition key
	LatencyMS   float64
	HasLatency  bool // false: latency_ms is absent, LatencyMS is 0
	GivenID     bool // of an event that Contract.Parse or Adopt filled: its event_id is the sender's own; a line does not tell
}

// FieldError says which field of an event breaks the contract, and how.
type FieldError struct {
	Field  string // the contract's name of the field; "" when the whole event is at fault
	Reason string // a sentence fragment for the sender: `must be a number, got "fast"`
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return fmt.Sprintf("%s: %s", e.Field, e.Reason)
}
