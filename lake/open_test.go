package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// batchOf is n minimal lines.
func batchOf(n int) Batch {
	return Batch{Lines: []byte(strings.Repeat(`{"message":"x"}`+"\n", n)), N: n}
}

func mustAppend(t testing.TB, l *Lake, n int) Seq {
	t.Helper()
	receipt, err := l.Append(context.Background(), batchOf(n))
	if err != nil {
		t.Fatal(err)
	}
	return receipt.First
}

// listing is every path below root but state/, with size and time of change.
func listing(t testing.TB, root string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if rel == "state" {
			return fs.SkipDir
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		stamp := info.ModTime().UnixNano()
		if rel == "." {
			stamp = 0 // state/ may be made
		}
		fmt.Fprintf(&out, "%s %d %d\n", rel, info.Size(), stamp)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestReadOnlyChangesNothing(t *testing.T) {
	dir := t.TempDir()
	l := openOwner(t, dir)
	v := mustCommit(t, l.cat, placed(t, l.layout, testTx(1, 4)))
	closeLake(t, l)
	place(t, filepath.Join(l.layout.Tmp(), NewTxID(), "litter"))
	before := listing(t, dir)
	reader := openFollower(t, dir)
	pin := reader.Pin()
	mustEqualVersions(t, pin.Version, v)
	for range 3 {
		if err := reader.Refresh(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	reader.Status()
	pin.Release()
	if _, err := reader.Append(context.Background(), batchOf(1)); !errors.Is(err, ErrReadOnly) {
		t.Fatalf("append answered %v", err)
	}
	if _, err := reader.Commit(context.Background(), testTx(5, 1)); !errors.Is(err, ErrReadOnly) {
		t.Fatalf("commit answered %v", err)
	}
	if err := reader.Seal(); !errors.Is(err, ErrReadOnly) {
		t.Fatalf("seal answered %v", err)
	}
	if err := reader.SetAddress("x"); !errors.Is(err, ErrReadOnly) {
		t.Fatalf("set address answered %v", err)
	}
	closeLake(t, reader)
	if after := listing(t, dir); after != before {
		t.Fatalf("before\n%s\nafter\n%s", before, after)
	}
}

func TestReadOnlyWithoutALake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there")
	reader := openFollower(t, dir)
	pin := reader.Pin()
	if pin.Version.Number != 0 || len(pin.Hot) != 0 {
		t.Fatalf("got %+v", pin)
	}
	pin.Release()
	if s := reader.Status(); s != (Status{Watermark: 1, NextSeq: 1, ConvertAt: defaultConvertBytes, HotLimit: defaultHotLimit}) {
		t.Fatalf("got %+v", s)
	}
	if exists(filepath.Dir(dir)) {
		t.Fatal("opening made a folder")
	}
	l := openOwner(t, dir) // the reader takes up a lake that is made later
	mustCommit(t, l.cat, placed(t, l.layout, testTx(1, 4)))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	v, err := reader.WaitVersion(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	mustEqualVersions(t, v, l.Current())
}

func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	l := openOwner(t, dir)
	v := mustCommit(t, l.cat, placed(t, l.layout, testTx(1, 4)))
	closeLake(t, l)
	// A file in the way has the effect of a folder that cannot be written, and for every user.
	if err := os.RemoveAll(l.layout.State()); err != nil {
		t.Fatal(err)
	}
	rewrite(t, l.layout.State(), nil)
	reader := openFollower(t, dir)
	pin := reader.Pin()
	defer pin.Release()
	mustEqualVersions(t, pin.Version, v)
	if s := reader.Status(); s.LastError != "" {
		t.Fatal(s.LastError)
	}
}

func TestOpenFailure(t *testing.T) {
	f := func(name, want string, cfg Config) {
		t.Helper()
		l, err := Open(context.Background(), cfg)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("%s: got %v, %v", name, l, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	rewrite(t, file, nil)
	f("no folder", "no data folder", Config{})
	f("a file", "not a", Config{Dir: file})
	f("a file, read-only", "not a folder", Config{Dir: file, ReadOnly: true})
	f("a negative size", "negative", Config{Dir: t.TempDir(), HotLimit: -1})
	spoiled := openOwner(t, t.TempDir())
	mustCommit(t, spoiled.cat, testTx(1, 1))
	closeLake(t, spoiled)
	rewrite(t, spoiled.cat.versionPath(1), []byte("{}\n"))
	f("a damaged catalog", "v00000000000000000001.jsonl is damaged", Config{Dir: spoiled.layout.Root})
	f("the same, read-only", "v00000000000000000001.jsonl is damaged", Config{Dir: spoiled.layout.Root, ReadOnly: true})
	// A failed opening lets go of the lock.
	if err := os.Remove(spoiled.cat.versionPath(1)); err != nil {
		t.Fatal(err)
	}
	openOwner(t, spoiled.layout.Root)
}

func TestClosedLake(t *testing.T) {
	l := openOwner(t, t.TempDir())
	mustAppend(t, l, 3)
	closeLake(t, l)
	closeLake(t, l)
	if _, err := l.Append(context.Background(), batchOf(1)); !errors.Is(err, ErrClosed) {
		t.Fatalf("append answered %v", err)
	}
	if _, err := l.Commit(context.Background(), testTx(1, 1)); !errors.Is(err, ErrClosed) {
		t.Fatalf("commit answered %v", err)
	}
	if _, err := l.WaitVersion(context.Background(), 0); !errors.Is(err, ErrClosed) {
		t.Fatalf("wait answered %v", err)
	}
}

func TestPinJoinsVersionAndTail(t *testing.T) {
	l := openOwner(t, t.TempDir())
	mustAppend(t, l, 10)
	mustAppend(t, l, 5)
	pin := l.Pin()
	defer pin.Release()
	if len(pin.Hot) != 1 || pin.Hot[0].Events != 15 || pin.Hot[0].First != 1 || pin.Hot[0].End != 16 {
		t.Fatalf("got %+v", pin.Hot)
	}
	if err := l.Seal(); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, l.cat, placed(t, l.layout, testTx(1, 15)))
	mustAppend(t, l, 2)
	later := l.Pin()
	defer later.Release()
	if len(later.Hot) != 1 || later.Hot[0].Events != 2 || later.Version.Watermark != 16 {
		t.Fatalf("got %+v above %d", later.Hot, later.Version.Watermark)
	}
	if pin.Version.Number != 0 || pin.Hot[0].Events != 15 {
		t.Fatal("the older pin changed")
	}
}

func TestStatus(t *testing.T) {
	l := openOwner(t, t.TempDir())
	mustAppend(t, l, 10)
	if err := l.Seal(); err != nil {
		t.Fatal(err)
	}
	tx := placed(t, l.layout, testTx(1, 10))
	mustCommit(t, l.cat, tx)
	mustAppend(t, l, 7)
	line := int64(len(batchOf(1).Lines))
	want := Status{Version: 1, Watermark: 11, NextSeq: 18, RawEvents: 17, RawBytes: 17 * line, RawSegments: 2, ParquetEvents: 10, ParquetFiles: 1,
		ParquetBytes: 1234, HotEvents: 7, HotBytes: 7 * line, Visible: 17, FirstTimestamp: tx.Add[0].MinTS, LastTimestamp: tx.Add[0].MaxTS,
		HotSince: l.raw.segments()[1].Started, HotLimit: defaultHotLimit}
	if got := l.Status(); got != want {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
	reader := openFollower(t, l.layout.Root)
	want.ConvertAt = defaultConvertBytes // what gathers for the owner's next conversion is no growth
	if got := reader.Status(); got != want {
		t.Fatalf("a reader got  %+v\nwant %+v", got, want)
	}
	mustAppend(t, l, 1)
	eventually(t, "the reader's status follows", func() bool { return reader.Status().Visible == 18 })
}

// Raw that is lost below the watermark must not bring new events below it, where nobody would see them.
func TestRawLostBelowWatermark(t *testing.T) {
	dir := t.TempDir()
	l := openOwner(t, dir)
	mustAppend(t, l, 10)
	if err := l.Seal(); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, l.cat, placed(t, l.layout, testTx(1, 10)))
	closeLake(t, l)
	if err := os.RemoveAll(l.layout.Raw()); err != nil {
		t.Fatal(err)
	}
	l = openOwner(t, dir)
	if first := mustAppend(t, l, 1); first < 11 {
		t.Fatalf("seq %d lies below the watermark", first)
	}
	if s := l.Status(); s.HotEvents != 1 || s.Visible != 11 {
		t.Fatalf("got %+v", s)
	}
}

func BenchmarkStatus(b *testing.B) {
	l := openOwner(b, b.TempDir())
	mustAppend(b, l, 10)
	for b.Loop() {
		l.Status()
	}
}
