package sql

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/signallake/signallake/lake"
)

// Counts are a slice's events by slot of time.
type Counts struct {
	Events, Errors int64         // Errors have a status of 5xx
	Slots          []lake.Micros // start of each slot
	Counts, Failed []float64     // events, and 5xx of them, in each slot
	Stats          Stats         // of the statement; zero when the minutes answered
}

// ReadCounts counts a slice in slots, which cut it into equal parts of whole minutes. It reads all of the slice, but few columns.
func ReadCounts(ctx context.Context, engine Engine, s Slice, slots int) (*Counts, error) {
	slots = max(1, slots)
	width := max(60_000_000, (s.To-s.From)/lake.Micros(slots))
	out := &Counts{Slots: make([]lake.Micros, slots), Counts: make([]float64, slots), Failed: make([]float64, slots)}
	for i := range out.Slots {
		out.Slots[i] = s.From + lake.Micros(i)*width
	}
	result, err := engine.Query(ctx, Query{Text: countsSQL(s, width)})
	if err != nil {
		return nil, err
	}
	out.Stats = result.Stats
	for _, row := range result.Rows {
		events, failed := integerOf(row[1]), integerOf(row[2])
		out.Events, out.Errors = out.Events+events, out.Errors+failed
		if i := int((instantOf(row[0]) - s.From) / width); i >= 0 && i < slots {
			out.Counts[i], out.Failed[i] = float64(events), float64(failed)
		}
	}
	return out, nil
}

func countsSQL(s Slice, width lake.Micros) string {
	return fmt.Sprintf("-- events, and server errors among them, in each slot\nSELECT time_bucket(INTERVAL '%d minutes', timestamp, TIMESTAMP '%s') AS slot, count(*) AS events, count(*) FILTER (WHERE status_code >= 500) AS errors\n"+
		"FROM events\nWHERE %s\nGROUP BY slot\nORDER BY slot", width/60_000_000, timestampText(s.From), s.where())
}

// FacetFields are the columns whose values are worth a list, in the order of a list of lists.
var FacetFields = [...]string{"status_code", "service_name", "level", "endpoint", "region", "method"}

// FacetRequest asks for the most frequent values of FacetFields in a slice.
type FacetRequest struct {
	Slice
	Own   map[string]string // a column's own condition in place of Slice.Where: what its other values are counted under
	Limit int               // values of each column
}

// Facets are lists of values in the order of FacetFields.
type Facets struct {
	Lists [len(FacetFields)][]FacetValue
	Stats Stats
}

// FacetValue is a value, "" for none, and how many events have it.
type FacetValue struct {
	Value  string
	Events int64
}

// ReadFacets counts values. It reads all of the slice once, and once more for each column that is asked for under a condition of its own.
func ReadFacets(ctx context.Context, engine Engine, r FacetRequest) (*Facets, error) {
	result, err := engine.Query(ctx, Query{Text: r.SQL()})
	if err != nil {
		return nil, err
	}
	out := &Facets{Stats: result.Stats}
	for _, row := range result.Rows {
		if i := slices.Index(FacetFields[:], textOf(row[0])); i >= 0 {
			out.Lists[i] = append(out.Lists[i], FacetValue{textOf(row[1]), integerOf(row[2])})
		}
	}
	return out, nil
}

// SQL is the statement: columns under the same condition share a scan.
func (r FacetRequest) SQL() string {
	var conditions []string
	columns := map[string][]string{}
	for _, column := range FacetFields {
		where, own := r.Own[column]
		if !own {
			where = r.Where
		}
		if columns[where] == nil {
			conditions = append(conditions, where)
		}
		columns[where] = append(columns[where], column)
	}
	var parts []string
	for _, where := range conditions {
		parts = append(parts, facetSQL(Slice{r.From, r.To, where}, columns[where]))
	}
	return fmt.Sprintf("-- the most frequent values of each field\nSELECT field, value, events FROM (\n%s\n)\nQUALIFY row_number() OVER (PARTITION BY field ORDER BY events DESC, value) <= %d\nORDER BY field, events DESC, value",
		strings.Join(parts, "\nUNION ALL\n"), max(1, r.Limit))
}

