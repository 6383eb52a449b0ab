package rollup

import (
	"unsafe"

	"github.com/parquet-go/parquet-go"
)

// group gathers the values of the next cells by column and hands them to the file's column writers: several times faster than rows of
// reflected structs.
type group struct {
	file    *parquet.GenericWriter[any]
	columns [][]parquet.Value
	at      int // the column whose turn it is in this row
	rows    int // in the row group
	pending int // of them not yet handed over
}

// pendingRows keeps the values on their way within the processor's caches.
const pendingRows = 1024

func newGroup(f *parquet.GenericWriter[any]) *group {
	return &group{file: f, columns: make([][]parquet.Value, len(f.Schema().Columns()))}
}

func (g *group) service(cell *ServiceCell) error {
	g.head(cell.Minute, cell.Service)
	g.nulls(2)
	n := cell.Latency.Count()
	g.counts(&cell.Counts, n)
	if n > 0 {
		var quantiles [3]float64
		cell.Latency.quantiles(quantiles[:], []float64{0.5, 0.95, 0.99})
		for _, q := range quantiles {
			g.put(parquet.DoubleValue(q), 1)
		}
	} else {
		g.nulls(3)
	}
	buckets, counts := cell.Latency.Buckets()
	return g.lists(buckets, counts, cell.Latency.Raw())
}

func (g *group) endpoint(cell *EndpointCell) error {
	g.head(cell.Minute, cell.Service())
	g.put(text(cell.Endpoint()), 1)
	g.put(text(cell.Region()), 1)
	g.counts(&cell.Counts, cell.Latency.Count())
	g.nulls(3)
	buckets, counts := cell.Latency.Buckets()
	return g.lists(buckets, counts, nil)
}

func (g *group) head(minute int64, service string) {
	g.at = 0
	g.put(parquet.Int64Value(minute), 0)
	g.put(text(service), 0)
}

func (g *group) counts(c *Counts, latencies int64) {
	for _, n := range c.Classes {
		g.put(parquet.Int64Value(int64(n)), 0)
	}
	g.put(parquet.Int64Value(latencies), 0)
	g.put(parquet.DoubleValue(c.LatencySum), 0)
	g.put(parquet.DoubleValue(c.LatencyMax), 0)
}

func (g *group) lists(buckets []int16, counts []int32, raw []float64) error {
	putList(g, buckets, func(b int16) parquet.Value { return parquet.Int32Value(int32(b)) })
	putList(g, counts, parquet.Int32Value)
	putList(g, raw, parquet.DoubleValue)
	g.rows++
	if g.pending++; g.pending < pendingRows {
		return nil
	}
	if err := g.hand(); err != nil {
		return err
	}
	if g.rows < groupRows {
		return nil
	}
	return g.flush()
}

func (g *group) put(v parquet.Value, definition int) {
	g.columns[g.at] = append(g.columns[g.at], v.Level(0, definition, g.at))
	g.at++
}

func (g *group) null() { g.put(parquet.NullValue(), 0) }

func (g *group) nulls(n int) {
	for range n {
		g.null()
	}
}

func putList[T any](g *group, list []T, value func(T) parquet.Value) {
	if len(list) == 0 {
		g.null()
		return
	}
	for i, v := range list {
		g.columns[g.at] = append(g.columns[g.at], value(v).Level(min(i, 1), 1, g.at))
	}
	g.at++
}

// hand passes the pending values to the column writers.
func (g *group) hand() error {
	for i, column := range g.file.ColumnWriters() {
		if len(g.columns[i]) > 0 {
			if _, err := column.WriteRowValues(g.columns[i]); err != nil {
				return err
			}
		}
		g.columns[i] = g.columns[i][:0]
	}
	g.pending = 0
	return nil
}

// flush ends the row group.
func (g *group) flush() error {
	if err := g.hand(); err != nil || g.rows == 0 {
		return err
	}
	g.rows = 0
	return g.file.Flush()
}

// text is a value over the string's own bytes, which the column writers copy.
func text(s string) parquet.Value {
	return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s)))
}
