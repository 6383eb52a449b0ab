package tui

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/filter"
)

// cappedName is what the minute tables call the endpoints beyond those that they keep apart: no value of a column.
const cappedName = "(other)"

// drill goes from a number of the dashboard to its events, in the dashboard's range. Terms that are "" do not narrow.
func (a *App) drill(place string, terms ...string) tea.Cmd {
	terms = append([]string{termOf("service_name", a.dash.service)}, terms...)
	var kept []string
	for _, t := range terms {
		if t != "" && (len(kept) == 0 || kept[len(kept)-1] != t) {
			kept = append(kept, t)
		}
	}
	cmd := a.explore.enter(strings.Join(kept, " "), place, a.window.span, false)
	return tea.Batch(cmd, a.open(exploreScreen))
}

// termOf is the term for a value that a panel shows; "" for what is no value.
func termOf(column, value string) string {
	if value == "" || value == cappedName {
		return ""
	}
	return filter.Term(column, value)
}

// slowTerm keeps requests at least as slow as a panel's p95. The panels' quantiles are a sketch's, so the term is one in round numbers below it.
func slowTerm(q sql.Quantiles) string {
	if !(q.P95 > 0) {
		return ""
	}
	digits := 0
	if q.P95 < 10 {
		digits = 1
	}
	return "latency>=" + strconv.FormatFloat(q.P95*0.99, 'f', digits, 64) + "ms"
}
