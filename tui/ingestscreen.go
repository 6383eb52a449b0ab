package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
)

// ingestPage is screen 5: the API's address, what comes in, and what was refused and why.
type ingestPage struct {
	app     *App
	letters *deadPanel
	entered bool  // once
	rejects bool  // the focus is on what was refused, else on the requests
	seen    int64 // dead letters that there were when the screen was looked at last
	news    bool  // there are more since
	cursors [2]int
	tops    [2]int
}

func newIngestPage(a *App) *ingestPage {
	return &ingestPage{app: a, letters: &deadPanel{question: question{app: a}, marked: map[replay.Key]bool{}}}
}

func (g *ingestPage) typing() bool            { return false }
func (g *ingestPage) paste(string) tea.Cmd    { return nil }
func (g *ingestPage) crumbs() []string        { return []string{"Ingest"} }
func (g *ingestPage) cursor() *tea.Cursor     { return nil }
func (g *ingestPage) escape() (tea.Cmd, bool) { return nil, false }

func (g *ingestPage) places() place {
	if g.app.cfg.Letters != nil {
		return onIngest | onLetters
	}
	return onIngest
}

// tick keeps the dead letters true. Who comes here for the first time sees them first, if there are any.
func (g *ingestPage) tick() tea.Cmd {
	if !g.entered {
		g.entered, g.rejects = true, g.app.cfg.Letters != nil && g.app.dead.Kept > 0
	}
	g.looked()
	if g.lettersAlone() {
		g.rejects = true
	}
	return g.letters.refresh()
}

// lettersAlone tells that there is nothing beside the dead letters: no API runs here.
func (g *ingestPage) lettersAlone() bool {
	return g.app.cfg.Letters != nil && g.app.noAPI() != "" && len(g.app.api.Recent) == 0
}

func (g *ingestPage) side() int {
	if g.rejects {
		return 1
	}
	return 0
}

func (g *ingestPage) rows(side int) int {
	switch {
	case side == 0:
		return len(g.app.api.Recent)
	case g.app.cfg.Letters != nil:
		return len(g.letters.groups)
	}
	return len(g.groups())
}

func (g *ingestPage) key(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "tab", "shift+tab", "left", "right", "h", "l":
		g.rejects = !g.rejects || g.lettersAlone()
	case "down", "j":
		g.move(1)
	case "up", "k":
		g.move(-1)
	case "pgdown", "ctrl+d":
		g.move(10)
	case "pgup", "ctrl+u":
		g.move(-10)
	case "g", "home":
		g.move(-g.rows(g.side()))
		if g.letters.err == errStopped {
			g.letters.changed()
		}
	case "G", "end":
		g.move(g.rows(g.side()))
	}
	return nil
}

func (g *ingestPage) move(n int) {
	i := g.side()
	g.cursors[i] = max(0, min(g.cursors[i]+n, g.rows(i)-1))
}

func (g *ingestPage) wheel(_, _, n int) { g.move(n / 3) }

func (g *ingestPage) copies() []copyItem {
	var items []copyItem
	if g.app.noAPI() == "" {
		items = append(items, copyItem{"c", "the curl line", g.app.curl()})
	}
	if g.app.dead.Kept > 0 {
		items = append(items, copyItem{"d", "the command for dead letters", deadCommand + " --data " + quotePath(g.app.cfg.DataDir)})
	}
	if d, ok := g.letters.current(); ok && g.rejects && g.app.cfg.Letters != nil {
		return append(items, copyItem{"l", "the newest letter", string(d.Example.Text)}, copyItem{"r", "the reason", reasonOf(d.Field, d.Reason)})
	}
	if groups := g.groups(); g.rejects && len(groups) > 0 {
		r := groups[min(g.cursors[1], len(groups)-1)].newest
		items = append(items, copyItem{"l", "the rejected line", r.Sample}, copyItem{"r", "the reason", fieldReason(r)})
	} else if recent := g.app.api.Recent; !g.rejects && len(recent) > 0 {
		items = append(items, copyItem{"i", "the request's id", recent[min(g.cursors[0], len(recent)-1)].RequestID})
	}
	return items
}

