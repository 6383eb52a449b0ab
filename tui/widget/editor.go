package widget

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
)

// Editor is a text of several lines with SQL highlighting, selection and undo.
type Editor struct {
	Placeholder string
	// Mark is where an error points; its Row is -1 when there is none. An edit removes it.
	Mark Place

	buf        buffer
	top, slide int // first line and column in sight
	painted    int // version of the text that paint belongs to
	paint      [][]cell.Style
	colours    *highlighter
}

// NewEditor is an empty editor.
func NewEditor() *Editor {
	return &Editor{buf: newBuffer(), Mark: Place{Row: -1}, painted: -1, colours: newHighlighter()}
}

// Value is the text; Version moves whenever it changes.
func (e *Editor) Value() string { return e.buf.value() }
func (e *Editor) Version() int  { return e.buf.version }

// Set replaces the text; undo brings the old one back.
func (e *Editor) Set(s string) {
	e.buf.set(s)
	e.Mark.Row = -1
}

// Top puts the cursor before the first character.
func (e *Editor) Top() { e.buf.move(Place{}, false) }

// Insert puts text at the cursor.
func (e *Editor) Insert(s string) {
	e.buf.insert(s, false)
	e.Mark.Row = -1
}

// Selection is the selected text, "" when nothing is.
func (e *Editor) Selection() string { return e.buf.text(e.buf.span()) }

// Cursor is where the cursor stands; Lines is how many lines there are.
func (e *Editor) Cursor() Place { return e.buf.at }
func (e *Editor) Lines() int    { return len(e.buf.lines) }

// PointAt marks the place of a byte offset of the text and goes there.
func (e *Editor) PointAt(offset int) {
	e.Mark = e.buf.placeOf(offset)
	e.buf.move(e.Mark, false)
}

// EndsStatement tells whether the text before the cursor ends with a semicolon, and nothing but space comes after it.
func (e *Editor) EndsStatement() bool {
	after := strings.TrimSpace(e.buf.text(e.buf.at, e.buf.bottom(Place{})))
	return after == "" && strings.HasSuffix(strings.TrimSpace(e.buf.text(Place{}, e.buf.at)), ";")
}

// Key takes a key and tells whether it was one for the text.
func (e *Editor) Key(k tea.KeyPressMsg) bool {
	name := k.String()
	if e.motion(name) {
		return true
	}
	before := e.buf.version
	defer func() {
		if e.buf.version != before {
			e.Mark.Row = -1
		}
	}()
	b := &e.buf
	switch name {
	case "enter":
		line := string(b.lines[b.at.Row][:b.at.Col])
		b.insert("\n"+line[:len(line)-len(strings.TrimLeft(line, " "))], false)
	case "backspace", "ctrl+h", "shift+backspace":
		b.erase(b.left)
	case "delete", "ctrl+d":
		b.erase(b.right)
	case "ctrl+w", "alt+backspace", "ctrl+backspace":
		b.erase(b.wordLeft)
	case "alt+d", "ctrl+delete":
		b.erase(b.wordRight)
	case "ctrl+u":
		b.erase(b.home)
	case "ctrl+k":
		b.erase(b.end)
	case "ctrl+_", "ctrl+/", "alt+z":
		b.back(&b.undo, &b.redo)
	case "ctrl+y", "alt+Z":
		b.back(&b.redo, &b.undo)
	default:
		if k.Text == "" || k.Mod&(tea.ModAlt|tea.ModCtrl) != 0 {
			return false
		}
		b.insert(k.Text, k.Text != " ")
	}
	return true
}

// motion takes the keys that move the cursor or the selection.
func (e *Editor) motion(name string) bool {
	b := &e.buf
	bare, mark := strings.CutPrefix(name, "shift+")
	if rest, ok := strings.CutPrefix(name, "ctrl+shift+"); ok {
		bare, mark = "ctrl+"+rest, true
	}
	switch bare {
	case "left":
		b.move(b.left(b.at), mark)
	case "right":
		b.move(b.right(b.at), mark)
	case "ctrl+left", "alt+left", "alt+b":
		b.move(b.wordLeft(b.at), mark)
	case "ctrl+right", "alt+right", "alt+f":
		b.move(b.wordRight(b.at), mark)
	case "home", "ctrl+a":
		b.move(b.home(b.at), mark)
	case "end", "ctrl+e":
		b.move(b.end(b.at), mark)
	case "ctrl+home":
		b.move(Place{}, mark)
	case "ctrl+end":
		b.move(b.bottom(Place{}), mark)
	case "up":
		b.vertical(-1, mark)
	case "down":
		b.vertical(1, mark)
	case "pgup":
		b.vertical(-10, mark)
	case "pgdown":
		b.vertical(10, mark)
	case "ctrl+g":
		b.move(Place{}, false)
		b.move(b.bottom(Place{}), true)
	default:
		return false
	}
	return true
}

