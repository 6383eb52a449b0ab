package tui

import (
	"context"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui/widget"
)

// The bench form's choices of data.
const scratchLake, lakeAtHand = "scratch lake", "this lake"

// askBench asks for a benchmark's parameters.
func (a *App) askBench() tea.Cmd {
	return a.askForm("benchmark", []widget.Field{
		{Name: "data", Value: scratchLake, Choices: []string{scratchLake, lakeAtHand}, Hint: "a scratch lake is made for the run, in a folder of its own, and gone after it"},
		{Name: "events", Value: "1M", Hint: "of the scratch lake: 1M takes some 15 s to make and 600 MB of disk; this lake has its own", Check: whole(1000, 1_000_000_000)},
		{Name: "runs", Value: "7", Hint: "timed rounds, 7 and more; the median counts", Check: whole(7, 1000)},
		{Name: "cold", Value: "no", Choices: []string{"no", "yes"}, Hint: "also with the files' pages dropped from memory before each question: slower"},
	}, a.startBench)
}

// startBench starts the benchmark that the form describes, and shows its screen.
func (a *App) startBench(f *widget.Form) tea.Cmd {
	events, _ := wholeOf(f.Value("events"))
	runs, _ := wholeOf(f.Value("runs"))
	p := BenchParams{Events: events, Runs: int(runs), Cold: f.Value("cold") == "yes"}
	title := "bench " + count(events) + " events"
	if f.Value("data") == lakeAtHand {
		p.Events, title = 0, "bench this lake"
	}
	var made atomic.Pointer[bench.Report]
	next := lead{label: "look at the report", open: func() tea.Cmd { return a.open(benchScreen) }, ended: func(s State) tea.Cmd {
		if s != Done {
			return nil
		}
		return a.bench.finished(made.Load())
	}}
	run := a.cfg.Tasks.Bench
	job := a.runner.start(title, func(ctx context.Context, progress *lake.Progress) (string, error) {
		report, err := run(ctx, p, progress)
		if err != nil {
			return "", err
		}
		made.Store(report)
		return benchSummary(report), nil
	}, &next)
	if job != nil {
		a.bench.job = job.ID
	}
	cmd := a.await(job)
	if a.current == benchScreen {
		return cmd
	}
	return tea.Batch(cmd, a.open(benchScreen))
}
