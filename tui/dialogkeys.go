package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
)

// keyLine is a line of a dialog's help.
type keyLine struct{ keys, does string }

// helped opens the keys of the dialog on top where key asks for them: F1, and ? where letters are no text.
func (a *App) helped(key string) bool {
	if len(a.overlays) == 0 || key != "f1" && key != "?" {
		return false
	}
	top := a.overlays[len(a.overlays)-1]
	lines := top.keys()
	if len(lines) == 0 || key == "?" && top.typing() {
		return false
	}
	keysW := 0
	for _, l := range lines {
		keysW = max(keysW, cell.Width(l.keys))
	}
	r := &reader{dialog: dialog{app: a, title: "help: the keys of this dialog", hints: "Esc close"}, bare: true}
	r.lines = func(w int) []readerLine {
		var out []readerLine
		for _, l := range lines {
			out = append(out, wrapped(l.keys, l.does, keysW, w, cell.Text)...)
		}
		return out
	}
	r.extra = func(k tea.KeyPressMsg) (tea.Cmd, bool) {
		if name := k.String(); name != "f1" && name != "?" {
			return nil, false
		}
		a.close()
		return nil, true
	}
	a.push(r)
	return true
}

var scrollKeys = keyLine{"↑ ↓ PgUp PgDn g G", "scroll"}

func (p *picker) keys() []keyLine {
	lines := []keyLine{{"↑ ↓", "move"}, {"Enter", "choose what is at the cursor"}, {"Esc", "close"}}
	if p.letters != nil {
		return append([]keyLine{{"its letter", "choose an entry at once"}}, lines...)
	}
	first := []keyLine{{"letters", "narrow the list to what holds every word"}}
	if p.typed != nil {
		first = []keyLine{{"letters", p.hints}}
	}
	return append(first, append(lines, keyLine{"PgUp PgDn", "move by a page"}, keyLine{"Ctrl+U Ctrl+W", "take back what was typed, or its last word"})...)
}

func (p *picker) typing() bool { return p.letters == nil }

func (d *confirm) keys() []keyLine {
	if d.grim {
		return []keyLine{{"y", d.yes}, {"n Enter Esc q", "change nothing and close"}}
	}
	return []keyLine{{"y Enter", d.yes}, {"n Esc q", "change nothing and close"}}
}

func (d *reader) keys() []keyLine {
	if d.bare {
		return nil
	}
	lines := append(append([]keyLine{}, d.more...), scrollKeys)
	if d.copy != nil {
		lines = append(lines, keyLine{"y", "copy"})
	}
	return append(lines, keyLine{"Esc Enter q", "close"})
}

func (d *formDialog) keys() []keyLine {
	lines := formKeys
	if d.paths != nil {
		lines = append([]keyLine{{"Tab", "continue the path; where it is whole, the next field"}}, lines...)
	}
	return append(lines[:len(lines):len(lines)], keyLine{"Enter F5", "start"}, keyLine{"Esc", "close"})
}

var formKeys = []keyLine{{"Tab ↓, Shift+Tab ↑", "the next field, the one before"}, {"← → Space", "choose, where there are choices"}, {"Ctrl+U Ctrl+K Ctrl+W", "take out what is before the cursor, behind it, the last word"}}

// typing tells whether the field at hand takes letters.
func (d *formDialog) typing() bool {
	_, text, _ := d.form.At()
	return text != nil
}

func (v *recordView) keys() []keyLine { return recordKeys }

var recordKeys = []keyLine{{"↑ ↓", "the field before, the next field"}, {"← → n p", "the newer and the older event"}, {"Enter", "the same request everywhere, or what the field leads to"}, {"f", "the events with the field's value"},
	{"!", "the events without it"}, {"y", "copy"}, {"s", "the SQL of this event"}, {"Esc q", "close"}}
