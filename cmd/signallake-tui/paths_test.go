package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui"
)

// logFolder is a folder with logs, the working folder and the home of the test.
func logFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	for _, name := range []string{"logs/access.log", "logs/access.log.1.gz", "logs/api errors.log", "logs/archive/2015.log", "logs/.hidden.log", "logs/bro\x1bken", "logs/bad\xff", "logs/[x].log", "notes.txt"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"logs/current": "archive", "logs/latest": "access.log", "logs/dangling": "gone"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCompletePath(t *testing.T) {
	dir := logFolder(t)
	completes := func(path string, want ...string) {
		t.Helper()
		if got, err := completePath(t.Context(), path); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", path, got, err, want)
		}
	}
	completes("lo", "logs/")
	completes("", "logs/", "notes.txt")
	completes("logs/a", "logs/access.log", "logs/access.log.1.gz", "logs/api errors.log", "logs/archive/")
	completes("logs/.", "logs/.hidden.log")
	completes("logs/c", "logs/current/")
	completes("logs/l", "logs/latest")
	completes("logs/d", "logs/dangling")
	completes("logs/b") // neither name can be typed
	completes("./no", "./notes.txt")
	completes("~", "~/")
	completes("~/logs/arch", "~/logs/archive/")
	completes(dir+"/n", dir+"/notes.txt")
	completes("logs/../no", "logs/../notes.txt")
	completes("nowhere/x")
	if _, err := completePath(t.Context(), "notes.txt/x"); err == nil {
		t.Error("a file was read as a folder")
	}
}

func TestCompletePathIsBoundedAndStops(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 * entriesAtOne {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%05d", i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	names, err := completePath(t.Context(), dir+"/")
	if err != nil || len(names) != 3*entriesAtOne || !slices.IsSorted(names) {
		t.Errorf("%d names, %v", len(names), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := completePath(ctx, dir+"/"); !errors.Is(err, context.Canceled) {
		t.Errorf("a completion that nobody waits for answers %v", err)
	}
}

func TestImportOfExpandsWhatAShellWould(t *testing.T) {
	dir := logFolder(t)
	var got []string
	run := importOf(func(_ context.Context, p tui.ImportParams, _ *lake.Progress) (string, error) {
		got = p.Paths
		return "ok", nil
	})
	expands := func(paths []string, want ...string) {
		t.Helper()
		if _, err := run(t.Context(), tui.ImportParams{Paths: paths}, nil); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", paths, got, err, want)
		}
	}
	expands([]string{"logs/a*"}, "logs/access.log", "logs/access.log.1.gz", "logs/api errors.log")
	expands([]string{"logs/*.log", "logs/access.log"}, "logs/[x].log", "logs/access.log", "logs/api errors.log")
	expands([]string{"logs/[x].log"}, "logs/[x].log")
	expands([]string{"~/notes.txt"}, dir+"/notes.txt")
	expands([]string{"not/there"}, "not/there")
	expands([]string{"-"}, "-")
	if _, err := run(t.Context(), tui.ImportParams{Paths: []string{"logs/*.zip"}}, nil); err == nil || !strings.Contains(err.Error(), "no file matches logs/*.zip") {
		t.Errorf("a pattern without a file: %v", err)
	}
	if importOf(nil) != nil {
		t.Error("an import that is off became one that is on")
	}
}
