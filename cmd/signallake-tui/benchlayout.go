package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/sql/duck"
	"github.com/signallake/signallake/tui"
)

const (
	layoutPrefix = "layout-" // of scratch folders
	// layoutEvents is the least that has every partition of the scratch lake.
	layoutEvents = 10_000
)

// runBenchLayout measures layouts and prints the report.
func runBenchLayout(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "bench layout")
	p := tui.LayoutParams{}
	flags.Int64Var(&p.Events, "events", defaultCount, "`events` of the lake that is made for the run, and then written in each way")
	flags.IntVar(&p.Rounds, "rounds", duck.LayoutRounds, fmt.Sprintf("timed `rounds` of everything, at least %d", duck.LayoutRounds))
	flags.BoolVar(&p.Cold, "cold", true, "also with the files' pages dropped before each question")
	asJSON := flags.Bool("json", false, "the report as one JSON object, with every sample")
	write := flags.String("write", "", "write the newest reports of each size into this `file`, as docs/BENCHMARKS.md")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if p.Events < layoutEvents || p.Rounds < duck.LayoutRounds {
		return usagef("bench layout: --events must be at least %d and --rounds at least %d", layoutEvents, duck.LayoutRounds)
	}
	if err := checkPage("bench layout", *write); err != nil {
		return err
	}
	progress := &lake.Progress{}
	stop := showProgress(w.stderr, progress)
	report, err := benchLayouts(ctx, *dir, p, w.now, progress)
	stop()
	if err != nil {
		return unlessStopped(ctx, err)
	}
	history, err := publish(w, *dir, layoutHistory, report, *write, bench.LayoutSections)
	if err != nil {
		return err
	}
	if *asJSON {
		return writeJSON(w.stdout, report)
	}
	columns := columnsOf(w.stdout)
	_, err = fmt.Fprint(w.stdout, folded(bench.LayoutText(report, bench.Previous(history, report), columns), columns))
	return err
}

// benchLayouts makes a lake in a scratch folder, writes its events in each way and asks them. The folder goes also when the run fails or is stopped.
func benchLayouts(ctx context.Context, dir string, p tui.LayoutParams, now func() time.Time, progress *lake.Progress) (report *bench.Layouts, err error) {
	scratch, remove, err := scratchFolder(scratchParent(dir), layoutPrefix, p.Events*duck.LayoutRoom)
	if err != nil {
		return nil, fmt.Errorf("benchmark: %w", err)
	}
	defer func() {
		progress.Start("remove the layouts", 0)
		err = errors.Join(err, remove())
	}()
	l, err := scratchLake(ctx, filepath.Join(scratch, "lake"), "bench layout", p.Events, now, progress)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	layouts := filepath.Join(scratch, "layouts")
	if err := os.Mkdir(layouts, 0o755); err != nil {
		return nil, fmt.Errorf("benchmark: %w", err)
	}
	report, err = duck.BenchLayouts(ctx, duck.LayoutConfig{Lake: l, Dir: layouts, Rounds: p.Rounds, Cold: p.Cold, Seed: defaultSeed, Progress: progress})
	if err != nil {
		return nil, err
	}
	info, _ := debug.ReadBuildInfo()
	report.At, report.Program = now().UTC(), buildVersion(info)
	report.Data.Seed, report.Data.Distribution = defaultSeed, benchDistribution
	describeMachine(&report.Machine)
	return report, nil
}

// runLayoutTask is the console's benchmark of layouts. The report is in the history when it returns.
func (s *stack) runLayoutTask(ctx context.Context, p tui.LayoutParams, progress *lake.Progress) (*bench.Layouts, error) {
	dir := s.lake.Layout().Root
	report, err := benchLayouts(ctx, dir, p, s.now, progress)
	if err != nil {
		return nil, unlessCancelled(ctx, err)
	}
	_, err = remember(dir, layoutHistory, report)
	return report, err
}
