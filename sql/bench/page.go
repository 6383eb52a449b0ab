package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Section is what stands below one heading of docs/BENCHMARKS.md: "Ladder" explains a suite, "Ladder, 1,000,000 events" is its report on that size.
type Section struct {
	Heading string // without its marks
	Text    string // without the heading, with its last newline
}

// pageSuites are the suites in the order of the page: what headings begin with.
var pageSuites = []string{pipelineSuite, ladderSuite, layoutSuite}

const ladderSuite, pipelineSuite = "Ladder", "Pipeline"

// Page is docs/BENCHMARKS.md with these sections in the place of the older page's that have their headings. The others stay as they are: they may have
// been written elsewhere. What belongs to no suite goes.
func Page(older string, sections []Section) string {
	if len(sections) == 0 {
		return older
	}
	all := slices.Clone(sections)
	for _, old := range oldSections(older) {
		if !slices.ContainsFunc(sections, func(s Section) bool { return s.Heading == old.Heading }) {
			all = append(all, old)
		}
	}
	slices.SortStableFunc(all, func(a, b Section) int {
		suiteA, eventsA := a.place()
		suiteB, eventsB := b.place()
		return cmp.Or(cmp.Compare(suiteA, suiteB), cmp.Compare(eventsA, eventsB))
	})
	var b strings.Builder
	b.WriteString(`# Benchmarks

This page is written by the program, from its measurements alone; the sentences under "findings" are computed from the numbers above them. To write it
again: ` + "`make bench-docs`" + ` (1,000,000 events), or ` + "`signallake-tui bench --events 10000000 --write docs/BENCHMARKS.md`" + ` and the same with
` + "`bench pipeline`" + ` and ` + "`bench layout`" + `; each suite and size keeps its section.
`)
	for _, s := range all {
		b.WriteString("\n## " + s.Heading + "\n" + s.Text)
	}
	return b.String()
}

// place is where a section belongs: its suite's index, -1 when it has none, and its number of events, 0 where it explains the suite.
func (s *Section) place() (suite int, events int64) {
	name, rest, sized := strings.Cut(s.Heading, ", ")
	suite = slices.Index(pageSuites, name)
	if !sized {
		return suite, 0
	}
	number, _, _ := strings.Cut(rest, " ")
	events, err := strconv.ParseInt(strings.ReplaceAll(number, ",", ""), 10, 64)
	if err != nil {
		return -1, 0
	}
	return suite, events
}

// oldSections takes a page apart. Before there were other suites the ladder's headings were sizes alone.
func oldSections(page string) []Section {
	var sections []Section
	parts := strings.Split(page, "\n## ")
	for _, part := range parts[1:] {
		title, text, _ := strings.Cut(part, "\n")
		if title != "" && title[0] >= '0' && title[0] <= '9' {
			title = ladderSuite + ", " + title
		}
		s := Section{title, strings.TrimRight(text, "\n") + "\n"}
		if suite, _ := s.place(); suite >= 0 {
			sections = append(sections, s)
		}
	}
	return sections
}

// LadderSections explain the ladder and show the newest report on each size of scratch lake in the history (newest first); the newest report of all has
// a section even if it asked a lake at hand.
func LadderSections(history []Report) []Section {
	if len(history) == 0 {
		return nil
	}
	sections := []Section{{ladderSuite, `What pruning is worth: one question over the same events in several layouts.

The question, asked of each pair of service and day in turn:

` + "```sql\n" + history[0].Question + "\n```\n" + `
A round asks it once of every pair and of every way, in an order that changes with each question; answers that differ in a single bit end the
benchmark. One sample is one question: text to answer, planning included. Medians are over all samples of a way. "x of one file" is the ratio of
medians, with the interval that holds it with 95 % (bootstrap over questions). Files and bytes are what the catalog's books say that one question
reads (footers and needed column chunks; of the unpartitioned file those of the row groups that the engine cannot pass over), the mean over the pairs. All
ways have the same threads, memory and settings. Warm, these are the prompt's: DuckDB keeps what it has read of a file, and its
footer, while there is memory. Cold, it keeps nothing.
`}}
	for i := range history {
		r := &history[i]
		heading := heading(r)
		known := slices.ContainsFunc(sections, func(s Section) bool { return s.Heading == heading })
		if !known && (i == 0 || r.Data.Scratch) {
			sections = append(sections, Section{heading, section(r)})
		}
	}
	return sections
}

// heading names a report's section.
func heading(r *Report) string {
	text := ladderSuite + ", " + count(r.Data.Events) + " events"
	if !r.Data.Scratch {
		text += " of a lake at hand"
	}
	return text
}

func section(r *Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\n%s. %s.\n", dataLine(r), roundsLine(r), measuredLine(r.At, &r.Machine))
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

// measuredLine says when and on what a report was made.
func measuredLine(at time.Time, m *Machine) string {
	return fmt.Sprintf("Measured on %s on %s, %s, %s of memory; %s, %s", at.UTC().Format(time.DateOnly), m.CPU, plural(m.Cores, "core"), size(m.Memory), m.OS, m.Go)
}

// PipelineSections explain the pipeline's benchmark and show the newest run on each size of lake in the history (newest first). A run of a few stages
// does not take the place of one of all.
func PipelineSections(history []Pipeline) []Section {
	if len(history) == 0 {
		return nil
	}
	sections := []Section{{pipelineSuite, `Every stage, from making events to the answer of a question, beside a reference that does the same work in the same run, in turns with it: what else the
machine does then slows both. A ratio is that of the medians over all rounds, and it is what a goal is about; a line without a reference is held to a
bound of its own. "FAIL" is a missed goal, or an outcome that differs where it should be equal. "reach" is what would be excellent.
Growth is the exponent of events^x that fits the medians on lakes of several sizes: 1 is linear, 0 is flat.
`}}
	for i := range history {
		p := &history[i]
		heading := pipelineSuite + ", " + count(p.Events) + " events"
		if slices.ContainsFunc(sections, func(s Section) bool { return s.Heading == heading }) {
			continue
		}
		fuller := slices.ContainsFunc(history, func(h Pipeline) bool { return h.Events == p.Events && len(h.Lines) > 2*len(p.Lines) })
		if !fuller {
			sections = append(sections, Section{heading, pipelineSection(p)})
		}
	}
	return sections
}

func pipelineSection(p *Pipeline) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. %s.\n\n", capital(pipelineLine(p)), measuredLine(p.At, &p.Machine))
	piped(&b, fitted(pipelineRows(p, nil), 0))
	if table := growthRows(p); table != nil {
		b.WriteString("\n### growth\n")
		piped(&b, table)
	}
	for _, list := range pipelineLists(p, nil) {
		b.WriteString("\n### " + list.heading + "\n")
		for _, sentence := range list.said {
			b.WriteString("* " + sentence + "\n")
		}
	}
	return b.String()
}
