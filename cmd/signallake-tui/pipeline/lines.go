package pipeline

import (
	"slices"

	"github.com/signallake/signallake/sql/bench"
)

// line is what is known of a line of the report before it is measured.
type line struct {
	name, title string
	unit        string
	against     string // what the reference is; "": there is none
	goal, reach bench.Goal
	from        int64   // the goal is for so many events and more; below it the figure is told and not judged
	speed       bool    // the ratio is the reference's to ours: how many times as fast
	grows       float64 // the bound on the exponent of growth; 0: its growth is not looked at
	growsFrom   int64   // its growth is judged through sizes of so many events and more: what smaller ones lack is said by small
	small       string  // what a smaller lake or load lacks
	each        bool    // it is reported for each size that its goal is for, not for the largest alone
}

// The bounds on exponents of growth. A stage takes a time in proportion to its events at most; the tenth is what noise does to a fit through three
// sizes. What is to be flat may take 1.3 times as long for ten times the events: log10(1.3).
const (
	linear = 1.1
	flat   = 0.12
)

const (
	million     = 1_000_000
	tenMillions = 10_000_000
)

func atLeast(n float64) bench.Goal { return bench.Goal{AtLeast: n} }
func atMost(n float64) bench.Goal  { return bench.Goal{AtMost: n} }

// lines are all lines in the order of the report.
func lines() []line {
	return slices.Concat(makingLines(), ingestLines(), askingLines(), boundLines())
}

// makingLines go from the generator to Parquet.
func makingLines() []line {
	return []line{
		{name: "generate", title: "generate to a file", unit: "ms", against: "encoding/json's Encoder, the same events", goal: atLeast(10), speed: true, grows: linear},
		{name: "generate-write", title: "generate to a file, beside the write alone", unit: "ms", against: "write(2) of as many of the same bytes", reach: atMost(1.25)},
		{name: "scan", title: "scan raw lines in memory, every field validated", unit: "ns/event", against: "the fastest general JSON parser for Go that was found",
			goal: atLeast(2), reach: atLeast(3), speed: true, grows: linear},
		{name: "convert", title: "JSONL to partitioned Parquet, zstd", unit: "ms", against: "DuckDB: read_json, COPY PARTITION_BY, zstd", goal: atLeast(2.5), reach: atLeast(4),
			from: million, speed: true, grows: linear},
		{name: "convert-rss", title: "memory of that conversion", unit: "MB", against: "DuckDB's for the same", goal: atMost(0.5), from: million},
		{name: "convert-files", title: "files of that conversion", unit: "files", against: "partitions", goal: atMost(1)},
	}
}

// ingestLines go from a socket to SQL.
func ingestLines() []line {
	return []line{
		{name: "ingest", title: "HTTP ingest, 1000 events a request, 2 clients, fsync before the answer", unit: "events/s", against: "the same bytes appended and fsynced, no HTTP, no parsing",
			goal: atLeast(0.5), reach: atLeast(0.7), from: million, grows: linear, growsFrom: million, small: "a small load ends before the first conversion begins"},
		{name: "ingest-cpu", title: "processor time from HTTP until visible and converted", unit: "ns/event", against: "the scan alone, the same events",
			goal: atMost(8), reach: atMost(5), from: million, grows: linear},
		{name: "visible", title: "acknowledged to visible in SQL, 50,000 events a second, p95", unit: "ms", goal: atMost(500), reach: atMost(150)},
		{name: "rival-rate", title: "acknowledged events, with fsync", unit: "events/s", against: "stated for a Go log store of high repute, without fsync: measured elsewhere", goal: atLeast(1.3), from: million},
		{name: "rival-cpu", title: "processor time a million events, until visible and converted", unit: "s", against: "stated for the same store (6.4 to 7.2): measured elsewhere", goal: atMost(0.35), from: million},
	}
}

// askingLines are questions.
func askingLines() []line {
	return []line{
		{name: "p95-list", title: "p95 of a service and day, catalog list", unit: "ms", against: "one unpartitioned file, same engine", goal: atMost(0.35), reach: atMost(0.2), from: million, grows: linear, each: true},
		{name: "p95-guided", title: "the same through the engine, guided by the histogram", unit: "ms", against: "one unpartitioned file, quantile_cont", goal: atMost(0.15), from: million, grows: linear, each: true},
		{name: "p95-floor", title: "the same beside its floor", unit: "ms", against: "the column's bytes alone, read from the files", reach: atMost(3)},
		{name: "error-rate", title: "error rate by endpoint of a service and day", unit: "ms", against: "one unpartitioned file, same engine", goal: atMost(0.3), reach: atMost(0.15), from: million, grows: linear, each: true},
		{name: "dashboard", title: "the dashboard's questions, 24 h by minute", unit: "ms", against: "the same over events, same engine", goal: atLeast(20), reach: atLeast(50), from: tenMillions, speed: true, grows: flat,
			growsFrom: million, small: "a small lake has not an event for every cell of a minute and a service, and so has fewer cells"},
		{name: "whole-lake", title: "the five questions over the whole lake", unit: "ms", against: "one DuckDB over the same Parquet by glob", goal: atMost(0.5), reach: atMost(0.1), from: tenMillions, grows: linear},
	}
}

// boundLines have no reference: their bounds are about ours alone.
func boundLines() []line {
	return []line{
		{name: "open", title: "open a lake of 60,000 files", unit: "ms", goal: atMost(1000), reach: atMost(300)},
		{name: "plan", title: "plan a pruned query on it", unit: "ms", goal: atMost(5), reach: atMost(2)},
		{name: "rss-convert", title: "memory to convert", unit: "MB", goal: atMost(350), reach: atMost(200)},
		{name: "rss-serve", title: "memory to serve at full load", unit: "MB", goal: atMost(350), reach: atMost(200)},
		{name: "rss-console", title: "memory of the console", unit: "MB", goal: atMost(350), reach: atMost(200)},
	}
}

// at is the line with the goal that it has for so many events.
func (l line) at(events int64) line {
	if l.name == "p95-guided" && events >= tenMillions {
		l.goal = atMost(0.1)
	}
	return l
}

// Names are the names of all lines, in the order of the report.
func Names() []string {
	var names []string
	for _, l := range lines() {
		names = append(names, l.name)
	}
	return names
}
