package torture

import (
	"fmt"
	"net/http"
	"strings"
)

// SoakReport is what a soak did and found. Its keys are an API.
type SoakReport struct {
	OK          bool     `json:"ok"`
	BatchEvents int      `json:"batch_events"`
	Full        *Phase   `json:"full"`
	Half        *Phase   `json:"half"`
	Over        *Phase   `json:"over,omitempty"`
	Calm        *Phase   `json:"calm,omitempty"`
	CalmAfterS  float64  `json:"calm_after_s"` // after the overload; negative: not within the time that was watched
	Growth      []Growth `json:"growth"`       // over the half load
	PeakRSS     int64    `json:"peak_rss"`     // bytes, over all phases
	Events      int64    `json:"events"`       // in the lake, in the end
	Distinct    int64    `json:"distinct"`     // ids of them
	Problems    []string `json:"problems"`
}

// Growth compares one figure early and late in the half load: medians of its second and its last quarter.
type Growth struct {
	Name  string  `json:"name"`
	Early float64 `json:"early"`
	Late  float64 `json:"late"`
	Limit float64 `json:"limit"` // above it, it is no longer flat
}

// What counts as flat: memory moves with the garbage collector and with each conversion, goroutines and descriptors with the connections at hand.
const (
	flatShare = 1.15
	flatSlack = 10
)

func (r *SoakReport) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// conclude computes what follows from the phases.
func (r *SoakReport) conclude() {
	r.Problems = []string{}
	r.grow("memory, bytes", 32<<20, func(s *Sample) float64 { return float64(s.RSS) })
	r.grow("goroutines", flatSlack, func(s *Sample) float64 { return float64(s.Goroutines) })
	r.grow("descriptors", flatSlack, func(s *Sample) float64 { return float64(s.Files) })
	var acked, unanswered int64
	for _, p := range []*Phase{r.Full, r.Half, r.Over, r.Calm} {
		if p != nil {
			acked, unanswered, r.PeakRSS = acked+p.Acked, unanswered+p.Unanswered*int64(r.BatchEvents), max(r.PeakRSS, peakRSS(p.Samples))
		}
	}
	if !r.Half.only() {
		r.problem("at half load not everything was acknowledged: %v, %d unanswered: %.200s", r.Half.Statuses, r.Half.Unanswered, r.Half.refusal())
	}
	if r.Over != nil {
		if !r.Over.only(http.StatusTooManyRequests) {
			r.problem("under overload there were other answers than 200 and 429: %v, %d unanswered: %.200s", r.Over.Statuses, r.Over.Unanswered, r.Over.refusal())
		}
		if r.CalmAfterS < 0 || r.CalmAfterS > calmWithin.Seconds() {
			r.problem("%v after the overload it was not as before", calmWithin)
		}
	}
	if r.Events < acked || r.Events > acked+unanswered || r.Distinct != r.Events {
		r.problem("%d events were acknowledged, %d at most are open, and the lake has %d (%d ids)", acked, unanswered, r.Events, r.Distinct)
	}
	r.OK = len(r.Problems) == 0
}

// grow compares a figure early and late in the half load. Where nobody told it, there is nothing to compare.
func (r *SoakReport) grow(name string, slack float64, value func(*Sample) float64) {
	all := r.Half.Samples
	g := Growth{Name: name, Early: median(all[len(all)/4:len(all)/2], value), Late: median(all[len(all)*3/4:], value)}
	if g.Early == 0 {
		return
	}
	g.Limit = g.Early*flatShare + slack
	r.Growth = append(r.Growth, g)
	if g.Late > g.Limit {
		r.problem("%s grew from %.0f to %.0f", name, g.Early, g.Late)
	}
}

// String is the report for people.
func (r *SoakReport) String() string {
	var b strings.Builder
	for _, p := range []*Phase{r.Full, r.Half, r.Over, r.Calm} {
		if p == nil {
			continue
		}
		fmt.Fprintf(&b, "%-18s %4.0f s  %8.0f events/s tried  %8.0f acknowledged  p50 %.1f  p99 %.1f  worst %.0f ms  peak %d MB  lag p95 %.0f ms  %s\n",
			p.Name, p.Seconds, p.Tried, p.AckedPerS, p.P50MS, p.P99MS, p.WorstMS, peakRSS(p.Samples)>>20,
			median(p.Samples, func(s *Sample) float64 { return s.LagMS }), p.answers())
	}
	for _, g := range r.Growth {
		fmt.Fprintf(&b, "%-18s %.0f early, %.0f late\n", g.Name, g.Early, g.Late)
	}
	if r.Over != nil {
		fmt.Fprintf(&b, "calm again after   %.0f s\n", r.CalmAfterS)
	}
	fmt.Fprintf(&b, "in the lake        %d events, %d ids\n", r.Events, r.Distinct)
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "PROBLEM            %s\n", p)
	}
	return b.String()
}

// answers are the phase's, by status.
func (p *Phase) answers() string {
	var parts []string
	for _, status := range []int{200, 408, 413, 429, 500, 503} {
		if n := p.Statuses[status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d x %d", n, status))
		}
	}
	if p.Unanswered > 0 {
		parts = append(parts, fmt.Sprintf("%d unanswered", p.Unanswered))
	}
	return strings.Join(parts, ", ")
}
