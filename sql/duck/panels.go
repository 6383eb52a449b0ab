package duck

import (
	"cmp"
	"context"
	"database/sql/driver"
	"maps"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// panel runs a statement of ours on the panels' instance. Like Query, it returns at once when ctx ends.
func (e *Engine) panel(ctx context.Context, text string) (*rowSet, sql.Behind, error) {
	var set *rowSet
	behind, err := e.panelRun(ctx, text, func(c *conn) (err error) {
		set, err = c.query(text, 0)
		return err
	})
	return set, behind, err
}

// panelRun lets run do so on a connection of the panels. What run has made is of use only without an error: else it may still be at work.
func (e *Engine) panelRun(ctx context.Context, text string, run func(c *conn) error) (sql.Behind, error) {
	behind := sql.Behind{SQL: text}
	store := e.feed.minutes.panels
	if err := store.wait(ctx, e); err != nil {
		return behind, err
	}
	c, err := take(ctx, e.panelConns, e.closing)
	if err != nil {
		return behind, err
	}
	behind.AsOf = e.asOf(store)
	started := time.Now()
	var failed error
	if err := e.onConn(ctx, c, e.panelConns, func() { failed = run(c) }); err != nil {
		return behind, err
	}
	behind.Elapsed = time.Since(started)
	return behind, panelError(failed)
}

func panelError(err error) error {
	if parsed, ok := parseEngineError(err); ok {
		return &sql.SyntaxError{Message: parsed.Message, Offset: -1}
	}
	return err
}

// asOf is now when everything acknowledged is counted, else when the newest counted event was received.
func (e *Engine) asOf(s *cellStore) lake.Micros {
	now := lake.MicrosOf(e.now())
	if lake.Seq(s.counted.Load()) >= e.lake.Committed() {
		return now
	}
	return lake.Micros(s.asOf.Load())
}

// endpointWindow is the window as the tables of endpoints can answer it, once they are loaded.
func (e *Engine) endpointWindow(ctx context.Context, r sql.Range) (window, error) {
	store := e.feed.minutes.panels
	if err := store.wait(ctx, e); err != nil {
		return window{}, err
	}
	return windowOf(r).endpoints(store.horizon.Load()), nil
}

// Extent is the event time that the lake covers; see sql.Panels.
func (e *Engine) Extent(ctx context.Context) (sql.Extent, error) {
	set, behind, err := e.panel(ctx, extentSQL())
	if err != nil {
		return sql.Extent{}, err
	}
	out := sql.Extent{Behind: behind}
	if row := set.rows[0]; row[0] != nil {
		out.First, out.Last, out.Events = micros(row[0]), micros(row[1]), count(row[2])
	}
	return out, nil
}

// LatencyByService is quantiles over the window; Spark is the p95 of the worst minute in each slot.
func (e *Engine) LatencyByService(ctx context.Context, r sql.Range) (*sql.LatencyByService, error) {
	w := windowOf(r)
	rows, behind, err := e.serviceLatencies(ctx, w)
	if err != nil {
		return nil, err
	}
	charts, _, err := e.panelCharts(ctx, behind.SQL, w)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if c := charts[rows[i].Service]; c != nil {
			rows[i].Spark = c.points
		} else { // the tables moved on between the two statements
			rows[i].Spark = noData(w.slots)
		}
	}
	return &sql.LatencyByService{Behind: behind, Rows: rows}, nil
}

// LatencyOverTime is the p95 of the worst minute in each slot; see sql.Panels.
func (e *Engine) LatencyOverTime(ctx context.Context, r sql.Range) (*sql.LatencyOverTime, error) {
	w := windowOf(r)
	charts, behind, err := e.panelCharts(ctx, latencyOverTimeSQL(w), w)
	if err != nil {
		return nil, err
	}
	busiest := slices.SortedFunc(maps.Values(charts), func(a, b *chart) int {
		return cmp.Or(cmp.Compare(b.requests, a.requests), cmp.Compare(a.service, b.service))
	})
	out := &sql.LatencyOverTime{Behind: behind, Slots: w.starts()}
	for _, c := range busiest[:min(len(busiest), maxSeries)] {
		out.Series = append(out.Series, sql.Series{Name: c.service, Points: c.points})
	}
	return out, nil
}

