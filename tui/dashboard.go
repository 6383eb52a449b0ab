package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
)

// dashboard is screen 1: the state of the services, and of the lake, at a glance.
type dashboard struct {
	app     *App
	panels  []*panel
	focus   int
	zoomed  bool
	scroll  int // rows, where the panels stand in a list
	span    timeRange
	view    view
	service string // "" is all

	paused   bool
	frozen   time.Time // the clock while paused
	pausedAt int64     // visible events then

	extentOf *panel // asks for the extent; never drawn
	extent   sql.Extent
	known    bool // the extent was answered once

	latency, errors, chart, slowest, regions, volume, freshness *panel
}

func newDashboard(a *App) *dashboard {
	d := &dashboard{app: a}
	add := func(kind panelKind) *panel {
		p := &panel{app: a, kind: kind}
		d.panels = append(d.panels, p)
		return p
	}
	d.latency, d.errors = add(latencyKind()), add(errorsKind())
	d.chart, d.slowest = add(chartKind()), add(slowestKind())
	d.volume, d.regions, d.freshness = add(volumeKind()), add(regionsKind()), add(freshnessKind())
	d.extentOf = &panel{app: a, kind: panelKind{
		load: func(ctx context.Context, p sql.Panels, _ sql.Range) (any, sql.Behind, error) {
			e, err := p.Extent(ctx)
			return e, e.Behind, err
		},
		empty: func(any) bool { return false },
	}}
	return d
}

// mark is the state of the data that answers depend on.
func (d *dashboard) mark() dataMark {
	return dataMark{d.app.fresh.VisibleTo, d.app.fresh.CountedTo, d.app.status.Version}
}

// filled tells whether there is anything to show panels of.
func (d *dashboard) filled() bool { return d.known && d.extent.Events > 0 }

// resolve fits the range to the clock and the extent.
func (d *dashboard) resolve() {
	now := d.app.now
	if d.paused {
		now = d.frozen
	}
	d.view = d.span.resolve(now, d.extent)
	d.view.Service = d.service
}

// tick asks what has moved.
func (d *dashboard) tick() tea.Cmd {
	if d.paused {
		return nil
	}
	cmds := []tea.Cmd{d.extentOf.refresh(sql.Range{}, d.mark(), panelEvery)}
	d.resolve()
	if d.filled() {
		for _, p := range d.panels {
			cmds = append(cmds, p.refresh(d.view.Range, d.mark(), panelEvery))
		}
	}
	return tea.Batch(cmds...)
}

// background keeps the header's error rate true while another screen is in front.
func (d *dashboard) background() tea.Cmd {
	const every = 5 * time.Second
	if d.paused {
		return nil
	}
	cmds := []tea.Cmd{d.extentOf.refresh(sql.Range{}, d.mark(), every)}
	d.resolve()
	if d.filled() {
		cmds = append(cmds, d.errors.refresh(d.view.Range, d.mark(), every))
	}
	return tea.Batch(cmds...)
}

// answered is called when a panel has its answer: the extent may have filled the lake, the range may have moved meanwhile.
func (d *dashboard) answered(p *panel) tea.Cmd {
	if p != d.extentOf {
		if p.asked != d.view.Range && d.app.current == dashScreen {
			return p.refresh(d.view.Range, d.mark(), panelEvery)
		}
		return nil
	}
	if e, ok := p.data.(sql.Extent); ok {
		first := !d.filled() && e.Events > 0
		d.extent, d.known = e, true
		d.resolve()
		if first && d.app.current == dashScreen {
			return d.tick()
		}
	}
	return nil
}

func (d *dashboard) setRange(r timeRange) tea.Cmd {
	d.span = r
	d.resolve()
	if d.paused { // what the user asks for is answered, paused or not
		var cmds []tea.Cmd
		for _, p := range d.panels {
			cmds = append(cmds, p.refresh(d.view.Range, d.mark(), 0))
		}
		return tea.Batch(cmds...)
	}
	return d.tick()
}

func (d *dashboard) setService(name string) tea.Cmd {
	d.service = name
	for _, p := range d.panels {
		p.cursor, p.top = 0, 0
	}
	return d.setRange(d.span)
}

func (d *dashboard) pause() tea.Cmd {
	if d.paused = !d.paused; d.paused {
		d.frozen, d.pausedAt = d.app.now, d.app.status.Visible
		return nil
	}
	return d.tick()
}

// focused is the panel with the focus; nil where nothing has it (plain text).
func (d *dashboard) focused() *panel {
	if d.focus < 0 {
		return nil
	}
	return d.panels[d.focus]
}

