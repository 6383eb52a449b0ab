package format

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
)

// parseAll detects the format of data as an import would and parses every line.
func parseAll(t *testing.T, data []byte, cfg Config) (d Detection, events []lake.Event, refused []error) {
	t.Helper()
	d, err := Detect(data[:min(len(data), 64<<10)], cfg)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewParser(cfg, d)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var e lake.Event
		if _, err := p.Parse(line, testNow, &e); err != nil {
			refused = append(refused, err)
		} else {
			events = append(events, e)
		}
	}
	return d, events, refused
}

// sums are what a sample's events come to. The numbers to hold them against were counted without this package.
type sums struct {
	lines, refused                int
	statuses                      map[int32]int
	methods                       map[string]int
	latencies, instant            int     // lines with a latency, and those of 0 ms
	totalMS, maxMS                float64 // of the latencies
	queries, referers, requestIDs int
	endpoints                     int // different ones
	sizes                         int // lines with a size
	first, last                   string
}

func sumsOf(events []lake.Event, refused []error) sums {
	s := sums{lines: len(events) + len(refused), refused: len(refused), statuses: map[int32]int{}, methods: map[string]int{}}
	endpoints := map[string]bool{}
	first, last := events[0].Timestamp, events[0].Timestamp
	for i := range events {
		e := &events[i]
		s.statuses[e.StatusCode]++
		s.methods[e.Method]++
		endpoints[e.Endpoint] = true
		first, last = min(first, e.Timestamp), max(last, e.Timestamp)
		if e.HasLatency {
			s.latencies++
			s.totalMS += e.LatencyMS
			s.maxMS = max(s.maxMS, e.LatencyMS)
			if e.LatencyMS == 0 {
				s.instant++
			}
		}
		if len(e.RequestID) == 32 {
			s.requestIDs++
		}
		for key, n := range map[string]*int{`"query":`: &s.queries, `"http_referer":`: &s.referers, `"body_bytes_sent":`: &s.sizes} {
			if strings.Contains(e.Attributes, key) {
				*n++
			}
		}
	}
	s.endpoints = len(endpoints)
	s.first, s.last = first.Time().Format("2006-01-02 15:04:05"), last.Time().Format("2006-01-02 15:04:05")
	return s
}

func TestNginxSample(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "nginx_timed.log"))
	if err != nil {
		t.Fatal(err)
	}
	checkSample(t, "nginx_timed", data, "nginx/Apache combined with key=value tail", sums{lines: 357,
		statuses: map[int32]int{200: 217, 301: 34, 403: 30, 404: 31, 502: 15, 503: 30}, methods: map[string]int{"GET": 326, "POST": 31},
		latencies: 357, instant: 226, totalMS: 3686, maxMS: 885, queries: 62, referers: 28, requestIDs: 357, endpoints: 13, sizes: 357,
		first: "2026-11-21 06:33:10", last: "2026-11-21 06:33:25"})
}

func TestWholeSamples(t *testing.T) {
	checkSample(t, "nginx_timed", shared(t, "nginx_timed.log"), "nginx/Apache combined with key=value tail", sums{lines: 13899,
		statuses: map[int32]int{200: 8522, 301: 1197, 403: 1194, 404: 1195, 502: 597, 503: 1194}, methods: map[string]int{"GET": 12704, "POST": 1195},
		latencies: 13899, instant: 8769, totalMS: 147232, maxMS: 887, queries: 2390, referers: 1193, requestIDs: 13899, endpoints: 13, sizes: 13899,
		first: "2026-11-21 06:33:10", last: "2026-11-21 06:33:25"})
	checkSample(t, "apache_combined", shared(t, "apache_combined.log"), "nginx/Apache combined", sums{lines: 10000,
		statuses: map[int32]int{200: 9126, 206: 45, 301: 164, 304: 445, 403: 2, 404: 213, 416: 2, 500: 3},
		methods:  map[string]int{"GET": 9952, "HEAD": 42, "POST": 5, "OPTIONS": 1}, queries: 1258, referers: 5927, endpoints: 1368, sizes: 9331,
		first: "2015-05-17 10:05:00", last: "2015-05-20 21:05:59"})
}

// shared reads one of the samples that stand beside the tree and not in it.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	for _, up := range []string{"../../../shared/data", "../../../../shared/data"} {
		if data, err := os.ReadFile(filepath.Join(up, name)); err == nil {
			return data
		}
	}
	t.Skipf("SKIP: ../shared/data/%s is not on this machine", name)
	return nil
}

func checkSample(t *testing.T, name string, data []byte, title string, want sums) {
	t.Helper()
	d, events, refused := parseAll(t, data, Config{Service: name})
	for _, err := range refused {
		t.Errorf("%s: %v", name, err)
	}
	if d.Title != title || d.Matched != d.Lines {
		t.Errorf("%s: %q, %d of %d lines", name, d.Title, d.Matched, d.Lines)
	}
	if len(events)+len(refused) != bytes.Count(data, []byte("\n")) {
		t.Errorf("%s: %d events and %d refused lines of %d", name, len(events), len(refused), bytes.Count(data, []byte("\n")))
	}
	got := sumsOf(events, refused)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s\ngot  %+v\nwant %+v", name, got, want)
	}
	var back lake.Event
	for i := range events {
		events[i].GivenID = false // a line does not tell
		if err := new(lake.Scanner).Scan(events[i].AppendLine(nil), &back); err != nil || back != events[i] {
			t.Fatalf("%s: event %d does not come back from its line: %v", name, i, err)
		}
	}
}
