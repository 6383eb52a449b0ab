package tui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/widget"
)

// dryDelay is how long typing must rest before the rules are tried.
const dryDelay = 300 * time.Millisecond

// replayDialog asks before letters are sent again. It has tried it dry and says what would happen; with a form it does so for the rules as
// they stand there.
type replayDialog struct {
	dialog
	dry      question
	set      *letterSet
	form     *widget.Form // nil: as they are
	gen      int          // moves with each edit
	progress *lake.Progress

	report *replay.Report // of the newest dry run that ended
	of     string         // the rules that it tried
	tried  string         // the rules in flight, or that err belongs to
	err    error
	over   bool // it is closed
}

// dryDueMsg comes when typing has rested.
type dryDueMsg struct {
	to  *replayDialog
	gen int
}

func (m dryDueMsg) deliver(*App) tea.Cmd {
	if m.gen != m.to.gen || m.to.over {
		return nil
	}
	return m.to.try()
}

// openReplay asks whether letters are to be sent again as they are.
func (p *deadPanel) openReplay(set *letterSet) tea.Cmd {
	d := &replayDialog{dialog: dialog{app: p.app, title: "replay " + set.count() + " as they are"}, dry: question{app: p.app}, set: set}
	p.app.push(d)
	return d.try()
}

// fix opens the form of rules, with those that the letters' reasons ask for.
func (p *deadPanel) fix(set *letterSet) tea.Cmd {
	rules := suggestAll(set.groups)
	d := &replayDialog{dialog: dialog{app: p.app, title: "fix and replay " + set.count()}, dry: question{app: p.app}, set: set}
	d.form = widget.NewForm([]widget.Field{
		{Name: ruleRename, Wide: true, Value: strings.Join(rules.Rename, ", "), Hint: "OLD=NEW: the key OLD becomes NEW; several: ts=timestamp, a=b", Check: checkRules(ruleRename)},
		{Name: ruleCast, Wide: true, Value: strings.Join(rules.Cast, ", "), Hint: "KEY=TYPE: reads the value as number, integer, string, time", Check: checkRules(ruleCast)},
		{Name: ruleDefault, Wide: true, Value: strings.Join(rules.Default, ", "), Hint: "KEY=VALUE: fills in what is absent; service_name=checkout", Check: checkRules(ruleDefault)},
	})
	for _, name := range []string{ruleDefault, ruleCast, ruleRename} { // to the first that is proposed
		if d.form.Value(name) != "" {
			d.form.Focus(name)
		}
	}
	if _, err := d.rules(); err != nil {
		d.form.Check() // goes to what is to be typed
	}
	p.app.push(d)
	return d.try()
}

func (d *replayDialog) closed() {
	d.over = true
	d.dry.next = nil
	d.dry.drop()
}

// rules are those of the form; an error says what is not complete yet.
func (d *replayDialog) rules() (r replay.Rules, err error) {
	if d.form == nil {
		return r, nil
	}
	for _, kind := range []struct {
		name string
		list *[]string
	}{{ruleRename, &r.Rename}, {ruleCast, &r.Cast}, {ruleDefault, &r.Default}} {
		list, wrong := rulesOf(kind.name, d.form.Value(kind.name))
		*kind.list = list
		err = cmp.Or(err, wrong)
	}
	return r, err
}

// try runs the rules dry, once they are complete and where they are not those of the newest answer.
func (d *replayDialog) try() tea.Cmd {
	rules, err := d.rules()
	if err != nil {
		return nil
	}
	text := ruleWords(rules)
	if d.report != nil && d.of == text || d.dry.waiting() && d.tried == text {
		return nil
	}
	run, progress := d.app.cfg.Letters.Replay, &lake.Progress{}
	d.tried, d.err, d.progress = text, nil, progress
	params := replay.Params{Pick: d.set.pick, Rules: rules, DryRun: true}
	return ask(&d.dry, func(ctx context.Context) (*replay.Report, error) { return run(ctx, params, progress) }, func(r *replay.Report, _ time.Duration, err error) tea.Cmd {
		if d.err = err; err == nil {
			d.report, d.of = r, text
		}
		return nil
	})
}

// ready tells what the newest dry run says of the rules as they stand; nil while that is not known.
func (d *replayDialog) ready() *replay.Report {
	rules, err := d.rules()
	if err != nil || d.report == nil || d.of != ruleWords(rules) {
		return nil
	}
	return d.report
}

func (d *replayDialog) key(k tea.KeyPressMsg) tea.Cmd {
	name := k.String()
	switch {
	case name == "esc":
		d.app.close()
	case name == "enter" || name == "f5":
		return d.send()
	case name == "ctrl+n":
		return d.addMore()
	case d.form == nil && (name == "n" || name == "q"):
		d.app.close()
	case d.form == nil && name == "y":
		return d.send()
	case d.form == nil && name == "F":
		d.app.close()
		return d.app.ingest.letters.fix(d.set)
	case d.form != nil:
		before := d.values()
		d.form.Key(k)
		if d.values() != before {
			return d.edited()
		}
	}
	return nil
}

func (d *replayDialog) values() [3]string {
	return [3]string{d.form.Value(ruleRename), d.form.Value(ruleCast), d.form.Value(ruleDefault)}
}

// edited waits for typing to rest.
func (d *replayDialog) edited() tea.Cmd {
	d.gen++
	return d.app.after(dryDelay, dryDueMsg{d, d.gen})
}

func (d *replayDialog) paste(text string) {
	if d.form != nil {
		d.form.Paste(text)
		d.gen++
	}
}

