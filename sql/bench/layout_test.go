package bench

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// layoutShape is how long a question takes in a made-up report.
type layoutShape struct {
	one, service, tree, own, many, none, small time.Duration
	noise                                      float64
	cold                                       float64 // times of the warm one; 0: not measured
	alone, together                            float64 // questions a second
}

func madeLayouts(s layoutShape) *Layouts {
	const rounds, pairs = 5, 8
	l := &Layouts{Format: LayoutFormat, At: time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC), Took: 3 * time.Minute, Program: "v0.5", Rounds: rounds, Base: VariantTree, Question: "SELECT $service $day",
		Machine: Machine{OS: "Linux", CPU: "Z80", Cores: 2, Memory: 8 << 30, Go: "go1.26", Engine: "DuckDB v1", Threads: 2},
		Data:    Data{Events: 1_000_000, Files: 616, Bytes: 60 << 20, Services: 8, Days: 7, Pairs: pairs, PairsTotal: 56, Scratch: true, Seed: 7, Distribution: "even"}}
	add := func(name, title string, middle time.Duration, files int, read float64, bytes, footers int64) {
		v := Variant{Name: name, Title: title, Files: files, RowGroups: files, Bytes: bytes, Footers: footers, Read: read, ReadBytes: 80_000, Same: true}
		v.Warm.Samples = around(middle, rounds*pairs, s.noise, len(l.Variants))
		if s.cold > 0 {
			v.Cold.Samples = around(time.Duration(s.cold*float64(middle)), rounds*pairs, s.noise, len(l.Variants)+20)
			v.Disk = 400_000
		}
		l.Variants = append(l.Variants, v)
	}
	add(VariantOne, "one file in the order of time", s.one, 1, 1, 60<<20, 9_000)
	add("service", "date/service", s.service, 56, 1, 61<<20, 90_000)
	add(VariantTree, "date/service/status", s.tree, 616, 11, 64<<20, 1_200_000)
	add(VariantMany, "date/service/status, 16 files a partition", s.many, 8000, 150, 80<<20, 15_000_000)
	add("none", "date/service/status, not compressed", s.none, 616, 11, 190<<20, 1_200_000)
	add("sorted8k", "one file ordered, groups of 8,192", s.small, 1, 1, 60<<20, 80_000)
	add(VariantSorted, "one file ordered", s.one, 1, 1, 60<<20, 9_000)
	add(VariantOwn, "the lake's own files", s.own, 616, 11, 63<<20, 1_000_000)
	l.Axes = []Axis{
		{AxisTree, "folders", []Point{{"one file in the order of time", VariantOne}, {"date/service", "service"}, {"date/service/status", VariantTree}, {"the lake's own files", VariantOwn}}},
		{AxisFiles, "files a partition", []Point{{"1", VariantTree}, {"16", VariantMany}}},
		{AxisCodec, "codec", []Point{{"none", "none"}, {"zstd", VariantTree}, {"zstd, the lake's own files", VariantOwn}}},
		{AxisRowGroups, "row groups of one ordered file", []Point{{"8,192 rows", "sorted8k"}, {"122,880 rows", VariantSorted}}},
	}
	if s.alone > 0 {
		for n, rate := range map[int]float64{1: s.alone, 16: s.together} {
			l.Clients = append(l.Clients, Clients{Variant: VariantTree, Clients: n, Rates: []float64{0.9 * rate, rate, 1.1 * rate}, Median: time.Duration(float64(n) / rate * 1e9), Worst: time.Second})
		}
		slices.SortFunc(l.Clients, func(a, b Clients) int { return a.Clients - b.Clients })
	}
	if l.Cold.Why = "it was not asked for"; s.cold > 0 {
		l.Cold = Cold{Bytes: 1 << 20, Resident: 0.01}
	}
	l.Fill()
	return l
}

var (
	usualLayouts = layoutShape{one: 4 * ms, service: ms, tree: 2 * ms, own: 1900 * time.Microsecond, many: 12 * ms, none: 1600 * time.Microsecond, small: 2 * ms, noise: 0.05, cold: 3, alone: 500, together: 900}
	evenLayouts  = layoutShape{one: 2 * ms, service: 2 * ms, tree: 2 * ms, own: 2 * ms, many: 2 * ms, none: 2 * ms, small: 2 * ms, noise: 0.3, alone: 500, together: 400}
)

