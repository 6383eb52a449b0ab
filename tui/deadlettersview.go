package tui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui/cell"
)

// A list of letters reads them by pages, and holds so many at most: a letter may have 64 KiB.
const (
	letterPage     = 100
	maxLetterBytes = 24 << 20
)

// letterList is a dialog over the letters of one group, the newest first.
type letterList struct {
	dialog
	asked  question
	group  replay.Group
	upto   int64 // letters that came in later are not among them
	rows   []lake.DeadLetter
	bytes  int  // of their texts
	more   bool // there are older ones
	full   bool // the rest does not fit
	err    error
	chosen int
	top    int
	page   int
}

// view opens the letters of the group at the cursor.
func (p *deadPanel) view() tea.Cmd {
	g, ok := p.current()
	if !ok {
		return nil
	}
	if g.Others() {
		p.app.say(tooMany)
		return nil
	}
	l := &letterList{dialog: dialog{app: p.app, hints: "Enter open · F fix · r replay it · D discard it · y copy · Esc close"}, asked: question{app: p.app}, group: g, upto: p.all().pick.Upto, more: true}
	p.app.push(l)
	return l.load()
}

// load reads the next older page.
func (l *letterList) load() tea.Cmd {
	if l.asked.flying || !l.more || l.full {
		return nil
	}
	pick := replay.Pick{Groups: []replay.Key{l.group.Key()}, Upto: l.upto}
	if n := len(l.rows); n > 0 {
		pick.Upto = l.rows[n-1].ID - 1
	}
	if pick.Upto <= 0 { // the oldest letter there can be was read
		l.more = false
		return nil
	}
	list := l.app.cfg.Letters.List
	return ask(&l.asked, func(ctx context.Context) ([]lake.DeadLetter, error) { return list(ctx, pick, letterPage) }, func(rows []lake.DeadLetter, _ time.Duration, err error) tea.Cmd {
		if l.err = err; err != nil {
			return nil
		}
		for i := range rows {
			l.bytes += len(rows[i].Text)
		}
		l.rows = append(l.rows, rows...)
		l.more, l.full = len(rows) == letterPage, l.bytes > maxLetterBytes
		return nil
	})
}

func (l *letterList) closed() { l.asked.next = nil; l.asked.drop() }

func (l *letterList) current() *lake.DeadLetter {
	if l.chosen < len(l.rows) {
		return &l.rows[l.chosen]
	}
	return nil
}

func (l *letterList) key(k tea.KeyPressMsg) tea.Cmd {
	switch name := k.String(); name {
	case "esc", "q":
		l.app.close()
	case "down", "j":
		return l.move(1)
	case "up", "k":
		return l.move(-1)
	case "pgdown", "ctrl+d":
		return l.move(max(1, l.page-1))
	case "pgup", "ctrl+u":
		return l.move(-max(1, l.page-1))
	case "g", "home":
		return l.move(-len(l.rows))
	case "G", "end":
		return l.move(len(l.rows))
	case "enter", "v":
		return l.open()
	default:
		return l.letterKey(name)
	}
	return nil
}

// letterKey takes the keys that act on the letter at hand, in the list and in the reader.
func (l *letterList) letterKey(name string) tea.Cmd {
	d, p := l.current(), l.app.ingest.letters
	if d == nil {
		return nil
	}
	set := oneLetter(l.group, d)
	switch name {
	case "y":
		l.app.pushCopies(letterCopies(d))
	case "F", "r", "D":
		if why := l.app.noLetterWrites(); why != "" {
			l.app.say(why)
			return nil
		}
		switch name {
		case "F":
			return p.fix(set)
		case "r":
			return p.openReplay(set)
		default:
			return p.askDiscard(set)
		}
	}
	return nil
}

// move steps the cursor; close to the end the next page is read, and after a failure again.
func (l *letterList) move(n int) tea.Cmd {
	l.chosen = max(0, min(l.chosen+n, len(l.rows)-1))
	if l.chosen >= len(l.rows)-max(1, l.page) {
		return l.load()
	}
	return nil
}

