package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui/cell"
)

// deadEvery is how often the groups are read anew while letters keep coming in: each reading goes through the whole zone.
const deadEvery = time.Second

// deadShare is how many times as long as a reading the next one is put off, so that a large zone leaves time for other work; deadRest is the most. Groups
// that are not those of the zone any more say so when they are older than deadOld.
const (
	deadShare = 4
	deadRest  = 20 * time.Second
	deadOld   = 3 * time.Second
)

// deadPanel holds the groups of dead letters of the Ingest screen, and which of them are marked. Its question is asked again whenever the
// zone's counts have moved.
type deadPanel struct {
	question
	groups []replay.Group
	known  bool            // they were read once
	of     lake.DeadStatus // the zone's counts when they were asked for
	stale  bool            // a task of ours has changed the zone since
	at     time.Time       // when they came
	took   time.Duration
	err    error
	errAt  time.Time
	marked map[replay.Key]bool
}

// letterSet is the letters that an action is about. It holds what was counted, and not what came in later.
type letterSet struct {
	pick    replay.Pick
	groups  []replay.Group // that they belong to
	letters int64
	name    string // what they are, after their number
}

// count is the set's size with its noun.
func (s *letterSet) count() string { return counted(s.letters, "dead letter") }

// refresh reads the groups where they are not those of the zone any more.
func (p *deadPanel) refresh() tea.Cmd {
	a := p.app
	letters, now := a.cfg.Letters, a.now
	switch {
	case letters == nil || p.flying:
		return nil
	case p.err != nil:
		if p.err == errStopped || now.Sub(p.errAt) < p.retry() {
			return nil
		}
	case !p.known && a.dead.Kept == 0: // there is nothing to read
		return nil
	case p.known && !p.stale && p.of == a.dead:
		return nil
	case p.known && !p.stale && now.Sub(p.at) < max(deadEvery, min(deadShare*p.took, deadRest)):
		return nil
	}
	p.stale = false
	of := a.dead
	return ask(&p.question, letters.Groups, func(groups []replay.Group, took time.Duration, err error) tea.Cmd {
		p.took = took
		if err != nil {
			p.err, p.errAt = err, a.cfg.Now()
			return nil
		}
		held, had := p.current()
		p.groups, p.known, p.of, p.at, p.err = groups, true, of, a.cfg.Now(), nil
		p.prune()
		if had {
			p.goTo(held.Key())
		}
		return nil
	})
}

// retry is how long after a failure the groups are read again: what took long to fail is not hurried.
func (p *deadPanel) retry() time.Duration { return max(retryAfter, 10*p.took) }

// retryHint says when.
func (p *deadPanel) retryHint() string {
	left := p.retry() - p.app.now.Sub(p.errAt)
	if p.flying || left <= 0 {
		return "reading again …"
	}
	return fmt.Sprintf("reads again in %ds", (left+time.Second-1)/time.Second)
}

// changed is told that a task of ours has changed the zone: what is being read is older than that.
func (p *deadPanel) changed() {
	p.stale, p.err = true, nil
	p.drop()
}

// again is for the end of a task of ours, whatever came of it.
func (p *deadPanel) again(State) tea.Cmd {
	p.changed()
	return p.refresh()
}

// entered is told that the screen is opened: who comes to look sees what is there now, and does not wait for the next reading.
func (p *deadPanel) entered() { p.stale = p.stale || p.known && p.of != p.app.dead }

// age is how old the groups are where the zone has changed since they were asked for; 0: they are true, or too young to speak of.
func (p *deadPanel) age() time.Duration {
	if age := p.app.now.Sub(p.at) + p.took; p.known && p.of != p.app.dead && age > deadOld {
		return age
	}
	return 0
}

// stop ends the reading, and tells whether there was one.
func (p *deadPanel) stop() bool {
	if !p.drop() {
		return false
	}
	p.err, p.errAt = errStopped, p.app.now
	return true
}

// prune forgets the marks of groups that are gone: a mark that nobody sees must not come back with the next such letter.
func (p *deadPanel) prune() {
	kept := map[replay.Key]bool{}
	for i := range p.groups {
		if key := p.groups[i].Key(); p.marked[key] {
			kept[key] = true
		}
	}
	p.marked = kept
}

// current is the group at the cursor.
func (p *deadPanel) current() (replay.Group, bool) {
	at := p.app.ingest.cursors[1]
	if at < 0 || at >= len(p.groups) {
		return replay.Group{}, false
	}
	return p.groups[at], true
}

// goTo puts the cursor on a group, wherever it stands now.
func (p *deadPanel) goTo(key replay.Key) {
	page := p.app.ingest
	if i := slices.IndexFunc(p.groups, func(g replay.Group) bool { return g.Key() == key }); i >= 0 {
		page.tops[1] += i - page.cursors[1]
		page.cursors[1] = i
	}
	page.cursors[1] = max(0, min(page.cursors[1], len(p.groups)-1))
}

// tooMany is said where the letters beyond the groups that are kept apart are asked for.
const tooMany = "these are of too many kinds to be told apart: R takes all letters"

