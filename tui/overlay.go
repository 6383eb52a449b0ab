package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/widget"
)

// overlay is a dialog over the screen. The topmost one takes the keys; Esc closes it.
type overlay interface {
	draw(c *cell.Canvas, body cell.Rect)
	key(k tea.KeyPressMsg) tea.Cmd
	paste(text string)
	wheel(n int)
	cursor() *tea.Cursor
	typing() bool    // letters are text
	keys() []keyLine // what F1 shows
	closed()         // it is not on the screen any more
}

func (a *App) push(o overlay) { a.overlays = append(a.overlays, o) }

// close closes the topmost overlay.
func (a *App) close() {
	if n := len(a.overlays); n > 0 {
		top := a.overlays[n-1]
		a.overlays = a.overlays[:n-1]
		top.closed()
	}
}

// closeAll closes every overlay.
func (a *App) closeAll() {
	for len(a.overlays) > 0 {
		a.close()
	}
}

// dialog is what overlays share: a centred box with a title and a line of hints at its foot.
type dialog struct {
	app   *App
	title string
	hints string
	at    *tea.Cursor
}

func (d *dialog) paste(string)        {}
func (d *dialog) wheel(int)           {}
func (d *dialog) cursor() *tea.Cursor { return d.at }
func (d *dialog) typing() bool        { return false }
func (d *dialog) closed()             {}

// frame draws the box, w by h or what fits, and returns its inside. Clicks beside it close it.
func (d *dialog) frame(c *cell.Canvas, body cell.Rect, w, h int) cell.Rect {
	d.at = nil
	w, h = min(w, body.W-2), min(h, body.H)
	r := cell.Rect{X: body.X + (body.W-w)/2, Y: body.Y + (body.H-h)/3, W: w, H: h}
	c.Fill(cell.Rect{X: r.X - 1, Y: r.Y, W: r.W + 2, H: r.H}, cell.Text)
	c.Box(r, d.title, true, d.app.theme.Colourless())
	d.app.zone(c.All(), func(int, int) tea.Cmd { d.app.close(); return nil })
	d.app.zone(r, func(int, int) tea.Cmd { return nil })
	if d.hints != "" {
		c.Text(r.X+2, r.Y+r.H-1, " "+cell.Cut(d.hints, r.W-6)+" ", cell.Muted)
	}
	in := r.Inset()
	return cell.Rect{X: in.X + 1, Y: in.Y, W: in.W - 2, H: in.H}
}

// point puts the text cursor at a cell.
func (d *dialog) point(x, y int) {
	d.at = tea.NewCursor(x, y)
	d.at.Shape = tea.CursorBar
}

// choice is an entry of a picker.
type choice struct {
	widget.Item
	run func() tea.Cmd
}

// picker is a list with a filter: palette, help, history, menus.
type picker struct {
	dialog
	list    *widget.List
	choices []choice
	labelW  int
	width   int
	prompt  string
	typed   func(text string) (preview string, run func() tea.Cmd, err error) // what the typed text means by itself; nil: a filter and nothing else
	letters map[string]int                                                    // single keys that choose at once, for short menus without a filter
}

func newPicker(a *App, title string, choices []choice) *picker {
	p := &picker{dialog: dialog{app: a, title: title, hints: "type to filter · Enter choose · Esc close"}, choices: choices, width: 84, prompt: "filter"}
	var items []widget.Item
	for _, ch := range choices {
		items = append(items, ch.Item)
		p.labelW = max(p.labelW, cell.Width(ch.Label))
	}
	p.labelW = min(p.labelW, 40)
	p.list = widget.NewList(items)
	return p
}

func (p *picker) key(k tea.KeyPressMsg) tea.Cmd {
	name := k.String()
	switch {
	case name == "esc":
		p.app.close()
	case name == "enter":
		return p.choose()
	case p.letters != nil:
		if i, ok := p.letters[name]; ok {
			p.list.Select(i)
			return p.choose()
		}
		if name == "up" || name == "down" {
			p.list.Key(k)
		}
	default:
		p.list.Key(k)
	}
	return nil
}

// choose runs what was typed when it means something by itself, else the entry at the cursor.
func (p *picker) choose() tea.Cmd {
	i := p.list.Selected()
	if p.typed != nil && p.list.Filter.Value() != "" {
		_, run, err := p.typed(p.list.Filter.Value())
		if err == nil {
			p.app.close()
			return run()
		}
	}
	if i < 0 || p.choices[i].run == nil {
		return nil
	}
	if why := p.choices[i].Off; why != "" {
		p.app.say(p.choices[i].Label + ": " + why)
		return nil
	}
	p.app.close()
	return p.choices[i].run()
}

func (p *picker) paste(text string) { p.list.Paste(text) }
func (p *picker) wheel(n int)       { p.list.Scroll(n) }

