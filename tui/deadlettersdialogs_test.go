package tui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// TestMendTheWholeWay sees what was refused, mends it, tries it dry, sends it again and follows it to the events.
func TestMendTheWholeWay(t *testing.T) {
	d, z := buried(t, 120, 36)
	d.wants("dead letters, by reason", "59 letters", "latency_ms: must be a number", "service_name: is missing", "F fix", "R replay all")
	d.press("F")
	d.wants("fix and replay 41 dead letters", "latency_ms=number", "38 of 41 would be accepted; 3 refused still", `{"latency_ms":"12"`, `{"latency_ms":12,`, `got "fast"`, "replay 38")
	if got := len(z.ran); got != 1 || !z.ran[0].DryRun {
		t.Fatalf("%d runs before the question was answered, dry: %v", got, z.ran)
	}
	d.press("enter")
	d.elapse(2 * tickEvery)
	p := z.ran[1]
	if p.DryRun || !slices.Equal(p.Rules.Cast, []string{"latency_ms=number"}) || len(p.Pick.Groups) != 1 || p.Pick.Groups[0].Source != "api 127.0.0.1" || p.Pick.Upto == 0 {
		t.Errorf("the replay got %+v", p)
	}
	d.wants("38 of 41 were accepted; 3 refused still and kept")
	d.elapse(5 * time.Second)
	d.wants("21 letters")
	d.press("4")
	d.wants("✓ replay 41 dead letters: cast latency_ms=number")
	d.press("enter")
	d.wants("Enter: look at the events that came in meanwhile")
	d.press("enter")
	d.wants("seq>=1000")
	d.press("esc")
	d.wants("replay 41 dead letters")
}

// TestRulesAreTriedAsTheyAreTyped: what is not written to its end is not tried, and Enter sends nothing that was not tried.
func TestRulesAreTriedAsTheyAreTyped(t *testing.T) {
	d, z := buried(t, 120, 36)
	d.press("down", "down", "down", "F") // no JSON: no rule can be proposed
	d.wants("none of 1 would be accepted", "the event is no valid JSON")
	d.press("enter")
	d.wants("nothing would be accepted")
	d.press("esc", "up", "F")
	d.wants("timestamp=time", "5 of 5 would be accepted")
	d.press("text:, latency_ms")
	d.elapse(tickEvery)
	d.wants("the dry run waits for the rules")
	d.press("enter")
	d.wants("× latency_ms=: want one of number, integer, string, time")
	tries := len(z.ran)
	d.press("text:=number")
	if len(z.ran) != tries {
		t.Error("the rules were tried with each key")
	}
	d.press("enter") // at once, before typing has rested: it is tried first
	d.wants("5 of 5 would be accepted")
	if last := z.ran[len(z.ran)-1]; !last.DryRun || !slices.Equal(last.Rules.Cast, []string{"timestamp=time", "latency_ms=number"}) {
		t.Fatalf("Enter ran %+v", last)
	}
	d.press("enter")
	d.elapse(tickEvery)
	if last := z.ran[len(z.ran)-1]; last.DryRun || z.kept() != 54 {
		t.Errorf("%d letters are kept after %+v", z.kept(), last)
	}
}

// TestOvertakenDryRun types on while rules are tried: the late answer is of no use, and closing the dialog ends what runs.
func TestOvertakenDryRun(t *testing.T) {
	d, z := buried(t, 120, 36)
	d.press("F")
	asked, resume := z.pause()
	d.press("ctrl+u")
	d.send(key("right"))
	for _, msg := range d.later {
		d.send(msg)
	}
	await(t, asked)
	d.wants("dry run of 41 dead letters")
	d.send(key("enter"))
	d.wants("not yet: the dry run says first")
	d.later = nil
	for _, r := range "latency_ms=integer" {
		d.send(key(string(r)))
	}
	for _, msg := range d.later {
		d.send(msg)
	}
	resume()
	d.settle()
	d.wants("38 of 41 would be accepted")
	for _, p := range z.ran {
		if !p.DryRun {
			t.Errorf("it was sent: %+v", p)
		}
	}
	asked, resume = z.pause()
	defer resume()
	d.send(key("backspace"))
	d.later = nil
	d.press("esc")
	d.send(key("r"))
	await(t, asked)
	d.press("esc") // settles only because the dry run's context ends
	d.lacks("as they are")
}

