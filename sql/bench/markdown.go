package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Markdown is docs/BENCHMARKS.md: a section for each size of scratch lake, smallest first, of the newest report on it in the history (newest
// first); the newest report of all has one even if it asked a lake at hand. Sections of the older page on sizes that the history does not know stay as
// they are: it may have been written elsewhere.
func Markdown(history []Report, older string) string {
	if len(history) == 0 {
		return older
	}
	sections := oldSections(older)
	for _, r := range newestBySize(history) {
		heading := heading(r)
		sections = slices.DeleteFunc(sections, func(s pageSection) bool { return s.heading == heading })
		sections = append(sections, pageSection{heading: heading, events: r.Data.Events, text: section(r)})
	}
	slices.SortStableFunc(sections, func(a, b pageSection) int { return cmp.Compare(a.events, b.events) })
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
	for _, s := range sections {
		b.WriteString("\n## " + s.heading + "\n" + s.text)
	}
	return b.String()
}

// pageSection is what stands below one heading of the page.
type pageSection struct {
	heading string // without its marks
	events  int64  // that it begins with
	text    string // without the heading, with its last newline
}

// heading names a report's section.
func heading(r *Report) string {
	if r.Data.Scratch {
		return count(r.Data.Events) + " events"
	}
	return count(r.Data.Events) + " events of a lake at hand"
}

// oldSections takes a page apart.
func oldSections(page string) []pageSection {
	var sections []pageSection
	parts := strings.Split(page, "\n## ")
	for _, part := range parts[1:] {
		title, text, _ := strings.Cut(part, "\n")
		size, _, _ := strings.Cut(title, " ")
		events, err := strconv.ParseInt(strings.ReplaceAll(size, ",", ""), 10, 64)
		if err == nil { // else it is none of ours
			sections = append(sections, pageSection{title, events, strings.TrimRight(text, "\n") + "\n"})
		}
	}
	return sections
}

// newestBySize picks the reports of the page.
func newestBySize(history []Report) []*Report {
	var picked []*Report
	for i := range history {
		r := &history[i]
		known := slices.ContainsFunc(picked, func(p *Report) bool { return heading(p) == heading(r) })
		if !known && (i == 0 || r.Data.Scratch) {
			picked = append(picked, r)
		}
	}
	return picked
}

func section(r *Report) string {
	var b strings.Builder
	m := &r.Machine
	fmt.Fprintf(&b, "%s.\n\n%s. Measured on %s on %s, %s, %s of memory; %s, %s.\n", dataLine(r), roundsLine(r), r.At.UTC().Format("2006-01-02"), m.CPU, plural(m.Cores, "core"), size(m.Memory), m.OS, m.Go)
	for _, cold := range []bool{false, true} {
		if table := rows(r, cold, nil); table != nil {
			fmt.Fprintf(&b, "\n### %s\n", temperature(cold))
			piped(&b, table)
		}
	}
	if table := probeRows(r); table != nil {
		b.WriteString("\n### parts of the way, timed alone (warm)\n")
		piped(&b, table)
	}
	b.WriteString("\n### findings\n")
	for _, sentence := range Findings(r) {
		b.WriteString("* " + sentence + "\n")
	}
	return b.String()
}
