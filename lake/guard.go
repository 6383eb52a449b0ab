package lake

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// defaultNewPartitions is ten days of fifty services with forty statuses, imported within an hour.
const defaultNewPartitions = 20_000

// guardMinutes is how many minute counters make up the last hour: sixty whole ones and the running one.
const guardMinutes = 61

// PartitionGuard bounds how many new partitions come to life: at most a limit within any hour. It keeps a sender with a random service name
// or a clock gone wild from making a folder for every event. Safe for concurrent use.
type PartitionGuard struct {
	limit int
	now   func() time.Time
	begun time.Time // minutes are counted from here: by the monotonic clock where now has one, so that a clock that jumps stops nothing for hours

	mu     sync.RWMutex
	known  map[Partition]struct{}
	counts [guardMinutes]int // new partitions by minute, a ring
	minute int64             // the newest minute in counts
	recent int               // sum of counts
}

// NewPartitionGuard makes a guard for limit new partitions an hour; 0 means 20,000.
func NewPartitionGuard(limit int, now func() time.Time) *PartitionGuard {
	if limit <= 0 {
		limit = defaultNewPartitions
	}
	return &PartitionGuard{limit: limit, now: now, begun: now(), known: make(map[Partition]struct{})}
}

// Know tells the guard of a partition that exists; it does not count.
func (g *PartitionGuard) Know(p Partition) {
	p.Service = strings.Clone(p.Service)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known[p] = struct{}{}
}

// Admit lets an event into its partition: always when the guard knows it, otherwise while the hour's limit is not used up. The error is a
// *FieldError.
func (g *PartitionGuard) Admit(p Partition) error {
	g.mu.RLock()
	_, known := g.known[p]
	g.mu.RUnlock()
	if known {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, known := g.known[p]; known {
		return nil
	}
	g.advance(int64(g.now().Sub(g.begun) / time.Minute))
	if g.recent >= g.limit {
		return &FieldError{"service_name", fmt.Sprintf(
			"with timestamp and status_code it asks for a new partition %s, and %d new ones within an hour are the limit: look for values that vary without end in service_name or timestamp, or send again in an hour",
			p.Dir(), g.limit)}
	}
	p.Service = strings.Clone(p.Service) // the event's string may alias a large buffer
	g.known[p] = struct{}{}
	g.counts[g.minute%guardMinutes]++
	g.recent++
	return nil
}

// advance forgets the minutes that have left the hour. A clock that steps back changes nothing.
func (g *PartitionGuard) advance(minute int64) {
	if minute-g.minute >= guardMinutes {
		g.counts, g.recent, g.minute = [guardMinutes]int{}, 0, minute
		return
	}
	for g.minute < minute {
		g.minute++
		slot := g.minute % guardMinutes
		g.recent -= g.counts[slot]
		g.counts[slot] = 0
	}
}
