package replay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// Letters that rules mend become events once and are gone; the others stay, with their new reason told.
func TestReplay(t *testing.T) {
	dir := t.TempDir()
	l := openLake(t, dir, nil)
	bury(t, l, sent(event("a", `,"latency_ms":"250ms"`)), sent(event("b", `,"latency_ms":"1.2s","event_id":"mine"`)), sent(event("c", `,"latency_ms":"slow"`)), sent("hello"))
	d := deskOf(l)
	p := Params{Rules: Rules{Cast: []string{"latency_ms=number"}}, DryRun: true}
	r := mustRun(t, d, p)
	r.want(t, "dry run", 4, 2, 0, 2)
	if len(stored(t, l)) != 0 || len(letters(t, l)) != 4 {
		t.Fatal("the dry run changed something")
	}
	if len(r.Samples) != 4 || !strings.Contains(r.Samples[0].After, `"latency_ms":250`) || r.Samples[2].Problem != "latency_ms: cannot be cast to number, got \"slow\"" {
		t.Fatalf("samples: %+v", r.Samples)
	}
	if len(r.Problems) != 2 || r.Problems[0].Letters != 1 || r.Problems[1].Kind != "latency_ms: cannot be cast to number" {
		t.Fatalf("problems: %+v", r.Problems)
	}
	p.DryRun = false
	mustRun(t, d, p).want(t, "replay", 4, 2, 0, 2)
	mustRun(t, d, p).want(t, "again", 2, 0, 0, 2)
	got := stored(t, l)
	if len(got) != 2 || !strings.Contains(got[1], `"event_id":"mine"`) || !strings.Contains(got[1], `"latency_ms":1200`) {
		t.Fatalf("stored %q", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openLake(t, dir, nil)
	mustRun(t, deskOf(l), p).want(t, "after a restart", 2, 0, 0, 2)
	if left := letters(t, l); len(left) != 2 || left[0].ID != 3 || left[1].ID != 4 {
		t.Fatalf("left: %+v", left)
	}
}

// fullLake has no room for events.
type fullLake struct{ Lake }

func (fullLake) Append(context.Context, lake.Batch) (lake.Receipt, error) {
	return lake.Receipt{}, errors.New("no space left on device")
}

// After an error the report counts what was done, not what was about to be: here only the letter that stays whatever happens.
func TestReplayCountsWhatIsDone(t *testing.T) {
	l := openLake(t, t.TempDir(), nil)
	bury(t, l, sent(event("a", "")), sent("hello"), sent(event("b", "")))
	d := NewDesk(Config{Lake: fullLake{l}, Now: func() time.Time { return testNow }})
	r, err := d.Run(t.Context(), Params{}, &lake.Progress{})
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Fatalf("%v", err)
	}
	r.want(t, "on a full disk", 1, 0, 0, 1)
	if left := letters(t, l); len(left) != 3 {
		t.Fatalf("left: %+v", left)
	}
}

// A body that was refused as a whole is taken event by event; where some are bad, each becomes a letter of its own, and only the bad ones stay.
func TestReplayBody(t *testing.T) {
	l := openLake(t, t.TempDir(), nil)
	d := deskOf(l)
	bury(t, l, sent("["+event("a", "")+", "+event("b", "")+"]"), sent(event("c", "")+"\n"+event("d", `,"status_code":9`)+"\n"+event("e", "")))
	mustRun(t, d, Params{DryRun: true}).want(t, "dry run", 2, 4, 0, 1)
	r := mustRun(t, d, Params{})
	if r.want(t, "replay", 2, 4, 0, 1); r.Split != 1 {
		t.Fatalf("%+v", r)
	}
	if got := messages(t, l); !slices.Equal(got, []string{"a", "b", "c", "e"}) {
		t.Fatalf("stored %q", got)
	}
	left := letters(t, l)
	if len(left) != 1 || string(left[0].Text) != event("d", `,"status_code":9`) || left[0].Field != "status_code" || left[0].Source != "api 127.0.0.1" || left[0].At != lake.MicrosOf(testNow) {
		t.Fatalf("left %+v", left)
	}
	mustRun(t, d, Params{}).want(t, "again", 1, 0, 0, 1)
	mustRun(t, d, Params{Rules: Rules{Default: []string{"x=1"}, Cast: []string{"status_code=string"}}}).want(t, "other rules", 1, 0, 0, 1)
	mustRun(t, d, Params{Rules: Rules{Rename: []string{"status_code=code"}}}).want(t, "mended", 1, 1, 0, 0)
	if len(letters(t, l)) != 0 {
		t.Fatal("letters are left")
	}
}

// What the lake has already, by the sender's own id, is not stored again, and its letter is gone; another content under that id is told.
func TestReplayMeetsTheWindow(t *testing.T) {
	l := openLake(t, t.TempDir(), nil)
	var e lake.Event
	early := testNow.Add(-time.Hour)
	if _, err := (lake.Contract{}).Parse([]byte(event("a", `,"event_id":"x","latency_ms":250`)), lake.MicrosOf(early), &e); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), lake.Batch{Lines: e.AppendLine(nil), N: 1, Given: []bool{true}}); err != nil {
		t.Fatal(err)
	}
	same, other := event("a", `,"event_id":"x","latency_ms":"250ms"`), event("b", `,"event_id":"x","latency_ms":"250ms"`)
	bury(t, l, sent(same), sent(same), sent(other), sent(event("c", "")), sent(event("c", "")))
	r := mustRun(t, deskOf(l), mending)
	if r.want(t, "replay", 5, 3, 2, 0); r.Conflicts != 1 {
		t.Errorf("%+v", r)
	}
	if got := messages(t, l); !slices.Equal(got, []string{"a", "b", "c", "c"}) || len(letters(t, l)) != 0 {
		t.Errorf("stored %q", got)
	}
	bury(t, l, sent(same)) // a batch of nothing but duplicates
	mustRun(t, deskOf(l), mending).want(t, "once more", 1, 0, 1, 0)
	if len(letters(t, l)) != 0 {
		t.Error("the letter is left")
	}
}

