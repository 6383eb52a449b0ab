package tui

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
)

// sidebarWidth is the width of the values beside the list, where the window has room for them.
const sidebarWidth = 26

// From this width of the window on the values have room for long ones.
const roomyWidth, roomySidebar = 160, 36

func (p *explorePage) wide() bool { return p.app.width >= gridWidth }

// layout divides what is below the filter: values at the left, the histogram above the list.
func (p *explorePage) layout(r cell.Rect) (side, histogram, list cell.Rect) {
	if p.wide() {
		w := sidebarWidth
		if p.app.width >= roomyWidth {
			w = roomySidebar
		}
		side = cell.Rect{X: r.X, Y: r.Y, W: w, H: r.H}
		r.X, r.W = r.X+w, r.W-w
	}
	h := min(max(5, r.H/5), 10)
	return side, cell.Rect{X: r.X, Y: r.Y, W: r.W, H: h}, cell.Rect{X: r.X, Y: r.Y + h, W: r.W, H: r.H - h}
}

func (p *explorePage) body() cell.Rect {
	skip := p.fieldLines()
	return cell.Rect{X: 0, Y: 2 + skip, W: p.app.width, H: p.app.height - 3 - skip}
}

func (p *explorePage) draw(c *cell.Canvas, r cell.Rect) {
	w := p.app.window
	p.drawField(c, cell.Rect{X: r.X, Y: r.Y, W: r.W, H: p.fieldLines()})
	skip := p.fieldLines()
	r = cell.Rect{X: r.X, Y: r.Y + skip, W: r.W, H: r.H - skip}
	if !w.filled() {
		p.drawNothing(c, r)
		return
	}
	side, histogram, list := p.layout(r)
	p.drawHistogram(c, histogram)
	p.drawList(c, list)
	switch {
	case side.W > 0:
		p.drawFacets(c, side)
	case p.side.focused:
		p.drawFacets(c, cell.Rect{X: r.X, Y: r.Y, W: min(40, r.W), H: r.H})
	}
}

// drawNothing is the page of a lake without events, or of one that is not known yet.
func (p *explorePage) drawNothing(c *cell.Canvas, r cell.Rect) {
	w := p.app.window
	c.Box(r, "events", true, p.app.theme.Colourless())
	in := cell.Rect{X: r.X + 2, Y: r.Y + 1, W: r.W - 4, H: r.H - 2}
	switch {
	case w.extentOf.err != nil && !w.known:
		drawWords(c, in, "× "+w.extentOf.err.Error(), cell.Bad)
	case !w.known || p.app.fresh.Loading:
		c.TextCut(in.X, in.Y, in.W, strings.TrimSpace(cell.Spinner(p.app.ticks)+" loading "+loadWords(p.app.fresh.Load)), cell.Muted)
	default:
		drawWords(c, in, "This lake has no events yet: 1 shows how they come in.", cell.Muted)
	}
}

// drawWords wraps a text into r and returns how many lines it took.
func drawWords(c *cell.Canvas, r cell.Rect, text string, style cell.Style) int {
	lines := cell.Wrap(text, r.W)
	for i, line := range lines[:min(len(lines), r.H)] {
		c.Text(r.X, r.Y+i, line, style)
	}
	return len(lines)
}

// columns are where a row's parts stand, from what the rows hold.
type eventColumns struct {
	time, service, method, path       int // widths
	status, latency, region, id, text int // places; -1: no room
	textW                             int
	format                            string
}

const (
	requestWidth = 8  // of a request id: enough to tell neighbours apart
	minTextWidth = 16 // of a message: less is no use
)

func (p *explorePage) columns(w int) *eventColumns {
	format := "15:04:05.000"
	if v := p.app.window.view; v.From.Time().YearDay() != (v.To-1).Time().YearDay() || p.app.now.Sub(v.To.Time()) > 20*time.Hour {
		format = "01-02 15:04:05.000"
	}
	key := shapeKey{p.list.version, w, format}
	if p.list.shapeOf != key {
		p.list.shapeOf, p.list.shape = key, p.measure(w, format)
	}
	return &p.list.shape
}

