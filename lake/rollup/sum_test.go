package rollup

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// sumOf makes a Sum for the names of events, and the numbers of the names.
func sumOf(t testing.TB, list []event) (*Sum, func(s *Sum, e event)) {
	t.Helper()
	var names [3][]string
	numbers := [3]map[string]uint32{{}, {}, {}}
	number := func(i int, name string) uint32 {
		n, ok := numbers[i][name]
		if !ok {
			n = uint32(len(names[i]))
			numbers[i][name] = n
			names[i] = append(names[i], name)
		}
		return n
	}
	for _, e := range list {
		number(0, e.service)
		number(1, e.endpoint)
		number(2, e.region)
	}
	s, ok := NewSum(names[0], names[1], names[2])
	if !ok {
		t.Fatal("too many names")
	}
	return s, func(s *Sum, e event) {
		ms := e.ms
		if !e.has {
			ms = math.NaN()
		}
		s.Add(e.ts, number(0, e.service), number(1, e.endpoint), number(2, e.region), e.status, ms)
	}
}

// throughFile writes cells and reads them back.
func throughFile(t testing.TB, write func(w *Writer)) *Cells {
	t.Helper()
	var file bytes.Buffer
	w := NewWriter(&file)
	write(w)
	summary, err := w.Close()
	if err != nil || summary.Bytes != int64(file.Len()) {
		t.Fatal(summary, err)
	}
	back := New()
	if err := Read(bytes.NewReader(file.Bytes()), int64(file.Len()), back); err != nil {
		t.Fatal(err)
	}
	return back
}

const dayMicros = 24 * 60 * microsPerMinute

// TestSumIsCells sums events of three days up both ways, in cells of few and of very many values, before and after 1970, within the limits
// of a minute and beyond them.
func TestSumIsCells(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 3))
		list := events(seed, int(seed*seed)*400+1)
		minutes := int64(1 + r.IntN(minutesADay))
		hostile := seed == 5
		for i := range list {
			e := &list[i]
			e.ts = (r.Int64N(3)-1)*dayMicros + (minutesADay-minutes+r.Int64N(minutes))*microsPerMinute + r.Int64N(microsPerMinute)
			if seed%3 == 0 {
				e.ts = e.ts / dayMicros * dayMicros // all of a day in its first minute; of the two days about 1970 in one
			}
			if hostile {
				e.endpoint, e.region = fmt.Sprint("/", r.IntN(2*MaxEndpoints)), fmt.Sprint("r", r.IntN(2*MaxRegions))
				e.ts = e.ts / dayMicros * dayMicros
			}
		}
		sum, addTo := sumOf(t, list)
		byDay := func(write func(start int64, of []event)) {
			for day := int64(-1); day <= 1; day++ {
				write(day*dayMicros, slices.DeleteFunc(slices.Clone(list), func(e event) bool { return e.ts < day*dayMicros || e.ts >= (day+1)*dayMicros }))
			}
		}
		got := throughFile(t, func(w *Writer) {
			byDay(func(start int64, of []event) {
				sum.Begin(start)
				for _, e := range of {
					addTo(sum, e)
				}
				w.WriteSum(sum)
			})
		})
		want := throughFile(t, func(w *Writer) {
			byDay(func(_ int64, of []event) {
				c := New()
				for _, e := range of {
					add(c, e)
				}
				w.Write(c)
			})
		})
		if !hostile { // which endpoints are left to stand for themselves is a matter of order
			same(t, fmt.Sprint("seed ", seed), got, want)
		}
		if got.Events() != int64(len(list)) || want.Events() != got.Events() || len(got.Services()) != len(want.Services()) {
			t.Errorf("seed %d: %d and %d events of %d", seed, got.Events(), want.Events(), len(list))
		}
		if hostile && !slices.ContainsFunc(got.Endpoints(), func(e *EndpointCell) bool { return e.Endpoint() == Other }) {
			t.Errorf("%d endpoints in a minute, and none under %s", 2*MaxEndpoints, Other)
		}
	}
}

func TestSumTakesNoMoreNamesThanItCanSort(t *testing.T) {
	many := make([]string, 1<<18)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	if _, ok := NewSum([]string{"s"}, many, many); !ok {
		t.Error("2 times 18 bits are refused")
	}
	if _, ok := NewSum(many, many, many); ok {
		t.Error("3 times 18 bits are taken")
	}
}

