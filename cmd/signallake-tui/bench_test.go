package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui"
)

func namesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestBenchScratchGoes stops the benchmark in each of its stages: the scratch lake is gone when it has come back.
func TestBenchScratchGoes(t *testing.T) {
	for _, stage := range []string{"generate", "warm: questions"} {
		t.Run(stage, func(t *testing.T) {
			dir := t.TempDir()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			progress, ended := &lake.Progress{}, make(chan error)
			go func() {
				_, err := benchScratch(ctx, dir, tui.BenchParams{Events: 30_000, Runs: 1000}, time.Now, progress)
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
			if left := namesIn(t, filepath.Join(dir, "tmp")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestScratchFolder checks what the next run takes away: what a killed one left, and nothing that is in use, new, or of others.
func TestScratchFolder(t *testing.T) {
	dir := t.TempDir()
	tmp := filepath.Join(dir, "tmp")
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{"bench-killed", "bench-in-use", "bench-new", "others"} {
		if err := os.MkdirAll(filepath.Join(tmp, name, "raw"), 0o755); err != nil {
			t.Fatal(err)
		}
		if name != "bench-new" {
			if err := os.Chtimes(filepath.Join(tmp, name), old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	lock, err := os.Open(filepath.Join(tmp, "bench-in-use"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	scratch, remove, err := scratchFolder(scratchParent(dir), benchPrefix, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Base(scratch), "bench-in-use", "bench-new", "others"}
	if got := namesIn(t, tmp); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("in tmp: %v, want %v", got, want)
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(scratch); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the scratch folder is still there: %v", err)
	}
	if _, _, err := scratchFolder(scratchParent(dir), benchPrefix, 1<<60); err == nil || !strings.Contains(err.Error(), "choose fewer --events") {
		t.Errorf("more than any disk has: %v", err)
	}
	elsewhere, remove, err := scratchFolder(scratchParent(filepath.Join(dir, "no-lake")), benchPrefix, 1)
	if err != nil || filepath.Dir(elsewhere) != filepath.Clean(os.TempDir()) {
		t.Errorf("without a data folder: %s, %v", elsewhere, err)
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
}

// TestRemember writes from several goroutines, as several processes may: no report is lost.
func TestRemember(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if _, err := remember(dir, ladderHistory, &bench.Report{Format: bench.Format, Data: bench.Data{Events: int64(i)}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	kept, err := reports[bench.Report](dir, ladderHistory)
	if err != nil || len(kept) != 8 {
		t.Errorf("%d reports, %v", len(kept), err)
	}
	if kept, err := reports[bench.Report](t.TempDir(), ladderHistory); err != nil || kept != nil {
		t.Errorf("a folder without a history: %v, %v", kept, err)
	}
}

func TestDescribeMachine(t *testing.T) {
	var m bench.Machine
	describeMachine(&m)
	host, _ := os.Hostname()
	if m.CPU == "" || m.Cores < 1 || !strings.HasPrefix(m.Go, "go") || m.OS == "" {
		t.Errorf("machine %+v", m)
	}
	if host != "" && len(host) > 3 && strings.Contains(m.OS, host) {
		t.Errorf("the machine's name is in %q", m.OS)
	}
}

// TestUnlessCancelled wants the console told what a cancelled benchmark leaves, and no such promise where something may have stayed.
func TestUnlessCancelled(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	failed := errors.New("remove /tmp/scratch: busy")
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want string
	}{
		{stopped, fmt.Errorf("5 of 10 events were written and stay: %w", context.Canceled), "nothing of it stays: context canceled"},
		{stopped, errors.Join(fmt.Errorf("pipeline benchmark: %w", context.Canceled), nil), "nothing of it stays: context canceled"},
		{stopped, errors.Join(context.Canceled, failed), "context canceled\nremove /tmp/scratch: busy"},
		{stopped, failed, failed.Error()},
		{t.Context(), fmt.Errorf("a child: %w", context.Canceled), "a child: context canceled"},
	} {
		if err := unlessCancelled(c.ctx, c.err); err.Error() != c.want || errors.Is(err, context.Canceled) != errors.Is(c.err, context.Canceled) {
			t.Errorf("%v became %v, want %s", c.err, err, c.want)
		}
	}
}

func TestFolded(t *testing.T) {
	const report = "20 events of one service and one day\n\nway        files  bytes  median ms  best ms\n- Time: the list takes 0.87 ms where one file takes 0.72 ms\n- short\n"
	if got := folded(report, 0); got != report {
		t.Errorf("no terminal: %q", got)
	}
	want := "20 events of one service and\none day\n\nway        files  bytes  median ms  best ms\n- Time: the list takes 0.87 ms\n  where one file takes 0.72 ms\n- short\n"
	if got := folded(report, 30); got != want {
		t.Errorf("30 columns: %q, want %q", got, want)
	}
}
