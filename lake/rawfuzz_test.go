package lake_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/signallake/signallake/lake"
)

// FuzzRecovery: whatever the two files of a segment hold, the log opens, what it then reads is lines of the data file, and opening it again changes nothing.
func FuzzRecovery(f *testing.F) {
	origin := f.TempDir()
	r, err := lake.OpenRawLog(lake.Layout{Root: origin}, lake.OSDisk{}, fixedNow, 0, false)
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"a", "bb", "ccc"} {
		mustAppend(f, r, batchOf(name, 2))
	}
	l := lake.Layout{Root: origin}
	seed := func() (data, index []byte) {
		data, err1 := os.ReadFile(l.SegmentData(1))
		index, err2 := os.ReadFile(l.SegmentIndex(1))
		if err1 != nil || err2 != nil {
			f.Fatal(err1, err2)
		}
		return data, index
	}
	data, index := seed()
	f.Add(data, index)
	f.Add(data[:len(data)-5], index)
	f.Add(data, index[:len(index)-5])
	f.Add(flipped(data, 4), flipped(index, len(index)-50))
	if err := r.Close(); err != nil {
		f.Fatal(err)
	}
	data, index = seed()
	f.Add(data, index)
	f.Add(data[:20], index)
	f.Add(flipped(data, 90), index)
	f.Add([]byte("{}\n"), []byte{})
	f.Fuzz(recoverTwice)
}

// recoverTwice opens a log of one segment with these two files, and once more.
func recoverTwice(t *testing.T, data, index []byte) {
	dir := filepath.Join(memDir(t), "lake")
	r, err := (&specimen{}).open(dir, data, index)
	if err != nil {
		t.Skip("refused: ", err) // only a newer format is
	}
	first, err := readAll(r)
	if damage := (*lake.DamageError)(nil); errors.As(err, &damage) { // of sealed data, which only reading finds
		if err := r.Repair(1); err != nil {
			t.Fatal(err)
		}
		first, err = readAll(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, r, batchOf("new", 1))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err = reopenLog(dir); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	second, err := readAll(r)
	if err != nil || len(second) != len(first)+1 {
		t.Fatalf("%d events, the second time %d, %v", len(first), len(second), err)
	}
	same(t, "second opening", second[:len(first)], first)
}