// measure fits the columns into w by what the rows hold: what matters less goes first where there is no room.
func (p *explorePage) measure(w int, format string) eventColumns {
	k := eventColumns{time: len(format), format: format, service: 4, method: 3, path: 8, region: -1, id: -1, text: -1}
	regionW := 0
	says := false
	rows := p.list.rows
	for i := range rows {
		r := &rows[i]
		k.service, k.method, k.path = max(k.service, cell.Width(r.Service)), max(k.method, cell.Width(r.Method)), max(k.path, cell.Width(r.Endpoint))
		regionW, says = max(regionW, cell.Width(r.Region)), says || r.Message != ""
	}
	k.service, k.method, k.path, regionW = min(k.service, 16), min(k.method, 7), min(k.path, 40), min(regionW, 16)
	fixed := k.time + 1 + 2 + k.service + 1 + k.method + 1
	right := 1 + 3 + 1 + 7 // status and latency
	k.path = max(8, min(k.path, w-fixed-right))
	k.status = fixed + k.path + 1
	k.latency = k.status + 3 + 1
	x := k.latency + 7
	if w-x > regionW {
		k.region = x + 1
		x += 1 + regionW
	}
	const idW = requestWidth + 3
	if room := w - x; room >= idW && (!says || room >= idW+minTextWidth || room <= minTextWidth) {
		k.id = x + 1
		x += idW
	}
	if says && w-x > minTextWidth {
		k.text, k.textW = x+1, w-x-1
	}
	return k
}

// sign tells an event's kind without colour: × failed, ! a client's error or a warning, · else.
func sign(r *sql.Row) (string, cell.Style) {
	level := strings.ToLower(r.Level)
	switch {
	case r.Failed():
		return "×", cell.Bad
	case r.Status >= 400 || level == "warn" || level == "warning":
		return "!", cell.Warn
	}
	return "·", cell.Faint
}

func (p *explorePage) drawList(c *cell.Canvas, r cell.Rect) {
	l := &p.list
	focused := !p.side.focused && !p.field.editing
	title := "events, newest first"
	if focused {
		title = "▸ " + title
	}
	c.Box(r, title, focused, p.app.theme.Colourless())
	in := cell.Rect{X: r.X + 1, Y: r.Y + 1, W: r.W - 2, H: r.H - 2}
	old := c.Clip(r.Inset())
	text := cell.Rect{X: in.X + 1, Y: in.Y, W: in.W - 2, H: in.H}
	switch {
	case l.err != nil:
		used := p.drawFailure(c, text)
		p.drawRows(c, cell.Rect{X: in.X, Y: in.Y + used, W: in.W, H: in.H - used}, false)
	case l.data == nil:
		c.Text(text.X, text.Y, cell.Spinner(p.app.ticks)+" loading", cell.Muted)
	case len(l.rows) == 0 && !l.old(p.subject()):
		p.drawNone(c, text)
	default:
		p.drawRows(c, in, focused)
	}
	c.Restore(old)
	p.drawListFrame(c, r, title)
}

// drawFailure tells what happened and the way out, and returns how many lines it took.
func (p *explorePage) drawFailure(c *cell.Canvas, r cell.Rect) int {
	l := &p.list
	used := drawWords(c, r, "× "+l.err.Error(), cell.Bad)
	hint := "a narrower range (t) or another filter (/) reads less; g asks again"
	if left := l.retry() - p.app.now.Sub(l.errAt); l.err != errStopped && left > 0 {
		hint = fmt.Sprintf("asks again in %ds; ", int(left.Seconds())+1) + hint
	}
	c.TextCut(r.X, r.Y+used, r.W, hint, cell.Muted)
	return used + 1
}

// drawNone tells that nothing matches, and the ways out.
func (p *explorePage) drawNone(c *cell.Canvas, r cell.Rect) {
	e := p.app.window.extent
	c.TextCut(r.X, r.Y, r.W, noEvents, cell.Muted)
	hint := "t takes another range; data " + between(e.First, e.Last, p.app.now)
	if text := p.query.String(); text != "" {
		hint = "that the filter lets through: - doubles the range, Esc drops the last term"
		if text == p.base() {
			hint = "that the filter lets through: - doubles the range, Esc goes back"
		}
	}
	c.TextCut(r.X, r.Y+1, r.W, hint, cell.Faint)
}

