package tui

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/widget"
)

// completeTimeout bounds the reading of one folder: some lie on a network that does not answer.
const completeTimeout = 5 * time.Second

// maxCandidates is how many rows the list of candidates has.
const maxCandidates = 8

// completion continues the path at the cursor of a form's field. Tab asks; what the answers share goes into the field, the rest is a list
// below it. An answer that typing has overtaken is dropped.
type completion struct {
	app   *App
	form  *widget.Form
	field string // that holds paths

	gen    int
	flying bool
	cancel context.CancelFunc
	open   bool         // the list follows what is typed
	names  []string     // candidates, in full
	list   *widget.List // of names; nil: none is shown
	note   string       // what the newest answer came to, when it was no candidate
	failed bool         // note is an error
}

// completionMsg answers a question for candidates.
type completionMsg struct {
	to    *completion
	gen   int
	names []string
	err   error
}

func (m completionMsg) deliver(*App) tea.Cmd { return m.to.receive(m) }

// input is the field's text while the cursor is in it, else nil.
func (c *completion) input() *widget.Input {
	name, text, _ := c.form.At()
	if name != c.field {
		return nil
	}
	return text
}

// word is the path before the cursor.
func (c *completion) word() string {
	before, _ := c.input().Split()
	_, text := wordBefore(before)
	return text
}

// key takes the keys of completion; taken tells that the form must not see it.
func (c *completion) key(k tea.KeyPressMsg) (cmd tea.Cmd, taken bool) {
	if c.input() == nil {
		return nil, false
	}
	name := k.String()
	if c.list == nil {
		if name == "tab" {
			return c.ask(), true
		}
		return nil, false
	}
	switch name {
	case "up", "down", "pgup", "pgdown":
		c.list.Key(k)
	case "tab", "enter":
		return c.choose(), true
	case "esc":
		c.close()
	default:
		return nil, false
	}
	return nil, true
}

// choose takes the candidate at the cursor; a folder's content comes next.
func (c *completion) choose() tea.Cmd {
	i := c.list.Selected()
	if i < 0 {
		return nil
	}
	name := c.names[i]
	c.put(name)
	c.close()
	if strings.HasSuffix(name, "/") {
		c.open = true
		return c.ask()
	}
	return nil
}

// put replaces the path before the cursor.
func (c *completion) put(path string) {
	before, after := c.input().Split()
	start, _ := wordBefore(before)
	c.input().Join(before[:start]+quotePath(path), after)
}

// close drops the list, and the question that would fill it.
func (c *completion) close() {
	c.gen++
	if c.cancel != nil {
		c.cancel()
	}
	c.flying, c.open, c.names, c.list, c.note, c.failed = false, false, nil, nil, "", false
}

// edited follows the field's text: the list keeps what still fits until the folder has been read again.
func (c *completion) edited() tea.Cmd {
	if !c.open || c.input() == nil {
		c.close()
		return nil
	}
	word := c.word()
	var names []string
	for _, name := range c.names {
		if strings.HasPrefix(name, word) {
			names = append(names, name)
		}
	}
	c.show(names)
	return c.ask()
}

// ask asks for what continues the path before the cursor.
func (c *completion) ask() tea.Cmd {
	c.gen++
	if c.cancel != nil {
		c.cancel()
	}
	c.note, c.failed = "", false
	word, complete := c.word(), c.app.cfg.Complete
	if hasPattern(word) {
		c.close()
		c.note = "a pattern: its files are looked up when the import starts"
		return nil
	}
	ctx, cancel := context.WithTimeout(c.app.ctx, completeTimeout)
	c.flying, c.cancel = true, cancel
	gen := c.gen
	return func() (msg tea.Msg) {
		defer cancel()
		defer func() {
			if bug := recover(); bug != nil {
				msg = completionMsg{to: c, gen: gen, err: fmt.Errorf("a bug ended the completion: %v", bug)}
			}
		}()
		names, err := complete(ctx, word)
		return completionMsg{c, gen, names, err}
	}
}