func (g *ingestPage) draw(c *cell.Canvas, r cell.Rect) {
	heavy := g.app.theme.Colourless()
	state := 4 + len(g.noAPIWords(r.W-6))
	if g.app.noAPI() == "" {
		state = 7 + len(g.footLines(r.W-6)) + len(g.troubleWords(r.W-6))
		if refusalWords(g.app.api.Refused) != "" {
			state++
		}
	}
	tall := r.H >= 30 // room for the backlog as a table
	state = min(state+g.app.chainRows(tall), max(7, r.H-8))
	g.drawState(c, cell.Rect{X: r.X, Y: r.Y, W: r.W, H: state}, heavy, tall)
	rest := cell.Rect{X: r.X, Y: r.Y + state, W: r.W, H: r.H - state}
	left, right := rest, rest
	if g.lettersAlone() {
		g.drawRefused(c, rest, heavy)
		return
	}
	if r.W >= gridWidth {
		left.W = r.W * 56 / 100
		if g.app.cfg.Letters != nil { // reasons are sentences
			left.W = r.W / 2
		}
		right = cell.Rect{X: r.X + left.W, Y: rest.Y, W: r.W - left.W, H: rest.H}
	} else if rest.H < 10 || rest.H < 14 && g.app.cfg.Letters != nil { // room for one of the two: Tab shows the other
		if g.rejects {
			g.drawRefused(c, rest, heavy)
		} else {
			g.drawRequests(c, rest, heavy)
		}
		g.letters.drawHint(c, rest)
		return
	} else {
		left.H = rest.H * 55 / 100
		right = cell.Rect{X: r.X, Y: rest.Y + left.H, W: r.W, H: rest.H - left.H}
	}
	g.drawRequests(c, left, heavy)
	g.drawRefused(c, right, heavy)
}

// drawRefused shows the dead letters where they can be worked with, else what the API has refused since its start.
func (g *ingestPage) drawRefused(c *cell.Canvas, r cell.Rect, heavy bool) {
	if g.app.cfg.Letters != nil {
		g.letters.draw(c, r, heavy)
		return
	}
	g.drawRejects(c, r, heavy)
}

// drawState is the server in a few lines.
func (g *ingestPage) drawState(c *cell.Canvas, r cell.Rect, heavy, tall bool) {
	a := g.app
	s := a.api
	c.Box(r, "ingest API", false, heavy)
	if !tall {
		a.drawBacklog(c, r)
	}
	in := cell.Rect{X: r.X + 2, Y: r.Y + 1, W: r.W - 4, H: r.H - 2}
	old := c.Clip(r.Inset())
	defer c.Restore(old)
	if a.noAPI() != "" {
		x := c.Text(in.X, in.Y, "× ", cell.Bad|cell.Bold)
		for i, line := range g.noAPIWords(in.W - 2) {
			c.Text(x, in.Y+i, line.text, line.style)
		}
		n := a.chainRows(tall)
		a.drawChainTable(c, cell.Rect{X: in.X, Y: in.Y + in.H - n, W: in.W, H: n})
		return
	}
	g.drawUp(c, in)
	if !s.Since.IsZero() {
		c.Text(r.X+r.W-2-cell.Width(upFor(s, a.now)), r.Y, upFor(s, a.now), cell.Muted)
	}
	y := in.Y + 2 + len(g.troubleWords(in.W-2))
	g.drawRate(c, in, y, "accepted", s.Accepted, s.AcceptedPerSec, s.PerSecond, cell.Accent)
	g.drawRate(c, in, y+1, "rejected", s.Rejected, s.RejectedPerSec, s.RejectedEach, cell.Bad)
	text := fmt.Sprintf("ack p50 %s  p95 %s · %s requests, %d in flight", took(s.AckP50), took(s.AckP95), count(s.Requests), s.InFlight)
	if s.AckP95 == 0 {
		text = fmt.Sprintf("%s requests, %d in flight", count(s.Requests), s.InFlight)
	}
	c.TextCut(in.X, y+2, in.W, text, cell.Muted)
	y += 3
	if words := refusalWords(s.Refused); words != "" {
		if whole := "turned away since the start  " + words; cell.Width(whole) <= in.W {
			c.Text(in.X, y, whole, cell.Warn)
		} else {
			c.TextCut(in.X, y, in.W, "turned away  "+words, cell.Warn)
		}
		y++
	}
	n := a.chainRows(tall)
	a.drawChainTable(c, cell.Rect{X: in.X, Y: y, W: in.W, H: n})
	for i, line := range g.footLines(r.W - 6) {
		c.TextCut(in.X, y+n+i, in.W, line, cell.Literal)
	}
}

