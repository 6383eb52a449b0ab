package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// PipelineFindings says in sentences what the report's numbers say: how many goals are met, what fails and by how much, what is closest to its
// goal, how the stages grow, and what changed since an earlier run (nil: nothing is said about it).
func PipelineFindings(p, previous *Pipeline) []string {
	f := pipelineFindings{p: p}
	f.tally()
	f.failures()
	f.closest()
	f.reached()
	f.unmeasured()
	f.growth()
	if previous != nil {
		f.changes(previous)
	}
	return f.said
}

type pipelineFindings struct {
	p    *Pipeline
	said []string
}

func (f *pipelineFindings) say(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

// with are the lines of a verdict.
func (f *pipelineFindings) with(v Verdict) []*Line {
	var lines []*Line
	for i := range f.p.Lines {
		if l := &f.p.Lines[i]; l.Verdict() == v {
			lines = append(lines, l)
		}
	}
	return lines
}

func (f *pipelineFindings) tally() {
	t := f.p.Tally()
	if t.Judged == 0 {
		f.say("Nothing here is held to a goal.")
		return
	}
	text := fmt.Sprintf("%s of %s met", count(int64(t.Passed)), plural(t.Judged, "goal"))
	if t.Passed == t.Judged {
		text = fmt.Sprintf("all of %s met", plural(t.Judged, "goal"))
		if t.Judged == 1 {
			text = "the one goal is met"
		}
	}
	if t.Reached > 0 {
		text += fmt.Sprintf(", %d of them with what would be excellent", t.Reached)
	}
	if t.Failed > 0 {
		text += "; what fails: " + strings.Join(f.p.Failed(), ", ")
	}
	f.say("%s.", capital(text))
}

// failures says of each line by how much it fails, and whether chance may have made it so.
func (f *pipelineFindings) failures() {
	for _, l := range f.with(Fail) {
		name := f.p.Label(l)
		if l.Same != nil && !*l.Same {
			f.say("FAIL: the outcome of %s is not that of its reference, whatever its time.", name)
		}
		value, ok := l.Value()
		if l.Goal == nil || !ok || l.Goal.Met(value) {
			continue
		}
		miss := "over it by "
		if l.Goal.AtLeast != 0 {
			miss = "short of it by "
		}
		text := fmt.Sprintf("FAIL: %s gives %s where the goal is %s, %s", name, l.ValueWords(), l.GoalWords(), miss+percent(-l.Goal.Margin(value)))
		met, rounds := 0, l.Rounds()
		for _, r := range rounds {
			if l.Goal.Met(r) {
				met++
			}
		}
		if met > 0 {
			text += fmt.Sprintf("; %d of its %d rounds met it, so another run may pass", met, len(rounds))
		} else if len(rounds) > 1 {
			text += fmt.Sprintf("; none of its %d rounds met it", len(rounds))
		}
		f.say("%s.", text)
	}
}

// closest names the line that passes with the least to spare. What stands exactly on its bound is a count that has nothing to spare.
func (f *pipelineFindings) closest() {
	margin := func(l *Line) float64 { v, _ := l.Value(); return l.Goal.Margin(v) }
	passed := slices.DeleteFunc(append(f.with(Pass), f.with(Reached)...), func(l *Line) bool { return margin(l) == 0 })
	if len(passed) == 0 {
		return
	}
	least := slices.MinFunc(passed, func(a, b *Line) int { return cmp.Compare(margin(a), margin(b)) })
	f.say("Closest to its goal of what passes: %s, %s where the goal is %s, %s to spare.", f.p.Label(least), least.ValueWords(), least.GoalWords(), percent(margin(least)))
}

func (f *pipelineFindings) reached() {
	var names []string
	for _, l := range append(f.with(Reached), f.with(Excellent)...) {
		names = append(names, fmt.Sprintf("%s (%s)", f.p.Label(l), l.ValueWords()))
	}
	if len(names) > 0 {
		f.say("Excellent: %s.", strings.Join(names, ", "))
	}
}

func (f *pipelineFindings) unmeasured() {
	var names []string
	for _, l := range f.with(NotMeasured) {
		names = append(names, f.p.Label(l))
	}
	if len(names) > 0 {
		f.say("Not measured, so not judged: %s.", strings.Join(names, ", "))
	}
}

// growth names what grows too fast and, of what is bound, what comes closest.
func (f *pipelineFindings) growth() {
	var within []*Growth
	for i := range f.p.Growth {
		g := &f.p.Growth[i]
		switch g.Verdict() {
		case Fail:
			f.say("FAIL: %s grows as events^%s from %s to %s, where at most events^%s is the goal.", g.Name, digits(g.Exponent), Brief(g.Events[0]), Brief(g.Events[len(g.Events)-1]), digits(g.AtMost))
		case Pass:
			within = append(within, g)
		}
	}
	if len(within) == 0 {
		return
	}
	spare := func(g *Growth) float64 { return g.AtMost - g.Exponent }
	least := slices.MinFunc(within, func(a, b *Growth) int { return cmp.Compare(spare(a), spare(b)) })
	f.say("Growth: %s within bounds; closest to its bound is %s, events^%s where %s is allowed.", plural(len(within), "stage"), least.Name, digits(least.Exponent), digits(least.AtMost))
}

// changes says what moved by more than chance, the farthest first.
func (f *pipelineFindings) changes(previous *Pipeline) {
	changes := ComparePipelines(f.p, previous)
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(math.Abs(b.Share), math.Abs(a.Share)) })
	moved := false
	for _, kind := range []struct {
		word string
		is   func(Change) bool
	}{{"Worse", Change.Worse}, {"Better", Change.Better}} {
		var names []string
		for _, c := range changes {
			if kind.is(c) {
				names = append(names, fmt.Sprintf("%s (%s)", f.p.label(c.Name, c.Events), c.Brief()))
			}
		}
		if len(names) > 0 {
			f.say("%s than on %s, by more than chance: %s.", kind.word, stamp(previous.At), strings.Join(names, ", "))
			moved = true
		}
	}
	if len(changes) > 0 && !moved {
		f.say("Nothing moved by more than chance since %s.", stamp(previous.At))
	}
}
