package bench

import (
	"fmt"
	"math"
	"slices"
)

// Verdict is how a line stands to its goal. It is computed from the numbers whenever it is asked for and never stored, so that no report says of
// itself what its numbers do not.
type Verdict int

// The verdicts. The first three judge nothing; the others go from the worst to the best.
const (
	NoGoal      Verdict = iota // a figure that is told and not judged
	Excellent                  // nor is this one, but it is as good as would be excellent
	NotMeasured                // there is a goal, and no number: the notes say why
	Fail                       // the goal is missed, or what should be equal is not
	Pass                       // the goal is met
	Reached                    // so is what would be excellent
)

var verdictWords = [...]string{NoGoal: "no goal", Excellent: "no goal, reach met", NotMeasured: "not measured", Fail: "FAIL", Pass: "pass", Reached: "pass, reach met"}

// String is the verdict as every table has it.
func (v Verdict) String() string { return verdictWords[v] }

// MarshalText makes the verdict a word in JSON too.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (v *Verdict) UnmarshalText(text []byte) error {
	i := slices.Index(verdictWords[:], string(text))
	if i < 0 {
		return fmt.Errorf("no verdict is called %q", text)
	}
	*v = Verdict(i)
	return nil
}

// Value is what the line is judged by: its ratio, or the median of ours where it has no reference. ok is false where nothing was measured.
func (l *Line) Value() (value float64, ok bool) {
	value = l.Ours.Median
	if l.Reference != nil {
		value = l.Ratio
	}
	return value, value > 0 && !math.IsInf(value, 0)
}

// Verdict judges the line.
func (l *Line) Verdict() Verdict {
	value, ok := l.Value()
	switch {
	case l.Same != nil && !*l.Same:
		return Fail
	case l.Goal == nil && ok && l.Reach != nil && l.Reach.Met(value):
		return Excellent
	case l.Goal == nil:
		return NoGoal
	case !ok:
		return NotMeasured
	case !l.Goal.Met(value):
		return Fail
	case l.Reach != nil && l.Reach.Met(value):
		return Reached
	}
	return Pass
}

// More tells whether more is better of what the line is judged by.
func (l *Line) More() bool {
	for _, g := range []*Goal{l.Goal, l.Reach} {
		if g != nil {
			return g.AtLeast != 0
		}
	}
	return l.Unit == "events/s"
}

// Rounds is what the line is judged by, round by round in their order: ours and the reference of one round were measured within moments of each other. Which of
// the two divides the other follows from Ratio. A reference of one sample is a stated figure, the same for every round. Where the numbers of samples
// differ otherwise it is nil: there are no rounds then.
func (l *Line) Rounds() []float64 {
	if l.Reference == nil {
		return l.Ours.Samples
	}
	reference := l.Reference.Samples
	if len(reference) == 1 {
		reference = slices.Repeat(reference, len(l.Ours.Samples))
	}
	if len(l.Ours.Samples) != len(reference) {
		return nil
	}
	var ratios []float64
	for i, ours := range l.Ours.Samples {
		theirs := reference[i]
		if !(ours > 0 && theirs > 0) {
			return nil
		}
		if l.inverse() {
			ours, theirs = theirs, ours
		}
		ratios = append(ratios, ours/theirs)
	}
	return ratios
}

// inverse tells that Ratio is the reference over ours: so many times as fast, where the measures are times.
func (l *Line) inverse() bool {
	direct := math.Log(l.Ours.Median / l.Reference.Median)
	ratio := math.Log(l.Ratio)
	return math.Abs(ratio+direct) < math.Abs(ratio-direct)
}

// Met tells whether a value is within the goal.
func (g *Goal) Met(value float64) bool {
	return (g.AtLeast == 0 || value >= g.AtLeast) && (g.AtMost == 0 || value <= g.AtMost)
}

// Margin is how far a value is on the good side of the goal, as a share of the bound: 0.12 is 12 % to spare, -0.08 misses it by 8 %.
func (g *Goal) Margin(value float64) float64 {
	if g.AtLeast != 0 {
		return value/g.AtLeast - 1
	}
	return 1 - value/g.AtMost
}

// Times is how many times the goal a value is: 1 meets it just so, 2 is twice as good.
func (g *Goal) Times(value float64) float64 {
	if g.AtLeast != 0 {
		return value / g.AtLeast
	}
	return g.AtMost / value
}

// Verdict judges the growth.
func (g *Growth) Verdict() Verdict {
	switch {
	case g.AtMost == 0:
		return NoGoal
	case len(g.Medians) < 2 || math.IsNaN(g.Exponent):
		return NotMeasured
	case g.Exponent > g.AtMost:
		return Fail
	}
	return Pass
}

// Tally is how many lines and growths of a report have which verdict.
type Tally struct{ Judged, Passed, Reached, Failed int }

// Tally counts the verdicts. Reached ones are Passed too.
func (p *Pipeline) Tally() Tally {
	var t Tally
	add := func(v Verdict) {
		switch v {
		case Fail:
			t.Failed++
		case Reached:
			t.Reached++
			t.Passed++
		case Pass:
			t.Passed++
		}
	}
	for i := range p.Lines {
		add(p.Lines[i].Verdict())
	}
	for i := range p.Growth {
		add(p.Growth[i].Verdict())
	}
	t.Judged = t.Passed + t.Failed
	return t
}

// Failed names what fails: lines by Label, growths as "growth of convert".
func (p *Pipeline) Failed() []string {
	var names []string
	for i := range p.Lines {
		if l := &p.Lines[i]; l.Verdict() == Fail {
			names = append(names, p.Label(l))
		}
	}
	for i := range p.Growth {
		if g := &p.Growth[i]; g.Verdict() == Fail {
			names = append(names, "growth of "+g.Name)
		}
	}
	return names
}

// Label names a line of the report: "convert", or "p95-list at 10M" where its lake is not the report's largest.
func (p *Pipeline) Label(l *Line) string { return p.label(l.Name, l.Events) }

func (p *Pipeline) label(name string, events int64) string {
	if events == 0 || events == p.Events {
		return name
	}
	return name + " at " + Brief(events)
}

// Judged is a report as scripts want it: a verdict beside each line and each growth, and the names of what fails. It decodes as a Pipeline.
type Judged struct {
	Pipeline
	Lines  []JudgedLine   `json:"lines"` // in the place of the report's own
	Growth []JudgedGrowth `json:"growth,omitempty"`
	Failed []string       `json:"failed"`
}

// JudgedLine is a line and its verdict.
type JudgedLine struct {
	Line
	Verdict Verdict `json:"verdict"`
}

// JudgedGrowth is a growth and its verdict.
type JudgedGrowth struct {
	Growth
	Verdict Verdict `json:"verdict"`
}

// Judge puts the verdicts beside the numbers.
func (p *Pipeline) Judge() Judged {
	j := Judged{Pipeline: *p, Failed: append([]string{}, p.Failed()...)}
	for i := range p.Lines {
		j.Lines = append(j.Lines, JudgedLine{p.Lines[i], p.Lines[i].Verdict()})
	}
	for i := range p.Growth {
		j.Growth = append(j.Growth, JudgedGrowth{p.Growth[i], p.Growth[i].Verdict()})
	}
	return j
}
