package importer

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/signallake/signallake/ingest/format"
	"github.com/signallake/signallake/lake"
)

// State is how the import of one path ended.
type State string

// The states of a Result.
const (
	Imported State = "imported"         // to its end, from its start
	Grown    State = "continued"        // to its end, from where an earlier import ended
	Already  State = "already imported" // there was nothing new
	Empty    State = "empty"
	Stopped  State = "stopped" // the context ended; what the counts say is in the lake
	Failed   State = "failed"  // Err says why; what the counts say is in the lake
)

// Result is what became of one path. Counts are of this run unless they say otherwise; Accepted + Rejected = Lines.
type Result struct {
	Path  string // as it was given; "-" is standard input
	Name  string // for people
	State State
	Err   error // of State Failed, Empty and Stopped

	Format     format.Detection // what was found; its Kind is "" when nothing was read
	Lines      int64            // without blank ones
	Accepted   int64
	Rejected   int64
	Blank      int64
	Unfinished bool  // the last line that was read has no line end
	Doubled    int64 // keys that stood twice in an object; the last one counts
	Bytes      int64 // decompressed

	First, Last lake.Micros // of the accepted events' timestamps; 0 when there is none
	Services    []Service   // by falling number of events, at most 64
	Unnamed     int64       // events of services beyond those

	FromLine int64       // the line that this run began at; 1 is the first
	Before   int64       // lines that earlier imports had taken from the input
	Since    lake.Micros // when the newest of them was, 0 when there was none
	Elapsed  time.Duration

	tally   tally
	started time.Time
}

// Service is one service's share of an import.
type Service struct {
	Name   string `json:"name"`
	Events int64  `json:"events"`
}

func newResult(path string, now time.Time) *Result {
	name := filepath.Base(path)
	if path == "-" {
		name = "stdin"
	}
	return &Result{Path: path, Name: name, FromLine: 1, started: now}
}

// known books what earlier imports took from the input.
func (r *Result) known(m *mark) {
	r.FromLine, r.Before, r.Since = m.line()+1, m.Accepted+m.Rejected, m.at
}

func (r *Result) detected(d format.Detection) {
	if r.Format.Kind == "" {
		r.Format = d
	}
}

// add books a chunk that is durable.
func (r *Result) add(k *chunk) {
	r.Unfinished = k.kind != longLine && len(k.data) > 0 && k.data[len(k.data)-1] != '\n'
	rejected := int64(len(k.letters))
	if r.FromLine > 1 { // the import before this one counted them
		rejected -= int64(k.skipped)
		r.Before += int64(k.skipped)
	}
	r.Accepted += int64(k.accepted)
	r.Rejected += rejected
	r.Lines += int64(k.accepted) + rejected
	r.Blank += k.blank
	r.Doubled += k.doubled
	r.Bytes += k.end - k.start
	r.tally.add(&k.tally)
}

// merge adds what was imported beside: from a file that had the path before.
func (r *Result) merge(o *Result) {
	r.detected(o.Format)
	r.Lines += o.Lines
	r.Accepted += o.Accepted
	r.Rejected += o.Rejected
	r.Blank += o.Blank
	r.Doubled += o.Doubled
	r.Bytes += o.Bytes
	r.tally.add(&o.tally)
}

// end closes the books.
func (r *Result) end(ctx context.Context, err error, now time.Time) {
	r.Elapsed = now.Sub(r.started)
	r.First, r.Last, r.Unnamed = r.tally.oldest, r.tally.newest, r.tally.unnamed
	for name, n := range r.tally.services {
		r.Services = append(r.Services, Service{name, n})
	}
	slices.SortFunc(r.Services, func(a, b Service) int {
		if a.Events != b.Events {
			return int(min(1, max(-1, b.Events-a.Events)))
		}
		return strings.Compare(a.Name, b.Name)
	})
	r.Err = err
	switch {
	case isStop(ctx, err):
		r.State = Stopped
	case errors.Is(err, errEmpty):
		r.State = Empty
	case err != nil:
		r.State = Failed
	case r.Before > 0 && r.Lines == 0:
		r.State = Already
	case r.Before > 0:
		r.State = Grown
	default:
		r.State = Imported
	}
}

// Total is how many lines of the input are in the lake or among its dead letters, this run's and earlier ones'.
func (r *Result) Total() int64 { return r.Before + r.Lines }