// mark marks the group at the cursor or takes its mark away, and goes on to the next one.
func (p *deadPanel) mark() tea.Cmd {
	if g, ok := p.current(); ok && g.Others() {
		p.app.say(tooMany)
	} else if ok {
		p.marked[g.Key()] = !p.marked[g.Key()]
		p.app.ingest.move(1)
	}
	return nil
}

// chosen are the letters of the marked groups; without marks those of the group at the cursor. nil: these cannot be picked, and it was said.
func (p *deadPanel) chosen() *letterSet {
	var groups []replay.Group
	for _, g := range p.groups {
		if p.marked[g.Key()] {
			groups = append(groups, g)
		}
	}
	if g, ok := p.current(); ok && len(groups) == 0 {
		if g.Others() {
			p.app.say(tooMany)
			return nil
		}
		groups = append(groups, g)
	}
	set := p.set(groups)
	for i := range groups {
		set.pick.Groups = append(set.pick.Groups, groups[i].Key())
	}
	return set
}

// all are the letters of every group.
func (p *deadPanel) all() *letterSet { return p.set(p.groups) }

// set is the letters of groups, without a pick among them yet.
func (p *deadPanel) set(groups []replay.Group) *letterSet {
	s := &letterSet{groups: groups, name: counted(int64(len(groups)), "reason")}
	for i := range groups {
		s.letters += groups[i].Letters
	}
	for i := range p.groups { // all groups were counted at once
		s.pick.Upto = max(s.pick.Upto, p.groups[i].Example.ID)
	}
	if len(groups) == 1 {
		s.name = nameOf(groups[0].Field, groups[0].Reason)
	}
	return s
}

// oneLetter is a set of one.
func oneLetter(g replay.Group, d *lake.DeadLetter) *letterSet {
	g.Letters, g.Field, g.Reason, g.Example, g.First, g.Newest = 1, d.Field, d.Reason, *d, d.At, d.At
	return &letterSet{pick: replay.Pick{IDs: []int64{d.ID}}, groups: []replay.Group{g}, letters: 1, name: nameOf(d.Field, d.Reason)}
}

// nameOf is a reason as a question names it: not longer than one reads.
func nameOf(field, reason string) string { return cell.Cut(reasonOf(field, reason), 160) }

// The first words of the tasks that change the zone; one at a time may.
const replayTitle, discardTitle = "replay ", "discard "

// working names the task that changes the zone, "" when none does.
func (p *deadPanel) working() string {
	for _, j := range p.app.jobs {
		if !j.Ended() && (strings.HasPrefix(j.Title, replayTitle) || strings.HasPrefix(j.Title, discardTitle)) {
			return j.Title
		}
	}
	return ""
}

// noLetters tells why nothing can be done with dead letters; "" when it can.
func (a *App) noLetters() string {
	p := a.ingest.letters
	switch {
	case a.cfg.Letters == nil:
		return "not part of this console"
	case len(p.groups) > 0 && a.dead.Kept > 0:
		return ""
	case p.err != nil:
		return "they cannot be read: see the panel"
	case a.dead.Kept > 0:
		return "they are being read"
	}
	return "there are none"
}

// noLetterWrites tells why dead letters cannot be sent again or discarded; "" when they can.
func (a *App) noLetterWrites() string {
	if why := a.noLetters(); why != "" {
		return why
	}
	if a.ownerless() {
		return ownerGone
	}
	if why := a.cfg.Letters.Why; why != "" {
		return why
	}
	if title := a.ingest.letters.working(); title != "" {
		return "wait for the task: " + title
	}
	return ""
}

// deadActions are what can be done with dead letters. They are at hand on the whole screen, and bring the focus to what they are about.
func deadActions() []action {
	on := func(f func(p *deadPanel) tea.Cmd) func(a *App) tea.Cmd {
		return func(a *App) tea.Cmd {
			a.ingest.rejects = true
			return f(a.ingest.letters)
		}
	}
	set := func(f func(p *deadPanel, set *letterSet) tea.Cmd) func(a *App) tea.Cmd {
		return on(func(p *deadPanel) tea.Cmd {
			if set := p.chosen(); set != nil {
				return f(p, set)
			}
			return nil
		})
	}
	reads, writes := (*App).noLetters, (*App).noLetterWrites
	return []action{
		{"view", "the dead letters of a reason, newest first, each in full", []string{"v"}, onLetters, true, reads, on((*deadPanel).view)},
		{"fix", "mend by rules (rename, cast, default), try it dry, send again", []string{"F"}, onLetters, true, writes, set((*deadPanel).fix)},
		{"replay", "send again what is marked, or this; a dry run comes first", []string{"r"}, onLetters, true, writes, set((*deadPanel).openReplay)},
		{"replay all", "send all dead letters again; a dry run comes first", []string{"R"}, onLetters, true, writes, on(func(p *deadPanel) tea.Cmd { return p.openReplay(p.all()) })},
		{"mark", "mark a reason: fix, replay, discard, export take the marked ones", []string{"space"}, onLetters, true, reads, on((*deadPanel).mark)},
		{"discard", "take what is marked, or this, out for good; asks first", []string{"D"}, onLetters, true, writes, set((*deadPanel).askDiscard)},
		{"export", "write what is marked, or this, to a file", []string{"x"}, onLetters, true, reads, set((*deadPanel).export)},
	}
}
