package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
)

// dashboard is screen 1: the state of the services, and of the lake, at a glance.
type dashboard struct {
	*window
	panels  []*panel
	focus   int
	zoomed  bool
	scroll  int    // rows, where the panels stand in a list
	service string // "" is all

	latency, errors, chart, slowest, regions, volume, freshness *panel
}

func newDashboard(a *App) *dashboard {
	d := &dashboard{window: a.window}
	add := func(kind panelKind) *panel {
		p := &panel{app: a, kind: kind}
		d.panels = append(d.panels, p)
		return p
	}
	d.latency, d.errors = add(latencyKind()), add(errorsKind())
	d.chart, d.slowest = add(chartKind()), add(slowestKind())
	d.volume, d.regions, d.freshness = add(volumeKind()), add(regionsKind()), add(freshnessKind())
	return d
}

// asked is the question that all panels answer.
func (d *dashboard) asked() sql.Range {
	r := d.view.Range
	r.Service = d.service
	return r
}

// tick asks what has moved.
func (d *dashboard) tick() tea.Cmd {
	if d.paused {
		return nil
	}
	cmds := []tea.Cmd{d.follow(panelEvery)}
	if d.filled() {
		for _, p := range d.panels {
			cmds = append(cmds, p.refresh(d.asked(), d.mark(), panelEvery))
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
	cmds := []tea.Cmd{d.follow(every)}
	if d.filled() {
		cmds = append(cmds, d.errors.refresh(d.asked(), d.mark(), every))
	}
	return tea.Batch(cmds...)
}

// answered is called when a panel has its answer: the extent may have filled the lake, the range may have moved meanwhile.
func (d *dashboard) answered(p *panel) tea.Cmd {
	if p != d.extentOf {
		if p.asked != d.asked() && d.app.current == dashScreen {
			return p.refresh(d.asked(), d.mark(), panelEvery)
		}
		return nil
	}
	if e, ok := p.data.(sql.Extent); ok {
		first := !d.filled() && e.Events > 0
		d.extent, d.known = e, true
		d.resolve()
		if first {
			return d.app.here().tick()
		}
	}
	return nil
}

// ranged is called when the range is another one.
func (d *dashboard) ranged() tea.Cmd {
	if d.paused {
		var cmds []tea.Cmd
		for _, p := range d.panels {
			cmds = append(cmds, p.refresh(d.asked(), d.mark(), 0))
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
	d.resolve()
	return d.ranged()
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

// drawRange writes the time range and the service into the crumbs' line.
func (d *dashboard) drawRange(c *cell.Canvas, r cell.Rect) {
	narrowed := ""
	if d.service != "" {
		narrowed = "  service " + d.service
	}
	d.window.drawRange(c, r, narrowed)
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
