package ingest

import (
	"math"
	"time"

	"github.com/signallake/signallake/lake"
)

// StageReport is a stage of the backlog as GET /health and `status` tell it.
type StageReport struct {
	Name     string   `json:"name"`
	Events   int64    `json:"events"`
	Bytes    int64    `json:"bytes"`  // 0 where nobody counts them
	WaitS    float64  `json:"wait_s"` // of the oldest event
	InPerSec float64  `json:"in_per_s"`
	PerSec   float64  `json:"per_s"`
	DrainS   *float64 `json:"drain_s"`         // nil: at these rates it does not get emptier
	Grows    bool     `json:"grows,omitempty"` // it does not keep up; what may gather before the next stage begins is no growth
	Limit    int64    `json:"limit_bytes,omitempty"`
}

// ReportStage is a stage in that form.
func ReportStage(s lake.Stage) StageReport {
	r := StageReport{Name: s.Name, Events: s.Events, Bytes: s.Bytes, WaitS: roundSeconds(s.Wait), InPerSec: tenth(s.InPerSec), PerSec: tenth(s.PerSec), Grows: s.Grows(), Limit: s.Limit}
	if s.Drain >= 0 {
		drain := roundSeconds(s.Drain)
		r.DrainS = &drain
	}
	return r
}

// LoadingReport is how far a start has come, as GET /health tells it; absent when it is over.
type LoadingReport struct {
	Done  int64   `json:"done"`   // events that lay unconverted in the lake
	Total int64   `json:"total"`  // of them
	LeftS float64 `json:"left_s"` // at the rate so far; 0: not known yet
}

// ReportLoading is the progress in that form.
func ReportLoading(done, total int64, left time.Duration) LoadingReport {
	return LoadingReport{Done: done, Total: total, LeftS: roundSeconds(left)}
}

// roundSeconds keeps milliseconds.
func roundSeconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }

func tenth(v float64) float64 { return math.Round(v*10) / 10 }
