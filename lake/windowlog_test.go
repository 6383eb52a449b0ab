package lake_test

import (
	"fmt"
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
	for range 3 {
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
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r = openLog(t, dir, lake.OSDisk{}, 0)
	if first := mustAppend(t, r, batchOf("new", 1)); first < 3 {
		t.Fatalf("first %d", first)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}
