package bench

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden texts")

const ms = time.Millisecond

// around makes n samples about a median, disturbed by noise of the given relative height, another one for each seed.
func around(median time.Duration, n int, noise float64, seed int) []time.Duration {
	samples, draw := make([]time.Duration, n), rand.New(rand.NewPCG(uint64(seed), 0))
	for i := range samples {
		samples[i] = time.Duration(float64(median) * (1 + noise*(2*draw.Float64()-1)))
	}
	return samples
}

// shape is what a made-up report differs in.
type shape struct {
	base, glob, list, engine time.Duration
	noise                    float64
	bytes                    int64 // of a pruned question
	cold                     float64
	coldWhy                  string
	probes                   bool
}

func made(s shape) *Report {
	const runs, pairs = 7, 4
	r := &Report{Format: Format, At: time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC), Question: "SELECT 1", Runs: runs,
		Machine: Machine{OS: "Linux", CPU: "Z80", Cores: 2, Memory: 8 << 30, Go: "go1.26", Engine: "DuckDB v1", Threads: 2},
		Data:    Data{Events: 1_000_000, Files: 616, Bytes: 65849818, TwinBytes: 64482389, Services: 8, Days: 7, Pairs: pairs, PairsTotal: 56, Scratch: true, Seed: 7, Distribution: "even"},
		Cold:    Cold{Why: s.coldWhy}}
	add := func(name, title string, median time.Duration, files float64, total int, bytes int64) {
		if median == 0 {
			return
		}
		for _, cold := range []bool{false, true} {
			if cold && s.cold == 0 {
				continue
			}
			rung := Rung{Name: name, Title: title, Cold: cold, Files: files, FilesTotal: total, Bytes: bytes, Fetched: bytes * 103 / 100, Samples: around(median, runs*pairs, s.noise, len(title)), Same: true}
			if cold {
				rung.Samples, rung.Disk = around(time.Duration(s.cold*float64(median)), runs*pairs, s.noise, len(title)), bytes*5
			}
			rung.Fill()
			r.Rungs = append(r.Rungs, rung)
		}
	}
	add(Unpartitioned, "one unpartitioned file", s.base, 1, 1, 604239)
	add(Glob, "Hive tree by pattern", s.glob, 11, 616, s.bytes)
	add(Catalog, "Hive tree by list", s.list, 11, 616, s.bytes)
	add(Engine, "any SQL", s.engine, 11, 616, s.bytes)
	slices.SortStableFunc(r.Rungs, func(a, b Rung) int {
		return map[bool]int{true: 1}[a.Cold] - map[bool]int{true: 1}[b.Cold]
	})
	if s.cold > 0 {
		r.Cold = Cold{Bytes: r.Data.Bytes + r.Data.TwinBytes}
	}
	if s.probes {
		for _, p := range []Probe{{Name: ProbeList, Title: "list"}, {Name: ProbeGlobPlan, Title: "plan by pattern"}, {Name: ProbeListPlan, Title: "plan by list"},
			{Name: ProbeListOpen, Title: "open"}, {Name: ProbePlan, Title: "gate, plan"}} {
			p.Samples = around(map[string]time.Duration{ProbeList: s.glob * 2 / 5, ProbeGlobPlan: s.glob * 9 / 10, ProbeListPlan: s.list / 4, ProbeListOpen: s.list / 2, ProbePlan: ms}[p.Name], runs*pairs, s.noise, len(p.Title))
			p.Fill()
			r.Probes = append(r.Probes, p)
		}
	}
	return r
}

var shapes = map[string]shape{
	"list-faster":  {base: 5 * ms, glob: 30 * ms, list: 2 * ms, engine: 4 * ms, noise: 0.1, bytes: 87358, cold: 1.8, probes: true},
	"list-slower":  {base: 2 * ms, glob: 30 * ms, list: 4 * ms, engine: 8 * ms, noise: 0.1, bytes: 700_000, coldWhy: "it was not asked for", probes: true},
	"glob-faster":  {base: 50 * ms, glob: 30 * ms, list: 10 * ms, noise: 0.1, bytes: 87358, probes: true},
	"chance":       {base: 5 * ms, glob: 5*ms + 5000, list: 5*ms - 5000, noise: 0.4, bytes: 87358},
	"one-way-only": {base: 5 * ms, noise: 0.1, coldWhy: "a file system in memory"},
}