func (d *dashboard) copies() []copyItem {
	p := d.focused()
	if !d.filled() || p.behind.SQL == "" {
		return nil
	}
	return []copyItem{{"s", "the SQL behind " + p.kind.title, p.behind.SQL}, {"t", "the panel as text", p.cache.Plain()}}
}

// stop cancels the tasks that the empty page shows; panels' questions are too short to be worth it.
func (d *dashboard) stop() bool {
	if d.filled() {
		return false
	}
	for _, j := range d.app.jobs {
		if !j.Ended() && d.app.runner.Cancel(j.ID) {
			d.app.say("stopping " + j.Title)
			return true
		}
	}
	return false
}

func (d *dashboard) places() place {
	if d.known && d.extent.Events == 0 {
		return onEmpty
	}
	return onPanels // also while they load: what is typed then must not go astray
}

func (d *dashboard) typing() bool         { return false }
func (d *dashboard) paste(string) tea.Cmd { return nil }
func (d *dashboard) cursor() *tea.Cursor  { return nil }

func (d *dashboard) crumbs() []string {
	list := []string{"Dashboard"}
	if d.service != "" {
		list = append(list, d.service)
	}
	if d.zoomed {
		list = append(list, d.focused().kind.title)
	}
	return list
}

func (d *dashboard) escape() (tea.Cmd, bool) {
	switch {
	case d.zoomed:
		d.zoomed = false
	case d.service != "":
		return d.setService(""), true
	default:
		return nil, false
	}
	return nil, true
}

func (d *dashboard) key(k tea.KeyPressMsg) tea.Cmd {
	if !d.filled() {
		return nil
	}
	p := d.focused()
	switch k.String() {
	case "tab":
		d.step(1)
	case "shift+tab":
		d.step(-1)
	case "down", "j":
		if !p.move(1) && d.listed() {
			d.step(1)
		}
	case "up", "k":
		if !p.move(-1) && d.listed() {
			d.step(-1)
		}
	case "left", "h", "right", "l":
		d.step(map[string]int{"left": -1, "h": -1, "right": 1, "l": 1}[k.String()])
	case "pgdown", "ctrl+d":
		if !p.move(max(1, p.page)) && d.listed() {
			d.step(1)
		}
	case "pgup", "ctrl+u":
		if !p.move(-max(1, p.page)) && d.listed() {
			d.step(-1)
		}
	case "g", "home":
		p.move(-p.rowCount())
	case "G", "end":
		p.move(p.rowCount())
	}
	return nil
}

func (d *dashboard) step(n int) { d.focus = (d.focus + n + len(d.panels)) % len(d.panels) }

func (d *dashboard) wheel(x, y, n int) {
	if d.listed() && !d.zoomed {
		d.scroll += n
		d.focus = d.panelAt(d.scroll)
		return
	}
	for _, s := range d.layout(d.body()) {
		if s.rect.Contains(x, y) {
			s.panel.move(n / 3)
		}
	}
}

// drawRange writes the time range, its note and the filter into the crumbs' line.
func (d *dashboard) drawRange(c *cell.Canvas, r cell.Rect) {
	v := d.view
	text := "range " + words(v.Span) + " (" + between(v.From, v.To, d.app.now) + ")"
	if d.service != "" {
		text += "  service " + d.service
	}
	if v.Note != "" {
		if full := text + "  " + v.Note; cell.Width(full) <= r.W {
			x := c.Text(r.X+r.W-cell.Width(full), r.Y, text+"  ", cell.Muted)
			c.Text(x, r.Y, v.Note, cell.Warn)
			return
		}
		c.TextRight(r.X+r.W, r.Y, r.W, v.Note, cell.Warn)
		return
	}
	c.TextRight(r.X+r.W, r.Y, r.W, text, cell.Muted)
}

// emptyHint is the way out of a range without events.
func (d *dashboard) emptyHint() string {
	if d.service != "" {
		return "Esc drops the filter, t takes another range"
	}
	first, last := day(d.extent.First), day(d.extent.Last-1)
	if first == last {
		return "data " + between(d.extent.First, d.extent.Last, d.app.now) + ": t takes another"
	}
	return "data " + first + " – " + last + ": t takes another"
}

// errorBadge is the header's error rate.
func (d *dashboard) errorBadge() (badge, bool) {
	e, ok := d.errors.data.(*sql.ErrorRate)
	if !ok || e.HTTP == 0 || !d.filled() {
		return badge{}, false
	}
	text, style := "err "+percent(e.Rate), cell.Muted
	if arrow, look := trend(e.Rate, e.Prev, 0.1); arrow != "~" {
		text, style = text+" "+arrow, look
	}
	return badge{text, style, 2}, true
}
