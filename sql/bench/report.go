// Package bench says what a benchmark of the lake found: its reports, their history, and their findings in words that are computed from the
// numbers. It runs nothing: sql/duck does.
package bench

import "time"

// Report is one finished run.
type Report struct {
	At      time.Time `json:"at"`
	Machine Machine   `json:"machine"`
	Data    Data      `json:"data"`
	Runs    int       `json:"runs"` // timed runs of each rung
	Rungs   []Rung    `json:"rungs"`
}

// Machine is what the run stood on.
type Machine struct {
	OS     string `json:"os"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory_bytes"`
	Go     string `json:"go"`
	Engine string `json:"engine"` // with its version
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
	Version      uint64 `json:"version"`
	Scratch      bool   `json:"scratch"` // made for the run and gone after it
	Seed         uint64 `json:"seed,omitempty"`
	Distribution string `json:"distribution,omitempty"`
}

// Rung is one way to answer the question, warm or cold.
type Rung struct {
	Name       string          `json:"name"` // unpartitioned, glob, catalog; the same in every report
	Title      string          `json:"title"`
	Cold       bool            `json:"cold"`        // the files' pages were dropped before each run
	Files      float64         `json:"files"`       // read for one question, the mean over the pairs
	FilesTotal int             `json:"files_total"` // of the layout
	Bytes      int64           `json:"bytes"`       // footers and needed column chunks, the mean over the pairs
	Samples    []time.Duration `json:"samples_ns"`  // in the order in which they were taken
	Best       time.Duration   `json:"best_ns"`
	Median     time.Duration   `json:"median_ns"`
	Worst      time.Duration   `json:"worst_ns"`
	Same       bool            `json:"same"` // its answers are those of the first rung
}
