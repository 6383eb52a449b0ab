package tui

import (
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql/filter"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/widget"
)

// filterDelay is how long typing must rest before the filter takes effect.
const filterDelay = 200 * time.Millisecond

// filterField is the line that the filter is typed into.
type filterField struct {
	input   widget.Input
	editing bool
	gen     int           // moves with each edit
	wrong   *filter.Error // in the text as it stands
	caret   *tea.Cursor
}

// filterDueMsg comes when typing has rested.
type filterDueMsg struct{ gen int }

func (m filterDueMsg) deliver(a *App) tea.Cmd {
	if p := a.explore; m.gen == p.field.gen {
		return p.applyTyped()
	}
	return nil
}

func (f *filterField) set(text string) {
	f.input.Set(text)
	f.gen++
	f.wrong = nil
}

// edit begins to type.
func (p *explorePage) edit() tea.Cmd {
	p.field.set(p.query.String())
	if p.query.String() != "" {
		p.field.input.Paste(" ")
	}
	p.field.editing, p.side.focused = true, false
	return nil
}

// edited waits for typing to rest. A fault shows only then: while one types, every text is half a text.
func (p *explorePage) edited() tea.Cmd {
	p.field.gen++
	return p.app.after(filterDelay, filterDueMsg{p.field.gen})
}

// applyTyped lets what is typed take effect; a fault leaves what is shown as it is.
func (p *explorePage) applyTyped() tea.Cmd {
	if !p.read() {
		return nil
	}
	return p.tick()
}

// read takes the text as the filter, or notes what is wrong with it.
func (p *explorePage) read() bool {
	f := &p.field
	query, err := filter.Parse(f.input.Value())
	if f.wrong = nil; errors.As(err, &f.wrong) {
		return false
	}
	p.query = query
	return true
}

// leaveField takes the text, or what took effect last when that is no filter; the look that one came with stays behind for [.
func (p *explorePage) leaveField() tea.Cmd {
	p.read()
	p.field.editing = false
	return p.look(p.query.String())
}

func (p *explorePage) paste(text string) tea.Cmd {
	if !p.field.editing {
		return nil
	}
	p.field.input.Paste(text)
	return p.edited()
}

func (p *explorePage) fieldKey(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "enter":
		if !p.read() {
			return nil
		}
		return p.leaveField()
	case "down", "tab":
		return p.leaveField()
	}
	before := p.field.input.Value()
	p.field.input.Key(k)
	if p.field.input.Value() == before {
		return nil
	}
	return p.edited()
}

func (p *explorePage) cursor() *tea.Cursor {
	if !p.field.editing {
		return nil
	}
	return p.field.caret
}

// fieldLines is how many lines the filter takes: it, and a hint or what is wrong with it.
func (p *explorePage) fieldLines() int {
	if !p.field.editing {
		return 1
	}
	if p.field.wrong == nil {
		return 2
	}
	return 2 + len(cell.Wrap(p.field.wrong.Message, p.app.width-4))
}

const filterHint = `words · "two words" · service:x · status>=500 · latency>250ms · path:/api/* · is:error · has:trace · @attribute:x · !not · a|b`

// drawField draws the filter; while it is typed, a hint or the fault stand below it.
func (p *explorePage) drawField(c *cell.Canvas, r cell.Rect) {
	f := &p.field
	x := c.Text(r.X+1, r.Y, "/", cell.Accent|cell.Bold) + 1
	p.app.zone(cell.Rect{X: r.X, Y: r.Y, W: r.W, H: 1}, func(int, int) tea.Cmd {
		if f.editing {
			return nil
		}
		return p.edit()
	})
	w := r.X + r.W - x - 1
	if !f.editing {
		if text := p.query.String(); text != "" {
			c.TextCut(x, r.Y, w, text, cell.Text|cell.Bold)
		} else {
			c.TextCut(x, r.Y, w, "filter: everything", cell.Faint)
		}
		return
	}
	at := f.input.Draw(c, x, r.Y, w, cell.Text)
	f.caret = nil
	if len(p.app.overlays) == 0 {
		f.caret = tea.NewCursor(at, r.Y)
		f.caret.Shape = tea.CursorBar
	}
	if f.wrong == nil {
		c.TextCut(x, r.Y+1, w, filterHint, cell.Muted)
		return
	}
	value := f.input.Value()
	start := at - f.input.CursorWidth() // left of x where a long text has slid
	mark := start + cell.Width(value[:min(f.wrong.Offset, len(value))])
	c.Text(min(max(x, mark), x+w-1), r.Y+1, "^", cell.Bad|cell.Bold)
	for i, line := range cell.Wrap(f.wrong.Message, p.app.width-4) {
		c.Text(x, r.Y+2+i, line, cell.Bad)
	}
}