// BenchmarkSum is the worst case, a cell for nearly every event, by both ways: ns for an event and the row of its cell.
func BenchmarkSum(b *testing.B) {
	const count = 200_000
	r := rand.New(rand.NewPCG(1, 1))
	list := make([]event, count)
	for i := range list {
		list[i] = event{
			ts: r.Int64N(dayMicros), service: fmt.Sprintf("service-%d", r.IntN(8)), endpoint: fmt.Sprintf("/api/v1/thing/%d", r.IntN(6)),
			region: fmt.Sprintf("region-%d", r.IntN(5)), status: 200, ms: math.Round(math.Exp(r.NormFloat64()+3)*1000) / 1000, has: true,
		}
	}
	run := func(name string, write func(w *Writer)) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var file bytes.Buffer
				w := NewWriter(&file)
				write(w)
				if _, err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/event")
		})
	}
	sum, addTo := sumOf(b, list)
	run("sum", func(w *Writer) {
		sum.Begin(0)
		for _, e := range list {
			addTo(sum, e)
		}
		w.WriteSum(sum)
	})
	run("cells", func(w *Writer) {
		c := New()
		for _, e := range list {
			add(c, e)
		}
		w.Write(c)
	})
}

// TestSumsOfOtherNames writes two Sums, whose numbers mean different names, and Cells into one file.
func TestSumsOfOtherNames(t *testing.T) {
	var lists [3][]event
	for i := range lists {
		lists[i] = events(uint64(i), 500)
		for k := range lists[i] {
			e := &lists[i][k]
			e.ts = int64(i)*dayMicros + int64(k)*1_000_000
			e.service, e.endpoint = fmt.Sprint(e.service, i), fmt.Sprint(e.endpoint, 2-i)
		}
	}
	want := New()
	got := throughFile(t, func(w *Writer) {
		for i, list := range lists {
			sum, addTo := sumOf(t, list)
			sum.Begin(int64(i) * dayMicros)
			cells := New()
			for _, e := range list {
				addTo(sum, e)
				add(cells, e)
				add(want, e)
			}
			if i == 1 {
				w.Write(cells)
			} else {
				w.WriteSum(sum)
			}
		}
	})
	same(t, "two sums and cells", got, want)
}

// TestFilesOfOlderReleases: until lake/column wrote them the files came from parquet-go, by the struct that reads them. Both have one schema.
func TestFilesOfOlderReleases(t *testing.T) {
	c := New()
	for _, e := range events(4, 3000) {
		add(c, e)
	}
	var rows []row
	base := func(minute int64, service string, c *Counts, n int64, buckets []int16, counts []int32) row {
		return row{Minute: minute, Service: service, Status0: int64(c.Classes[0]), Status1: int64(c.Classes[1]), Status2: int64(c.Classes[2]), Status3: int64(c.Classes[3]),
			Status4: int64(c.Classes[4]), Status5: int64(c.Classes[5]), LatencyCount: n, LatencySum: c.LatencySum, LatencyMax: c.LatencyMax, Buckets: buckets, Counts: counts}
	}
	for _, s := range c.Services() {
		buckets, counts := s.Latency.Buckets()
		r := base(s.Minute, s.Service, &s.Counts, s.Latency.Count(), buckets, counts)
		r.Raw = s.Latency.Raw()
		rows = append(rows, r)
	}
	for _, e := range c.Endpoints() {
		buckets, counts := e.Latency.Buckets()
		r := base(e.Minute, e.Service(), &e.Counts, e.Latency.Count(), buckets, counts)
		endpoint, region := e.Endpoint(), e.Region()
		r.Endpoint, r.Region = &endpoint, &region
		rows = append(rows, r)
	}
	var old, file bytes.Buffer
	w := parquet.NewGenericWriter[row](&old, parquet.KeyValueMetadata(formatKey, "1"))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	back := New()
	if err := Read(bytes.NewReader(old.Bytes()), int64(old.Len()), back); err != nil {
		t.Fatal(err)
	}
	same(t, "an older file", back, c)

	if err := writeFile(&file, c); err != nil {
		t.Fatal(err)
	}
	opened, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := opened.Schema().String(), parquet.SchemaOf(row{}).String(); got != want {
		t.Errorf("the schema is\n%s\nwant\n%s", got, want)
	}
}
