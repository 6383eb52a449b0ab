package widget

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
)

// Item is one line of a List.
type Item struct {
	Label  string
	Detail string // after the label, muted
	Key    string // at the right: the key that does the same
	Off    string // why it cannot be chosen; "" when it can
	Head   bool   // a heading: not selectable, kept while one of its items is
	Search string // more words that the filter finds it by
}

// List is a filterable list to pick from. Keys go to its filter and move its cursor.
type List struct {
	Filter Input
	Idle   bool // the focus is elsewhere: no cursor is drawn
	items  []Item
	shown  []int // indexes into items
	cursor int   // index into shown
	top    int
	page   int
}

// NewList is a list of items.
func NewList(items []Item) *List {
	l := &List{items: items}
	l.refilter()
	return l
}

// refilter keeps the items that hold every word of the filter, and the headings that still have one.
func (l *List) refilter() {
	words := strings.Fields(strings.ToLower(l.Filter.Value()))
	l.shown = l.shown[:0]
	head := -1
	for i, item := range l.items {
		if item.Head {
			head = i
			continue
		}
		text := strings.ToLower(item.Label + " " + item.Detail + " " + item.Key + " " + item.Search)
		if !containsAll(text, words) {
			continue
		}
		if head >= 0 {
			l.shown, head = append(l.shown, head), -1
		}
		l.shown = append(l.shown, i)
	}
	l.cursor = 0
	l.move(0)
}

func containsAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// move steps the cursor over headings.
func (l *List) move(n int) {
	step := 1
	if n < 0 {
		step = -1
	}
	at := max(0, min(l.cursor+n, len(l.shown)-1))
	for at >= 0 && at < len(l.shown) && l.items[l.shown[at]].Head {
		at += step
	}
	if at >= 0 && at < len(l.shown) {
		l.cursor = at
	} else if n < 0 {
		l.top = 0
	}
}

// Selected is the index of the item at the cursor, -1 when nothing matches.
func (l *List) Selected() int {
	if l.cursor >= len(l.shown) || l.items[l.shown[l.cursor]].Head {
		return -1
	}
	return l.shown[l.cursor]
}

// Len is how many items match the filter, headings included.
func (l *List) Len() int { return len(l.shown) }

// Select puts the cursor on item i when it is shown.
func (l *List) Select(i int) {
	for at, shown := range l.shown {
		if shown == i {
			l.cursor = at
			l.move(0)
		}
	}
}

// Key takes a key: moving keys, else the filter.
func (l *List) Key(k tea.KeyPressMsg) bool {
	switch k.String() {
	case "up", "ctrl+p":
		l.move(-1)
	case "down", "ctrl+n":
		l.move(1)
	case "pgup":
		l.move(-max(1, l.page-1))
	case "pgdown":
		l.move(max(1, l.page-1))
	default:
		before := l.Filter.Value()
		if !l.Filter.Key(k) {
			return false
		}
		if l.Filter.Value() != before {
			l.refilter()
		}
	}
	return true
}

// Paste puts text into the filter.
func (l *List) Paste(s string) {
	l.Filter.Paste(s)
	l.refilter()
}

// Scroll moves the cursor.
func (l *List) Scroll(n int) { l.move(n) }

// Click puts the cursor on the row dy of the rectangle last drawn and tells whether there is an item.
func (l *List) Click(dy int) bool {
	at := l.top + dy
	if at < 0 || at >= len(l.shown) || l.items[l.shown[at]].Head {
		return false
	}
	l.cursor = at
	return true
}

// Draw draws the items in sight into r; labelW is the width of the column of labels.
func (l *List) Draw(c *cell.Canvas, r cell.Rect, labelW int) {
	l.page = r.H
	l.top = max(0, min(max(l.top, l.cursor-r.H+1), l.cursor))
	if l.cursor == 1 && len(l.shown) > 0 && l.items[l.shown[0]].Head {
		l.top = 0
	}
	l.top = max(0, min(l.top, len(l.shown)-r.H))
	for i := range r.H {
		at := l.top + i
		if at >= len(l.shown) {
			return
		}
		item := l.items[l.shown[at]]
		y := r.Y + i
		if item.Head {
			c.TextCut(r.X, y, r.W, item.Label, cell.Muted|cell.Bold)
			continue
		}
		l.item(c, cell.Rect{X: r.X, Y: y, W: r.W, H: 1}, item, labelW)
		if at == l.cursor && !l.Idle {
			c.Text(r.X, y, "▸", cell.Accent)
			c.Paint(cell.Rect{X: r.X, Y: y, W: r.W, H: 1}, cell.Selected)
		}
	}
}

func (l *List) item(c *cell.Canvas, r cell.Rect, item Item, labelW int) {
	style, detail := cell.Text, item.Detail
	detailStyle := cell.Muted
	if item.Off != "" {
		style, detail, detailStyle = cell.Faint, "off: "+item.Off, cell.Faint
	}
	keyW := cell.Width(item.Key)
	c.TextCut(r.X+2, r.Y, min(labelW, r.W-keyW-4), item.Label, style)
	if room := r.W - labelW - 4 - keyW - 1; room > 4 {
		c.TextCut(r.X+2+labelW+1, r.Y, room, detail, detailStyle)
	}
	c.TextRight(r.X+r.W-1, r.Y, keyW, item.Key, cell.Accent)
}
