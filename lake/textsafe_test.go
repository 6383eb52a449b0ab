package lake

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestSafeText(t *testing.T) {
	check := func(in string, max int, want string) {
		t.Helper()
		if got := SafeText(in, max); got != want {
			t.Errorf("%q, %d: %q, want %q", in, max, got, want)
		}
	}
	check("", 0, "")
	check("plain", 0, "plain")
	check("plain", 5, "plain")
	check("plain", 4, "pla…")
	check("plain", 1, "…")
	check("grüße 😀!", 8, "grüße 😀!")
	check("grüße 😀!", 7, "grüße …")
	check("ab\x1b[31m", 2, "ab")
	check("a\nb\tc\r\n", 0, "a b c ")
	check("a\x00b\x7fc\x08", 0, "abc")
	check("\x1b[31mred\x1b[0m", 0, "red")
	check("\x1b[38;2;1;2;3mred\x1b[?25l", 0, "red")
	check("\u009b31mred", 0, "red")
	check("\x1b]0;title\x07text", 0, "text")
	check("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", 0, "link")
	check("\u009d0;title\u009ctext", 0, "text")
	check("\x1bPq#0;2\x1b\\text", 0, "text")
	check("\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\text", 0, "text")
	check("\x1b]0;never ends", 0, "0;never ends")
	check("\x1b]0;a\x1b]1;b", 0, "0;a1;b")
	check("\x1b(B\x1b=\x1bctext", 0, "text")
	check("\x1b", 0, "")
	check("\x1b[", 0, "")
	check("\x1b[31", 0, "")
	check("\x1b[3é", 0, "é")
	check("\x1b\x1b[mx", 0, "x")
	check("\x1bé", 0, "é")
	check("\u202eevil\u202c\u2066x\u2069\u200f\ufeff", 0, "evilx")
	check("a\u2028b", 0, "a b")
	check("a\xff\x9bb", 0, "a��b")
	check("\xc2", 0, "�")
}

// TestSafeTextIsLinear compares a text with one 16 times as long: a search to the end from every escape would take 256 times as long.
func TestSafeTextIsLinear(t *testing.T) {
	const short, factor, most = 1 << 13, 16, 64
	fastest := func(unit string, n, limit int) time.Duration {
		text, best := strings.Repeat(unit, n), time.Hour
		for range 7 {
			start := time.Now()
			SafeText(text, limit)
			best = min(best, time.Since(start))
		}
		return best
	}
	check := func(unit string, limit int) {
		t.Helper()
		base, long := fastest(unit, short, limit), fastest(unit, short*factor, limit)
		if long > most*base+time.Millisecond {
			t.Errorf("%q: %v for %d, %v for %d times as many", unit, base, short, long, factor)
		}
	}
	check("\x1b]", 0)
	check("\x1b[", 0)
	check("\u0090", 10)
}

func FuzzSafeText(f *testing.F) {
	f.Add("\x1b[31mred\x1b]0;x\x07", 3)
	f.Add("\u009d\u202e\xc2\x9b", 0)
	f.Fuzz(func(t *testing.T, in string, max int) {
		got := SafeText(in, max)
		if !utf8.ValidString(got) || max > 0 && utf8.RuneCountInString(got) > max {
			t.Fatalf("%q, %d: %q", in, max, got)
		}
		for _, r := range got {
			if r < 0x20 || 0x7f <= r && r < 0xa0 || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 {
				t.Fatalf("%q: %q holds %U", in, got, r)
			}
		}
		if again := SafeText(got, max); again != got {
			t.Fatalf("%q becomes %q and then %q", in, got, again)
		}
	})
}
