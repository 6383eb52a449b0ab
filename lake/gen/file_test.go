package gen

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newFile is an empty file that is closed when the test is over.
func newFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func contents(t *testing.T, f *os.File) []byte {
	t.Helper()
	data, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFillWritesWhatRunGives(t *testing.T) {
	for _, count := range []int64{0, 1, 135, 150, 4096, 60_000} { // less than a block, about one, more than what is reserved at once
		cfg := Config{Seed: 7, Count: count, End: testEnd}
		want := run(t, cfg, 1)
		for _, workers := range []int{1, 2, 5} {
			f := newFile(t)
			n, err := mustNew(t, cfg).Fill(t.Context(), workers, f)
			if err != nil || n != int64(len(want)) || !bytes.Equal(contents(t, f), want) {
				t.Errorf("%d events on %d goroutines: %d bytes of %d, %v, or not the same", count, workers, n, len(want), err)
			}
		}
	}
}

// TestFileWriterKeepsBlocks: whatever the pieces are, the file is what they were, and every write but the last ends where a block does.
func TestFileWriterKeepsBlocks(t *testing.T) {
	lines := bytes.Repeat([]byte("0123456789abcdef"), 3*fileBlock/16)
	for _, pieces := range [][]int{{1}, {fileBlock}, {fileBlock - 1, 1, 1}, {fileBlock + 1, fileBlock - 2}, {5, 2 * fileBlock}, {0, 7 * fileBlock / 3}} {
		f := newFile(t)
		w := fileWriter{f: f}
		rest := lines
		for k := 0; len(rest) > 0; k++ {
			n := min(len(rest), pieces[k%len(pieces)])
			if err := w.write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			if rest = rest[n:]; w.size%fileBlock != 0 || w.size+int64(len(w.rest)+len(rest)) != int64(len(lines)) {
				t.Fatalf("pieces of %d: %d bytes written, %d wait, %d are to come", pieces, w.size, len(w.rest), len(rest))
			}
		}
		if err := errors.Join(w.put(w.rest), w.giveBack()); err != nil || !bytes.Equal(contents(t, f), lines) {
			t.Errorf("pieces of %d: %v, or other bytes", pieces, err)
		}
	}
}

func TestFillBreaksOff(t *testing.T) {
	g := mustNew(t, Config{Seed: 7, Count: 50_000, End: testEnd})
	f := newFile(t)
	if _, err := f.WriteString("mine\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Fill(t.Context(), 2, f); err == nil || !strings.Contains(err.Error(), "5 bytes already") || string(contents(t, f)) != "mine\n" {
		t.Errorf("a file with something in it: %v, now %d bytes", err, len(contents(t, f)))
	}
	readOnly, err := os.Open(newFile(t).Name())
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	if n, err := g.Fill(t.Context(), 2, readOnly); n != 0 || err == nil || !strings.Contains(err.Error(), "events.jsonl") {
		t.Errorf("a file that cannot be written: %d bytes, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := g.Fill(ctx, 2, newFile(t)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %d bytes, %v", n, err)
	}
}
