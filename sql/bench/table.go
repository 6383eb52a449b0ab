package bench

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// header names the ladder's columns.
var header = []string{"way", "files", "bytes", "best ms", "median ms", "worst ms", "x of one file", "same answer"}

// rows is the ladder, warm or cold, under its header; changes adds a column where there is something to compare with.
func rows(r *Report, cold bool, changes []Change) [][]string {
	base := r.Find(Unpartitioned, cold)
	table := [][]string{header}
	if len(changes) > 0 {
		table[0] = append(header[:len(header):len(header)], "since the last run")
	}
	for i := range r.Rungs {
		rung := &r.Rungs[i]
		if rung.Cold != cold || base == nil {
			continue
		}
		against, same := "1", "yes"
		if rung != base {
			against = rung.Against(base).interval()
		}
		if !rung.Same {
			same = "NO"
		}
		row := []string{rung.Title, few(rung.Files) + "/" + count(int64(rung.FilesTotal)), size(rung.Bytes), millis(rung.Best), millis(rung.Median), millis(rung.Worst), against, same}
		if len(changes) > 0 {
			row = append(row, changeOf(changes, rung))
		}
		table = append(table, row)
	}
	if len(table) == 1 {
		return nil
	}
	return table
}

func changeOf(changes []Change, r *Rung) string {
	for _, c := range changes {
		if c.Name == r.Name && c.Cold == r.Cold {
			return c.String()
		}
	}
	return ""
}

// probeRows are the side measurements.
func probeRows(r *Report) [][]string {
	if len(r.Probes) == 0 {
		return nil
	}
	table := [][]string{{"alone", "median ms"}}
	for _, p := range r.Probes {
		table = append(table, []string{p.Title, millis(p.Median)})
	}
	return table
}

// Text is the report for a terminal of a hundred columns and more: what was asked, the ladder, and the findings. previous may be nil.
func Text(r *Report, previous *Report) string {
	var b strings.Builder
	var changes []Change
	if previous != nil {
		changes = Compare(r, previous)
	}
	fmt.Fprintf(&b, "%s\n%s\n", dataLine(r), roundsLine(r))
	for _, cold := range []bool{false, true} {
		if table := rows(r, cold, changes); table != nil {
			fmt.Fprintf(&b, "\n%s\n", temperature(cold))
			aligned(&b, table)
		}
	}
	if table := probeRows(r); table != nil {
		b.WriteString("\n")
		aligned(&b, table)
	}
	b.WriteString("\n")
	for _, sentence := range Findings(r) {
		b.WriteString("- " + sentence + "\n")
	}
	return b.String()
}

func temperature(cold bool) string {
	if cold {
		return "cold: the files' pages dropped before each question"
	}
	return "warm: the files' pages in memory"
}

func dataLine(r *Report) string {
	d := &r.Data
	where := "the lake at hand"
	if d.Scratch {
		where = fmt.Sprintf("a lake made for the run (seed %d; %s)", d.Seed, d.Distribution)
	}
	return fmt.Sprintf("%s events in %s of %s, unpartitioned %s: %s", count(d.Events), plural(d.Files, "file"), size(d.Bytes), size(d.TwinBytes), where)
}

func roundsLine(r *Report) string {
	return fmt.Sprintf("p95 of one service on one day: %d of %d pairs, %d rounds, %d questions to each way; %s, %s", r.Data.Pairs, r.Data.PairsTotal, r.Runs,
		r.Runs*r.Data.Pairs, r.Machine.Engine, plural(r.Machine.Threads, "thread"))
}

// aligned writes a table with its columns under each other, the first one to the left and numbers to the right.
func aligned(b *strings.Builder, table [][]string) {
	widths := columnWidths(table)
	for _, row := range table {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line.WriteString(cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// columnWidths is how wide each column of a table is.
func columnWidths(table [][]string) []int {
	widths := make([]int, len(table[0]))
	for _, row := range table {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// piped writes a table as Markdown.
func piped(b *strings.Builder, table [][]string) {
	for i, row := range table {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|---" + strings.Repeat("|---:", len(row)-1) + "|\n")
		}
	}
}
