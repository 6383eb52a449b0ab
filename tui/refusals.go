package tui

import (
	"strings"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/tui/cell"
)

// refusalWords count the requests that were turned away since the API's start and not for their content, by status and kind; "" when none was.
func refusalWords(r ingest.Refusals) string {
	var parts []string
	status := func(code string, kinds ...refusals) {
		text := code
		for _, k := range kinds {
			if k.n > 0 {
				text += " " + strings.TrimSpace(k.name+" "+count(k.n))
			}
		}
		if text != code {
			parts = append(parts, text)
		}
	}
	status("429", refusals{"queue", r.Queue}, refusals{"memory", r.Memory}, refusals{"backlog", r.Backlog})
	status("413", refusals{"", r.Size})
	status("408", refusals{"", r.Slow})
	status("503", refusals{"storage", r.Storage}, refusals{"connections", r.Connections})
	status("401", refusals{"", r.Stranger})
	return strings.Join(parts, " · ")
}

// refusals are so many requests of a kind.
type refusals struct {
	name string
	n    int64
}

// refusedWords say how much was refused, for whoever wonders where the events are; "" when nothing was.
func (a *App) refusedWords() string {
	r := a.api.Refused
	requests := r.Queue + r.Memory + r.Backlog + r.Size + r.Slow + r.Storage + r.Connections + r.Stranger
	switch {
	case a.dead.Kept > 0:
		return were(a.dead.Kept, "line") + " refused and kept as dead letters"
	case a.api.Rejected > 0:
		return were(a.api.Rejected, "line") + " refused"
	case requests > 0:
		return were(requests, "request") + " refused"
	case a.api.Trouble != "":
		return "the API takes no events now"
	}
	return ""
}

func were(n int64, name string) string {
	if n == 1 {
		return counted(n, name) + " was"
	}
	return counted(n, name) + " were"
}

// buried is how many dead letters there have been in the zone.
func (g *ingestPage) buried() int64 { return g.app.dead.Kept + g.app.dead.Dropped }

// looked notes that the user has seen the dead letters.
func (g *ingestPage) looked() { g.seen, g.news = g.buried(), false }

// notice marks the screen's tab when there are more dead letters than were seen. Fewer were discarded or sent again, here or elsewhere.
func (g *ingestPage) notice() {
	if n := g.buried(); g.app.current == ingestScreen || n < g.seen {
		g.looked()
	} else if n > g.seen {
		g.news = true
	}
}

// troubleLines is the most lines that the reason of a failure takes.
const troubleLines = 3

// troubleWords are why the API takes no events, in a few lines of w columns; none when it does.
func (g *ingestPage) troubleWords(w int) []string {
	if g.app.api.Trouble == "" {
		return nil
	}
	lines := cell.Wrap(g.app.api.Trouble, w)
	if len(lines) > troubleLines {
		lines = lines[:troubleLines]
		lines[troubleLines-1] = cell.Cut(lines[troubleLines-1]+" …", w)
	}
	return lines
}