// Lines that share a letter are taken apart: the broken ones stay, neighbours among them together.
func TestReplaySharedLetter(t *testing.T) {
	l := openLake(t, t.TempDir(), nil)
	d := deskOf(l)
	bury(t, l, sent("1\n2\n"+event("a", "")+"\n{\"cut\": \n3\n"+event("b", "")+" "+event("c", "")+"\n"))
	r := mustRun(t, d, Params{})
	if r.want(t, "replay", 1, 3, 0, 2); r.Split != 1 {
		t.Fatalf("%+v", r)
	}
	if got := messages(t, l); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Fatalf("stored %q", got)
	}
	if left := letters(t, l); len(left) != 2 || string(left[0].Text) != "1\n2" || string(left[1].Text) != "{\"cut\":\n3" {
		t.Fatalf("left %+v", left)
	}
	mustRun(t, d, Params{}).want(t, "again", 2, 0, 0, 2)
}

// What cannot be replayed says why.
func TestReplayRefuses(t *testing.T) {
	l := openLake(t, t.TempDir(), nil)
	cut := sent(event("x", ""))
	cut.Cut = true
	line := sent("Exception in thread main")
	line.Source, line.Origin = "import app.log", "head-1"
	try := func(d lake.DeadLetter, reason string) {
		t.Helper()
		d = bury(t, l, d)[0]
		r := mustRun(t, deskOf(l), Params{Pick: Pick{IDs: []int64{d.ID}}})
		if r.want(t, reason, 1, 0, 0, 1); !strings.Contains(r.Problems[0].Reason, reason) {
			t.Errorf("%.60s: %q, want %q", d.Text, r.Problems[0].Reason, reason)
		}
	}
	try(cut, "bytes were kept")
	try(sent(`{"a":`), "no valid JSON, which rules cannot mend")
	try(sent(`[{"a":1}`), "no valid JSON")
	try(sent(`[]`), "holds no event")
	try(sent(`[1,2]`), "must be one JSON object, got 1")
	try(sent(`[1,{}]`), "must be one JSON object, got 1 (event 1 of 2)")
	try(sent("hello\nworld"), "no valid JSON")
	try(sent("["+strings.Repeat("{},", 1500)+"{}]"), "holds 1501 values")
	try(sent(`"text"`), "must be one JSON object")
	try(sent(`{"service_name":"a"}`), "is missing")
	try(line, "format is not known")
	try(sent(strings.Replace(event("old", ""), "2026", "1901", 1)), "outside the accepted window")
}

