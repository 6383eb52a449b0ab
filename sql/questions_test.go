package sql

import (
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

func TestQuestionsAreComplete(t *testing.T) {
	want := []string{"p95-latency", "error-rate", "slowest-endpoints", "5xx-by-region", "hourly-volume"}
	questions := Questions()
	if len(questions) != len(want) {
		t.Fatalf("%d questions, want %d", len(questions), len(want))
	}
	for i, q := range questions {
		if q.Name != want[i] || q.Title == "" || strings.Count(q.SQL, narrowing) != 1 || !strings.Contains(q.SQL, "ORDER BY") {
			t.Errorf("question %d: %+v", i, q)
		}
		if found, err := ByName(q.Name); err != nil || found != q {
			t.Errorf("%s is not found: %v", q.Name, err)
		}
	}
	_, err := ByName("nothing")
	if err == nil || !strings.Contains(err.Error(), "nothing") || !strings.Contains(err.Error(), "hourly-volume") {
		t.Errorf("unknown name: %v", err)
	}
}

func TestStatementNarrows(t *testing.T) {
	q, err := ByName("p95-latency")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) lake.Micros {
		when, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return lake.MicrosOf(when)
	}
	text, err := q.Statement(Params{From: at("2026-11-20T23:30:00.000001+01:00"), To: at("2026-11-22T00:00:00Z"), Service: "O'Brien", Limit: 5})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"event_date >= DATE '2026-11-20'", "timestamp >= TIMESTAMP '2026-11-20 22:30:00.000001'", "event_date <= DATE '2026-11-21'", "timestamp < TIMESTAMP '2026-11-22 00:00:00.000000'", "service_name = 'o''brien'", "\nLIMIT 5"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
	if strings.Contains(text, narrowing) {
		t.Errorf("the marker stayed:\n%s", text)
	}
	plain, err := q.Statement(Params{})
	if err != nil || strings.Contains(plain, "AND") || strings.Contains(plain, "LIMIT") {
		t.Errorf("nothing to narrow: %v\n%s", err, plain)
	}
	for _, p := range []Params{{Service: "a\x00b"}, {From: 5, To: 5}, {Limit: -1}} {
		if text, err := q.Statement(p); err == nil {
			t.Errorf("%+v gave\n%s", p, text)
		}
	}
}

func TestAthenaUSD(t *testing.T) {
	for bytes, want := range map[int64]float64{0: 0, -1: 0, 1: 5.0 * 10 / (1 << 20), 10 << 20: 5.0 * 10 / (1 << 20), 10<<20 + 1: 5.0 * 11 / (1 << 20), 1 << 40: 5} {
		if got := AthenaUSD(bytes); got != want {
			t.Errorf("%d bytes cost %v, want %v", bytes, got, want)
		}
	}
}
