package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// sampled are n samples about a median, disturbed by noise of the given relative height, another one for each seed; times hurry.
func sampled(median float64, n int, noise float64, seed int, more bool) Measure {
	draw := rand.New(rand.NewPCG(uint64(seed), 1))
	var m Measure
	for range n {
		m.Samples = append(m.Samples, median*(1+noise*(2*draw.Float64()-1)))
	}
	m.Fill(more)
	return m
}

// stage makes a line of ours against a reference (0: none) in a unit; the ratio is so many times as fast where the goal is a lower bound.
func stage(name, title string, events int64, unit string, ours, reference float64, goal, reach *Goal) Line {
	rate := unit == "events/s"
	l := Line{Name: name, Title: title, Events: events, Unit: unit, Ours: sampled(ours, 5, 0.02, len(name), rate), Goal: goal, Reach: reach}
	if reference > 0 {
		m := sampled(reference, 5, 0.02, len(title), rate)
		l.Reference, l.Against = &m, "the reference of "+name
		l.Ratio = l.Ours.Median / m.Median
		if goal != nil && goal.AtLeast != 0 && !rate {
			l.Ratio = 1 / l.Ratio
		}
	}
	return l
}

func atLeast(v float64) *Goal { return &Goal{AtLeast: v} }
func atMost(v float64) *Goal  { return &Goal{AtMost: v} }

// pipelineOf is a made-up report; hurry multiplies the time of our conversion.
func pipelineOf(events int64, hurry float64) *Pipeline {
	yes, no := true, false
	p := &Pipeline{Format: PipelineFormat, At: time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC), Took: 4 * time.Minute, Program: "v0.5", Events: events, Rounds: 5,
		Machine: Machine{OS: "Linux", CPU: "Z80", Cores: 2, Memory: 8 << 30, Go: "go1.26", Engine: "DuckDB v1", Threads: 2}, Cached: []string{"the files' pages"}}
	p.Lines = []Line{
		stage("generate", "events to a file", events, "ns/event", 80, 1000, atLeast(10), atLeast(30)),
		stage("convert", "JSONL to Parquet", events, "ms", 800*hurry, 2400, atLeast(2.5), atLeast(4)),
		stage("convert-files", "files a partition", events, "files", 1, 0, atMost(1), nil),
		stage("ingest", "HTTP ingest", events, "events/s", 400_000, 500_000, atLeast(0.5), atLeast(0.7)),
		stage("visible", "acknowledged to visible, p95", events, "ms", 612, 0, atMost(500), atMost(150)),
		stage("p95-list", "p95 of a service and day", events, "ms", 2, 6, atMost(0.35), atMost(0.2)),
		stage("p95-list", "p95 of a service and day", 10*events, "ms", 7, 21, atMost(0.35), atMost(0.2)),
		stage("whole-lake", "the five questions", events, "ms", 10, 100, atMost(0.5), atMost(0.05)),
		stage("rival-rate", "as others", events, "events/s", 350_000, 0, nil, nil),
		{Name: "plan", Title: "plan a pruned query", Events: events, Unit: "ms", Goal: atMost(5), Notes: []string{"there was no disk for it"}},
	}
	p.Lines[1].Same, p.Lines[7].Same = &yes, &no
	p.Lines[2].Ours = sampled(1, 5, 0, 0, false)
	p.Growth = []Growth{
		{Name: "convert", Title: "JSONL to Parquet", Events: []int64{events / 100, events / 10, events}, Unit: "ms", Medians: []float64{8, 80, 800}, Exponent: 1, AtMost: 1.1},
		{Name: "dashboard", Title: "the panels", Events: []int64{events / 100, events / 10, events}, Unit: "ms", Medians: []float64{1, 2, 4}, Exponent: 0.3, AtMost: 0.06},
		{Name: "told", Title: "told", Exponent: 2, Medians: []float64{1, 4}, Events: []int64{1, 2}},
	}
	return p
}

