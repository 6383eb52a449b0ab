package lake_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// next is Tail.Next with a deadline.
func next(t *testing.T, tail *lake.Tail) lake.TailBatch {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	b, err := tail.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantBatch(t *testing.T, got lake.TailBatch, first lake.Seq, want lake.Batch) {
	t.Helper()
	if got.Rewound || got.First != first || got.N != want.N || string(got.Lines) != string(want.Lines) {
		t.Fatalf("got %+v, want %d events from %d", got, want.N, first)
	}
}

// syncGate is a disk on which the tests decide how syncs of data files end.
type syncGate struct {
	lake.OSDisk
	mu   sync.Mutex
	gate func() error // nil: for real
}

func (d *syncGate) set(gate func() error) {
	d.mu.Lock()
	d.gate = gate
	d.mu.Unlock()
}

func (d *syncGate) Create(path string) (lake.File, error) {
	f, err := d.OSDisk.Create(path)
	if err != nil || !strings.HasSuffix(path, ".jsonl") {
		return f, err
	}
	return &gatedFile{f, d}, nil
}

type gatedFile struct {
	lake.File
	disk *syncGate
}

func (f *gatedFile) Sync() error {
	f.disk.mu.Lock()
	gate := f.disk.gate
	f.disk.mu.Unlock()
	if gate != nil {
		return gate()
	}
	return f.File.Sync()
}

// TestTailStopsAtCommitted: a batch whose sync has not ended is seen by another process at most, and taken back there when the sync fails.
func TestTailStopsAtCommitted(t *testing.T) {
	dir := t.TempDir()
	disk := &syncGate{}
	r := openLog(t, dir, disk, 0)
	defer r.Close()
	one := batchOf("one", 3)
	mustAppend(t, r, one)
	outside, inside := openReader(t, dir).Tail(1), r.Tail(1)
	defer outside.Close()
	defer inside.Close()
	wantBatch(t, next(t, outside), 1, one)
	wantBatch(t, next(t, inside), 1, one)

	result := make(chan error)
	disk.set(func() error { return <-result })
	two := batchOf("two", 4)
	answered := make(chan error, 1)
	go func() {
		_, err := r.Append(t.Context(), two)
		answered <- err
	}()
	wantBatch(t, next(t, outside), 4, two) // its bytes are there
	if r.Committed() != 4 {
		t.Fatalf("committed %d before the sync ended", r.Committed())
	}
	disk.set(nil)
	result <- errors.New("the disk is broken")
	if err := <-answered; !errors.Is(err, lake.ErrLogFailed) || !strings.Contains(err.Error(), "the disk is broken") ||
		!strings.Contains(err.Error(), lake.Layout{Root: dir}.SegmentData(1)) {
		t.Fatalf("append: %v", err)
	}
	three := batchOf("three", 2)
	first := mustAppend(t, r, three)
	if first != 8+lake.SeqJump {
		t.Fatalf("the next batch has seq %d", first)
	}
	wantBatch(t, next(t, inside), first, three)
	if b := next(t, outside); !b.Rewound || b.First != 4 || b.N != 0 {
		t.Fatalf("want a rewind to 4, got %+v", b)
	}
	wantBatch(t, next(t, outside), first, three)
	stale := openReader(t, dir).Tail(8) // the position of a reader that had seen the lost batch
	defer stale.Close()
	if b := next(t, stale); !b.Rewound || b.First != 4 {
		t.Fatalf("want a rewind to 4, got %+v", b)
	}
	wantBatch(t, next(t, stale), first, three)
}

// stopped copies the files of a log that was not closed: what a kill leaves.
func stopped(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// TestTailOverARecovery: another process's tail has read what recovery then cuts.
func TestTailOverARecovery(t *testing.T) {
	origin, dir := t.TempDir(), filepath.Join(t.TempDir(), "lake")
	r := openLog(t, origin, lake.OSDisk{}, 0)
	one, two := batchOf("one", 3), batchOf("two", 2)
	mustAppend(t, r, one)
	mustAppend(t, r, two)
	stopped(t, origin, dir)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	tail := openReader(t, dir).Tail(2)
	defer tail.Close()
	if b := next(t, tail); b.First != 2 || b.N != 4 {
		t.Fatalf("got %+v", b)
	}
	path := lake.Layout{Root: dir}.SegmentData(1)
	if err := os.Truncate(path, int64(len(one.Lines)+len(two.Lines)-1)); err != nil {
		t.Fatal(err)
	}
	r = openLog(t, dir, lake.OSDisk{}, 0)
	defer r.Close()
	if b := next(t, tail); !b.Rewound || b.First != 4 { // before anything new is appended
		t.Fatalf("want a rewind to 4, got %+v", b)
	}
	three := batchOf("three", 1)
	first := mustAppend(t, r, three)
	wantBatch(t, next(t, tail), first, three)
}

// TestTailFollowsOwners: one tail in another process goes on over a clean close, a kill and new segments, and loses and repeats nothing.
func TestTailFollowsOwners(t *testing.T) {
	dir := t.TempDir()
	tail := openReader(t, dir).Tail(1)
	defer tail.Close()
	for owner := range 4 {
		r := openLog(t, dir, lake.OSDisk{}, 400)
		for i := range 6 {
			b := batchOf(fmt.Sprintf("o%d-%d", owner, i), 1+i)
			first := mustAppend(t, r, b)
			wantBatch(t, next(t, tail), first, b)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTailJoins: committed batches come joined up to about a mebibyte, and a larger one comes alone.
func TestTailJoins(t *testing.T) {
	r := openLog(t, t.TempDir(), lake.OSDisk{}, 0)
	defer r.Close()
	for i := range 40 {
		mustAppend(t, r, batchOf(fmt.Sprint("j", i), 1000))
	}
	large := batchOf("large", 40_000)
	first := mustAppend(t, r, large)
	tail := r.Tail(1)
	defer tail.Close()
	batches := 0
	for {
		b := next(t, tail)
		if b.First == first {
			wantBatch(t, b, first, large)
			break
		}
		if len(b.Lines) > lake.SpanBytes {
			t.Fatalf("%d bytes", len(b.Lines))
		}
		batches++
	}
	if batches > 6 {
		t.Errorf("40 batches of some 60 kB came as %d", batches)
	}
}

func TestTailEndsWithItsContext(t *testing.T) {
	for _, r := range []lake.RawLog{openLog(t, t.TempDir(), lake.OSDisk{}, 0), openReader(t, t.TempDir())} {
		tail := r.Tail(1)
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan error, 2)
		go func() { _, err := tail.Next(ctx); got <- err }()
		go func() { got <- r.WaitCommitted(ctx, 1) }()
		cancel()
		for range 2 {
			if err := <-got; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
		if err := errors.Join(tail.Close(), r.Close()); err != nil {
			t.Error(err)
		}
	}
}
