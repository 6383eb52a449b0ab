package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
)

// facetList is the cursor over the values beside the list.
type facetList struct {
	focused     bool
	cursor, top int
	page        int
}

// facetRow is a line of the values: a heading, or a value of a field.
type facetRow struct {
	column, value string
	events        int64
	head          bool
}

// facetNames are the headings of sql.FacetFields.
var facetNames = [len(sql.FacetFields)]string{"status", "service", "level", "path", "region", "method"}

// shownValues is how many values of a field stand in the list; a field with a value that is asked for shows them all.
const shownValues = 8

// rows are the lines of the values.
func (p *explorePage) facetRows() []facetRow {
	var rows []facetRow
	if p.facets.data == nil {
		return nil
	}
	for i, list := range p.facets.data.Lists {
		column := sql.FacetFields[i]
		if len(list) == 0 || len(list) == 1 && list[0].Value == "" {
			continue
		}
		rows = append(rows, facetRow{column: column, value: facetNames[i], head: true})
		if column == "status_code" {
			list = worstFirst(list)
		}
		for j, v := range list {
			if asked, excluded := p.query.Lists(column, v.Value); j >= shownValues && !asked && !excluded {
				continue
			}
			rows = append(rows, facetRow{column: column, value: v.Value, events: v.Events})
		}
	}
	return rows
}

// worstFirst orders status codes by their class, 5xx before 4xx, and keeps the order of frequency within one.
func worstFirst(list []sql.FacetValue) []sql.FacetValue {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b sql.FacetValue) int {
		return strings.Compare(b.Value[:min(1, len(b.Value))], a.Value[:min(1, len(a.Value))])
	})
	return list
}

// moveFacet steps the cursor over headings.
func (p *explorePage) moveFacet(n int) {
	rows := p.facetRows()
	if len(rows) == 0 {
		return
	}
	step := 1
	if n < 0 {
		step = -1
	}
	at := max(0, min(p.side.cursor+n, len(rows)-1))
	for at >= 0 && at < len(rows) && rows[at].head {
		at += step
	}
	if at < 0 { // the first line is a heading
		at, p.side.top = 1, 0
	}
	p.side.cursor = min(at, len(rows)-1)
}

// facet is the value at the cursor; nil when there is none.
func (p *explorePage) facet() *facetRow {
	rows := p.facetRows()
	if p.side.cursor >= len(rows) || rows[p.side.cursor].head {
		return nil
	}
	return &rows[p.side.cursor]
}

// focusFacets goes to the values, or back to the list.
func (p *explorePage) focusFacets() tea.Cmd {
	if p.side.focused = !p.side.focused; p.side.focused {
		p.moveFacet(0)
	}
	return nil
}

// toggleFacet asks for the value at the cursor, or no longer.
func (p *explorePage) toggleFacet() tea.Cmd {
	if f := p.facet(); f != nil {
		return p.look(p.query.Toggle(f.column, f.value))
	}
	return nil
}

// excludeFacet excludes the value at the cursor, or no longer.
func (p *explorePage) excludeFacet() tea.Cmd {
	f := p.facet()
	if f == nil {
		return nil
	}
	if _, excluded := p.query.Lists(f.column, f.value); excluded {
		return p.look(p.query.Toggle(f.column, f.value))
	}
	return p.look(p.query.Exclude(f.column, f.value))
}

func (p *explorePage) drawFacets(c *cell.Canvas, r cell.Rect) {
	focused := p.side.focused
	title := "values"
	if focused {
		title = "▸ " + title
	}
	c.Box(r, title, focused, p.app.theme.Colourless())
	in := cell.Rect{X: r.X + 1, Y: r.Y + 1, W: r.W - 2, H: r.H - 2}
	old := c.Clip(in)
	defer c.Restore(old)
	n := &p.facets
	switch {
	case n.err != nil:
		drawWords(c, cell.Rect{X: in.X + 1, Y: in.Y, W: in.W - 2, H: in.H}, "× "+n.err.Error(), cell.Bad)
		return
	case n.data == nil:
		c.Text(in.X+1, in.Y, cell.Spinner(p.app.ticks)+" counting", cell.Muted)
		return
	}
	rows := p.facetRows()
	s := &p.side
	s.page = in.H
	s.cursor = max(0, min(s.cursor, len(rows)-1))
	s.top = max(0, min(max(s.top, s.cursor-in.H+1), max(0, s.cursor-1)))
	s.top = max(0, min(s.top, len(rows)-in.H))
	for i := range min(in.H, len(rows)-s.top) {
		p.drawFacet(c, cell.Rect{X: in.X, Y: in.Y + i, W: in.W, H: 1}, &rows[s.top+i])
		if s.top+i == s.cursor && focused && !rows[s.top+i].head {
			c.Text(in.X, in.Y+i, "▸", cell.Accent)
			c.Paint(cell.Rect{X: in.X, Y: in.Y + i, W: in.W, H: 1}, cell.Selected)
		}
	}
	if n.old(p.subject()) {
		c.Dim(in)
	}
	p.app.rowZone(in, func(_, dy int) tea.Cmd {
		s.focused = true
		if at := s.top + dy; at < len(rows) && !rows[at].head {
			s.cursor = at
		}
		return nil
	})
}

// drawFacet draws a line; ■ is asked for, ! is excluded.
func (p *explorePage) drawFacet(c *cell.Canvas, r cell.Rect, f *facetRow) {
	if f.head {
		c.TextCut(r.X+1, r.Y, r.W-1, f.value, cell.Muted|cell.Bold)
		return
	}
	mark, style := " ", cell.Text
	switch asked, excluded := p.query.Lists(f.column, f.value); {
	case asked:
		mark, style = "■", cell.Accent|cell.Bold
	case excluded:
		mark, style = "!", cell.Warn
	}
	name := f.value
	if strings.TrimSpace(name) == "" || f.column == "status_code" && name == "0" {
		name = none
	}
	number := short(float64(f.events))
	c.Text(r.X+1, r.Y, mark, style)
	c.TextCut(r.X+3, r.Y, r.W-4-cell.Width(number)-1, name, style)
	c.TextRight(r.X+r.W-1, r.Y, 7, number, cell.Muted)
}
