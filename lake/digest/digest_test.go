package digest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// event is what a test remembers of one.
type event struct {
	ts               int64
	ms               float64
	endpoint, region uint32
}

func name(prefix string) func(int) string {
	return func(n int) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprintf("%s%02d", prefix, n)
	}
}

// columnsOf are events in small pieces, as a conversion gives them.
func columnsOf(events []event) []Columns {
	var out []Columns
	for part := range slices.Chunk(events, 20) {
		var c Columns
		for _, e := range part {
			c.Timestamps, c.Latencies = append(c.Timestamps, e.ts), append(c.Latencies, e.ms)
			c.Endpoints, c.Regions = append(c.Endpoints, e.endpoint), append(c.Regions, e.region)
		}
		out = append(out, c)
	}
	return out
}

func build(b *Builder, events []event) []byte { return buildColumns(b, nil, columnsOf(events)) }

func buildColumns(b *Builder, dst []byte, columns []Columns) []byte {
	b.Reset()
	for _, c := range columns {
		b.Add(c)
	}
	return b.Append(dst, name("/e"), name("r"))
}

// parse splits a digest the way a reader does.
func parse(tb testing.TB, b []byte) File {
	tb.Helper()
	t, err := ParseTrailer(b)
	if err != nil {
		tb.Fatal(err)
	}
	if t.Bytes() != int64(len(b)) {
		tb.Fatalf("%d bytes, the trailer says %d", len(b), t.Bytes())
	}
	d, err := Parse(b[t.Values:])
	if err != nil {
		tb.Fatal(err)
	}
	return File{d, bytes.NewReader(b[:t.Values])}
}

// latencyKinds are ways in which latencies come.
func latencyKinds(r *rand.Rand) map[string]func() float64 {
	normal := func() float64 { return math.Exp(r.NormFloat64()*1.5 + 4) }
	odd := []float64{0, math.Copysign(0, -1), 0.0001, 1e-7, 7.123456789, 0.0005, 0.1, 0.127, 0.128, 1e9, 3.2e10, 1e15, 1e300, math.MaxFloat64, 0.0635, 63.9999}
	return map[string]func() float64{
		"microseconds": func() float64 { return math.Round(normal()*1000) / 1000 },
		"nanoseconds":  func() float64 { return math.Round(normal()*1e6) / 1e6 },
		"floats":       normal,
		"constant":     func() float64 { return 12.5 },
		"tiny":         func() float64 { return float64(r.IntN(90)) / 1000 },
		"odd":          func() float64 { return odd[r.IntN(len(odd))] },
		"mixed": func() float64 {
			switch r.IntN(20) {
			case 0:
				return odd[r.IntN(len(odd))]
			case 1:
				return normal()
			case 2, 3:
				return math.NaN()
			}
			return math.Round(normal()*1000) / 1000
		},
		"none": math.NaN,
	}
}

func makeEvents(r *rand.Rand, n, endpoints int, latency func() float64) []event {
	events := make([]event, n)
	for i := range events {
		events[i] = event{r.Int64N(1 << 51), latency(), uint32(r.IntN(endpoints)), uint32(r.IntN(5))}
	}
	return events
}

// quantile is the definition: the sorted values, interpolated.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := float64(len(sorted)-1) * q
	part := at - math.Floor(at)
	lo, hi := sorted[int(math.Floor(at))], sorted[int(math.Ceil(at))]
	if math.Floor(at) == math.Ceil(at) {
		return lo
	}
	return float64(lo*(1-part)) + float64(hi*part)
}

