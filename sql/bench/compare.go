package bench

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Change is how a rung stands to the same one of an earlier report.
type Change struct {
	Name          string
	Cold          bool
	Before, After time.Duration // medians
	Share         float64       // After / Before - 1: 0.07 is 7 % slower
	Noise         float64       // a change up to this share, up or down, may be chance
}

// Slower tells that the rung is slower than before, by more than chance.
func (c Change) Slower() bool { return c.Share > c.Noise }

// Faster tells that the rung is faster than before, by more than chance.
func (c Change) Faster() bool { return c.Share < -c.Noise }

// String is the change in a few columns: "▲ +7 % slower", "▼ -12 % faster", or "~" where chance may have made it.
func (c Change) String() string {
	switch {
	case c.Slower():
		return fmt.Sprintf("▲ %+.0f %% slower", 100*c.Share)
	case c.Faster():
		return fmt.Sprintf("▼ %.0f %% faster", 100*c.Share)
	}
	return "~"
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
		noise := 2 * math.Hypot(spread(a.Samples, now.Data.Pairs), spread(b.Samples, before.Data.Pairs))
		changes = append(changes, Change{Name: a.Name, Cold: a.Cold, Before: b.Median, After: a.Median,
			Share: float64(a.Median)/float64(b.Median) - 1, Noise: noise})
	}
	return changes
}

// spread is the standard deviation of the rounds' medians, as a share of their median, by the quartiles: one disturbed round does not count.
func spread(samples []time.Duration, pairs int) float64 {
	medians := roundMedians(samples, pairs)
	slices.Sort(medians)
	middle := medianOf(medians)
	if middle == 0 {
		return 0
	}
	const normal = 1.349 // the distance of the quartiles of a normal distribution, in standard deviations
	low, high := medianOf(medians[:(len(medians)+1)/2]), medianOf(medians[len(medians)/2:])
	return float64(high-low) / normal / float64(middle)
}

// Comparable tells whether two reports asked the same of the same: shape of the data, and the machine's processor and memory. The programs'
// versions may differ: how they compare is what one wants to know.
func Comparable(a, b *Report) bool {
	return a.Data.Scratch == b.Data.Scratch && a.Data.Events == b.Data.Events && a.Data.Services == b.Data.Services && a.Data.Days == b.Data.Days &&
		a.Data.Pairs == b.Data.Pairs && a.Data.Seed == b.Data.Seed && sameMachine(&a.Machine, &b.Machine)
}

func sameMachine(a, b *Machine) bool {
	return a.CPU == b.CPU && a.Cores == b.Cores && a.Threads == b.Threads && a.Memory>>30 == b.Memory>>30
}

// Previous is the newest report of a history (newest first) that r can be compared with; nil when there is none. r itself is passed over.
func Previous(history []Report, r *Report) *Report {
	for i := range history {
		if h := &history[i]; h.At.Before(r.At) && Comparable(h, r) {
			return h
		}
	}
	return nil
}
