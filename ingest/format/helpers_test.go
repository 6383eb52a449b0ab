package format

import (
	"errors"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
)

// testNow is the clock of these tests: 2026-11-21T08:00:00Z.
const testNow lake.Micros = 1_795_248_000_000_000

// parser is one for a format without a detection.
func parser(t testing.TB, cfg Config) *Parser {
	t.Helper()
	p, err := NewParser(cfg, Detection{Kind: cfg.Kind})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// canonical is an event without what every event has its own of.
func canonical(e *lake.Event) string {
	_, line, _ := strings.Cut(string(e.AppendLine(nil)), `,"timestamp":`)
	before, after, _ := strings.Cut(line, `,"received_at":"2026-11-21T08:00:00.000000Z"`)
	return strings.TrimSuffix(`{"timestamp":`+before+after, "\n")
}

// accepts makes a check that a line becomes an event, given as its canonical line without event_id and received_at.
func accepts(t *testing.T, cfg Config) func(line, want string) {
	p := parser(t, cfg)
	return func(line, want string) {
		t.Helper()
		var e lake.Event
		in := []byte(line)
		if _, err := p.Parse(in, testNow, &e); err != nil {
			t.Errorf("%.300s\nrefused: %v", line, err)
			return
		}
		for i := range in {
			in[i] = 'X' // the event must not live in the line
		}
		if got := canonical(&e); got != want {
			t.Errorf("%.300s\ngot  %s\nwant %s", line, got, want)
		}
		var back lake.Event
		e.GivenID = false // a line does not tell
		if err := new(lake.Scanner).Scan(e.AppendLine(nil), &back); err != nil || back != e {
			t.Errorf("%.300s\ndoes not come back from its line: %v", line, err)
		}
	}
}

// refuses makes a check that a line is refused for a field with a reason.
func refuses(t *testing.T, cfg Config) func(line, field, reason string) {
	p := parser(t, cfg)
	return func(line, field, reason string) {
		t.Helper()
		var e lake.Event
		_, err := p.Parse([]byte(line), testNow, &e)
		var refused *lake.FieldError
		if !errors.As(err, &refused) {
			t.Errorf("%.300s: got %v, want a *lake.FieldError", line, err)
			return
		}
		if refused.Field != field || !strings.Contains(refused.Reason, reason) {
			t.Errorf("%.300s\ngot  %q: %s\nwant %q: %s", line, refused.Field, refused.Reason, field, reason)
		}
	}
}
