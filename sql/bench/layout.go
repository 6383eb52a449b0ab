package bench

import (
	"math"
	"slices"
	"time"
)

// Layouts is one finished run of the benchmark of layouts: the same events written in several ways, and one question asked of all of them. A question is
// the p95 of one service on one day; a round asks it of every pair of service and day, and of every variant, in an order that changes with each pair.
type Layouts struct {
	Format   int           `json:"format"` // of this JSON: LayoutFormat
	At       time.Time     `json:"at"`
	Took     time.Duration `json:"took_ns"` // of writing and measuring
	Program  string        `json:"program"` // the version that was measured
	Machine  Machine       `json:"machine"`
	Data     Data          `json:"data"`     // of the lake that was written anew; it has no twin
	Question string        `json:"question"` // the statement, with $service and $day where the pair stands
	Rounds   int           `json:"rounds"`   // timed, of everything
	Base     string        `json:"base"`     // the variant that every axis changes one thing of
	Variants []Variant     `json:"variants"`
	Axes     []Axis        `json:"axes"`
	Clients  []Clients     `json:"clients"` // by variant, then by number
	Cold     Cold          `json:"cold"`
}

// LayoutFormat is the number of Layouts' JSON.
const LayoutFormat = 1

// Variant is one way to write the events.
type Variant struct {
	Name      string  `json:"name"`       // the same in every report
	Title     string  `json:"title"`      // for people, by itself: "date/service/status, 4 files a partition"
	Files     int     `json:"files"`      // of all events
	RowGroups int     `json:"row_groups"` // of all events
	Bytes     int64   `json:"bytes"`      // of all files
	Footers   int64   `json:"footers"`    // of these, what a reader fetches before any column
	Read      float64 `json:"read"`       // files for one question, the mean over the pairs
	ReadBytes int64   `json:"read_bytes"` // footers and needed column chunks for one question, by the books; the mean over the pairs
	Warm      Timing  `json:"warm"`
	Cold      Timing  `json:"cold"`
	Disk      int64   `json:"disk"` // cold: what the disk delivered for one question, by the kernel's count; the mean; 0 where it does not count
	Same      bool    `json:"same"` // its answers are those of the base, bit for bit
}

// Timing is how long questions took.
type Timing struct {
	Samples []time.Duration `json:"samples_ns"` // one a question, round after round; in each the pairs in the same order
	Best    time.Duration   `json:"best_ns"`
	Median  time.Duration   `json:"median_ns"`
	Worst   time.Duration   `json:"worst_ns"`
}

// Axis is one thing that differs, and nothing else does.
type Axis struct {
	Name   string  `json:"name"` // one of the names below
	Title  string  `json:"title"`
	Points []Point `json:"points"`
}

// Point is a variant as one axis sees it.
type Point struct {
	Title   string `json:"title"`
	Variant string `json:"variant"`
}

// The names of axes: they and those of variants are the same in every report.
const (
	AxisTree      = "tree"       // which keys are folders
	AxisFiles     = "files"      // how many files a partition has
	AxisCodec     = "codec"      // how pages are compressed, and by whom
	AxisRowGroups = "row-groups" // how many rows a row group has
)

// The variants that findings speak of by name.
const (
	VariantOne    = "one"     // one file in the order of time
	VariantSorted = "sorted"  // one file ordered by the partition key
	VariantTree   = "status"  // date/service/status, one file a partition, zstd: the base
	VariantOwn    = "own"     // the lake's own files, as its conversion left them
	VariantMany   = "files16" // the base with sixteen files a partition
)

// Clients is what so many clients got who asked at once, each its next question when it had the answer of the last one.
type Clients struct {
	Variant   string        `json:"variant"`
	Clients   int           `json:"clients"`
	Rates     []float64     `json:"rates"`      // questions a second, of all clients together, one a round
	Best      float64       `json:"best"`       // of the rates
	PerSecond float64       `json:"per_second"` // the median of the rates
	Median    time.Duration `json:"median_ns"`  // of all questions of all rounds
	Worst     time.Duration `json:"worst_ns"`
}