func (p *picker) draw(c *cell.Canvas, body cell.Rect) {
	rows := min(max(len(p.choices), 3), body.H-5)
	if p.letters != nil {
		rows = len(p.choices)
		r := p.frame(c, body, p.width, rows+2)
		p.draws(c, r)
		return
	}
	r := p.frame(c, body, p.width, rows+4)
	x := c.Text(r.X, r.Y, p.prompt+" ", cell.Muted)
	p.point(p.list.Filter.Draw(c, x, r.Y, r.W-cell.Width(p.prompt)-1, cell.Text), r.Y)
	if p.typed != nil && p.list.Filter.Value() != "" {
		preview, _, err := p.typed(p.list.Filter.Value())
		if err == nil {
			c.TextCut(r.X, r.Y+2, r.W, "Enter: "+preview, cell.Good)
			return
		}
		if p.list.Selected() < 0 {
			for i, line := range cell.Wrap("× "+err.Error(), r.W) {
				c.TextCut(r.X, r.Y+2+i, r.W, line, cell.Bad)
			}
			return
		}
	}
	if p.list.Len() == 0 {
		c.TextCut(r.X, r.Y+2, r.W, "nothing matches", cell.Muted)
	}
	p.draws(c, cell.Rect{X: r.X, Y: r.Y + 2, W: r.W, H: r.H - 2})
}

func (p *picker) draws(c *cell.Canvas, r cell.Rect) {
	p.list.Draw(c, r, p.labelW)
	p.app.zone(r, func(_, dy int) tea.Cmd {
		if p.list.Click(dy) {
			return p.choose()
		}
		return nil
	})
}

// confirm asks before something that cannot be undone.
type confirm struct {
	dialog
	text string
	yes  string
	run  func() tea.Cmd
	grim bool // what it asks about is gone for good then: Enter, which a hand in a hurry hits, stays
}

func newConfirm(a *App, title, text, yes string, run func() tea.Cmd) *confirm {
	return &confirm{dialog: dialog{app: a, title: title}, text: text, yes: yes, run: run}
}

func (d *confirm) key(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "enter":
		d.app.close()
		if !d.grim {
			return d.run()
		}
	case "y", "Y":
		d.app.close()
		return d.run()
	case "n", "N", "esc", "q":
		d.app.close()
	}
	return nil
}

func (d *confirm) draw(c *cell.Canvas, body cell.Rect) {
	const w = 64
	lines := cell.Wrap(d.text, min(w, body.W-2)-4)
	r := d.frame(c, body, w, len(lines)+5)
	for i, line := range lines {
		c.Text(r.X, r.Y+1+i, line, cell.Text)
	}
	y := r.Y + r.H - 1
	x := c.Text(r.X, y, " y ", cell.OnAccent|cell.Active|cell.Bold)
	x = c.Text(x+1, y, d.yes, cell.Text)
	d.app.zone(cell.Rect{X: r.X, Y: y, W: x - r.X, H: 1}, func(int, int) tea.Cmd { d.app.close(); return d.run() })
	no := " n "
	if d.grim {
		no = " n Enter "
	}
	x = c.Text(x+3, y, no, cell.OnAccent|cell.Active|cell.Bold)
	end := c.Text(x+1, y, "stay", cell.Text)
	d.app.zone(cell.Rect{X: x, Y: y, W: end - x, H: 1}, func(int, int) tea.Cmd { d.app.close(); return nil })
}

// reader shows text or named values to scroll through: a record, a log.
type reader struct {
	dialog
	lines func(w int) []readerLine
	copy  func() []copyItem
	extra func(k tea.KeyPressMsg) (tea.Cmd, bool) // more keys; nil: none
	more  []keyLine                               // what they do
	bare  bool                                    // it is itself the help
	top   int
	page  int
	count int
}

type readerLine struct {
	name, text string // name is drawn as a label when it is not empty
	style      cell.Style
}

func (d *reader) key(k tea.KeyPressMsg) tea.Cmd {
	if d.extra != nil {
		if cmd, ok := d.extra(k); ok {
			return cmd
		}
	}
	switch k.String() {
	case "esc", "enter", "q":
		d.app.close()
	case "up", "k":
		d.wheel(-1)
	case "down", "j":
		d.wheel(1)
	case "pgup", "ctrl+u":
		d.wheel(-d.page)
	case "pgdown", "ctrl+d", "space":
		d.wheel(d.page)
	case "g", "home":
		d.wheel(-d.count)
	case "G", "end":
		d.wheel(d.count)
	case "y":
		if d.copy != nil {
			d.app.pushCopies(d.copy())
		}
	}
	return nil
}

func (d *reader) wheel(n int) { d.top = max(0, min(d.top+n, d.count-d.page)) }

func (d *reader) draw(c *cell.Canvas, body cell.Rect) {
	w := min(body.W-2, 110)
	lines := d.lines(w - 4)
	d.count = len(lines)
	r := d.frame(c, body, w, len(lines)+2)
	d.page = r.H
	d.wheel(0)
	nameW := 0
	for _, l := range lines {
		nameW = max(nameW, cell.Width(l.name))
	}
	for i := range min(r.H, len(lines)-d.top) {
		l, y, x := lines[d.top+i], r.Y+i, r.X
		if nameW > 0 {
			c.Text(x, y, cell.Pad(l.name, nameW), cell.Muted)
			x += nameW + 2
		}
		c.TextCut(x, y, r.X+r.W-x, l.text, l.style)
	}
}

// wrapped makes lines of named text at width w, the name at the first.
func wrapped(name, text string, nameW, w int, style cell.Style) []readerLine {
	var lines []readerLine
	if nameW > 0 {
		w -= nameW + 2
	}
	for i, line := range cell.Wrap(strings.TrimRight(text, "\n"), max(10, w)) {
		l := readerLine{text: line, style: style}
		if i == 0 {
			l.name = name
		}
		lines = append(lines, l)
	}
	return lines
}
