package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/signallake/signallake/cmd/signallake-tui/pipeline"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
	"github.com/signallake/signallake/tui"
)

// The generator's defaults, for the command and for the console's form: enough for every panel to have something to say.
const (
	defaultCount    = 1_000_000
	defaultSeed     = 7
	defaultDays     = 7
	defaultServices = 8
)

// generate writes synthetic events into the lake and says what it did.
func generate(ctx context.Context, l *lake.Lake, p tui.GenerateParams, now time.Time, progress *lake.Progress) (string, error) {
	generator, err := newGenerator(p, now)
	if err != nil {
		return "", err
	}
	started := time.Now()
	progress.Start("generate", p.Count)
	written := int64(0)
	err = generator.Run(ctx, 0, func(b lake.Batch) error {
		if _, err := appendPatiently(ctx, l, b); err != nil {
			return err
		}
		written += int64(b.N)
		progress.Add(int64(b.N))
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("%d of %d events were written and stay: %w", written, p.Count, err)
	}
	took := time.Since(started)
	return fmt.Sprintf("%s events of %d days, seed %d, %s", lake.Thousands(written), p.Days, p.Seed, pace(written, took)), nil
}

// pace is how long so many events took, and how many a second that is.
func pace(events int64, took time.Duration) string {
	return fmt.Sprintf("in %s (%s a second)", took.Round(time.Millisecond), lake.Thousands(int64(float64(events)/max(took.Seconds(), 1e-9))))
}

// generateFile writes synthetic events into a new file, which is there as a whole or not at all, and says what it did.
func generateFile(ctx context.Context, path string, p tui.GenerateParams, now time.Time) (_ string, err error) {
	generator, err := newGenerator(p, now)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("generate: %s is there already: name another file, or remove it first", path)
	}
	if err != nil {
		return "", fmt.Errorf("generate: %w", err)
	}
	started := time.Now()
	size, err := generator.Fill(ctx, 0, f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		if removing := os.Remove(path); removing != nil {
			return "", errors.Join(err, removing)
		}
		return "", &stoppedError{fmt.Sprintf("%v; %s was removed", err, path), err}
	}
	took := time.Since(started)
	return fmt.Sprintf("%d events of %d days, seed %d, %d bytes in %s, in %s (%.0f a second)", p.Count, p.Days, p.Seed, size, path, took.Round(time.Millisecond), float64(p.Count)/took.Seconds()), nil
}

// appendPatiently appends, and where the lake's backlog is full converts it first.
func appendPatiently(ctx context.Context, l *lake.Lake, b lake.Batch) (lake.Receipt, error) {
	for {
		receipt, err := l.Append(ctx, b)
		if !errors.Is(err, lake.ErrBacklog) {
			return receipt, err
		}
		if _, err := l.Convert(ctx, nil); err != nil {
			return receipt, err
		}
	}
}

func newGenerator(p tui.GenerateParams, now time.Time) (*gen.Generator, error) {
	config := gen.Config{Seed: p.Seed, Count: p.Count, Days: p.Days, Services: p.Services, End: lake.MicrosOf(now), ReceivedAt: lake.MicrosOf(now)}
	if p.Start != "" {
		start, err := lake.ParseInstant(p.Start, now)
		if err != nil {
			return nil, fmt.Errorf("start: %w", err)
		}
		config.Start, config.End = start, 0
	}
	return gen.New(config)
}

// convert turns raw into Parquet, writes the benchmark's twin, or both.
func convert(ctx context.Context, l *lake.Lake, layout string, progress *lake.Progress) (string, error) {
	var done string
	if layout == "partitioned" || layout == "both" {
		r, err := l.Convert(ctx, progress)
		if err != nil {
			return "", err
		}
		done = "nothing to convert: every event is in Parquet already"
		if r.Events > 0 {
			done = fmt.Sprintf("%s events into %s files, %s bytes, %s", lake.Thousands(r.Events), lake.Thousands(int64(r.Files)), lake.Thousands(r.Bytes), pace(r.Events, r.Elapsed))
		}
	}
	if layout == "unpartitioned" || layout == "both" {
		r, err := l.ConvertUnpartitioned(ctx, progress)
		if err != nil {
			return "", err
		}
		if done != "" {
			done += "; "
		}
		done += fmt.Sprintf("unpartitioned twin of version %d: %s events, %s bytes, in %s", r.Version, lake.Thousands(r.Events), lake.Thousands(r.Bytes), r.Elapsed.Round(time.Millisecond))
	}
	return done, nil
}

// verify proves the lake and says so in a line; problems are an error that names them.
func verify(ctx context.Context, l *lake.Lake, progress *lake.Progress) (string, error) {
	report, err := l.Verify(ctx, progress)
	if err != nil {
		return "", err
	}
	if !report.OK {
		return "", damageOf(&report)
	}
	return fmt.Sprintf("%s events, each visible exactly once; %s files, %s bytes checked", lake.Thousands(report.Events.Visible), lake.Thousands(int64(report.FilesChecked)), lake.Thousands(report.BytesChecked)), nil
}

// tasks are the long operations that the console may start.
func (s *stack) tasks() tui.Tasks {
	verifyTask := func(ctx context.Context, p *lake.Progress) (string, error) { return verify(ctx, s.lake, p) }
	if s.owner != nil {
		return tui.Tasks{Verify: verifyTask, Bench: s.runBenchTask, Pipeline: s.runPipelineTask, Stages: pipeline.Names(), Layout: s.runLayoutTask, Why: fmt.Sprintf("%s (process %d) owns this lake: start it there", s.owner.Command, s.owner.PID)}
	}
	return tui.Tasks{
		Verify: verifyTask, Bench: s.runBenchTask, Pipeline: s.runPipelineTask, Stages: pipeline.Names(), Layout: s.runLayoutTask,
		Generate: func(ctx context.Context, params tui.GenerateParams, p *lake.Progress) (string, error) {
			return generate(ctx, s.lake, params, s.now(), p)
		},
		Convert: func(ctx context.Context, layout string, p *lake.Progress) (string, error) {
			return convert(ctx, s.lake, layout, p)
		},
		Import: func(ctx context.Context, params tui.ImportParams, p *lake.Progress) (string, error) {
			return importFiles(ctx, s.lake, params, s.importing, p)
		},
	}
}

// importPiped follows what is piped into the console, as long as somebody writes it.
func (s *stack) importPiped(ctx context.Context, p *lake.Progress) (string, error) {
	if s.owner != nil {
		return "", fmt.Errorf("what is piped in is not read: %s (process %d) owns this lake, and only it writes; %s", s.owner.Command, s.owner.PID, wayIn(*s.owner))
	}
	return importFiles(ctx, s.lake, tui.ImportParams{Paths: []string{"-"}}, s.importing, p)
}
