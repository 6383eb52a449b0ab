package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Fill computes Best, Median and Worst from the samples.
func (r *Rung) Fill() {
	sorted := slices.Sorted(slices.Values(r.Samples))
	if len(sorted) > 0 {
		r.Best, r.Median, r.Worst = sorted[0], medianOf(sorted), sorted[len(sorted)-1]
	}
}

// Fill computes Median from the samples.
func (p *Probe) Fill() { p.Median = medianOf(slices.Sorted(slices.Values(p.Samples))) }

// medianOf is the median of sorted values; 0 of none.
func medianOf[V time.Duration | float64](sorted []V) V {
	n := len(sorted)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// Ratio is how one rung's median stands to another's: 0.5 is half the time. [Low, High] holds it with a confidence of 95 %.
type Ratio struct{ Value, Low, High float64 }

// Faster tells that the first one is faster and that it is not chance.
func (r Ratio) Faster() bool { return r.High < 1 }

// Slower tells that the first one is slower and that it is not chance.
func (r Ratio) Slower() bool { return r.Low > 1 }

const (
	resamples  = 1000 // of the bootstrap: the interval's ends are then good to a percent
	confidence = 0.95
)

// Against compares two rungs of one report. The interval is made by drawing questions again (a bootstrap): a question's samples of both rungs
// stay together, since they were taken within milliseconds of each other under the same load. The same report gives the same interval.
func (r *Rung) Against(base *Rung) Ratio {
	n := min(len(r.Samples), len(base.Samples))
	if n == 0 || base.Median == 0 {
		return Ratio{Value: math.NaN(), Low: math.Inf(-1), High: math.Inf(1)}
	}
	draw := rand.New(rand.NewPCG(1, 2))
	mine, theirs := make([]time.Duration, n), make([]time.Duration, n)
	ratios := make([]float64, resamples)
	for i := range ratios {
		for j := range n {
			k := draw.IntN(n)
			mine[j], theirs[j] = r.Samples[k], base.Samples[k]
		}
		slices.Sort(mine)
		slices.Sort(theirs)
		ratios[i] = float64(medianOf(mine)) / float64(max(1, medianOf(theirs)))
	}
	slices.Sort(ratios)
	cut := int(math.Round((1 - confidence) / 2 * resamples))
	return Ratio{Value: float64(r.Median) / float64(base.Median), Low: ratios[cut], High: ratios[resamples-1-cut]}
}

// roundMedians is the median of each round of so many questions.
func roundMedians(samples []time.Duration, pairs int) []time.Duration {
	var medians []time.Duration
	for pairs > 0 && len(samples) >= pairs {
		medians = append(medians, medianOf(slices.Sorted(slices.Values(samples[:pairs]))))
		samples = samples[pairs:]
	}
	return medians
}
