package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The lines of `generate --to` are those that the lake would have got, in a new file, and no lake is touched.
func TestGenerateIntoAFile(t *testing.T) {
	dir := t.TempDir()
	file, data := filepath.Join(dir, "events.jsonl"), filepath.Join(dir, "lake")
	command := func(args ...string) (code int, said string) {
		w, stdout, stderr := pipelineWorld()
		code = run(t.Context(), append(args, "--data", data), w)
		return code, stdout.String() + stderr.String()
	}
	generate := []string{"generate", "--count", "5000", "--days", "1", "--start", "2026-11-20T00:00:00Z", "--to", file}
	if code, said := command(generate...); code != 0 || !strings.Contains(said, file) {
		t.Fatalf("%d: %s", code, said)
	}
	lines, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(lines, []byte("\n")); n != 5000 || lines[len(lines)-1] != '\n' {
		t.Errorf("%d lines, want 5000", n)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("a lake was made: %v", err)
	}
	if code, said := command(generate...); code == 0 || !strings.Contains(said, "is there already") {
		t.Errorf("a second time: %d: %s", code, said)
	}
	if again, err := os.ReadFile(file); err != nil || !bytes.Equal(again, lines) {
		t.Errorf("the file was changed: %v", err)
	}
	if code, said := command("generate", "--count", "5", "--to", filepath.Join(dir, "no", "where")); code == 0 || !strings.Contains(said, "no/where") {
		t.Errorf("a folder that is not there: %d: %s", code, said)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	broken := filepath.Join(dir, "broken.jsonl")
	w, _, stderr := pipelineWorld()
	if code := run(ctx, []string{"generate", "--count", "5000", "--to", broken}, w); code != exitInterrupted || !strings.Contains(stderr.String(), broken) {
		t.Errorf("interrupted: %d: %s", code, stderr)
	}
	if _, err := os.Stat(broken); !os.IsNotExist(err) {
		t.Errorf("half a file was left: %v", err)
	}
	if code, said := command("import", file); code != 0 || !strings.Contains(said, "5,000") && !strings.Contains(said, "5000") {
		t.Errorf("import of it: %d: %s", code, said)
	}
}
