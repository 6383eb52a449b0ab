package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
)

// slowBench makes benchmarks that stand at 40 % until they are cancelled; entered tells that one does.
func slowBench(f *fake) (entered chan struct{}) {
	entered = make(chan struct{}, 1)
	f.tasks.Bench = func(ctx context.Context, _ BenchParams, p *lake.Progress) (*bench.Report, error) {
		p.Start("warm: questions", 1000)
		p.Add(400)
		entered <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return entered
}

func TestBenchFromEmptyToReport(t *testing.T) {
	f := newFake()
	var got BenchParams
	f.tasks.Bench = func(_ context.Context, p BenchParams, _ *lake.Progress) (*bench.Report, error) {
		got = p
		r := fakeReport(fakeNow, p.Events, p.Cold, 1)
		return &r, nil
	}
	d := drive(t, f, 120, 36)
	d.press("6")
	d.wants("No benchmark has run yet", "600 MB", "run a benchmark")
	d.press("enter", "tab", "ctrl+u", "text:250k", "tab", "ctrl+u", "text:9", "tab", "right", "enter")
	if want := (BenchParams{Events: 250_000, Runs: 9, Cold: true}); got != want {
		t.Errorf("the benchmark got %+v, want %+v", got, want)
	}
	d.elapse(tickEvery)
	d.wants("250,000 events", "warm", "cold", "12.6/704", "9.10ms", "3.10ms", "✓")
	d.lacks("No benchmark")
	d.press("4", "enter")
	d.wants("medians: one file 9.10ms", "Enter: look at the report")
	d.press("enter")
	d.wants("12.6/704")
	d.press("esc")
	d.wants("tasks")
}

func TestBenchOfThisLake(t *testing.T) {
	f := newFake()
	got := BenchParams{Events: -1}
	f.tasks.Bench = func(_ context.Context, p BenchParams, _ *lake.Progress) (*bench.Report, error) {
		got = p
		return nil, errors.New("the lake has no Parquet yet: convert it first")
	}
	d := drive(t, f, 80, 24)
	d.press("4", "a", "b", "right", "enter")
	if got.Events != 0 || got.Runs != 7 || got.Cold {
		t.Errorf("the benchmark got %+v, want the lake at hand, 7 runs, warm", got)
	}
	d.elapse(tickEvery)
	d.wants("× bench this lake", "convert it first", "run a benchmark")
}

func TestBenchIsCancelled(t *testing.T) {
	f := newFake()
	entered := slowBench(f)
	d := drive(t, f, 120, 36)
	d.press("6", "a")
	d.send(key("enter"))
	<-entered
	d.send(tickMsg{})
	d.wants("40%", "400 of 1,000", "Ctrl+C cancels")
	d.send(key("a"))
	d.wants("run: ladder runs")
	d.send(key("ctrl+c"))
	d.settle()
	d.elapse(tickEvery)
	d.lacks("40%")
	if d.quit {
		t.Error("Ctrl+C quit")
	}
	if j := d.app.jobs[0]; j.State != Cancelled {
		t.Errorf("the run is in state %d", j.State)
	}
}

func TestBenchHistoryPagesAndCompares(t *testing.T) {
	f := newFake()
	for i, slow := range []float64{1, 1.3, 0.8, 1} {
		events := int64(1_000_000)
		if i == 3 {
			events = 10_000_000
		}
		f.reports = append(f.reports, fakeReport(fakeNow.AddDate(0, 0, -i), events, false, slow))
	}
	d := drive(t, f, 120, 36)
	d.press("6")
	d.wants("report 1 of 4", "compared with 2026-11-20", "▼ -23%")
	d.press("left")
	d.wants("2026-11-20 14:22Z, report 2 of 4", "compared with 2026-11-19", "▲ +62%")
	d.press("left", "left")
	d.wants("report 4 of 4", "10,000,000 events")
	d.lacks("compared with") // nothing before it is of the same data
	d.press("left")
	d.wants("report 4 of 4")
	d.press("right", "right", "right", "c", "text:11-19", "enter")
	d.wants("report 1 of 4", "compared with 2026-11-19", "▲ +25%")
	d.press("c", "text:nothing", "enter")
	d.lacks("▲ +25%", "vs last")
	d.press("c", "text:11-18", "enter")
	d.wants("other data or another machine")
	d.press("y", "m")
	var copied string
	for _, msg := range d.seen {
		copied += strings.ToLower(typeName(msg))
	}
	if !strings.Contains(copied, "clipboard") {
		t.Errorf("nothing was copied: %s", copied)
	}
	d.press("esc", "left")
	d.wants("report 2 of 4")
	d.press("a", "ctrl+u", "tab", "enter")
	d.elapse(tickEvery)
	d.wants("report 1 of") // the new one, wherever one was
	text := d.app.bench.ladder.markdown(&f.reports[0])
	for _, want := range []string{"| one unpartitioned file | warm | 1/1 |", "| 9.10ms |", "1,000,000 events"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the Markdown:\n%s", want, text)
		}
	}
}