// golden holds a text against testdata/<name>.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./sql/bench -update writes it):\n%s", path, got)
	}
}

func TestWords(t *testing.T) {
	for name, s := range shapes {
		t.Run(name, func(t *testing.T) { golden(t, name+".txt", Text(made(s), nil)) })
	}
}

func TestMarkdown(t *testing.T) {
	small := made(shapes["list-faster"])
	bigger := made(shapes["list-slower"])
	big := made(shapes["glob-faster"])
	big.Data.Events = 10_000_000
	elsewhere := made(shapes["chance"])
	elsewhere.Data.Events, elsewhere.Machine.CPU = 5_000, "6502"
	atHand := made(shapes["chance"])
	atHand.Data.Scratch, atHand.Data.Events = false, 77
	const older = "# Benchmarks\nolder words\n\n## 500 events\nof another machine\n\n### findings\n* kept\n\n## 1,000,000 events\nreplaced\n\n## By hand\ndropped\n"
	page := Page(older, LadderSections([]Report{*big, *small, *bigger, *elsewhere, *atHand}))
	golden(t, "benchmarks.md", page)
	if again := Page(page, LadderSections([]Report{*big})); again != page {
		t.Errorf("the page, written again from one of its reports, is\n%s", again)
	}
	if got := Page(older, LadderSections(nil)); got != older {
		t.Errorf("a page of no report: %q", got)
	}
	if got := Page("", LadderSections([]Report{*atHand, *small})); !strings.Contains(got, "## Ladder, 77 events of a lake at hand\n") || !strings.Contains(got, "## Ladder, 1,000,000 events\n") {
		t.Errorf("the newest report is not on the page:\n%s", got)
	}
}

func TestFill(t *testing.T) {
	r := Rung{Samples: []time.Duration{5, 1, 9, 3}}
	r.Fill()
	if r.Best != 1 || r.Median != 4 || r.Worst != 9 {
		t.Errorf("best %d, median %d, worst %d", r.Best, r.Median, r.Worst)
	}
	if fmt.Sprint(r.Samples) != fmt.Sprint([]time.Duration{5, 1, 9, 3}) {
		t.Errorf("the samples' order changed: %v", r.Samples)
	}
	var none Rung
	none.Fill()
	if none.Median != 0 {
		t.Errorf("the median of nothing is %v", none.Median)
	}
}

func TestRatio(t *testing.T) {
	of := func(a, b time.Duration, noise float64) Ratio {
		x, y := Rung{Samples: around(a, 100, noise, 1)}, Rung{Samples: around(b, 100, noise, 4)}
		x.Fill()
		y.Fill()
		return x.Against(&y)
	}
	half := of(5*ms, 10*ms, 0.3)
	if !half.Faster() || half.Slower() || math.Abs(half.Value-0.5) > 0.1 || half.Low > half.Value || half.High < half.Value {
		t.Errorf("half the time: %+v", half)
	}
	if double := of(10*ms, 5*ms, 0.3); !double.Slower() || double.Faster() {
		t.Errorf("double the time: %+v", double)
	}
	if same := of(10*ms, 10*ms+1000, 0.3); same.Slower() || same.Faster() {
		t.Errorf("a ten-thousandth apart: %+v", same)
	}
	var none Rung
	if r := none.Against(&none); r.Faster() || r.Slower() || !math.IsNaN(r.Value) {
		t.Errorf("nothing against nothing: %+v", r)
	}
}

