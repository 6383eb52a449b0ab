package tui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/filter"
	"github.com/signallake/signallake/tui/cell"
)

// explorePage is screen 2: the events themselves, the newest first, under a filter; how many there are over time, and their most frequent values.
type explorePage struct {
	app    *App
	looks  []look // where the user was, for [ and ]
	at     int    // the one at hand
	rooms  int    // that were entered
	query  *filter.Query
	field  filterField
	list   eventList
	counts part[sql.Counts]
	facets part[sql.Facets]
	slow   part[slow]
	side   facetList

	histogram cell.Rect // of its columns when last drawn
}

// look is what the user looked at.
type look struct {
	filter string
	span   timeRange
	base   string       // the filter that it was entered with: Esc drops what was added, then goes back
	place  string       // what it is called in the crumbs
	room   int          // looks of one room were made from each other; entering one begins a new room
	inside bool         // the room was entered from another one of this screen
	seen   sql.Position // the row at the cursor when it was left
}

// keptLooks is how many steps [ goes back.
const keptLooks = 50

// The shortest time between two askings of what moves by itself.
const (
	countsEvery = 2 * time.Second
	facetsEvery = 5 * time.Second
)

// facetValues is how many values of a field are asked for.
const facetValues = 30

func newExplore(a *App) *explorePage {
	p := &explorePage{app: a, looks: make([]look, 1), query: &filter.Query{}}
	p.list.app, p.list.more.app, p.counts.app, p.facets.app, p.slow.app = a, a, a, a, a
	return p
}

// now is the look at hand.
func (p *explorePage) now() *look { return &p.looks[p.at] }

// subject is what all parts answer.
func (p *explorePage) subject() subject {
	return subject{filter: p.query.String(), span: p.app.window.span, view: p.app.window.view, mark: p.app.window.mark()}
}

// slice is the same for the engine.
func (p *explorePage) slice() sql.Slice {
	v := p.app.window.view
	return sql.Slice{From: v.From, To: v.To, Where: p.query.SQL()}
}

// tick asks what has moved: the list first, since the user reads it; then how many and which values.
func (p *explorePage) tick() tea.Cmd {
	w := p.app.window
	cmds := []tea.Cmd{w.follow(panelEvery)}
	if !w.filled() {
		return tea.Batch(cmds...)
	}
	p.now().span = w.span
	s := p.subject()
	l := &p.list
	anew := l.data == nil || l.err != nil || !l.of.same(s)
	if (anew || l.follows() && !l.more.flying) && l.due(s, liveWait) { // while e looks for an error the rows stay
		cmds = append(cmds, p.newest())
	}
	if p.list.of.same(s) && p.list.data != nil {
		cmds = append(cmds, p.counts.refresh(s, p.countsEvery(), p.readCounts()), p.facets.refresh(s, facetsEvery, p.readFacets()))
	}
	return tea.Batch(append(cmds, p.extend())...)
}

// byMinutes tells whether the minute tables can count what is looked at, and of which service.
func (p *explorePage) byMinutes() (service string, ok bool) {
	if p.query.String() == "" {
		return "", true
	}
	return p.query.Only("service_name")
}

func (p *explorePage) countsEvery() time.Duration {
	if _, ok := p.byMinutes(); ok {
		return panelEvery
	}
	return countsEvery
}

// readCounts counts by slot: from the minute tables where they can tell, else from the events.
func (p *explorePage) readCounts() func(ctx context.Context) (*sql.Counts, error) {
	engine, panels, slice, r := p.app.cfg.Engine, p.app.cfg.Panels, p.slice(), p.app.window.view.Range
	service, ok := p.byMinutes()
	if !ok {
		return func(ctx context.Context) (*sql.Counts, error) { return sql.ReadCounts(ctx, engine, slice, r.Slots) }
	}
	r.Service = service
	return func(ctx context.Context) (*sql.Counts, error) {
		v, err := panels.Volume(ctx, r)
		if err != nil {
			return nil, err
		}
		out := &sql.Counts{Events: v.Events, Slots: v.Slots, Counts: v.Counts, Failed: v.Failed}
		for _, n := range v.Failed {
			out.Errors += int64(n)
		}
		return out, nil
	}
}

func (p *explorePage) readFacets() func(ctx context.Context) (*sql.Facets, error) {
	engine := p.app.cfg.Engine
	r := sql.FacetRequest{Slice: p.slice(), Limit: facetValues, Own: map[string]string{}}
	for _, column := range sql.FacetFields {
		if own := p.query.SQLWithout(column); own != r.Where {
			r.Own[column] = own
		}
	}
	return func(ctx context.Context) (*sql.Facets, error) { return sql.ReadFacets(ctx, engine, r) }
}

