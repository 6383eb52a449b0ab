package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The columns of a pipeline's table, in their order. Where a window is too narrow for all, those with the highest rank go first.
var pipelineColumns = []struct {
	name string
	rank int
}{{"stage", 0}, {"events", 2}, {"ours", 0}, {"reference", 4}, {"ratio", 0}, {"goal", 0}, {"reach", 3}, {"verdict", 0}, {"since the last run", 1}}

// Amount writes a measured value with its unit: "1,240 ms", "0.87 us/event", "3 files".
func Amount(v float64, unit string) string {
	text := digits(v)
	if unit == "files" {
		text = few(v)
	}
	return strings.TrimSpace(text + " " + unit)
}

// Words is the goal as a bound: ">= 2.5x" on a ratio (unit ""), "<= 500 ms" on a value.
func (g *Goal) Words(unit string) string {
	if g == nil {
		return ""
	}
	sign, bound := "<= ", g.AtMost
	if g.AtLeast != 0 {
		sign, bound = ">= ", g.AtLeast
	}
	text := strconv.FormatFloat(bound, 'f', -1, 64)
	if bound >= 10_000 {
		text = count(int64(bound))
	}
	if unit == "" {
		return sign + text + "x"
	}
	return sign + text + " " + unit
}

// goalUnit is the unit of what the line is judged by; "" is a ratio.
func (l *Line) goalUnit() string {
	if l.Reference != nil {
		return ""
	}
	return l.Unit
}

// GoalWords is the line's goal as a bound; "" where it has none.
func (l *Line) GoalWords() string { return l.Goal.Words(l.goalUnit()) }

// ReachWords is what would be excellent, as a bound; "" where nothing is said.
func (l *Line) ReachWords() string { return l.Reach.Words(l.goalUnit()) }

// ValueWords is what the line is judged by: "3.10x", "84.0 ms"; "-" where nothing was measured.
func (l *Line) ValueWords() string {
	value, ok := l.Value()
	switch {
	case !ok:
		return "-"
	case l.Reference != nil:
		return RatioWords(value)
	}
	return Amount(value, l.Unit)
}

// pipelineRows are the lines under their header, every column in its place.
func pipelineRows(p *Pipeline, changes []Change) [][]string {
	var header []string
	for _, c := range pipelineColumns {
		header = append(header, c.name)
	}
	table := [][]string{header}
	for i := range p.Lines {
		l := &p.Lines[i]
		ours, reference, against := "-", "-", ""
		if l.Ours.Median > 0 {
			ours = Amount(l.Ours.Median, l.Unit)
		}
		if l.Reference != nil {
			if against = l.ValueWords(); l.Reference.Median > 0 {
				reference = Amount(l.Reference.Median, l.Unit)
			}
		}
		since := ""
		for _, c := range changes {
			if c.Name == l.Name && c.Events == l.Events {
				since = c.String()
			}
		}
		table = append(table, []string{l.Name, Brief(l.Events), ours, reference, against, l.GoalWords(), l.ReachWords(), l.Verdict().String(), since})
	}
	return table
}

// fitted leaves columns out until the table is at most so wide; 0 leaves in all that say something.
func fitted(table [][]string, width int) [][]string {
	kept := make([]bool, len(pipelineColumns))
	for i := range kept {
		for _, row := range table[1:] {
			kept[i] = kept[i] || row[i] != ""
		}
	}
	pick := func() [][]string {
		var picked [][]string
		for _, row := range table {
			var cells []string
			for i, cell := range row {
				if kept[i] {
					cells = append(cells, cell)
				}
			}
			picked = append(picked, cells)
		}
		return picked
	}
	for rank := 9; rank > 0 && width > 0 && tableWidth(pick()) > width; rank-- {
		for i, c := range pipelineColumns {
			kept[i] = kept[i] && c.rank != rank
		}
	}
	return pick()
}

func tableWidth(table [][]string) int {
	total := -2
	for _, w := range columnWidths(table) {
		total += w + 2
	}
	return total
}

// growthRows are how the stages grow, under their header.
func growthRows(p *Pipeline) [][]string {
	if len(p.Growth) == 0 {
		return nil
	}
	table := [][]string{{"growth", "medians", "exponent", "at most", "verdict"}}
	for i := range p.Growth {
		g := &p.Growth[i]
		var medians []string
		for j, m := range g.Medians {
			at := ""
			if j < len(g.Events) {
				at = Brief(g.Events[j]) + ": "
			}
			medians = append(medians, at+digits(m))
		}
		bound := ""
		if g.AtMost != 0 {
			bound = digits(g.AtMost)
		}
		table = append(table, []string{g.Name, strings.TrimSpace(strings.Join(medians, ", ") + " " + g.Unit), digits(g.Exponent), bound, g.Verdict().String()})
	}
	return table
}

// lineNotes are what the table has no room for: what each line measures, what it stands beside, and its notes.
func lineNotes(p *Pipeline) []string {
	var notes []string
	for i := range p.Lines {
		l := &p.Lines[i]
		text := p.Label(l) + ": " + l.Title
		if l.Against != "" {
			text += ", against " + l.Against
		}
		switch {
		case l.Same == nil:
		case *l.Same:
			text += "; equal outcomes"
		default:
			text += "; the outcomes DIFFER"
		}
		notes = append(notes, sentences(append([]string{text}, l.Notes...)))
	}
	for i := range p.Growth {
		if g := &p.Growth[i]; len(g.Notes) > 0 {
			notes = append(notes, "growth of "+g.Name+": "+sentences(g.Notes))
		}
	}
	return notes
}

// sentences are notes behind each other, each with its full stop; the first one goes on with what stands before it.
func sentences(notes []string) string {
	var said []string
	for i, note := range notes {
		if i > 0 {
			note = capital(note)
		}
		said = append(said, strings.TrimSuffix(note, ".")+".")
	}
	return strings.Join(said, " ")
}

// PipelineText is the report for a terminal of so many columns (0: as wide as it is): the table, growth, what is what, and the findings. previous
// may be nil.
func PipelineText(p, previous *Pipeline, width int) string {
	var b strings.Builder
	var changes []Change
	if previous != nil {
		changes = ComparePipelines(p, previous)
	}
	b.WriteString(pipelineLine(p) + "\n\n")
	aligned(&b, fitted(pipelineRows(p, changes), width))
	if table := growthRows(p); table != nil {
		b.WriteString("\n")
		aligned(&b, table)
	}
	for _, list := range pipelineLists(p, previous) {
		b.WriteString("\n" + list.heading + "\n")
		for _, sentence := range list.said {
			b.WriteString("- " + sentence + "\n")
		}
	}
	return b.String()
}

// pipelineLine is what was measured, in a line.
func pipelineLine(p *Pipeline) string {
	parts := []string{"pipeline, " + count(p.Events) + " events", plural(p.Rounds, "round") + " at least"}
	for _, s := range []string{p.Program, p.Machine.Engine} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return fmt.Sprintf("%s; medians, side by side with their references in one run", strings.Join(parts, ", "))
}

// list is what is said about a report under one heading.
type list struct {
	heading string
	said    []string
}

// pipelineLists are what is said beside the tables, without empty lists. previous may be nil.
func pipelineLists(p, previous *Pipeline) []list {
	lists := []list{{"what is what", lineNotes(p)}, {"kept from one round to the next", p.Cached}, {"findings", PipelineFindings(p, previous)}}
	return slices.DeleteFunc(lists, func(l list) bool { return len(l.said) == 0 })
}