func (l *letterList) wheel(n int) { l.chosen = max(0, min(l.chosen+n, len(l.rows)-1)) }

func (l *letterList) keys() []keyLine {
	return []keyLine{{"Enter v", "the letter in full"}, {"↑ ↓ PgUp PgDn g G", "move; older letters are read as they come near"}, {"F", "mend this letter by rules and send it again"}, {"r", "send this letter again as it is"},
		{"D", "take this letter out for good; asks first"}, {"y", "copy its text, its reason or all of it as JSON"}, {"Esc", "close"}}
}

func (l *letterList) draw(c *cell.Canvas, body cell.Rect) {
	l.title = fmt.Sprintf("%s of %s: %s", count(int64(len(l.rows))), counted(l.group.Letters, "letter"), reasonOf(l.group.Field, l.group.Reason))
	r := l.frame(c, body, min(body.W-2, 150), max(10, min(len(l.rows)+6, body.H)))
	if len(l.rows) == 0 {
		l.drawNothing(c, r)
		return
	}
	const foot = 3 // the reason of the letter at hand
	list := cell.Rect{X: r.X, Y: r.Y + 1, W: r.W, H: r.H - 1 - foot}
	c.TextCut(r.X, r.Y, r.W, "  "+cell.Pad("when", 17)+cell.PadLeft("line", 9)+"  text, its fault first", cell.Muted|cell.Bold)
	l.page = max(1, list.H)
	l.top = max(0, min(max(l.top, l.chosen-l.page+1), l.chosen))
	for i := 0; i < l.page && l.top+i < len(l.rows); i++ {
		l.drawRow(c, cell.Rect{X: list.X, Y: list.Y + i, W: list.W, H: 1}, l.top+i)
	}
	l.app.zone(list, func(_, dy int) tea.Cmd {
		at := l.top + dy
		if at >= len(l.rows) {
			return nil
		}
		if at == l.chosen {
			return l.open() // a second click opens, as in the menus
		}
		return l.move(at - l.chosen)
	})
	l.drawReason(c, cell.Rect{X: r.X, Y: r.Y + r.H - foot, W: r.W, H: foot})
}

func (l *letterList) drawRow(c *cell.Canvas, r cell.Rect, i int) {
	d := &l.rows[i]
	c.Text(r.X+2, r.Y, d.At.Time().Format("01-02 15:04:05Z"), cell.Muted)
	if d.Line > 0 {
		c.TextRight(r.X+28, r.Y, 9, count(d.Line), cell.Muted)
	}
	text := leading(strings.TrimSpace(string(d.Text)), []string{d.Field})
	c.TextCut(r.X+30, r.Y, r.W-30, text[:min(len(text), 4*r.W)], cell.Text) // more does not fit, whatever its characters
	if i == l.chosen {
		c.Text(r.X, r.Y, "▸", cell.Accent)
		c.Paint(r, cell.Selected)
	}
}

// drawReason is the last lines: why the letter at hand was refused, and what the list does not show.
func (l *letterList) drawReason(c *cell.Canvas, r cell.Rect) {
	d := l.current()
	c.TextCut(r.X, r.Y, r.W, reasonOf(d.Field, d.Reason), cell.Warn)
	c.TextCut(r.X, r.Y+1, r.W, strings.TrimSuffix(d.Source+" · "+d.Origin, " · "), cell.Muted)
	switch {
	case l.asked.waiting():
		c.TextCut(r.X, r.Y+2, r.W, cell.Spinner(l.app.ticks)+" reading older ones", cell.Muted)
	case l.err != nil:
		c.TextCut(r.X, r.Y+2, r.W, "× "+l.err.Error()+" · ↓ reads again", cell.Bad)
	case l.full:
		c.TextCut(r.X, r.Y+2, r.W, "older ones are not listed: x on the panel writes all of them to a file", cell.Muted)
	}
}

