package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui/widget"
)

// pipelineSuite is the benchmark of the stages: each line beside its reference and its goal, one of them at the cursor, which can be opened.
type pipelineSuite struct {
	shelf[bench.Pipeline, *bench.Pipeline]
	selected lineKey
	opened   bool // the line at the cursor is shown alone
	lineTop  int  // its first row on the screen
	first    int  // the row of the first line among the report's rows, when last drawn
}

// lineKey tells a report's lines apart, and finds one in another report.
type lineKey struct {
	name   string
	events int64
}

func newPipeline(a *App) *pipelineSuite {
	return &pipelineSuite{shelf: shelf[bench.Pipeline, *bench.Pipeline]{app: a, history: a.cfg.PipelineHistory, title: pipelineTitle, words: pipelineWords}}
}

func pipelineWords(now, before *bench.Pipeline) benchWords {
	said := benchWords{findings: bench.PipelineFindings(now, before)}
	if before != nil {
		said.changes = bench.ComparePipelines(now, before)
	}
	return said
}

// pipelineTitle is what a report found, in a few words.
func pipelineTitle(p *bench.Pipeline) string {
	t := p.Tally()
	if t.Judged == 0 {
		return bench.Brief(p.Events) + " events, " + counted(int64(len(p.Lines)), "line")
	}
	return fmt.Sprintf("%s events, %d of %s met", bench.Brief(p.Events), t.Passed, counted(int64(t.Judged), "goal"))
}

// pipelineSummary says in a line what a run found.
func pipelineSummary(p *bench.Pipeline) string {
	text := pipelineTitle(p)
	if failed := p.Failed(); len(failed) > 0 {
		text += "; FAIL: " + strings.Join(failed, ", ")
	}
	return text
}

func (s *pipelineSuite) name() string { return "pipeline" }
func (s *pipelineSuite) able() bool   { return s.app.cfg.Tasks.Pipeline != nil }

func (s *pipelineSuite) about() []string {
	return []string{"It runs every stage, from making events to the answer of a question, beside a reference that does the same work in the same run, in turns with it, " +
		"and holds each to a goal: pass or FAIL. It checks that the outcomes are equal, and tells how each stage grows with the number of events.",
		"1,000,000 events: some five minutes, up to 3 GB of disk that are given back, nothing of this lake is touched. One line alone takes a fraction of that."}
}

func (s *pipelineSuite) ask() tea.Cmd {
	only := ""
	if s.opened {
		only = s.selected.name
	}
	return s.app.askForm("benchmark: pipeline", []widget.Field{
		{Name: "events", Value: "1M", Hint: "of the largest lake; a tenth and a hundredth for growth", Check: whole(10_000, 1_000_000_000)},
		{Name: "rounds", Value: "5", Hint: "of each measure, 5 and more; the median counts", Check: whole(5, 1000)},
		{Name: "only", Value: only, Wide: true, Hint: "empty: all; else names with commas: convert, p95-list", Check: s.checkNames},
	}, s.begin)
}

