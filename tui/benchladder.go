package tui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
	"github.com/signallake/signallake/tui/widget"
)

// ladderSuite is the benchmark of the layouts: one question of the same events, in one file and in a tree.
type ladderSuite struct {
	shelf[bench.Report, *bench.Report]
}

func newLadder(a *App) *ladderSuite {
	return &ladderSuite{shelf[bench.Report, *bench.Report]{app: a, history: a.cfg.LadderHistory, title: benchTitle, words: ladderWords}}
}

func ladderWords(now, before *bench.Report) benchWords {
	said := benchWords{findings: bench.Findings(now)}
	if before != nil {
		said.changes = bench.Compare(now, before)
	}
	return said
}

func (s *ladderSuite) name() string { return "ladder" }
func (s *ladderSuite) able() bool   { return s.app.cfg.Tasks.Bench != nil }

func (s *ladderSuite) copies() []copyItem { return s.copied(s.markdown) }

func (s *ladderSuite) about() []string {
	return []string{"It asks one question, the p95 latency of a service on a day, of the same events laid out in several ways, for every service and day: " +
		"in one file, in a Hive tree found by a pattern, in the same tree by the catalog's list. It proves that the answers are the same, and shows files, bytes and time " +
		"of each: what the partitions and the catalog are worth.",
		"1,000,000 events in a scratch lake: about a minute, 600 MB of disk that are given back, nothing of this lake is touched. This lake: " +
			"its own events, and one more file as large as its Parquet."}
}

// The ladder's choices of data.
const scratchLake, lakeAtHand = "scratch lake", "this lake"

func (s *ladderSuite) ask() tea.Cmd {
	return s.app.askForm("benchmark: ladder", []widget.Field{
		{Name: "data", Value: scratchLake, Choices: []string{scratchLake, lakeAtHand}, Hint: "a scratch lake is made for the run, and gone after it"},
		{Name: "events", Value: "1M", Hint: "of the scratch lake; 1M takes seconds and 600 MB of disk", Check: whole(1000, 1_000_000_000)},
		{Name: "runs", Value: "7", Hint: "timed rounds, 7 and more; the median counts", Check: whole(7, 1000)},
		{Name: "cold", Value: "no", Choices: []string{"no", "yes"}, Hint: "also without the files' pages in memory: slower"},
	}, s.begin)
}

// begin starts the run that the form describes.
func (s *ladderSuite) begin(f *widget.Form) tea.Cmd {
	events, _ := wholeOf(f.Value("events"))
	runs, _ := wholeOf(f.Value("runs"))
	p := BenchParams{Events: events, Runs: int(runs), Cold: f.Value("cold") == "yes"}
	title := "bench " + count(events) + " events"
	if f.Value("data") == lakeAtHand {
		p.Events, title = 0, "bench this lake"
	}
	run := s.app.cfg.Tasks.Bench
	return s.start(s.name(), title, benchSummary, func(ctx context.Context, progress *lake.Progress) (*bench.Report, error) {
		return run(ctx, p, progress)
	})
}

// rows are a report: what was asked, the ladder warm and cold, and the findings.
func (s *ladderSuite) rows(w int) []benchRow {
	r := s.report()
	rows := append(wrappedRows(dataWords(r), w, cell.Text), wrappedRows(machineWords(&r.Machine), w, cell.Muted)...)
	if text := s.comparison(); text != "" {
		rows = append(rows, wrappedRows(text, w, cell.Muted)...)
	}
	for _, cold := range []bool{false, true} {
		rungs := slices.DeleteFunc(slices.Clone(r.Rungs), func(rung bench.Rung) bool { return rung.Cold != cold })
		if len(rungs) > 0 {
			rows = append(append(rows, textRow("", cell.Text)), rungRows(pagesWord(cold), "of 1 file", rungs, 0, s.changeHead(), s.changeOf, ladderColumns(w, 0))...)
		}
	}
	if r.Cold.Why != "" {
		rows = append(rows, wrappedRows("no cold runs: "+r.Cold.Why, w, cell.Muted)...)
	}
	return append(rows, s.saidRows(w)...)
}

// pagesWord tells where the files' pages were.
func pagesWord(cold bool) string {
	if cold {
		return "cold"
	}
	return "warm"
}

// rungRows are ways to answer a question under their header; the others are held against the one at index base, under the word ratio.
func rungRows(name, ratio string, rungs []bench.Rung, base int, change string, changeOf func(name string, events int64, cold bool) (bench.Change, bool), cols ladderCols) []benchRow {
	slowest := slices.MaxFunc(rungs, func(a, b bench.Rung) int { return cmp.Compare(a.Median, b.Median) }).Median
	var rows []benchRow
	if cell.Width(name) >= cols.name {
		rows, name = append(rows, textRow(name, cell.Muted|cell.Bold)), ""
	}
	rows = append(rows, func(c *cell.Canvas, x, y, _ int) { cols.head(c, x, y, name, ratio, change) })
	named := rungName
	if !slices.ContainsFunc(rungs, func(r bench.Rung) bool { return r.Title == "" || cell.Width(r.Title) >= cols.name }) {
		named = func(r *bench.Rung) string { return r.Title } // all in full, or all in short
	}
	for i := range rungs {
		rows = append(rows, func(c *cell.Canvas, x, y, _ int) {
			cols.draw(c, x, y, named(&rungs[i]), &rungs[i], &rungs[base], slowest)
			if change, ok := changeOf(rungs[i].Name, 0, rungs[i].Cold); ok {
				text, look := changeWords(change)
				c.TextRight(x+cols.change, y, 7, text, look)
			}
		})
	}
	return rows
}

