package lake_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// sealedLog is a closed log of three segments with notes, and all its events as one batch.
func sealedLog(t *testing.T, dir string) (all lake.Batch, notes []string) {
	t.Helper()
	r := openLog(t, dir, lake.OSDisk{}, 0)
	for i := range 3 {
		for k := range 3 {
			b := eventsOf(fmt.Sprint("s", i, k), 1+k)
			if all = joined(all, b); k != 1 {
				b.Note = fmt.Appendf(nil, "note %d %d", i, k)
				notes = append(notes, string(b.Note))
			}
			mustTake(t, r, b)
		}
		if err := r.Seal(); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return all, notes
}

func sideFilesOf(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(lake.Layout{Root: dir}.Window(), "*.side"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// expectAll opens the log: every event is a duplicate, every note is there, both ways.
func expectAll(t *testing.T, dir, what string, all lake.Batch, notes []string) {
	t.Helper()
	check := func(what string, r lake.RawLog) {
		t.Helper()
		var back []string
		err := r.NotesBack(0, func(_ lake.Micros, note []byte) bool { back = append(back, string(note)); return true })
		slices.Reverse(back)
		if err != nil || !slices.Equal(back, notes) {
			t.Fatalf("%s: notes %q, %v, want %q", what, back, err, notes)
		}
	}
	reader, err := lake.OpenRawLog(lake.Layout{Root: dir}, lake.OSDisk{}, fixedNow, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	check(what+", another process", reader)
	r, err := reopenLog(dir)
	if err = errors.Join(err, reader.Close()); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	check(what, r)
	if receipt := mustTake(t, r, all); receipt.Duplicates != all.N {
		t.Fatalf("%s: %+v of %d events", what, receipt, all.N)
	}
	if q := r.Quarantined(); len(q) != 0 {
		t.Fatalf("%s: quarantined %q", what, q)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestGarbledSideFiles: whatever the side files hold, the answers are those of a log whose side files are whole, and the next opening finds whole ones.
func TestGarbledSideFiles(t *testing.T) {
	t.Parallel()
	dir, other := filepath.Join(memDir(t), "lake"), filepath.Join(memDir(t), "other")
	all, notes := sealedLog(t, dir)
	sealedLog(t, other)
	paths := sideFilesOf(t, dir)
	if len(paths) != 3 {
		t.Fatalf("side files: %q", paths)
	}
	whole := make([][]byte, len(paths))
	for i, path := range paths {
		var err error
		if whole[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	try := func(what string, at int, p []byte) {
		t.Helper()
		if err := os.WriteFile(paths[at], p, 0o644); err != nil {
			t.Fatal(err)
		}
		expectAll(t, dir, what, all, notes)
		after, err := os.ReadFile(paths[at])
		if err != nil || len(after) < len(whole[at]) {
			t.Fatalf("%s: the side file was not made again: %d bytes, %v", what, len(after), err)
		}
	}
	for i, p := range whole {
		foreign, err := os.ReadFile(sideFilesOf(t, other)[i])
		if err != nil {
			t.Fatal(err)
		}
		try("another lake's", i, foreign)
		try("another segment's", i, whole[(i+1)%len(whole)])
		try("a longer one", i, append(bytes.Clone(p), "more"...))
	}
	p := whole[1]
	for at := 0; at < len(p); at += stride() {
		try(fmt.Sprint("flipped at ", at), 1, flipped(p, at))
		try(fmt.Sprint("cut at ", at), 1, p[:at])
		try(fmt.Sprint("zeros from ", at), 1, zeroed(p, at))
	}
	for i, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		expectAll(t, dir, fmt.Sprint("gone: ", i), all, notes)
	}
	if err := os.RemoveAll(lake.Layout{Root: dir}.Window()); err != nil {
		t.Fatal(err)
	}
	expectAll(t, dir, "all gone", all, notes)
	if again := sideFilesOf(t, dir); !slices.Equal(again, paths) {
		t.Errorf("side files: %q, want %q", again, paths)
	}
}

// TestSideFilesOfAnotherTime: a lake that was opened with the window off, and with it on again, knows everything.
func TestSideFilesOfAnotherTime(t *testing.T) {
	dir := t.TempDir()
	all, notes := sealedLog(t, dir)
	r, err := lake.OpenRawLogWindow(lake.Layout{Root: dir}, lake.OSDisk{}, fixedNow, 0, -1, false)
	if err != nil {
		t.Fatal(err)
	}
	b := eventsOf("off", 2)
	b.Note = []byte("off")
	mustTake(t, r, b)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	expectAll(t, dir, "on again", joined(all, b), append(notes, "off"))
}

// TestOldSideFilesGo: what lies outside the window and is old is removed, and so is what has no segment; a foreign file stays.
func TestOldSideFilesGo(t *testing.T) {
	dir := t.TempDir()
	now := fixedNow()
	open := func() lake.RawLog {
		t.Helper()
		r, err := lake.OpenRawLogWindow(lake.Layout{Root: dir}, lake.OSDisk{}, func() time.Time { return now }, 0, 10, false)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open()
	fill := func(name string, segments int) {
		t.Helper()
		for i := range segments {
			mustTake(t, r, eventsOf(fmt.Sprint(name, i), 5))
			if err := r.Seal(); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := func(what string, n int) {
		t.Helper()
		if paths := sideFilesOf(t, dir); len(paths) != n {
			t.Fatalf("%s: %d side files, want %d: %q", what, len(paths), n, paths)
		}
	}
	fill("young", 5)
	want("young", 5)
	now = now.Add(72 * time.Hour)
	fill("later", 1)
	want("the window reaches two back", 2)
	foreign := []string{"notes.txt", "7.side", fmt.Sprintf("%020d.side", 999)}
	for _, name := range foreign {
		if err := os.WriteFile(filepath.Join(lake.Layout{Root: dir}.Window(), name), []byte("?"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = open()
	want("opened again", 3) // two and 7.side, which no segment has ever had
	fill("more", 3)
	want("more", 5) // the one that was old is gone, young ones stay for their notes
	now = now.Add(72 * time.Hour)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = open()
	want("old again", 3)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestNotesOfManyBatches: more notes than a side file takes are read from the index; in both directions, from any time on, and as far as is asked.
func TestNotesOfManyBatches(t *testing.T) {
	clock := int64(1_000_000)
	dir := memDir(t)
	r, err := lake.OpenRawLog(lake.Layout{Root: dir}, lake.OSDisk{}, func() time.Time { return time.UnixMicro(clock) }, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	const batches = 2400
	for i := range batches {
		clock++
		b := eventsOf(fmt.Sprint("n", i), 1)
		b.Note = fmt.Appendf(bytes.Repeat([]byte("."), 2000), "%d", i)
		mustTake(t, r, b)
		if i == batches-200 {
			if err := r.Seal(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if info, err := os.Stat(sideFilesOf(t, dir)[0]); err != nil || info.Size() > 1<<20 {
		t.Fatalf("the side file repeats the notes: %v, %v", info.Size(), err)
	}
	for _, since := range []int64{0, 1_000_001 + batches/2, 1_000_001 + batches} {
		for _, most := range []int{1, 300, batches} {
			next := batches - 1
			err := r.NotesBack(lake.Micros(since), func(at lake.Micros, note []byte) bool {
				if want := fmt.Sprint(next); string(note[2000:]) != want || int64(at) != 1_000_001+int64(next) {
					t.Fatalf("note %s at %d, want %s", note[2000:], at, want)
				}
				next--
				return batches-1-next < most
			})
			want := max(batches-1-most, int(since-1_000_001)-1)
			if since == 0 {
				want = batches - 1 - most
			}
			if err != nil || next != want {
				t.Errorf("since %d, %d at most: stopped at %d, want %d, %v", since, most, next, want, err)
			}
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}
