package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Markdown is docs/BENCHMARKS.md: of a history (newest first) the newest report on each size of scratch lake, smallest first. Only reports of the
// newest one's machine are taken: figures of two machines side by side would be read as one ladder. The newest report counts even if it asked a
// lake at hand.
func Markdown(history []Report) string {
	reports := newestBySize(history)
	if len(reports) == 0 {
		return ""
	}
	newest := &history[0]
	var b strings.Builder
	b.WriteString(`# Benchmarks

This page is written by the program, from its measurements alone; the sentences under "findings" are computed from the numbers above them. To write it
again: ` + "`make bench-docs`" + ` (1,000,000 events) or ` + "`signallake-tui bench --events 10000000 --write docs/BENCHMARKS.md`" + `; each size keeps its section.

The question, asked of each pair of service and day in turn:

` + "```sql\n" + newest.Question + "\n```\n" + `
A round asks it once of every pair and of every way, in an order that changes with each question; answers that differ in a single bit end the
benchmark. One sample is one question: text to answer, planning included. Medians are over all samples of a way. "x of one file" is the ratio of
medians, with the interval that holds it with 95 % (bootstrap over questions). Files and bytes are what the catalog's books say that one question
reads (footers and needed column chunks; of the unpartitioned file those of the row groups that the engine cannot pass over), the mean over the pairs. All
ways have the same threads, memory and settings. Warm, these are the prompt's: DuckDB keeps what it has read of a file, and its
footer, while there is memory. Cold, it keeps nothing.

`)
	machine(&b, &newest.Machine)
	for _, r := range reports {
		section(&b, r)
	}
	return b.String()
}

// newestBySize picks the reports of the page.
func newestBySize(history []Report) []*Report {
	var picked []*Report
	for i := range history {
		r := &history[i]
		known := slices.ContainsFunc(picked, func(p *Report) bool { return p.Data.Events == r.Data.Events && p.Data.Scratch == r.Data.Scratch })
		if !known && (i == 0 || r.Data.Scratch) && sameMachine(&r.Machine, &history[0].Machine) {
			picked = append(picked, r)
		}
	}
	slices.SortStableFunc(picked, func(a, b *Report) int { return cmp.Compare(a.Data.Events, b.Data.Events) })
	return picked
}

func machine(b *strings.Builder, m *Machine) {
	b.WriteString("## Machine\n")
	piped(b, [][]string{{"", ""},
		{"processor", fmt.Sprintf("%s, %s", m.CPU, plural(m.Cores, "core"))}, {"memory", size(m.Memory)}, {"system", m.OS}, {"program", m.Go + ", " + m.Engine + ", " + plural(m.Threads, "thread") + " a statement"}})
	b.WriteByte('\n')
}

func section(b *strings.Builder, r *Report) {
	fmt.Fprintf(b, "## %s events\n%s.\n\n%s. Measured on %s.\n", count(r.Data.Events), dataLine(r), roundsLine(r), r.At.UTC().Format("2006-01-02"))
	for _, cold := range []bool{false, true} {
		if table := rows(r, cold, nil); table != nil {
			fmt.Fprintf(b, "\n### %s\n", temperature(cold))
			piped(b, table)
		}
	}
	if table := probeRows(r); table != nil {
		b.WriteString("\n### parts of the way, timed alone (warm)\n")
		piped(b, table)
	}
	b.WriteString("\n### findings\n")
	for _, sentence := range Findings(r) {
		b.WriteString("* " + sentence + "\n")
	}
	b.WriteByte('\n')
}
