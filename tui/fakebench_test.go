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
