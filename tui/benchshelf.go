package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui/widget"
)

// historyTimeout bounds the reading of the earlier reports.
const historyTimeout = 10 * time.Second

// shelf holds the reports of one suite: the earlier ones and those made in this console, which of them is shown, and which one that is compared with.
// R is the report's type.
type shelf[R any, P bench.Kept[R]] struct {
	app     *App
	history func(ctx context.Context) ([]R, error) // newest first; nil: there is none
	title   func(P) string                         // what a report is about, in a few words
	words   func(now, before P) benchWords         // what a report says; before may be nil

	stored  []R // as read last
	made    []R // in this console
	reports []R // all of them, newest first
	loaded  bool
	gen     int
	flying  bool
	err     error // of the newest reading

	shown   time.Time // the report at hand; zero: the newest
	against time.Time // the one to compare with; zero: the newest comparable one before it
	alone   bool      // compare with nothing

	said    benchWords // of what is shown
	saidGen int
	job     int // the newest run's; 0 before there is one
	top     int // the first row on the screen
}

// A report in which nothing can be opened has no crumb, no step up and no keys of its own.
func (s *shelf[R, P]) crumb() string                       { return "" }
func (s *shelf[R, P]) escape() bool                        { return false }
func (s *shelf[R, P]) key(tea.KeyPressMsg) (tea.Cmd, bool) { return nil, false }

// benchWords is what is computed from a report and the one it is compared with. It takes too long for a key press.
type benchWords struct {
	report, against time.Time
	done            bool
	findings        []string
	changes         []bench.Change
}

// benchReadMsg brings the earlier reports.
type benchReadMsg[R any, P bench.Kept[R]] struct {
	to      *shelf[R, P]
	gen     int
	reports []R
	err     error
}

// benchSaidMsg brings a report's words.
type benchSaidMsg[R any, P bench.Kept[R]] struct {
	to   *shelf[R, P]
	gen  int
	said benchWords
}

func (m benchReadMsg[R, P]) deliver(*App) tea.Cmd { return m.to.receive(m) }

func (m benchSaidMsg[R, P]) deliver(*App) tea.Cmd {
	if m.gen == m.to.saidGen {
		m.to.said = m.said
	}
	return nil
}

// tick reads the earlier reports once.
func (s *shelf[R, P]) tick() tea.Cmd {
	if s.loaded || s.flying || s.history == nil {
		s.loaded = s.loaded || s.history == nil
		return nil
	}
	s.gen++
	s.flying = true
	gen := s.gen
	ctx, cancel := context.WithTimeout(s.app.ctx, historyTimeout)
	return func() (msg tea.Msg) {
		defer cancel()
		defer func() {
			if bug := recover(); bug != nil {
				msg = benchReadMsg[R, P]{to: s, gen: gen, err: fmt.Errorf("a bug ended the reading: %v", bug)}
			}
		}()
		reports, err := s.history(ctx)
		return benchReadMsg[R, P]{s, gen, reports, err}
	}
}

func (s *shelf[R, P]) receive(m benchReadMsg[R, P]) tea.Cmd {
	if m.gen != s.gen {
		return nil
	}
	s.flying, s.loaded, s.err = false, true, m.err
	if m.err == nil {
		s.stored = m.reports
	}
	return s.merge()
}

// finished takes the report of a run that has ended well.
func (s *shelf[R, P]) finished(r P) tea.Cmd {
	if r == nil {
		return nil
	}
	s.made = append(s.made, *r)
	s.shown, s.against, s.alone, s.top = time.Time{}, time.Time{}, false, 0
	return s.merge()
}

// merge lists what was read and what was made, each report once.
func (s *shelf[R, P]) merge() tea.Cmd {
	all := append(slices.Clone(s.stored), s.made...)
	slices.SortStableFunc(all, func(a, b R) int { return P(&b).When().Compare(P(&a).When()) })
	s.reports = slices.CompactFunc(all, func(a, b R) bool { return P(&a).When().Equal(P(&b).When()) })
	return s.say()
}

// at is the index of the report at hand, -1 when there is none.
func (s *shelf[R, P]) at() int {
	for i := range s.reports {
		if P(&s.reports[i]).When().Equal(s.shown) {
			return i
		}
	}
	return min(0, len(s.reports)-1)
}

// report is the one at hand; nil when there is none.
func (s *shelf[R, P]) report() P {
	if i := s.at(); i >= 0 {
		return P(&s.reports[i])
	}
	return nil
}

// base is the report to compare with; nil when there is none.
func (s *shelf[R, P]) base() P {
	r := s.report()
	if r == nil || s.alone {
		return nil
	}
	for i := range s.reports {
		if other := P(&s.reports[i]); !s.against.IsZero() && other.When().Equal(s.against) && !s.against.Equal(r.When()) {
			return other
		}
	}
	return bench.Previous(s.reports, r)
}

