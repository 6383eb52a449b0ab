// Package gen makes synthetic events that look like a company's HTTP services: a daily rhythm, log-normal latencies, bursts of errors, and
// once a day an incident worth finding. It promises that the same Config gives the same bytes, on any number of goroutines. It writes
// canonical lines only, and stores nothing but a plain file of them where it is given one.
package gen

import (
	"errors"
	"fmt"
	"time"

	"github.com/signallake/signallake/lake"
)

// Config says what to generate. Count events are spread over [Start, Start+Days) or, when Start is 0, over [End-Days, End).
type Config struct {
	Seed       uint64
	Count      int64
	Days       int         // 0: 4
	Services   int         // the first so many of a fixed list; 0: 8
	Start, End lake.Micros // one of them is needed: gen has no clock
	ReceivedAt lake.Micros // of every event, so that the bytes do not depend on when they are made; 0: the end of the window
}

const (
	defaultDays     = 4 // two weekdays beside a weekend, whatever today is
	defaultServices = 8
	maxDays         = 3650 // keeps every product of times within int64
	maxCount        = 1e10 // as above; ids stay unique far beyond
	eventsAChunk    = 1024 // one random stream each: about 500 KiB of lines, which stay in a core's second-level cache
	eventsABatch    = eventsAChunk * chunksABatch
	chunksABatch    = 2                      // about 1 MiB a batch: a write of good size
	batchRoom       = eventsABatch * maxLine // of address space: the pages behind the lines are never touched
	maxServices     = 16                     // len(services()); Validate names it
	chunkStride     = 0x9e3779b97f4a7c15     // 2^64 / golden ratio: neighbouring chunks get distant streams
)

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	switch {
	case c.Count < 0 || c.Count > maxCount:
		return fmt.Errorf("generate: count %d: want 0 to %d", c.Count, int64(maxCount))
	case c.Days < 0 || c.Days > maxDays:
		return fmt.Errorf("generate: days %d: want 1 to %d", c.Days, maxDays)
	case c.Services < 0 || c.Services > maxServices:
		return fmt.Errorf("generate: services %d: want 1 to %d", c.Services, maxServices)
	case c.Start == 0 && c.End == 0:
		return errors.New("generate: neither start nor end of the time window is given")
	}
	return nil
}

// Generator makes the events of one Config. It is immutable: several goroutines may run it.
type Generator struct {
	cfg       Config
	calendar  calendar
	incidents []Incident
	bursts    []burst
	tables    *tables
}

// New prepares the tables; the events are made by Run.
func New(cfg Config) (*Generator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Days == 0 {
		cfg.Days = defaultDays
	}
	if cfg.Services == 0 {
		cfg.Services = defaultServices
	}
	length := lake.Micros(time.Duration(cfg.Days) * 24 * time.Hour / time.Microsecond)
	if cfg.Start == 0 {
		cfg.Start = cfg.End - length
	}
	cfg.End = cfg.Start + length
	if cfg.ReceivedAt == 0 {
		cfg.ReceivedAt = cfg.End
	}
	g := &Generator{cfg: cfg, calendar: newCalendar(cfg.Start, cfg.End, cfg.Count), tables: newTables(cfg)}
	g.incidents = planIncidents(cfg, g.tables)
	g.bursts = planBursts(cfg, g.tables)
	return g, nil
}

// Incidents are what there is to find, in the order of time.
func (g *Generator) Incidents() []Incident { return append([]Incident(nil), g.incidents...) }

// Window is the span of time that the events are spread over: [start, end).
func (g *Generator) Window() (start, end lake.Micros) { return g.cfg.Start, g.cfg.End }

// appendBatch appends the lines of one batch, which must fit.
func (g *Generator) appendBatch(dst []byte, number int64) []byte {
	for c := number * chunksABatch; c < (number+1)*chunksABatch; c++ {
		dst = g.appendChunk(dst, c)
	}
	return dst
}
