package lake_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

// openPages opens a log whose journal has two halves of so many pages, from the first group on.
func openPages(t testing.TB, dir string, pages int64) lake.RawLog {
	t.Helper()
	r, err := lake.OpenJournaled(lake.Layout{Root: dir}, lake.OSDisk{}, fixedNow, 0, 0, pages<<12, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestJournalTurns(t *testing.T) {
	dir := t.TempDir()
	r := openPages(t, dir, 3)
	for i := range 10 {
		mustAppend(t, r, batchOf(fmt.Sprint("one", i), 1)) // a page each
	}
	epoch, records, epochs := r.JournalPlace(t)
	if epoch != 4 || epochs != [2]uint64{4, 3} || records != 4 {
		t.Errorf("epoch %d, halves of %v with %d records; want 4, [4 3] and 4", epoch, epochs, records)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(lake.Layout{Root: dir}.Journal())
	if err != nil {
		t.Fatal(err)
	}
	r = openPages(t, dir, 3)
	defer r.Close()
	mustAppend(t, r, batchOf("again", 2))
	after, err := os.Stat(lake.Layout{Root: dir}.Journal())
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the journal was made anew: %v", err)
	}
	if epoch, records, epochs = r.JournalPlace(t); epoch != 5 || epochs != [2]uint64{4, 5} || records != 2 {
		t.Errorf("reopened: epoch %d, halves of %v with %d records; want 5, [4 5] and 2", epoch, epochs, records)
	}
	got, err := readAll(r)
	if err != nil || len(got) != 12 {
		t.Errorf("%d events, %v; want 12", len(got), err)
	}
}

// TestJournalGrows: a journal of another size is replaced, and a log that is hardly written to makes none.
func TestJournalGrows(t *testing.T) {
	dir := t.TempDir()
	for _, pages := range []int64{2, 4} {
		r := openPages(t, dir, pages)
		mustAppend(t, r, batchOf(fmt.Sprint("pages", pages), 1))
		info, err := os.Stat(lake.Layout{Root: dir}.Journal())
		if err != nil || info.Size() != (1+2*pages)<<12 {
			t.Fatalf("%v, %v; want %d pages", info, err, 1+2*pages)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	quiet := t.TempDir()
	r := openLog(t, quiet, lake.OSDisk{}, 0)
	defer r.Close()
	for i := range 20 {
		mustAppend(t, r, batchOf(fmt.Sprint("quiet", i), 1))
	}
	if _, err := os.Stat(lake.Layout{Root: quiet}.Journal()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a journal after 20 groups: %v", err)
	}
}

// TestJournalOfANewerRelease is refused before anything is changed.
func TestJournalOfANewerRelease(t *testing.T) {
	dir := t.TempDir()
	r := openPages(t, dir, 2)
	mustAppend(t, r, batchOf("a", 1))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	path := lake.Layout{Root: dir}.Journal()
	p, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p[4]++
	binary.LittleEndian.PutUint32(p[16:], crc32.Checksum(p[:16], crc32.MakeTable(crc32.Castagnoli)))
	if err := os.WriteFile(path, p, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := lake.OpenRawLog(lake.Layout{Root: dir}, lake.OSDisk{}, fixedNow, 0, false); !errors.Is(err, lake.ErrNewer) {
		t.Errorf("%v, want ErrNewer", err)
	}
}

// TestReaderAfterPowerCut: what was acknowledged is seen by a reader that is the first to open the lake after the power went, and by the next owner.
func TestReaderAfterPowerCut(t *testing.T) {
	live := memDir(t)
	disk, err := laketest.NewCrashDisk(live)
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.Open(t.Context(), lake.Config{Dir: live, Disk: disk, ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	const n = 100 // more than a log needs to make itself a journal
	for i := range n {
		if _, err := l.Append(t.Context(), batchOf(fmt.Sprint("cut", i), 1)); err != nil {
			t.Fatal(err)
		}
	}
	at := disk.Ops()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(memDir(t), "cut")
	if err := disk.Materialise(dir, laketest.Cut{At: at}); err != nil {
		t.Fatal(err)
	}
	if lacks, err := lake.JournalLacks(lake.Layout{Root: dir}); err != nil || !lacks {
		t.Fatalf("the cut took nothing: %v, %v", lacks, err)
	}
	for _, readOnly := range []bool{true, false} {
		l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ReadOnly: readOnly, ConvertAge: -1})
		if err != nil {
			t.Fatal(err)
		}
		if s := l.Status(); s.Visible != n {
			t.Errorf("read-only %v: %d events visible, want %d", readOnly, s.Visible, n)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzJournal: whatever the file holds, reading it ends, and what it finds lies in it.
func FuzzJournal(f *testing.F) {
	dir := f.TempDir()
	r := openPages(f, dir, 2)
	for i := range 5 {
		mustAppend(f, r, batchOf(fmt.Sprint("seed", i), 1+i))
	}
	p, err := os.ReadFile(lake.Layout{Root: dir}.Journal())
	if err = errors.Join(err, r.Close()); err != nil {
		f.Fatal(err)
	}
	f.Add(p)
	f.Add(p[:len(p)/2])
	f.Add(flipped(p, 4096+60))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, p []byte) {
		path := filepath.Join(memDir(t), "journal")
		if err := os.WriteFile(path, p, 0o644); err != nil {
			t.Fatal(err)
		}
		records, bytes, err := lake.ParseJournal(path)
		if err != nil && !errors.Is(err, lake.ErrNewer) {
			t.Fatal(err)
		}
		if bytes+48*records > len(p) {
			t.Fatalf("%d records of %d bytes in a file of %d", records, bytes, len(p))
		}
	})
}