// drawRows draws the rows in sight; those that do not answer what is asked now are dimmed.
func (p *explorePage) drawRows(c *cell.Canvas, in cell.Rect, focused bool) {
	l := &p.list
	if in.H <= 0 {
		return
	}
	l.page = in.H
	l.top = max(0, min(max(l.top, l.cursor-in.H+1), l.cursor))
	l.top = max(0, min(l.top, len(l.rows)-in.H))
	k := p.columns(in.W - 3)
	for i := range min(in.H, len(l.rows)-l.top) {
		p.drawRow(c, cell.Rect{X: in.X + 2, Y: in.Y + i, W: in.W - 3, H: 1}, &l.rows[l.top+i], k)
		if l.top+i == l.cursor {
			look := cell.Resting
			if focused {
				look = cell.Selected
				c.Text(in.X, in.Y+i, "▸", cell.Accent)
			}
			c.Paint(cell.Rect{X: in.X, Y: in.Y + i, W: in.W, H: 1}, look)
		}
	}
	if l.old(p.subject()) {
		c.Dim(in)
	}
	p.zoneRows(in)
}

func (p *explorePage) drawRow(c *cell.Canvas, r cell.Rect, row *sql.Row, k *eventColumns) {
	mark, style := sign(row)
	x := c.Text(r.X, r.Y, row.Timestamp.Time().Format(k.format), cell.Muted) + 1
	x = c.Text(x, r.Y, mark, style|cell.Bold) + 1
	c.TextCut(x, r.Y, k.service, row.Service, cell.Text)
	x += k.service + 1
	c.TextCut(x, r.Y, k.method, row.Method, cell.Muted)
	switch x += k.method + 1; {
	case row.Endpoint != "":
		c.TextCut(x, r.Y, k.path, row.Endpoint, cell.Text)
	case k.text < 0 && row.Method == "":
		c.TextCut(x-k.method-1, r.Y, k.method+1+k.path, row.Message, cell.Text)
	}
	status, look := "-", cell.Faint
	if row.Status > 0 {
		status, look = fmt.Sprint(row.Status), cell.Text
		if style != cell.Faint {
			look = style | cell.Bold
		}
	}
	c.TextRight(r.X+k.status+3, r.Y, 3, status, look)
	look = cell.Text
	if math.IsNaN(row.LatencyMS) {
		look = cell.Faint
	}
	c.TextRight(r.X+k.latency+7, r.Y, 7, ms(row.LatencyMS), look)
	if k.region >= 0 {
		c.TextCut(r.X+k.region, r.Y, 16, row.Region, cell.Muted)
	}
	if k.id >= 0 && row.RequestID != "" {
		c.TextCut(r.X+k.id, r.Y, requestWidth+2, "r="+cell.Cut(row.RequestID, requestWidth), cell.Faint)
	}
	if k.text >= 0 {
		c.TextCut(r.X+k.text, r.Y, k.textW, row.Message, cell.Text)
	}
}

// drawListFrame writes on the frame what is beyond the rows, how old they are and what they cost.
func (p *explorePage) drawListFrame(c *cell.Canvas, r cell.Rect, title string) {
	l := &p.list
	right := r.X + r.W - 1
	foot := ""
	if l.stats.FilesTotal > 0 {
		foot = fmt.Sprintf("read %d/%d files %s in %s", l.stats.Files, l.stats.FilesTotal, size(l.stats.Bytes), took(l.stats.Elapsed))
	}
	switch {
	case l.waiting() && l.old(p.subject()):
		c.OnFrame(r, title, right, cell.Spinner(p.app.ticks)+" loading, shown is what was asked before", cell.Warn)
	case l.err != nil && l.data != nil:
		c.OnFrame(r, title, right, "as of "+clock(l.at), cell.Warn)
	case l.moreErr != nil:
		foot = "× no further: " + l.moreErr.Error()
	case l.more.waiting() && (l.cursor >= len(l.rows)-l.page || l.cursor < l.page && l.newer):
		foot = cell.Spinner(p.app.ticks) + " loading more"
	case !l.follows() && p.app.window.view.Live && !p.app.window.paused && p.app.window.mark() != l.of.mark:
		c.OnFrame(r, title, right, "▲ newer events have come: g", cell.Accent)
	case p.slow.data != nil && p.slow.of.same(p.subject()) && !math.IsNaN(p.slow.data.ms):
		c.OnFrame(r, title, right, "slow ≥ "+ms(p.slow.data.ms)+", the p95 here", cell.Muted)
	}
	if !l.older && len(l.rows) > 0 && l.top+l.page >= len(l.rows) {
		foot = strings.TrimPrefix(foot+" · the range begins here", " · ")
	}
	if foot != "" {
		c.Text(r.X+2, r.Y+r.H-1, " "+cell.Cut(foot, r.W-6)+" ", cell.Muted)
	}
}

// instant writes an instant in full.
func instant(m lake.Micros) string { return m.Time().Format("2006-01-02 15:04:05.000000Z") }
