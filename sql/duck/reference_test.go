package duck

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/signallake/signallake/lake"
)

// openTestReference is a reference over a lake.
func openTestReference(t *testing.T, l *lake.Lake) *Reference {
	t.Helper()
	spill := filepath.Join(t.TempDir(), "spill")
	r, err := OpenReference([]string{l.Layout().Root}, spill, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(spill); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the spill folder: %v", err)
		}
	})
	return r
}

// TestReferenceSources holds the sources against each other: the list, the pattern and the twin have the same events, and so has what DuckDB makes of the lines.
func TestReferenceSources(t *testing.T) {
	l := benchLake(t, 7)
	r := openTestReference(t, l)
	var all []*lake.FileEntry
	version := l.Current()
	for i := range version.Files {
		all = append(all, &version.Files[i])
	}
	twin, _, err := l.Unpartitioned()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := filepath.Glob(filepath.Join(l.Layout().Raw(), "*.jsonl"))
	if err != nil || len(raw) == 0 {
		t.Fatal(raw, err)
	}
	theirs := filepath.Join(l.Layout().Root, "theirs")
	if err := ConvertForComparison(t.Context(), raw, theirs, 2); err != nil {
		t.Fatal(err)
	}
	want, err := r.Fingerprint(t.Context(), List(l.Layout(), all))
	if err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]string{"the pattern": Glob(l.Layout().Partitioned()), "the twin": Twin(twin.Path), "DuckDB's conversion": Glob(theirs)} {
		if got, err := r.Fingerprint(t.Context(), source); got != want || err != nil {
			t.Errorf("%s: %s, want %s; %v", name, got, want, err)
		}
	}
	if got, err := r.Fingerprint(t.Context(), List(l.Layout(), all[1:])); got == want || err != nil {
		t.Errorf("without a file the fingerprint is the same: %s, %v", got, err)
	}
	if rows, err := r.Query(t.Context(), "SELECT count(*) FROM "+PairList(l.Layout(), all[:1])); err != nil || rows[0][0] != all[0].Rows {
		t.Errorf("%v, %v, want %d", rows, err, all[0].Rows)
	}
}

// Hot rows are part of every source once there are some, and the next ones take their place.
func TestReferenceHot(t *testing.T) {
	l := benchLake(t, 7)
	r := openTestReference(t, l)
	source := Glob(l.Layout().Partitioned())
	if r.WithHot(source, "true") != source {
		t.Error("there are hot rows already")
	}
	raw, err := filepath.Glob(filepath.Join(l.Layout().Raw(), "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(raw[0])
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for _, n := range []int{100, 7} {
		path := filepath.Join(l.Layout().Root, "hot.jsonl")
		if err := os.WriteFile(path, bytes.Join(lines[:n], nil), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := r.SetHot(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if err := r.SetEvents(source); err != nil {
			t.Fatal(err)
		}
		rows, err := r.Query(t.Context(), "SELECT count(*), count(DISTINCT event_id), max(typeof(timestamp)), max(typeof(event_date)) FROM events")
		if err != nil || rows[0][0] != int64(20_000+n) || rows[0][1] != int64(20_000) || rows[0][2] != "TIMESTAMP" || rows[0][3] != "DATE" {
			t.Errorf("%v, %v with %d hot rows", rows, err, n)
		}
	}
}

// TestReferenceChunks reads the bytes that chunks name: they are the books' number of bytes, and lie in the file.
func TestReferenceChunks(t *testing.T) {
	l := benchLake(t, 7)
	r := openTestReference(t, l)
	f := &l.Current().Files[0]
	for i, column := range lake.FileColumns() {
		chunks, err := r.Chunks(t.Context(), l.Layout(), []*lake.FileEntry{f}, column.Name)
		if err != nil || len(chunks) != 1 || chunks[0].Len != f.ColumnBytes[i] || filepath.Base(chunks[0].Path) != f.Name {
			t.Fatalf("%s: %+v, %v, want %d bytes of %s", column.Name, chunks, err, f.ColumnBytes[i], f.Name)
		}
		file, err := os.Open(chunks[0].Path)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, io.NewSectionReader(file, chunks[0].Offset, chunks[0].Len)); n != chunks[0].Len || err != nil {
			t.Errorf("%s: %d bytes, %v", column.Name, n, err)
		}
		file.Close()
	}
}

func TestReferenceStops(t *testing.T) {
	r := openTestReference(t, benchLake(t, 7))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Query(ctx, "SELECT count(*) FROM range(1_000_000_000_000)"); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := r.Query(t.Context(), "SELECT nothing"); err == nil {
		t.Error("a statement that makes no sense is answered")
	}
	if version, err := r.Version(); version == "" || err != nil {
		t.Errorf("%q, %v", version, err)
	}
}
