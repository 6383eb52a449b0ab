package tui

import "testing"

func TestReasonKind(t *testing.T) {
	same := func(a, b string) {
		t.Helper()
		if reasonKind(a) != reasonKind(b) {
			t.Errorf("%q and %q are two kinds: %q, %q", a, b, reasonKind(a), reasonKind(b))
		}
	}
	same(`must be a number, got "fast"`, `must be a number, got "very \"slow"`)
	same("1970-01-01T00:00:00Z is before the window, which begins 1996-11-28", "1971-02-01T00:00:00Z is before the window, which begins 1996-11-29")
	if reasonKind("must be a number") == reasonKind("must be a string") {
		t.Error("two kinds are one")
	}
}
