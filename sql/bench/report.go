// Package bench says what a benchmark of the lake found: its reports, their history, and their findings in words that are computed from the
// numbers. It runs nothing: sql/duck does.
package bench

import "time"

// Report is one finished run. A question is the p95 of one service on one day; a round asks it of every pair of service and day once, in the
// same order, and of every rung.
type Report struct {
	Format   int           `json:"format"` // of this JSON: 1
	At       time.Time     `json:"at"`
	Took     time.Duration `json:"took_ns"` // of the measuring
	Machine  Machine       `json:"machine"`
	Data     Data          `json:"data"`
	Question string        `json:"question"` // the statement, with $service and $day where the pair stands
	Runs     int           `json:"runs"`     // timed rounds: each rung has Runs x Data.Pairs samples
	Rungs    []Rung        `json:"rungs"`    // the warm ones in the order of the ladder, then the cold ones
	Probes   []Probe       `json:"probes,omitempty"`
	Cold     Cold          `json:"cold"`
}

// Format is the number of this package's JSON.
const Format = 1

// Machine is what the run stood on. It names no host and no path.
type Machine struct {
	OS      string `json:"os"` // with the kernel's release
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Memory  int64  `json:"memory_bytes"`
	Go      string `json:"go"`
	Engine  string `json:"engine"`  // with its version
	Threads int    `json:"threads"` // of a statement
}

// Data is what was asked about.
type Data struct {
	Events       int64  `json:"events"`
	Files        int    `json:"files"`
	Bytes        int64  `json:"bytes"`
	TwinBytes    int64  `json:"twin_bytes"` // of the unpartitioned file
	Services     int    `json:"services"`
	Days         int    `json:"days"`
	Pairs        int    `json:"pairs"` // of service and day that the question rotates over
	PairsTotal   int    `json:"pairs_total"`
	Version      uint64 `json:"version"`
	Scratch      bool   `json:"scratch"` // made for the run and gone after it
	Seed         uint64 `json:"seed,omitempty"`
	Distribution string `json:"distribution,omitempty"`
}

// The rungs of the ladder. A name is the same in every report.
const (
	Unpartitioned = "unpartitioned" // one file, filtered by the columns: what every other rung is compared with
	Glob          = "glob"          // the Hive tree by a pattern: the engine lists and prunes, as the prototype did
	Catalog       = "catalog"       // the Hive tree by our catalog's list of files
	Engine        = "engine"        // the same, and all that stands before it when a user types the statement: gate, plan, view
)

// Rung is one way to answer the question, warm or cold.
type Rung struct {
	Name       string          `json:"name"`
	Title      string          `json:"title"`
	Cold       bool            `json:"cold"`        // the files' pages were dropped before each question
	Files      float64         `json:"files"`       // read for one question, the mean over the pairs
	FilesTotal int             `json:"files_total"` // of the layout
	Bytes      int64           `json:"bytes"`       // footers and needed column chunks by the books, the mean over the pairs
	Fetched    int64           `json:"fetched"`     // the same by the kernel's count of what the process read, the engine's caches off; 0 where it does not count
	Disk       int64           `json:"disk"`        // cold: what the disk delivered for one question, by the kernel's count; the mean; 0 where it does not count
	Samples    []time.Duration `json:"samples_ns"`  // one a question, in the order in which they were taken: round after round
	Best       time.Duration   `json:"best_ns"`
	Median     time.Duration   `json:"median_ns"`
	Worst      time.Duration   `json:"worst_ns"`
	Same       bool            `json:"same"` // its answers are those of the first rung, bit for bit
}

// The probes: work that a rung does as well, timed alone (warm, in the same rounds), so that the rungs can be explained.
const (
	ProbeList     = "list"      // list the tree by the pattern: names only
	ProbeGlobPlan = "glob-plan" // plan the question over the pattern: list, read the keys from the names, prune, open one file; no data
	ProbeListPlan = "list-plan" // plan it over the catalog's list
	ProbeListOpen = "list-open" // plan a count over the catalog's list and answer it: every file is opened, no data is read
	ProbePlan     = "plan"      // what the engine does before it reads: gate, plan, prune
)

// Probe is a side measurement.
type Probe struct {
	Name    string          `json:"name"`
	Title   string          `json:"title"`
	Samples []time.Duration `json:"samples_ns"`
	Median  time.Duration   `json:"median_ns"`
}

// Cold tells how cold the cold rungs were.
type Cold struct {
	Why      string  `json:"why,omitempty"`      // why there are none
	Bytes    int64   `json:"bytes,omitempty"`    // of the files whose pages were dropped before each question
	Resident float64 `json:"resident,omitempty"` // the share of them that was still in memory then, the largest seen: 0 is cold
}

// Find is the rung of that name, warm or cold; nil when the report has none.
func (r *Report) Find(name string, cold bool) *Rung {
	for i := range r.Rungs {
		if r.Rungs[i].Name == name && r.Rungs[i].Cold == cold {
			return &r.Rungs[i]
		}
	}
	return nil
}

// Probe is the median of the side measurement of that name; 0 when the report has none.
func (r *Report) Probe(name string) time.Duration {
	for i := range r.Probes {
		if r.Probes[i].Name == name {
			return r.Probes[i].Median
		}
	}
	return 0
}