// say computes the words of what is shown.
func (s *shelf[R, P]) say() tea.Cmd {
	r, base := s.report(), s.base()
	if r == nil {
		return nil
	}
	s.saidGen++
	gen, said := s.saidGen, benchWords{report: r.When()}
	if base != nil {
		said.against = base.When()
	}
	if s.said.report.Equal(said.report) && s.said.against.Equal(said.against) && s.said.done {
		return nil
	}
	s.said = benchWords{}
	words := s.words
	return func() tea.Msg {
		all := words(r, base)
		all.report, all.against, all.done = said.report, said.against, true
		return benchSaidMsg[R, P]{s, gen, all}
	}
}

// show shows a report by its index.
func (s *shelf[R, P]) show(i int) tea.Cmd {
	if i < 0 || i >= len(s.reports) || i == s.at() {
		return nil
	}
	s.shown, s.top = P(&s.reports[i]).When(), 0
	return s.say()
}

// benchEntry is a report as lists name it.
type benchEntry struct {
	at       time.Time
	title    string
	compared bool // with the one at hand
}

func (s *shelf[R, P]) entry(i int) benchEntry {
	r, base := P(&s.reports[i]), s.base()
	return benchEntry{r.When(), s.title(r), base != nil && base.When().Equal(r.When())}
}

func (s *shelf[R, P]) size() int    { return len(s.reports) }
func (s *shelf[R, P]) ready() bool  { return s.loaded && !s.flying }
func (s *shelf[R, P]) fault() error { return s.err }
func (s *shelf[R, P]) scroll() *int { return &s.top }

// run is the newest run of this console; false before there was one.
func (s *shelf[R, P]) run() (JobView, bool) {
	i := slices.IndexFunc(s.app.jobs, func(j JobView) bool { return j.ID == s.job })
	if i < 0 {
		return JobView{}, false
	}
	return s.app.jobs[i], true
}

// comparison words what the report at hand is compared with; "" where it is with nothing.
func (s *shelf[R, P]) comparison() string {
	r, base := s.report(), s.base()
	if base == nil {
		return ""
	}
	text := "compared with " + stamp(base.When())
	if !r.Comparable(base) {
		text += ": other data or another machine, so the numbers say little"
	}
	return text
}

// changeOf is how a measure of the report at hand stands to the report compared with.
func (s *shelf[R, P]) changeOf(name string, events int64, cold bool) (bench.Change, bool) {
	for _, c := range s.said.changes {
		if c.Name == name && c.Events == events && c.Cold == cold {
			return c, true
		}
	}
	return bench.Change{}, false
}

// openCompare lists the reports that the one at hand can be compared with.
func (s *shelf[R, P]) openCompare() tea.Cmd {
	r := s.report()
	set := func(against time.Time, alone bool) func() tea.Cmd {
		return func() tea.Cmd {
			s.against, s.alone = against, alone
			return s.say()
		}
	}
	choices := []choice{
		{widget.Item{Label: "the run before it", Detail: "the newest earlier one of the same data on the same machine"}, set(time.Time{}, false)},
		{widget.Item{Label: "nothing"}, set(time.Time{}, true)},
	}
	for i := range s.reports {
		if other := P(&s.reports[i]); !other.When().Equal(r.When()) {
			detail := s.title(other)
			if !r.Comparable(other) {
				detail += "; not the same data or machine"
			}
			choices = append(choices, choice{widget.Item{Label: stamp(other.When()), Detail: detail}, set(other.When(), false)})
		}
	}
	s.app.push(newPicker(s.app, "compare with", choices))
	return nil
}

// start runs a benchmark as a task and shows its suite. The report is on the shelf once it is done; told says in a line what it found.
func (s *shelf[R, P]) start(suite, title string, told func(P) string, run func(ctx context.Context, progress *lake.Progress) (P, error)) tea.Cmd {
	a := s.app
	var made atomic.Pointer[R]
	next := lead{label: "look at the report", open: func() tea.Cmd { a.bench.turn(suite); return a.open(benchScreen) }, ended: func(state State) tea.Cmd {
		if state != Done {
			return nil
		}
		return s.finished(made.Load())
	}}
	job := a.runner.start(title, func(ctx context.Context, progress *lake.Progress) (string, error) {
		report, err := run(ctx, progress)
		if err != nil {
			return "", err
		}
		made.Store((*R)(report))
		return told(report), nil
	}, &next)
	if job != nil {
		s.job = job.ID
	}
	cmd := a.await(job)
	a.bench.turn(suite)
	if a.current == benchScreen {
		return cmd
	}
	return tea.Batch(cmd, a.open(benchScreen))
}

// copied offers the report as the suite's Markdown, and as JSON.
func (s *shelf[R, P]) copied(markdown func(P) string) []copyItem {
	r := s.report()
	if r == nil {
		return nil
	}
	items := []copyItem{{"m", "the report as Markdown", markdown(r)}}
	if data, err := json.MarshalIndent(r, "", "  "); err == nil {
		items = append(items, copyItem{"j", "the report as JSON, with every sample", string(data)})
	}
	return items
}
