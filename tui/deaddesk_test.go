package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
)

// buryFor gives the fake a real lake's dead zone with refused lines, and what really works on it.
func (f *fake) buryFor(t *testing.T, lines ...string) *lake.Lake {
	t.Helper()
	l, err := lake.Open(context.Background(), lake.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	var letters []lake.DeadLetter
	for i, line := range lines {
		d := lake.DeadLetter{At: lake.MicrosOf(fakeNow), Source: "api 127.0.0.1", Origin: "request 9f2c", Line: int64(i + 1), Text: []byte(line)}
		var e lake.Event
		_, err := lake.Contract{}.Parse(d.Text, d.At, &e)
		if fe := (*lake.FieldError)(nil); errors.As(err, &fe) {
			d.Field, d.Reason = fe.Field, fe.Reason
		} else {
			t.Fatalf("the contract takes %s", line)
		}
		letters = append(letters, d)
	}
	if err := l.Bury(context.Background(), letters); err != nil {
		t.Fatal(err)
	}
	desk := replay.NewDesk(replay.Config{Lake: l, Now: f.config().Now})
	f.zone, f.desk = l, &Letters{Groups: desk.Groups, List: desk.List, Discard: desk.Discard, Export: desk.Export, Replay: desk.Run}
	return l
}

// TestRealLettersTheWholeWay mends the refused lines of a real lake with the rules that the form proposes.
func TestRealLettersTheWholeWay(t *testing.T) {
	f := newFake()
	const at = `"timestamp":"2026-11-21T13:00:00Z"`
	var lines []string
	for i := range 40 {
		lines = append(lines, fmt.Sprintf(`{%s,"service_name":"checkout","latency_ms":"%dms"}`, at, i))
	}
	lines = append(lines, `{`+at+`,"service_name":"checkout","latency_ms":"fast"}`, `{`+at+`,"svc":"pay","status_code":"503"}`, `{"timestamp":"21/Nov/2026:13:00:00 +0000","service_name":"web"}`, `{"broken`)
	l := f.buryFor(t, lines...)
	d := drive(t, f, 120, 36)
	d.press("5")
	d.wants("latency_ms: must be a number", "44 letters")
	d.press("F")
	d.wants("latency_ms=number", "40 of 41 would be accepted; 1 refused still", `before  {"latency_ms":"`, `after   {"latency_ms":`, `"fast"`)
	d.press("enter")
	d.elapse(5 * tickEvery)
	if got := l.DeadStatus().Kept; got != 4 {
		t.Fatalf("%d letters are kept, want 4:\n%s", got, d.text())
	}
	if got := l.Status().NextSeq; got != 41 {
		t.Errorf("the lake's next event is %d, want 41", got)
	}
	d.press("g")
	for range 4 {
		if g, _ := d.app.ingest.letters.current(); g.Field == "service_name" {
			break
		}
		d.press("down")
	}
	d.press("F")
	d.wants("svc=service_name", "none of 1 would be accepted", "status_code: must be a number without quotes", "Ctrl+N adds: cast status_code=integer")
	d.press("ctrl+n")
	d.wants("1 of 1 would be accepted", `after   {"`, `"status_code":503`)
	d.press("tab", "text:, nobody=number")
	d.elapse(tickEvery)
	d.wants("no letter has the key nobody")
	d.press("enter")
	d.elapse(5 * tickEvery)
	d.press("R", "F")
	d.wants("timestamp=time", "1 of 3 would be accepted; 2 refused still")
	d.press("enter")
	d.elapse(5 * tickEvery)
	if got := l.DeadStatus().Kept; got != 2 {
		t.Fatalf("%d letters are kept, want 2:\n%s", got, d.text())
	}
	d.press("x", "ctrl+u", "text:"+strings.ReplaceAll(t.TempDir(), " ", `\ `)+"/out.jsonl", "enter")
	d.elapse(tickEvery)
	d.wants("✓ export 1 dead letter to out.jsonl")
	d.press("g", "space", "space", "D")
	d.wants("2 dead letters would go for good")
	d.press("y")
	d.elapse(5 * tickEvery)
	d.wants("no dead letter is left")
}
