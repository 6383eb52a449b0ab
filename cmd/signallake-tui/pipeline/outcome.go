package pipeline

import (
	"fmt"
	"math"
	"slices"

	"github.com/signallake/signallake/sql/bench"
)

// outcome collects what was measured on one lake.
type outcome struct {
	events int64
	found  map[string]*finding // by line
}

// finding is what was measured of one line.
type finding struct {
	ours, reference []float64
	same            *bool
	notes           []string
}

func newOutcome(events int64) *outcome { return &outcome{events: events, found: map[string]*finding{}} }

func (o *outcome) of(name string) *finding {
	f := o.found[name]
	if f == nil {
		f = &finding{}
		o.found[name] = f
	}
	return f
}

// add adds the samples of a line: one a round, in the line's unit. reference may be nil.
func (o *outcome) add(name string, ours, reference []float64) *finding {
	f := o.of(name)
	f.ours, f.reference = append(f.ours, ours...), append(f.reference, reference...)
	return f
}

// equal says that the answers, or what was written, were compared.
func (f *finding) equal(same bool) *finding {
	if f.same != nil {
		same = same && *f.same
	}
	f.same = &same
	return f
}

func (f *finding) note(format string, args ...any) *finding {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
	return f
}

// report is the line as the report has it; false where nothing was measured of it.
func (o *outcome) report(l line) (bench.Line, bool) {
	f := o.found[l.name]
	if f == nil || len(f.ours) == 0 {
		return bench.Line{}, false
	}
	l = l.at(o.events)
	out := bench.Line{Name: l.name, Title: l.title, Events: o.events, Unit: l.unit, Ours: measureOf(f.ours, l.unit), Against: l.against, Same: f.same, Notes: f.notes}
	if len(f.reference) > 0 {
		m := measureOf(f.reference, l.unit)
		out.Reference = &m
		out.Ratio = out.Ours.Median / m.Median
		if l.speed {
			out.Ratio = m.Median / out.Ours.Median
		}
	}
	if o.events >= l.from {
		out.Goal, out.Reach = goalOf(l.goal), goalOf(l.reach)
	} else {
		out.Notes = append(out.Notes, fmt.Sprintf("not judged: the goal is for %d events and more", l.from))
	}
	return out, true
}

// goalOf is nil for a bound that says nothing.
func goalOf(g bench.Goal) *bench.Goal {
	if g == (bench.Goal{}) {
		return nil
	}
	return &g
}

// measureOf is a measure of its samples. The best of a rate is the highest.
func measureOf(samples []float64, unit string) bench.Measure {
	m := bench.Measure{Samples: samples}
	m.Fill(unit == "events/s")
	return m
}

// sorted is a copy in order.
func sorted(samples []float64) []float64 { return slices.Sorted(slices.Values(samples)) }

// median is that of sorted numbers; 0 of none.
func median(inOrder []float64) float64 {
	n := len(inOrder)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return inOrder[n/2]
	}
	return (inOrder[n/2-1] + inOrder[n/2]) / 2
}

// quantile is that of sorted numbers, the nearest one above; 0 of none.
func quantile(inOrder []float64, p float64) float64 {
	if len(inOrder) == 0 {
		return 0
	}
	return inOrder[max(0, int(math.Ceil(p*float64(len(inOrder))))-1)]
}

// growth is how a line grows through the outcomes, smallest first; false where it was measured for fewer than two sizes.
func growth(l line, outcomes []*outcome) (bench.Growth, bool) {
	g := bench.Growth{Name: l.name, Title: l.title, Unit: "ms", AtMost: l.grows}
	if l.grows == 0 {
		return g, false
	}
	if large := slices.IndexFunc(outcomes, func(o *outcome) bool { return o.events >= l.growsFrom }); large >= 0 && large <= len(outcomes)-2 {
		outcomes = outcomes[large:]
	} else {
		g.AtMost = 0
		g.Notes = append(g.Notes, fmt.Sprintf("not judged without two sizes of %d events and more: %s", l.growsFrom, l.small))
	}
	if l.grows == flat {
		g.Notes = append(g.Notes, "flat: ten times the events may take 1.3 times as long")
	}
	for _, o := range outcomes {
		f := o.found[l.name]
		if f == nil || len(f.ours) == 0 {
			continue
		}
		g.Events, g.Medians = append(g.Events, o.events), append(g.Medians, totalTime(l.unit, median(sorted(f.ours)), o.events))
	}
	if len(g.Events) < 2 {
		return g, false
	}
	g.Exponent = exponent(g.Events, g.Medians)
	return g, true
}

// totalTime is the milliseconds that all events take, of a line's measure.
func totalTime(unit string, measure float64, events int64) float64 {
	switch unit {
	case "ns/event":
		return measure * float64(events) / 1e6
	case "events/s":
		return float64(events) / measure * 1e3
	}
	return measure
}

// exponent is b of the curve y = a * x^b that fits best: the slope of a straight line through the logarithms, by least squares.
func exponent(events []int64, medians []float64) float64 {
	var sx, sy, sxx, sxy float64
	n := float64(len(events))
	for i := range events {
		x, y := math.Log(float64(events[i])), math.Log(max(medians[i], 1e-9))
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}
