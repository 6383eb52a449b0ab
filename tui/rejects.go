package tui

import (
	"fmt"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui/cell"
)

// rejectGroup is the rejects of one field and reason.
type rejectGroup struct {
	n      int
	newest ingest.Reject
}

// groups counts the newest rejects by field and kind of reason, in the order of their newest.
func (g *ingestPage) groups() []rejectGroup {
	var list []rejectGroup
	at := map[[2]string]int{}
	for _, r := range g.app.api.Rejects {
		key := [2]string{r.Field, lake.ReasonKind(r.Reason)}
		i, ok := at[key]
		if !ok {
			i = len(list)
			at[key] = i
			list = append(list, rejectGroup{newest: r})
		}
		list[i].n++
	}
	return list
}

func fieldReason(r ingest.Reject) string { return reasonOf(r.Field, r.Reason) }

// reasonOf is a reason with the field that it speaks of.
func reasonOf(field, reason string) string {
	if field == "" {
		return reason
	}
	return field + ": " + reason
}

func (g *ingestPage) drawRejects(c *cell.Canvas, r cell.Rect, heavy bool) {
	groups := g.groups()
	in := g.drawTable(c, r, "rejected lines, by reason", 1, heavy)
	if text := g.deadWords(); text != "" {
		c.Text(r.X+2, r.Y+r.H-1, " "+cell.Cut(text, r.W-6)+" ", cell.Warn)
	}
	if len(groups) == 0 {
		text := "✓ the API rejected nothing since the start"
		if g.app.noAPI() != "" {
			text = "nothing is taken in here"
		}
		c.TextCut(in.X, in.Y, in.W, text, cell.Muted)
		return
	}
	c.TextCut(in.X, in.Y, in.W, cell.PadLeft("lines", 6)+"  "+cell.Pad("newest", 11)+"reason", cell.Muted|cell.Bold)
	g.eachRow(c, in, 1, func(i, y int) {
		c.TextRight(in.X+6, y, 6, count(int64(groups[i].n)), cell.Warn)
		c.Text(in.X+8, y, clock(groups[i].newest.At), cell.Muted)
		c.TextCut(in.X+19, y, in.W-19, fieldReason(groups[i].newest), cell.Text)
	})
}

// deadWords count the refused lines that are kept, and name the command that shows them.
func (g *ingestPage) deadWords() string {
	s := g.app.dead
	if s.Kept == 0 && s.Dropped == 0 {
		return ""
	}
	text := fmt.Sprintf("%s kept, %s", counted(s.Kept, "dead letter"), size(s.Bytes))
	if s.Dropped > 0 {
		text += fmt.Sprintf(", %s oldest dropped", count(s.Dropped))
	}
	return text + ": " + deadCommand
}

// deadCommand shows, mends and sends again what was refused.
const deadCommand = "signallake-tui dead"
