// Package rollup sums events up by the minute: one cell for each (minute, service) and one for each (minute, service, endpoint, region),
// with counts by status class and latencies that give percentiles: exact while a service's minute holds at most ExactValues of them,
// within ErrorBound above. Cells merge: those of a stream cut anywhere, merged, are those of the whole stream. It knows nothing of the lake.
package rollup

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Limits of one minute, against hostile cardinality: what comes above them is counted under Other.
const (
	MaxEndpoints = 200 // of a service
	MaxRegions   = 64  // of an endpoint
	Other        = "(other)"
)

const (
	microsPerMinute = 60 * 1_000_000
	minutesPerHour  = 60
)

// Counts is what both kinds of cells count.
type Counts struct {
	Classes    [6]uint32 // events by status class: 0 is no HTTP exchange, 1 is 1xx, ... 5 is 5xx
	LatencySum float64   // milliseconds, of the events that have a latency
	LatencyMax float64
}

// Events is every event of the cell.
func (c *Counts) Events() int64 { return int64(c.Classes[0]) + c.HTTP() }

// HTTP is the events with a status code of 100 and above.
func (c *Counts) HTTP() int64 {
	return int64(c.Classes[1]) + int64(c.Classes[2]) + int64(c.Classes[3]) + int64(c.Classes[4]) + int64(c.Classes[5])
}

// Errors is the events with a status of 5xx, ClientErrors those with 4xx.
func (c *Counts) Errors() int64       { return int64(c.Classes[5]) }
func (c *Counts) ClientErrors() int64 { return int64(c.Classes[4]) }

func (c *Counts) add(status int32, latencyMS float64, hasLatency bool) {
	c.Classes[min(max(status, 0)/100, 5)]++
	if hasLatency {
		c.LatencySum += latencyMS
		c.LatencyMax = max(c.LatencyMax, latencyMS)
	}
}

func (c *Counts) merge(o *Counts) {
	for i, n := range o.Classes {
		c.Classes[i] += n
	}
	c.LatencySum += o.LatencySum
	c.LatencyMax = max(c.LatencyMax, o.LatencyMax)
}

// ServiceCell is one service's minute (or hour, of Hours).
type ServiceCell struct {
	Minute  int64 // its start, in microseconds since 1970, UTC
	Service string
	Counts
	Latency   Histogram
	endpoints int32 // distinct endpoints seen, for MaxEndpoints
}

// EndpointCell is the minute of one endpoint in one region. There are many, so it is kept small.
type EndpointCell struct {
	Minute int64
	Counts
	Latency Sketch
	at      *endpoint
	region  *region
	next    *EndpointCell // the same minute and endpoint in another region
}

// Service, Endpoint ("" for events without one) and Region say what the cell counts.
func (c *EndpointCell) Service() string  { return c.at.service }
func (c *EndpointCell) Endpoint() string { return c.at.name }
func (c *EndpointCell) Region() string   { return c.region.name }

// Cells holds the cells of any set of events. It is not safe for concurrent use. The zero value is not ready: use New.
type Cells struct {
	width     int64 // of a cell, in microseconds
	services  map[string]*service
	regions   map[string]*region
	endpoints []*endpoint
	heads     map[headKey]*EndpointCell
	cells     []*ServiceCell
	spots     []*EndpointCell
	spare     []EndpointCell // allocated ahead, in blocks: most cells are small and there are many
}

type service struct {
	name      string
	minutes   map[int64]*ServiceCell
	last      *ServiceCell // events come in minutes, so the newest cell is nearly always the next one too
	endpoints map[string]*endpoint
}

type endpoint struct {
	service, name string
	id            int32         // its place in Cells.endpoints
	rank          int32         // its place in the order of service and name, while sorting
	last          *EndpointCell // head of the newest minute's chain
}

type region struct {
	name string
	rank int32 // its place in the order of names, while sorting
}

type headKey struct {
	minute   int64
	endpoint int32
}

// New makes an empty set of minute cells.
func New() *Cells { return newCells(microsPerMinute) }

func newCells(width int64) *Cells {
	return &Cells{
		width:    width,
		services: map[string]*service{},
		regions:  map[string]*region{},
		heads:    map[headKey]*EndpointCell{},
	}
}

// Add counts one event. Strings are cloned where they are kept. The latency, if there is one, is finite and not negative.
func (c *Cells) Add(tsMicros int64, serviceName, endpointName, region string, status int32, latencyMS float64, hasLatency bool) {
	minute := c.truncate(tsMicros)
	s := c.service(serviceName)
	cell := c.serviceCell(s, minute)
	cell.add(status, latencyMS, hasLatency)
	spot := c.spot(cell, s, endpointName, region)
	spot.add(status, latencyMS, hasLatency)
	if hasLatency {
		cell.Latency.Add(latencyMS)
		spot.Latency.Add(latencyMS)
	}
}

func (c *Cells) truncate(tsMicros int64) int64 {
	rest := tsMicros % c.width
	if rest < 0 {
		rest += c.width
	}
	return tsMicros - rest
}

func (c *Cells) service(name string) *service {
	s, ok := c.services[name]
	if !ok {
		name = strings.Clone(name)
		s = &service{name: name, minutes: map[int64]*ServiceCell{}, endpoints: map[string]*endpoint{}}
		c.services[name] = s
	}
	return s
}