// ranged is called when the range is another one: a new look with the same filter.
func (p *explorePage) ranged() tea.Cmd {
	if p.now().span != p.app.window.span {
		next := *p.now()
		next.span = p.app.window.span
		p.push(next)
	}
	return p.tick()
}

// push leaves the look at hand for another one; what lay ahead is forgotten.
func (p *explorePage) push(next look) {
	p.now().seen = sql.Position{}
	if !p.list.follows() {
		p.now().seen = p.list.position()
	}
	next.seen = sql.Position{}
	p.looks = append(p.looks[:p.at+1], next)
	if extra := len(p.looks) - keptLooks; extra > 0 {
		p.looks = slices.Delete(p.looks, 0, extra)
	}
	p.at = len(p.looks) - 1
}

// show asks for the look at hand.
func (p *explorePage) show() tea.Cmd {
	l := p.now()
	query, err := filter.Parse(l.filter)
	if err != nil { // it was read before it became a look
		query = &filter.Query{}
	}
	p.query = query
	p.field.set(l.filter)
	if p.app.window.span != l.span {
		p.app.window.span = l.span
		p.app.window.resolve()
	}
	if l.seen != (sql.Position{}) {
		return p.goTo(l.seen)
	}
	return p.tick()
}

// restore takes up the filter of the last run, unless there is one already; one that is none any more is forgotten.
func (p *explorePage) restore(text string) {
	if query, err := filter.Parse(text); err == nil && len(p.looks) == 1 && p.query.String() == "" {
		p.query, p.now().filter = query, query.String()
	}
}

// look goes to a filter: a new look, from which [ comes back.
func (p *explorePage) look(text string) tea.Cmd {
	if _, err := filter.Parse(text); err != nil {
		p.app.say("this cannot be a filter: " + err.Error())
		return nil
	}
	if text == p.now().filter {
		return p.show()
	}
	next := *p.now()
	next.filter = text
	p.push(next)
	return p.show()
}

// enter goes to a look that Esc leads out of again.
func (p *explorePage) enter(text, place string, span timeRange, inside bool) tea.Cmd {
	if _, err := filter.Parse(text); err != nil {
		p.app.say("this cannot be a filter: " + err.Error())
		return nil
	}
	p.rooms++
	p.push(look{filter: text, base: text, place: place, span: span, inside: inside, room: p.rooms})
	p.side.focused = false
	return p.show()
}

// step goes through the looks: back with -1.
func (p *explorePage) step(n int) tea.Cmd {
	switch to := p.at + n; {
	case to < 0:
		p.app.say("this is where you began")
	case to >= len(p.looks):
		p.app.say("there is nothing ahead")
	default:
		return p.goLook(to)
	}
	return nil
}

// outside is the look that the room at hand was entered from; -1 when it is forgotten.
func (p *explorePage) outside() int {
	to := p.at
	for to >= 0 && p.looks[to].room == p.now().room {
		to--
	}
	return to
}

func (p *explorePage) goLook(to int) tea.Cmd {
	if p.now().seen = (sql.Position{}); !p.list.follows() {
		p.now().seen = p.list.position()
	}
	p.at = to
	return p.show()
}

// stop ends the questions in flight, and tells whether there was one.
func (p *explorePage) stop() bool {
	stopped := false
	for _, one := range []interface{ stop() bool }{&p.list.part, &p.counts, &p.facets, &p.slow} {
		stopped = one.stop() || stopped
	}
	p.list.more.next = nil
	return p.list.more.drop() || stopped
}

// escape goes one step up: out of the field and the values, then what was added to the filter goes, then back to where this was entered from.
func (p *explorePage) escape() (tea.Cmd, bool) {
	switch base := p.base(); {
	case p.field.editing:
		return p.leaveField(), true
	case p.side.focused:
		p.side.focused = false
	case p.query.String() != "" && p.query.String() != base:
		if shorter := p.query.DropLast(); len(shorter) >= len(base) {
			return p.look(shorter), true
		}
		return p.look(base), true
	case p.now().inside && p.outside() >= 0:
		return p.goLook(p.outside()), true
	default:
		return nil, false
	}
	return nil, true
}

// base is the filter below which Esc does not go, since it leads out of this look.
func (p *explorePage) base() string {
	if p.now().inside || len(p.app.back) > 0 {
		return p.now().base
	}
	return ""
}

func (p *explorePage) places() place {
	switch {
	case p.field.editing:
		return inFilter
	case p.side.focused:
		return onFacets
	}
	return onExplore
}

func (p *explorePage) typing() bool { return p.field.editing }

func (p *explorePage) crumbs() []string {
	var list []string
	if n := len(p.app.back); n > 0 && p.app.back[n-1] == dashScreen {
		list = append(list, "Dashboard")
	}
	list = append(list, "Explore")
	if p.now().place != "" {
		list = append(list, p.now().place)
	}
	return list
}