// facetSQL counts each column by itself in one scan. grouping tells which column a row of the answer is of: its bit alone is not set.
func facetSQL(s Slice, columns []string) string {
	var texts, fields, sets []string
	for i, c := range columns {
		text := c
		if c == "status_code" {
			text = "CAST(status_code AS VARCHAR)"
		}
		texts = append(texts, text)
		fields = append(fields, fmt.Sprintf("WHEN %d THEN '%s'", 1<<len(columns)-1-1<<(len(columns)-1-i), c))
		sets = append(sets, "("+c+")")
	}
	return "SELECT CASE grouping(" + strings.Join(columns, ", ") + ") " + strings.Join(fields, " ") + " END AS field, coalesce(" + strings.Join(texts, ", ") + ", '') AS value, count(*) AS events\n" +
		"FROM events\nWHERE " + s.where() + "\nGROUP BY GROUPING SETS (" + strings.Join(sets, ", ") + ")"
}

// ReadQuantile is the exact quantile of a slice's latencies in milliseconds; NaN when none has one.
func ReadQuantile(ctx context.Context, engine Engine, s Slice, q float64) (float64, error) {
	result, err := engine.Query(ctx, Query{Text: fmt.Sprintf("SELECT quantile_cont(latency_ms, %g) FROM events WHERE %s", q, s.where())})
	if err != nil || len(result.Rows) == 0 {
		return math.NaN(), err
	}
	return numberOf(result.Rows[0][0]), nil
}

// Record is an event with everything that the lake knows of it.
type Record struct {
	Columns []ResultColumn // those of events, in their order
	Values  []any
	Stats   Stats // of reading it: its file, or none when it is not converted yet
}

// RecordSQL is the statement that reads one event: its partition and its instant find the file.
func RecordSQL(r *Row) string {
	return fmt.Sprintf("SELECT *\nFROM events\nWHERE event_date = DATE '%s' AND service_name = %s AND status_code = %d\n  AND timestamp = TIMESTAMP '%s' AND seq = %d",
		lake.DateOf(r.Timestamp), Literal(r.Service), r.Status, timestampText(r.Timestamp), r.Seq)
}

// ReadRecord reads the event of a row; nil when it is no longer there.
func ReadRecord(ctx context.Context, engine Engine, r *Row) (*Record, error) {
	result, err := engine.Query(ctx, Query{Text: RecordSQL(r), MaxRows: 1})
	if err != nil || len(result.Rows) == 0 {
		return nil, err
	}
	return &Record{Columns: result.Columns, Values: result.Rows[0], Stats: result.Stats}, nil
}

// Event is the record as the lake's event.
func (r *Record) Event() lake.Event {
	var e lake.Event
	texts := map[string]*string{"event_id": &e.EventID, "service_name": &e.ServiceName, "endpoint": &e.Endpoint, "method": &e.Method, "region": &e.Region, "host": &e.Host, "level": &e.Level,
		"message": &e.Message, "request_id": &e.RequestID, "trace_id": &e.TraceID, "span_id": &e.SpanID, "attributes": &e.Attributes}
	for i, c := range r.Columns {
		v := r.Values[i]
		if into := texts[c.Name]; into != nil {
			*into = textOf(v)
		}
		switch c.Name {
		case "timestamp":
			e.Timestamp = instantOf(v)
		case "received_at":
			e.ReceivedAt = instantOf(v)
		case "status_code":
			e.StatusCode = int32(integerOf(v))
		case "latency_ms":
			if n := numberOf(v); !math.IsNaN(n) {
				e.LatencyMS, e.HasLatency = n, true
			}
		}
	}
	return e
}
