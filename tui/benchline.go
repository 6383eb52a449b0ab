package tui

import (
	"fmt"
	"slices"

	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
)

// lineRows are all that is known about a line: both sides, round by round, how it stands to its goal and to its reach, earlier runs, and the notes.
func (s *pipelineSuite) lineRows(l *bench.Line, w int) []benchRow {
	p, blank := s.report(), textRow("", cell.Text)
	sign, _, style := verdictSign(l.Verdict())
	rows := []benchRow{func(c *cell.Canvas, x, y, w int) {
		end := c.Text(x, y, p.Label(l)+"  ", cell.Text|cell.Bold)
		c.TextCut(end, y, w-(end-x), sign+" "+l.Verdict().String(), style)
	}}
	text := l.Title + " · " + count(l.Events) + " events"
	if l.Same != nil && *l.Same {
		text += " · equal outcomes"
	}
	rows = append(append(rows, wrappedRows(text, w, cell.Text)...), wrappedRows(machineWords(&p.Machine), w, cell.Muted)...)
	if l.Same != nil && !*l.Same {
		rows = append(rows, wrappedRows("× the outcomes differ: whatever the time, this is no result", w, cell.Bad|cell.Bold)...)
	}
	rows = append(append(rows, blank), sideRows(l, w)...)
	rows = append(append(rows, blank), boundRows(l, w)...)
	rows = append(append(rows, blank), s.earlierRows(p, l, w)...)
	if len(l.Notes) > 0 {
		rows = append(rows, blank, textRow("notes", cell.Muted|cell.Bold))
	}
	for _, note := range l.Notes {
		rows = append(rows, pointRows(note, w, cell.Text)...)
	}
	return rows
}

// sideRows are ours, the reference, and round by round what the goal is about.
func sideRows(l *bench.Line, w int) []benchRow {
	const first, each, sparkW = 11, 15, 16
	row := func(name string, cells [3]string, look cell.Style, samples []float64, more string) benchRow {
		return func(c *cell.Canvas, x, y, w int) {
			c.Text(x, y, name, look)
			for i, text := range cells {
				c.TextRight(x+first+(i+1)*each, y, each-1, text, look)
			}
			at := x + first + 3*each + 2
			spark(c, at, y, min(sparkW, w-(at-x)), samples, cell.Accent)
			if room := w - (at - x) - sparkW - 2; room > 8 {
				c.TextCut(at+sparkW+2, y, room, more, cell.Muted)
			}
		}
	}
	side := func(name string, m *bench.Measure, more string) benchRow {
		amounts := [3]string{"-", "-", "-"}
		if len(m.Samples) > 0 {
			amounts = [3]string{bench.Amount(m.Median, l.Unit), bench.Amount(m.Best, l.Unit), bench.Amount(m.Worst, l.Unit)}
		}
		return row(name, amounts, cell.Text, m.Samples, more)
	}
	rows := []benchRow{row("", [3]string{"median", "best", "worst"}, cell.Muted|cell.Bold, nil, ""), side("ours", &l.Ours, counted(int64(len(l.Ours.Samples)), "round"))}
	if l.Reference == nil {
		return rows
	}
	rows = append(rows, side("reference", l.Reference, ""))
	if rounds := l.Rounds(); len(rounds) > 0 {
		best, worst := slices.Max(rounds), slices.Min(rounds)
		if !l.More() {
			best, worst = worst, best
		}
		rows = append(rows, row("ratio", [3]string{l.ValueWords(), bench.RatioWords(best), bench.RatioWords(worst)}, cell.Text|cell.Bold, rounds, "round by round"))
	}
	if l.Against != "" {
		rows = append(rows, wrappedRows("the reference is "+l.Against, w, cell.Muted)...)
	}
	return rows
}

// spark draws samples round by round on a scale that shows their differences: from a little below the smallest to the largest.
func spark(c *cell.Canvas, x, y, w int, samples []float64, style cell.Style) {
	low, high, ok := chart.Extent(samples)
	if !ok || w <= 0 {
		return
	}
	floor := low - (high-low)/4
	if high-low < high/200 {
		floor = 0 // the same every time
	}
	raised := make([]float64, len(samples))
	for i, v := range samples {
		raised[i] = v - floor
	}
	chart.Spark(c, x, y, min(w, len(samples)), raised, 0, style)
}

// boundRows say how the line stands to its goal and to its reach.
func boundRows(l *bench.Line, w int) []benchRow {
	if l.Goal == nil {
		return wrappedRows("no goal: this figure is told and not judged", w, cell.Muted)
	}
	value, ok := l.Value()
	var rows []benchRow
	for _, b := range []struct {
		name, words string
		bound       *bench.Goal
	}{{"goal", l.GoalWords(), l.Goal}, {"reach", l.ReachWords(), l.Reach}} {
		if b.bound == nil {
			continue
		}
		text, style := "nothing was measured", cell.Warn
		if ok {
			margin := b.bound.Margin(value)
			text, style = fmt.Sprintf("× missed by %s", percent(-margin)), cell.Warn
			switch {
			case b.bound.Met(value):
				text, style = fmt.Sprintf("✓ met, %s to spare", percent(margin)), cell.Good
			case b.bound == l.Goal:
				style = cell.Bad | cell.Bold
			}
		}
		rows = append(rows, func(c *cell.Canvas, x, y, w int) {
			c.Text(x, y, b.name, cell.Muted)
			end := c.Text(x+11, y, cell.Pad(b.words, 14), cell.Text|cell.Bold)
			c.TextCut(end+1, y, w-(end+1-x), text, style)
		})
	}
	return append(rows, func(c *cell.Canvas, x, y, w int) { goalBar(c, x+11, y, min(48, w-11), l) })
}

// earlierRows are what the line was judged by in the runs before, and how it stands to the one compared with.
func (s *pipelineSuite) earlierRows(p *bench.Pipeline, l *bench.Line, w int) []benchRow {
	values := bench.Trend(s.reports, p, l)
	if len(values) < 2 {
		return wrappedRows("no earlier run of this line on such a lake and machine", w, cell.Muted)
	}
	words := func(v float64) string {
		if l.Reference != nil {
			return bench.RatioWords(v)
		}
		return bench.Amount(v, l.Unit)
	}
	best := slices.Min(values)
	if l.More() {
		best = slices.Max(values)
	}
	rows := []benchRow{func(c *cell.Canvas, x, y, w int) {
		c.Text(x, y, "earlier", cell.Muted)
		sparkW := min(len(values), max(8, w-60))
		spark(c, x+11, y, sparkW, values[max(0, len(values)-sparkW):], cell.Accent)
		c.TextCut(x+11+sparkW+2, y, w-sparkW-13, fmt.Sprintf("%s: first %s, now %s, best %s", counted(int64(len(values)), "run"), words(values[0]), words(values[len(values)-1]), words(best)), cell.Text)
	}}
	if change, ok := s.changeOf(l.Name, l.Events, false); ok {
		_, look := changeWords(change)
		text := change.String() + " than on " + stamp(s.said.against)
		if !change.Worse() && !change.Better() {
			text = "~ as on " + stamp(s.said.against) + ", but for chance"
		}
		rows = append(rows, func(c *cell.Canvas, x, y, w int) {
			c.Text(x, y, "change", cell.Muted)
			c.TextCut(x+11, y, w-11, text, look)
		})
	}
	return rows
}
