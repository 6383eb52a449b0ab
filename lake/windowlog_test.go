package lake_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/signallake/signallake/lake"
)

// givenBatch is a batch of events whose ids the sender gave, received now.
func givenBatch(received lake.Micros, ids ...string) lake.Batch {
	var b lake.Batch
	for _, id := range ids {
		id, content, _ := strings.Cut(id, "/")
		e := lake.Event{EventID: id, Timestamp: 1_790_000_000_000_000, ReceivedAt: received, ServiceName: "checkout", StatusCode: 200, Message: "m" + content}
		b.Lines = e.AppendLine(b.Lines)
		b.Given = append(b.Given, true)
		b.N++
	}
	return b
}

func mustTake(t testing.TB, r lake.RawLog, b lake.Batch) lake.Receipt {
	t.Helper()
	receipt, err := r.Take(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// TestDuplicates tells a batch's own, a group's, an earlier group's and an earlier process's.
func TestDuplicates(t *testing.T) {
	dir := t.TempDir()
	r := openLog(t, dir, lake.OSDisk{}, 0)
	received := lake.Micros(1_790_000_000_000_000)
	want := func(what string, got, want lake.Receipt) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	take := func(ids ...string) lake.Receipt {
		t.Helper()
		received++ // a repeated event is received later
		return mustTake(t, r, givenBatch(received, ids...))
	}
	want("new", take("a", "b", "c"), lake.Receipt{First: 1, Stored: 3})
	want("all again", take("c", "a", "b"), lake.Receipt{Duplicates: 3})
	want("some again", take("a", "d", "b", "e"), lake.Receipt{First: 4, Stored: 2, Duplicates: 2})
	want("twice in the batch", take("f", "f", "f/x", "f"), lake.Receipt{First: 6, Stored: 2, Duplicates: 2, Conflicts: 1})
	want("other content", take("a/x"), lake.Receipt{First: 8, Stored: 1, Conflicts: 1})
	want("both contents again", take("a", "a/x"), lake.Receipt{Duplicates: 2})
	b := givenBatch(received, "a", "g")
	b.Given = nil
	want("not given", mustTake(t, r, b), lake.Receipt{First: 9, Stored: 2})
	want("not entered", take("g"), lake.Receipt{First: 11, Stored: 1})
	for range 2 {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		r = openLog(t, dir, lake.OSDisk{}, 0)
		want("after a restart", take("e", "f/x", "a", "g", "a/x"), lake.Receipt{Duplicates: 5})
	}
	want("new after a restart", take("h"), lake.Receipt{First: 12, Stored: 1})
	got, err := readAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, l := range got {
		ids = append(ids, l.line[len(`{"event_id":"`):][:1])
	}
	if s := strings.Join(ids, ""); s != "abcdeffaaggh" {
		t.Errorf("stored: %s", s)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestExactlyOnceFromManySenders: everyone sends the same events, each in an own order and cut; each is stored once, and everyone hears of each.
func TestExactlyOnceFromManySenders(t *testing.T) {
	dir := t.TempDir()
	r := openLog(t, dir, lake.OSDisk{}, 40_000)
	const senders, events = 12, 500
	var mu sync.Mutex
	stored, twice := 0, 0
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for from := 0; from < events; {
				var ids []string
				for range 1 + (s*7+from)%29 {
					if from+len(ids) < events {
						ids = append(ids, fmt.Sprint("e", (from+len(ids))*(1+s%2*2)%events))
					}
				}
				from += len(ids)
				receipt, err := r.Take(t.Context(), givenBatch(lake.Micros(s+1), ids...))
				if err != nil || receipt.Stored+receipt.Duplicates != len(ids) || receipt.Conflicts != 0 {
					t.Errorf("%+v of %d events: %v", receipt, len(ids), err)
					return
				}
				if receipt.First+lake.Seq(receipt.Stored) > r.Committed() {
					t.Errorf("%+v is answered and only %d is durable", receipt, r.Committed())
				}
				mu.Lock()
				stored, twice = stored+receipt.Stored, twice+receipt.Duplicates
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	got, err := readAll(r)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, l := range got {
		seen[strings.SplitN(l.line, `"`, 5)[3]]++
	}
	if len(seen) != events || len(got) != events || stored != events || twice != (senders-1)*events {
		t.Errorf("%d events in the log, %d different ones, %d said to be stored, %d duplicates", len(got), len(seen), stored, twice)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestNotesAlone: a batch of no events, or of duplicates only, is stored for its note; every reader copes with it, also in a segment that has nothing else.
func TestNotesAlone(t *testing.T) {
	dir := t.TempDir()
	var want []string
	said := func(r lake.Receipt) []byte {
		note := fmt.Sprintf("%d new, %d again, %d other from %d", r.Stored, r.Duplicates, r.Conflicts, r.First)
		want = append(want, note)
		return []byte(note)
	}
	var r lake.RawLog
	outside := openReader(t, dir).Tail(1)
	defer outside.Close()
	for round := range 3 {
		r = openLog(t, dir, lake.OSDisk{}, 0)
		for range 3 {
			for _, b := range []lake.Batch{{}, givenBatch(7, "a", "b"), givenBatch(8, "b"), {Note: []byte("plain")}} {
				if b.Note != nil {
					want = append(want, string(b.Note))
				} else {
					b.Remark = said
				}
				mustTake(t, r, b)
			}
			if err := r.Seal(); err != nil {
				t.Fatal(err)
			}
		}
		check := func(what string, r lake.RawLog) {
			t.Helper()
			var forth, back []string
			err := r.Notes(0, func(_ lake.Seq, n int, _ lake.Micros, note []byte) error {
				forth = append(forth, string(note))
				return nil
			})
			if err != nil || !slices.Equal(forth, want) {
				t.Fatalf("%s: notes %q, %v, want %q", what, forth, err, want)
			}
			err = r.NotesBack(0, func(_ lake.Micros, note []byte) bool { back = append(back, string(note)); return true })
			slices.Reverse(back)
			if err != nil || !slices.Equal(back, want) {
				t.Fatalf("%s: notes back %q, %v, want %q", what, back, err, want)
			}
			got, err := readAll(r)
			if err != nil || len(got) != 2 || r.Committed() != 3 {
				t.Fatalf("%s: %d events, %v, committed %d", what, len(got), err, r.Committed())
			}
			if got, err = tailAll(t.Context(), r, 1); err != nil || len(got) != 2 {
				t.Fatalf("%s: a tail gives %d events, %v", what, len(got), err)
			}
		}
		check("in the process", r)
		check("in another process", openReader(t, dir))
		if q := r.Quarantined(); len(q) != 0 {
			t.Fatalf("quarantined: %q", q)
		}
		if round == 0 {
			if b := next(t, outside); b.First != 1 || b.N != 2 {
				t.Fatalf("%+v", b)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r = openLog(t, dir, lake.OSDisk{}, 0)
	b := batchOf("new", 1)
	first := mustAppend(t, r, b)
	wantBatch(t, next(t, outside), first, b)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestWindowEdge: the newest three are known, what is older is forgotten; a restart changes nothing.
func TestWindowEdge(t *testing.T) {
	dir := t.TempDir()
	var r lake.RawLog
	open := func(events int) {
		t.Helper()
		var err error
		if r, err = lake.OpenRawLogWindow(lake.Layout{Root: dir}, lake.OSDisk{}, fixedNow, 0, events, false); err != nil {
			t.Fatal(err)
		}
	}
	take := func(id string, stored bool) {
		t.Helper()
		if receipt := mustTake(t, r, givenBatch(1, id)); receipt.Stored == 1 != stored || receipt.Stored+receipt.Duplicates != 1 {
			t.Fatalf("%s: %+v, want it stored %v", id, receipt, stored)
		}
	}
	restart := func(events int) {
		t.Helper()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		open(events)
	}
	open(3)
	for _, id := range []string{"a", "b", "c", "d"} {
		take(id, true)
	}
	for _, id := range []string{"b", "c", "d"} {
		take(id, false)
	}
	restart(3)
	take("b", false)
	take("a", true) // the fourth before the end
	take("b", true) // a took its place
	restart(3)
	take("d", false)
	take("c", true)
	restart(-1)
	take("c", true)
	take("c", true)
	restart(3) // what was stored meanwhile is known from its lines, twice is as good as once
	take("c", false)
	take("b", true)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDuplicateWaitsForItsGroup: a duplicate of an event that is still on its way is answered with it, also when it fails; then both may be sent again.
func TestDuplicateWaitsForItsGroup(t *testing.T) {
	dir := t.TempDir()
	disk := &syncGate{}
	r := openLog(t, dir, disk, 0)
	mustTake(t, r, givenBatch(1, "before"))
	syncing, result := make(chan struct{}), make(chan error)
	disk.set(func() error { syncing <- struct{}{}; return <-result })
	answers := make(chan error, 3)
	send := func(id string) {
		go func() {
			_, err := r.Take(t.Context(), givenBatch(1, id, "before"))
			answers <- err
		}()
	}
	send("first")
	<-syncing // the two that follow make one group
	send("again")
	send("again")
	for r.Waiting() < 2 {
		runtime.Gosched()
	}
	result <- nil
	if err := <-answers; err != nil {
		t.Fatal(err)
	}
	<-syncing
	select {
	case err := <-answers:
		t.Fatalf("answered before it is durable: %v", err)
	default:
	}
	disk.set(nil)
	result <- errors.New("the disk is broken")
	for range 2 {
		if err := <-answers; !errors.Is(err, lake.ErrLogFailed) {
			t.Fatalf("%v", err)
		}
	}
	if receipt := mustTake(t, r, givenBatch(1, "again", "first", "again")); receipt.Stored != 1 || receipt.Duplicates != 2 {
		t.Fatalf("after the failure: %+v", receipt)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRemarkTooLong: its batch alone fails, and nothing of it is known afterwards.
func TestRemarkTooLong(t *testing.T) {
	r := openLog(t, t.TempDir(), lake.OSDisk{}, 0)
	b := givenBatch(1, "a", "a/x", "b")
	b.Remark = func(lake.Receipt) []byte { return []byte("endless" + strings.Repeat("!", lake.MaxNoteBytes)) }
	_, err := r.Take(t.Context(), b)
	if err == nil || errors.Is(err, lake.ErrLogFailed) || !strings.Contains(err.Error(), "endless") || !strings.Contains(err.Error(), "4103") {
		t.Fatalf("%v", err)
	}
	b.Remark = func(got lake.Receipt) []byte {
		if want := (lake.Receipt{First: 1, Stored: 3, Conflicts: 1}); got != want {
			t.Errorf("remark on %+v, want %+v", got, want)
		}
		return bytes.Repeat([]byte("n"), lake.MaxNoteBytes)
	}
	if receipt := mustTake(t, r, b); receipt.Stored != 3 {
		t.Fatalf("%+v", receipt)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCutBatches: what is left of batches with duplicates, of all sizes that are written in different ways, is what it should be, on the disk as well.
func TestCutBatches(t *testing.T) {
	dir := t.TempDir()
	r := openLog(t, dir, lake.OSDisk{}, 0)
	rng := rand.New(rand.NewPCG(3, 4))
	var want []string
	for _, n := range []int{1, 2, 30, 2000, 2500, 40_000} {
		var ids []string
		for i := range n {
			id := fmt.Sprint(n, "-", i)
			if want = append(want, id); rng.IntN(n) < 30 && len(want) > 1 {
				ids = append(ids, want[rng.IntN(len(want))], id)
			} else {
				ids = append(ids, id)
			}
		}
		b := givenBatch(5, ids...)
		lines := bytes.Clone(b.Lines)
		mustTake(t, r, b)
		if !bytes.Equal(lines, b.Lines) {
			t.Fatal("the sender's lines were changed")
		}
	}
	got, err := readAll(r)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, l := range got {
		count[strings.SplitN(l.line, `"`, 5)[3]]++
	}
	for _, id := range want {
		if count[id] != 1 {
			t.Errorf("%s is there %d times", id, count[id])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d events, want %d", len(got), len(want))
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}
