package sql

import (
	"context"
	"time"

	"github.com/signallake/signallake/lake"
)

// Panels answers the console's standing questions from the minute tables. Each method is one statement or two, costs milliseconds, stays
// flat as the lake grows, and may run while any prompt statement does. Percentiles over more than one minute carry a sketch's error (<= 1 %).
type Panels interface {
	Extent(ctx context.Context) (Extent, error)
	LatencyByService(ctx context.Context, r Range) (*LatencyByService, error)
	LatencyOverTime(ctx context.Context, r Range) (*LatencyOverTime, error)
	ErrorRate(ctx context.Context, r Range) (*ErrorRate, error)
	SlowestEndpoints(ctx context.Context, r Range, limit int) (*SlowestEndpoints, error)
	ErrorsByRegion(ctx context.Context, r Range) (*ErrorsByRegion, error)
	Volume(ctx context.Context, r Range) (*Volume, error)
	Freshness() Freshness // no statement: an atomic snapshot
}

// Range is the window [From, To) in event time, cut into Slots equal slots for charts (whole minutes at least).
type Range struct {
	From, To lake.Micros
	Slots    int
	Service  string // "" is all
}

// Behind is what every panel's answer carries: the statement that answers it, runnable as it stands at the prompt, and the time the panel took. A panel may do a part of
// its statement's work itself.
type Behind struct {
	SQL     string
	Elapsed time.Duration
	AsOf    lake.Micros // everything received before it is counted (engine's clock)
}

// Source is what stands behind an answer that embeds it.
func (b Behind) Source() Behind { return b }

// Extent is the event time that the lake covers; Events 0 means an empty lake.
type Extent struct {
	Behind
	First, Last lake.Micros // by minute: First is a minute's start, Last a minute's end
	Events      int64
}

// Quantiles in milliseconds; NaN where no event had a latency ("none", never 0).
type Quantiles struct{ P50, P95, P99 float64 }

type LatencyByService struct {
	Behind
	Rows []ServiceLatency // by P95, highest first; services without a latency last
}

type ServiceLatency struct {
	Service  string
	Requests int64 // every event of the service
	Errors   int64 // status 5xx
	Quantiles
	PrevP95 float64   // of the window before, of the same length; NaN: no data
	Spark   []float64 // p95 per slot; NaN: no data
}

type LatencyOverTime struct {
	Behind
	Slots  []lake.Micros // start of each slot
	Series []Series      // p95 of the busiest services, at most 6, busiest first
}

type Series struct {
	Name   string
	Points []float64 // one a slot; NaN: no data
}

type ErrorRate struct {
	Behind
	HTTP, Errors int64     // events with a status >= 100, and those of them >= 500
	Rate, Prev   float64   // Errors/HTTP in [0,1]; NaN: no HTTP event
	Spark        []float64 // per slot
	Endpoints    []EndpointErrors
}

type EndpointErrors struct { // highest rate first, only endpoints with errors, at most 20
	Service, Endpoint string
	Requests, Errors  int64
	Rate              float64
	WorstRegion       string // with most errors
}

type SlowestEndpoints struct {
	Behind
	Rows []EndpointLatency // by P95, highest first; endpoints without a latency last, the busiest of them first
}

type EndpointLatency struct {
	Service, Endpoint string
	Requests          int64
	Quantiles
}

type ErrorsByRegion struct {
	Behind
	Rows []RegionErrors // most errors first; every region that has HTTP events
}

type RegionErrors struct {
	Region         string
	HTTP, Errors   int64
	Rate, OfErrors float64 // errors/HTTP of the region; its share of all errors
}

type Volume struct {
	Behind
	Events int64
	Slots  []lake.Micros
	Counts []float64 // events per slot
	Failed []float64 // 5xx of them
}

// Freshness is how far the answers are behind the acknowledgements.
type Freshness struct {
	VisibleTo lake.Seq      // one past the newest event that statements see
	CountedTo lake.Seq      // one past the newest event that the panels count; they follow at most twice a second
	Committed lake.Seq      // one past the newest acknowledged event
	LagP95    time.Duration // from receipt to visible, over the last 30 s; 0 when nothing came in
	NewestAt  lake.Micros   // received_at of the newest visible event; 0: none
	PerSecond float64       // events made visible a second, over the last 5 s
	Unseen    int64         // committed events that statements do not see yet
	Uncounted int64         // committed events that are in no minute cell yet
	Minutes   bool          // somebody asks for panels, so minute tables are kept; else cells are made by conversions alone
	Loading   bool          // start-up: the tail is still being read in
	Load      Load          // while Loading: how far
	Err       string        // the feed stopped: why
}

// Load is how far the start has come with what lay unconverted in the lake.
type Load struct {
	Done, Total int64         // events; Total 0: nothing is known yet
	Left        time.Duration // at the rate so far; 0: not known yet
}
