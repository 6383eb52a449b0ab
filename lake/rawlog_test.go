package lake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

func TestAppendSealReopen(t *testing.T) {
	dir := t.TempDir()
	r := openLog(t, dir, lake.OSDisk{}, 0)
	if err := r.Seal(); err != nil || len(r.Segments()) != 0 || r.Committed() != 1 {
		t.Fatalf("empty log: seal %v, segments %v, committed %d", err, r.Segments(), r.Committed())
	}
	var want []lineAt
	for i := range 7 {
		b := batchOf(fmt.Sprint("a", i), 1+i*3)
		first := mustAppend(t, r, b)
		want = append(want, splitLines(first, b.Lines)...)
		if i == 3 {
			if err := r.Seal(); err != nil {
				t.Fatal(err)
			}
		}
	}
	segments := r.Segments()
	if len(segments) != 2 || !segments[0].Sealed || segments[1].Sealed || segments[0].Started.Unix() != fixedNow().Unix() {
		t.Fatalf("segments: %+v", segments)
	}
	got, err := readAll(r)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "read", got, want)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Append(t.Context(), batchOf("late", 1)); !errors.Is(err, lake.ErrClosed) {
		t.Fatalf("append after close: %v", err)
	}
	r = openLog(t, dir, lake.OSDisk{}, 0)
	b := batchOf("again", 2)
	first := mustAppend(t, r, b)
	if first != want[len(want)-1].seq+1 {
		t.Fatalf("after a clean close the next seq is %d", first)
	}
	want = append(want, splitLines(first, b.Lines)...)
	for _, s := range r.Segments()[:2] {
		if !s.Sealed {
			t.Fatalf("not sealed: %+v", s)
		}
	}
	for from := range want {
		got, err := tailAll(t.Context(), r, want[from].seq)
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprint("tail from ", want[from].seq), got, want[from:])
	}
	if q := r.Quarantined(); len(q) != 0 {
		t.Fatalf("quarantined: %q", q)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSealBySize(t *testing.T) {
	r := openLog(t, t.TempDir(), lake.OSDisk{}, 2000)
	defer r.Close()
	for i := range 20 {
		mustAppend(t, r, batchOf(fmt.Sprint("s", i), 10))
	}
	r.Idle(t)
	for i, s := range r.Segments() {
		if s.Sealed != (s.Bytes >= 2000) || s.Bytes > 3200 {
			t.Errorf("segment %d: %+v", i, s)
		}
	}
	if n := len(r.Segments()); n < 5 {
		t.Errorf("%d segments", n)
	}
}

func TestAppendRefusesABadBatch(t *testing.T) {
	dir := t.TempDir()
	r := openLog(t, dir, lake.OSDisk{}, 0)
	defer r.Close()
	refused := func(what string, b lake.Batch) {
		t.Helper()
		if _, err := r.Append(t.Context(), b); err == nil || errors.Is(err, lake.ErrLogFailed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("nothing", lake.Batch{})
	refused("too few lines", lake.Batch{Lines: []byte("{}\n"), N: 2})
	refused("no newline at the end", lake.Batch{Lines: []byte("{}\n{}"), N: 1})
	refused("a long note", lake.Batch{Lines: []byte("{}\n"), N: 1, Note: make([]byte, lake.MaxNoteBytes+1)})
	refused("too many bytes", lake.Batch{Lines: append(bytes.Repeat([]byte("x"), 65<<20), '\n'), N: 1})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Append(cancelled, batchOf("c", 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if got := r.Committed(); got != 1 {
		t.Errorf("committed %d", got)
	}
	if _, err := openReader(t, dir).Append(t.Context(), batchOf("r", 1)); !errors.Is(err, lake.ErrReadOnly) {
		t.Errorf("read-only: %v", err)
	}
}

func TestReserve(t *testing.T) {
	dir := t.TempDir()
	r := openLog(t, dir, lake.OSDisk{}, 0)
	if err := r.Reserve(5000); err != nil || r.Committed() != 5000 {
		t.Fatalf("reserve: %v, committed %d", err, r.Committed())
	}
	if first := mustAppend(t, r, batchOf("a", 3)); first != 5000 {
		t.Fatalf("first %d", first)
	}
	if err := errors.Join(r.Reserve(10), r.Close()); err != nil {
		t.Fatal(err)
	}
	tail := openReader(t, dir).Tail(1)
	defer tail.Close()
	if b, err := tail.Next(t.Context()); err != nil || b.First != 5000 || b.N != 3 || b.Rewound {
		t.Fatalf("tail over a reserved gap: %+v %v", b, err)
	}
}

func TestNotes(t *testing.T) {
	dir := t.TempDir()
	clock := int64(1_000_000)
	now := func() time.Time { return time.UnixMicro(clock) }
	r, err := lake.OpenRawLog(lake.Layout{Root: dir}, lake.OSDisk{}, now, 300, false)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 12 {
		b := batchOf(fmt.Sprint("n", i), 2)
		if i%2 == 0 {
			b.Note = []byte(fmt.Sprint("key ", i))
		}
		clock = int64(1_000_000 + i)
		first := mustAppend(t, r, b)
		if i%2 == 0 && i >= 5 {
			want = append(want, fmt.Sprint(first, " 2 ", clock, " key ", i))
		}
	}
	check := func(r lake.RawLog) {
		t.Helper()
		var got []string
		err := r.Notes(1_000_005, func(first lake.Seq, n int, at lake.Micros, note []byte) error {
			got = append(got, fmt.Sprint(first, " ", n, " ", at, " ", string(note)))
			return nil
		})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("notes %q, %v; want %q", got, err, want)
		}
	}
	check(r)
	check(openReader(t, dir))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = openLog(t, dir, lake.OSDisk{}, 300)
	defer r.Close()
	check(r)
}

// readToLast collects what a tail hands out up to the batch "last". Nothing may lie above visible, if that is given.
func readToLast(t *testing.T, tail *lake.Tail, visible func() lake.Seq, got *[]lineAt) error {
	defer tail.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		b, err := tail.Next(ctx)
		if err != nil {
			return err
		}
		if b.Rewound || (visible != nil && b.First+lake.Seq(b.N) > visible()) {
			return fmt.Errorf("batch %d+%d: rewound %v or not committed", b.First, b.N, b.Rewound)
		}
		*got = append(*got, splitLines(b.First, b.Lines)...)
		if strings.HasPrefix((*got)[len(*got)-1].line, `{"b":"last"`) {
			return nil
		}
	}
}

// TestManyWritersAndReaders: sixteen writers, a tail in the process and one as in another process; each sees every event once, in order.
func TestManyWritersAndReaders(t *testing.T) {
	dir := t.TempDir()
	r := openLog(t, dir, lake.OSDisk{}, 200_000)
	other := openReader(t, dir)
	const writers, each = 16, 60
	var mu sync.Mutex
	firsts := map[lake.Seq]lake.Batch{}
	total := 0
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(w)))
			for i := range each {
				b := batchOf(fmt.Sprintf("w%d-%d", w, i), 1+rng.IntN(20))
				first, err := r.Append(t.Context(), b)
				if err != nil {
					t.Error(err)
					return
				}
				if r.Committed() < first+lake.Seq(b.N) {
					t.Errorf("acknowledged %d+%d above committed %d", first, b.N, r.Committed())
				}
				mu.Lock()
				firsts[first] = b
				total += b.N
				mu.Unlock()
			}
		})
	}
	var inside, outside []lineAt
	var readers sync.WaitGroup
	readers.Go(func() {
		if err := readToLast(t, r.Tail(1), r.Committed, &inside); err != nil {
			t.Error(err)
		}
	})
	readers.Go(func() {
		if err := readToLast(t, other.Tail(1), nil, &outside); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	last := batchOf("last", 1)
	firsts[mustAppend(t, r, last)] = last
	total++
	readers.Wait()
	all, err := readAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != total {
		t.Fatalf("%d events, want %d", len(all), total)
	}
	for i := 0; i < len(all); {
		b, ok := firsts[all[i].seq]
		if !ok {
			t.Fatalf("no batch was acknowledged at %d", all[i].seq)
		}
		same(t, "batch", all[i:i+b.N], splitLines(all[i].seq, b.Lines))
		i += b.N
	}
	same(t, "tail in the process", inside, all)
	same(t, "tail in another process", outside, all)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCloseWakesTails(t *testing.T) {
	r := openLog(t, t.TempDir(), lake.OSDisk{}, 0)
	mustAppend(t, r, batchOf("a", 1))
	tail := r.Tail(2)
	defer tail.Close()
	got := make(chan error, 2)
	go func() { _, err := tail.Next(t.Context()); got <- err }()
	go func() { got <- r.WaitCommitted(t.Context(), 2) }()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-got; !errors.Is(err, lake.ErrClosed) {
			t.Fatalf("got %v", err)
		}
	}
}

func TestReadOnlyOfNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	r := openReader(t, dir)
	if r.Committed() != 1 || len(r.Segments()) != 0 {
		t.Fatal("an empty lake has events")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Fatalf("a reader made the folder: %v", err)
	}
}
