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
	Wrap   bool // what is too long goes on in the next row, else it is cut
	items  []Item
	shown  []int // indexes into items
	cursor int   // index into shown
	top    int
	page   int
	rows   []int // what stood in each row when last drawn, as indexes into shown
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
	if dy < 0 || dy >= len(l.rows) || l.items[l.shown[l.rows[dy]]].Head {
		return false
	}
	l.cursor = l.rows[dy]
	return true
}

// Draw draws the items in sight into r; labelW is the width of the column of labels.
func (l *List) Draw(c *cell.Canvas, r cell.Rect, labelW int) {
	l.page, l.rows = r.H, l.rows[:0]
	l.scroll(r, labelW)
	old := c.Clip(r)
	defer c.Restore(old)
	for at := l.top; at < len(l.shown) && len(l.rows) < r.H; at++ {
		item := l.items[l.shown[at]]
		row := cell.Rect{X: r.X, Y: r.Y + len(l.rows), W: r.W, H: 1}
		if item.Head {
			c.TextCut(row.X, row.Y, row.W, item.Label, cell.Muted|cell.Bold)
		} else {
			row.H = l.item(c, row, item, labelW)
		}
		if at == l.cursor && !item.Head && !l.Idle {
			c.Text(row.X, row.Y, "▸", cell.Accent)
			c.Paint(row, cell.Selected)
		}
		for range min(row.H, r.H-len(l.rows)) {
			l.rows = append(l.rows, at)
		}
	}
}

// scroll moves the window so that the cursor's item is in it as a whole, and no row below the last item stays empty without need.
func (l *List) scroll(r cell.Rect, labelW int) {
	l.top = max(0, min(l.top, l.cursor))
	used := 0
	for at := l.cursor; at >= l.top && at < len(l.shown); at-- {
		if used += l.height(at, r.W, labelW); used > r.H {
			l.top = min(at+1, l.cursor)
			break
		}
	}
	if l.cursor == 1 && l.items[l.shown[0]].Head {
		l.top = 0
	}
	used = 0
	for at := len(l.shown) - 1; at >= 0; at-- {
		if used += l.height(at, r.W, labelW); used > r.H {
			return
		}
		l.top = min(l.top, at)
	}
}

// height is how many rows an item takes at width w.
func (l *List) height(at, w, labelW int) int {
	if item := l.items[l.shown[at]]; l.Wrap && !item.Head {
		labels, details := l.broken(item, w, labelW)
		return max(len(labels), len(details))
	}
	return 1
}

// broken is an item's label and detail as the rows that they take.
func (l *List) broken(item Item, w, labelW int) (labels, details []string) {
	detail := item.Detail
	if item.Off != "" {
		detail = "off: " + item.Off
	}
	keyW := cell.Width(item.Key)
	labelRoom, room := min(labelW, w-keyW-4), w-labelW-4-keyW-1
	if room <= 4 {
		detail, room = "", 5
	}
	if l.Wrap {
		return cell.Wrap(item.Label, labelRoom), cell.Wrap(detail, room)
	}
	return []string{cell.Cut(item.Label, labelRoom)}, []string{cell.Cut(detail, room)}
}

// item draws one item and returns how many rows it took.
func (l *List) item(c *cell.Canvas, r cell.Rect, item Item, labelW int) int {
	style, detailStyle := cell.Text, cell.Muted
	if item.Off != "" {
		style, detailStyle = cell.Faint, cell.Faint
	}
	labels, details := l.broken(item, r.W, labelW)
	for i, text := range labels {
		c.Text(r.X+2, r.Y+i, text, style)
	}
	for i, text := range details {
		c.Text(r.X+2+labelW+1, r.Y+i, text, detailStyle)
	}
	c.TextRight(r.X+r.W-1, r.Y, cell.Width(item.Key), item.Key, cell.Accent)
	return max(len(labels), len(details))
}
