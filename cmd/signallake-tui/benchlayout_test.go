package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui"
)

// TestBenchLayout runs the command on a few events: report, history and page come of it, and the layouts are gone.
func TestBenchLayout(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(t.TempDir(), "page.md")
	var out, told bytes.Buffer
	w := &world{stdin: strings.NewReader(""), stdout: &out, stderr: &told, getenv: func(string) string { return "" }, now: time.Now}
	if err := runBenchLayout(t.Context(), w, []string{"--data", dir, "--events", "10000", "--cold=false", "--json", "--write", page}); err != nil {
		t.Fatal(err)
	}
	var report bench.Layouts
	if err := json.Unmarshal(out.Bytes(), &report); err != nil || report.Data.Events != 10_000 || len(report.Axes) != 4 || report.Machine.CPU == "" || report.At.IsZero() {
		t.Errorf("%v, report %+v", err, report.Data)
	}
	kept, err := reports[bench.Layouts](dir, layoutHistory)
	if err != nil || len(kept) != 1 || !kept[0].At.Equal(report.At) {
		t.Errorf("%d reports in the history, %v", len(kept), err)
	}
	text, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(text), "## Layouts, 10,000 events\n") {
		t.Errorf("the page: %v\n%s", err, text)
	}
	if left := namesIn(t, dir); strings.Join(left, " ") != "state tmp" && strings.Join(left, " ") != "state" {
		t.Errorf("in the data folder: %v", left)
	}
	if entries, err := os.ReadDir(filepath.Join(dir, "tmp")); err == nil && len(entries) > 0 {
		t.Errorf("in tmp: %v", entries)
	}
}

func TestBenchLayoutGoes(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	progress, ended := &lake.Progress{}, make(chan error)
	go func() {
		_, err := benchLayouts(ctx, dir, tui.LayoutParams{Events: 20_000, Rounds: 5}, time.Now, progress)
		ended <- err
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s := progress.Snapshot(); s.Stage != "write layouts" || s.Done == 0; s = progress.Snapshot() {
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
	if left := namesIn(t, filepath.Join(dir, "tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestBenchLayoutRefuses(t *testing.T) {
	w := &world{stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, getenv: func(string) string { return "" }, now: time.Now}
	for _, args := range [][]string{{"--events", "5"}, {"--rounds", "4"}, {"--write", "/no/such/folder/page.md"}, {"more"}} {
		err := runBenchLayout(t.Context(), w, append([]string{"--data", t.TempDir()}, args...))
		var usage *usageError
		if !errors.As(err, &usage) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
