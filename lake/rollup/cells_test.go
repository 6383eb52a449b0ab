package rollup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
)

type event struct {
	ts                        int64
	service, endpoint, region string
	status                    int32
	ms                        float64
	has                       bool
}

func events(seed uint64, n int) []event {
	r := rand.New(rand.NewPCG(seed, 9))
	out := make([]event, n)
	for i := range out {
		out[i] = event{
			ts:      r.Int64N(5*microsPerMinute) - 2*microsPerMinute, // around 1970, so that negative minutes are among them
			service: fmt.Sprintf("svc-%d", r.IntN(3)), endpoint: []string{"/a", "/b", ""}[r.IntN(3)], region: fmt.Sprintf("r%d", r.IntN(3)),
			status: []int32{0, 100, 200, 204, 301, 404, 500, 503, 599}[r.IntN(9)], ms: math.Round(math.Exp(r.NormFloat64()+2)*1000) / 1000, has: r.IntN(10) > 0,
		}
		if !out[i].has {
			out[i].ms = 0
		}
	}
	return out
}

func add(c *Cells, e event) { c.Add(e.ts, e.service, e.endpoint, e.region, e.status, e.ms, e.has) }

// dump writes everything that cells say, for comparison; sums are rounded, as their last digits depend on the order of addition.
func dump(c *Cells) []string {
	var out []string
	for _, s := range c.Services() {
		b, n := s.Latency.Buckets()
		raw := slices.Sorted(slices.Values(s.Latency.Raw()))
		out = append(out, fmt.Sprint(s.Minute, s.Service, s.Classes, fmt.Sprintf("%.6f %v", s.LatencySum, s.LatencyMax), b, n, raw, s.Latency.Quantile(0.95)))
	}
	for _, e := range c.Endpoints() {
		b, n := e.Latency.Buckets()
		out = append(out, fmt.Sprint(e.Minute, e.Service(), e.Endpoint(), e.Region(), e.Classes, fmt.Sprintf("%.6f %v", e.LatencySum, e.LatencyMax), b, n, e.Latency.Quantile(0.95)))
	}
	return out
}

func same(t *testing.T, what string, got, want *Cells) {
	t.Helper()
	g, w := dump(got), dump(want)
	if len(g) != len(w) {
		t.Fatalf("%s: %d cells, want %d", what, len(g), len(w))
	}
	for i := range g {
		if g[i] != w[i] {
			t.Fatalf("%s: cell %d\n got %s\nwant %s", what, i, g[i], w[i])
		}
	}
}

func TestCellsCountWhatWasAdded(t *testing.T) {
	c := New()
	list := events(1, 20_000)
	type key struct {
		minute            int64
		service, ep, area string
	}
	perService, perEndpoint := map[key][]event{}, map[key][]event{}
	for _, e := range list {
		add(c, e)
		m := int64(math.Floor(float64(e.ts)/microsPerMinute)) * microsPerMinute
		perService[key{m, e.service, "", ""}] = append(perService[key{m, e.service, "", ""}], e)
		perEndpoint[key{m, e.service, e.endpoint, e.region}] = append(perEndpoint[key{m, e.service, e.endpoint, e.region}], e)
	}
	check := func(where string, c *Counts, list []event) {
		t.Helper()
		var want Counts
		for _, e := range list {
			want.Classes[e.status/100]++
			want.LatencySum += e.ms
			want.LatencyMax = max(want.LatencyMax, e.ms)
		}
		if c.Classes != want.Classes || c.LatencyMax != want.LatencyMax || math.Abs(c.LatencySum-want.LatencySum) > 1e-6 {
			t.Errorf("%s: %+v, want %+v", where, c, want)
		}
		if c.Events() != int64(len(list)) || c.HTTP() != c.Events()-int64(c.Classes[0]) || c.Errors() != int64(want.Classes[5]) || c.ClientErrors() != int64(want.Classes[4]) {
			t.Errorf("%s: derived counts are wrong: %+v", where, c)
		}
	}
	if len(c.Services()) != len(perService) || len(c.Endpoints()) != len(perEndpoint) {
		t.Fatalf("%d and %d cells, want %d and %d", len(c.Services()), len(c.Endpoints()), len(perService), len(perEndpoint))
	}
	for _, s := range c.Services() {
		check(s.Service, &s.Counts, perService[key{s.Minute, s.Service, "", ""}])
	}
	for _, e := range c.Endpoints() {
		check(e.Endpoint(), &e.Counts, perEndpoint[key{e.Minute, e.Service(), e.Endpoint(), e.Region()}])
	}
	if c.Events() != int64(len(list)) {
		t.Errorf("%d events, want %d", c.Events(), len(list))
	}
}

