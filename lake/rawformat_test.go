package lake_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/signallake/signallake/lake"
)

// TestFormat2: a lake of raw format 2 as it was written opens, proves itself, and knows its events and notes.
func TestFormat2(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../testdata/lake-format-2")); err != nil {
		t.Fatal(err)
	}
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if report, err := l.Verify(t.Context(), nil); err != nil || !report.OK || report.Events.Visible != 40 {
		t.Fatalf("%+v, %v", report, err)
	}
	var notes []string
	err = l.Notes(0, func(first lake.Seq, n int, _ lake.Micros, note []byte) error {
		notes = append(notes, fmt.Sprint(n, " ", string(note)))
		return nil
	})
	again := "0 one: 0 stored, 30 again"
	if want := []string{"30 one: 30 stored, 0 again", again, again, "10 two: 10 stored, 0 again", again}; err != nil || !slices.Equal(notes, want) {
		t.Fatalf("notes %q, %v, want %q", notes, err, want)
	}
	tail := l.Tail(1)
	defer tail.Close()
	for seq, n := lake.Seq(1), 0; seq < l.Committed(); {
		b, err := tail.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		given := make([]bool, b.N)
		for i := range given {
			given[i] = true
		}
		receipt, err := l.Append(t.Context(), lake.Batch{Lines: bytes.Clone(b.Lines), N: b.N, Given: given})
		if n += b.N; err != nil || receipt.Duplicates != b.N || n > 40 {
			t.Fatalf("events %d to %d sent again: %+v, %v", b.First, b.First+lake.Seq(b.N)-1, receipt, err)
		}
		seq = b.First + lake.Seq(b.N)
	}
}
