package duck

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/rollup"
	"github.com/signallake/signallake/sql"
)

// dashboardTimes is one question of the Dashboard: how long its panel took in each round, and the same over `events` beside it.
type dashboardTimes struct {
	name          string          // "latency by service"
	panel, events []time.Duration // of processors
	rows          int             // compared
	widest        float64         // the largest relative difference of a quantile; counts are equal
}

// benchDashboard asks what the Dashboard asks, over the newest 24 hours of whole hours and by minute, in turns with the same questions over `events` on this
// engine. It holds the answers against each other in every round: counts are equal, quantiles within rollup.ErrorBound; anything else is an error. The first round is
// not timed.
func benchDashboard(tb testing.TB, e *Engine, rounds int) ([]dashboardTimes, error) {
	ctx := tb.Context()
	extent, err := e.Extent(ctx)
	if err != nil {
		return nil, err
	}
	to := lake.Micros(floorTo(int64(extent.Last)-1, microsPerHour))
	d := dashboard{engine: e, r: sql.Range{From: to - 24*microsPerHour, To: to, Slots: 24 * 60}}
	questions := d.questions()
	out := make([]dashboardTimes, len(questions))
	for round := range rounds + 1 {
		for i, q := range questions {
			times := &out[i]
			times.name = q.name
			started := cpuTime(tb)
			panel, err := q.panel(ctx)
			took := cpuTime(tb) - started
			if err != nil {
				return nil, fmt.Errorf("%s: %w", q.name, err)
			}
			started = cpuTime(tb)
			direct, err := d.ask(ctx, q.direct)
			if round > 0 {
				times.panel, times.events = append(times.panel, took), append(times.events, cpuTime(tb)-started)
			}
			if err == nil {
				err = direct.compare(panel)
			}
			if err != nil {
				return nil, fmt.Errorf("%s over events: %w", q.name, err)
			}
			times.rows, times.widest = len(panel), max(times.widest, direct.widest)
		}
	}
	return out, nil
}

// dashboard is the window at hand.
type dashboard struct {
	engine *Engine
	r      sql.Range
}

// figures is an answer as rows of a key and numbers: counts first, then quantiles, NaN where there is none.
type figures map[string]figure

type figure struct {
	counts    []int64
	quantiles []float64
}

// dashQuestion is one panel, and statements whose rows together are the same figures.
type dashQuestion struct {
	name   string
	panel  func(ctx context.Context) (figures, error)
	direct []string // each: key, counts as BIGINT, quantiles as DOUBLE
}

func (d dashboard) questions() []dashQuestion {
	within := "FROM events WHERE " + between("timestamp", int64(d.r.From), int64(d.r.To))
	before := "FROM events WHERE " + between("timestamp", int64(d.r.From-(d.r.To-d.r.From)), int64(d.r.From))
	minute := "epoch_us(date_trunc('minute', timestamp))"
	three := "quantile_cont(latency_ms, 0.5), quantile_cont(latency_ms, 0.95), quantile_cont(latency_ms, 0.99)"
	failed := "count(*) FILTER (WHERE status_code >= 500)"
	http := "count(*) FILTER (WHERE status_code >= 100)"
	sparks := "SELECT 'minute ' || service_name || ' ' || " + minute + ", quantile_cont(latency_ms, 0.95) " + within
	busiest := fmt.Sprintf(" AND service_name IN (SELECT service_name FROM (SELECT service_name, count(*) AS n %s GROUP BY service_name ORDER BY n DESC, service_name LIMIT %d))", within, maxSeries)
	return []dashQuestion{
		{"latency by service", d.latencyByService, []string{"SELECT service_name, count(*), " + failed + ", " + three + " " + within + " GROUP BY service_name",
			"SELECT 'before ' || service_name, quantile_cont(latency_ms, 0.95) " + before + " GROUP BY service_name", sparks + " GROUP BY service_name, date_trunc('minute', timestamp)"}},
		{"latency over time", d.latencyOverTime, []string{sparks + busiest + " GROUP BY service_name, date_trunc('minute', timestamp)"}},
		{"error rate", d.errorRate, []string{"SELECT service_name || coalesce(endpoint, ''), " + http + ", " + failed + " " + within +
			" GROUP BY service_name, endpoint HAVING " + failed + " > 0 ORDER BY " + failed + " / " + http + " DESC, " + failed + fmt.Sprintf(" DESC, service_name, endpoint LIMIT %d", maxErrorEndpoints),
			"SELECT 'all', " + http + ", " + failed + " " + within}},
		{"slowest endpoints", d.slowestEndpoints, []string{"SELECT service_name || coalesce(endpoint, ''), count(*), " + three + " " + within + " GROUP BY service_name, endpoint"}},
		{"errors by region", d.errorsByRegion, []string{"SELECT region, " + http + ", " + failed + " " + within + " GROUP BY region"}},
		{"volume", d.volume, []string{"SELECT " + minute + "::VARCHAR, count(*), " + failed + " " + within + " GROUP BY date_trunc('minute', timestamp)"}},
	}
}

