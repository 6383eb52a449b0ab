package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/cmd/signallake-tui/pipeline"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
)

// checkMeasure wants a sample a round, each a number that can be.
func checkMeasure(t *testing.T, what string, m *bench.Measure, rounds int) {
	t.Helper()
	if len(m.Samples) < rounds {
		t.Errorf("%s: %d samples", what, len(m.Samples))
	}
	for _, v := range append([]float64{m.Best, m.Median, m.Worst}, m.Samples...) {
		if !(v > 0) || math.IsInf(v, 0) {
			t.Errorf("%s: %+v", what, m)
			return
		}
	}
}

// TestPipelineStages runs every stage end to end, with real children, sockets and DuckDB. How fast anything is, is no part of it.
func TestPipelineStages(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: -short does not run the stages of the pipeline")
	}
	const events = 20_000
	dir := t.TempDir()
	var said []string
	report, err := pipeline.Run(t.Context(), pipeline.Config{Dir: dir, Program: program(t), Events: events, Progress: &lake.Progress{}, Say: func(s string) { said = append(said, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if left := namesIn(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if report.Events != events || report.Rounds != pipeline.MinRounds || len(report.Cached) == 0 || report.Took <= 0 || !strings.HasPrefix(report.Machine.Engine, "DuckDB v") || len(said) == 0 {
		t.Errorf("%+v", report)
	}
	var names []string
	told := map[string]bool{"p95-floor": true} // nothing of both sides can be compared
	for i := range report.Lines {
		l := &report.Lines[i]
		names = append(names, l.Name)
		t.Logf("%s: %.4g %s, ratio %.3g, %q", l.Name, l.Ours.Median, l.Unit, l.Ratio, l.Notes)
		checkMeasure(t, l.Name, &l.Ours, pipeline.MinRounds)
		if (l.Reference == nil) != (l.Against == "") || l.Title == "" || l.Events != events {
			t.Errorf("%s: %+v", l.Name, l)
		}
		if l.Reference != nil {
			checkMeasure(t, l.Name+": reference", l.Reference, 1)
			if !(l.Ratio > 0) {
				t.Errorf("%s: ratio %g", l.Name, l.Ratio)
			}
		}
		compared := l.Reference != nil && !told[l.Name] && l.Unit != "MB" && l.Unit != "files" && !strings.HasPrefix(l.Name, "rival-")
		if compared && l.Same == nil || l.Same != nil && !*l.Same {
			t.Errorf("%s: what should be equal is not, or was not compared: %v", l.Name, l.Notes)
		}
	}
	if !slices.Equal(names, pipeline.Names()) {
		t.Errorf("lines %v, want %v", names, pipeline.Names())
	}
	grown := map[string]bool{}
	for _, g := range report.Growth {
		grown[g.Name] = true
		if len(g.Events) != 2 || len(g.Medians) != 2 || math.IsNaN(g.Exponent) || math.IsInf(g.Exponent, 0) || g.Unit != "ms" {
			t.Errorf("growth %+v", g)
		}
	}
	for _, name := range []string{"generate", "scan", "convert", "ingest", "ingest-cpu", "p95-list", "p95-guided", "error-rate", "dashboard", "whole-lake"} {
		if !grown[name] {
			t.Errorf("no growth of %s", name)
		}
	}
	if one := report.Lines[slices.Index(names, "convert-files")]; one.Ours.Median != one.Reference.Median {
		t.Errorf("files %+v", one)
	}
}

// TestPipelineStops stops the run in stages of every kind: it comes back, its children are gone, and so is what they made.
func TestPipelineStops(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: -short does not run the stages of the pipeline")
	}
	for line, stage := range map[string]string{"convert": "convert, 1000 events: measured", "visible": "visible, 10000 events: requests", "dashboard": "dashboard, 10000 events: measured", "rss-console": "console, 10000 events: measured"} {
		t.Run(line, func(t *testing.T) {
			dir, progress := t.TempDir(), &lake.Progress{}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error)
			go func() {
				_, err := pipeline.Run(ctx, pipeline.Config{Dir: dir, Program: program(t), Events: pipeline.MinEvents, Only: []string{line}, Progress: progress})
				ended <- err
			}()
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for progress.Snapshot().Stage != stage {
				select {
				case err := <-ended:
					t.Fatalf("it ended before the stage: %v", err)
				case <-tick.C:
				}
			}
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("stopped: %v", err)
			}
			if left := namesIn(t, dir); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestBenchStage runs the hidden sub-command as the benchmark does.
func TestBenchStage(t *testing.T) {
	var out, words bytes.Buffer
	w := &world{stdout: &out, stderr: &words, getenv: func(string) string { return "" }}
	if code := run(t.Context(), []string{"bench", "stage", "command", "version"}, w); code != exitOK {
		t.Fatalf("exit code %d: %s", code, words.String())
	}
	var u pipeline.Usage
	if err := json.Unmarshal(out.Bytes(), &u); err != nil || strings.Count(out.String(), "\n") != 1 || u.Wall <= 0 || u.CPU <= 0 || u.Peak <= 0 {
		t.Errorf("%q: %+v, %v", out.String(), u, err)
	}
	for _, args := range [][]string{{}, {"nothing"}, {"convert", "--what"}, {"command", "nothing"}} {
		if code := run(t.Context(), append([]string{"bench", "stage"}, args...), w); code == exitOK {
			t.Errorf("bench stage %q: exit code %d", args, code)
		}
	}
	if strings.Contains(helpText(t, "bench"), "bench stage") {
		t.Error("help tells of the hidden sub-command")
	}
}