func TestVerdict(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		line Line
		want Verdict
	}{
		{stage("a", "", 1, "ms", 40, 100, atLeast(2), atLeast(4)), Pass},
		{stage("a", "", 1, "ms", 10, 100, atLeast(2), atLeast(4)), Reached},
		{stage("a", "", 1, "ms", 60, 100, atLeast(2), atLeast(4)), Fail},
		{stage("a", "", 1, "ms", 10, 100, atMost(0.5), nil), Pass},
		{stage("a", "", 1, "ms", 60, 100, atMost(0.5), nil), Fail},
		{stage("a", "", 1, "ms", 480, 0, atMost(500), atMost(150)), Pass},
		{stage("a", "", 1, "ms", 900, 0, atMost(500), atMost(150)), Fail},
		{stage("a", "", 1, "ms", 900, 100, nil, nil), NoGoal},
		{Line{Goal: atMost(5)}, NotMeasured},
		{Line{Goal: atMost(5), Reference: &Measure{}, Ratio: math.NaN()}, NotMeasured},
		{Line{Goal: atMost(5), Reference: &Measure{}, Ratio: math.Inf(1)}, NotMeasured},
		{Line{Goal: atMost(5), Ours: Measure{Median: 5}}, Pass}, // a bound is within
		{Line{Goal: atLeast(5), Ours: Measure{Median: 5}}, Pass},
		{Line{Same: &no}, Fail},
		{Line{Same: &no, Goal: atMost(5), Ours: Measure{Median: 1}}, Fail},
		{Line{Same: &yes, Goal: atMost(5), Ours: Measure{Median: 1}}, Pass},
		{Line{Reach: atMost(5), Ours: Measure{Median: 6}}, NoGoal},
		{Line{Reach: atMost(5)}, NoGoal},
		{Line{Reach: atMost(5), Ours: Measure{Median: 1}}, Excellent},
	} {
		if got := c.line.Verdict(); got != c.want {
			t.Errorf("%v of %+v, want %v", got, c.line, c.want)
		}
	}
	p := pipelineOf(1_000_000, 1)
	if got, want := p.Tally(), (Tally{Judged: 10, Passed: 7, Reached: 1, Failed: 3}); got != want {
		t.Errorf("the tally is %+v, want %+v", got, want)
	}
	if got, want := strings.Join(p.Failed(), ", "), "visible, whole-lake, growth of dashboard"; got != want {
		t.Errorf("%s fail, want %s", got, want)
	}
	if got := p.Growth[2].Verdict(); got != NoGoal {
		t.Errorf("a growth without a bound: %v", got)
	}
}

// TestRounds takes the ratio of each round the way round that the report's ratio has, and none where sides have other numbers of rounds.
func TestRounds(t *testing.T) {
	l := Line{Ours: Measure{Samples: []float64{1, 2, 4}, Median: 2}, Reference: &Measure{Samples: []float64{10, 10, 10}, Median: 10}, Ratio: 5}
	if got := fmt.Sprint(l.Rounds()); got != "[10 5 2.5]" {
		t.Errorf("five times as fast: rounds of %s", got)
	}
	l.Ratio = 0.2
	if got := fmt.Sprint(l.Rounds()); got != "[0.1 0.2 0.4]" {
		t.Errorf("a fifth of the time: rounds of %s", got)
	}
	l.Ours.Samples = l.Ours.Samples[:2]
	if got := l.Rounds(); got != nil {
		t.Errorf("two rounds against three: %v", got)
	}
	l.Ours.Samples, l.Reference.Samples = []float64{1, 2, 4}, []float64{10}
	if got := fmt.Sprint(l.Rounds()); got != "[0.1 0.2 0.4]" {
		t.Errorf("against a stated figure: rounds of %s", got)
	}
	l.Ours.Samples, l.Reference = l.Ours.Samples[:2], nil
	if got := fmt.Sprint(l.Rounds()); got != "[1 2]" {
		t.Errorf("without a reference: %s", got)
	}
}

func TestMargin(t *testing.T) {
	for _, c := range []struct {
		goal        *Goal
		value, want float64
	}{{atLeast(2), 3, 0.5}, {atLeast(2), 1, -0.5}, {atMost(0.5), 0.25, 0.5}, {atMost(500), 1000, -1}} {
		if got := c.goal.Margin(c.value); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("the margin of %v to %+v is %v, want %v", c.value, *c.goal, got, c.want)
		}
	}
}