// Lines of an import are read in their own format; rules see the keys that stand in them.
func TestReplayImportedLines(t *testing.T) {
	l := openLake(t, t.TempDir(), nil)
	d := deskOf(l)
	imported := func(text string) lake.DeadLetter {
		return lake.DeadLetter{At: 1, Source: "import app.log", Origin: "head-4096-1", Line: 7, Reason: "bad", Text: []byte(text)}
	}
	try := func(text string, rules Rules, want ...string) {
		t.Helper()
		bury(t, l, imported(text))
		before := len(stored(t, l))
		r := mustRun(t, d, Params{Rules: rules})
		got := stored(t, l)[before:]
		if len(got) != 1 || len(letters(t, l)) != 0 {
			t.Fatalf("%s: %+v", text, r)
		}
		for _, part := range want {
			if !strings.Contains(got[0], part) {
				t.Errorf("%s: %s lacks %s", text, got[0], part)
			}
		}
	}
	service := "service_name=shop"
	try(`{"ts":"2026-11-21 07:00:00","msg":"hi","took":"x"}`, Rules{Rename: []string{"took=note"}, Default: []string{service}}, `"message":"hi"`, `"note":"x"`, `"service_name":"shop"`)
	try(`time=2026-11-21T07:00:00Z service=Shop status=fine dur=1.5s msg="a b"`, Rules{Rename: []string{"status=state"}}, `"latency_ms":1500`, `"message":"a b"`, `"state":"fine"`)
	try(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET /x HTTP/1.1" 999 12`, Rules{Rename: []string{"status=odd"}, Cast: []string{"odd=integer"}, Default: []string{service}},
		`"endpoint":"/x"`, `"odd":999`, `"message":"GET /x HTTP/1.1"`, `"timestamp":"2026-11-21T06:33:10`)
	try(`time=2026-11-21T07:00:00Z service=shop msg=plain`, Rules{}, `"message":"plain"`)

	bury(t, l, imported(`time=2026-11-21T07:00:00Z msg=x`))
	r := mustRun(t, d, Params{})
	if r.want(t, "no service", 1, 0, 0, 1); r.Problems[0].Reason != "is missing: rename the key that holds it, or give it as a default" {
		t.Errorf("%+v", r.Problems)
	}
}

// An import that was interrupted may keep a line a second time, after the first letter was replayed: it is known by its place.
func TestEventIDOfImportedLine(t *testing.T) {
	a := lake.DeadLetter{ID: 1, At: 5, Source: "import a.log", Origin: "head-1-1", Line: 7}
	b := a
	b.ID, b.At = 9, 6
	if eventID(&a, 0) != eventID(&b, 0) {
		t.Error("one line, two ids")
	}
	b.Line = 8
	if eventID(&a, 0) == eventID(&b, 0) {
		t.Error("two lines, one id")
	}
	x, y := sent("x"), sent("x")
	x.ID, y.ID = 1, 2
	if eventID(&x, 0) == eventID(&y, 0) || eventID(&x, 0) == eventID(&x, 1) {
		t.Error("two letters of a request with a constant id are one")
	}
}

// A run out of patience says where it stopped, and loses nothing.
func TestReplayPatience(t *testing.T) {
	l := openLake(t, t.TempDir(), nil)
	for i := range 20 {
		bury(t, l, sent(event(fmt.Sprint(i), "")), sent("bad"))
	}
	d := deskOf(l)
	total := &Report{}
	calls := 0
	for next := int64(0); calls == 0 || next > 0; calls++ {
		r := mustRun(t, d, Params{Since: next, Patience: time.Nanosecond})
		if r.Next != 0 && r.Next <= next {
			t.Fatalf("no way on from %d: %+v", next, r)
		}
		total.Add(r)
		next = r.Next
	}
	if total.want(t, "all", 40, 20, 0, 20); calls < 2 || len(total.Problems) != 1 || total.Problems[0].Letters != 20 {
		t.Fatalf("%d calls: %+v", calls, total)
	}
	if got := messages(t, l); len(got) != 20 {
		t.Fatalf("stored %q", got)
	}
}