// Scroll moves the view by n lines without the cursor leaving it.
func (e *Editor) Scroll(n int) { e.buf.vertical(n, false) }

// Draw draws the text into r and returns the cursor's cell.
func (e *Editor) Draw(c *cell.Canvas, r cell.Rect, focused bool) (x, y int) {
	digits := len(fmt.Sprint(max(10, len(e.buf.lines))))
	gutter := digits + 2
	body := cell.Rect{X: r.X + gutter, Y: r.Y, W: max(0, r.W-gutter-1), H: r.H} // a column for the marks of what is beyond it
	at := e.buf.at
	before := runesWidth(e.buf.lines[at.Row][:at.Col])
	e.top = min(max(e.top, at.Row-r.H+1), at.Row)
	e.top = max(0, min(e.top, len(e.buf.lines)-1))
	e.slide = max(0, min(max(e.slide, before-body.W+1), before))
	if !focused {
		e.slide = 0 // without a cursor to keep in sight, lines show their beginnings
	}
	if e.painted != e.buf.version {
		e.paint, e.painted = e.colours.styles(e.buf.lines), e.buf.version
	}
	from, to := e.buf.span()
	for i := range r.H {
		row := e.top + i
		if row >= len(e.buf.lines) {
			break
		}
		number := cell.Faint
		if row == at.Row && focused {
			number = cell.Accent
		}
		c.TextRight(r.X+digits+1, r.Y+i, digits, fmt.Sprint(row+1), number)
		e.line(c, body, row, r.Y+i, from, to)
		if e.slide > 0 && len(e.buf.lines[row]) > 0 {
			c.Text(body.X-1, r.Y+i, "‹", cell.Muted)
		}
		if runesWidth(e.buf.lines[row])-e.slide > body.W {
			c.Text(body.X+body.W, r.Y+i, "›", cell.Muted)
		}
	}
	if len(e.buf.lines) == 1 && len(e.buf.lines[0]) == 0 && e.Placeholder != "" {
		for i, line := range cell.Wrap(e.Placeholder, body.W-1) {
			if i < r.H {
				c.Text(body.X+1, r.Y+i, line, cell.Faint)
			}
		}
	}
	return body.X + before - e.slide, r.Y + at.Row - e.top
}

func (e *Editor) line(c *cell.Canvas, body cell.Rect, row, y int, from, to Place) {
	old := c.Clip(body)
	defer c.Restore(old)
	x := body.X - e.slide
	line := e.buf.lines[row]
	for col, ch := range line {
		if x >= body.X+body.W {
			return
		}
		style := e.paint[row][col]
		here := Place{row, col}
		if !here.before(from) && here.before(to) {
			style = style.On(cell.Selected)
		}
		if e.Mark.Row == row && e.Mark.Col == col {
			style = style.On(cell.Alarm) | cell.Underline
		}
		x = c.Text(x, y, string(ch), style)
	}
	if e.Mark.Row == row && e.Mark.Col >= len(line) {
		c.Text(x, y, " ", cell.Text.On(cell.Alarm)|cell.Underline)
	}
}

// Click puts the cursor at a cell that lies dx, dy from the top left of the rectangle last drawn.
func (e *Editor) Click(dx, dy int) {
	gutter := len(fmt.Sprint(max(10, len(e.buf.lines)))) + 2
	row := min(max(e.top+dy, 0), len(e.buf.lines)-1)
	want, used, col := dx-gutter+e.slide, 0, 0
	for _, ch := range e.buf.lines[row] {
		w := cell.Width(string(ch))
		if used+w > want {
			break
		}
		used, col = used+w, col+1
	}
	e.buf.move(Place{row, col}, false)
}

// runesWidth is how wide runes are drawn one by one, as line does.
func runesWidth(runes []rune) int {
	w := 0
	for _, r := range runes {
		w += cell.Width(string(r))
	}
	return w
}
