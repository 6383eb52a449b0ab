package widget

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
)

var codes = map[string]tea.KeyPressMsg{"enter": {Code: tea.KeyEnter}, "backspace": {Code: tea.KeyBackspace}, "delete": {Code: tea.KeyDelete}, "left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight}, "up": {Code: tea.KeyUp},
	"down": {Code: tea.KeyDown}, "home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd}, "tab": {Code: tea.KeyTab}, "shift+left": {Code: tea.KeyLeft, Mod: tea.ModShift}, "shift+up": {Code: tea.KeyUp, Mod: tea.ModShift},
	"ctrl+w": {Code: 'w', Mod: tea.ModCtrl}, "ctrl+u": {Code: 'u', Mod: tea.ModCtrl}, "ctrl+k": {Code: 'k', Mod: tea.ModCtrl}, "ctrl+g": {Code: 'g', Mod: tea.ModCtrl}, "ctrl+left": {Code: tea.KeyLeft, Mod: tea.ModCtrl},
	"ctrl+right": {Code: tea.KeyRight, Mod: tea.ModCtrl}, "undo": {Code: '_', Mod: tea.ModCtrl}, "redo": {Code: 'y', Mod: tea.ModCtrl}, "space": {Code: tea.KeySpace, Text: " "}}

func keys(e interface{ Key(tea.KeyPressMsg) bool }, names ...string) {
	for _, name := range names {
		if k, ok := codes[name]; ok {
			e.Key(k)
			continue
		}
		for _, r := range name {
			e.Key(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
}

func TestEditor(t *testing.T) {
	for _, row := range []struct {
		name string
		keys []string
		want string
	}{
		{"typing", []string{"select 1"}, "select 1"},
		{"lines keep their indent", []string{"  a", "enter", "b"}, "  a\n  b"},
		{"backspace joins lines", []string{"a", "enter", "b", "home", "backspace"}, "ab"},
		{"delete joins lines", []string{"a", "enter", "b", "up", "end", "delete"}, "ab"},
		{"word back", []string{"select foo_bar", "ctrl+w", "x"}, "select x"},
		{"line start", []string{"abc", "left", "ctrl+u"}, "c"},
		{"line end", []string{"abc", "home", "right", "ctrl+k"}, "a"},
		{"selection is replaced", []string{"abc", "shift+left", "shift+left", "x"}, "ax"},
		{"select all", []string{"abc", "enter", "def", "ctrl+g", "z"}, "z"},
		{"undo by words", []string{"select", "space", "one", "undo"}, "select "},
		{"undo and redo", []string{"one", "undo", "redo"}, "one"},
		{"undo of a selection", []string{"abc", "ctrl+g", "backspace", "undo"}, "abc"},
		{"by words", []string{"one two", "ctrl+left", "x", "ctrl+right", "y"}, "one xtwoy"},
		{"the column is kept", []string{"abcd", "enter", "x", "enter", "abcd", "up", "up", "!"}, "abcd!\nx\nabcd"},
	} {
		e := NewEditor()
		keys(e, row.keys...)
		if got := e.Value(); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

// TestEditorAgainstItself presses random keys; undoing everything must end at the start, and redoing everything at the end.
func TestEditorAgainstItself(t *testing.T) {
	names := []string{"a", "b c", "漢", "enter", "backspace", "delete", "left", "right", "up", "down", "home", "end", "shift+left", "shift+up", "ctrl+w", "ctrl+u", "ctrl+k", "ctrl+left", "ctrl+right", "space", "ctrl+g"}
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		e := NewEditor()
		c := cell.New(30, 6)
		for range 120 {
			keys(e, names[rnd.IntN(len(names))])
			e.Draw(c, c.All(), true)
			e.Click(rnd.IntN(30), rnd.IntN(6))
		}
		last := e.Value()
		for range maxUndo {
			keys(e, "undo")
		}
		if e.Value() != "" {
			t.Fatalf("seed %d: undoing everything leaves %q", seed, e.Value())
		}
		for range maxUndo {
			keys(e, "redo")
		}
		if e.Value() != last {
			t.Fatalf("seed %d: redoing everything gives %q, want %q", seed, e.Value(), last)
		}
	}
}

func TestEndsStatement(t *testing.T) {
	for text, want := range map[string]bool{"select 1;": true, "select 1 ; ": true, "select 1": false, "": false} {
		e := NewEditor()
		e.Set(text)
		if e.EndsStatement() != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestPointAt(t *testing.T) {
	e := NewEditor()
	e.Set("select é,\n  foo\nfrom x")
	e.PointAt(strings.Index(e.Value(), "foo"))
	if want := (Place{1, 2}); e.Mark != want || e.Cursor() != want {
		t.Errorf("the mark is at %v, the cursor at %v, want %v", e.Mark, e.Cursor(), want)
	}
	keys(e, "x")
	if e.Mark.Row != -1 {
		t.Error("an edit left the mark")
	}
}

func TestHighlight(t *testing.T) {
	text := "SELECT count(*) -- all\nFROM events WHERE x = 'a' AND n > 5\n/* one\nselect */ select 'two\nselect'' three' from"
	styles := newHighlighter().styles(splitLines(text))
	for _, row := range []struct {
		line, col int
		want      cell.Style
	}{{0, 0, cell.Keyword}, {0, 7, cell.Function}, {0, 18, cell.Comment}, {1, 0, cell.Keyword}, {1, 5, cell.Accent}, {1, 23, cell.Literal}, {1, 34, cell.Number},
		{2, 3, cell.Comment}, {3, 0, cell.Comment}, {3, 10, cell.Keyword}, {3, 18, cell.Literal}, {4, 0, cell.Literal}, {4, 11, cell.Literal}, {4, 16, cell.Keyword}} {
		if got := styles[row.line][row.col]; got != row.want {
			t.Errorf("line %d, column %d is %v, want %v", row.line, row.col, got, row.want)
		}
	}
}

func TestGridAsksForWhatIsInSight(t *testing.T) {
	asked := map[int]bool{}
	g := NewGrid([]string{"a", "b"}, []bool{false, true}, 1_000_000, func(row, col int) (string, bool) { asked[row] = true; return fmt.Sprint(row), false })
	clear(asked)
	g.Key("G")
	c := cell.New(40, 11)
	g.Draw(c, c.All(), true)
	if len(asked) != 10 || !asked[999_999] {
		t.Errorf("%d rows were asked for, want the last 10", len(asked))
	}
	if first, last := g.Window(); first != 999_991 || last != 1_000_000 {
		t.Errorf("the window is %d to %d", first, last)
	}
}

func TestGridSlides(t *testing.T) {
	heads := make([]string, 40)
	for i := range heads {
		heads[i] = fmt.Sprintf("column_%02d", i)
	}
	g := NewGrid(heads, nil, 3, func(row, col int) (string, bool) { return "v", col%2 == 0 })
	c := cell.New(60, 5)
	for range 45 {
		g.Key("right")
		g.Draw(c, c.All(), true)
	}
	if !strings.Contains(c.Plain(), "column_39") || g.Hidden() == "" {
		t.Errorf("the last column is not in sight:\n%s", c.Plain())
	}
	g.Key("home")
	g.Draw(c, c.All(), true)
	if !strings.Contains(c.Plain(), "column_00") {
		t.Errorf("the first column is not in sight:\n%s", c.Plain())
	}
}

func TestListFiltersAndSkipsHeads(t *testing.T) {
	l := NewList([]Item{{Label: "one", Head: true}, {Label: "alpha"}, {Label: "beta"}, {Label: "two", Head: true}, {Label: "gamma"}})
	if got := l.Selected(); got != 1 {
		t.Errorf("the cursor starts on %d, want 1", got)
	}
	keys(l, "down", "down")
	if got := l.Selected(); got != 4 {
		t.Errorf("after two steps the cursor is on %d, want 4", got)
	}
	keys(l, "bet")
	if l.Selected() != 2 || l.Len() != 2 {
		t.Errorf("the filter leaves %d lines with %d selected", l.Len(), l.Selected())
	}
	keys(l, "zzz")
	if l.Selected() != -1 {
		t.Error("something is selected where nothing matches")
	}
}

func TestForm(t *testing.T) {
	f := NewForm([]Field{{Name: "n", Value: "5", Check: func(s string) error {
		if s == "" {
			return errors.New("a number")
		}
		return nil
	}}, {Name: "kind", Value: "a", Choices: []string{"a", "b", "c"}}})
	keys(f, "backspace")
	if f.Check() {
		t.Error("an empty number passed")
	}
	keys(f, "7", "tab", "right", "right", "right", "left")
	if !f.Check() || f.Value("n") != "7" || f.Value("kind") != "c" {
		t.Errorf("n is %q, kind is %q", f.Value("n"), f.Value("kind"))
	}
}

// BenchmarkKeyInLongText types into the middle of 500 lines: what a key costs, drawing included.
func BenchmarkKeyInLongText(b *testing.B) {
	e := NewEditor()
	e.Set(strings.Repeat("SELECT service_name, count(*) FROM events WHERE status_code >= 500 -- errors\n", 500))
	c := cell.New(100, 30)
	e.Draw(c, c.All(), true)
	for b.Loop() {
		keys(e, "x", "backspace")
		e.Draw(c, c.All(), true)
	}
}

func TestPagerKeepsItsWindowInTheText(t *testing.T) {
	p := NewPager("one\ntwo\nthree is the longest\nfour\nfive\n\n")
	draw := func(w, h int, want string) {
		t.Helper()
		c := cell.New(w, h)
		p.Draw(c, c.All())
		if got := strings.TrimRight(c.Plain(), "\n"); got != want {
			t.Errorf("%d x %d shows %q, want %q", w, h, got, want)
		}
	}
	draw(8, 2, "one\ntwo")
	if p.Hidden() != "more →" || p.Len() != 5 {
		t.Errorf("hidden %q of %d lines", p.Hidden(), p.Len())
	}
	for _, key := range []string{"G", "end"} {
		p.Key(key)
	}
	draw(8, 2, "")
	if first, last := p.Window(); first != 4 || last != 5 || p.Hidden() != "← more" {
		t.Errorf("lines %d to %d, %q", first, last, p.Hidden())
	}
	draw(20, 4, "two\nthree is the longest\nfour\nfive") // a larger window has nothing below and beside the text
	if p.Hidden() != "" {
		t.Errorf("hidden %q", p.Hidden())
	}
	if p.Key("x") {
		t.Error("x is taken for a moving key")
	}
}

// TestListWraps: an item that takes several rows is in the window as a whole, and a click on any of its rows finds it.
func TestListWraps(t *testing.T) {
	var items []Item
	for _, detail := range []string{"short", "a detail of so many words that it takes three rows of this list", "short", "two rows are enough for it"} {
		items = append(items, Item{Label: "k", Detail: detail})
	}
	l := NewList(items)
	l.Wrap = true
	c := cell.New(32, 5)
	l.Draw(c, c.All(), 2)
	if got := c.Plain(); strings.Contains(got, "…") || !strings.Contains(got, "this list") {
		t.Errorf("the list is cut:\n%s", got)
	}
	if !l.Click(3) || l.Selected() != 1 {
		t.Errorf("a click on the third row of the second item chose %d", l.Selected())
	}
	if !l.Click(4) || l.Selected() != 2 || l.Click(5) {
		t.Errorf("a click on the last row chose %d", l.Selected())
	}
	l.Scroll(1)
	c = cell.New(32, 5)
	l.Draw(c, c.All(), 2)
	if got := c.Plain(); !strings.Contains(got, "▸ k  two rows are enough for\n     it") {
		t.Errorf("the last item is not in the window as a whole:\n%s", got)
	}
}

// TestEditorMarksWhatIsBeyond wants a sign at each end of a line that goes on there.
func TestEditorMarksWhatIsBeyond(t *testing.T) {
	e := NewEditor()
	e.Set("0123456789abcdefghij\nshort")
	c := cell.New(16, 2) // three columns for the number, a blank, eleven for the text, one for the mark
	row := func(y int) string {
		var b strings.Builder
		for x := range c.W {
			b.WriteString(c.At(x, y).Text)
		}
		return b.String()
	}
	draw := func(want ...string) {
		t.Helper()
		c = cell.New(16, 2)
		e.Draw(c, c.All(), true)
		for y, text := range want {
			if got := row(y); got != text {
				t.Errorf("row %d is %q, want %q", y, got, text)
			}
		}
	}
	e.Top()
	draw("  1 0123456789a›", "  2 short       ")
	e.Key(tea.KeyPressMsg{Code: tea.KeyEnd})
	draw("  1‹abcdefghij  ", "  2‹            ")
}
