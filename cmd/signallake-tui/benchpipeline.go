package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"github.com/signallake/signallake/cmd/signallake-tui/pipeline"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui"
)

const pipelinePrefix = "pipeline-" // of scratch folders

// failedError is a benchmark that ran to its end and missed goals.
type failedError struct{ names []string }

func (e *failedError) Error() string {
	return fmt.Sprintf("bench pipeline: FAIL: %s", strings.Join(e.names, ", "))
}

// runBenchPipeline measures the stages, prints the report, and fails where a goal is missed.
func runBenchPipeline(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "bench pipeline")
	p := tui.PipelineParams{}
	flags.Int64Var(&p.Events, "events", defaultCount, "`events` of the largest lake that is made for the run; growth is told from smaller ones too")
	flags.IntVar(&p.Rounds, "rounds", pipeline.MinRounds, fmt.Sprintf("`rounds` of each measure, at least %d", pipeline.MinRounds))
	only := flags.String("only", "", "`names` of lines with commas between, else all: "+strings.Join(pipeline.Names(), ", "))
	judge := flags.Bool("judge", true, "end with code 1 where a goal is missed")
	asJSON := flags.Bool("json", false, "the report as one JSON object, with every sample and the verdicts")
	write := flags.String("write", "", "write the newest reports of each size into this `file`, as docs/BENCHMARKS.md")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if p.Events < pipeline.MinEvents || p.Rounds < pipeline.MinRounds {
		return usagef("bench pipeline: --events must be at least %d and --rounds at least %d", pipeline.MinEvents, pipeline.MinRounds)
	}
	var err error
	if p.Only, err = lineNames(*only); err != nil {
		return usagef("bench pipeline: --only: %v", err)
	}
	if err := checkPage("bench pipeline", *write); err != nil {
		return err
	}
	report, err := headlessPipeline(ctx, w, *dir, p)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	history, err := publish(w, *dir, pipelineHistory, report, *write, bench.PipelineSections)
	if err != nil {
		return err
	}
	if *asJSON {
		err = writeJSON(w.stdout, report.Judge())
	} else {
		columns := columnsOf(w.stdout)
		_, err = fmt.Fprint(w.stdout, folded(bench.PipelineText(report, bench.Previous(history, report), columns), columns))
	}
	if names := report.Failed(); err == nil && *judge && len(names) > 0 {
		return &failedError{names}
	}
	return err
}

// lineNames reads a list of lines' names.
func lineNames(text string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !slices.Contains(pipeline.Names(), name) {
			return nil, fmt.Errorf("there is no line %q: there are %s", name, strings.Join(pipeline.Names(), ", "))
		}
		names = append(names, name)
	}
	return names, nil
}

// columnsOf is how wide the terminal behind w is; 0 where it is none.
func columnsOf(w any) int {
	file, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(file.Fd())
	if err != nil {
		return 0
	}
	return width
}

// headlessPipeline tells on standard error how far the run is, and what each stage gave.
func headlessPipeline(ctx context.Context, w *world, dir string, p tui.PipelineParams) (*bench.Pipeline, error) {
	progress, begin := &lake.Progress{}, ""
	if isTerminal(w.stderr) {
		begin = "\r\x1b[K" // over the line of progress
	}
	stop := showProgress(w.stderr, progress)
	defer stop()
	return benchPipeline(ctx, dir, p, w.now, progress, func(sentence string) { fmt.Fprint(w.stderr, begin+sentence+"\n") })
}

// benchPipeline measures the stages in a scratch folder, which goes also when the run fails or is stopped.
func benchPipeline(ctx context.Context, dir string, p tui.PipelineParams, now func() time.Time, progress *lake.Progress, say func(string)) (report *bench.Pipeline, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("benchmark: find this program: %w", err)
	}
	scratch, remove, err := scratchFolder(scratchParent(dir), pipelinePrefix, pipeline.Room(p.Events))
	if err != nil {
		return nil, fmt.Errorf("benchmark: %w", err)
	}
	defer func() {
		progress.Start("remove the scratch lakes", 0)
		err = errors.Join(err, remove())
	}()
	report, err = pipeline.Run(ctx, pipeline.Config{Dir: scratch, Program: program, Events: p.Events, Rounds: p.Rounds, Only: p.Only, Progress: progress, Now: now, Say: say})
	if err != nil {
		return nil, err
	}
	info, _ := debug.ReadBuildInfo()
	report.Format, report.At, report.Program = bench.PipelineFormat, now().UTC(), buildVersion(info)
	describeMachine(&report.Machine)
	return report, nil
}

// runPipelineTask is the console's benchmark of the stages. The report is in the history when it returns.
func (s *stack) runPipelineTask(ctx context.Context, p tui.PipelineParams, progress *lake.Progress) (*bench.Pipeline, error) {
	dir := s.lake.Layout().Root
	report, err := benchPipeline(ctx, dir, p, s.now, progress, nil)
	if err != nil {
		return nil, unlessCancelled(ctx, err)
	}
	_, err = remember(dir, pipelineHistory, report)
	return report, err
}