func TestPipelineWords(t *testing.T) {
	before := pipelineOf(1_000_000, 0.7)
	before.At = before.At.Add(-24 * time.Hour)
	golden(t, "pipeline-wide.txt", PipelineText(pipelineOf(1_000_000, 1), before, 0))
	golden(t, "pipeline-narrow.txt", PipelineText(pipelineOf(1_000_000, 1), nil, 80))
	for _, width := range []int{72, 80, 100, 120} {
		table, _, _ := strings.Cut(strings.SplitN(PipelineText(pipelineOf(1_000_000, 1), before, width), "\n\n", 2)[1], "\n\n")
		for line := range strings.Lines(table) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
				t.Errorf("a line of %d columns on %d: %s", n, width, line)
			}
		}
	}
}

func TestPipelineFindings(t *testing.T) {
	said := func(p, previous *Pipeline) string { return strings.Join(PipelineFindings(p, previous), "\n") }
	good := pipelineOf(1_000_000, 1)
	good.Lines, good.Growth = good.Lines[:4], nil
	if got := said(good, nil); !strings.Contains(got, "All of 4 goals met, 1 of them with what would be excellent.") || strings.Contains(got, "FAIL") ||
		!strings.Contains(got, "Closest to its goal of what passes: convert, 2.97x where the goal is >= 2.5x, 18.8 % to spare.") {
		t.Errorf("all pass:\n%s", got)
	}
	near := pipelineOf(1_000_000, 1)
	near.Lines = []Line{{Name: "near", Unit: "ms", Ours: Measure{Samples: []float64{490, 510, 505}, Median: 505}, Goal: atMost(500)}}
	if got := said(near, nil); !strings.Contains(got, "1 of its 3 rounds met it") {
		t.Errorf("a near miss:\n%s", got)
	}
	if got := said(&Pipeline{Lines: []Line{{Name: "told", Ours: Measure{Median: 1}}}}, nil); got != "Nothing here is held to a goal." {
		t.Errorf("nothing to judge: %s", got)
	}
	if got := said(good, good); !strings.Contains(got, "Nothing moved by more than chance since 2026-11-21 14:00Z.") {
		t.Errorf("the same twice:\n%s", got)
	}
}

func TestComparePipelines(t *testing.T) {
	of := func(now, before *Pipeline, name string) Change {
		for _, c := range ComparePipelines(now, before) {
			if c.Name == name {
				return c
			}
		}
		t.Fatalf("no change of %s", name)
		return Change{}
	}
	if c := of(pipelineOf(1000, 1), pipelineOf(1000, 0.7), "convert"); !c.Worse() || c.Better() || c.String() != "▼ -30 % worse" {
		t.Errorf("a conversion that takes longer: %+v, %v", c, c)
	}
	if c := of(pipelineOf(1000, 0.7), pipelineOf(1000, 1), "convert"); !c.Better() || c.String() != "▲ +43 % better" {
		t.Errorf("a conversion that takes less: %+v, %v", c, c)
	}
	if c := of(pipelineOf(1000, 1.03), pipelineOf(1000, 1), "convert"); c.Worse() || c.String() != "~" {
		t.Errorf("three percent where the rounds are two apart: %+v", c)
	}
	slow, once := pipelineOf(1000, 1), pipelineOf(1000, 1)
	slow.Lines[4].Ours = sampled(900, 5, 0.02, 1, false)
	if c := of(slow, pipelineOf(1000, 1), "visible"); c.String() != "▲ +47 % worse" {
		t.Errorf("a bound of its own, missed by more: %v", c)
	}
	once.Lines[4].Ours = sampled(900, 2, 0, 1, false)
	if c := of(once, pipelineOf(1000, 1), "visible"); c.Worse() || c.Better() {
		t.Errorf("two samples have no noise that is known: %+v", c)
	}
	gone := pipelineOf(1000, 1)
	gone.Lines = gone.Lines[:2]
	if changes := ComparePipelines(pipelineOf(1000, 1), gone); len(changes) != 2 {
		t.Errorf("%d changes, want those of the lines that both have", len(changes))
	}
}