func equal(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestCountsAndQuantilesAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var b Builder
	qs := []float64{0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1}
	kinds := latencyKinds(r)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) { // the same in every run
		latency := kinds[kind]
		for _, n := range append(slices.Repeat([]int{0, 1, 2, 3, 5, 8, 13}, 200), 300, 20_000) {
			s := NewSelection()
			whole, second := s.Group(qs...), s.Group(qs...)
			var all, one []float64
			for range 3 { // files
				events := makeEvents(r, n, 1+r.IntN(9), latency)
				f := parse(t, build(&b, events))
				checkCounts(t, f.Digest, events)
				for i, e := range f.Endpoints {
					s.Add(whole, f, i)
					if e.Name == "/e01" {
						s.Add(second, f, i)
					}
				}
				for _, e := range events {
					if !math.IsNaN(e.ms) {
						all = append(all, e.ms)
						if e.endpoint == 1 {
							one = append(one, e.ms)
						}
					}
				}
			}
			loose := makeEvents(r, n/10, 1, latency)
			for _, e := range loose {
				if !math.IsNaN(e.ms) {
					s.AddLoose(whole, []float64{e.ms})
					all = append(all, e.ms)
				}
			}
			if err := s.Run(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
			slices.Sort(all)
			slices.Sort(one)
			if s.Count(whole) != int64(len(all)) || s.Count(second) != int64(len(one)) {
				t.Errorf("%s: %d and %d latencies, want %d and %d", kind, s.Count(whole), s.Count(second), len(all), len(one))
			}
			for i, q := range qs {
				if got, want := s.Quantile(whole, i), quantile(all, q); !equal(got, want) {
					t.Errorf("%s, %d events: quantile %v is %v, want %v", kind, n, q, got, want)
				}
				if got, want := s.Quantile(second, i), quantile(one, q); !equal(got, want) {
					t.Errorf("%s, %d events: quantile %v of an endpoint is %v, want %v", kind, n, q, got, want)
				}
			}
		}
	}
}

func checkCounts(t *testing.T, d *Digest, events []event) {
	t.Helper()
	endpoints, regions, hours := map[string]int64{}, map[string]int64{}, [24]int64{}
	for _, e := range events {
		endpoints[name("/e")(int(e.endpoint))]++
		regions[name("r")(int(e.region))]++
		hours[e.ts/3_600_000_000%24]++
	}
	if d.Events != int64(len(events)) || len(d.Endpoints) != len(endpoints) || len(d.Regions) != len(regions) || d.Hours != hours {
		t.Fatalf("%d events, %d endpoints, %d regions, hours %v", d.Events, len(d.Endpoints), len(d.Regions), d.Hours)
	}
	for _, e := range d.Endpoints {
		if e.Events != endpoints[e.Name] {
			t.Errorf("endpoint %q: %d events, want %d", e.Name, e.Events, endpoints[e.Name])
		}
	}
	for _, c := range d.Regions {
		if c.Events != regions[c.Name] {
			t.Errorf("region %q: %d events, want %d", c.Name, c.Events, regions[c.Name])
		}
	}
}

func TestHourBefore1970(t *testing.T) {
	var b Builder
	f := parse(t, build(&b, []event{{ts: -1}, {ts: -3_600_000_000}, {ts: -3_600_000_001}, {ts: 0}}))
	if want := [24]int64{0: 1, 23: 2, 22: 1}; f.Hours != want {
		t.Errorf("%v, want %v", f.Hours, want)
	}
}

func TestNumbersOfOneNameAreOne(t *testing.T) {
	var b Builder
	b.Reset()
	for i := range 10 {
		b.Add(Columns{[]int64{0}, []float64{float64(i)}, []uint32{uint32(i)}, []uint32{uint32(i)}})
	}
	f := parse(t, b.Append(nil, func(n int) string { return fmt.Sprint(n % 2) }, func(int) string { return "x" }))
	if len(f.Endpoints) != 2 || f.Endpoints[0].Latencies != 5 || len(f.Regions) != 1 || f.Regions[0].Events != 10 {
		t.Errorf("%+v %+v", f.Endpoints, f.Regions)
	}
	s := NewSelection()
	g := s.Group(1)
	s.Add(g, f, 0)
	if err := s.Run(t.Context(), 1); err != nil || s.Quantile(g, 0) != 8 {
		t.Errorf("%v, %v", s.Quantile(g, 0), err)
	}
}

// TestManyNamesAreDropped: ids in paths must not make the digest as large as the file.
func TestManyNamesAreDropped(t *testing.T) {
	for _, n := range []int{2000, 100_000} {
		var b Builder
		b.Reset()
		for i := range n {
			b.Add(Columns{[]int64{0}, []float64{5}, []uint32{uint32(i)}, []uint32{uint32(i)}})
		}
		f := parse(t, b.Append(nil, func(n int) string { return fmt.Sprintf("/user/%08d", n) }, func(n int) string { return fmt.Sprint("region", n) }))
		if !f.EndpointsDropped || !f.RegionsDropped || len(f.Endpoints) != 1 || f.Endpoints[0].Latencies != int64(n) || len(f.Regions) != 0 {
			t.Errorf("%d names: %+v", n, f.Digest)
		}
		if f.IndexBytes() > 200 {
			t.Errorf("%d names: an index of %d bytes", n, f.IndexBytes())
		}
	}
}

