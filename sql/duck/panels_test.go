package duck

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// ask runs a statement that must succeed.
func ask(tb testing.TB, e *Engine, format string, args ...any) [][]any {
	tb.Helper()
	text := fmt.Sprintf(format, args...)
	result, err := e.Query(tb.Context(), sql.Query{Text: text, MinSeq: e.lake.Committed(), MaxRows: 1_000_000})
	if err != nil {
		tb.Fatalf("%s\n%v", text, err)
	}
	return result.Rows
}

// waitCounted waits until the minute tables of both instances hold everything.
func waitCounted(tb testing.TB, e *Engine) {
	tb.Helper()
	ask(tb, e, "select 1 from minutes limit 0")
	if _, err := e.Extent(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	want, deadline := int64(e.lake.Committed()), time.Now().Add(30*time.Second)
	for e.feed.minutes.panels.counted.Load() < want || e.feed.minutes.prompt.counted.Load() < want {
		if time.Now().After(deadline) {
			tb.Fatalf("counted %d and %d of %d; %v", e.feed.minutes.panels.counted.Load(), e.feed.minutes.prompt.counted.Load(), want, e.Freshness())
		}
		ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Millisecond)
		<-ctx.Done()
		cancel()
	}
}

// panelLake is a lake in all its states at once: converted twice, with a hot tail, and with late events in the tail.
func panelLake(tb testing.TB) (*lake.Lake, *Engine) {
	l, e := openBoth(tb, tb.TempDir())
	for seed := range uint64(3) {
		generateInto(tb, l, 4_000, seed+1)
		if seed < 2 {
			if _, err := l.Convert(tb.Context(), nil); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return l, e
}

// checkMinutes holds every count of the tables against the events.
func checkMinutes(tb testing.TB, e *Engine) {
	tb.Helper()
	waitCounted(tb, e)
	for _, table := range []struct{ name, time string }{{"minutes", "minute"}, {"hours", "hour"}, {"minutes_by_endpoint", "minute"}, {"hours_by_endpoint", "hour"}} {
		keys, since := "service_name", int64(0)
		if strings.HasSuffix(table.name, "_by_endpoint") {
			keys = "service_name, endpoint, region"
		}
		if table.name == "minutes_by_endpoint" { // only the newest are kept
			since = max(e.feed.minutes.prompt.horizon.Load(), e.feed.minutes.panels.horizon.Load())
		}
		from := timestampSQL(since)
		got := ask(tb, e, "select %s, %s, sum(count), sum(http), sum(errors), sum(client_errors), sum(latency_count), round(sum(latency_sum), 3), max(latency_max), sum(list_sum(counts)) from %s where %s >= %s group by all order by all", table.time, keys, table.name, table.time, from)
		want := ask(tb, e, "select date_trunc('%s', timestamp), %s, count(*), count(*) filter (where status_code >= 100), count(*) filter (where status_code >= 500), count(*) filter (where status_code between 400 and 499), count(latency_ms), round(sum(latency_ms), 3), max(latency_ms), count(latency_ms) from events where timestamp >= %s group by date_trunc('%s', timestamp), %s order by all",
			table.time, keys, from, table.time, keys)
		requireSame(tb, table.name, got, want)
		panel, _, err := e.panel(tb.Context(), "select sum(count) from "+table.name+" where "+table.time+" >= "+from)
		if err != nil {
			tb.Fatal(err)
		}
		if all := ask(tb, e, "select count(*) from events where timestamp >= %s", from); count(panel.rows[0][0]) != all[0][0].(int64) {
			tb.Fatalf("the panels' %s counts %v events of %v", table.name, panel.rows[0][0], all[0][0])
		}
	}
	cells := ask(tb, e, "select count(*), count(distinct (minute, service_name)) from minutes")
	if cells[0][0] != cells[0][1] {
		tb.Fatalf("minutes has %v rows for %v cells", cells[0][0], cells[0][1])
	}
}

// TestMinutesEqualEvents also opens the same lake anew, so that the cells come from rollup files and the log.
func TestMinutesEqualEvents(t *testing.T) {
	l, e := panelLake(t)
	checkMinutes(t, e)
	again, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	checkMinutes(t, again)
	generateInto(t, l, 2_000, 9) // late events: their minutes are sealed
	checkMinutes(t, e)
	checkMinutes(t, again)
}

// near says whether a sketch's value is as close to the exact one as promised, with room for interpolation between ranks of the sketch.
func near(got, exact float64) bool {
	if math.IsNaN(exact) || math.IsNaN(got) {
		return math.IsNaN(exact) == math.IsNaN(got)
	}
	return math.Abs(got-exact) <= 0.01*exact+0.001
}

func asNumber(v any) float64 {
	if f, ok := v.(float64); ok {
		return f
	}
	return math.NaN()
}

func TestPanelsEqualEvents(t *testing.T) {
	l, e := panelLake(t)
	day := lake.MicrosOf(time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC))
	var untimed lake.Batch // endpoints that never had a latency
	for i := range 30 {
		event := lake.Event{EventID: fmt.Sprint("untimed-", i), Timestamp: day + lake.Micros(i)*3600_000_000, ServiceName: "static", Endpoint: []string{"/a", "/b", "/a"}[i%3], Region: "unknown", StatusCode: 200, Level: "info"}
		untimed.Lines, untimed.N = event.AppendLine(untimed.Lines), untimed.N+1
	}
	if _, err := l.Append(t.Context(), untimed); err != nil {
		t.Fatal(err)
	}
	waitCounted(t, e)
	minute, hour := lake.Micros(60_000_000), lake.Micros(3600_000_000)
	for name, r := range map[string]sql.Range{
		"a day": {From: day, To: day + 24*hour, Slots: 48}, "odd edges": {From: day + 7*minute, To: day + 29*hour + 13*minute, Slots: 50}, "an hour": {From: day + 10*hour, To: day + 11*hour, Slots: 60},
		"one service": {From: day, To: day + 48*hour, Slots: 20, Service: "checkout"}, "nothing": {From: day - 9000*hour, To: day - 8999*hour, Slots: 10}, "all": {From: day - 30*24*hour, To: day + 30*24*hour, Slots: 60},
	} {
		t.Run(name, func(t *testing.T) { checkPanels(t, e, r) })
	}
}

func checkPanels(t *testing.T, e *Engine, r sql.Range) {
	where := fmt.Sprintf("timestamp >= %s and timestamp < %s", timestampSQL(int64(r.From)), timestampSQL(int64(r.To)))
	earlier := fmt.Sprintf("timestamp >= %s and timestamp < %s", timestampSQL(int64(2*r.From-r.To)), timestampSQL(int64(r.From)))
	if r.Service != "" {
		where, earlier = where+" and service_name = '"+r.Service+"'", earlier+" and service_name = '"+r.Service+"'"
	}
	latency, err := e.LatencyByService(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	exact := ask(t, e, "select service_name, count(*), count(*) filter (where status_code >= 500), approx_percentile(latency_ms, 0.5), approx_percentile(latency_ms, 0.95), approx_percentile(latency_ms, 0.99), (select approx_percentile(latency_ms, 0.95) from events p where p.service_name = e.service_name and %s) from events e where %s group by service_name order by service_name", earlier, where)
	if len(exact) != len(latency.Rows) {
		t.Fatalf("%d services, want %d", len(latency.Rows), len(exact))
	}
	byName := map[string]sql.ServiceLatency{}
	for i, row := range latency.Rows {
		byName[row.Service] = row
		if i > 0 && row.P95 > latency.Rows[i-1].P95 {
			t.Errorf("%s is out of order", row.Service)
		}
	}
	for _, want := range exact {
		got := byName[want[0].(string)]
		if got.Requests != want[1] || got.Errors != want[2] || !near(got.P50, asNumber(want[3])) || !near(got.P95, asNumber(want[4])) || !near(got.P99, asNumber(want[5])) || !near(got.PrevP95, asNumber(want[6])) {
			t.Errorf("latency: got %+v, want %v", got, want)
		}
		if len(got.Spark) == 0 || len(got.Spark) > r.Slots {
			t.Errorf("%d points in the spark of %s for %d slots", len(got.Spark), got.Service, r.Slots)
		}
	}
	checkCounts(t, e, r, where)
	checkEndpoints(t, e, r)
	checkBehind(t, e, latency.Behind, len(latency.Rows))
}

func checkCounts(t *testing.T, e *Engine, r sql.Range, where string) {
	totals := ask(t, e, "select count(*), count(*) filter (where status_code >= 100), count(*) filter (where status_code >= 500) from events where %s", where)[0]
	volume, err := e.Volume(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, n := range volume.Counts {
		sum += n
	}
	if volume.Events != totals[0] || int64(sum) != totals[0] || len(volume.Slots) != len(volume.Counts) {
		t.Errorf("volume %d, slots %v, want %v", volume.Events, sum, totals[0])
	}
	rate, err := e.ErrorRate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if rate.HTTP != totals[1] || rate.Errors != totals[2] {
		t.Errorf("error rate of %d/%d, want %v/%v", rate.Errors, rate.HTTP, totals[2], totals[1])
	}
	overTime, err := e.LatencyOverTime(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if totals[0] != int64(0) && (len(overTime.Series) == 0 || len(overTime.Series[0].Points) != len(overTime.Slots)) {
		t.Errorf("no series, or not of %d points", len(overTime.Slots))
	}
	for _, b := range []sql.Behind{volume.Behind, rate.Behind, overTime.Behind} {
		checkBehind(t, e, b, -1)
	}
}

// checkEndpoints holds the panels by endpoint against the events of the window; before the horizon of their minutes it is widened to whole hours.
func checkEndpoints(t *testing.T, e *Engine, r sql.Range) {
	t.Helper()
	newest := count(ask(t, e, "select epoch_us(date_trunc('hour', max(timestamp) - INTERVAL 25 HOURS)) from events")[0][0])
	from, to := int64(r.From), int64(r.To)
	if from < newest {
		from -= from % microsPerHour
	}
	if to < newest {
		to += (microsPerHour - to%microsPerHour) % microsPerHour
	}
	where := between("timestamp", from, to)
	if r.Service != "" {
		where += " and service_name = '" + r.Service + "'"
	}
	rate, err := e.ErrorRate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	worst := ask(t, e, "select service_name, endpoint, count(*) n, count(*) filter (where status_code >= 500) e, e / n from events where %s and status_code >= 100 group by all having e > 0 order by e / n desc, e desc, service_name, endpoint limit 20", where)
	if len(worst) != len(rate.Endpoints) {
		t.Fatalf("%d endpoints with errors, want %d", len(rate.Endpoints), len(worst))
	}
	for i, want := range worst {
		if got := rate.Endpoints[i]; got.Service != want[0] || got.Endpoint != want[1] || got.Requests != want[2] || got.Errors != want[3] || got.Rate != want[4] || got.WorstRegion == "" {
			t.Errorf("endpoint %d: %+v, want %v", i, got, want)
		}
	}
	regions, err := e.ErrorsByRegion(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	byRegion := ask(t, e, "select region, count(*), count(*) filter (where status_code >= 500) e from events where %s and status_code >= 100 group by region order by e desc, region", where)
	if len(byRegion) != len(regions.Rows) {
		t.Fatalf("%d regions, want %d", len(regions.Rows), len(byRegion))
	}
	for i, want := range byRegion {
		if got := regions.Rows[i]; got.Region != want[0] || got.HTTP != want[1] || got.Errors != want[2] {
			t.Errorf("region %d: %+v, want %v", i, got, want)
		}
	}
	slowest, err := e.SlowestEndpoints(t.Context(), r, 1000)
	if err != nil {
		t.Fatal(err)
	}
	endpoints := map[string][]any{}
	for _, row := range ask(t, e, "select service_name, endpoint, count(*), approx_percentile(latency_ms, 0.5), approx_percentile(latency_ms, 0.95), approx_percentile(latency_ms, 0.99) from events where %s group by all", where) {
		endpoints[fmt.Sprint(row[0], row[1])] = row
	}
	if len(endpoints) != len(slowest.Rows) {
		t.Fatalf("%d endpoints, want %d", len(slowest.Rows), len(endpoints))
	}
	for _, got := range slowest.Rows {
		want := endpoints[got.Service+got.Endpoint]
		if want == nil || got.Requests != want[2] || !near(got.P50, asNumber(want[3])) || !near(got.P95, asNumber(want[4])) || !near(got.P99, asNumber(want[5])) {
			t.Errorf("endpoint %+v, want %v", got, want)
		}
	}
	for _, b := range []sql.Behind{regions.Behind, slowest.Behind} {
		checkBehind(t, e, b, -1)
	}
}

// checkBehind runs what stands behind a panel at the prompt.
func checkBehind(t *testing.T, e *Engine, b sql.Behind, rows int) {
	t.Helper()
	result, err := e.Query(t.Context(), sql.Query{Text: b.SQL})
	if err != nil {
		t.Fatalf("%s\n%v", b.SQL, err)
	}
	if rows >= 0 && len(result.Rows) != rows {
		t.Errorf("%d rows at the prompt, %d in the panel", len(result.Rows), rows)
	}
	if b.AsOf == 0 {
		t.Error("the panel does not say as of when it is")
	}
}

// TestPanelsEqualTheirSQL: what a panel shows is what the statement behind it answers at the prompt, row for row, also where the panel adds the histograms up itself.
func TestPanelsEqualTheirSQL(t *testing.T) {
	l, e := panelLake(t)
	noLatency := lake.Event{EventID: "no-latency", ServiceName: "silent", Region: "eu", Level: "info", Timestamp: lake.MicrosOf(time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC))}
	if _, err := l.Append(t.Context(), lake.Batch{Lines: noLatency.AppendLine(nil), N: 1}); err != nil {
		t.Fatal(err)
	}
	waitCounted(t, e)
	day := lake.MicrosOf(time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC))
	quantile := func(got float64, want any) bool {
		exact := asNumber(want)
		return math.IsNaN(got) && math.IsNaN(exact) || math.Abs(got-exact) <= 1e-9*math.Abs(exact)
	}
	same := func(got sql.Quantiles, want []any) bool {
		return quantile(got.P50, want[0]) && quantile(got.P95, want[1]) && quantile(got.P99, want[2])
	}
	for _, r := range []sql.Range{{From: day, To: day + 24*microsPerHour, Slots: 60}, {From: day + 5*microsPerHour + 7*microsPerMinute, To: day + 29*microsPerHour, Slots: 9},
		{From: day + 3*microsPerHour, To: day + 3*microsPerHour + 20*microsPerMinute, Slots: 5}, {From: day, To: day + 6*microsPerHour, Slots: 6, Service: "checkout"}} {
		latency, err := e.LatencyByService(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		rows := ask(t, e, "%s", latency.SQL)
		if len(rows) != len(latency.Rows) || len(rows) == 0 {
			t.Fatalf("%v: %d services, %d by SQL", r, len(latency.Rows), len(rows))
		}
		for i, want := range rows {
			if got := latency.Rows[i]; got.Service != want[0] || got.Requests != want[1] || got.Errors != want[2] || !same(got.Quantiles, want[3:6]) || !quantile(got.PrevP95, want[6]) {
				t.Errorf("%v: row %d is %+v, by SQL %v", r, i, got, want)
			}
		}
		overTime, err := e.LatencyOverTime(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		var points []string
		for _, s := range overTime.Series {
			for i, p := range s.Points {
				if !math.IsNaN(p) {
					points = append(points, fmt.Sprintf("%s %d %.9g", s.Name, overTime.Slots[i], p))
				}
			}
		}
		var drawn []string
		for _, row := range ask(t, e, "select service_name, epoch_us(slot), p95 from (%s) where p95 is not null order by requests desc, service_name, slot", overTime.SQL) {
			drawn = append(drawn, fmt.Sprintf("%s %d %.9g", row[0], row[1], row[2]))
		}
		if !slices.Equal(points, drawn) || len(points) == 0 {
			t.Errorf("%v: the chart shows %v, by SQL %v", r, points, drawn)
		}
		slowest, err := e.SlowestEndpoints(t.Context(), r, 1000)
		if err != nil {
			t.Fatal(err)
		}
		rows = ask(t, e, "%s", slowest.SQL)
		if len(rows) != len(slowest.Rows) || len(rows) == 0 {
			t.Fatalf("%v: %d endpoints, %d by SQL", r, len(slowest.Rows), len(rows))
		}
		for i, want := range rows {
			endpoint, _ := want[1].(string)
			if got := slowest.Rows[i]; got.Service != want[0] || got.Endpoint != endpoint || got.Requests != want[2] || !same(got.Quantiles, want[3:6]) {
				t.Errorf("%v: row %d is %+v, by SQL %v", r, i, got, want)
			}
		}
	}
}

func TestPanelsOfAnEmptyLake(t *testing.T) {
	_, e := openBoth(t, t.TempDir())
	extent, err := e.Extent(t.Context())
	if err != nil || extent.Events != 0 || extent.First != 0 {
		t.Fatalf("%+v, %v", extent, err)
	}
	checkPanels(t, e, sql.Range{From: 0, To: 3600_000_000, Slots: 6})
	rate, err := e.ErrorRate(t.Context(), sql.Range{From: 0, To: 3600_000_000, Slots: 6})
	if err != nil || !math.IsNaN(rate.Rate) || !math.IsNaN(rate.Prev) || !math.IsNaN(rate.Spark[0]) {
		t.Fatalf("a rate of nothing: %+v, %v", rate, err)
	}
}

func TestExtent(t *testing.T) {
	_, e := panelLake(t)
	waitCounted(t, e)
	extent, err := e.Extent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := ask(t, e, "select date_trunc('minute', min(timestamp)), date_trunc('minute', max(timestamp)) + interval 1 minute, count(*) from events")[0]
	if !extent.First.Time().Equal(want[0].(time.Time)) || !extent.Last.Time().Equal(want[1].(time.Time)) || extent.Events != want[2] {
		t.Errorf("%+v, want %v", extent, want)
	}
}

func TestPanelEndsWithItsContext(t *testing.T) {
	_, e := openBoth(t, t.TempDir())
	waitCounted(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Volume(ctx, sql.Range{To: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
}
