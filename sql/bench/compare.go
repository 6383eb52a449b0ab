package bench

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Change is how a measure of a report stands to the same one of an earlier report: a rung's median, or what a line is judged by.
type Change struct {
	Name   string
	Cold   bool    // of a rung
	Events int64   // of a line
	Share  float64 // after / before - 1: 0.07 is 7 % more
	Noise  float64 // a change up to this share, up or down, may be chance
	More   bool    // is better
	words  [2]string
}

// The words for a change for the worse and for the better.
var (
	timeWords = [2]string{"slower", "faster"}
	lineWords = [2]string{"worse", "better"}
)

// Worse tells that it got worse, by more than chance.
func (c Change) Worse() bool { return c.More && c.Share < -c.Noise || !c.More && c.Share > c.Noise }

// Better tells that it got better, by more than chance.
func (c Change) Better() bool { return c.More && c.Share > c.Noise || !c.More && c.Share < -c.Noise }

// Brief is the change as a sign and a number: "▲ +7 %", "▼ -12 %", or "~" where chance may have made it. The sign says where the number went.
func (c Change) Brief() string {
	switch {
	case !c.Worse() && !c.Better():
		return "~"
	case c.Share > 0:
		return fmt.Sprintf("▲ %+.0f %%", 100*c.Share)
	}
	return fmt.Sprintf("▼ %.0f %%", 100*c.Share)
}

// String is Brief and a word: "▲ +7 % slower", "▼ -12 % worse", "~".
func (c Change) String() string {
	switch {
	case c.Worse():
		return c.Brief() + " " + c.words[0]
	case c.Better():
		return c.Brief() + " " + c.words[1]
	}
	return c.Brief()
}

// Compare says how each rung of a report stands to an earlier one. The noise is computed from the samples: twice the spread of the medians of
// the rounds, of both reports together. A run's rounds lie seconds apart, so their spread is that of the machine's load too.
func Compare(now, before *Report) []Change {
	var changes []Change
	for i := range now.Rungs {
		a := &now.Rungs[i]
		b := before.Find(a.Name, a.Cold)
		if b == nil || b.Median == 0 {
			continue
		}
		noise := 2 * math.Hypot(spread(roundMedians(a.Samples, now.Data.Pairs)), spread(roundMedians(b.Samples, before.Data.Pairs)))
		changes = append(changes, Change{Name: a.Name, Cold: a.Cold, Share: float64(a.Median)/float64(b.Median) - 1, Noise: noise, words: timeWords})
	}
	return changes
}

// spread is the standard deviation of what the rounds gave, as a share of their median, by the quartiles: one disturbed round does not count.
func spread[V time.Duration | float64](rounds []V) float64 {
	sorted := slices.Sorted(slices.Values(rounds))
	middle := medianOf(sorted)
	if middle == 0 {
		return 0
	}
	const normal = 1.349 // the distance of the quartiles of a normal distribution, in standard deviations
	low, high := medianOf(sorted[:(len(sorted)+1)/2]), medianOf(sorted[len(sorted)/2:])
	return float64(high-low) / normal / float64(middle)
}

// leastChange is the share under which a line's change is not told: five rounds can agree by luck, and two runs of one program hours apart differ by
// as much.
const leastChange = 0.05

// ComparePipelines says how what each line is judged by stands to an earlier report. The noise is twice the spread of the rounds of both; a line with
// fewer than three rounds in either has no known noise, and no change.
func ComparePipelines(now, before *Pipeline) []Change {
	var changes []Change
	for i := range now.Lines {
		line := &now.Lines[i]
		old := before.Find(line)
		if old == nil {
			continue
		}
		after, ok := line.Value()
		was, known := old.Value()
		if !ok || !known || was == 0 {
			continue
		}
		noise := math.Inf(1)
		if a, b := line.Rounds(), old.Rounds(); min(len(a), len(b)) >= 3 {
			noise = max(leastChange, 2*math.Hypot(spread(a), spread(b)))
		}
		changes = append(changes, Change{Name: line.Name, Events: line.Events, Share: after/was - 1, Noise: noise, More: line.More(), words: lineWords})
	}
	return changes
}

// Trend is what a line was judged by in a history (newest first), oldest first: in the runs on lakes of its report's size on the same kind of machine,
// up to its report and with it.
func Trend(history []Pipeline, p *Pipeline, l *Line) []float64 {
	var values []float64
	for i := len(history) - 1; i >= 0; i-- {
		h := &history[i]
		if h.At.After(p.At) || h.Events != p.Events || !sameMachine(&h.Machine, &p.Machine) {
			continue
		}
		if line := h.Find(l); line != nil {
			if v, ok := line.Value(); ok {
				values = append(values, v)
			}
		}
	}
	return values
}
