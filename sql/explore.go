package sql

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
)

// IsError is the condition that an event tells of a failure: a server error, or a level from error on. Row.Failed is the same in Go.
const IsError = "(status_code >= 500 OR lower(level) IN ('error', 'critical', 'fatal', 'panic', 'alert', 'emergency'))"

// Slice is a part of the events: a window [From, To) of event time, and a condition on what lies in it.
type Slice struct {
	From, To lake.Micros
	Where    string // over the columns of events, as sql/filter makes it; "" is everything
}

// And is the slice with one more condition.
func (s Slice) And(condition string) Slice {
	switch {
	case condition == "":
	case s.Where == "":
		s.Where = condition
	default:
		s.Where = "(" + s.Where + ") AND " + condition
	}
	return s
}

// where is the slice as the conditions of a WHERE; the day is doubled for engines that do not derive it from the timestamp.
func (s Slice) where() string {
	text := fmt.Sprintf("event_date BETWEEN DATE '%s' AND DATE '%s'\n  AND timestamp >= TIMESTAMP '%s' AND timestamp < TIMESTAMP '%s'",
		lake.DateOf(s.From), lake.DateOf(max(s.From, s.To-1)), timestampText(s.From), timestampText(s.To))
	if s.Where != "" {
		text += "\n  AND (" + s.Where + ")"
	}
	return text
}

// Position is an event's place in the order of time: by timestamp, then by seq. The zero value is no place.
type Position struct {
	Timestamp lake.Micros
	Seq       lake.Seq
}

// Before tells whether p is older than o.
func (p Position) Before(o Position) bool {
	return p.Timestamp < o.Timestamp || p.Timestamp == o.Timestamp && p.Seq < o.Seq
}

// Row is an event as a list shows it. Strings are empty where they are absent.
type Row struct {
	Position
	Status    int64   // 0: no HTTP exchange
	LatencyMS float64 // NaN: none
	Service   string
	Endpoint  string
	Method    string
	Region    string
	Level     string
	Message   string // its beginning
	RequestID string
}

// Failed is IsError of a row.
func (r *Row) Failed() bool {
	switch strings.ToLower(r.Level) {
	case "error", "critical", "fatal", "panic", "alert", "emergency":
		return true
	}
	return r.Status >= 500
}

// messageStart is how much of a message a list shows at most; the record has all of it.
const messageStart = 400

var rowColumns = "timestamp, seq, status_code, latency_ms, service_name, endpoint, method, region, level, left(message, " + strconv.Itoa(messageStart) + ") AS message, request_id"

// PageRequest asks for events of a slice beside a position: older ones, or newer ones.
type PageRequest struct {
	Slice
	At    Position // the page begins beside it; zero: at the slice's end, or at its start for newer ones
	Newer bool
	Limit int
}

// Page is a run of events, the newest first.
type Page struct {
	Rows  []Row
	More  bool  // the slice has more in the direction that was asked
	Stats Stats // of all statements that it took
}

// Statement is the question as one statement over the whole slice, for people: it runs as it stands.
func (s Slice) Statement(limit int) string {
	return "SELECT " + rowColumns + "\nFROM events\nWHERE " + s.where() + "\nORDER BY timestamp DESC, seq DESC\nLIMIT " + strconv.Itoa(limit)
}

// The newest events lie in few files: a page looks into a small window first and into one of widenBy times its length when that was not enough,
// so that its cost follows the page and not the slice. Measured at 10M events over 7 days: 30 ms instead of 380.
const (
	firstWindow = 5 * 60 * 1_000_000 // microseconds, at least
	firstShare  = 256                // of the slice
	widenBy     = 16
)

// ReadPage reads a page. Windows that were looked into are not read again.
func ReadPage(ctx context.Context, engine Engine, r PageRequest) (*Page, error) {
	page := &Page{}
	if r.At != (Position{}) {
		if r.Newer {
			r.From = max(r.From, r.At.Timestamp)
		} else {
			r.To = min(r.To, r.At.Timestamp+1)
		}
	}
	width := max(firstWindow, (r.To-r.From)/firstShare)
	for r.From < r.To && len(page.Rows) <= r.Limit {
		window := r.Slice
		if r.Newer {
			window.To = min(r.To, r.From+width)
			r.From = window.To
		} else {
			window.From = max(r.From, r.To-width)
			r.To = window.From
		}
		rows, err := r.read(ctx, engine, window, r.Limit+1-len(page.Rows), &page.Stats)
		if err != nil {
			return nil, err
		}
		page.Rows = append(page.Rows, rows...)
		width *= widenBy
	}
	if page.More = len(page.Rows) > r.Limit; page.More {
		page.Rows = page.Rows[:r.Limit]
	}
	if r.Newer {
		for i, j := 0, len(page.Rows)-1; i < j; i, j = i+1, j-1 {
			page.Rows[i], page.Rows[j] = page.Rows[j], page.Rows[i]
		}
	}
	return page, nil
}

// read reads one window in the direction of the request.
func (r *PageRequest) read(ctx context.Context, engine Engine, window Slice, limit int, total *Stats) ([]Row, error) {
	order, beyond := "DESC", "<"
	if r.Newer {
		order, beyond = "ASC", ">"
	}
	if r.At != (Position{}) {
		at := "TIMESTAMP '" + timestampText(r.At.Timestamp) + "'"
		window = window.And(fmt.Sprintf("(timestamp %s %s OR timestamp = %s AND seq %s %d)", beyond, at, at, beyond, r.At.Seq))
	}
	text := "SELECT " + rowColumns + "\nFROM events\nWHERE " + window.where() + "\nORDER BY timestamp " + order + ", seq " + order + "\nLIMIT " + strconv.Itoa(limit)
	result, err := engine.Query(ctx, Query{Text: text, MaxRows: limit})
	if err != nil {
		return nil, err
	}
	total.add(result.Stats)
	rows := make([]Row, len(result.Rows))
	for i, values := range result.Rows {
		rows[i] = rowOf(values)
	}
	return rows, nil
}

// add sums what statements read; files and the version are the newest statement's.
func (s *Stats) add(o Stats) {
	s.Files, s.FilesTotal = s.Files+o.Files, o.FilesTotal
	s.Bytes, s.Elapsed, s.USD = s.Bytes+o.Bytes, s.Elapsed+o.Elapsed, s.USD+o.USD
	s.HotRows, s.Version = o.HotRows, o.Version
}

// rowOf reads a row of rowColumns.
func rowOf(v []any) Row {
	return Row{Position: Position{instantOf(v[0]), lake.Seq(integerOf(v[1]))}, Status: integerOf(v[2]), LatencyMS: numberOf(v[3]), Service: textOf(v[4]), Endpoint: textOf(v[5]),
		Method: textOf(v[6]), Region: textOf(v[7]), Level: textOf(v[8]), Message: textOf(v[9]), RequestID: textOf(v[10])}
}

func instantOf(v any) lake.Micros {
	if t, ok := v.(time.Time); ok {
		return lake.MicrosOf(t)
	}
	return 0
}

func integerOf(v any) int64 {
	n, _ := v.(int64)
	return n
}

// numberOf is NaN for NULL.
func numberOf(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return math.NaN()
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}