func TestPipelinePrevious(t *testing.T) {
	r := pipelineOf(1000, 1)
	earlier := func(change func(p *Pipeline)) Pipeline {
		p := pipelineOf(1000, 1)
		p.At = r.At.Add(-time.Hour)
		change(p)
		return *p
	}
	one := earlier(func(p *Pipeline) { p.Lines = p.Lines[:1] })
	history := []Pipeline{*r, one, earlier(func(p *Pipeline) { p.Events = 2000 }), earlier(func(p *Pipeline) { p.Machine.CPU = "6502" }), earlier(func(p *Pipeline) { p.Program = "v0.4" })}
	if got := Previous(history, r); got != &history[4] {
		t.Errorf("compared with %+v", got)
	}
	if got := Previous(history[:4], r); got != nil {
		t.Errorf("compared with %+v", got)
	}
	if got := Previous(history[1:], &Pipeline{At: r.At, Events: 1000, Machine: r.Machine, Lines: r.Lines[:1]}); got != &history[1] {
		t.Errorf("a run of one stage is compared with %+v", got)
	}
}

func TestPipelineHistory(t *testing.T) {
	lines, err := Append([]byte("{\"format\":99}\n"), pipelineOf(1000, 1))
	if err != nil {
		t.Fatal(err)
	}
	reports := Decode[Pipeline](lines)
	if len(reports) != 1 || reports[0].Lines[1].Ratio != pipelineOf(1000, 1).Lines[1].Ratio || !*reports[0].Lines[1].Same {
		t.Fatalf("it came back as %+v", reports)
	}
	judged, err := json.Marshal(reports[0].Judge())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"verdict":"FAIL"`, `"verdict":"pass, reach met"`, `"verdict":"no goal"`, `"failed":["visible","whole-lake","growth of dashboard"]`} {
		if !strings.Contains(string(judged), want) {
			t.Errorf("%s is not in %s", want, judged)
		}
	}
	var again Judged
	if err := json.Unmarshal(judged, &again); err != nil || again.Lines[3].Verdict != Reached || again.Growth[1].Verdict != Fail {
		t.Errorf("the judged report is read again as %+v, %v", again, err)
	}
	if err := new(Verdict).UnmarshalText([]byte("perhaps")); err == nil {
		t.Error("a verdict of perhaps")
	}
	var back Pipeline
	if err := json.Unmarshal(judged, &back); err != nil || len(back.Lines) != len(reports[0].Lines) || back.Lines[1].Ratio != reports[0].Lines[1].Ratio || len(back.Growth) != 3 {
		t.Errorf("the judged report is read as %+v, %v", back, err)
	}
}

func TestPipelinePage(t *testing.T) {
	small, big := pipelineOf(1_000_000, 1), pipelineOf(10_000_000, 1)
	one := pipelineOf(1_000_000, 2)
	one.Lines = one.Lines[1:2]
	page := Page(Page("", LadderSections([]Report{*made(shapes["list-faster"])})), PipelineSections([]Pipeline{*one, *small, *big}))
	golden(t, "pipeline.md", page)
	var headings []string
	for line := range strings.Lines(page) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			headings = append(headings, strings.TrimSpace(title))
		}
	}
	if want := []string{"Pipeline", "Pipeline, 1,000,000 events", "Pipeline, 10,000,000 events", "Ladder", "Ladder, 1,000,000 events"}; !slices.Equal(headings, want) {
		t.Errorf("the page's sections are %q, want %q", headings, want)
	}
	if again := Page(page, PipelineSections([]Pipeline{*big})); again != page {
		t.Errorf("the page, written again from one of its reports, is\n%s", again)
	}
	if got := PipelineSections(nil); got != nil {
		t.Errorf("sections of no report: %v", got)
	}
}

func TestBrief(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 950: "950", 100_000: "100k", 1_000_000: "1M", 2_500_000: "2.5M", 30_000_000: "30M", 3_000_000_000: "3G"} {
		if got := Brief(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
