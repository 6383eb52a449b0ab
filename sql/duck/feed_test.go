package duck

import (
	"fmt"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// BenchmarkFeed reads a tail of 200,000 events in: scan, hot rows and minute cells.
func BenchmarkFeed(b *testing.B) {
	dir := b.TempDir()
	l, err := lake.Open(b.Context(), lake.Config{Dir: dir, ConvertAge: -1, ConvertBytes: 1 << 40})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	const events = 200_000
	generateInto(b, l, events, 1)
	var spent time.Duration
	for b.Loop() {
		started := time.Now()
		e, err := Open(b.Context(), Config{Lake: l})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.WaitLoaded(b.Context()); err != nil {
			b.Fatal(err)
		}
		spent += time.Since(started)
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(events*b.N)/spent.Seconds(), "events/s")
}

// BenchmarkPanelsFeed counts 200,000 events of ten minutes in the panels' minutes while they come in. What it costs to append them is taken off.
func BenchmarkPanelsFeed(b *testing.B) {
	const events = 200_000
	start := lake.MicrosOf(time.Date(2026, 11, 14, 0, 0, 0, 0, time.UTC))
	var batches []lake.Batch
	for i := range events {
		if i%1000 == 0 {
			batches = append(batches, lake.Batch{})
		}
		e := lake.Event{EventID: fmt.Sprintf("event-%d", i), Timestamp: start + lake.Micros(i)*3000, ReceivedAt: start, ServiceName: fmt.Sprintf("service-%d", i%6), Endpoint: fmt.Sprintf("/api/v1/things/%d", i/7%26),
			Region: fmt.Sprintf("region-%d", i/11%5), Method: "GET", Level: "info", Host: "host-1", Message: "a thing was done", StatusCode: int32(200 + i%50/49*300), LatencyMS: float64(i%977) / 4, HasLatency: true}
		batch := &batches[len(batches)-1]
		batch.Lines, batch.N = e.AppendLine(batch.Lines), batch.N+1
	}
	minutes := func(l *lake.Lake) {
		for _, batch := range batches {
			if _, err := l.Append(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	var alone, counted time.Duration
	for b.Loop() {
		bare, err := lake.Open(b.Context(), lake.Config{Dir: b.TempDir(), ConvertAge: -1, ConvertBytes: 1 << 40})
		if err != nil {
			b.Fatal(err)
		}
		before := cpuTime(b)
		minutes(bare)
		alone += cpuTime(b) - before
		if err := bare.Close(); err != nil {
			b.Fatal(err)
		}
		l, e := openBoth(b, b.TempDir())
		if _, err := e.Extent(b.Context()); err != nil {
			b.Fatal(err)
		}
		forget(b, e)
		before = cpuTime(b)
		minutes(l)
		until(b, "all is counted", func() bool { return e.Freshness().Uncounted == 0 })
		counted += cpuTime(b) - before
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((counted-alone).Nanoseconds())/events/float64(b.N), "cpu-ns/event")
}