// more are the rules that the reasons ask for why letters would be refused still.
func (d *replayDialog) more() replay.Rules {
	r := d.ready()
	have, err := d.rules()
	if r == nil || err != nil || d.form == nil {
		return replay.Rules{}
	}
	return suggestMore(have, r.Problems)
}

// addMore takes those rules into the form.
func (d *replayDialog) addMore() tea.Cmd {
	more := d.more()
	if ruleWords(more) == "" {
		return nil
	}
	for _, kind := range []struct {
		name string
		list []string
	}{{ruleRename, more.Rename}, {ruleCast, more.Cast}, {ruleDefault, more.Default}} {
		have := splitRules(d.form.Value(kind.name))
		d.form.Set(kind.name, strings.Join(append(have, kind.list...), ", "))
	}
	if _, err := d.rules(); err != nil {
		d.form.Check()
	}
	return d.try()
}

// send starts the replay that the dry run has shown.
func (d *replayDialog) send() tea.Cmd {
	if d.form != nil && !d.form.Check() {
		return nil
	}
	r := d.ready()
	switch {
	case r == nil && d.err != nil && !d.dry.waiting(): // Enter after a failure tries again
		return d.try()
	case r == nil:
		d.app.say("not yet: the dry run says first what would happen")
		return d.try()
	case r.Accepted+r.Duplicates == 0:
		d.app.say("nothing would be accepted: other rules, or Esc")
		return nil
	}
	if why := d.app.noLetterWrites(); why != "" {
		d.app.say(why)
		return nil
	}
	rules, _ := d.rules()
	d.app.closeAll()
	return d.app.startReplay(replay.Params{Pick: d.set.pick, Rules: rules}, d.set.letters)
}

func (d *replayDialog) typing() bool { return d.form != nil }

func (d *replayDialog) keys() []keyLine {
	if d.form == nil {
		return []keyLine{{"y Enter", "send them again"}, {"F", "mend them by rules first"}, {"n Esc q", "change nothing and close"}}
	}
	return append(formKeys[:len(formKeys):len(formKeys)], keyLine{"Ctrl+N", "take the rules that are proposed for what is refused still"}, keyLine{"Enter F5", "send again what the dry run says is accepted; the rest stays"}, keyLine{"Esc", "change nothing and close"})
}

// startReplay sends letters again as a task that leads on to the events.
func (a *App) startReplay(params replay.Params, letters int64) tea.Cmd {
	run, panel := a.cfg.Letters.Replay, a.ingest.letters
	title := replayTitle + counted(letters, "dead letter")
	if words := ruleWords(params.Rules); words != "" {
		title += ": " + words
	}
	from, to := a.status.NextSeq, lake.Seq(0)
	next := lead{label: "look at the events that came in meanwhile", open: func() tea.Cmd { return a.lookBetween(from, to) }, ended: func(s State) tea.Cmd {
		to = a.status.NextSeq
		return panel.again(s)
	}}
	return a.startWith(title, next, func(ctx context.Context, progress *lake.Progress) (string, error) {
		report, err := run(ctx, params, progress)
		switch {
		case errors.Is(err, context.Canceled) && ctx.Err() != nil:
			return "", fmt.Errorf("%s; replay again goes on: %w", soFar(report, letters), context.Canceled)
		case err != nil:
			return "", err
		}
		return outcome(report), nil
	})
}

// soFar says how much of a replay was done when it was stopped: nothing of that is undone.
func soFar(r *replay.Report, letters int64) string {
	if r == nil {
		r = &replay.Report{}
	}
	return fmt.Sprintf("%s of %s done", count(min(r.Picked, letters)), counted(letters, "letter"))
}

// outcome is a report in a line. Most letters are one event; a refused body is many.
func outcome(r *replay.Report) string {
	good, events, verb := r.Picked-r.Refused, r.Accepted+r.Duplicates, "were accepted"
	switch {
	case r.DryRun:
		verb = "would be accepted"
	case events == 1:
		verb = "was accepted"
	}
	var text string
	switch {
	case events == 0:
		text = fmt.Sprintf("none of %s %s", count(r.Picked), verb)
	case r.Split > 0 || events != good:
		text = fmt.Sprintf("%s of %s %s", counted(events, "event"), counted(r.Picked, "letter"), verb)
	default:
		text = fmt.Sprintf("%s of %s %s", count(good), count(r.Picked), verb)
	}
	if r.Duplicates > 0 {
		text += fmt.Sprintf("; the lake has %s of them already", count(r.Duplicates))
	}
	if r.Conflicts > 0 {
		text += fmt.Sprintf("; %s under an event_id that the lake has with other content", count(r.Conflicts))
	}
	if r.Refused == 0 {
		return text
	}
	text += fmt.Sprintf("; %s refused still", count(r.Refused))
	if len(r.Problems) > 0 && !r.DryRun {
		text += " and kept: " + cell.Cut(reasonOf(r.Problems[0].Field, r.Problems[0].Reason), 80)
	}
	return text
}

// lookBetween shows the events from a sequence number on and below another, of whatever time they are. to is not above from where this
// console had not seen the end yet.
func (a *App) lookBetween(from, to lake.Seq) tea.Cmd {
	terms := fmt.Sprintf("seq>=%d", from)
	if to > from {
		terms = fmt.Sprintf("seq:%d..%d", from, to-1)
	}
	first := a.window.extent.First
	if a.window.extent.Events == 0 {
		first = lake.MicrosOf(a.now)
	}
	all := a.now.Sub(first.Time()) + 24*time.Hour // a mended event may be older than all that was there
	cmd := a.explore.enter(terms, "replayed", timeRange{Span: min(max(all, minSpan), maxSpan), Chosen: true}, false)
	return tea.Batch(cmd, a.open(exploreScreen))
}
