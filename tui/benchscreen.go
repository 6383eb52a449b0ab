package tui

import (
	tea "charm.land/bubbletea/v2"
)

// suite is one benchmark of the Bench screen: how a run of it is asked for, and how a report of it is drawn.
type suite interface {
	name() string          // on its tab
	able() bool            // this console can run it
	ask() tea.Cmd          // asks for the parameters of a run, and starts it
	about() []string       // for who has no report yet: what a run does, and last what it takes
	rows(w int) []benchRow // of the report at hand
	key(k tea.KeyPressMsg) (cmd tea.Cmd, taken bool)
	crumb() string // what is open within the report; "": nothing
	escape() bool  // one step up within the report; false: there is none
	copies() []copyItem

	benchShelf
}

// benchShelf is what the screen needs of a suite's shelf, whatever lies on it.
type benchShelf interface {
	tick() tea.Cmd
	size() int // how many reports there are
	at() int   // the index of the one at hand, the newest is 0; -1: there is none
	entry(i int) benchEntry
	show(i int) tea.Cmd
	openCompare() tea.Cmd
	ready() bool // the earlier reports have been read, or could not be
	fault() error
	run() (JobView, bool) // the newest one of this console
	scroll() *int         // the first row on the screen
}

// benchPage is the Bench screen: suites side by side, of each a report, what it says in words, and the earlier ones to page through and to compare with.
type benchPage struct {
	app      *App
	ladder   *ladderSuite
	pipeline *pipelineSuite
	layout   *layoutSuite
	current  int // index into suites
	page     int // rows that fit, when last drawn
	lines    int // rows that there are
	above    int // of them those above the suite's own
}

func newBenchPage(a *App) *benchPage {
	return &benchPage{app: a, ladder: newLadder(a), pipeline: newPipeline(a), layout: newLayout(a)}
}

func (p *benchPage) suites() []suite { return []suite{p.ladder, p.pipeline, p.layout} }

// suite is the one at hand.
func (p *benchPage) suite() suite { return p.suites()[p.current] }

// turn goes to a suite by its name.
func (p *benchPage) turn(name string) {
	for i, s := range p.suites() {
		if s.name() == name {
			p.current = i
		}
	}
}

func (p *benchPage) places() place        { return onBench }
func (p *benchPage) typing() bool         { return false }
func (p *benchPage) paste(string) tea.Cmd { return nil }
func (p *benchPage) cursor() *tea.Cursor  { return nil }
func (p *benchPage) copies() []copyItem   { return p.suite().copies() }

func (p *benchPage) escape() (tea.Cmd, bool) { return nil, p.suite().escape() }

func (p *benchPage) crumbs() []string {
	s := p.suite()
	crumbs := []string{"Bench", s.name()}
	if i := s.at(); i > 0 {
		crumbs = append(crumbs, stamp(s.entry(i).at))
	}
	if crumb := s.crumb(); crumb != "" {
		crumbs = append(crumbs, crumb)
	}
	return crumbs
}

// tick reads the earlier reports of every suite once: the tabs tell what there is.
func (p *benchPage) tick() tea.Cmd {
	var cmds []tea.Cmd
	for _, s := range p.suites() {
		cmds = append(cmds, s.tick())
	}
	return tea.Batch(cmds...)
}

func (p *benchPage) key(k tea.KeyPressMsg) tea.Cmd {
	if cmd, taken := p.suite().key(k); taken {
		return cmd
	}
	switch k.String() {
	case "down", "j":
		p.wheel(0, 0, 1)
	case "up", "k":
		p.wheel(0, 0, -1)
	case "pgdown", "ctrl+d":
		p.wheel(0, 0, max(1, p.page-1))
	case "pgup", "ctrl+u":
		p.wheel(0, 0, -max(1, p.page-1))
	case "g", "home":
		p.wheel(0, 0, -p.lines)
	case "G", "end":
		p.wheel(0, 0, p.lines)
	case "enter":
		if p.suite().at() < 0 {
			return p.begin()
		}
		p.app.say("line: " + noLine(p.app))
	}
	return nil
}

