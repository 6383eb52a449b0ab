package duck

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// TestBenchDashboard: the benchmark compares what it measures.
func TestBenchDashboard(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	if _, err := e.BenchDashboard(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("%v", err)
	}
	generateInto(t, l, 20_000, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	generateInto(t, l, 500, 2)
	waitCounted(t, e)
	lines, err := e.BenchDashboard(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 6 {
		t.Fatalf("%d questions", len(lines))
	}
	for _, line := range lines {
		if len(line.Panel) != 2 || len(line.Events) != 2 || line.Rows == 0 || line.Widest() > 0.01 {
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
		lines, err := e.BenchDashboard(b.Context(), 5)
		if err != nil {
			b.Fatal(err)
		}
		var panels, events time.Duration
		for _, line := range lines {
			panel, direct := percentile(line.Panel, 50), percentile(line.Events, 50)
			panels, events = panels+panel, events+direct
			b.Logf("%-20s %8.2f ms, over events %8.2f: %6.1fx; %d rows, %.2f %% off at most", line.Name, panel.Seconds()*1000, direct.Seconds()*1000, float64(direct)/float64(panel), line.Rows, line.Widest()*100)
		}
		b.ReportMetric(float64(panels.Microseconds())/1000, "panels-ms")
		b.ReportMetric(float64(events)/float64(panels), "x-events")
	}
}