// answer is the figures of statements over events.
type answer struct {
	rows   figures
	widest float64
}

func (d dashboard) ask(ctx context.Context, texts []string) (*answer, error) {
	a := &answer{rows: figures{}}
	for _, text := range texts {
		result, err := d.engine.Query(ctx, sql.Query{Text: text, MaxRows: 1_000_000})
		if err != nil {
			return a, err
		}
		for _, row := range result.Rows {
			var f figure
			for _, value := range row[1:] {
				switch value := value.(type) {
				case int64:
					f.counts = append(f.counts, value)
				case float64:
					f.quantiles = append(f.quantiles, value)
				case nil:
					f.quantiles = append(f.quantiles, math.NaN())
				}
			}
			a.rows[text0(row[0])] = f
		}
	}
	return a, nil
}

func text0(v any) string {
	s, _ := v.(string)
	return s
}

// compare holds the panel's figures against those over events. Rows that the panel does not have must be without a quantile: a chart has no point there.
func (a *answer) compare(panel figures) error {
	for key, want := range a.rows {
		got, ok := panel[key]
		if !ok && len(want.counts) == 0 && !slices.ContainsFunc(want.quantiles, func(q float64) bool { return !math.IsNaN(q) }) {
			continue
		}
		if !ok || fmt.Sprint(got.counts) != fmt.Sprint(want.counts) || len(got.quantiles) != len(want.quantiles) {
			return fmt.Errorf("%q: the panel says %v, the events %v", key, got, want)
		}
		for i, exact := range want.quantiles {
			if math.IsNaN(exact) && math.IsNaN(got.quantiles[i]) {
				continue
			}
			off := math.Abs(got.quantiles[i]-exact) / max(exact, 0.1) // below 0.1 ms buckets are finer than anybody asks
			if !(off <= rollup.ErrorBound) {
				return fmt.Errorf("%q: the panel says %.4f ms, the events %.4f", key, got.quantiles[i], exact)
			}
			a.widest = max(a.widest, off)
		}
	}
	for key := range panel {
		if _, ok := a.rows[key]; !ok {
			return fmt.Errorf("%q: the events have nothing like it", key)
		}
	}
	return nil
}

// points adds a series' points; a minute without data has none.
func (f figures) points(service string, starts []lake.Micros, points []float64) {
	for i, p := range points {
		if !math.IsNaN(p) {
			f[fmt.Sprintf("minute %s %d", service, starts[i])] = figure{quantiles: []float64{p}}
		}
	}
}

func (q figure) of(values sql.Quantiles) figure {
	q.quantiles = []float64{values.P50, values.P95, values.P99}
	return q
}

func (d dashboard) latencyByService(ctx context.Context) (figures, error) {
	p, err := d.engine.LatencyByService(ctx, d.r)
	if err != nil {
		return nil, err
	}
	f, starts := figures{}, windowOf(d.r).starts()
	for _, row := range p.Rows {
		f[row.Service] = figure{counts: []int64{row.Requests, row.Errors}}.of(row.Quantiles)
		if !math.IsNaN(row.PrevP95) {
			f["before "+row.Service] = figure{quantiles: []float64{row.PrevP95}}
		}
		f.points(row.Service, starts, row.Spark)
	}
	return f, nil
}

func (d dashboard) latencyOverTime(ctx context.Context) (figures, error) {
	p, err := d.engine.LatencyOverTime(ctx, d.r)
	if err != nil {
		return nil, err
	}
	f := figures{}
	for _, s := range p.Series {
		f.points(s.Name, p.Slots, s.Points)
	}
	return f, nil
}