// drawUp draws where the API listens, and why it takes nothing when it does not.
func (g *ingestPage) drawUp(c *cell.Canvas, in cell.Rect) {
	s, y := g.app.api, in.Y
	sign, style := "● up ", cell.Good
	if s.Trouble != "" {
		sign, style = "× takes no events ", cell.Bad
	}
	x := c.Text(in.X, y, sign, style|cell.Bold)
	x = c.Text(x, y, s.URL(), cell.Accent|cell.Bold)
	c.TextCut(x+2, y, in.X+in.W-x-2, "POST /ingest  POST /ingest/batch  GET /query/NAME  GET /health  GET /docs", cell.Muted)
	for _, line := range g.troubleWords(in.W - 2) {
		y++
		c.TextCut(in.X+2, y, in.W-2, line, cell.Bad)
	}
	if len(s.Warnings) > 0 {
		c.TextCut(in.X, y+1, in.W, "! "+s.Warnings[0], cell.Warn)
	}
}

// footLines are how an event is sent; none while none would be taken.
func (g *ingestPage) footLines(w int) []string {
	if g.app.api.Trouble != "" {
		return nil
	}
	return g.app.curlLines(w)
}

// noAPIWords say why there is no API here, and whose lake this is.
func (g *ingestPage) noAPIWords(w int) []readerLine {
	a := g.app
	why, note := a.api.Err, "everything else works: panels, SQL and tasks need no API"
	if f := a.follow; f != nil {
		since := f.Owner.Since.UTC().Format("2006-01-02 15:04Z")
		why = fmt.Sprintf("the API runs in %s (process %d) at %s", f.Owner.Command, f.Owner.PID, cmp.Or(f.Owner.Address, "an address that it has not told yet"))
		note = fmt.Sprintf("this console follows; the lake's owner is %s (process %d) since %s", f.Owner.Command, f.Owner.PID, since)
		if f.Gone {
			why = ownerGone
			note = fmt.Sprintf("it was %s (process %d) since %s; what it acknowledged is safe and shown here", f.Owner.Command, f.Owner.PID, since)
		}
	}
	return append(wrapped("", why, 0, w, cell.Text), wrapped("", note, 0, w, cell.Muted)...)
}

func upFor(s ingest.Snapshot, now time.Time) string {
	return " up " + span(now.Sub(s.Since).Round(time.Second)) + " "
}

func (g *ingestPage) drawRate(c *cell.Canvas, in cell.Rect, y int, name string, total int64, perSec float64, history []float64, style cell.Style) {
	c.Text(in.X, y, name, cell.Muted)
	c.TextRight(in.X+20, y, 11, rate(perSec)+"/s", cell.Text|cell.Bold)
	c.TextRight(in.X+in.W, y, 18, count(total)+" in all", cell.Muted)
	if w := min(60, in.W-20-2-20); w > 5 {
		chart.Spark(c, in.X+22, y, w, history, 0, style)
	}
}

func (g *ingestPage) drawRequests(c *cell.Canvas, r cell.Rect, heavy bool) {
	recent := g.app.api.Recent
	in := g.drawTable(c, r, "last requests", 0, heavy)
	if len(recent) == 0 {
		c.TextCut(in.X, in.Y, in.W, "no request yet", cell.Muted)
		return
	}
	c.TextCut(in.X, in.Y, in.W, cell.Pad("time", 10)+cell.Pad("status", 8)+cell.PadLeft("events", 7)+cell.PadLeft("bytes", 8)+cell.PadLeft("took", 8)+"  request", cell.Muted|cell.Bold)
	g.eachRow(c, in, 0, func(i, y int) {
		q := recent[i]
		style := cell.Good
		if q.StatusCode >= 500 {
			style = cell.Bad
		} else if q.StatusCode >= 400 {
			style = cell.Warn
		}
		c.Text(in.X, y, clock(q.At), cell.Muted)
		sign := "✓"
		if q.StatusCode >= 400 {
			sign = "×"
		}
		c.Text(in.X+10, y, fmt.Sprintf("%s %d", sign, q.StatusCode), style)
		c.TextRight(in.X+25, y, 7, count(int64(q.Events)), cell.Text)
		c.TextRight(in.X+33, y, 8, size(q.Bytes), cell.Text)
		c.TextRight(in.X+41, y, 8, ms(q.LatencyMS), cell.Text)
		c.TextCut(in.X+43, y, in.W-43, strings.TrimSpace(q.Method+" "+q.Path+" "+q.ServiceName), cell.Text)
	})
}