func TestLayoutWords(t *testing.T) {
	before := madeLayouts(usualLayouts)
	before.At = before.At.Add(-time.Hour)
	now := usualLayouts
	now.own *= 2
	golden(t, "layout-wide.txt", LayoutText(madeLayouts(now), before, 0))
	golden(t, "layout-narrow.txt", LayoutText(madeLayouts(evenLayouts), nil, 80))
	for line := range strings.Lines(LayoutText(madeLayouts(usualLayouts), before, 80)) {
		if len(line) > 0 && line[0] != '-' && len([]rune(strings.TrimRight(line, "\n"))) > 80 && !strings.Contains(line, "events of") && !strings.HasPrefix(line, "p95 of") {
			t.Errorf("wider than 80 columns: %s", line)
		}
	}
	golden(t, "layout.md", Page("", LayoutSections([]Layouts{*madeLayouts(now), *before})))
	page := Page("", LayoutSections([]Layouts{*madeLayouts(now)}))
	if again := Page(page, LadderSections([]Report{*made(shapes["list-faster"])})); !strings.Contains(again, "## Layouts, 1,000,000 events\n") || !strings.Contains(again, "## Ladder") {
		t.Errorf("another suite takes the layouts' sections away:\n%s", again)
	}
}

// TestLayoutFindings checks what must be said of numbers, and what must not.
func TestLayoutFindings(t *testing.T) {
	say := func(l *Layouts) string { return strings.Join(LayoutFindings(l), "\n") }
	usual, even := say(madeLayouts(usualLayouts)), say(madeLayouts(evenLayouts))
	for _, want := range []string{
		"one file in the order of time takes 4.0", "the fastest is date/service", "ms more for 139 more files", "µs a file (cold", "none takes 2.97x of zstd's disk", "which may be chance",
		"the footer grows from 8.79 KB to 78.1 KB", "At most 1.0 % of the pages", "one client gets 500 answers a second (450 to 550 from round to round) and 16 together 900 (1.80x)",
	} {
		if !strings.Contains(usual+even, want) {
			t.Errorf("nothing says %q:\n%s", want, usual)
		}
	}
	for _, want := range []string{"Cold was not measured: it was not asked for.", "more clients do not get more"} {
		if !strings.Contains(even, want) {
			t.Errorf("nothing says %q:\n%s", want, even)
		}
	}
	for _, wrong := range []string{", faster", ", slower", "the fastest is", "µs a file"} {
		if strings.Contains(even, wrong) {
			t.Errorf("of equal ways it says %q:\n%s", wrong, even)
		}
	}
	if got := LayoutFindings(&Layouts{Base: VariantTree}); got != nil {
		t.Errorf("of nothing it says %q", got)
	}
	bare := madeLayouts(usualLayouts)
	bare.Axes, bare.Clients, bare.Variants = nil, nil, bare.Variants[2:3]
	if got := LayoutFindings(bare); len(got) != 2 { // noise, cold
		t.Errorf("of the base alone it says %q", got)
	}
}

func TestLayoutHistory(t *testing.T) {
	first := madeLayouts(usualLayouts)
	lines, err := Append(nil, first)
	if err != nil {
		t.Fatal(err)
	}
	second := madeLayouts(usualLayouts)
	second.At = first.At.Add(time.Hour)
	if lines, err = Append(lines, second); err != nil {
		t.Fatal(err)
	}
	history := Decode[Layouts](append(lines, []byte(`{"format": 99}`+"\n")...))
	if len(history) != 2 || !reflect.DeepEqual(&history[0], second) || !reflect.DeepEqual(&history[1], first) {
		t.Fatalf("%d reports came back, or other ones", len(history))
	}
	if p := Previous(history, second); p == nil || !p.At.Equal(first.At) {
		t.Errorf("before the second one came %v", p)
	}
	second.Data.Events++
	if p := Previous(history, second); p != nil {
		t.Error("reports on lakes of two sizes are compared")
	}
	text, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"format":1`, `"variants":[{"name":"one"`, `"footers":`, `"axes":[{"name":"tree"`, `"samples_ns":[`, `"clients":[{"variant":"status","clients":1,`, `"read_bytes":`} {
		if !strings.Contains(string(text), key) {
			t.Errorf("the JSON has no %s", key)
		}
	}
}

func TestCompareLayouts(t *testing.T) {
	before := madeLayouts(usualLayouts)
	slow := usualLayouts
	slow.own *= 2
	for _, c := range CompareLayouts(madeLayouts(slow), before) {
		if c.Worse() != (c.Name == VariantOwn) || c.Better() {
			t.Errorf("%s, cold %v: %s", c.Name, c.Cold, c)
		}
	}
	if changes := CompareLayouts(madeLayouts(evenLayouts), before); len(changes) != len(before.Variants)-1 { // without the base
		t.Errorf("%d changes of %d variants that were not measured cold", len(changes), len(before.Variants))
	}
}

// TestLoadIsNoChange compares a run with one on a machine that was half as fast: nothing got slower.
func TestLoadIsNoChange(t *testing.T) {
	twice := usualLayouts
	for _, d := range []*time.Duration{&twice.one, &twice.service, &twice.tree, &twice.own, &twice.many, &twice.none, &twice.small} {
		*d *= 2
	}
	for _, c := range CompareLayouts(madeLayouts(twice), madeLayouts(usualLayouts)) {
		if c.Worse() || c.Better() {
			t.Errorf("%s, cold %v: %s", c.Name, c.Cold, c)
		}
	}
}
