package lake

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// placed makes the transaction's files, small and real.
func placed(t testing.TB, l Layout, tx Tx) Tx {
	t.Helper()
	for i := range tx.Add {
		place(t, l.Path(&tx.Add[i]))
	}
	for i := range tx.AddRollups {
		place(t, l.RollupPath(&tx.AddRollups[i]))
	}
	return tx
}

func place(t testing.TB, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	rewrite(t, path, []byte("PAR1"))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// replaceTx merges the version's only file into a new one.
func replaceTx(v *Version) Tx {
	old := v.Files[0]
	tx := Tx{ID: NewTxID(), ExpectWatermark: v.Watermark, NewWatermark: v.Watermark, Remove: []FileEntry{old}}
	tx.Add = []FileEntry{testEntry(tx.ID, "checkout", old.MinSeq, old.MaxSeq)}
	return tx
}

// sweepAt runs the sweep of removed files as if it were later.
func sweepAt(t testing.TB, l *Lake, later time.Duration) {
	t.Helper()
	if err := l.sweep.sweepGone(MicrosOf(time.Now().Add(later))); err != nil {
		t.Fatal(err)
	}
}

// A removed file stays while a pin of this process, of another lake in this process, or of another process needs it; then it goes, after
// the grace.
func TestPinsKeepFiles(t *testing.T) {
	f := func(name string, hold func(t *testing.T, l *Lake) (release func())) {
		t.Run(name, func(t *testing.T) {
			l := openOwner(t, t.TempDir())
			v := mustCommit(t, l.cat, placed(t, l.layout, testTx(1, 4)))
			old := l.layout.Path(&v.Files[0])
			release := hold(t, l)
			mustCommit(t, l.cat, placed(t, l.layout, replaceTx(v)))
			sweepAt(t, l, removeGrace+time.Minute)
			if !exists(old) {
				t.Fatal("the file went while it was pinned")
			}
			release()
			sweepAt(t, l, removeGrace/2)
			if !exists(old) {
				t.Fatal("the file went within the grace")
			}
			sweepAt(t, l, removeGrace+time.Minute)
			if exists(old) {
				t.Fatal("the file stays")
			}
			trash, err := os.ReadDir(l.layout.Trash())
			if err != nil || len(trash) != 1 {
				t.Fatalf("trash holds %v, %v", trash, err)
			}
			sweepAt(t, l, removeGrace+time.Minute+trashWindow)
			if trash, _ = os.ReadDir(l.layout.Trash()); len(trash) != 0 {
				t.Fatalf("trash still holds %v", trash)
			}
		})
	}
	f("of the owner", func(t *testing.T, l *Lake) func() {
		one, other := l.Pin(), l.Pin()
		one.Release()
		one.Release()
		return other.Release
	})
	f("of a reader", func(t *testing.T, l *Lake) func() {
		reader := openFollower(t, l.layout.Root)
		pin := reader.Pin()
		return func() {
			pin.Release()
			eventually(t, "the reader's pin moves on", func() bool { n, err := oldestForeignPin(l.layout, 99); return err == nil && n == 2 })
		}
	})
	f("of a process that is killed", func(t *testing.T, l *Lake) func() {
		return startChild(t, l.layout.Root, modePin)
	})
}

// A process that keeps asking leaves its pin file alone, and a removal waits for no question that came after it.
func TestReaderPinsForFree(t *testing.T) {
	l := openOwner(t, t.TempDir())
	mustCommit(t, l.cat, placed(t, l.layout, testTx(1, 4)))
	reader := openFollower(t, l.layout.Root)
	reader.Pin().Release()
	path := reader.pins.file.Name()
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		reader.Pin().Release()
	}
	after, err := os.Stat(path)
	if err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Fatalf("the pin file was written again: %v", err)
	}
	closeLake(t, reader)
	if exists(path) {
		t.Fatal("the pin file stays after Close")
	}
}

func TestTornPinHoldsEverything(t *testing.T) {
	l := Layout{Root: t.TempDir()}
	p := &pinFile{dir: pinsDir(l)}
	if !p.covers(42) || p.covers(43) {
		t.Fatal("the first pin is fresh, the second is covered by it")
	}
	defer p.close()
	f := func(want uint64) {
		t.Helper()
		if n, err := oldestForeignPin(l, 99); err != nil || n != want {
			t.Fatalf("got %d, %v, want %d", n, err, want)
		}
	}
	f(42)
	p.advance(77)
	f(77)
	if _, err := p.file.WriteAt([]byte("9"), 20); err != nil {
		t.Fatal(err)
	}
	f(0)
	if err := p.file.Truncate(0); err != nil {
		t.Fatal(err)
	}
	f(0)
}