func TestCompare(t *testing.T) {
	before, same, slower, faster := made(shapes["list-faster"]), made(shapes["list-faster"]), shapes["list-faster"], shapes["list-faster"]
	slower.list, faster.list = 3*ms, ms
	for _, c := range []struct {
		now  *Report
		want string
	}{{same, "~"}, {made(slower), "▲ +50 % slower"}, {made(faster), "▼ -50 % faster"}} {
		var got string
		for _, change := range Compare(c.now, before) {
			if change.Name == Catalog && !change.Cold {
				got = change.String()
			} else if change.Name == Glob && change.String() != "~" {
				t.Errorf("the pattern's time did not change: %v", change)
			}
		}
		if got != c.want {
			t.Errorf("the list's change is %q, want %q", got, c.want)
		}
	}
	if changes := Compare(made(shapes["one-way-only"]), before); len(changes) != 1 {
		t.Errorf("%d changes, want the one of the rung that both have", len(changes))
	}
}

// TestNoise checks that rounds which differ among themselves by more than two runs do make no change.
func TestNoise(t *testing.T) {
	noisy := func(shift float64) *Report {
		r := made(shapes["one-way-only"])
		for i := range r.Rungs[0].Samples {
			round := i / r.Data.Pairs
			r.Rungs[0].Samples[i] = time.Duration(float64(5*ms) * (1 + shift + 0.2*float64(round%3-1)))
		}
		r.Rungs[0].Fill()
		return r
	}
	if c := Compare(noisy(0.1), noisy(0))[0]; c.Worse() || c.Noise < 0.1 {
		t.Errorf("10 %% between runs whose rounds are 20 %% apart: %+v", c)
	}
	if c := Compare(noisy(2), noisy(0))[0]; !c.Worse() {
		t.Errorf("three times the time is slower whatever the noise: %+v", c)
	}
}

func TestPrevious(t *testing.T) {
	r, older, other, elsewhere := made(shapes["chance"]), made(shapes["chance"]), made(shapes["chance"]), made(shapes["chance"])
	older.At = r.At.Add(-time.Hour)
	other.At, other.Data.Events = r.At.Add(-time.Minute), 5
	elsewhere.At, elsewhere.Machine.Cores = r.At.Add(-time.Minute), 64
	history := []Report{*r, *other, *elsewhere, *older}
	if got := Previous(history, r); got != &history[3] {
		t.Errorf("the previous report is %+v", got)
	}
	if got := Previous(history[:3], r); got != nil {
		t.Errorf("reports on other data and machines were compared: %+v", got.Data)
	}
}

func TestHistory(t *testing.T) {
	var lines []byte
	for i := range Keep + 5 {
		r := made(shape{base: ms})
		r.Data.Events = int64(i)
		var err error
		if lines, err = Append(lines, r); err != nil {
			t.Fatal(err)
		}
		if i == Keep+2 {
			lines = append(lines, "{\"format\":99,\"from\":\"a newer release\"}\n{torn"...)
		}
	}
	reports := Decode[Report](lines)
	if len(reports) != Keep-2 || reports[0].Data.Events != Keep+4 || reports[len(reports)-1].Data.Events != 7 {
		t.Fatalf("%d reports, from %d to %d", len(reports), reports[0].Data.Events, reports[len(reports)-1].Data.Events)
	}
	if !strings.Contains(string(lines), "a newer release") {
		t.Error("the line of a newer release was dropped")
	}
	if len(reports[0].Rungs[0].Samples) != 28 || reports[0].Rungs[0].Median == 0 {
		t.Errorf("a rung came back as %+v", reports[0].Rungs[0])
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{millis(870 * time.Microsecond), "0.87"}, {millis(9996 * time.Microsecond), "10.0"}, {millis(13_100 * time.Microsecond), "13.1"}, {millis(1234 * ms), "1,234"},
		{size(512), "512 B"}, {size(87358), "85.3 KB"}, {size(604239), "590 KB"}, {size(64482389), "61.5 MB"}, {size(8 << 30), "8 GB"}, {size(3 << 40), "3,072 GB"},
		{count(0), "0"}, {count(-1234567), "-1,234,567"}, {few(11), "11"}, {few(10.25), "10.2"}, {plural(1, "file"), "1 file"}, {plural(2, "file"), "2 files"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
