package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/sys/unix"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
)

// The histories of the suites in state/, a report a line, and the lock under which they are written.
const (
	ladderHistory   = "bench.jsonl"
	pipelineHistory = "bench-pipeline.jsonl"
	layoutHistory   = "bench-layout.jsonl"
	benchLock       = "bench.lock"
)

// reports are the earlier reports of a suite, newest first.
func reports[R any, P bench.Kept[R]](dir, history string) ([]R, error) {
	lines, err := stateStore{lake.Layout{Root: dir}.State()}.Load(history)
	if err != nil {
		return nil, fmt.Errorf("read the benchmark's history: %w", err)
	}
	return bench.Decode[R, P](lines), nil
}

// remember adds a report to its suite's history in state/, which several processes may do, and returns it, newest first.
func remember[R any, P bench.Kept[R]](dir, history string, report P) ([]R, error) {
	store := stateStore{lake.Layout{Root: dir}.State()}
	var lines []byte
	err := store.locked(benchLock, func() error {
		old, err := store.Load(history)
		if err != nil {
			return err
		}
		if lines, err = bench.Append(old, report); err != nil {
			return err
		}
		return store.Save(history, lines)
	})
	if err != nil {
		return nil, fmt.Errorf("keep the benchmark's report: %w", err)
	}
	return bench.Decode[R, P](lines), nil
}

// publish remembers the report of a command and writes the page, if there is one to write. It returns the suite's history, newest first.
func publish[R any, P bench.Kept[R]](w *world, dir, history string, report P, page string, sections func([]R) []bench.Section) ([]R, error) {
	kept, err := remember(dir, history, report)
	if err != nil {
		return nil, err
	}
	return kept, writePage(w, page, sections(kept))
}

// folded breaks the sentences of a report between words where a terminal is too narrow for them. Tables stay as they are: their cells have two blanks
// between them, which sentences have not. columns 0 is no terminal.
func folded(report string, columns int) string {
	if columns < 20 {
		return report
	}
	lines := strings.Split(report, "\n")
	for i, line := range lines {
		point, rest := "", line
		if after, ok := strings.CutPrefix(line, "- "); ok {
			point, rest = "- ", after
		}
		if ansi.StringWidth(line) <= columns || strings.Contains(rest, "  ") {
			continue
		}
		indent := strings.Repeat(" ", len(point))
		lines[i] = point + strings.ReplaceAll(ansi.Wordwrap(rest, columns-len(point), ""), "\n", "\n"+indent)
	}
	return strings.Join(lines, "\n")
}

// nothingStays is what a stopped benchmark leaves.
const nothingStays = "nothing of it stays"

// unlessStopped is a benchmark's error, as the user's own doing where it was that.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return &stoppedError{"the benchmark was stopped; " + nothingStays, err}
	}
	return err
}

// unlessCancelled is the error of a benchmark that is a task of the console, which shows the words before the cancelling as what the task leaves. Where another
// error came with it, such as that of a folder that could not be removed, it stays as it is.
func unlessCancelled(ctx context.Context, err error) error {
	var joined interface{ Unwrap() []error }
	if ctx.Err() == nil || !errors.Is(err, context.Canceled) || errors.As(err, &joined) && len(joined.Unwrap()) > 1 {
		return err
	}
	return fmt.Errorf("%s: %w", nothingStays, context.Canceled)
}

// locked runs do while no other process holds the lock of that name.
func (s stateStore) locked(name string, do func() error) (err error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(s.dir, name), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	return do()
}

// checkPage refuses a page whose folder does not exist before anything is measured for it.
func checkPage(command, path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return usagef("%s: --write %s: there is no folder %s", command, path, filepath.Dir(path))
	}
	return nil
}

// writePage writes sections into the page of benchmarks, whole or not at all; the page's other sections stay. Without a path it does nothing.
func writePage(w *world, path string, sections []bench.Section) error {
	if path == "" {
		return nil
	}
	place := stateStore{filepath.Dir(path)}
	older, err := place.Load(filepath.Base(path))
	if err == nil {
		err = place.Save(filepath.Base(path), []byte(bench.Page(string(older), sections)))
	}
	if err == nil {
		err = os.Chmod(path, 0o644) // a temporary file is its owner's alone
	}
	if err != nil {
		return fmt.Errorf("write the page of benchmarks: %w", err)
	}
	fmt.Fprintln(w.stderr, "written:", path)
	return nil
}
