package tui

import (
	"time"

	"github.com/signallake/signallake/sql/bench"
)

// fakePipeline is a report of the stages on a small machine, whose conversion takes slow times as long: lines of every verdict.
func fakePipeline(at time.Time, events int64, slow float64) bench.Pipeline {
	p := bench.Pipeline{Format: bench.PipelineFormat, At: at, Took: 4*time.Minute + 12*time.Second, Program: "v0.5", Events: events, Rounds: 5, Cached: []string{"the files' pages"},
		Machine: bench.Machine{OS: "linux 6.8", CPU: "Example CPU 3.0 GHz", Cores: 2, Memory: 8 << 30, Go: "go1.26", Engine: "DuckDB 1.4", Threads: 2}}
	measure := func(median float64, more bool) bench.Measure {
		var m bench.Measure
		for i := range p.Rounds {
			m.Samples = append(m.Samples, median*(1+float64(i*37%5-2)/100))
		}
		m.Fill(more)
		return m
	}
	add := func(name, title string, of int64, unit string, ours, reference float64, goal, reach *bench.Goal) *bench.Line {
		more := unit == "events/s"
		l := bench.Line{Name: name, Title: title, Events: of, Unit: unit, Ours: measure(ours, more), Goal: goal, Reach: reach}
		if reference > 0 {
			m := measure(reference, more)
			l.Reference, l.Ratio = &m, l.Ours.Median/m.Median
			if goal != nil && goal.AtLeast != 0 && !more {
				l.Ratio = 1 / l.Ratio
			}
		}
		p.Lines = append(p.Lines, l)
		return &p.Lines[len(p.Lines)-1]
	}
	least, most := func(v float64) *bench.Goal { return &bench.Goal{AtLeast: v} }, func(v float64) *bench.Goal { return &bench.Goal{AtMost: v} }
	yes := true
	add("generate", "events to a file", events, "ns/event", 71, 912, least(10), nil).Against = "encoding/json, the same events"
	add("scan", "raw lines, all fields validated", events, "ns/event", 239, 480, least(2), least(3))
	convert := add("convert", "JSONL to partitioned Parquet, zstd", events, "ms", 804*slow, 2412, least(2.5), least(4))
	convert.Against, convert.Same, convert.Notes = "DuckDB read_json to COPY PARTITION_BY, zstd", &yes, []string{"both write with two threads", "one file a partition on both sides"}
	add("convert-files", "files a partition", events, "files", 1, 0, most(1), nil)
	add("ingest", "HTTP, 1000-event NDJSON, 2 clients, fsync before the answer", events, "events/s", 398_000, 512_000, least(0.5), least(0.7))
	add("visible", "acknowledged to visible in SQL, p95", events, "ms", 612, 0, most(500), most(150))
	add("p95-list", "p95 of a service and day, catalog list", events, "ms", 1.6, 5.1, most(0.35), most(0.2))
	add("p95-list", "p95 of a service and day, catalog list", 10*events, "ms", 7.3, 20.6, most(0.35), most(0.2))
	add("p95-guided", "the same, exact, guided by the histogram", events, "ms", 0.4, 5.1, most(0.15), nil)
	add("rival-rate", "beside a log store of high repute", events, "events/s", 398_000, 0, nil, nil)
	p.Lines = append(p.Lines, bench.Line{Name: "plan", Title: "plan a pruned query on 60,000 files", Events: events, Unit: "ms", Goal: most(5), Notes: []string{"there was no disk for so many files"}})
	sizes := []int64{events / 100, events / 10, events}
	p.Growth = []bench.Growth{{Name: "convert", Title: convert.Title, Events: sizes, Unit: "ms", Medians: []float64{9, 84, 804 * slow}, Exponent: 0.98, AtMost: 1.1},
		{Name: "dashboard", Title: "24 h by minute", Events: sizes, Unit: "ms", Medians: []float64{1.1, 1.2, 2.1}, Exponent: 0.14, AtMost: 0.06}}
	return p
}

// fakeLayouts is a report of layouts on a small machine, where the base takes slow times as long.
func fakeLayouts(at time.Time, events int64, cold bool, slow float64) bench.Layouts {
	l := bench.Layouts{Format: bench.LayoutFormat, At: at, Took: 3 * time.Minute, Program: "v0.5", Rounds: 5, Base: bench.VariantTree, Question: "SELECT $service $day",
		Machine: bench.Machine{OS: "linux 6.8", CPU: "Example CPU 3.0 GHz", Cores: 2, Memory: 8 << 30, Go: "go1.26", Engine: "DuckDB 1.4", Threads: 2},
		Data:    bench.Data{Events: events, Files: 616, Bytes: 60 << 20, Services: 8, Days: 7, Pairs: 8, PairsTotal: 56, Scratch: true, Seed: 7}}
	samples := func(median float64) (t bench.Timing) {
		for i := range l.Rounds * l.Data.Pairs {
			t.Samples = append(t.Samples, time.Duration(median*(1+float64(i*37%11-5)/100)*float64(time.Millisecond)))
		}
		return t
	}
	add := func(name, title string, median float64, files int, read float64) {
		v := bench.Variant{Name: name, Title: title, Files: files, RowGroups: files, Bytes: 62 << 20, Footers: int64(files) * 2000, Read: read, ReadBytes: 80_000, Warm: samples(median), Same: name != "none"}
		if cold {
			v.Cold = samples(5 * median)
		}
		l.Variants = append(l.Variants, v)
	}
	add(bench.VariantOne, "one file in the order of time", 3.9, 1, 1)
	add("service", "date/service", 1.1, 56, 1)
	add(bench.VariantTree, "date/service/status", 2*slow, 616, 11)
	add(bench.VariantMany, "date/service/status, 16 files a partition", 11.2, 8000, 150)
	add("none", "date/service/status, not compressed", 1.7, 616, 11)
	l.Axes = []bench.Axis{
		{Name: bench.AxisTree, Title: "folders", Points: []bench.Point{{Title: "one file in the order of time", Variant: bench.VariantOne}, {Title: "date/service", Variant: "service"}, {Title: "date/service/status", Variant: bench.VariantTree}}},
		{Name: bench.AxisFiles, Title: "files a partition", Points: []bench.Point{{Title: "1", Variant: bench.VariantTree}, {Title: "16", Variant: bench.VariantMany}}},
		{Name: bench.AxisCodec, Title: "codec", Points: []bench.Point{{Title: "none", Variant: "none"}, {Title: "zstd", Variant: bench.VariantTree}}},
	}
	for _, n := range []int{1, 16} {
		rate := 480 + 30*float64(n)
		l.Clients = append(l.Clients, bench.Clients{Variant: bench.VariantTree, Clients: n, Rates: []float64{0.9 * rate, rate, 1.1 * rate}, Median: time.Duration(float64(n) / rate * 1e9), Worst: time.Second})
	}
	if !cold {
		l.Cold.Why = "it was not asked for"
	}
	l.Fill()
	return l
}
