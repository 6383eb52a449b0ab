package tui

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// exploreRows are the events that the fake's engine answers questions of the Explore screen from: one every seven seconds, newest first.
func (f *fake) exploreRows() []sql.Row {
	var rows []sql.Row
	for i := range 4000 {
		r := sql.Row{Position: sql.Position{Timestamp: lake.MicrosOf(f.ends.Add(-time.Duration(i) * 7 * time.Second)), Seq: lake.Seq(100_000 - i)}, Status: 200, LatencyMS: float64(i * 37 % 700), Service: f.names()[i%8],
			Endpoint: []string{"/pay", "/cart/items", "/q"}[i%3], Method: []string{"POST", "GET"}[i%2], Region: []string{"eu-west-1", "us-east-1"}[i%2], Level: "info", RequestID: fmt.Sprintf("%08x-77aa", i/2)}
		switch {
		case i%300 == 37:
			r.Status, r.Level, r.Service, r.Endpoint, r.Region, r.Message = 503, "error", f.service, "/pay", "eu-west-1", "upstream refused the connection: "+f.service
		case i%9 == 4:
			r.LatencyMS = math.NaN()
		case i%11 == 3:
			r.Status, r.Endpoint, r.Method, r.Message = 0, "", "", "cache warmed in 3 steps"
		}
		rows = append(rows, r)
	}
	return rows
}

var (
	windowIn = regexp.MustCompile(`timestamp >= TIMESTAMP '([^']+)' AND timestamp < TIMESTAMP '([^']+)'`)
	besideIn = regexp.MustCompile(`\(timestamp ([<>]) TIMESTAMP '([^']+)' OR timestamp = TIMESTAMP '[^']+' AND seq [<>] (\d+)\)`)
	limitIn  = regexp.MustCompile(`LIMIT (\d+)$`)
	notIn    = regexp.MustCompile(`NOT (coalesce)?\([^()]*\)`) // exclusions are not understood: they let everything through
	seqIn    = regexp.MustCompile(`AND seq = (\d+)`)
)

// fakeConditions are the conditions that the fake understands.
var fakeConditions = []struct {
	pattern *regexp.Regexp
	holds   func(r *sql.Row, m []string) bool
}{
	{regexp.MustCompile(`status_code >= (\d+)`), func(r *sql.Row, m []string) bool { return r.Status >= number(m[1]) }},
	{regexp.MustCompile(`status_code = (\d+)`), func(r *sql.Row, m []string) bool { return r.Status == number(m[1]) }},
	{regexp.MustCompile(`latency_ms >= ([\d.]+)`), func(r *sql.Row, m []string) bool { v, _ := strconv.ParseFloat(m[1], 64); return r.LatencyMS >= v }},
	{regexp.MustCompile(`service_name = '([^']*)'`), func(r *sql.Row, m []string) bool { return r.Service == m[1] }},
	{regexp.MustCompile(`endpoint = '([^']*)'`), func(r *sql.Row, m []string) bool { return r.Endpoint == m[1] }},
	{regexp.MustCompile(`region = '([^']*)'`), func(r *sql.Row, m []string) bool { return r.Region == m[1] }},
	{regexp.MustCompile(`request_id = '([^']*)'`), func(r *sql.Row, m []string) bool { return r.RequestID == m[1] }},
	{regexp.MustCompile(`contains\(lower\(message\), '([^']*)'\) OR`), func(r *sql.Row, m []string) bool { return strings.Contains(strings.ToLower(r.Message), m[1]) }},
}

func number(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n }

func parseInstant(s string) lake.Micros {
	t, _ := time.Parse("2006-01-02 15:04:05.000000", s)
	return lake.MicrosOf(t)
}

// matching are the rows that a statement's conditions let through.
func (f *fake) matching(text string) []sql.Row {
	text = notIn.ReplaceAllString(text, "")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "FILTER (WHERE status_code >= 500)", ""), sql.IsError, "status_code >= 500")
	window, beside := windowIn.FindStringSubmatch(text), besideIn.FindStringSubmatch(text)
	var tests []func(r *sql.Row) bool
	if window != nil {
		from, to := parseInstant(window[1]), parseInstant(window[2])
		tests = append(tests, func(r *sql.Row) bool { return r.Timestamp >= from && r.Timestamp < to })
	}
	if beside != nil {
		at := sql.Position{Timestamp: parseInstant(beside[2]), Seq: lake.Seq(number(beside[3]))}
		tests = append(tests, func(r *sql.Row) bool {
			return beside[1] == "<" && r.Before(at) || beside[1] == ">" && at.Before(r.Position)
		})
	}
	for _, c := range fakeConditions {
		for _, m := range c.pattern.FindAllStringSubmatch(text, -1) {
			tests = append(tests, func(r *sql.Row) bool { return c.holds(r, m) })
		}
	}
	rows := f.exploreRows()
	return slices.DeleteFunc(rows, func(r sql.Row) bool {
		return slices.ContainsFunc(tests, func(holds func(*sql.Row) bool) bool { return !holds(&r) })
	})
}