// names reads a list of lines' names.
func (s *pipelineSuite) names(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func (s *pipelineSuite) checkNames(text string) error {
	known := s.app.cfg.Tasks.Stages
	for _, name := range s.names(text) {
		if !slices.Contains(known, name) {
			return fmt.Errorf("no line is %q%s", name, likeNames(name, known))
		}
	}
	return nil
}

// likeNames tells known names that begin as a mistyped one does, no more than the form has room for; "" where none does.
func likeNames(name string, known []string) string {
	for n := len(name); n > 0; n-- {
		var like []string
		for _, k := range known {
			if strings.HasPrefix(k, name[:n]) && len(like) < 2 {
				like = append(like, k)
			}
		}
		if len(like) > 0 {
			return "; there is " + strings.Join(like, ", ")
		}
	}
	return ""
}

// begin starts the run that the form describes.
func (s *pipelineSuite) begin(f *widget.Form) tea.Cmd {
	events, _ := wholeOf(f.Value("events"))
	rounds, _ := wholeOf(f.Value("rounds"))
	p := PipelineParams{Events: events, Rounds: int(rounds), Only: s.names(f.Value("only"))}
	title := "bench pipeline " + count(events) + " events"
	if len(p.Only) > 0 {
		title += ": " + strings.Join(p.Only, ", ")
	}
	run := s.app.cfg.Tasks.Pipeline
	return s.start(s.name(), title, pipelineSummary, func(ctx context.Context, progress *lake.Progress) (*bench.Pipeline, error) {
		return run(ctx, p, progress)
	})
}

// cursorAt is the index of the line at the cursor, the first one where the report at hand lacks the one that was chosen; -1 when it has none.
func (s *pipelineSuite) cursorAt() int {
	r := s.report()
	if r == nil {
		return -1
	}
	for i := range r.Lines {
		if keyOf(&r.Lines[i]) == s.selected {
			return i
		}
	}
	return min(0, len(r.Lines)-1)
}

func keyOf(l *bench.Line) lineKey { return lineKey{l.Name, l.Events} }

// line is the one at the cursor; nil when there is none.
func (s *pipelineSuite) line() *bench.Line {
	if i := s.cursorAt(); i >= 0 {
		return &s.report().Lines[i]
	}
	return nil
}

func (s *pipelineSuite) crumb() string {
	if l := s.line(); s.opened && l != nil {
		return s.report().Label(l)
	}
	return ""
}

func (s *pipelineSuite) escape() bool {
	was := s.opened
	s.opened = false
	return was
}

func (s *pipelineSuite) scroll() *int {
	if s.opened {
		return &s.lineTop
	}
	return &s.top
}

// key moves the cursor as long as it is on the screen; elsewhere the keys scroll.
func (s *pipelineSuite) key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	if s.opened || s.line() == nil {
		return nil, false
	}
	switch k.String() {
	case "enter":
		s.selected, s.opened, s.lineTop = keyOf(s.line()), true, 0
		return nil, true
	case "down", "j":
		return nil, s.move(1)
	case "up", "k":
		return nil, s.move(-1)
	}
	return nil, false
}

// move puts the cursor n lines on and tells whether it could.
func (s *pipelineSuite) move(n int) bool {
	lines, at := s.report().Lines, s.cursorAt()
	row, page := s.app.bench.above+s.first+at, s.app.bench.page
	if at+n < 0 || at+n >= len(lines) || row < s.top || row >= s.top+page {
		return false
	}
	s.selected = keyOf(&lines[at+n])
	if s.top = max(min(s.top, row+n), row+n-page+1); at+n == 0 {
		s.top = 0 // what stands above the table, too
	}
	return true
}

func (s *pipelineSuite) copies() []copyItem {
	items := s.copied(pipelineMarkdown)
	if l := s.line(); l != nil && len(items) > 0 {
		items = append(items, copyItem{"l", "the line at the cursor", lineWords(s.report(), l)})
	}
	return items
}

// pipelineMarkdown is a report for a pull request or a chat.
func pipelineMarkdown(p *bench.Pipeline) string {
	sections := bench.PipelineSections([]bench.Pipeline{*p})
	return fmt.Sprintf("## SignalLake benchmark, %s\n%s", stamp(p.At), sections[len(sections)-1].Text)
}

// lineWords is a line of a report in a sentence.
func lineWords(p *bench.Pipeline, l *bench.Line) string {
	text := fmt.Sprintf("%s: %s", p.Label(l), l.ValueWords())
	if l.Goal != nil {
		text += " where the goal is " + l.GoalWords()
	}
	return fmt.Sprintf("%s: %s (%s, %s events, %s)", text, l.Verdict(), p.Program, count(p.Events), stamp(p.At))
}

// pipelineHead is what was measured, and on what.
func pipelineHead(p *bench.Pipeline) string {
	parts := []string{count(p.Events) + " events", "at least " + counted(int64(p.Rounds), "round")}
	if p.Program != "" {
		parts = append(parts, "SignalLake "+p.Program)
	}
	if p.Took > 0 {
		parts = append(parts, "took "+span(p.Took.Round(time.Second)))
	}
	return strings.Join(parts, " · ")
}
