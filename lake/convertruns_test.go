package lake_test

import (
	"math/rand/v2"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/rollup"
)

// TestRunsHandTheirMemoryOn converts in many runs, each of other events, services and texts, with what the one before used.
func TestRunsHandTheirMemoryOn(t *testing.T) {
	dir := t.TempDir()
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ConvertAge: -1, SegmentBytes: 64 << 10, Now: fixedNow, Owner: lake.Owner{Command: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	l.ConvertInRunsOf(600 << 10)
	c := &convertLake{Lake: l, dir: dir, random: rand.New(rand.NewPCG(4, 4)), sent: map[lake.Seq]lake.Event{}}
	for i := range 12 {
		c.narrow = i%3 == 1 // and then there are more partitions than before
		c.append(t, 100+900*(i%4), 1+i%5)
	}
	result := c.convert(t)
	if result.Commits < 4 || result.Events != int64(len(c.sent)) {
		t.Fatalf("%+v of %d events", result, len(c.sent))
	}
	mustCheck(t, c)
	want := rollup.New()
	for _, e := range c.sent {
		want.Add(int64(e.Timestamp), e.ServiceName, e.Endpoint, e.Region, e.StatusCode, e.LatencyMS, e.HasLatency)
	}
	got := c.cells(t)
	if got.Events() != want.Events() || len(got.Services()) != len(want.Services()) || len(got.Endpoints()) != len(want.Endpoints()) {
		t.Fatalf("%d events in %d and %d cells, want %d in %d and %d", got.Events(), len(got.Services()), len(got.Endpoints()), want.Events(), len(want.Services()), len(want.Endpoints()))
	}
	for i, cell := range got.Services() {
		if other := want.Services()[i]; cell.Classes != other.Classes || cell.Service != other.Service || cell.Latency.Count() != other.Latency.Count() {
			t.Errorf("cell %d: %+v, want %+v", i, cell, other)
		}
	}
}
