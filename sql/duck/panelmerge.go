package duck

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/signallake/signallake/lake/rollup"
	"github.com/signallake/signallake/sql"
)

// The histograms of a window hold hundreds of thousands of buckets. DuckDB unnests, groups and sorts them, which is most of what the statement behind a panel of latencies
// costs; added up where they lie they take a tenth. So the panels of latencies read their statement's cells, and do its remaining steps here. TestPanelsEqualTheirSQL
// holds the two to the same rows.

// chart is a service over the slots of a window: the p95 of its worst minute in each, NaN where there is none.
type chart struct {
	service  string
	requests int64
	points   []float64
}

// panelCharts reads the minutes of a window. shown is the whole statement.
func (e *Engine) panelCharts(ctx context.Context, shown string, w window) (map[string]*chart, sql.Behind, error) {
	charts := map[string]*chart{}
	minutes := w.minutes("service_name, minute, count, p95", "")
	behind, err := e.panelRun(ctx, shown, func(c *conn) error {
		return c.chunks(minutes, func(chunk mapping.DataChunk, rows int) error {
			services, at, requests := column[hotText](chunk, 0, rows), column[int64](chunk, 1, rows), column[int64](chunk, 2, rows)
			p95s, valid := column[float64](chunk, 3, rows), validOf(chunk, 3)
			for i := range rows {
				service := charts[services[i].string()]
				if service == nil {
					service = &chart{service: strings.Clone(services[i].string()), points: noData(w.slots)}
					charts[service.service] = service
				}
				service.requests += requests[i]
				if slot, ok := w.slotOf(at[i]); ok && valid(i) && !(service.points[slot] >= p95s[i]) {
					service.points[slot] = p95s[i]
				}
			}
			return nil
		})
	})
	return charts, behind, err
}

// mergedKey is what a row of such a panel is about.
type mergedKey struct{ service, endpoint string }

// mergedCells is the cells of a row, added up.
type mergedCells struct {
	key              mergedKey
	requests, errors int64
	latency, earlier rollup.Sketch
}

func (m *mergedCells) quantiles() sql.Quantiles {
	return sql.Quantiles{P50: m.latency.Quantile(0.5), P95: m.latency.Quantile(0.95), P99: m.latency.Quantile(0.99)}
}

// panelMerged adds up what cells answers: service_name, endpoint, earlier, count, errors, buckets, counts. shown is the whole statement.
func (e *Engine) panelMerged(ctx context.Context, shown, cells string) ([]*mergedCells, sql.Behind, error) {
	rows := map[mergedKey]*mergedCells{}
	behind, err := e.panelRun(ctx, shown, func(c *conn) error {
		return c.chunks(cells, func(chunk mapping.DataChunk, n int) error {
			services, endpoints, named := column[hotText](chunk, 0, n), column[hotText](chunk, 1, n), validOf(chunk, 1)
			earlier, requests, errors := column[bool](chunk, 2, n), column[int64](chunk, 3, n), column[int64](chunk, 4, n)
			buckets, times := lists[int16](chunk, 5, n), lists[int32](chunk, 6, n)
			for i := range n {
				key := mergedKey{service: services[i].string()}
				if named(i) {
					key.endpoint = endpoints[i].string()
				}
				row := rows[key]
				if row == nil {
					row = &mergedCells{key: mergedKey{strings.Clone(key.service), strings.Clone(key.endpoint)}}
					rows[row.key] = row
				}
				latency := &row.latency
				if earlier[i] {
					latency = &row.earlier
				} else {
					row.requests, row.errors = row.requests+requests[i], row.errors+errors[i]
				}
				counts := times.row(i)
				for k, bucket := range buckets.row(i) {
					latency.AddBucket(bucket, int64(counts[k]))
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, behind, err
	}
	list := make([]*mergedCells, 0, len(rows))
	for _, row := range rows {
		if row.requests > 0 { // else it has been there before the window only
			list = append(list, row)
		}
	}
	return list, behind, nil
}

// descending orders like ORDER BY ... DESC NULLS LAST.
func descending(a, b float64) int {
	if math.IsNaN(a) || math.IsNaN(b) {
		return cmp.Compare(asInt(math.IsNaN(a)), asInt(math.IsNaN(b)))
	}
	return cmp.Compare(b, a)
}

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// serviceLatencies are the rows of latencyByServiceSQL.
func (e *Engine) serviceLatencies(ctx context.Context, w window) ([]sql.ServiceLatency, sql.Behind, error) {
	columns := "service_name, NULL::VARCHAR AS endpoint, %s AS earlier, count, errors, buckets, counts"
	cells := w.cells(strings.Replace(columns, "%s", "false", 1), "") + "\nUNION ALL " + w.before().cells(strings.Replace(columns, "%s", "true", 1), "")
	merged, behind, err := e.panelMerged(ctx, latencyByServiceSQL(w), cells)
	if err != nil {
		return nil, behind, err
	}
	var rows []sql.ServiceLatency
	for _, m := range merged {
		rows = append(rows, sql.ServiceLatency{Service: m.key.service, Requests: m.requests, Errors: m.errors, Quantiles: m.quantiles(), PrevP95: m.earlier.Quantile(0.95)})
	}
	slices.SortFunc(rows, func(a, b sql.ServiceLatency) int {
		return cmp.Or(descending(a.P95, b.P95), cmp.Compare(a.Service, b.Service))
	})
	return rows, behind, nil
}

// endpointLatencies are the rows of slowestEndpointsSQL.
func (e *Engine) endpointLatencies(ctx context.Context, w window, limit int) ([]sql.EndpointLatency, sql.Behind, error) {
	merged, behind, err := e.panelMerged(ctx, slowestEndpointsSQL(w, limit), w.cells("service_name, endpoint, false AS earlier, count, errors, buckets, counts", "_by_endpoint"))
	if err != nil {
		return nil, behind, err
	}
	var rows []sql.EndpointLatency
	for _, m := range merged {
		rows = append(rows, sql.EndpointLatency{Service: m.key.service, Endpoint: m.key.endpoint, Requests: m.requests, Quantiles: m.quantiles()})
	}
	slices.SortFunc(rows, func(a, b sql.EndpointLatency) int {
		return cmp.Or(descending(a.P95, b.P95), cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Service, b.Service),
			cmp.Compare(asInt(a.Endpoint == ""), asInt(b.Endpoint == "")), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	return rows[:min(len(rows), limit)], behind, nil
}
