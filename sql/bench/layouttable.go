package bench

import (
	"fmt"
	"slices"
	"strings"
)

// axisRows is one axis as a table under its header: what was written, what a question reads of it, and how long that takes.
func axisRows(l *Layouts, a *Axis, changes []Change) [][]string {
	base := l.Find(a.BaseOf(l))
	if base == nil {
		return nil
	}
	cold := len(base.Cold.Samples) > 0
	table := [][]string{{a.Title, "files", "bytes", "footers", "read", "bytes read", "best ms", "median ms", "x"}}
	if cold {
		table[0] = append(table[0], "cold best", "cold median", "x")
	}
	if len(changes) > 0 {
		table[0] = append(table[0], "beside the base since the last run")
	}
	for _, p := range a.Points {
		v := l.Find(p.Variant)
		if v == nil {
			continue
		}
		title := p.Title
		if !v.Same {
			title += " (OTHER ANSWERS)"
		}
		row := []string{title, count(int64(v.Files)), size(v.Bytes), size(v.Footers), few(v.Read), size(v.ReadBytes), millis(v.Warm.Best), millis(v.Warm.Median), against(v, base, false)}
		if cold {
			row = append(row, millis(v.Cold.Best), millis(v.Cold.Median), against(v, base, true))
		}
		if len(changes) > 0 {
			row = append(row, changeOf(changes, &Rung{Name: v.Name}))
		}
		table = append(table, row)
	}
	return table
}

// BaseOf is the variant that the others of an axis are held against: the report's, or its last point where that is not on it.
func (a *Axis) BaseOf(l *Layouts) string {
	if slices.ContainsFunc(a.Points, func(p Point) bool { return p.Variant == l.Base }) || len(a.Points) == 0 {
		return l.Base
	}
	return a.Points[len(a.Points)-1].Variant
}

func against(v, base *Variant, cold bool) string {
	if v == base {
		return "1"
	}
	return v.timing(cold).Against(base.timing(cold)).interval()
}

// clientRows are the clients that asked at once.
func clientRows(l *Layouts) [][]string {
	if len(l.Clients) == 0 {
		return nil
	}
	table := [][]string{{"at once", "clients", "best/s", "median/s", "x of one", "median ms", "worst ms"}}
	for i := range l.Clients {
		c := &l.Clients[i]
		title, times := c.Variant, "1"
		if v := l.Find(c.Variant); v != nil {
			title = v.Title
		}
		if one := l.ClientsOf(c.Variant, 1); one != nil && one != c && one.PerSecond > 0 {
			times = digits(c.PerSecond/one.PerSecond) + "x"
		}
		table = append(table, []string{title, count(int64(c.Clients)), digits(c.Best), digits(c.PerSecond), times, millis(c.Median), millis(c.Worst)})
	}
	return table
}

// layoutGroups are the columns of an axis that stay together where its table is too wide for a terminal: how many columns each has.
var layoutGroups = [...]int{5, 3, 3, 1}

// split breaks the table of an axis into several that are at most so wide where it can; 0 leaves it whole.
func split(table [][]string, width int) [][][]string {
	if width <= 0 || tableWidth(table) <= width {
		return [][][]string{table}
	}
	cut := func(from, to int) [][]string {
		var part [][]string
		for _, row := range table {
			part = append(part, append(row[:1:1], row[from:to]...))
		}
		return part
	}
	var parts [][][]string
	from, at := 1, 1
	for _, n := range layoutGroups {
		next := min(at+n, len(table[0]))
		if at > from && tableWidth(cut(from, next)) > width {
			parts = append(parts, cut(from, at))
			from = at
		}
		at = next
	}
	return append(parts, cut(from, at))
}

// LayoutText is the report as a text: an axis at a time, the clients, and the findings. previous may be nil. columns is how wide a terminal is, for the
// tables; 0: as wide as they come.
func LayoutText(l *Layouts, previous *Layouts, columns int) string {
	var b strings.Builder
	var changes []Change
	if previous != nil {
		changes = CompareLayouts(l, previous)
	}
	fmt.Fprintf(&b, "%s\n%s\n", layoutLine(l), layoutRounds(l))
	for i := range l.Axes {
		table := axisRows(l, &l.Axes[i], changes)
		if table == nil {
			continue
		}
		for _, part := range split(table, columns) {
			b.WriteString("\n")
			aligned(&b, part)
		}
	}
	if table := clientRows(l); table != nil {
		b.WriteString("\n")
		aligned(&b, table)
	}
	b.WriteString("\n")
	for _, sentence := range LayoutFindings(l) {
		b.WriteString("- " + sentence + "\n")
	}
	return b.String()
}

func layoutLine(l *Layouts) string {
	return fmt.Sprintf("%s events of %s and %s, written in %s (seed %d; %s)", count(l.Data.Events), plural(l.Data.Services, "service"), plural(l.Data.Days, "day"),
		plural(len(l.Variants), "way"), l.Data.Seed, l.Data.Distribution)
}

func layoutRounds(l *Layouts) string {
	return fmt.Sprintf("p95 of one service on one day: %d of %d pairs, %d rounds, %d questions to each way; %s, %s", l.Data.Pairs, l.Data.PairsTotal, l.Rounds, l.Rounds*l.Data.Pairs,
		l.Machine.Engine, plural(l.Machine.Threads, "thread"))
}

const layoutSuite = "Layouts"

// LayoutSections explain the benchmark of layouts and show the newest report on each size in the history (newest first).
func LayoutSections(history []Layouts) []Section {
	if len(history) == 0 {
		return nil
	}
	sections := []Section{{layoutSuite, `Where the time goes: the same events written in several ways, one thing changed at a time, and one question asked of each pair of service and day in turn.

` + "```sql\n" + history[0].Question + "\n```\n" + `
All ways but the lake's own files were written by one writer, DuckDB's COPY on one thread. Each is asked by a list of the files that can hold the pair, with what condition their
names leave: no pattern is searched, no key is read from a path. A sample is a question, from the text to the answer. "x" is the ratio of medians to the way that the table
changes one thing of, with the interval that holds it with 95 %. "read" and "bytes read" are the mean over the pairs: files, footers and needed column chunks, without row
groups that the statistics rule out. Warm, DuckDB keeps what it has read; cold, it keeps nothing, and the pages of the files were dropped before each question.
`}}
	for i := range history {
		l := &history[i]
		heading := layoutSuite + ", " + count(l.Data.Events) + " events"
		if !slices.ContainsFunc(sections, func(s Section) bool { return s.Heading == heading }) {
			sections = append(sections, Section{heading, layoutSection(l)})
		}
	}
	return sections
}

func layoutSection(l *Layouts) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\n%s. %s.\n", layoutLine(l), layoutRounds(l), measuredLine(l.At, &l.Machine))
	for i := range l.Axes {
		if table := axisRows(l, &l.Axes[i], nil); table != nil {
			b.WriteString("\n### " + l.Axes[i].Title + "\n")
			piped(&b, table)
		}
	}
	if table := clientRows(l); table != nil {
		b.WriteString("\n### clients at once (warm)\n")
		piped(&b, table)
	}
	b.WriteString("\n### findings\n")
	for _, sentence := range LayoutFindings(l) {
		b.WriteString("* " + sentence + "\n")
	}
	return b.String()
}