func TestReplayNamesCounts(t *testing.T) {
	d, z := buried(t, 80, 24)
	d.press("r")
	d.wants("replay 41 dead letters as they are", "none of 41 would be accepted", "fix first")
	d.press("y")
	d.wants("nothing would be accepted")
	d.press("esc", "R")
	d.wants("replay 59 dead letters as they are", "none of 59")
	d.press("F")
	d.wants("fix and replay 59 dead letters", "svc=service_name", "latency_ms=number, timestamp=time")
	d.press("esc", "space", "space")
	d.wants("2 marked")
	d.press("r")
	d.wants("replay 53 dead letters as they are", "2 reasons")
	d.press("esc")
	for _, p := range z.ran {
		if !p.DryRun {
			t.Errorf("it was sent without a yes: %+v", p)
		}
	}
	if z.kept() != 59 {
		t.Errorf("%d letters are kept", z.kept())
	}
}

// TestDiscardTakesWhatWasCounted: a letter that comes in while the question stands there is not part of the answer.
func TestDiscardTakesWhatWasCounted(t *testing.T) {
	d, z := buried(t, 120, 36)
	d.press("down", "D")
	d.wants("12 dead letters would go for good: service_name: is missing", "discard 12")
	z.add(fakeNow, "api payments", 1, `{"timestamp":"2026-11-21T13:00:00Z","message":"newer"}`)
	z.add(fakeNow, "api payments2", 1, `{"timestamp":"2026-11-21T13:00:00Z","message":"of another"}`)
	d.press("y")
	d.elapse(2 * time.Second)
	d.wants("12 dead letters discarded")
	if z.kept() != 49 {
		t.Errorf("%d letters are kept, want 49", z.kept())
	}
	if !d.lists("api payments") || !d.lists("api payments2") {
		t.Errorf("what came in later is not listed:\n%s", d.text())
	}
	for _, no := range []string{"n", "enter", "q", "esc"} {
		d.press("D", no)
		if z.kept() != 49 || len(d.app.overlays) != 0 || d.app.running() != 0 {
			t.Errorf("%s meant yes", no)
		}
	}
	d.press("D", "f1")
	d.wants("n Enter Esc q")
	d.lacks("y Enter")
}

func TestViewPagesAndOpens(t *testing.T) {
	f := newFake()
	z := f.bury()
	for i := range 240 {
		z.add(fakeNow.Add(-time.Hour), "api bulk", i+1, fmt.Sprintf(`{"timestamp":"2026-11-21T13:00:00Z","service_name":"b","latency_ms":"n%d","tags":{"deep":[1,2]}}`, i))
	}
	d := drive(t, f, 120, 36)
	d.press("5", "enter")
	d.wants("100 of 240 letters", `{"latency_ms":"n239"`, "api bulk")
	z.add(fakeNow, "api bulk", 1, `{"timestamp":"2026-11-21T13:00:00Z","service_name":"b","latency_ms":"later"}`)
	d.press("G")
	d.wants("200 of 240 letters")
	d.press("G")
	d.wants("240 of 240 letters")
	d.press("G")
	d.wants(`"n0"`)
	d.lacks("later")
	if len(z.listed) != 3 {
		t.Errorf("%d pages were read: %+v", len(z.listed), z.listed)
	}
	d.press("v")
	d.wants("letter 240 of 240", `got "n0"`, "source   api bulk", `  "tags": {`, `    "deep": [`)
	d.press("left")
	d.wants("letter 239 of 240", `got "n1"`)
	d.press("y")
	d.wants("the text as it came", "the reason", "the letter as JSON")
	d.press("t")
	if !slices.ContainsFunc(d.seen, func(m tea.Msg) bool { return strings.Contains(fmt.Sprint(m), `"latency_ms":"n1"`) }) {
		t.Error("the letter's text is not on the clipboard")
	}
	d.press("F")
	d.wants("fix and replay 1 dead letter", "none of 1 would be accepted")
	d.press("esc", "D")
	d.wants("1 dead letter would go for good")
	before := z.kept()
	d.press("y")
	d.elapse(tickEvery)
	if z.kept() != before-1 || len(d.app.overlays) != 0 {
		t.Errorf("%d letters are kept of %d, %d dialogs open", z.kept(), before, len(d.app.overlays))
	}
}

