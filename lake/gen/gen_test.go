package gen

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// testEnd is a Saturday morning: 2026-11-21T08:00:00Z.
const testEnd lake.Micros = 1_795_248_000_000_000

func mustNew(t testing.TB, cfg Config) *Generator {
	t.Helper()
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// run makes all lines.
func run(t testing.TB, cfg Config, workers int) []byte {
	t.Helper()
	var out bytes.Buffer
	out.Grow(int(cfg.Count) * 500)
	n := int64(0)
	err := mustNew(t, cfg).Run(t.Context(), workers, func(b lake.Batch) error {
		if got := bytes.Count(b.Lines, []byte{'\n'}); got != b.N {
			t.Errorf("a batch says %d lines and has %d", b.N, got)
		}
		n += int64(b.N)
		out.Write(b.Lines)
		return nil
	})
	if err != nil || n != cfg.Count {
		t.Fatalf("%d events, %v; want %d", n, err, cfg.Count)
	}
	return out.Bytes()
}

// scan reads all lines.
func scan(t testing.TB, lines []byte, fn func(e *lake.Event)) {
	t.Helper()
	var s lake.Scanner
	var e lake.Event
	for len(lines) > 0 {
		end := bytes.IndexByte(lines, '\n') + 1
		if err := s.Scan(lines[:end], &e); err != nil {
			t.Fatalf("%s: %v", lines[:end], err)
		}
		fn(&e)
		lines = lines[end:]
	}
}

func TestSameBytesOnAnyNumberOfGoroutines(t *testing.T) {
	for _, count := range []int64{0, 1, 1023, 1024, 1025, 2048, 50_001} {
		cfg := Config{Seed: 7, Count: count, End: testEnd}
		want := run(t, cfg, 1)
		for _, workers := range []int{2, 5, 0} {
			if got := run(t, cfg, workers); !bytes.Equal(got, want) {
				t.Errorf("%d events on %d goroutines differ from one", count, workers)
			}
		}
	}
}

func TestSeedsAndWindowsDiffer(t *testing.T) {
	cfg := Config{Seed: 1, Count: 3000, End: testEnd}
	seen := map[[32]byte]bool{}
	other := cfg
	other.Seed = 2
	later := cfg
	later.End += microsPerMinute
	for _, c := range []Config{cfg, other, later} {
		seen[sha256.Sum256(run(t, c, 1))] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d different outputs of 3", len(seen))
	}
	fromStart := cfg
	fromStart.Start, fromStart.End = testEnd-4*microsPerDay, 0
	if !bytes.Equal(run(t, cfg, 1), run(t, fromStart, 1)) {
		t.Error("the same window by its start differs from that by its end")
	}
}

func TestLinesKeepTheContract(t *testing.T) {
	for seed := range uint64(3) {
		cfg := Config{Seed: seed, Count: 30_000, Services: maxServices, End: testEnd}
		lines := run(t, cfg, 2)
		start, end := mustNew(t, cfg).Window()
		ids := map[string]bool{}
		last := start
		var line []byte
		rest := lines
		allocs := testing.AllocsPerRun(3, func() { // a line off the fast path would allocate, each time; the runtime may, once
			var s lake.Scanner
			var e lake.Event
			for p := lines; len(p) > 0; {
				end := bytes.IndexByte(p, '\n') + 1
				if s.Scan(p[:end], &e) != nil {
					panic("not scanned")
				}
				p = p[end:]
			}
		})
		if allocs > 0 {
			t.Errorf("scanning allocated %v times: some line is not canonical", allocs)
		}
		scan(t, lines, func(e *lake.Event) {
			n := bytes.IndexByte(rest, '\n') + 1
			line, rest = rest[:n], rest[n:]
			if again := e.AppendLine(nil); !bytes.Equal(again, line) {
				t.Fatalf("not canonical:\n%s%s", line, again)
			}
			if e.Timestamp < last || e.Timestamp >= end {
				t.Fatalf("%s: out of order or window", line)
			}
			last = e.Timestamp
			if ids[e.EventID] || len(e.EventID) != 36 || e.EventID[14] != '7' || !strings.Contains("89ab", e.EventID[19:20]) {
				t.Fatalf("%s: id", line)
			}
			ids[e.EventID] = true
			var parsed lake.Event
			object := bytes.Replace(line, []byte(`"received_at":"2026-11-21T08:00:00.000000Z",`), nil, 1)
			duplicates, err := (lake.Contract{}).Parse(object, testEnd, &parsed)
			parsed.GivenID = false // a line does not tell
			if err != nil || duplicates != 0 || parsed != *e {
				t.Fatalf("%s: %v\n%+v\n%+v", line, err, parsed, *e)
			}
		})
	}
}

func TestIDsAreUniqueBetweenSeeds(t *testing.T) {
	ids := map[string]bool{}
	n := 0
	for seed := range uint64(20) {
		scan(t, run(t, Config{Seed: seed, Count: 5000, Days: 1, End: testEnd}, 1), func(e *lake.Event) {
			n++
			ids[string(append([]byte(nil), e.EventID...))] = true
		})
	}
	if len(ids) != n {
		t.Errorf("%d ids for %d events", len(ids), n)
	}
}

func quantile(values []float64, q float64) float64 {
	sort.Float64s(values)
	return values[int(q*float64(len(values)-1))]
}

// TestIncidentsAreFindable compares an incident's service and region with its other regions at the same time and with itself beside it.
func TestIncidentsAreFindable(t *testing.T) {
	for seed := range uint64(2) {
		cfg := Config{Seed: seed, Count: 300_000, Days: 2, End: testEnd}
		g := mustNew(t, cfg)
		incidents := g.Incidents()
		if len(incidents) < 2 || len(incidents) > 3 {
			t.Fatalf("seed %d: %d incidents in two days", seed, len(incidents))
		}
		type side struct {
			latency   []float64
			n, failed int
		}
		sides := make([][3]side, len(incidents)) // inside, other regions, same region before and after
		scan(t, run(t, cfg, 2), func(e *lake.Event) {
			for k, in := range incidents {
				if e.ServiceName != in.Service || e.Timestamp < in.From-2*60*microsPerMinute || e.Timestamp >= in.To+2*60*microsPerMinute {
					continue
				}
				s := &sides[k][2]
				during := e.Timestamp >= in.From && e.Timestamp < in.To
				switch {
				case during && e.Region == in.Region:
					s = &sides[k][0]
				case during:
					s = &sides[k][1]
				case e.Region != in.Region:
					continue
				}
				s.n++
				s.latency = append(s.latency, e.LatencyMS)
				if e.StatusCode >= 500 {
					s.failed++
				}
			}
		})
		for k, in := range incidents {
			if d := time.Duration(in.To-in.From) * time.Microsecond; d < 20*time.Minute || d > time.Hour || lake.DateOf(in.From) != lake.DateOf(in.To-1) {
				t.Errorf("seed %d: incident %+v", seed, in)
			}
			inside := &sides[k][0]
			for _, outside := range sides[k][1:] {
				p95, p95Out := quantile(inside.latency, 0.95), quantile(outside.latency, 0.95)
				rate, rateOut := float64(inside.failed)/float64(inside.n), float64(outside.failed)/float64(outside.n)
				if p95 < 3*p95Out || rate < 3*rateOut {
					t.Errorf("seed %d, %s %s (%d events): p95 %.1f beside %.1f ms, errors %.3f beside %.3f", seed, in.Service, in.Region, inside.n, p95, p95Out, rate, rateOut)
				}
			}
		}
	}
}

func TestRhythmAndVariety(t *testing.T) {
	cfg := Config{Seed: 3, Count: 200_000, Days: 7, End: testEnd}
	var byHour [24]int
	services, statuses, levels, regions := map[string]int{}, map[int32]int{}, map[string]int{}, map[string]int{}
	var median []float64
	scan(t, run(t, cfg, 2), func(e *lake.Event) {
		byHour[e.Timestamp.Time().Hour()]++
		services[e.ServiceName]++
		statuses[e.StatusCode]++
		levels[e.Level]++
		regions[e.Region]++
		if e.ServiceName == "auth" && e.Endpoint == "/api/session" && e.Region == "eu-west-1" && e.StatusCode == 200 {
			median = append(median, e.LatencyMS)
		}
		if e.StatusCode == 504 && !strings.Contains(e.Message, strconv.Itoa(int(e.LatencyMS))) {
			t.Fatalf("%q after %v ms", e.Message, e.LatencyMS)
		}
		if e.StatusCode >= 400 && e.Message == "" || e.TraceID == "" || e.SpanID == "" || e.RequestID == "" || e.Host == "" {
			t.Fatalf("%+v lacks something", e)
		}
	})
	if byHour[12] < 3*byHour[3] {
		t.Errorf("noon has %d events, three at night %d", byHour[12], byHour[3])
	}
	if len(services) != 8 || len(regions) != 5 || len(statuses) != len(statusCodes()) || len(levels) != 3 {
		t.Errorf("%v %v %v %v", services, statuses, levels, regions)
	}
	if m := quantile(median, 0.5); math.Abs(m-6) > 0.3 {
		t.Errorf("the median of an endpoint of 6 ms is %.2f ms", m)
	}
}

func TestConfigIsChecked(t *testing.T) {
	check := func(ok bool, cfg Config) {
		t.Helper()
		if _, err := New(cfg); (err == nil) != ok {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	check(true, Config{End: testEnd})
	check(true, Config{Start: testEnd, Days: maxDays, Services: maxServices, Count: 1})
	check(false, Config{})
	check(false, Config{End: testEnd, Count: -1})
	check(false, Config{End: testEnd, Days: -1})
	check(false, Config{End: testEnd, Days: maxDays + 1})
	check(false, Config{End: testEnd, Services: maxServices + 1})
	if len(services()) != maxServices {
		t.Errorf("maxServices is %d of %d", maxServices, len(services()))
	}
}

func TestLongWindow(t *testing.T) {
	lines := run(t, Config{Start: -30 * 365 * microsPerDay, Days: maxDays, Count: 5000}, 2) // from 1940 on
	var last lake.Micros = math.MinInt64
	scan(t, lines, func(e *lake.Event) {
		if e.Timestamp < last {
			t.Fatal("out of order")
		}
		last = e.Timestamp
	})
}

func TestRunEndsEarly(t *testing.T) {
	g := mustNew(t, Config{Count: 1_000_000, End: testEnd})
	ctx, cancel := context.WithCancel(t.Context())
	batches := 0
	err := g.Run(ctx, 3, func(lake.Batch) error {
		if batches++; batches == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || batches != 3 {
		t.Errorf("cancelled: %v after %d batches", err, batches)
	}
	full := errors.New("disk full")
	if err := g.Run(t.Context(), 3, func(lake.Batch) error { return full }); err != full {
		t.Errorf("a sink's error: %v", err)
	}
}

// wire is an event for encoding/json, in the order of the canonical line.
type wire struct {
	EventID    string          `json:"event_id"`
	Timestamp  string          `json:"timestamp"`
	ReceivedAt string          `json:"received_at"`
	Service    string          `json:"service_name"`
	Endpoint   string          `json:"endpoint,omitempty"`
	Method     string          `json:"method,omitempty"`
	Status     int32           `json:"status_code"`
	LatencyMS  float64         `json:"latency_ms"`
	Region     string          `json:"region,omitempty"`
	Host       string          `json:"host,omitempty"`
	Level      string          `json:"level,omitempty"`
	Message    string          `json:"message,omitempty"`
	RequestID  string          `json:"request_id,omitempty"`
	TraceID    string          `json:"trace_id,omitempty"`
	SpanID     string          `json:"span_id,omitempty"`
	Attributes json.RawMessage `json:"attributes,omitempty"`
}

func encodeAll(w io.Writer, events []wire) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range events {
		if err := enc.Encode(&events[i]); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkGenerate makes 100,000 events a round: ours on one and two goroutines, thrown away and into a file; the same events, held in
// memory, through an encoding/json encoder; and the same bytes in one write.
func BenchmarkGenerate(b *testing.B) {
	const count = 100_000
	cfg := Config{Seed: 1, Count: count, End: testEnd}
	g := mustNew(b, cfg)
	lines := run(b, cfg, 2)
	file, err := os.Create(filepath.Join(b.TempDir(), "events.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	bench := func(name string, fn func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(lines)))
			for b.Loop() {
				if _, err := file.Seek(0, io.SeekStart); err != nil {
					b.Fatal(err)
				}
				if err := file.Truncate(0); err != nil {
					b.Fatal(err)
				}
				if err := fn(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/event")
		})
	}
	discard := func(workers int) func() error {
		return func() error { return g.Run(b.Context(), workers, func(lake.Batch) error { return nil }) }
	}
	fill := func(workers int) func() error {
		return func() error { _, err := g.Fill(b.Context(), workers, file); return err }
	}
	bench("discard-1", discard(1))
	bench("discard-2", discard(2))
	bench("file-1", fill(1))
	bench("file-2", fill(2))
	var events []wire
	scan(b, lines, func(e *lake.Event) {
		const layout = "2006-01-02T15:04:05.000000Z"
		events = append(events, wire{e.EventID, e.Timestamp.Time().Format(layout), e.ReceivedAt.Time().Format(layout), e.ServiceName, e.Endpoint, e.Method,
			e.StatusCode, e.LatencyMS, e.Region, e.Host, e.Level, e.Message, e.RequestID, e.TraceID, e.SpanID, json.RawMessage(e.Attributes)})
	})
	encode := func(w io.Writer) error { return encodeAll(w, events) }
	var same bytes.Buffer
	if encode(&same) != nil || !bytes.Equal(same.Bytes(), lines) {
		b.Fatal("encoding/json writes other bytes")
	}
	bench("encoding-json-file", func() error { return encode(file) })
	bench("plain-write-file", func() error {
		for p := lines; len(p) > 0; {
			n := min(len(p), 1<<20)
			if _, err := file.Write(p[:n]); err != nil {
				return err
			}
			p = p[n:]
		}
		return nil
	})
}
