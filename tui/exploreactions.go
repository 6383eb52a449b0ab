package tui

import (
	"fmt"
	"math"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
)

// statementRows is the LIMIT of the statement that s shows.
const statementRows = 500

func exploreActions() []action {
	noRow := func(a *App) string {
		if a.current == exploreScreen && a.explore.list.current() == nil {
			return "there is no event"
		}
		return ""
	}
	on := func(f func(p *explorePage) tea.Cmd) func(a *App) tea.Cmd {
		return func(a *App) tea.Cmd { return f(a.explore) }
	}
	seek := func(newer bool) func(a *App) tea.Cmd {
		return func(a *App) tea.Cmd { return a.explore.seek(errorTarget, newer) }
	}
	slow := func(newer bool) func(a *App) tea.Cmd {
		return func(a *App) tea.Cmd { return a.explore.seekSlow(newer) }
	}
	const here = onExplore | onFacets
	return []action{
		{"record", "the event at hand with every field; from there to the same request everywhere", []string{"enter"}, onExplore, true, noRow, on((*explorePage).openRecord)},
		{"toggle", "ask for the value at hand, or no longer", []string{"space", "enter"}, onFacets, true, nil, on((*explorePage).toggleFacet)},
		{"exclude", "exclude the value at hand, or no longer", []string{"!"}, onFacets, true, nil, on((*explorePage).excludeFacet)},
		{"filter", "type a filter: " + filterHint, []string{"/"}, here, true, nil, on((*explorePage).edit)},
		{"values", "the most frequent values of each field, and back", []string{"f"}, here, true, nil, on((*explorePage).focusFacets)},
		{"next error", "down to the next event with 5xx or an error's level", []string{"e"}, onExplore, true, noRow, seek(false)},
		{"error before", "up to the error before", []string{"E"}, onExplore, false, noRow, seek(true)},
		{"next slow", "down to the next request as slow as the p95 of what is shown", []string{"w"}, onExplore, true, noRow, slow(false)},
		{"slow before", "up to the slow request before", []string{"W"}, onExplore, false, noRow, slow(true)},
		{"newest", "to the newest event; asks again what was stopped", []string{"g", "home"}, onExplore, false, nil, on((*explorePage).top)},
		{"oldest", "to the oldest event of the range", []string{"G", "end"}, onExplore, false, nil, on((*explorePage).bottom)},
		{"back", "back to what was looked at before: filter, range and row", []string{"["}, here, false, nil, func(a *App) tea.Cmd { return a.explore.step(-1) }},
		{"forward", "forward again", []string{"]"}, here, false, nil, func(a *App) tea.Cmd { return a.explore.step(1) }},
		{"SQL", "the SQL behind the list, ready to run", []string{"s"}, here, true, nil, func(a *App) tea.Cmd {
			return a.sql.openWith(a.explore.slice().Statement(statementRows), false)
		}},
		{"pause", "pause or resume; data keeps arriving and is counted", []string{"space"}, onExplore, true, nil, (*App).pause},
		{"apply", "let the filter take effect and leave the line", []string{"enter"}, inFilter, true, nil, nil},
		{"leave", "leave the line; what took effect last stays", []string{"esc"}, inFilter, true, nil, (*App).escape},
	}
}

// key takes what no action took: moving.
func (p *explorePage) key(k tea.KeyPressMsg) tea.Cmd {
	if p.field.editing {
		return p.fieldKey(k)
	}
	name := k.String()
	if name == "tab" || name == "shift+tab" {
		return p.focusFacets()
	}
	step := map[string]int{"up": -1, "k": -1, "down": 1, "j": 1}[name]
	page := p.list.page
	if p.side.focused {
		page = p.side.page
	}
	switch name {
	case "pgup", "ctrl+u":
		step = -max(1, page-1)
	case "pgdown", "ctrl+d":
		step = max(1, page-1)
	}
	if !p.side.focused {
		if name == "left" || name == "h" {
			return p.focusFacets()
		}
		if step != 0 {
			return p.move(step)
		}
		return nil
	}
	switch name {
	case "right", "l":
		return p.focusFacets()
	case "g", "home":
		step = -1 << 20
	case "G", "end":
		step = 1 << 20
	}
	if step != 0 {
		p.moveFacet(step)
	}
	return nil
}

// wheel scrolls what is under the mouse. The next page is asked for at the next tick.
func (p *explorePage) wheel(x, y, n int) {
	side, _, list := p.layout(p.body())
	switch {
	case side.Contains(x, y) || p.side.focused && !p.wide():
		p.moveFacet(n)
	case list.Contains(x, y):
		l := &p.list
		l.cursor = max(0, min(l.cursor+n, len(l.rows)-1))
	}
}

// zoneRows lets a click go to a row and a double click open it.
func (p *explorePage) zoneRows(r cell.Rect) {
	p.app.rowZone(r, func(_, dy int) tea.Cmd {
		p.side.focused = false
		if p.field.editing {
			return p.leaveField()
		}
		if at := p.list.top + dy; at < len(p.list.rows) {
			return p.move(at - p.list.cursor)
		}
		return nil
	})
}

func (p *explorePage) copies() []copyItem {
	items := []copyItem{{"s", "the statement", p.slice().Statement(statementRows)}}
	if text := p.query.String(); text != "" {
		items = append(items, copyItem{"f", "the filter", text})
	}
	if row := p.list.current(); row != nil {
		items = append([]copyItem{{"r", "the row, tab-separated (the whole event: Enter, then y)", rowText(row)}}, items...)
	}
	return items
}

// rowText is a row with tabs between its parts.
func rowText(r *sql.Row) string {
	status, latency := "", ""
	if r.Status > 0 {
		status = fmt.Sprint(r.Status)
	}
	if !math.IsNaN(r.LatencyMS) {
		latency = float(r.LatencyMS)
	}
	parts := []string{instant(r.Timestamp), r.Service, r.Method, r.Endpoint, status, latency, r.Region, r.RequestID, r.Message}
	for i := range parts {
		parts[i] = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ").Replace(parts[i])
	}
	return strings.Join(parts, "\t")
}