// TestBenchOvertakenWords pages on before the words of a report have come: they are dropped.
func TestBenchOvertakenWords(t *testing.T) {
	f := newFake()
	f.reports = []bench.Report{fakeReport(fakeNow, 1_000_000, false, 1), fakeReport(fakeNow.Add(-time.Hour), 1_000_000, false, 1)}
	d := drive(t, f, 120, 36)
	d.press("6")
	p := &d.app.bench.ladder.shelf
	late := benchSaidMsg[bench.Report, *bench.Report]{p, p.saidGen, benchWords{report: fakeNow, done: true, findings: []string{"overtaken"}}}
	d.press("left")
	d.send(late)
	d.lacks("overtaken")
	d.send(benchReadMsg[bench.Report, *bench.Report]{to: p, gen: p.gen - 1, reports: nil})
	d.wants("report 2 of 2")
}

func TestBenchHistoryThatFails(t *testing.T) {
	f := newFake()
	f.unread = errors.New("state/bench.jsonl: line 3 is no JSON")
	d := drive(t, f, 120, 36)
	d.press("6")
	d.wants("× earlier reports: state/bench.jsonl", "run a benchmark")
}

// TestBenchFits wants whole columns and one frame beside the other at widths between those of the golden frames, whatever number of reports there is.
func TestBenchFits(t *testing.T) {
	for _, w := range []int{80, 90, 100, 119, 120, 159, 160} {
		f := newFake()
		for i := range 3 {
			at := fakeNow.AddDate(0, 0, -i)
			f.reports = append(f.reports, fakeReport(at, 1_000_000, true, 1))
			f.pipelines = append(f.pipelines, fakePipeline(at, 1_000_000, 1))
			f.layouts = append(f.layouts, fakeLayouts(at, 1_000_000, true, 1))
		}
		d := drive(t, f, w, 60)
		d.press("6")
		d.elapse(tickEvery)
		d.wants("report 1 of 3", "median", "same vs last", "✓       ~ ")
		d.press("tab")
		d.wants("report 1 of 3", "verdict", "· no goal", "? no data")
		if w >= 120 {
			d.wants("reference", "reach", "2,412 ms")
		}
		d.press("tab")
		d.wants("report 1 of 3", "date/service/status ", "one file in the order of time ", "same vs last")
		if listed := strings.Contains(d.text(), " reports "); listed != (w >= 160) {
			t.Errorf("%d columns: the list of reports is there: %v", w, listed)
		}
	}
}

// TestEnterOnReportWithoutLines wants a word from a key that opens a line, where a report has none to open.
func TestEnterOnReportWithoutLines(t *testing.T) {
	f := newFake()
	f.reports = append(f.reports, fakeReport(fakeNow, 1_000_000, true, 1))
	d := drive(t, f, 80, 24)
	d.press("6", "enter")
	d.wants("line: only the pipeline's report has lines to open")
}

// TestWordsFit wants the words of forms and tasks whole in a window of 80 columns.
func TestWordsFit(t *testing.T) {
	d := drive(t, newFake().empty(), 80, 24)
	for _, keys := range [][]string{{"6", "a"}, {"tab", "a"}, {"tab", "a"}, {"4"}, {"a", "g"}, {"a", "c"}} {
		d.press(keys...)
		d.lacks("…")
		d.press("esc")
	}
}

// TestHelpTellsWhatAKeyDoesHere wants a key listed once, with what it does at this place.
func TestHelpTellsWhatAKeyDoesHere(t *testing.T) {
	d := drive(t, newFake(), 120, 60)
	d.press("6", "?")
	d.wants("the next suite", "cancel the benchmark")
	d.lacks("focus the next panel", "cancel the query or the task")
	d.press("esc", "1", "?")
	d.wants("focus the next panel", "cancel the query or the task")
}
