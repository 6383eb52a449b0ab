package lake_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/signallake/signallake/lake/rollup"
)

// mustCountCells compares the lake's cells with those of the events that were sent.
func mustCountCells(t *testing.T, c *convertLake) {
	t.Helper()
	want := rollup.New()
	for _, e := range c.sent {
		want.Add(int64(e.Timestamp), e.ServiceName, e.Endpoint, e.Region, e.StatusCode, e.LatencyMS, e.HasLatency)
	}
	got := c.cells(t)
	if got.Events() != want.Events() || len(got.Services()) != len(want.Services()) || len(got.Endpoints()) != len(want.Endpoints()) {
		t.Fatalf("%d events in %d and %d cells, want %d in %d and %d", got.Events(), len(got.Services()), len(got.Endpoints()), want.Events(), len(want.Services()), len(want.Endpoints()))
	}
	for i, cell := range got.Services() {
		if other := want.Services()[i]; cell.Classes != other.Classes || cell.Service != other.Service ||
			cell.Latency.Count() != other.Latency.Count() || fmt.Sprint(cell.Latency.Quantile(0.95)) != fmt.Sprint(other.Latency.Quantile(0.95)) {
			t.Errorf("cell %d: %+v, want %+v", i, cell, other)
		}
	}
}

// convertAtOnce runs several conversions at the same time.
func (c *convertLake) convertAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := c.Convert(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// flipBit damages a file, or takes that back.
func flipBit(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[1000] ^= 1
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