// receive takes an answer: nothing, one candidate, or several.
func (c *completion) receive(m completionMsg) tea.Cmd {
	if m.gen != c.gen || c.input() == nil {
		return nil
	}
	typing := c.open // the list is up and follows the text: nothing may change under the fingers
	word := c.word()
	c.close()
	switch {
	case m.err != nil:
		c.note, c.failed = m.err.Error(), true
	case len(m.names) == 0 && word == "":
		c.note = "nothing is here"
	case len(m.names) == 0:
		c.note = "nothing begins with " + word
	case typing:
		c.open = true
		c.show(m.names)
	case len(m.names) == 1 && m.names[0] == word && !strings.HasSuffix(word, "/"):
		c.form.Key(tea.KeyPressMsg{Code: tea.KeyTab}) // it is whole: Tab means the next field
	case len(m.names) == 1:
		c.put(m.names[0])
		if strings.HasSuffix(m.names[0], "/") {
			c.open = true
			return c.ask()
		}
	default:
		if shared := sharedPrefix(m.names); len(shared) > len(word) {
			c.put(shared)
		}
		c.open = true
		c.show(m.names)
	}
	return nil
}

// paste puts what was pasted or dropped into the field, paths quoted as the field wants them; a blank keeps them apart from what is there.
func (c *completion) paste(text string) {
	c.close()
	line, ok := pastedPaths(text)
	if !ok {
		c.input().Paste(text)
		return
	}
	before, after := c.input().Split()
	if before != "" && !strings.HasSuffix(before, " ") {
		before += " "
	}
	c.input().Join(before+line, after)
}

// show lists candidates by the last part of their paths.
func (c *completion) show(names []string) {
	c.names, c.list = names, nil
	if len(names) == 0 {
		return
	}
	items := make([]widget.Item, 0, len(names))
	for _, name := range names {
		folder := strings.LastIndexByte(strings.TrimSuffix(name, "/"), '/') + 1
		items = append(items, widget.Item{Label: name[folder:]})
	}
	c.list = widget.NewList(items)
}

// sharedPrefix is what all names begin with, whole runes alone.
func sharedPrefix(names []string) string {
	shared := names[0]
	for _, name := range names[1:] {
		for !strings.HasPrefix(name, shared) {
			_, n := utf8.DecodeLastRuneInString(shared)
			shared = shared[:len(shared)-n]
		}
	}
	return shared
}

// draw draws the candidates below the field, over what stands there.
func (c *completion) draw(canvas *cell.Canvas, body cell.Rect) {
	if c.input() == nil {
		return
	}
	_, _, field := c.form.At()
	switch {
	case c.list != nil:
	case c.flying:
		canvas.Fill(cell.Rect{X: field.X, Y: field.Y + 1, W: field.W, H: 1}, cell.Text)
		canvas.Text(field.X, field.Y+1, cell.Spinner(c.app.ticks)+" reading the folder", cell.Muted)
		return
	case c.note != "":
		style, text := cell.Muted, c.note
		if c.failed {
			style, text = cell.Bad, "× "+c.note
		}
		canvas.Fill(cell.Rect{X: field.X, Y: field.Y + 1, W: field.W, H: 1}, cell.Text)
		canvas.TextCut(field.X, field.Y+1, field.W, text, style)
		return
	default:
		return
	}
	rows := min(len(c.names), maxCandidates, body.Y+body.H-field.Y-3)
	if rows < 1 {
		return
	}
	r := cell.Rect{X: field.X - 1, Y: field.Y + 1, W: field.W + 1, H: rows + 2}
	canvas.Box(r, counted(int64(len(c.names)), "name"), true, c.app.theme.Colourless())
	if hints := "↑ ↓ · Tab takes it · Esc"; cell.Width(hints)+6 <= r.W {
		canvas.Text(r.X+2, r.Y+r.H-1, " "+hints+" ", cell.Muted)
	}
	in := r.Inset()
	c.list.Draw(canvas, in, in.W-4)
	c.app.zone(r, func(_, dy int) tea.Cmd {
		if c.list != nil && c.list.Click(dy-1) {
			return c.choose()
		}
		return nil
	})
}
