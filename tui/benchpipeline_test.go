package tui

import (
	"context"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
)

// pastPipelines is a console with n earlier reports of the stages, a day between each and the next.
func pastPipelines(n int) *fake {
	f := newFake()
	for i := range n {
		f.pipelines = append(f.pipelines, fakePipeline(fakeNow.AddDate(0, 0, -i), 1_000_000, []float64{1, 1.3, 0.8}[i%3]))
	}
	return f
}

func TestPipelineFromEmptyToReport(t *testing.T) {
	f := newFake()
	var got PipelineParams
	f.tasks.Pipeline = func(_ context.Context, p PipelineParams, _ *lake.Progress) (*bench.Pipeline, error) {
		got = p
		r := fakePipeline(fakeNow, p.Events, 1)
		return &r, nil
	}
	d := drive(t, f, 120, 36)
	d.press("6", "tab")
	d.wants("No benchmark has run yet", "beside a reference", "3 GB", "run a benchmark")
	d.press("enter", "ctrl+u", "text:250k", "tab", "ctrl+u", "text:9", "tab", "text:convert, p95-lost", "enter")
	d.wants(`no line is "p95-lost"; there is p95-list`) // the form stays
	d.press("backspace", "backspace", "backspace", "text:ist", "enter")
	if got.Events != 250_000 || got.Rounds != 9 || strings.Join(got.Only, " ") != "convert p95-list" {
		t.Errorf("the benchmark got %+v", got)
	}
	d.elapse(tickEvery)
	d.wants("250,000 events", "8 of 11 goals met", "3 FAIL", "× FAIL", "◆ reached", "✓ pass", "· no goal", "? no data", "growth")
	d.press("4", "enter")
	d.wants("8 of 11 goals met; FAIL: visible", "Enter: look at the report")
	d.press("esc", "6", "shift+tab")
	d.wants("No benchmark has run yet", "in a Hive tree") // the ladder
	d.press("4", "enter", "enter")
	d.wants("p95-guided")
}

func TestPipelineLine(t *testing.T) {
	d := drive(t, pastPipelines(5), 120, 36)
	d.press("6", "tab")
	d.frame()
	d.press("down", "down", "enter")
	d.wants("Bench › pipeline › convert", "JSONL to partitioned Parquet", "equal outcomes", "the reference is DuckDB read_json", "✓ met, 20.0% to spare", "× missed by 25.0%",
		"5 runs: first 2.31x, now 3.00x, best 3.75x", "▲ +30 % better than on 2026-11-20 14:22Z", "· both write with two threads")
	d.lacks("rival-rate")
	d.press("left")
	d.wants("Bench › pipeline › 2026-11-20 14:22Z › convert", "× missed by 7.69%", "4 runs", "▼ -38 % worse") // the same line of the run before
	d.press("a")
	d.wants("only    convert")
	d.press("esc", "esc")
	d.wants("rival-rate", "▸convert")
	d.press("y", "l")
	var copied string
	for _, msg := range d.seen {
		copied += strings.ToLower(typeName(msg))
	}
	if !strings.Contains(copied, "clipboard") {
		t.Errorf("nothing was copied: %s", copied)
	}
	if text := d.app.bench.copies()[0].text; !strings.Contains(text, "| convert | 1M | 1,045 ms | 2,412 ms | 2.31x |") || !strings.Contains(text, "### findings") {
		t.Errorf("the Markdown is\n%s", text)
	}
}

// TestPipelineCursor keeps the cursor on the screen where there is more than fits, and lets the keys scroll where there is none.
func TestPipelineCursor(t *testing.T) {
	d := drive(t, pastPipelines(2), 80, 16)
	d.press("6", "tab")
	for range 12 {
		d.frame()
		d.press("down")
	}
	d.wants("▸plan") // the last line, and the rows have gone up
	d.lacks("generate  ")
	d.frame()
	d.press("down")
	d.wants("growth")
	for range 10 {
		d.frame()
		d.press("up")
	}
	d.frame()
	d.press("up")
	d.wants("▸generate", "1,000,000 events · at least 5 rounds")
	d.click("convert   ")
	d.wants("▸convert")
	d.press("G")
	d.lacks("▸convert")
	d.wants("Better than")
	top := d.app.bench.pipeline.top
	d.press("up")
	if got := d.app.bench.pipeline.top; got != top-1 {
		t.Errorf("↑ without the cursor in sight went from row %d to %d", top, got)
	}
}

func TestPipelineIsCancelled(t *testing.T) {
	f := pastPipelines(1)
	entered := make(chan struct{}, 1)
	f.tasks.Pipeline = func(ctx context.Context, _ PipelineParams, p *lake.Progress) (*bench.Pipeline, error) {
		p.Start("convert: rounds", 10)
		p.Add(4)
		entered <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	d := drive(t, f, 120, 36)
	d.press("6", "tab", "a")
	d.send(key("enter"))
	<-entered
	d.send(tickMsg{})
	d.wants("convert: rounds", "40%", "Ctrl+C cancels", "8 of 11 goals met") // the earlier report stays
	d.send(key("tab"))
	d.wants("pipeline runs", "No benchmark has run yet")
	d.send(key("a"))
	d.wants("run: pipeline runs: Ctrl+C cancels it") // two at a time would measure each other
	d.send(key("ctrl+c"))
	d.settle()
	d.elapse(tickEvery)
	d.lacks("40%", "pipeline runs: convert")
	if j := d.app.jobs[0]; j.State != Cancelled {
		t.Errorf("the run is in state %d", j.State)
	}
}

func TestPipelineCompare(t *testing.T) {
	f := pastPipelines(3)
	other := fakePipeline(fakeNow.AddDate(0, 0, -9), 10_000_000, 1)
	f.pipelines = append(f.pipelines, other)
	d := drive(t, f, 160, 45)
	d.press("6", "tab")
	d.wants("report 1 of 4", "compared with 2026-11-20", "▲ +30%", "1M events, 8 of 11 goals met", "10M events")
	d.lacks("▲ +30%!")
	d.press("left")
	d.wants("report 2 of 4", "compared with 2026-11-19", "▼ -38%!", "× FAIL")
	d.press("right", "c", "text:nothing", "enter")
	d.lacks("compared with 2026-11-20", "vs last")
	d.press("c", "text:11-12", "enter")
	d.wants("other data or another machine")
	d.click("ladder")
	d.wants("No benchmark has run yet")
	d.click("pipeline")
	d.wants("report 1 of 4")
}
