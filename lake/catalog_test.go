package lake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func testClock() time.Time { return time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC) }

// newTestCatalog opens a catalog of its own over root, making the folders.
func newTestCatalog(t testing.TB, root string, d Disk) *catalog {
	t.Helper()
	l := Layout{Root: root}
	for _, dir := range []string{l.Catalog(), l.Tmp(), l.Trash(), l.Partitioned(), l.Rollup(), pinsDir(l)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c, err := openCatalog(l, d, testClock, false)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// testEntry is a file of one row per seq in [first, last].
func testEntry(txID, service string, first, last Seq) FileEntry {
	ts := MicrosOf(testClock()) + Micros(first)
	return FileEntry{
		Partition: Partition{Date: DateOf(ts), Service: service, Status: 200},
		Name:      fmt.Sprintf("%020d-%020d-%s.parquet", first, last, txID),
		Rows:      int64(last-first) + 1, Bytes: 1234, CRC32C: 3735928559, MinTS: ts, MaxTS: ts + 5, MinSeq: first, MaxSeq: last,
		ColumnBytes: []int64{9, 8, 7, 1 << 40, 0}, FooterBytes: 321,
	}
}

// testTx converts n events above the watermark w.
func testTx(w Seq, n int64) Tx {
	id := NewTxID()
	last := w + Seq(n) - 1
	rollup := testEntry(id, "", w, last)
	rollup.Partition, rollup.ColumnBytes = Partition{}, nil
	return Tx{ID: id, ExpectWatermark: w, NewWatermark: last + 1, Converted: n,
		Add: []FileEntry{testEntry(id, "checkout", w, last)}, AddRollups: []FileEntry{rollup}}
}

func mustCommit(t testing.TB, c *catalog, tx Tx) *Version {
	t.Helper()
	v, err := c.commit(context.Background(), tx)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// mustEqualVersions compares two states, telling the first difference.
func mustEqualVersions(t testing.TB, got, want *Version) {
	t.Helper()
	if got.Number != want.Number || got.Watermark != want.Watermark || got.Ledger != want.Ledger || got.TxID != want.TxID {
		t.Fatalf("got version %d (tx %s, watermark %d, %+v), want %d (%s, %d, %+v)", got.Number, got.TxID, got.Watermark, got.Ledger,
			want.Number, want.TxID, want.Watermark, want.Ledger)
	}
	equal := func(a, b FileEntry) bool { return reflect.DeepEqual(a, b) }
	if !slices.EqualFunc(got.Files, want.Files, equal) || !slices.EqualFunc(got.Rollups, want.Rollups, equal) {
		t.Fatalf("version %d: files differ: got %d + %d, want %d + %d", got.Number, len(got.Files), len(got.Rollups), len(want.Files), len(want.Rollups))
	}
}

func TestCommitAndReopen(t *testing.T) {
	root := t.TempDir()
	c := newTestCatalog(t, root, OSDisk{})
	if v := c.current(); v.Number != 0 || v.Watermark != 1 || len(v.Files) != 0 {
		t.Fatalf("the empty lake is %+v", v)
	}
	for range 3 * checkpointCommits {
		mustCommit(t, c, testTx(c.current().Watermark, 10))
	}
	merge := Tx{ID: NewTxID(), ExpectWatermark: c.current().Watermark, NewWatermark: c.current().Watermark,
		Remove: c.current().Files[:2], RemoveRollups: c.current().Rollups[:1]}
	merge.Add = []FileEntry{testEntry(merge.ID, "checkout", 1, 20)}
	v := mustCommit(t, c, merge)
	if len(v.Files) != 3*checkpointCommits-1 || v.Ledger.Converted != 30*checkpointCommits {
		t.Fatalf("after the merge %d files, ledger %+v", len(v.Files), v.Ledger)
	}
	again := newTestCatalog(t, root, OSDisk{})
	mustEqualVersions(t, again.current(), v)
	if len(again.gone) != 3 {
		t.Fatalf("%d files wait to go, want 3", len(again.gone))
	}
	list, err := c.list()
	if err != nil || len(list.checkpoints) != 2 || list.versions[0] != list.checkpoints[0]+1 {
		t.Fatalf("history was not dropped: %v, %v", list, err)
	}
	leftovers, err := os.ReadDir(c.layout.Tmp())
	if err != nil || len(leftovers) != 0 {
		t.Fatalf("tmp holds %v, %v", leftovers, err)
	}
}

func TestCommitPreconditions(t *testing.T) {
	c := newTestCatalog(t, t.TempDir(), OSDisk{})
	first := testTx(1, 10)
	v := mustCommit(t, c, first)
	f := func(name string, want error, change func(tx *Tx)) {
		t.Helper()
		tx := testTx(v.Watermark, 5)
		change(&tx)
		if _, err := c.commit(context.Background(), tx); err == nil || (want != nil && !errors.Is(err, want)) {
			t.Fatalf("%s: got %v, want %v", name, err, want)
		}
		if c.current() != v {
			t.Fatalf("%s: a refused commit changed the catalog", name)
		}
	}
	f("the range again", ErrConflict, func(tx *Tx) { *tx = testTx(1, 10) })
	f("a gap", ErrConflict, func(tx *Tx) { *tx = testTx(v.Watermark+1, 10) })
	f("an unknown file", ErrConflict, func(tx *Tx) {
		tx.Remove = []FileEntry{testEntry(NewTxID(), "checkout", 1, 10)}
		tx.Add[0].Rows += 10
	})
	f("removing twice", ErrConflict, func(tx *Tx) {
		tx.Remove = []FileEntry{first.Add[0], first.Add[0]}
		tx.Add[0].Rows += 20
	})
	f("a live file added", nil, func(tx *Tx) { tx.Add, tx.Converted = first.Add, 10 })
	f("rows that vanish", nil, func(tx *Tx) { tx.Converted++ })
	f("a watermark that goes back", nil, func(tx *Tx) { tx.NewWatermark = 1 })
	f("a file above the watermark", nil, func(tx *Tx) { tx.Add[0].MaxSeq = tx.NewWatermark })
	f("a bad id", nil, func(tx *Tx) { tx.ID = "x" })
	f("a path for a name", nil, func(tx *Tx) { tx.Add[0].Name = "../x.parquet" })
	if got, err := c.commit(context.Background(), first); err != nil || got != v {
		t.Fatalf("the same transaction again: %v, %v; want its version", got, err)
	}
}

// Many goroutines commit through several catalogs over one folder. The versions form one chain, and no range is converted twice.
func TestCommitRace(t *testing.T) {
	root := t.TempDir()
	const catalogs, workers, each = 3, 4, 40
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := map[string]uint64{}
	for range catalogs {
		c := newTestCatalog(t, root, OSDisk{})
		for range workers {
			wg.Go(func() {
				for range each {
					tx := testTx(c.current().Watermark, 3)
					v, err := c.commit(context.Background(), tx)
					if errors.Is(err, ErrConflict) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					won[tx.ID] = v.Number
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	v := newTestCatalog(t, root, OSDisk{}).current()
	if int(v.Number) != len(won) || len(v.Files) != len(won) || v.Ledger.Converted != 3*int64(len(won)) {
		t.Fatalf("%d commits answered well, the catalog is at %d with %d files and %+v", len(won), v.Number, len(v.Files), v.Ledger)
	}
	next := Seq(1)
	for _, f := range v.Files { // one partition: ordered by seq
		if f.MinSeq != next {
			t.Fatalf("file %s begins at %d, want %d", f.Name, f.MinSeq, next)
		}
		next = f.MaxSeq + 1
		id := strings.TrimSuffix(f.Name[42:], ".parquet")
		if _, ok := won[id]; !ok {
			t.Fatalf("file %s is of a commit that was not answered", f.Name)
		}
	}
}

// Every byte of the newest version object and of the newest checkpoint is damaged in turn: opening says which file it is, or (the
// checkpoint) gets the right state from the one before.
func TestEveryByteDamaged(t *testing.T) {
	c := newTestCatalog(t, t.TempDir(), OSDisk{})
	for range 2 {
		mustCommit(t, c, testTx(c.current().Watermark, 1))
	}
	eachDamage(t, c.versionPath(2), 1, func(at string) {
		_, err := openCatalog(c.layout, OSDisk{}, testClock, true)
		var damage *CatalogError
		if !errors.As(err, &damage) || damage.File != c.versionPath(2) {
			t.Fatalf("%s: got %v", at, err)
		}
	})
	for range 2 {
		c.logBytes = 2 * checkpointSlack
		mustCommit(t, c, testTx(c.current().Watermark, 1))
	}
	eachDamage(t, c.checkpointPath(4), 3, func(at string) {
		again, err := openCatalog(c.layout, OSDisk{}, testClock, true)
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		mustEqualVersions(t, again.current(), c.current())
		if !strings.Contains(again.troubles.worst(), c.checkpointPath(4)) {
			t.Fatalf("%s: nobody is told", at)
		}
	})
}

// eachDamage calls fn with bits of every step-th byte of the file flipped.
func eachDamage(t *testing.T, path string, step int, fn func(at string)) {
	t.Helper()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		step *= 9 // the race detector's run
	}
	for i := 0; i < len(good); i += step {
		for _, flip := range []byte{1, 0x20, 0x80} {
			bad := slices.Clone(good)
			bad[i] ^= flip
			rewrite(t, path, bad)
			fn(fmt.Sprintf("byte %d of %s ^ %#x", i, filepath.Base(path), flip))
		}
	}
	rewrite(t, path, good)
}

func rewrite(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestOpenCatalogFailure(t *testing.T) {
	f := func(name, wantText string, want error, spoil func(c *catalog)) {
		t.Helper()
		c := newTestCatalog(t, t.TempDir(), OSDisk{})
		for range 3 {
			mustCommit(t, c, testTx(c.current().Watermark, 1))
		}
		spoil(c)
		_, err := openCatalog(c.layout, OSDisk{}, testClock, false)
		if err == nil || !strings.Contains(err.Error(), wantText) || (want != nil && !errors.Is(err, want)) {
			t.Fatalf("%s: got %v, want %q", name, err, wantText)
		}
	}
	f("a gap", "a version is missing", nil, func(c *catalog) { os.Remove(c.versionPath(2)) })
	f("cut short", "is damaged", nil, func(c *catalog) { os.Truncate(c.versionPath(3), 40) })
	f("empty", "is damaged", nil, func(c *catalog) { os.Truncate(c.versionPath(3), 0) })
	f("another version's bytes", "it holds the version 2", nil, func(c *catalog) {
		data, _ := os.ReadFile(c.versionPath(2))
		rewrite(t, c.versionPath(3), data)
	})
	f("a newer format", "v00000000000000000003.jsonl has format 2", ErrNewer, func(c *catalog) {
		body := []byte(`{"format":2,"surprise":true}` + "\n")
		rewrite(t, c.versionPath(3), append(body, endLine(body, 1)...))
	})
	f("a broken chain", "expects the watermark", nil, func(c *catalog) {
		tx := testTx(77, 1)
		data, _ := tx.object(&Version{Number: 2}, 0).encode()
		rewrite(t, c.versionPath(3), data)
	})
}

func TestStrayFilesAreNoVersions(t *testing.T) {
	root := t.TempDir()
	c := newTestCatalog(t, root, OSDisk{})
	v := mustCommit(t, c, testTx(1, 4))
	for _, name := range []string{"v2.jsonl", "v00000000000000000002.jsonl.tmp", "notes.txt", "checkpoint-1.jsonl"} {
		rewrite(t, filepath.Join(c.layout.Catalog(), name), []byte("half a li"))
	}
	rewrite(t, filepath.Join(c.layout.Tmp(), NewTxID()+tempCommit), []byte(`{"format":1,`))
	again := newTestCatalog(t, root, OSDisk{})
	mustEqualVersions(t, again.current(), v)
	mustCommit(t, again, testTx(again.current().Watermark, 1))
}

func TestFollowOverDroppedHistory(t *testing.T) {
	root := t.TempDir()
	c := newTestCatalog(t, root, OSDisk{})
	reader, err := openCatalog(c.layout, OSDisk{}, testClock, true)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3*checkpointCommits + 7 {
		mustCommit(t, c, testTx(c.current().Watermark, 2))
		if n == 5 || n == 20 {
			if err := reader.refresh(); err != nil {
				t.Fatal(err)
			}
			mustEqualVersions(t, reader.current(), c.current())
		}
	}
	if err := reader.refresh(); err != nil {
		t.Fatal(err)
	}
	mustEqualVersions(t, reader.current(), c.current())
}

func TestWaitVersion(t *testing.T) {
	c := newTestCatalog(t, t.TempDir(), OSDisk{})
	got := make(chan uint64)
	go func() {
		v, err := c.waitVersion(context.Background(), 0, nil)
		if err != nil {
			t.Error(err)
		}
		got <- v.Number
	}()
	mustCommit(t, c, testTx(1, 1))
	if n := <-got; n != 1 {
		t.Fatalf("got version %d", n)
	}
	closed := make(chan struct{})
	close(closed)
	if _, err := c.waitVersion(context.Background(), 1, closed); !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v, want ErrClosed", err)
	}
}