func TestExportAsksWhereTo(t *testing.T) {
	d, z := buried(t, 80, 24)
	d.press("down", "x")
	d.wants("export 12 dead letters", "dead-letters-20261121-142207.jsonl")
	d.press("ctrl+u", "enter")
	d.wants("which file?")
	d.press("text:logs/arc", "tab")
	d.press("esc") // the list of names
	d.press("text:refused.jsonl", "enter")
	d.elapse(tickEvery)
	if ids := z.files["logs/archive/refused.jsonl"]; len(ids) != 12 {
		t.Fatalf("%d letters were written: %v", len(ids), z.files)
	}
	d.press("x", "ctrl+u", "text:logs/archive/refused.jsonl", "enter")
	d.elapse(tickEvery)
	d.wants("× export 12 dead letters to refused.jsonl")
	d.press("4", "enter")
	d.wants("exists already: name another file")
	d.lacks("Enter: ")
}

// TestOneWriterAtATime: while a replay runs, the zone is not to be changed by another task.
func TestOneWriterAtATime(t *testing.T) {
	d, z := buried(t, 120, 36)
	d.press("down", "F")
	asked, resume := z.pause()
	d.send(key("enter"))
	await(t, asked)
	d.send(tickMsg{})
	d.wants("replay 12 dead letters")
	d.send(key("D"))
	d.wants("discard: wait for the task: replay 12 dead letters")
	d.send(key("4"))
	d.send(key("ctrl+c"))
	resume()
	d.settle()
	d.elapse(tickEvery)
	d.wants("○ replay 12 dead letters", "cancelled: 0 of 12 letters done; replay again goes on")
	if z.kept() != 59 {
		t.Errorf("a cancelled replay left %d letters", z.kept())
	}
	d.press("5", "down", "D")
	d.wants("discard dead letters")
}

func TestDialogsTellTheirKeys(t *testing.T) {
	d, _ := buried(t, 120, 36)
	for _, row := range []struct {
		open []string
		key  string
		want string
	}{
		{[]string{"v"}, "?", "mend this letter by rules"},
		{[]string{"v", "enter"}, "?", "the newer and the older letter"},
		{[]string{"F"}, "f1", "Ctrl+N"},
		{[]string{"r"}, "?", "send them again"},
		{[]string{"D"}, "?", "change nothing and close"},
		{[]string{"i"}, "f1", "continue the path"},
		{[]string{":"}, "f1", "narrow the list"},
		{[]string{"y"}, "?", "choose an entry at once"},
		{[]string{"2", "enter"}, "?", "the events with the field's value"},
	} {
		d.press("5")
		d.press(row.open...)
		depth := len(d.app.overlays)
		d.press(row.key)
		d.wants("help: the keys of this dialog", row.want)
		d.press("?")
		if len(d.app.overlays) != depth {
			t.Errorf("%v: ? left %d dialogs of %d", row.open, len(d.app.overlays), depth)
		}
		for range depth {
			d.press("esc")
		}
	}
	d.press("5", "F", "text:?")
	d.lacks("help: the keys") // it is text there
}
