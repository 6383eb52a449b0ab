package duck

import (
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