func (p *benchPage) wheel(_, _, n int) {
	top := p.suite().scroll()
	*top = max(0, min(*top+n, p.lines-p.page))
}

// begin opens the form of the suite at hand, or says why it cannot.
func (p *benchPage) begin() tea.Cmd {
	if why := p.cannot(); why != "" {
		p.app.say("benchmark: " + why)
		return nil
	}
	return p.suite().ask()
}

// cannot tells why no benchmark can be started; "" when one can.
func (p *benchPage) cannot() string {
	if s, _, ok := p.running(); ok {
		return s.name() + " runs: Ctrl+C cancels it"
	}
	return p.app.off(p.suite().able())
}

// running is the run in flight, of whatever suite: two at a time would measure each other.
func (p *benchPage) running() (suite, JobView, bool) {
	for _, s := range p.suites() {
		if j, ok := s.run(); ok && !j.Ended() {
			return s, j, true
		}
	}
	return nil, JobView{}, false
}

// stop cancels the run in flight.
func (p *benchPage) stop() bool {
	_, j, ok := p.running()
	if !ok || !p.app.runner.Cancel(j.ID) {
		return false
	}
	p.app.say("stopping " + j.Title)
	return true
}

// step pages to an older report (1) or a newer one (-1).
func (p *benchPage) step(n int) tea.Cmd { return p.suite().show(p.suite().at() + n) }

// next goes to the suite after this one (1) or before it (-1).
func (p *benchPage) next(n int) tea.Cmd {
	all := len(p.suites())
	p.current = (p.current + n + all) % all
	return nil
}

// noReport tells why there is nothing to show of the suite at hand; "" when there is.
func noReport(a *App) string {
	if a.bench.suite().at() < 0 {
		return "there is no report yet"
	}
	return ""
}

// noLine tells why no line can be opened; "" when one can.
func noLine(a *App) string {
	if a.bench.suite() != suite(a.bench.pipeline) {
		return "only the pipeline's report has lines to open"
	}
	if a.bench.pipeline.opened {
		return "it is open: Esc closes it"
	}
	return noReport(a)
}

func benchActions() []action {
	one := func(a *App) string {
		if a.bench.suite().size() < 2 {
			return "there is no other report"
		}
		return ""
	}
	return []action{
		{"suite", "the next suite: ladder, pipeline, layout; Shift+Tab the one before", []string{"tab"}, onBench, true, nil, func(a *App) tea.Cmd { return a.bench.next(1) }},
		{"suite before", "the suite before this one", []string{"shift+tab"}, onBench, false, nil, func(a *App) tea.Cmd { return a.bench.next(-1) }},
		{"run", "run the suite at hand: measure again", []string{"a"}, onBench, true, func(a *App) string { return a.bench.cannot() }, func(a *App) tea.Cmd { return a.bench.begin() }},
		{"line", "all about the line at the cursor: rounds, goal, earlier runs; Esc closes it", []string{"enter"}, onBench, true, noLine, nil},
		{"older report", "the report before this one; → comes back", []string{"left", "h"}, onBench, true, one, func(a *App) tea.Cmd { return a.bench.step(1) }},
		{"newer report", "the report after this one", []string{"right", "l"}, onBench, false, one, func(a *App) tea.Cmd { return a.bench.step(-1) }},
		{"compare", "compare with another report than the one before", []string{"c"}, onBench, true, one, func(a *App) tea.Cmd { return a.bench.suite().openCompare() }},
		{"copy", "copy the report as Markdown or JSON; `signallake-tui bench --write` keeps it in a file", []string{"y"}, onBench, true, noReport, (*App).copyMenu},
		{"stop", "cancel the benchmark; a scratch lake goes with it", []string{"ctrl+c"}, onBench, true, func(a *App) string {
			if _, _, ok := a.bench.running(); !ok {
				return "no benchmark runs"
			}
			return ""
		}, (*App).interrupt},
	}
}
