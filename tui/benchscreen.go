package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/tui/widget"
)

// historyTimeout bounds the reading of the earlier reports.
const historyTimeout = 10 * time.Second

// benchPage is the Bench screen: one report as a ladder, what it says in words, and the earlier ones to page through and to compare with.
type benchPage struct {
	app      *App
	findings func(*bench.Report) []string // what a report says in sentences; the tests have words of their own

	stored  []bench.Report // as read last
	made    []bench.Report // in this console
	reports []bench.Report // all of them, newest first
	read    bool           // the earlier ones have been read, or their reading failed
	gen     int
	flying  bool
	err     error // of the newest reading

	shown   time.Time // the report at hand; zero: the newest
	against time.Time // the one to compare with; zero: the newest comparable one before it
	alone   bool      // compare with nothing

	said    benchWords // of what is shown
	saidGen int
	job     int // the newest run's; 0 before there is one

	top, page, lines int // rows of the report, when last drawn
}

// benchWords is what is computed from a report and the one it is compared with. It takes too long for a key press.
type benchWords struct {
	report, against time.Time
	done            bool
	findings        []string
	changes         []bench.Change
}

// benchReadMsg brings the earlier reports.
type benchReadMsg struct {
	gen     int
	reports []bench.Report
	err     error
}

// benchSaidMsg brings a report's words.
type benchSaidMsg struct {
	gen  int
	said benchWords
}

func (m benchReadMsg) deliver(a *App) tea.Cmd { return a.bench.receive(m) }

func (m benchSaidMsg) deliver(a *App) tea.Cmd {
	if m.gen == a.bench.saidGen {
		a.bench.said = m.said
	}
	return nil
}

func (p *benchPage) places() place           { return onBench }
func (p *benchPage) typing() bool            { return false }
func (p *benchPage) paste(string) tea.Cmd    { return nil }
func (p *benchPage) cursor() *tea.Cursor     { return nil }
func (p *benchPage) escape() (tea.Cmd, bool) { return nil, false }

func (p *benchPage) crumbs() []string {
	if i := p.at(); i > 0 {
		return []string{"Bench", stamp(p.reports[i].At)}
	}
	return []string{"Bench"}
}

// tick reads the earlier reports once.
func (p *benchPage) tick() tea.Cmd {
	history := p.app.cfg.History
	if p.read || p.flying || history == nil {
		p.read = p.read || history == nil
		return nil
	}
	p.gen++
	p.flying = true
	gen := p.gen
	ctx, cancel := context.WithTimeout(p.app.ctx, historyTimeout)
	return func() (msg tea.Msg) {
		defer cancel()
		defer func() {
			if bug := recover(); bug != nil {
				msg = benchReadMsg{gen: gen, err: fmt.Errorf("a bug ended the reading: %v", bug)}
			}
		}()
		reports, err := history(ctx)
		return benchReadMsg{gen, reports, err}
	}
}

func (p *benchPage) receive(m benchReadMsg) tea.Cmd {
	if m.gen != p.gen {
		return nil
	}
	p.flying, p.read, p.err = false, true, m.err
	if m.err == nil {
		p.stored = m.reports
	}
	return p.merge()
}

// finished takes the report of a run that has ended well.
func (p *benchPage) finished(r *bench.Report) tea.Cmd {
	if r == nil {
		return nil
	}
	p.made = append(p.made, *r)
	p.shown, p.against, p.alone, p.top = time.Time{}, time.Time{}, false, 0
	return p.merge()
}

// merge lists what was read and what was made, each report once.
func (p *benchPage) merge() tea.Cmd {
	all := append(slices.Clone(p.stored), p.made...)
	slices.SortStableFunc(all, func(a, b bench.Report) int { return b.At.Compare(a.At) })
	p.reports = slices.CompactFunc(all, func(a, b bench.Report) bool { return a.At.Equal(b.At) })
	return p.say()
}

// at is the index of the report at hand, -1 when there is none.
func (p *benchPage) at() int {
	for i := range p.reports {
		if p.reports[i].At.Equal(p.shown) {
			return i
		}
	}
	return min(0, len(p.reports)-1)
}

func (p *benchPage) report() *bench.Report {
	if i := p.at(); i >= 0 {
		return &p.reports[i]
	}
	return nil
}

// base is the report to compare with; nil when there is none.
func (p *benchPage) base() *bench.Report {
	r := p.report()
	if r == nil || p.alone {
		return nil
	}
	for i := range p.reports {
		if !p.against.IsZero() && p.reports[i].At.Equal(p.against) && !p.against.Equal(r.At) {
			return &p.reports[i]
		}
	}
	return bench.Previous(p.reports, r)
}

// say computes the words of what is shown.
func (p *benchPage) say() tea.Cmd {
	r, base := p.report(), p.base()
	if r == nil {
		return nil
	}
	p.saidGen++
	gen, said := p.saidGen, benchWords{report: r.At, done: true}
	if base != nil {
		said.against = base.At
	}
	if p.said.report.Equal(said.report) && p.said.against.Equal(said.against) && p.said.done {
		return nil
	}
	p.said = benchWords{}
	findings := p.findings
	return func() tea.Msg {
		said.findings = findings(r)
		if base != nil {
			said.changes = bench.Compare(r, base)
		}
		return benchSaidMsg{gen, said}
	}
}

