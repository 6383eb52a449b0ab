package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/sql/duck"
	"github.com/signallake/signallake/tui"
)

const (
	// benchStart is the first day of every scratch lake: the same seed then gives the same bytes on any day, and reports can be compared.
	benchStart = "2026-01-05"
	// benchDistribution says in the report what the generator makes.
	benchDistribution = "a daily rhythm, log-normal latencies, an incident a day"
	// benchRoom is what an event of a scratch lake takes on the disk: raw, Parquet, and the twin.
	benchRoom   = 700
	benchPrefix = "bench-" // of scratch folders
)

// runBench runs the ladder and prints the report.
func runBench(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "bench")
	p := tui.BenchParams{}
	flags.Int64Var(&p.Events, "events", defaultCount, "`events` of the lake that is made for the run")
	atHand := flags.Bool("lake", false, "ask the lake at hand instead")
	flags.IntVar(&p.Runs, "runs", duck.BenchRuns, fmt.Sprintf("timed `rounds`, at least %d", duck.BenchRuns))
	flags.BoolVar(&p.Cold, "cold", true, "also with the files' pages dropped before each question")
	asJSON := flags.Bool("json", false, "the report as one JSON object")
	write := flags.String("write", "", "write the newest reports of each size to this `file`, as docs/BENCHMARKS.md")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if p.Events < 1 || p.Runs < duck.BenchRuns {
		return usagef("bench: --events must be at least 1 and --runs at least %d", duck.BenchRuns)
	}
	if err := checkPage("bench", *write); err != nil {
		return err
	}
	if *atHand {
		p.Events = 0
	}
	report, err := headlessBench(ctx, w, *dir, p)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	history, err := publish(w, *dir, ladderHistory, report, *write, bench.LadderSections)
	if err != nil {
		return err
	}
	if *asJSON {
		return writeJSON(w.stdout, report)
	}
	_, err = fmt.Fprint(w.stdout, folded(bench.Text(report, bench.Previous(history, report)), columnsOf(w.stdout)))
	return err
}

// headlessBench opens what the run needs: nothing for a scratch lake; the lake at hand as its owner, or read-only where it has one.
func headlessBench(ctx context.Context, w *world, dir string, p tui.BenchParams) (*bench.Report, error) {
	progress := &lake.Progress{}
	stop := showProgress(w.stderr, progress)
	defer stop()
	if p.Events > 0 {
		return benchScratch(ctx, dir, p, w.now, progress)
	}
	l, err := openLake(ctx, w, dir, "bench")
	if errors.Is(err, lake.ErrOwned) {
		l, err = lake.Open(ctx, lake.Config{Dir: dir, ReadOnly: true, Now: w.now})
	}
	if err != nil {
		return nil, err
	}
	report, err := benchLake(ctx, l, p, w.now, progress)
	return report, errors.Join(err, l.Close())
}

// runBenchTask is the console's benchmark: of its own lake when p.Events is 0. The report is in the history when it returns.
func (s *stack) runBenchTask(ctx context.Context, p tui.BenchParams, progress *lake.Progress) (*bench.Report, error) {
	var report *bench.Report
	var err error
	dir := s.lake.Layout().Root
	if p.Events > 0 {
		report, err = benchScratch(ctx, dir, p, s.now, progress)
	} else {
		report, err = benchLake(ctx, s.lake, p, s.now, progress)
	}
	if err != nil {
		return nil, unlessCancelled(ctx, err)
	}
	_, err = remember(dir, ladderHistory, report)
	return report, err
}

// benchLake asks a lake that is there. Its owner makes the unpartitioned twin when there is none of this version.
func benchLake(ctx context.Context, l *lake.Lake, p tui.BenchParams, now func() time.Time, progress *lake.Progress) (*bench.Report, error) {
	version := l.Current()
	if len(version.Files) == 0 {
		return nil, errors.New("benchmark: the lake holds no Parquet file yet: `signallake-tui convert` makes them")
	}
	twin, ok, err := l.Unpartitioned()
	if err != nil {
		return nil, err
	}
	if (!ok || twin.Version != version.Number) && !l.ReadOnly() {
		if _, err := l.ConvertUnpartitioned(ctx, progress); err != nil {
			return nil, err
		}
	}
	report, err := duck.Bench(ctx, duck.BenchConfig{Lake: l, Runs: p.Runs, Cold: p.Cold, Seed: defaultSeed}, progress)
	if err != nil {
		return nil, err
	}
	report.At = now().UTC()
	describeMachine(&report.Machine)
	return report, nil
}

// benchScratch makes a lake, asks it, and takes it away again, also when the run fails or is stopped.
func benchScratch(ctx context.Context, dir string, p tui.BenchParams, now func() time.Time, progress *lake.Progress) (report *bench.Report, err error) {
	scratch, remove, err := scratchFolder(scratchParent(dir), benchPrefix, p.Events*benchRoom)
	if err != nil {
		return nil, fmt.Errorf("benchmark: %w", err)
	}
	defer func() {
		progress.Start("remove the scratch lake", 0)
		err = errors.Join(err, remove())
	}()
	l, err := scratchLake(ctx, scratch, "bench", p.Events, now, progress)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	report, err = benchLake(ctx, l, p, now, progress)
	if err != nil {
		return nil, err
	}
	report.Data.Scratch, report.Data.Seed, report.Data.Distribution = true, defaultSeed, benchDistribution
	return report, nil
}

// scratchLake makes a lake of so many events, the same on any day, all of them converted.
func scratchLake(ctx context.Context, dir, command string, events int64, now func() time.Time, progress *lake.Progress) (*lake.Lake, error) {
	l, err := lake.Open(ctx, lake.Config{Dir: dir, Now: now, ConvertAge: -1, Owner: lake.Owner{PID: os.Getpid(), Command: command, Since: now()}})
	if err != nil {
		return nil, err
	}
	made := tui.GenerateParams{Count: events, Seed: defaultSeed, Days: defaultDays, Services: defaultServices, Start: benchStart}
	if _, err = generate(ctx, l, made, now(), progress); err == nil {
		_, err = convert(ctx, l, "partitioned", progress)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
