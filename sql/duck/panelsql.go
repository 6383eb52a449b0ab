package duck

import (
	"fmt"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/rollup"
	"github.com/signallake/signallake/sql"
)

const (
	microsPerMinute = 60 * 1_000_000
	microsPerHour   = 60 * microsPerMinute
	defaultSlots    = 60
	// maxSeries is how many services the chart over time shows.
	maxSeries = 6
	// maxErrorEndpoints is how many endpoints the error panel lists.
	maxErrorEndpoints = 20
)

// window is a range in whole minutes, cut into slots of whole minutes.
type window struct {
	from, to int64 // microseconds
	slot     int64 // width
	slots    int
	service  string
	horizon  int64 // of minutes by endpoint; see endpoints
}

// endpoints is the window as cells of endpoints can answer it: what lies before their horizon is widened to whole hours.
func (w window) endpoints(horizon int64) window {
	w.horizon = horizon
	if w.from < horizon {
		w.from = floorTo(w.from, microsPerHour)
	}
	if w.to < horizon {
		w.to = -floorTo(-w.to, microsPerHour)
	}
	return w
}

func windowOf(r sql.Range) window {
	w := window{from: floorTo(int64(r.From), microsPerMinute), to: -floorTo(-int64(r.To), microsPerMinute), service: r.Service}
	w.to = max(w.to, w.from+microsPerMinute)
	slots := int64(r.Slots)
	if slots <= 0 {
		slots = defaultSlots
	}
	w.slot = max(-floorTo(-((w.to-w.from+slots-1)/slots), microsPerMinute), microsPerMinute)
	w.slots = int((w.to - w.from + w.slot - 1) / w.slot)
	return w
}

// before is the window of the same length that ends where w begins.
func (w window) before() window {
	w.from, w.to = w.from-(w.to-w.from), w.from
	return w
}

func (w window) starts() []lake.Micros {
	starts := make([]lake.Micros, w.slots)
	for i := range starts {
		starts[i] = lake.Micros(w.from + int64(i)*w.slot)
	}
	return starts
}

// slotOf is the slot that an instant lies in; false when it lies in none.
func (w window) slotOf(micros int64) (int, bool) {
	i := (micros - w.from) / w.slot
	return int(i), micros >= w.from && i < int64(w.slots)
}

func floorTo(n, unit int64) int64 {
	rest := n % unit
	if rest < 0 {
		rest += unit
	}
	return n - rest
}

// and is the condition on the service, if there is one.
func (w window) and() string {
	if w.service == "" {
		return ""
	}
	return " AND service_name = " + sql.Literal(w.service)
}

func between(column string, from, to int64) string {
	return fmt.Sprintf("%s >= %s AND %s < %s", column, timestampSQL(from), column, timestampSQL(to))
}

// minutes reads the minute tables over the window. kind is "" or "_by_endpoint".
func (w window) minutes(columns, kind string) string {
	return "SELECT " + columns + " FROM minutes" + kind + " WHERE " + between("minute", w.from, w.to) + w.and()
}

// cells reads the window from the hours where it holds whole ones, and from the minutes at its edges: lists of an hour merge ten times
// faster than those of its minutes.
func (w window) cells(columns, kind string) string {
	first, last := -floorTo(-w.from, microsPerHour), floorTo(w.to, microsPerHour)
	if last-first < 2*microsPerHour && w.from >= w.horizon {
		return w.minutes(columns, kind)
	}
	text := "SELECT " + columns + " FROM hours" + kind + " WHERE " + between("hour", first, last) + w.and()
	for _, edge := range []window{{from: w.from, to: first, service: w.service}, {from: last, to: w.to, service: w.service}} {
		if edge.from < edge.to {
			text += "\n  UNION ALL " + edge.minutes(columns, kind)
		}
	}
	return text
}

func extentSQL() string {
	return "SELECT min(minute) AS first, max(minute) + INTERVAL 1 MINUTE AS last, sum(count) AS events FROM minutes"
}

// quantilesSQL are the steps from cells (key, buckets, counts) to `quantiles` (key, p50, p95, p99). Of each group only the buckets that hold the ranks around a quantile
// are kept; between the two it interpolates as quantile_cont does. Counts are DOUBLE, which is exact up to 2^53 and sums faster than HUGEINT.
func quantilesSQL(cells, key string) string {
	return "grouped AS (SELECT " + key + ", b, sum(c)::DOUBLE AS c FROM (SELECT " + key + ", unnest(buckets) AS b, unnest(counts) AS c FROM " + cells + ") GROUP BY " + key + ", b),\n" +
		"run AS (SELECT " + key + ", b, c, sum(c) OVER (PARTITION BY " + key + " ORDER BY b) AS cum, sum(c) OVER (PARTITION BY " + key + ") AS n FROM grouped),\n" +
		"ranks AS (SELECT " + key + ", q, " + rollup.BucketSQL + " AS ms, q * (n - 1) - floor(q * (n - 1)) AS part FROM run CROSS JOIN (VALUES (0.5::DOUBLE), (0.95::DOUBLE), (0.99::DOUBLE)) AS wanted(q)\n" +
		"  WHERE cum > floor(q * (n - 1)) AND cum - c <= ceil(q * (n - 1))),\n" +
		"points AS (SELECT " + key + ", q, min(ms) + (max(ms) - min(ms)) * max(part) AS ms FROM ranks GROUP BY " + key + ", q),\n" +
		"quantiles AS (SELECT " + key + ", max(ms) FILTER (WHERE q = 0.5::DOUBLE) AS p50, max(ms) FILTER (WHERE q = 0.95::DOUBLE) AS p95, max(ms) FILTER (WHERE q = 0.99::DOUBLE) AS p99 FROM points GROUP BY " + key + ")"
}

