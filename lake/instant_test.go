package lake

import (
	"testing"
	"time"
)

func TestInstantsInWords(t *testing.T) {
	now := time.Date(2026, 11, 21, 7, 30, 0, 0, time.UTC)
	good := func(text, want string) {
		t.Helper()
		got, err := ParseInstant(text, now)
		if err != nil {
			t.Errorf("ParseInstant(%q): %v", text, err)
		} else if got.Time().Format(time.RFC3339Nano) != want {
			t.Errorf("ParseInstant(%q) = %s, want %s", text, got.Time().Format(time.RFC3339Nano), want)
		}
	}
	good("2026-11-20T10:00:00+05:30", "2026-11-20T04:30:00Z")
	good("2026-11-20T10:00:00.123456789Z", "2026-11-20T10:00:00.123456Z")
	good("2026-11-20", "2026-11-20T00:00:00Z")
	good("2026-11-20 14:05", "2026-11-20T14:05:00Z")
	good("14:00", "2026-11-21T14:00:00Z")
	good("now", "2026-11-21T07:30:00Z")
	good("today", "2026-11-21T00:00:00Z")
	good("Yesterday 14:00", "2026-11-20T14:00:00Z")
	good("-3h", "2026-11-21T04:30:00Z")
	good("-2d", "2026-11-19T07:30:00Z")
	good("1431857103", "2015-05-17T10:05:03Z")
	good("1431857103000", "2015-05-17T10:05:03Z")
	good("1431857103000000", "2015-05-17T10:05:03Z")
	good("1431857103000000000", "2015-05-17T10:05:03Z")

	bad := func(text string) {
		t.Helper()
		if got, err := ParseInstant(text, now); err == nil {
			t.Errorf("ParseInstant(%q) = %s, want an error", text, got.Time())
		}
	}
	bad("")
	bad("soon")
	bad("-3y")
	bad("25:00")
	bad("2026-13-01")
	bad("yesterday noon")
}

// FuzzInstantInWords: what is understood is one instant, which its RFC 3339 form names again; what is not is refused in words.
func FuzzInstantInWords(f *testing.F) {
	for _, text := range []string{"-3h", "yesterday 14:00", "now", "1795242965", "2026-11-21 14:00:05", " 14:00 ", "-999999999999w", "9999-12-31", "1e10"} {
		f.Add(text)
	}
	now := time.Date(2026, 11, 21, 7, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		at, err := ParseInstant(text, now)
		if err != nil {
			return
		}
		if year := at.Time().Year(); year < 0 || year > 9999 {
			return
		}
		if again, err := ParseInstant(string(AppendInstant(nil, at)), now); err != nil || again != at {
			t.Fatalf("%q is %d, and written out %d %v", text, at, again, err)
		}
	})
}
