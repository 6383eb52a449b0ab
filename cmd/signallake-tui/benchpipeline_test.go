package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/sql/bench"
)

// pipelineWorld is a world for a command line, whose words and data are kept.
func pipelineWorld() (w *world, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	return &world{stdin: strings.NewReader(""), stdout: stdout, stderr: stderr, getenv: func(string) string { return "" }, now: time.Now}, stdout, stderr
}

// TestBenchPipeline measures one stage of a small lake: the report is printed, kept and written whatever the verdict, and the exit code follows the verdict.
func TestBenchPipeline(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "BENCHMARKS.md")
	args := []string{"bench", "pipeline", "--data", dir, "--events", "10000", "--only", "generate"}
	w, stdout, stderr := pipelineWorld()
	code := run(t.Context(), append(args, "--json", "--write", page), w)
	var report bench.Judged
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		t.Fatalf("%v in %s\n%s", err, stdout, stderr)
	}
	want := exitOK
	if len(report.Failed) > 0 {
		want = exitFailed
	}
	if code != want || (code == exitFailed) != strings.Contains(stderr.String(), "bench pipeline: FAIL: ") {
		t.Errorf("exit code %d, want %d: %v fail\n%s", code, want, report.Failed, stderr)
	}
	if len(report.Lines) != 1 || len(report.Lines[0].Ours.Samples) < 5 || report.Lines[0].Same == nil || !*report.Lines[0].Same || report.Program == "" || report.Machine.CPU == "" || report.At.IsZero() {
		t.Errorf("the report is %+v", report)
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "\n## Pipeline, 10,000 events\n") {
		t.Errorf("the page is %s, %v", text, err)
	}
	w, stdout, stderr = pipelineWorld()
	if code := run(t.Context(), append(args, "--judge=false"), w); code != exitOK {
		t.Errorf("not judged: exit code %d\n%s", code, stderr)
	}
	for _, text := range []string{"pipeline, 10,000 events", "\ngenerate ", "since the last run", "findings"} {
		if !strings.Contains(stdout.String(), text) {
			t.Errorf("%q is not in the report:\n%s", text, stdout)
		}
	}
	if kept, err := reports[bench.Pipeline](dir, pipelineHistory); err != nil || len(kept) != 2 {
		t.Errorf("%d reports are kept, %v", len(kept), err)
	}
	if left := namesIn(t, filepath.Join(dir, "tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// canceller stops a run at the first sentence that it hears.
type canceller struct {
	bytes.Buffer
	stop context.CancelFunc
}

func (c *canceller) Write(p []byte) (int, error) {
	c.stop()
	return c.Buffer.Write(p)
}

func TestBenchPipelineStops(t *testing.T) {
	dir := t.TempDir()
	w, stdout, _ := pipelineWorld()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	words := &canceller{stop: cancel}
	w.stderr = words
	if code := run(ctx, []string{"--data", dir, "bench", "pipeline", "--events", "10000", "--only", "generate"}, w); code != exitInterrupted || stdout.Len() > 0 {
		t.Errorf("exit code %d: %s%s", code, stdout, words)
	}
	if !strings.Contains(words.String(), "nothing of it stays") {
		t.Errorf("it says %s", words)
	}
	if left := namesIn(t, filepath.Join(dir, "tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if kept, err := reports[bench.Pipeline](dir, pipelineHistory); err != nil || len(kept) > 0 {
		t.Errorf("kept: %v, %v", kept, err)
	}
}

func TestBenchPipelineUsage(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"bench pipeline --only convert,nonsense", `there is no line "nonsense"`},
		{"bench pipeline --events 10", "--events must be at least"},
		{"bench pipeline --rounds 2", "--rounds at least"},
		{"bench pipeline --write /nowhere/at/all.md", "there is no folder"},
		{"bench pipeline more", `bench pipeline: what is "more"`},
		{"bench pipelines", `bench: what is "pipelines"`},
		{"help bench pipelines", `unknown command "bench pipelines"`},
	} {
		w, _, stderr := pipelineWorld()
		if code := run(t.Context(), strings.Fields(c.args), w); code != exitUsage || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s: exit code %d: %s", c.args, code, stderr)
		}
	}
	if list := helpText(t); strings.Contains(list, "bench stage") {
		t.Errorf("help lists what is no command of people:\n%s", list)
	}
}