// ladderCols are the ladder's columns at a width: where each ends, or for the name and the bar how wide it is; 0: there is no room for it.
type ladderCols struct{ name, files, bytes, median, bar, barW, ratio, laps, same, change int }

// ladderNames is how wide the names of the ladder's own ways may be, and the blank after them.
const ladderNames = 17

// ladderColumns lays the ladder out in w columns; what is left over goes to the names, then to the bars. Names that need more columns than the ladder's own
// have them where the ratio comes in place of the bar and of the range: a way that nobody can name is worth no line.
func ladderColumns(w, need int) ladderCols {
	const laps, ratio = 12, 8
	spare := max(0, w-76)
	col := ladderCols{name: ladderNames + min(spare, 22)}
	spare = max(0, spare-22)
	ranged, rated := true, spare >= ratio
	if rated {
		spare -= ratio
	}
	col.barW = 8 + min(spare, 40)
	if need > col.name {
		ranged, rated, col.barW = false, true, 0
		col.name = min(need, ladderNames+max(0, w-76)+laps+1+8-ratio)
	}
	col.files = col.name + 9
	col.bytes = col.files + 8
	col.median = col.bytes + 8
	at := col.median
	if col.barW > 0 {
		col.bar = at + 1
		at = col.bar + col.barW
	}
	if rated {
		at += ratio
		col.ratio = at
	}
	if ranged {
		at += laps
		col.laps = at
	}
	col.same = at + 5
	col.change = col.same + 8
	return col
}

func (col ladderCols) head(c *cell.Canvas, x, y int, name, ratio, change string) {
	const style = cell.Muted | cell.Bold
	c.TextCut(x, y, col.name-1, name, style)
	right := func(at int, text string) { c.TextRight(x+at, y, 20, text, style) }
	right(col.files, "files")
	right(col.bytes, "bytes")
	right(col.median, "median")
	if col.ratio > 0 {
		right(col.ratio, ratio)
	}
	if col.laps > 0 {
		right(col.laps, "best–worst")
	}
	right(col.same, "same")
	right(col.change, change)
}

// draw draws one way to answer the question. first is what the others are compared with.
func (col ladderCols) draw(c *cell.Canvas, x, y int, name string, r, first *bench.Rung, slowest time.Duration) {
	c.TextCut(x, y, col.name-1, name, cell.Text|cell.Bold)
	c.TextRight(x+col.files, y, 10, files(r), cell.Text)
	c.TextRight(x+col.bytes, y, 8, size(r.Bytes), cell.Text)
	c.TextRight(x+col.median, y, 8, lap(r.Median), cell.Text|cell.Bold)
	style := cell.Accent
	if r.Median < first.Median {
		style = cell.Good
	} else if r.Median > first.Median {
		style = cell.Warn
	}
	if slowest > 0 && col.barW > 0 {
		chart.Bar(c, x+col.bar, y, col.barW, float64(r.Median)/float64(slowest), style)
	}
	if col.ratio > 0 && first.Median > 0 {
		c.TextRight(x+col.ratio, y, 8, fmt.Sprintf("%.2fx", float64(r.Median)/float64(first.Median)), style)
	}
	if col.laps > 0 {
		c.TextRight(x+col.laps, y, 14, laps(r.Best, r.Worst), cell.Muted)
	}
	sign, look := "✓", cell.Good
	if !r.Same {
		sign, look = "×", cell.Bad|cell.Bold
	}
	c.TextRight(x+col.same, y, 1, sign, look)
}

// markdown is a report for a pull request or a chat: the ladder and what it says.
func (s *ladderSuite) markdown(r *bench.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## SignalLake benchmark, %s\n\n%s.\n%s.\n", stamp(r.At), dataWords(r), machineWords(&r.Machine))
	fmt.Fprintf(&b, "\n| layout | pages | files | bytes | median | best–worst | same answer |\n|---|---|---|---|---|---|---|\n")
	for i := range r.Rungs {
		rung := &r.Rungs[i]
		pages, same := "warm", "✓"
		if rung.Cold {
			pages = "cold"
		}
		if !rung.Same {
			same = "no"
		}
		name := rung.Title
		if name == "" {
			name = rungName(rung)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", name, pages, files(rung), size(rung.Bytes), lap(rung.Median), laps(rung.Best, rung.Worst), same)
	}
	if s.said.done && s.said.report.Equal(r.At) && len(s.said.findings) > 0 {
		b.WriteByte('\n')
		for _, finding := range s.said.findings {
			fmt.Fprintf(&b, "- %s\n", finding)
		}
	}
	return b.String()
}