// drawTable draws a table's frame and makes it clickable; its first line is the heading.
func (g *ingestPage) drawTable(c *cell.Canvas, r cell.Rect, title string, side int, heavy bool) cell.Rect {
	c.Box(r, title, g.side() == side, heavy)
	in := cell.Rect{X: r.X + 2, Y: r.Y + 1, W: r.W - 4, H: r.H - 2}
	g.app.rowZone(r, func(_, dy int) tea.Cmd {
		g.rejects = side == 1
		if row := dy - 2 + g.tops[side]; dy >= 2 && row < g.rows(side) {
			g.cursors[side] = row
		}
		return nil
	})
	return in
}

func (g *ingestPage) eachRow(c *cell.Canvas, in cell.Rect, side int, row func(i, y int)) {
	page, n := in.H-1, g.rows(side)
	cursor := max(0, min(g.cursors[side], n-1))
	top := max(0, min(max(g.tops[side], cursor-page+1), cursor, n-page))
	g.tops[side] = top
	for i := 0; i < page && top+i < n; i++ {
		y := in.Y + 1 + i
		row(top+i, y)
		if top+i == cursor && g.side() == side {
			c.Text(in.X-1, y, "▸", cell.Accent)
			c.Paint(cell.Rect{X: in.X - 1, Y: y, W: in.W + 2, H: 1}, cell.Selected)
		}
	}
}

func ingestActions() []action {
	return slices.Concat([]action{
		{"details", "the request, the dead letters or the rejected line at hand, in full", []string{"enter"}, onIngest, true, func(a *App) string { return a.ingest.noDetails() }, func(a *App) tea.Cmd { return a.ingest.details() }},
	}, deadActions(), []action{
		{"copy", "copy the curl line, the request's id or the refused line", []string{"y"}, onIngest, true, nil, (*App).copyMenu},
	})
}

// noDetails tells why there is no row to show in full; "" when there is one.
func (g *ingestPage) noDetails() string {
	switch {
	case g.rows(g.side()) > 0:
		return ""
	case g.side() == 0:
		return "there is no request yet"
	case g.app.cfg.Letters != nil:
		return "there is no dead letter"
	}
	return "no line was refused"
}

// details shows the row at hand in full.
func (g *ingestPage) details() tea.Cmd {
	var rows [][2]string
	title := "request"
	if g.rejects && g.app.cfg.Letters != nil {
		return g.letters.view()
	}
	if g.rejects {
		groups := g.groups()
		if len(groups) == 0 {
			return nil
		}
		title = "rejected line"
		gr := groups[max(0, min(g.cursors[1], len(groups)-1))]
		r := gr.newest
		rows = [][2]string{{"reason", fieldReason(r)}, {"lines", count(int64(gr.n)) + " of the last " + count(int64(len(g.app.api.Rejects)))}, {"newest", r.At.UTC().Format(time.RFC3339)}, {"from", r.Source}, {"line", fmt.Sprint(r.Line)}, {"sample", r.Sample}}
	} else {
		recent := g.app.api.Recent
		if len(recent) == 0 {
			return nil
		}
		q := recent[max(0, min(g.cursors[0], len(recent)-1))]
		rows = [][2]string{{"request", q.Method + " " + q.Path}, {"status", fmt.Sprint(q.StatusCode)}, {"at", q.At.UTC().Format(time.RFC3339Nano)}, {"request_id", q.RequestID}, {"service", q.ServiceName},
			{"events", count(int64(q.Events))}, {"body", size(q.Bytes)}, {"took", ms(q.LatencyMS)}}
	}
	d := &reader{dialog: dialog{app: g.app, title: title, hints: "y copy · Esc close"}, copy: g.copies}
	d.lines = func(w int) []readerLine {
		var lines []readerLine
		for _, row := range rows {
			lines = append(lines, wrapped(row[0], row[1], 10, w, cell.Text)...)
		}
		return lines
	}
	g.app.push(d)
	return nil
}