// Known tells whether the report's JSON has this release's format.
func (l *Layouts) Known() bool { return l.Format == LayoutFormat }

// When is when the run ended.
func (l *Layouts) When() time.Time { return l.At }

// Comparable tells whether two reports asked the same of the same events on the same kind of machine.
func (l *Layouts) Comparable(other *Layouts) bool {
	a, b := &l.Data, &other.Data
	return a.Events == b.Events && a.Services == b.Services && a.Days == b.Days && a.Pairs == b.Pairs && a.Seed == b.Seed && sameMachine(&l.Machine, &other.Machine)
}

// Find is the variant of that name; nil when the report has none.
func (l *Layouts) Find(name string) *Variant {
	for i := range l.Variants {
		if l.Variants[i].Name == name {
			return &l.Variants[i]
		}
	}
	return nil
}

// Axis is the axis of that name; nil when the report has none.
func (l *Layouts) Axis(name string) *Axis {
	for i := range l.Axes {
		if l.Axes[i].Name == name {
			return &l.Axes[i]
		}
	}
	return nil
}

// ClientsOf is what so many clients of a variant got; nil when the report does not tell.
func (l *Layouts) ClientsOf(variant string, clients int) *Clients {
	for i := range l.Clients {
		if c := &l.Clients[i]; c.Variant == variant && c.Clients == clients {
			return c
		}
	}
	return nil
}

// Fill computes what follows from the samples.
func (l *Layouts) Fill() {
	for i := range l.Variants {
		l.Variants[i].Warm.fill()
		l.Variants[i].Cold.fill()
	}
	for i := range l.Clients {
		c := &l.Clients[i]
		if len(c.Rates) > 0 {
			c.Best, c.PerSecond = slices.Max(c.Rates), medianOf(slices.Sorted(slices.Values(c.Rates)))
		}
	}
}

func (t *Timing) fill() {
	r := t.rung()
	r.Fill()
	t.Best, t.Median, t.Worst = r.Best, r.Median, r.Worst
}

// rung is the timing as one of the ladder's, for what is computed from both.
func (t *Timing) rung() *Rung { return &Rung{Samples: t.Samples, Median: t.Median} }

// Against compares two timings of one report; see Rung.Against.
func (t *Timing) Against(base *Timing) Ratio { return t.rung().Against(base.rung()) }

// CompareLayouts says how each variant's ratio to the base stands to that of an earlier report: the load of the machine is in neither. The noise is twice the
// spread of the rounds' ratios of both.
func CompareLayouts(now, before *Layouts) []Change {
	var changes []Change
	for i := range now.Variants {
		name := now.Variants[i].Name
		for _, cold := range []bool{false, true} {
			after, rounds := now.toBase(name, cold)
			was, older := before.toBase(name, cold)
			if name == now.Base || name == before.Base || after == 0 || was == 0 {
				continue
			}
			noise := max(leastChange, 2*math.Hypot(spread(rounds), spread(older)))
			changes = append(changes, Change{Name: name, Cold: cold, Share: after/was - 1, Noise: noise, words: timeWords})
		}
	}
	return changes
}

// toBase is how a variant's median stands to the base's, of all rounds and of each; 0 where one of them was not measured.
func (l *Layouts) toBase(name string, cold bool) (all float64, rounds []float64) {
	v, base := l.Find(name), l.Find(l.Base)
	if v == nil || base == nil || base.timing(cold).Median == 0 {
		return 0, nil
	}
	theirs := roundMedians(base.timing(cold).Samples, l.Data.Pairs)
	for i, m := range roundMedians(v.timing(cold).Samples, l.Data.Pairs) {
		if i < len(theirs) && theirs[i] > 0 {
			rounds = append(rounds, float64(m)/float64(theirs[i]))
		}
	}
	return float64(v.timing(cold).Median) / float64(base.timing(cold).Median), rounds
}

func (v *Variant) timing(cold bool) *Timing {
	if cold {
		return &v.Cold
	}
	return &v.Warm
}