func latencyByServiceSQL(w window) string {
	return "-- latency by service, from the minutes' histograms (error at most 1 %); earlier is the window of the same length before\n" +
		"WITH cells AS (SELECT false AS earlier, * FROM (" + w.cells("service_name, count, errors, buckets, counts", "") + ")\n" +
		"  UNION ALL SELECT true, * FROM (" + w.before().cells("service_name, count, errors, buckets, counts", "") + ")),\n" +
		quantilesSQL("cells", "earlier, service_name") + ",\n" +
		"totals AS (SELECT service_name, sum(count) AS requests, sum(errors) AS errors FROM cells WHERE NOT earlier GROUP BY service_name)\n" +
		"SELECT t.service_name, requests, errors, q.p50, q.p95, q.p99, before.p95 AS previous_p95\n" +
		"FROM totals t LEFT JOIN quantiles q ON q.service_name = t.service_name AND NOT q.earlier LEFT JOIN quantiles before ON before.service_name = t.service_name AND before.earlier\n" +
		"ORDER BY q.p95 DESC NULLS LAST, t.service_name"
}

// slotSQL is the start of the slot that a minute lies in.
func (w window) slotSQL() string {
	return fmt.Sprintf("time_bucket(INTERVAL '%d minutes', minute, %s)", w.slot/microsPerMinute, timestampSQL(w.from))
}

// latencyOverTimeSQL shows the p95 of each service's worst minute in each slot: a short spike must not vanish in a long one.
func latencyOverTimeSQL(w window) string {
	return "-- p95 of the worst minute in each slot, for the busiest services\n" +
		"WITH busiest AS (SELECT service_name, sum(count) AS requests FROM minutes WHERE " + between("minute", w.from, w.to) + w.and() +
		fmt.Sprintf(" GROUP BY service_name ORDER BY requests DESC, service_name LIMIT %d)\n", maxSeries) +
		"SELECT service_name, requests, " + w.slotSQL() + " AS slot, max(p95) AS p95\nFROM minutes JOIN busiest USING (service_name)\nWHERE " + between("minute", w.from, w.to) +
		"\nGROUP BY service_name, requests, slot\nORDER BY requests DESC, service_name, slot"
}

// errorSlotsSQL covers the window before as well: its slots lie before the window's start.
func errorSlotsSQL(w window) string {
	both := w
	both.from = w.before().from
	return "SELECT " + w.slotSQL() + " AS slot, minute >= " + timestampSQL(w.from) + " AS inside, sum(http) AS requests, sum(errors) AS errors\nFROM minutes\nWHERE " +
		between("minute", both.from, both.to) + w.and() + "\nGROUP BY slot, inside\nORDER BY slot"
}

func errorEndpointsSQL(w window) string {
	return "-- endpoints with server errors, highest rate first\n" +
		"WITH cells AS (" + w.cells("service_name, endpoint, region, http, errors", "_by_endpoint") + "),\n" +
		"regions AS (SELECT service_name, endpoint, region, sum(http) AS requests, sum(errors) AS errors FROM cells GROUP BY service_name, endpoint, region)\n" +
		"SELECT service_name, endpoint, sum(requests) AS requests, sum(errors) AS errors, sum(errors) / sum(requests) AS error_rate, arg_max(region, (errors, region)) AS worst_region\n" +
		"FROM regions\nGROUP BY service_name, endpoint\nHAVING sum(errors) > 0\nORDER BY error_rate DESC, errors DESC, service_name, endpoint\n" + fmt.Sprintf("LIMIT %d", maxErrorEndpoints)
}

func slowestEndpointsSQL(w window, limit int) string {
	return "-- endpoints by p95, from the minutes' histograms (error at most 1 %); those without a latency follow, the busiest first\n" +
		"WITH cells AS (" + w.cells("service_name, endpoint, count, buckets, counts", "_by_endpoint") + "),\n" +
		quantilesSQL("cells", "service_name, endpoint") + ",\n" +
		"totals AS (SELECT service_name, endpoint, sum(count) AS requests FROM cells GROUP BY service_name, endpoint)\n" +
		"SELECT t.service_name, t.endpoint, requests, p50, p95, p99\n" +
		"FROM totals t LEFT JOIN quantiles q ON q.service_name = t.service_name AND q.endpoint IS NOT DISTINCT FROM t.endpoint\n" +
		fmt.Sprintf("ORDER BY p95 DESC NULLS LAST, requests DESC, t.service_name, t.endpoint\nLIMIT %d", limit)
}

func errorsByRegionSQL(w window) string {
	return "-- server errors by region, most first\n" +
		"WITH cells AS (" + w.cells("region, http, errors", "_by_endpoint") + ")\n" +
		"SELECT region, sum(http) AS requests, sum(errors) AS errors, sum(errors) / sum(http) AS error_rate, sum(errors) / sum(sum(errors)) OVER () AS of_errors\n" +
		"FROM cells\nGROUP BY region\nHAVING sum(http) > 0\nORDER BY errors DESC, region"
}

func volumeSQL(w window) string {
	return "-- events, and server errors among them, in each slot\nSELECT " + w.slotSQL() + " AS slot, sum(count) AS events, sum(errors) AS errors\nFROM minutes\nWHERE " + between("minute", w.from, w.to) + w.and() + "\nGROUP BY slot\nORDER BY slot"
}
