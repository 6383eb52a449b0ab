package sql

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/signallake/signallake/lake"
)

// Params narrows a named question. Zero values do not narrow.
type Params struct {
	From, To lake.Micros // [From, To) in event time
	Service  string
	Limit    int // rows
}

// Question is a named question: one SELECT in the dialect that DuckDB and Trino share. approx_percentile is Trino's name; the engine here
// answers it exactly.
type Question struct {
	Name  string // as `query NAME` and GET /query/NAME have it
	Title string // a line for people
	SQL   string // runs as it stands, over the whole lake
}

// narrowing stands once in every question, at the end of its WHERE line; Statement puts conditions in its place.
const narrowing = " -- narrowed by from, to, service"

var (
	//go:embed p95-latency.sql
	p95LatencySQL string
	//go:embed error-rate.sql
	errorRateSQL string
	//go:embed slowest-endpoints.sql
	slowestEndpointsSQL string
	//go:embed 5xx-by-region.sql
	errorsByRegionSQL string
	//go:embed hourly-volume.sql
	hourlyVolumeSQL string
)

// Questions are the questions that come with the program, in the order of the documentation.
func Questions() []Question {
	return []Question{
		{Name: "p95-latency", Title: "Latency percentiles by service", SQL: p95LatencySQL},
		{Name: "error-rate", Title: "Error rate by endpoint", SQL: errorRateSQL},
		{Name: "slowest-endpoints", Title: "Slowest endpoints by p95", SQL: slowestEndpointsSQL},
		{Name: "5xx-by-region", Title: "Server errors by region", SQL: errorsByRegionSQL},
		{Name: "hourly-volume", Title: "Events by hour", SQL: hourlyVolumeSQL},
	}
}

// ByName finds a question. The error of an unknown name lists the known ones.
func ByName(name string) (Question, error) {
	var known []string
	for _, q := range Questions() {
		if q.Name == name {
			return q, nil
		}
		known = append(known, q.Name)
	}
	return Question{}, fmt.Errorf("no question is called %q: there are %s", name, strings.Join(known, ", "))
}

// Statement is the question's text narrowed by p. Conditions on timestamp are doubled on event_date, so that engines prune which do not
// derive one from the other. It fails for values that no event can have.
func (q Question) Statement(p Params) (string, error) {
	if strings.ContainsRune(p.Service, 0) {
		return "", fmt.Errorf("service %q: a service name has no zero byte", p.Service)
	}
	if p.From != 0 && p.To != 0 && p.From >= p.To {
		return "", fmt.Errorf("the window is empty: from %s is not before to %s", timestampText(p.From), timestampText(p.To))
	}
	if p.Limit < 0 {
		return "", fmt.Errorf("limit %d: want a positive number of rows, or 0 for all", p.Limit)
	}
	var conditions strings.Builder
	and := func(format string, args ...any) { fmt.Fprintf(&conditions, "\n  AND "+format, args...) }
	if p.From != 0 {
		and("event_date >= DATE '%s'", lake.DateOf(p.From))
		and("timestamp >= TIMESTAMP '%s'", timestampText(p.From))
	}
	if p.To != 0 {
		and("event_date <= DATE '%s'", lake.DateOf(p.To-1))
		and("timestamp < TIMESTAMP '%s'", timestampText(p.To))
	}
	if p.Service != "" {
		and("service_name = %s", Literal(strings.ToLower(p.Service)))
	}
	text := strings.Replace(q.SQL, narrowing, conditions.String(), 1)
	if p.Limit > 0 {
		text = strings.TrimRight(text, "\n") + "\nLIMIT " + strconv.Itoa(p.Limit) + "\n"
	}
	return text, nil
}

// Literal is s as a string constant of SQL.
func Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// timestampText is an instant as the TIMESTAMP constants of DuckDB and Trino have it, UTC, to the microsecond.
func timestampText(m lake.Micros) string { return m.Time().Format("2006-01-02 15:04:05.000000") }
