package bench

import (
	"slices"
	"time"
)

// Pipeline is one finished run of the benchmark of the stages: each with its reference beside it, in turns, and the goal that it is held to.
type Pipeline struct {
	Format  int           `json:"format"` // of this JSON: PipelineFormat
	At      time.Time     `json:"at"`
	Took    time.Duration `json:"took_ns"`
	Program string        `json:"program"` // the version that was measured
	Machine Machine       `json:"machine"`
	Events  int64         `json:"events"` // of the largest lake of the run
	Rounds  int           `json:"rounds"` // of each measure at least
	Cached  []string      `json:"cached"` // what was kept from one round to the next, in sentences
	Lines   []Line        `json:"lines"`
	Growth  []Growth      `json:"growth,omitempty"`
}

// PipelineFormat is the number of Pipeline's JSON.
const PipelineFormat = 1

// Line is one stage beside its reference, or beside a bound.
type Line struct {
	Name      string   `json:"name"`  // the same in every report: "convert"
	Title     string   `json:"title"` // for people: "JSONL to partitioned Parquet, zstd"
	Events    int64    `json:"events"`
	Unit      string   `json:"unit"` // of both measures: "ms", "ns/event", "events/s", "MB", "files"
	Ours      Measure  `json:"ours"`
	Reference *Measure `json:"reference,omitempty"` // nil: the goal is about ours alone
	Against   string   `json:"against,omitempty"`   // what the reference is, in words
	Ratio     float64  `json:"ratio,omitempty"`     // of the medians, as the goal has it; 0 without a reference
	Goal      *Goal    `json:"goal,omitempty"`      // nil: a figure that is told and not judged
	Reach     *Goal    `json:"reach,omitempty"`     // what would be excellent
	Same      *bool    `json:"same,omitempty"`      // the answers, or what was written, were compared and are equal; nil: there is nothing to compare
	Notes     []string `json:"notes,omitempty"`
}

// Measure is what was measured of one side: one sample a round.
type Measure struct {
	Samples []float64 `json:"samples"`
	Best    float64   `json:"best"`
	Median  float64   `json:"median"`
	Worst   float64   `json:"worst"`
}

// Goal is a bound on a line's ratio, or on the median of ours where the line has no reference.
type Goal struct {
	AtLeast float64 `json:"at_least,omitempty"` // one of the two is not 0
	AtMost  float64 `json:"at_most,omitempty"`
}

// Growth is how a stage's time grows with the number of events: time ~ events^Exponent.
type Growth struct {
	Name     string    `json:"name"` // of the line
	Title    string    `json:"title"`
	Events   []int64   `json:"events"`
	Unit     string    `json:"unit"`
	Medians  []float64 `json:"medians"`
	Exponent float64   `json:"exponent"` // of the fit through all sizes
	AtMost   float64   `json:"at_most"`  // the bound on Exponent: 1 and a little for noise, or nearly 0 where the stage is to be flat
	Notes    []string  `json:"notes,omitempty"`
}

// Find is the line of this report that measures the same as one of another report; nil when there is none.
func (p *Pipeline) Find(l *Line) *Line {
	for i := range p.Lines {
		if m := &p.Lines[i]; m.Name == l.Name && m.Events == l.Events && m.Unit == l.Unit && (m.Reference == nil) == (l.Reference == nil) {
			return m
		}
	}
	return nil
}

// Fill computes Best, Median and Worst from the samples. More tells that more is better, as of a rate.
func (m *Measure) Fill(more bool) {
	sorted := slices.Sorted(slices.Values(m.Samples))
	if len(sorted) == 0 {
		return
	}
	m.Best, m.Median, m.Worst = sorted[0], medianOf(sorted), sorted[len(sorted)-1]
	if more {
		m.Best, m.Worst = m.Worst, m.Best
	}
}