func TestDamageIsNoticed(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var b Builder
	good := build(&b, makeEvents(r, 5000, 4, latencyKinds(r)["microseconds"]))
	trailer, err := ParseTrailer(good)
	if err != nil {
		t.Fatal(err)
	}
	want := ask(parse(t, good))
	for range 3000 {
		bad := slices.Clone(good)
		bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
		tr, err := ParseTrailer(bad)
		if err != nil || tr != trailer {
			continue
		}
		d, err := Parse(bad[trailer.Values:])
		if err != nil {
			continue
		}
		got := ask(File{d, bytes.NewReader(bad[:trailer.Values])})
		if got.err == nil && got != want {
			t.Fatalf("a flipped bit went unnoticed: %+v, want %+v", got, want)
		}
	}
	short := parse(t, good)
	short.Values = bytes.NewReader(nil)
	if got := ask(short); !errors.Is(got.err, io.ErrUnexpectedEOF) {
		t.Errorf("values that are not there: %v", got.err)
	}
}

type asked struct {
	count         int64
	low, mid, top float64
	err           error
}

func ask(f File) asked {
	s := NewSelection()
	g := s.Group(0, 0.5, 0.99)
	for i := range f.Endpoints {
		s.Add(g, f, i)
	}
	if err := s.Run(context.Background(), 1); err != nil {
		return asked{err: err}
	}
	return asked{s.Count(g), s.Quantile(g, 0), s.Quantile(g, 1), s.Quantile(g, 2), nil}
}

func TestTrailers(t *testing.T) {
	var b Builder
	good := build(&b, nil)
	for what, c := range map[string]struct {
		change func(b []byte) []byte
		want   error
	}{
		"no magic":  {func(b []byte) []byte { b[len(b)-1]++; return b }, ErrNone},
		"too short": {func(b []byte) []byte { return b[len(b)-TrailerBytes+1:] }, ErrNone},
		"nothing":   {func([]byte) []byte { return nil }, ErrNone},
		"newer":     {func(b []byte) []byte { b[len(b)-16] = 2; return b }, ErrNewer},
	} {
		if _, err := ParseTrailer(c.change(slices.Clone(good))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	huge := slices.Clone(good)
	huge[len(huge)-TrailerBytes+8+5] = 1
	if _, err := ParseTrailer(huge); err == nil {
		t.Error("an index of a terabyte was believed")
	}
}

// FuzzParse gives the parser whatever; a checksum is made for it, so that it gets past the door.
func FuzzParse(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 3))
	var b Builder
	kinds := latencyKinds(r)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		good := build(&b, makeEvents(r, 200, 3, kinds[kind]))
		trailer, err := ParseTrailer(good)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(good[trailer.Values:len(good)-TrailerBytes], trailer.Values)
	}
	f.Fuzz(func(t *testing.T, index []byte, values int64) {
		d, err := Parse(appendTrailer(slices.Clone(index), index, values))
		if err != nil {
			return
		}
		if values > 1<<20 {
			t.Skip("needs no memory, but the test would")
		}
		ask(File{d, bytes.NewReader(make([]byte, values))})
	})
}

func BenchmarkBuild(b *testing.B) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, n := range []int{5_000, 50_000} {
		columns := columnsOf(makeEvents(r, n, 8, latencyKinds(r)["microseconds"]))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var builder Builder
			var out []byte
			for b.Loop() {
				out = buildColumns(&builder, out[:0], columns)
			}
			size := len(out)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/event")
			b.ReportMetric(float64(size)/float64(n), "B/event")
		})
	}
}

func BenchmarkSelection(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 5))
	var builder Builder
	events := makeEvents(r, 50_000, 8, latencyKinds(r)["microseconds"])
	f := parse(b, build(&builder, events))
	for b.Loop() {
		if got := ask(f); got.err != nil {
			b.Fatal(got.err)
		}
	}
}