func (c *Cells) serviceCell(s *service, minute int64) *ServiceCell {
	if s.last != nil && s.last.Minute == minute {
		return s.last
	}
	cell, ok := s.minutes[minute]
	if !ok {
		cell = &ServiceCell{Minute: minute, Service: s.name}
		s.minutes[minute] = cell
		c.cells = append(c.cells, cell)
	}
	s.last = cell
	return cell
}

// spot finds or makes the endpoint's cell in the minute of cell.
func (c *Cells) spot(cell *ServiceCell, s *service, endpointName, region string) *EndpointCell {
	e, head := c.head(cell, s, endpointName)
	if head == nil && cell.endpoints >= MaxEndpoints {
		e, head = c.head(cell, s, Other)
		endpointName = Other
	}
	if head == nil {
		if e == nil {
			e = c.endpoint(s, endpointName)
		}
		cell.endpoints++
		head = c.newSpot(cell, e, region)
		c.heads[headKey{cell.Minute, e.id}] = head
	}
	e.last = head
	spot, regions := head, 1
	for spot.region.name != region {
		if spot.next == nil {
			if regions >= MaxRegions {
				region = Other
			}
			spot.next = c.newSpot(cell, e, region)
			return spot.next
		}
		spot = spot.next
		if regions++; regions > MaxRegions {
			region = Other
		}
	}
	return spot
}

// head finds the endpoint and the first of its cells in the minute of cell; either may be nil.
func (c *Cells) head(cell *ServiceCell, s *service, endpointName string) (*endpoint, *EndpointCell) {
	e := s.endpoints[endpointName]
	if e == nil {
		return nil, nil
	}
	if e.last != nil && e.last.Minute == cell.Minute {
		return e, e.last
	}
	return e, c.heads[headKey{cell.Minute, e.id}]
}

func (c *Cells) endpoint(s *service, name string) *endpoint {
	name = strings.Clone(name)
	e := &endpoint{service: s.name, name: name, id: int32(len(c.endpoints))}
	c.endpoints = append(c.endpoints, e)
	s.endpoints[name] = e
	return e
}

func (c *Cells) newSpot(cell *ServiceCell, e *endpoint, regionName string) *EndpointCell {
	const block = 256
	if len(c.spare) == 0 {
		c.spare = make([]EndpointCell, block)
	}
	spot := &c.spare[0]
	c.spare = c.spare[1:]
	r, ok := c.regions[regionName]
	if !ok {
		r = &region{name: strings.Clone(regionName)}
		c.regions[r.name] = r
	}
	spot.Minute, spot.at, spot.region = cell.Minute, e, r
	c.spots = append(c.spots, spot)
	return spot
}

// Merge adds the cells of o. A latency distribution stays exact where Histogram.Merge says so.
func (c *Cells) Merge(o *Cells) {
	for _, from := range o.cells {
		c.mergeService(from)
	}
	for _, from := range o.spots {
		c.mergeSpot(c.truncate(from.Minute), from.at.service, from.at.name, from.region.name, &from.Counts, &from.Latency)
	}
}

func (c *Cells) mergeService(from *ServiceCell) {
	to := c.serviceCell(c.service(from.Service), c.truncate(from.Minute))
	to.merge(&from.Counts)
	to.Latency.Merge(&from.Latency)
}

// mergeSpot adds to an endpoint cell and, by making it, to the count of endpoints of its minute.
func (c *Cells) mergeSpot(minute int64, serviceName, endpointName, region string, counts *Counts, latency *Sketch) {
	s := c.service(serviceName)
	to := c.spot(c.serviceCell(s, minute), s, endpointName, region)
	to.merge(counts)
	to.Latency.Merge(latency)
}

// Hours is the same events by the hour, as a copy: Minute of its cells is the hour's start.
func (c *Cells) Hours() *Cells {
	hours := newCells(microsPerMinute * minutesPerHour)
	hours.Merge(c)
	return hours
}

// Events is the number of events counted.
func (c *Cells) Events() int64 {
	var n int64
	for _, cell := range c.cells {
		n += cell.Events()
	}
	return n
}

// Services is every service cell, ordered by minute and service. Cells belong to c.
func (c *Cells) Services() []*ServiceCell {
	slices.SortFunc(c.cells, func(a, b *ServiceCell) int {
		return cmp.Or(cmp.Compare(a.Minute, b.Minute), strings.Compare(a.Service, b.Service))
	})
	return c.cells
}

// Endpoints is every endpoint cell, ordered by minute, service, endpoint and region. Cells belong to c.
func (c *Cells) Endpoints() []*EndpointCell {
	c.rank()
	slices.SortFunc(c.spots, func(a, b *EndpointCell) int {
		return cmp.Or(cmp.Compare(a.Minute, b.Minute), cmp.Compare(a.at.rank, b.at.rank), cmp.Compare(a.region.rank, b.region.rank))
	})
	return c.spots
}

// rank numbers the names in their order, so that sorting hundreds of thousands of cells compares no strings.
func (c *Cells) rank() {
	byName := slices.SortedFunc(slices.Values(c.endpoints), func(a, b *endpoint) int {
		return cmp.Or(strings.Compare(a.service, b.service), strings.Compare(a.name, b.name))
	})
	for i, e := range byName {
		e.rank = int32(i)
	}
	for i, name := range slices.Sorted(maps.Keys(c.regions)) {
		c.regions[name].rank = int32(i)
	}
}
