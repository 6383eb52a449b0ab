package lake

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestTwinInSmallWindows merges through many windows, some of which cannot hold the events of one instant.
func TestTwinInSmallWindows(t *testing.T) {
	l := openOwner(t, t.TempDir())
	const events = 3000
	for part := range 3 { // a file a partition each
		var b Batch
		for i := range events / 3 {
			at := Micros(i * 7919 % 1000)
			if i%3 == 0 {
				at = 500 // a third of all events is of one instant
			}
			e := Event{EventID: fmt.Sprint(part, "-", i), Timestamp: 20_000*microsPerDay + at*1000, ReceivedAt: 1, ServiceName: fmt.Sprint("s", i%3), Region: "eu", Level: "info"}
			b.Lines = e.AppendLine(b.Lines)
			b.N++
		}
		if _, err := l.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Convert(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "twin.parquet")
	file, err := OSDisk{}.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := newTwinWriter(l.layout, file, nil)
	w.rows = 50
	entry, err := w.writeAll(t.Context(), l.Current())
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	type row struct {
		Timestamp int64  `parquet:"timestamp"`
		EventID   string `parquet:"event_id"`
		Service   string `parquet:"service_name"`
	}
	rows, err := parquet.ReadFile[row](path)
	if err != nil || len(rows) != events || entry.Rows != events {
		t.Fatalf("%d rows, the entry says %d: %v", len(rows), entry.Rows, err)
	}
	seen := map[string]bool{}
	for i, r := range rows {
		if seen[r.EventID] || i > 0 && rows[i-1].Timestamp > r.Timestamp {
			t.Fatalf("row %d: %+v, seen before: %v", i, r, seen[r.EventID])
		}
		seen[r.EventID] = true
		var part, n int
		if _, err := fmt.Sscanf(r.EventID, "%d-%d", &part, &n); err != nil || r.Service != fmt.Sprint("s", n%3) {
			t.Fatalf("row %d: %+v, %v", i, r, err)
		}
	}
}