// ErrorRate is the share of server errors; see sql.Panels.
func (e *Engine) ErrorRate(ctx context.Context, r sql.Range) (*sql.ErrorRate, error) {
	w := windowOf(r)
	spots, err := e.endpointWindow(ctx, r)
	if err != nil {
		return nil, err
	}
	set, behind, err := e.panel(ctx, errorEndpointsSQL(spots))
	if err != nil {
		return nil, err
	}
	slots, _, err := e.panel(ctx, errorSlotsSQL(w))
	if err != nil {
		return nil, err
	}
	out := &sql.ErrorRate{Behind: behind, Spark: noData(w.slots)}
	var earlierHTTP, earlierErrors int64
	for _, row := range slots.rows {
		http, errors := count(row[2]), count(row[3])
		if inside, _ := row[1].(bool); !inside {
			earlierHTTP, earlierErrors = earlierHTTP+http, earlierErrors+errors
			continue
		}
		out.HTTP, out.Errors = out.HTTP+http, out.Errors+errors
		if slot, ok := w.slotOf(int64(micros(row[0]))); ok {
			out.Spark[slot] = share(errors, http)
		}
	}
	out.Rate, out.Prev = share(out.Errors, out.HTTP), share(earlierErrors, earlierHTTP)
	for _, row := range set.rows {
		out.Endpoints = append(out.Endpoints, sql.EndpointErrors{Service: text(row[0]), Endpoint: text(row[1]), Requests: count(row[2]), Errors: count(row[3]),
			Rate: number(row[4]), WorstRegion: text(row[5])})
	}
	return out, nil
}

// SlowestEndpoints lists endpoints by p95; see sql.Panels.
func (e *Engine) SlowestEndpoints(ctx context.Context, r sql.Range, limit int) (*sql.SlowestEndpoints, error) {
	if limit <= 0 {
		limit = maxErrorEndpoints
	}
	w, err := e.endpointWindow(ctx, r)
	if err != nil {
		return nil, err
	}
	rows, behind, err := e.endpointLatencies(ctx, w, limit)
	if err != nil {
		return nil, err
	}
	return &sql.SlowestEndpoints{Behind: behind, Rows: rows}, nil
}

// ErrorsByRegion counts server errors by region; see sql.Panels.
func (e *Engine) ErrorsByRegion(ctx context.Context, r sql.Range) (*sql.ErrorsByRegion, error) {
	w, err := e.endpointWindow(ctx, r)
	if err != nil {
		return nil, err
	}
	set, behind, err := e.panel(ctx, errorsByRegionSQL(w))
	if err != nil {
		return nil, err
	}
	out := &sql.ErrorsByRegion{Behind: behind}
	for _, row := range set.rows {
		out.Rows = append(out.Rows, sql.RegionErrors{Region: text(row[0]), HTTP: count(row[1]), Errors: count(row[2]), Rate: number(row[3]), OfErrors: number(row[4])})
	}
	return out, nil
}

// Volume counts events by slot; see sql.Panels.
func (e *Engine) Volume(ctx context.Context, r sql.Range) (*sql.Volume, error) {
	w := windowOf(r)
	set, behind, err := e.panel(ctx, volumeSQL(w))
	if err != nil {
		return nil, err
	}
	out := &sql.Volume{Behind: behind, Slots: w.starts(), Counts: make([]float64, w.slots), Failed: make([]float64, w.slots)}
	for _, row := range set.rows {
		events := count(row[1])
		out.Events += events
		if slot, ok := w.slotOf(int64(micros(row[0]))); ok {
			out.Counts[slot], out.Failed[slot] = float64(events), float64(count(row[2]))
		}
	}
	return out, nil
}

func noData(n int) []float64 {
	points := make([]float64, n)
	for i := range points {
		points[i] = math.NaN()
	}
	return points
}

func share(part, of int64) float64 {
	if of == 0 {
		return math.NaN()
	}
	return float64(part) / float64(of)
}

func text(v driver.Value) string {
	s, _ := v.(string)
	return s
}

// number is NaN for NULL.
func number(v driver.Value) float64 {
	if f, ok := v.(float64); ok {
		return f
	}
	return math.NaN()
}

// count reads BIGINT and HUGEINT; NULL is 0.
func count(v driver.Value) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case *big.Int:
		return v.Int64()
	}
	return 0
}

func micros(v driver.Value) lake.Micros {
	if t, ok := v.(time.Time); ok {
		return lake.MicrosOf(t)
	}
	return 0
}