// change is how a rung stands to the report compared with.
func (p *benchPage) change(r *bench.Rung) (bench.Change, bool) {
	for _, c := range p.said.changes {
		if c.Name == r.Name && c.Cold == r.Cold {
			return c, true
		}
	}
	return bench.Change{}, false
}

func (p *benchPage) key(k tea.KeyPressMsg) tea.Cmd {
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
		if p.report() == nil {
			return p.begin()
		}
	}
	return nil
}

// begin opens the form, or says why it cannot.
func (p *benchPage) begin() tea.Cmd {
	if why := p.cannot(); why != "" {
		p.app.say("benchmark: " + why)
		return nil
	}
	return p.app.askBench()
}

// cannot tells why no benchmark can be started; "" when one can.
func (p *benchPage) cannot() string {
	if _, ok := p.running(); ok {
		return "one runs: Ctrl+C cancels it"
	}
	return p.app.off(p.app.cfg.Tasks.Bench != nil)
}

func (p *benchPage) wheel(_, _, n int) { p.top = max(0, min(p.top+n, p.lines-p.page)) }

// step pages to an older report (1) or a newer one (-1).
func (p *benchPage) step(n int) tea.Cmd { return p.show(p.at() + n) }

// show shows a report by its index.
func (p *benchPage) show(i int) tea.Cmd {
	if i < 0 || i >= len(p.reports) || i == p.at() {
		return nil
	}
	p.shown, p.top = p.reports[i].At, 0
	return p.say()
}

// running is the run in flight.
func (p *benchPage) running() (JobView, bool) {
	j, ok := p.newest()
	return j, ok && !j.Ended()
}

// newest is the newest run of this console.
func (p *benchPage) newest() (JobView, bool) {
	i := slices.IndexFunc(p.app.jobs, func(j JobView) bool { return j.ID == p.job })
	if i < 0 {
		return JobView{}, false
	}
	return p.app.jobs[i], true
}

// stop cancels the run in flight.
func (p *benchPage) stop() bool {
	j, ok := p.running()
	if !ok || !p.app.runner.Cancel(j.ID) {
		return false
	}
	p.app.say("stopping " + j.Title)
	return true
}

func (p *benchPage) copies() []copyItem {
	r := p.report()
	if r == nil {
		return nil
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return []copyItem{{"m", "the report as Markdown", p.markdown(r)}}
	}
	return []copyItem{{"m", "the report as Markdown", p.markdown(r)}, {"j", "the report as JSON, with every sample", string(data)}}
}

// openCompare lists the reports that the one at hand can be compared with.
func (p *benchPage) openCompare() tea.Cmd {
	r := p.report()
	set := func(against time.Time, alone bool) func() tea.Cmd {
		return func() tea.Cmd {
			p.against, p.alone = against, alone
			return p.say()
		}
	}
	choices := []choice{
		{widget.Item{Label: "the run before it", Detail: "the newest earlier one of the same data on the same machine"}, set(time.Time{}, false)},
		{widget.Item{Label: "nothing"}, set(time.Time{}, true)},
	}
	for i := range p.reports {
		if other := &p.reports[i]; !other.At.Equal(r.At) {
			detail := benchTitle(other)
			if !r.Comparable(other) {
				detail += "; not the same data or machine"
			}
			choices = append(choices, choice{widget.Item{Label: stamp(other.At), Detail: detail}, set(other.At, false)})
		}
	}
	pick := newPicker(p.app, "compare with", choices)
	p.app.push(pick)
	return nil
}

func benchActions() []action {
	none := func(a *App) string {
		if a.bench.report() == nil {
			return "there is no report yet"
		}
		return ""
	}
	one := func(a *App) string {
		if len(a.bench.reports) < 2 {
			return "there is no other report"
		}
		return ""
	}
	return []action{
		{"benchmark", "measure the same question over each layout of the data, warm and cold", []string{"a"}, onBench, true, func(a *App) string { return a.bench.cannot() }, (*App).askBench},
		{"older report", "the report before this one; → comes back", []string{"left", "h"}, onBench, true, one, func(a *App) tea.Cmd { return a.bench.step(1) }},
		{"newer report", "the report after this one", []string{"right", "l"}, onBench, false, one, func(a *App) tea.Cmd { return a.bench.step(-1) }},
		{"compare", "compare with another report than the one before", []string{"c"}, onBench, true, one, func(a *App) tea.Cmd { return a.bench.openCompare() }},
		{"copy", "copy the report as Markdown or JSON; `signallake-tui bench --write` keeps it in a file", []string{"y"}, onBench, true, none, (*App).copyMenu},
		{"stop", "cancel the benchmark; a scratch lake goes with it", []string{"ctrl+c"}, onBench, true, func(a *App) string {
			if _, ok := a.bench.running(); !ok {
				return "no benchmark runs"
			}
			return ""
		}, (*App).interrupt},
	}
}