func (d dashboard) errorRate(ctx context.Context) (figures, error) {
	p, err := d.engine.ErrorRate(ctx, d.r)
	if err != nil {
		return nil, err
	}
	f := figures{"all": {counts: []int64{p.HTTP, p.Errors}}}
	for _, row := range p.Endpoints {
		f[row.Service+row.Endpoint] = figure{counts: []int64{row.Requests, row.Errors}}
	}
	return f, nil
}

func (d dashboard) slowestEndpoints(ctx context.Context) (figures, error) {
	p, err := d.engine.SlowestEndpoints(ctx, d.r, 1_000_000)
	if err != nil {
		return nil, err
	}
	f := figures{}
	for _, row := range p.Rows {
		f[row.Service+row.Endpoint] = figure{counts: []int64{row.Requests}}.of(row.Quantiles)
	}
	return f, nil
}

func (d dashboard) errorsByRegion(ctx context.Context) (figures, error) {
	p, err := d.engine.ErrorsByRegion(ctx, d.r)
	if err != nil {
		return nil, err
	}
	f := figures{}
	for _, row := range p.Rows {
		f[row.Region] = figure{counts: []int64{row.HTTP, row.Errors}}
	}
	return f, nil
}

func (d dashboard) volume(ctx context.Context) (figures, error) {
	p, err := d.engine.Volume(ctx, d.r)
	if err != nil {
		return nil, err
	}
	f := figures{}
	for i, n := range p.Counts {
		if n > 0 {
			f[fmt.Sprint(int64(p.Slots[i]))] = figure{counts: []int64{int64(n), int64(p.Failed[i])}}
		}
	}
	return f, nil
}

// TestDashboardEqualsEvents asks everything that the Dashboard asks, of a lake with a hot tail.
func TestDashboardEqualsEvents(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 20_000, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	generateInto(t, l, 500, 2)
	waitCounted(t, e)
	lines, err := benchDashboard(t, e, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 6 {
		t.Fatalf("%d questions", len(lines))
	}
	for _, line := range lines {
		if len(line.panel) != 2 || line.rows == 0 {
			t.Errorf("%+v", line)
		}
	}
}

// TestDashboardDifferences: two answers that differ are told.
func TestDashboardDifferences(t *testing.T) {
	f := func(name string, panel, events figures, wrong bool) {
		t.Helper()
		if err := (&answer{rows: events}).compare(panel); (err != nil) != wrong {
			t.Errorf("%s: %v", name, err)
		}
	}
	one := figures{"a": {counts: []int64{5}, quantiles: []float64{100}}}
	f("equal", one, figures{"a": {counts: []int64{5}, quantiles: []float64{100.9}}}, false)
	f("count", one, figures{"a": {counts: []int64{6}, quantiles: []float64{100}}}, true)
	f("quantile", one, figures{"a": {counts: []int64{5}, quantiles: []float64{102}}}, true)
	f("missing", figures{}, one, true)
	f("more", one, figures{}, true)
}

// BenchmarkDashboard asks the lake that SIGNALLAKE_BENCH_LAKE names, or a small one.
func BenchmarkDashboard(b *testing.B) {
	var e *Engine
	if dir := os.Getenv("SIGNALLAKE_BENCH_LAKE"); dir != "" {
		l, err := lake.Open(b.Context(), lake.Config{Dir: dir, ReadOnly: true})
		if err != nil {
			b.Fatal(err)
		}
		defer l.Close()
		if e, err = Open(b.Context(), Config{Lake: l, Panels: true}); err != nil {
			b.Fatal(err)
		}
		defer e.Close()
	} else {
		var l *lake.Lake
		l, e = openBoth(b, b.TempDir())
		generateInto(b, l, 50_000, 1)
		if _, err := l.Convert(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		lines, err := benchDashboard(b, e, 5)
		if err != nil {
			b.Fatal(err)
		}
		var panels, events time.Duration
		for _, line := range lines {
			panel, direct := percentile(line.panel, 50), percentile(line.events, 50)
			panels, events = panels+panel, events+direct
			b.Logf("%-20s %8.2f ms of processors, over events %8.2f: %6.1fx; %d rows, %.2f %% off at most", line.name, panel.Seconds()*1000, direct.Seconds()*1000, float64(direct)/float64(panel), line.rows, line.widest*100)
		}
		b.ReportMetric(float64(panels.Microseconds())/1000, "panels-cpu-ms")
		b.ReportMetric(float64(events)/float64(panels), "x-events")
	}
}