// Many letters take many batches, each with a note that fits.
func TestReplayMany(t *testing.T) {
	l := openLake(t, t.TempDir(), nil)
	const n = 5000
	list := make([]lake.DeadLetter, n)
	for i := range list {
		list[i] = sent(event(fmt.Sprint(i), ""))
		if i%3 == 0 && i > n/2 {
			list[i].Text = []byte("bad")
		}
	}
	bury(t, l, list...)
	bad := int64(0)
	for i := range list {
		if i%3 == 0 && i > n/2 {
			bad++
		}
	}
	mustRun(t, deskOf(l), Params{}).want(t, "all", n, n-bad, 0, bad)
	if got := slices.Compact(messages(t, l)); len(got) != int(n-bad) {
		t.Fatalf("%d different events", len(got))
	}
}

// Letters with the same IDs as replayed ones, as a folder of dead letters that was begun anew gives them, are not taken for those.
func TestReplayAfterTheZoneWasLost(t *testing.T) {
	dir := t.TempDir()
	l := openLake(t, dir, nil)
	bury(t, l, sent(event("a", "")))
	mustRun(t, deskOf(l), Params{}).want(t, "first", 1, 1, 0, 0)
	if err := errors.Join(l.Close(), os.RemoveAll(l.Layout().Dead())); err != nil {
		t.Fatal(err)
	}
	l = openLake(t, dir, nil)
	if again := bury(t, l, sent(event("b", ""))); again[0].ID != 1 {
		t.Fatalf("the ID is %d", again[0].ID)
	}
	mustRun(t, deskOf(l), Params{}).want(t, "second", 1, 1, 0, 0)
	if got := messages(t, l); !slices.Equal(got, []string{"a", "b"}) {
		t.Fatalf("stored %q", got)
	}
}

// A follower may look and try, and changes nothing.
func TestReadOnlyDesk(t *testing.T) {
	dir := t.TempDir()
	l := openLake(t, dir, nil)
	bury(t, l, sent(event("a", "")))
	config := lakeConfig(dir, nil)
	config.ReadOnly = true
	follower, err := lake.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer follower.Close()
	mustRun(t, deskOf(follower), Params{DryRun: true}).want(t, "dry run", 1, 1, 0, 0)
	if _, err := deskOf(follower).Run(t.Context(), Params{}, nil); !errors.Is(err, lake.ErrReadOnly) {
		t.Errorf("replay: %v", err)
	}
	if _, err := deskOf(follower).Discard(t.Context(), Pick{}); !errors.Is(err, lake.ErrReadOnly) {
		t.Errorf("discard: %v", err)
	}
	mustRun(t, deskOf(l), Params{}).want(t, "the owner", 1, 1, 0, 0)
	mustRun(t, deskOf(follower), Params{DryRun: true}).want(t, "dry run behind it", 0, 0, 0, 0)
}

// Letters made to be slow cost no more than so many honest ones of their size.
func TestHostileLettersAreCheap(t *testing.T) {
	const size = 64 << 10
	m := &mapper{rules: &rules{renames: []rename{{strings.Repeat("a.", 64), "b"}}, used: map[string]bool{}}, now: lake.MicrosOf(testNow), keys: map[string]bool{}}
	took := func(text string) time.Duration {
		best := time.Duration(1 << 62)
		for range 3 {
			d := sent(text)
			began := time.Now()
			_, _ = m.read(&d)
			best = min(best, time.Since(began))
		}
		return best
	}
	fill := func(part string) string { return strings.Repeat(part, size/len(part)) }
	honest := took(fill(event("a", "") + "\n"))
	for _, text := range []string{
		fill("1\n"), fill("1 "), fill("{\n"), fill("{"), fill("["), "[" + fill("1,") + "1]", "[" + fill("{},") + "1]", fill("{}"), fill("\"\\"), fill("\n"),
		fill(`{"a":`), strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60), "{" + fill(`"a":{},`) + `"a":1}`, fill("a\n{\n"), fill("{}x\n"),
	} {
		if slow := took(text); slow > 100*honest {
			t.Errorf("%.20q takes %v, an honest letter of that size %v", text, slow, honest)
		}
	}
}