// drawNothing says why there is no row.
func (l *letterList) drawNothing(c *cell.Canvas, r cell.Rect) {
	switch {
	case l.asked.waiting():
		c.TextCut(r.X, r.Y, r.W, cell.Spinner(l.app.ticks)+" reading the letters", cell.Muted)
	case l.err != nil:
		y := r.Y
		for _, line := range firstLines(wrapped("", "× "+l.err.Error(), 0, r.W, cell.Bad), r.H-1) {
			c.Text(r.X, y, line.text, line.style)
			y++
		}
		c.TextCut(r.X, y, r.W, "↓ reads again", cell.Muted)
	default:
		c.TextCut(r.X, r.Y, r.W, "these letters are gone: sent again or discarded meanwhile", cell.Muted)
	}
}

// open shows the letter at the cursor in full; the arrows go on to its neighbours.
func (l *letterList) open() tea.Cmd {
	if l.current() == nil {
		return nil
	}
	r := &reader{dialog: dialog{app: l.app, hints: "← → other letters · F r D · y copy · Esc close"}}
	r.copy = func() []copyItem { return letterCopies(l.current()) }
	r.more = append([]keyLine{{"← →", "the newer and the older letter"}}, l.keys()[2:5]...)
	r.extra = func(k tea.KeyPressMsg) (tea.Cmd, bool) {
		step := map[string]int{"left": -1, "h": -1, "p": -1, "right": 1, "l": 1, "n": 1}[k.String()]
		switch name := k.String(); {
		case step != 0:
			r.top = 0
			return l.move(step), true
		case slices.Contains([]string{"F", "r", "D"}, name):
			return l.letterKey(name), true
		}
		return nil, false
	}
	var lines []readerLine // of the letter and the width that were drawn last: a letter may be long
	var of int64
	var width int
	r.lines = func(w int) []readerLine {
		d := l.current()
		if d.ID != of || w != width {
			lines, of, width = letterLines(d, w), d.ID, w
			r.title = fmt.Sprintf("letter %s of %s", count(int64(l.chosen+1)), count(l.group.Letters))
		}
		return lines
	}
	r.lines(r.app.width) // for the title
	l.app.push(r)
	return nil
}

// letterLines are a letter's fields and its text.
func letterLines(d *lake.DeadLetter, w int) []readerLine {
	const nameW = 7
	rows := [][2]string{{"reason", reasonOf(d.Field, d.Reason)}, {"source", d.Source}, {"origin", d.Origin}, {"line", count(d.Line)}, {"refused", instant(d.At)}, {"number", count(d.ID)}}
	if d.Cut {
		rows = append(rows, [2]string{"cut", "the first " + size(int64(len(d.Text))) + " were kept: it cannot be sent again as a whole"})
	}
	var lines []readerLine
	for _, row := range rows {
		if row[1] != "" && row != [2]string{"line", "0"} {
			lines = append(lines, wrapped(row[0], row[1], nameW, w, cell.Text)...)
		}
	}
	return append(append(lines, readerLine{}), wrapped("text", letterText(d), nameW, w, cell.Literal)...)
}

// letterText is a letter's text, an object or array over several lines.
func letterText(d *lake.DeadLetter) string {
	if pretty := new(bytes.Buffer); json.Indent(pretty, bytes.TrimSpace(d.Text), "", "  ") == nil {
		return pretty.String()
	}
	return strings.ReplaceAll(strings.ReplaceAll(string(d.Text), "\r\n", "\n"), "\t", "    ")
}

func letterCopies(d *lake.DeadLetter) []copyItem {
	return []copyItem{{"t", "the text as it came", string(d.Text)}, {"r", "the reason", reasonOf(d.Field, d.Reason)}, {"j", "the letter as JSON", string(d.AppendJSON(nil))}}
}
