package rollup

import (
	"io"

	"github.com/signallake/signallake/lake/column"
)

// group gathers the next cells by column and writes them as row groups.
type group struct {
	file *column.Writer

	minute                    []int64
	service, endpoint, region nameColumn
	ofEndpoint                []uint8 // 1 for an endpoint's cell, 0 for a service's
	classes                   [6][]int64
	n                         []int64 // latencies
	sum, max                  []float64
	quantiles                 [3][]float64
	hasQuantiles              []uint8
	buckets                   []int16
	counts                    []int32
	bucketsOf                 []int32 // how many a row has, in both lists
	raw                       []float64
	rawOf                     []int32
}

func newGroup(schema column.Schema) *group {
	g := &group{file: column.NewWriter(schema)}
	for _, c := range g.names() {
		c.numbers = map[string]int32{}
	}
	return g
}

// begin begins a file.
func (g *group) begin(w io.Writer) {
	g.file.Reset(w)
	g.clear()
	for _, c := range g.names() {
		c.forget()
	}
}

func (g *group) names() [3]*nameColumn { return [...]*nameColumn{&g.service, &g.endpoint, &g.region} }

// nameColumn is a column of names in the group at hand: numbers in a dictionary of its own.
type nameColumn struct {
	rows    []int32
	values  []string
	numbers map[string]int32
	known   []int32 // by the rank of a Sum's names: the number plus one; 0 is not known yet
	given   []uint32
}

// put adds a row with a name.
func (c *nameColumn) put(name string) { c.rows = append(c.rows, c.number(name)) }

func (c *nameColumn) number(name string) int32 {
	n, ok := c.numbers[name]
	if !ok {
		n = int32(len(c.values))
		c.numbers[name] = n
		c.values = append(c.values, name)
	}
	return n
}

// putRank adds a row with the name of a rank. Until forget the names are the same ones.
func (c *nameColumn) putRank(names []string, rank uint32) {
	if int(rank) >= len(c.known) {
		c.known = append(c.known, make([]int32, len(names)-len(c.known))...)
	}
	n := c.known[rank]
	if n == 0 {
		n = c.number(names[rank]) + 1
		c.known[rank] = n
		c.given = append(c.given, rank)
	}
	c.rows = append(c.rows, n-1)
}

// clear forgets the group's rows and names.
func (c *nameColumn) clear() {
	for _, rank := range c.given {
		c.known[rank] = 0
	}
	clear(c.numbers)
	c.rows, c.values, c.given = c.rows[:0], c.values[:0], c.given[:0]
}

// forget forgets what is known of ranks. No group is at hand.
func (c *nameColumn) forget() { c.known = c.known[:0] }

// cell is what rows of both kinds have; its name columns were put already. buckets and counts are parallel.
func (g *group) cell(minute int64, c *Counts, latencies int64, buckets []int16, counts []int32) {
	g.minute = append(g.minute, minute)
	for i, n := range c.Classes {
		g.classes[i] = append(g.classes[i], int64(n))
	}
	g.n = append(g.n, latencies)
	g.sum = append(g.sum, c.LatencySum)
	g.max = append(g.max, c.LatencyMax)
	g.buckets = append(g.buckets, buckets...)
	g.counts = append(g.counts, counts...)
	g.bucketsOf = append(g.bucketsOf, int32(len(buckets)))
}

// serviceRow ends a service's row: quantiles is empty when there was no latency, raw also when the values are not known one by one.
func (g *group) serviceRow(quantiles []float64, raw []float64) {
	for i, q := range quantiles {
		g.quantiles[i] = append(g.quantiles[i], q)
	}
	g.ofEndpoint = append(g.ofEndpoint, 0)
	g.hasQuantiles = append(g.hasQuantiles, uint8(len(quantiles)/len(g.quantiles)))
	g.raw = append(g.raw, raw...)
	g.rawOf = append(g.rawOf, int32(len(raw)))
	g.full()
}

// endpointRow ends an endpoint's row.
func (g *group) endpointRow() {
	g.ofEndpoint = append(g.ofEndpoint, 1)
	g.hasQuantiles = append(g.hasQuantiles, 0)
	g.rawOf = append(g.rawOf, 0)
	g.full()
}

func (g *group) full() {
	if len(g.minute) == groupRows {
		g.flush()
	}
}

// flush writes the rows at hand as a group. An error shows when the file is closed.
func (g *group) flush() {
	if len(g.minute) == 0 {
		return
	}
	w := g.file
	w.Group(len(g.minute))
	w.Int64s(g.minute, nil)
	w.Numbers(g.service.values, g.service.rows, nil)
	w.Numbers(g.endpoint.values, g.endpoint.rows, g.ofEndpoint)
	w.Numbers(g.region.values, g.region.rows, g.ofEndpoint)
	for i := range g.classes {
		w.Int64s(g.classes[i], nil)
	}
	w.Int64s(g.n, nil)
	w.Doubles(g.sum, nil)
	w.Doubles(g.max, nil)
	for i := range g.quantiles {
		w.Doubles(g.quantiles[i], g.hasQuantiles)
	}
	w.Int16Lists(g.buckets, g.bucketsOf)
	w.Int32Lists(g.counts, g.bucketsOf)
	w.DoubleLists(g.raw, g.rawOf)
	g.clear()
}

// clear forgets the rows at hand.
func (g *group) clear() {
	for _, c := range g.names() {
		c.clear()
	}
	for i := range g.classes {
		g.classes[i] = g.classes[i][:0]
	}
	for i := range g.quantiles {
		g.quantiles[i] = g.quantiles[i][:0]
	}
	g.minute, g.ofEndpoint, g.n, g.sum, g.max, g.hasQuantiles = g.minute[:0], g.ofEndpoint[:0], g.n[:0], g.sum[:0], g.max[:0], g.hasQuantiles[:0]
	g.buckets, g.counts, g.bucketsOf, g.raw, g.rawOf = g.buckets[:0], g.counts[:0], g.bucketsOf[:0], g.raw[:0], g.rawOf[:0]
}
