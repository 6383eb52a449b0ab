package cell

import (
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

func TestTextNeverEscapes(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"plain", "plain"},
		{"\x1b[31mred", "·[31mred"},
		{"a\x00b\x7fc\x9bd", "a·b·c·d"},
		{"a\u202eb\u200dc\u2066d", "abcd"},
		{"\xff\xfe", "··"},
		{"tab\tnew\nline\r", "tab·new·line·"},
		{"漢字", "漢字"},
		{"e\u0301", "e\u0301"},
		{"🇩🇪", "··"},
		{"👨‍👩‍👧", "👨👩👧"},
	} {
		c := New(30, 1)
		end := c.Text(0, 0, row.in, Text)
		if got := strings.TrimRight(c.Plain(), " \n"); got != row.want && row.in != "👨‍👩‍👧" && row.in != "🇩🇪" {
			t.Errorf("%q became %q, want %q", row.in, got, row.want)
		}
		if w := Width(row.in); w != end {
			t.Errorf("%q ends in column %d, its width is %d", row.in, end, w)
		}
		line := c.Render(NewTheme(colorprofile.ASCII, false))
		if w := ansi.StringWidth(line); w != 30 {
			t.Errorf("%q makes a line of %d columns, want 30", row.in, w)
		}
	}
}

// FuzzText draws any text anywhere: the line keeps its width by both of the measures that terminals use, and holds no control character.
func FuzzText(f *testing.F) {
	f.Add("a\x1b[31mred\x07漢👨‍👩‍👧🇩🇪é\u202e", 3, false)
	f.Add("\u0301\ufe0f\u20e3#️⃣ผู้", 0, true)
	f.Fuzz(func(t *testing.T, s string, x int, ascii bool) {
		c := New(20, 1)
		c.ASCII = ascii
		c.Text(x%24, 0, s, Accent)
		c.TextCut(0, 0, 7, s, Text)
		line := ansi.Strip(c.Render(NewTheme(colorprofile.ASCII, false)))
		if w := ansi.StringWidth(line); w != 20 {
			t.Errorf("%q makes a line of %d columns: %q", s, w, line)
		}
		if w := ansi.StringWidthWc(line); w != 20 {
			t.Errorf("%q makes a line of %d columns by wcwidth: %q", s, w, line)
		}
		for _, r := range line {
			if unicode.In(r, unicode.Cc, unicode.Cf) || ascii && r > 0x7e {
				t.Errorf("%q lets %U through", s, r)
			}
		}
	})
}

func TestCutAndPad(t *testing.T) {
	for _, row := range []struct {
		in   string
		w    int
		want string
	}{{"checkout", 8, "checkout"}, {"checkout", 5, "chec…"}, {"漢字漢字", 5, "漢字…"}, {"漢字漢字", 4, "漢…"}, {"x", 0, ""}, {"", 3, ""}} {
		got := Cut(row.in, row.w)
		if got != row.want || Width(got) > row.w {
			t.Errorf("Cut(%q, %d) = %q, want %q", row.in, row.w, got, row.want)
		}
		if p := Pad(row.in, row.w); Width(p) != row.w {
			t.Errorf("Pad(%q, %d) is %d wide", row.in, row.w, Width(p))
		}
	}
}

func TestWrap(t *testing.T) {
	for _, line := range Wrap("one two three\nabcdefghijklmnopqrstuvwxyz 漢字漢字漢字漢字 x", 10) {
		if Width(line) > 10 {
			t.Errorf("%q is wider than 10", line)
		}
	}
	if got := strings.Join(Wrap("one two three", 9), "|"); got != "one two|three" {
		t.Errorf("got %q", got)
	}
}

func TestWideClustersAreNeverHalved(t *testing.T) {
	c := New(6, 1)
	c.Text(0, 0, "漢字漢", Text)
	c.Text(1, 0, "x", Text) // hits the second half of the first
	c.Text(2, 0, "y", Text) // the first half of the second
	if got := c.Plain(); got != " xy 漢\n" {
		t.Errorf("got %q", got)
	}
	old := c.Clip(Rect{0, 0, 3, 1})
	c.Text(0, 0, "a漢漢", Text)
	c.Restore(old)
	if w := ansi.StringWidth(strings.TrimRight(c.Plain(), "\n")); w > 6 {
		t.Errorf("%q is %d wide", c.Plain(), w)
	}
}

func TestThemes(t *testing.T) {
	for _, row := range []struct {
		profile  colorprofile.Profile
		has, not string
	}{{colorprofile.TrueColor, "38;2;", ""}, {colorprofile.ANSI, "\x1b[0;91m", "38;2"}, {colorprofile.ASCII, "\x1b[0;1m", "3"}} {
		c := New(3, 1)
		c.Text(0, 0, "bad", Bad)
		out := c.Render(NewTheme(row.profile, false))
		if !strings.Contains(out, row.has) || row.not != "" && strings.Contains(out, row.not) {
			t.Errorf("%v: %q, want %q and not %q", row.profile, out, row.has, row.not)
		}
	}
}

func TestEveryOwnGlyphHasAnASCIIForm(t *testing.T) {
	for _, g := range []string{"─", "│", "┌", "━", "┃", "▲", "▼", "▸", "●", "✓", "×", "…", "›", "≈", "Δ", "▁", "█", "╸", "░", "▓", "┤", "┼", "╭", "◆", "‖", "○", "·", "→", "←", "↑", "↓", Spinner(3)} {
		c := New(1, 1)
		c.ASCII = true
		c.Text(0, 0, g, Text)
		if got := c.At(0, 0).Text; got == "?" || got[0] >= 0x80 {
			t.Errorf("%q is drawn as %q", g, got)
		}
	}
}

func TestWrapKeepsPercent(t *testing.T) {
	if got, want := strings.Join(Wrap("it reads 36.4 % fewer, 50 %; 7", 14), "|"), "it reads|36.4 % fewer,|50 %; 7"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