func TestMergeOfASplitStreamIsTheWhole(t *testing.T) {
	for seed := range uint64(20) {
		list := events(seed, int(100*seed*seed)+10)
		whole := New()
		parts := []*Cells{New(), New(), New()}
		for i, e := range list {
			add(whole, e)
			add(parts[(i*7+int(seed))%3], e)
		}
		merged := New()
		for _, p := range parts {
			merged.Merge(p)
		}
		same(t, "merged", merged, whole)
	}
}

func TestHoursSumMinutesUp(t *testing.T) {
	c, want := New(), newCells(60*microsPerMinute)
	for _, e := range events(2, 5000) {
		e.ts *= 40 // hours instead of minutes
		add(c, e)
		add(want, e)
	}
	same(t, "hours", c.Hours(), want)
}

// writeFile writes the cells as one file.
func writeFile(w io.Writer, c *Cells) error {
	file := NewWriter(w)
	file.Write(c)
	_, err := file.Close()
	return err
}

func TestFileRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 300, 30_000} {
		c := New()
		for _, e := range events(3, n) {
			add(c, e)
		}
		var file bytes.Buffer
		if err := writeFile(&file, c); err != nil {
			t.Fatal(err)
		}
		back := New()
		if err := Read(bytes.NewReader(file.Bytes()), int64(file.Len()), back); err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("%d events", n), back, c)
		if err := Read(bytes.NewReader(file.Bytes()), int64(file.Len()), back); err != nil { // a second file's cells are added
			t.Fatal(err)
		}
		if back.Events() != 2*int64(n) {
			t.Errorf("%d events after reading twice, want %d", back.Events(), 2*n)
		}
	}
}

func TestReadRefusesOtherFiles(t *testing.T) {
	write := func(options ...parquet.WriterOption) []byte {
		var b bytes.Buffer
		w := parquet.NewGenericWriter[row](&b, options...)
		if _, err := w.Write([]row{{Service: "a", Buckets: []int16{1}, Counts: []int32{1, 2}}}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	read := func(b []byte) error { return Read(bytes.NewReader(b), int64(len(b)), New()) }
	if err := read(write(parquet.KeyValueMetadata(formatKey, "2"))); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer format: %v", err)
	}
	if err := read(write()); err == nil {
		t.Error("a foreign Parquet file was accepted")
	}
	if err := read(write(parquet.KeyValueMetadata(formatKey, "1"))); err == nil {
		t.Error("lists of different length were accepted")
	}
	if err := read([]byte("PAR1 not really PAR1")); err == nil {
		t.Error("garbage was accepted")
	}
}

func TestHostileCardinalityIsCapped(t *testing.T) {
	c := New()
	for i := range 1000 {
		c.Add(0, "svc", fmt.Sprintf("/user/%d", i), "eu", 200, 1, true)
	}
	for i := range 1000 {
		c.Add(0, "svc", "/user/0", fmt.Sprintf("region-%d", i), 500, 1, true)
	}
	names, regions := map[string]int64{}, 0
	for _, e := range c.Endpoints() {
		names[e.Endpoint()] += e.Events()
		if e.Endpoint() == "/user/0" {
			regions++
		}
	}
	if len(names) != MaxEndpoints+1 || names[Other] != 1000-MaxEndpoints {
		t.Errorf("%d endpoints, %d events under %s", len(names), names[Other], Other)
	}
	if regions != MaxRegions+1 {
		t.Errorf("%d regions", regions)
	}
	if c.Events() != 2000 {
		t.Errorf("%d events", c.Events())
	}
	if len(c.regions) > MaxRegions+2 || len(c.endpoints) > MaxEndpoints+1 {
		t.Errorf("%d regions and %d endpoints are remembered", len(c.regions), len(c.endpoints))
	}
}

func BenchmarkCellsAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	list := make([]event, 1<<14)
	for i := range list {
		list[i] = event{service: fmt.Sprintf("service-%d", r.IntN(6)), endpoint: fmt.Sprintf("/api/v1/thing/%d", r.IntN(8)),
			region: fmt.Sprintf("region-%d", r.IntN(4)), status: 200, ms: math.Exp(r.NormFloat64() + 3), has: true}
	}
	c := New()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		e := list[i&(1<<14-1)]
		e.ts = int64(i) * 35_000 // 29 events a second: a day is 2.5 million
		add(c, e)
	}
}

func BenchmarkWrite(b *testing.B) {
	c := New()
	for i, e := range events(1, 500_000) {
		e.ts = int64(i) * 350_000
		add(c, e)
	}
	b.Logf("%d + %d cells", len(c.cells), len(c.spots))
	for b.Loop() {
		var file bytes.Buffer
		if err := writeFile(&file, c); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(file.Len())/float64(len(c.cells)+len(c.spots)), "bytes/cell")
	}
}