// explore answers the statements of the Explore screen; false for any other.
func (f *fake) explore(q sql.Query) (*sql.Result, bool) {
	result := &sql.Result{Stats: sql.Stats{Files: 12, FilesTotal: 192, Bytes: 1_100_000, Version: 12, Elapsed: 9 * time.Millisecond}}
	switch {
	case strings.HasPrefix(q.Text, "SELECT timestamp, seq, status_code"):
		rows := f.matching(q.Text)
		if strings.Contains(q.Text, "seq ASC") {
			slices.Reverse(rows)
		}
		for _, r := range rows[:min(len(rows), int(number(limitIn.FindStringSubmatch(q.Text)[1])))] {
			result.Rows = append(result.Rows, []any{r.Timestamp.Time(), int64(r.Seq), r.Status, orNil(!math.IsNaN(r.LatencyMS), r.LatencyMS), r.Service, orNil(r.Endpoint != "", r.Endpoint), orNil(r.Method != "", r.Method),
				r.Region, r.Level, orNil(r.Message != "", r.Message), r.RequestID})
		}
	case strings.HasPrefix(q.Text, "-- events, and"):
		rows := f.matching(q.Text)
		failed := 0
		for i := range rows {
			if rows[i].Status >= 500 {
				failed++
			}
		}
		if len(rows) > 0 {
			result.Rows = [][]any{{rows[0].Timestamp.Time().Truncate(time.Minute), int64(len(rows)), int64(failed)}}
		}
	case strings.HasPrefix(q.Text, "-- the most frequent"):
		for i, values := range [][]string{{"200", "503", "0"}, f.names(), {"info", "error"}, {"/pay", "/cart/items", "/q", ""}, {"eu-west-1", "us-east-1"}, {"POST", "GET"}} {
			for j, v := range values {
				result.Rows = append(result.Rows, []any{sql.FacetFields[i], v, int64(40_000 / (j + 1) / (i + 1))})
			}
		}
	case strings.HasPrefix(q.Text, "SELECT quantile_cont"):
		result.Rows = [][]any{{665.0}}
	case strings.HasPrefix(q.Text, "SELECT *\nFROM events\nWHERE event_date"):
		f.record(q, result)
	default:
		return nil, false
	}
	return result, true
}

func orNil(ok bool, v any) any {
	if ok {
		return v
	}
	return nil
}

// record answers one event with every column.
func (f *fake) record(q sql.Query, result *sql.Result) {
	for _, c := range lake.Columns() {
		result.Columns = append(result.Columns, sql.ResultColumn{Name: c.Name, Type: c.Type})
	}
	seq := lake.Seq(number(seqIn.FindStringSubmatch(q.Text)[1]))
	for _, r := range f.exploreRows() {
		if r.Seq != seq {
			continue
		}
		values := map[string]any{"timestamp": r.Timestamp.Time(), "event_date": r.Timestamp.Time().Truncate(24 * time.Hour), "service_name": r.Service, "status_code": r.Status, "endpoint": orNil(r.Endpoint != "", r.Endpoint),
			"method": orNil(r.Method != "", r.Method), "latency_ms": orNil(!math.IsNaN(r.LatencyMS), r.LatencyMS), "region": r.Region, "level": r.Level, "message": orNil(r.Message != "", r.Message), "event_id": fmt.Sprintf("e-%d", r.Seq),
			"request_id": r.RequestID, "received_at": r.Timestamp.Time(), "seq": int64(r.Seq), "attributes": `{"user":{"id":7,"plan":"pro"},"cart":[1,2],"http.route":"/pay","` + strings.ReplaceAll(f.service, "\x00", "") + `":null}`}
		var row []any
		for _, c := range result.Columns {
			row = append(row, values[c.Name])
		}
		result.Rows = append(result.Rows, row)
	}
}

// exploring lets the fake's engine answer the Explore screen, and what it was told to answer to anything else.
func (f *fake) exploring(other func(context.Context, sql.Query) (*sql.Result, error)) func(context.Context, sql.Query) (*sql.Result, error) {
	return func(ctx context.Context, q sql.Query) (*sql.Result, error) {
		if result, ok := f.explore(q); ok {
			return result, nil
		}
		return other(ctx, q)
	}
}
