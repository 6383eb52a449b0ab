package tui

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
	"github.com/signallake/signallake/tui/widget"
)

// layoutSuite is the benchmark of layouts: the same events written in several ways, one thing changed at a time.
type layoutSuite struct {
	shelf[bench.Layouts, *bench.Layouts]
}

func newLayout(a *App) *layoutSuite {
	return &layoutSuite{shelf[bench.Layouts, *bench.Layouts]{app: a, history: a.cfg.LayoutHistory, title: layoutTitle, words: layoutWords}}
}

func layoutWords(now, before *bench.Layouts) benchWords {
	said := benchWords{findings: bench.LayoutFindings(now)}
	if before != nil {
		said.changes = bench.CompareLayouts(now, before)
	}
	return said
}

// layoutTitle is what a report is about, in a few words.
func layoutTitle(l *bench.Layouts) string {
	return fmt.Sprintf("%s events in %s", bench.Brief(l.Data.Events), counted(int64(len(l.Variants)), "way"))
}

// layoutSummary says in a line what a run found.
func layoutSummary(l *bench.Layouts) string {
	if len(l.Variants) == 0 {
		return layoutTitle(l)
	}
	best := slices.MinFunc(l.Variants, func(a, b bench.Variant) int { return int(a.Warm.Median - b.Warm.Median) })
	return fmt.Sprintf("%s; the fastest: %s, %s", layoutTitle(l), best.Title, lap(best.Warm.Median))
}

func (s *layoutSuite) name() string { return "layout" }
func (s *layoutSuite) able() bool   { return s.app.cfg.Tasks.Layout != nil }

func (s *layoutSuite) about() []string {
	return []string{"It writes the same events in several ways, one thing changed at a time: which keys are folders, how many files a partition has, how pages are compressed, how large a row group is. " +
		"It asks all of them the p95 latency of a service on a day, one client and up to sixteen at once, and says where the time goes.",
		"1,000,000 events: some minutes, 2 GB of disk that are given back, nothing of this lake is touched."}
}

func (s *layoutSuite) ask() tea.Cmd {
	return s.app.askForm("benchmark: layout", []widget.Field{
		{Name: "events", Value: "1M", Hint: "of the lake that is made and then written in each way", Check: whole(10_000, 1_000_000_000)},
		{Name: "rounds", Value: "5", Hint: "of everything, 5 and more; the median counts", Check: whole(5, 1000)},
		{Name: "cold", Value: "no", Choices: []string{"no", "yes"}, Hint: "also without the files' pages in memory: slower"},
	}, s.begin)
}

// begin starts the run that the form describes.
func (s *layoutSuite) begin(f *widget.Form) tea.Cmd {
	events, _ := wholeOf(f.Value("events"))
	rounds, _ := wholeOf(f.Value("rounds"))
	p := LayoutParams{Events: events, Rounds: int(rounds), Cold: f.Value("cold") == "yes"}
	run := s.app.cfg.Tasks.Layout
	return s.start(s.name(), "bench layout "+count(events)+" events", layoutSummary, func(ctx context.Context, progress *lake.Progress) (*bench.Layouts, error) {
		return run(ctx, p, progress)
	})
}

// rows are a report: an axis at a time, warm and cold, the clients that asked at once, and the findings.
func (s *layoutSuite) rows(w int) []benchRow {
	l, blank := s.report(), textRow("", cell.Text)
	d := &l.Data
	rows := wrappedRows(fmt.Sprintf("%s events of %s over %s, written in %s · %s of service and day, %s", count(d.Events), counted(int64(d.Services), "service"), counted(int64(d.Days), "day"),
		counted(int64(len(l.Variants)), "way"), counted(int64(d.Pairs), "pair"), counted(int64(l.Rounds), "round")), w, cell.Text)
	rows = append(rows, wrappedRows(machineWords(&l.Machine), w, cell.Muted)...)
	if text := s.comparison(); text != "" {
		rows = append(rows, wrappedRows(text, w, cell.Muted)...)
	}
	need := 0
	for i := range l.Axes {
		for _, p := range l.Axes[i].Points {
			need = max(need, cell.Width(p.Title)+1)
		}
	}
	cols := ladderColumns(w, need)
	for i := range l.Axes {
		for _, cold := range []bool{false, true} {
			if rungs, base := axisRungs(l, &l.Axes[i], cold); len(rungs) > 0 {
				rows = append(append(rows, blank), rungRows(pagesWord(cold)+": "+l.Axes[i].Title, "of base", rungs, base, s.changeHead(), s.changeOf, cols)...)
			}
		}
	}
	if l.Cold.Why != "" {
		rows = append(rows, wrappedRows("no cold runs: "+l.Cold.Why, w, cell.Muted)...)
	}
	rows = append(rows, clientRows(l)...)
	return append(rows, s.saidRows(w)...)
}

// axisRungs are the points of an axis as ways to answer one question, and the index of the one that the others are held against; none where it was not
// measured so.
func axisRungs(l *bench.Layouts, a *bench.Axis, cold bool) (rungs []bench.Rung, base int) {
	name := a.BaseOf(l)
	for _, p := range a.Points {
		v := l.Find(p.Variant)
		if v == nil {
			continue
		}
		took := v.Warm
		if cold {
			took = v.Cold
		}
		if took.Median == 0 {
			continue
		}
		if v.Name == name {
			base = len(rungs)
		}
		rungs = append(rungs, bench.Rung{Name: v.Name, Title: p.Title, Cold: cold, Files: v.Read, FilesTotal: v.Files, Bytes: v.ReadBytes, Best: took.Best, Median: took.Median, Worst: took.Worst, Same: v.Same})
	}
	return rungs, base
}

// clientRows are what clients got who asked at once, under their header.
func clientRows(l *bench.Layouts) []benchRow {
	if len(l.Clients) == 0 {
		return nil
	}
	most := slices.MaxFunc(l.Clients, func(a, b bench.Clients) int { return int(a.PerSecond - b.PerSecond) }).PerSecond
	draw := func(title, clients, rate, median string, share float64, look cell.Style) benchRow {
		return func(c *cell.Canvas, x, y, w int) {
			name := min(max(17, w-44), 48)
			c.TextCut(x, y, name-1, title, look)
			c.TextRight(x+name+7, y, 8, clients, look)
			c.TextRight(x+name+16, y, 9, rate, look)
			chart.Bar(c, x+name+17, y, 16, share, cell.Accent)
			c.TextRight(x+name+43, y, 9, median, look)
		}
	}
	rows := []benchRow{textRow("", cell.Text), draw("at once, warm", "clients", "a second", "median", 0, cell.Muted|cell.Bold)}
	for i := range l.Clients {
		k := &l.Clients[i]
		title := k.Variant
		if v := l.Find(k.Variant); v != nil {
			title = v.Title
		}
		rows = append(rows, draw(title, strconv.Itoa(k.Clients), short3(k.PerSecond), lap(k.Median), k.PerSecond/max(most, 1e-9), cell.Text))
	}
	return rows
}

func (s *layoutSuite) copies() []copyItem { return s.copied(layoutMarkdown) }

// layoutMarkdown is a report for a pull request or a chat.
func layoutMarkdown(l *bench.Layouts) string {
	sections := bench.LayoutSections([]bench.Layouts{*l})
	return fmt.Sprintf("## SignalLake benchmark, %s\n%s", stamp(l.At), sections[len(sections)-1].Text)
}
