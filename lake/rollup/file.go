package rollup

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"github.com/signallake/signallake/lake/column"
)

// The file of a set of cells is Parquet, with one row a cell: of each set that was written, service cells first (endpoint and region are
// NULL), ordered by minute and service; then endpoint cells, ordered by minute, service, endpoint and region. buckets and counts are
// parallel lists; raw is not empty where a service's distribution is exact, and then says the same as the buckets. p50, p95 and p99 are
// the service cell's own and NULL without a latency; of endpoint cells they are always NULL, nobody asks for one of their minutes. Where
// several files hold the same cell, merge the lists. Instants are UTC and read as TIMESTAMP.

// ErrNewer says that a newer release wrote the file.
var ErrNewer = errors.New("written by a newer release")

const (
	formatKey = "signallake.rollup.format"
	format    = 1
	// groupRows: a group of cells is written and read at once; a group's lists take about 10 MiB in memory.
	groupRows = 1 << 16
)

// row is a row as it is read.
type row struct {
	Minute       int64     `parquet:"minute,timestamp(microsecond:local),delta"`
	Service      string    `parquet:"service_name,dict"`
	Endpoint     *string   `parquet:"endpoint,dict,optional"`
	Region       *string   `parquet:"region,dict,optional"`
	Status0      int64     `parquet:"status_0xx"`
	Status1      int64     `parquet:"status_1xx"`
	Status2      int64     `parquet:"status_2xx"`
	Status3      int64     `parquet:"status_3xx"`
	Status4      int64     `parquet:"status_4xx"`
	Status5      int64     `parquet:"status_5xx"`
	LatencyCount int64     `parquet:"latency_count"`
	LatencySum   float64   `parquet:"latency_sum"`
	LatencyMax   float64   `parquet:"latency_max"`
	P50          *float64  `parquet:"p50,optional"`
	P95          *float64  `parquet:"p95,optional"`
	P99          *float64  `parquet:"p99,optional"`
	Buckets      []int16   `parquet:"buckets,list"`
	Counts       []int32   `parquet:"counts,list"`
	Raw          []float64 `parquet:"raw,list"`
}

// schema is row's.
func schema() column.Schema {
	columns := []column.Column{
		{Name: "minute", Kind: column.Timestamp}, {Name: "service_name", Kind: column.Text},
		{Name: "endpoint", Kind: column.Text, Nullable: true}, {Name: "region", Kind: column.Text, Nullable: true},
	}
	for class := range 6 {
		columns = append(columns, column.Column{Name: "status_" + strconv.Itoa(class) + "xx", Kind: column.Int64})
	}
	columns = append(columns, column.Column{Name: "latency_count", Kind: column.Int64})
	for _, name := range []string{"latency_sum", "latency_max"} {
		columns = append(columns, column.Column{Name: name, Kind: column.Double})
	}
	for _, name := range []string{"p50", "p95", "p99"} {
		columns = append(columns, column.Column{Name: name, Kind: column.Double, Nullable: true})
	}
	columns = append(columns, column.Column{Name: "buckets", Kind: column.Int16, List: true}, column.Column{Name: "counts", Kind: column.Int32, List: true},
		column.Column{Name: "raw", Kind: column.Double, List: true})
	return column.Schema{
		Name: "row", Columns: columns, CreatedBy: "signallake version 1(build )", Metadata: []column.KeyValue{{Key: formatKey, Value: strconv.Itoa(format)}},
	}
}

// Writer writes sets of cells as one file. Sets may be given one after the other, a day at a time, so that not all are in memory at once.
// What goes wrong shows in Close.
type Writer struct {
	group *group
	sum   *Sum // that was written last
}

// NewWriter begins a file. Close ends it.
func NewWriter(w io.Writer) *Writer {
	out := &Writer{group: newGroup(schema())}
	out.Reset(w)
	return out
}

// Reset begins another file, whatever became of the last one.
func (w *Writer) Reset(to io.Writer) {
	w.group.begin(to)
	w.sum = nil
}

// Write adds a set of cells.
func (w *Writer) Write(c *Cells) {
	g := w.group
	var quantiles [3]float64
	for _, cell := range c.Services() {
		g.service.put(cell.Service)
		n := cell.Latency.Count()
		buckets, counts := cell.Latency.Buckets()
		g.cell(cell.Minute, &cell.Counts, n, buckets, counts)
		if n == 0 {
			g.serviceRow(nil, nil)
			continue
		}
		cell.Latency.quantiles(quantiles[:], []float64{0.5, 0.95, 0.99})
		g.serviceRow(quantiles[:], cell.Latency.Raw())
	}
	for _, cell := range c.Endpoints() {
		g.service.put(cell.Service())
		g.endpoint.put(cell.Endpoint())
		g.region.put(cell.Region())
		buckets, counts := cell.Latency.Buckets()
		g.cell(cell.Minute, &cell.Counts, cell.Latency.Count(), buckets, counts)
		g.endpointRow()
	}
}

// Summary is what there is to know of a written file.
type Summary = column.Summary

// Close writes what is pending and the footer, and tells the first error. It does not close what is below.
func (w *Writer) Close() (Summary, error) {
	w.group.flush()
	summary, err := w.group.file.Close()
	if err != nil {
		return summary, fmt.Errorf("write rollup: %w", err)
	}
	return summary, nil
}

// Read adds the cells of a file to c.
func Read(r io.ReaderAt, size int64, c *Cells) error {
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("read rollup: %w", err)
	}
	text, _ := f.Lookup(formatKey)
	n, err := strconv.Atoi(text)
	switch {
	case err != nil || n < 1:
		return fmt.Errorf("read rollup: no %s in the file: not a rollup of ours", formatKey)
	case n > format:
		return fmt.Errorf("read rollup: format %d, this release knows %d: %w", n, format, ErrNewer)
	}
	rows := parquet.NewGenericReader[row](f)
	defer rows.Close()
	buffer := make([]row, 512)
	for {
		n, err := rows.Read(buffer)
		for i := range buffer[:n] {
			if err := c.addRow(&buffer[i]); err != nil {
				return fmt.Errorf("read rollup: %w", err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read rollup: %w", err)
		}
	}
}

func (c *Cells) addRow(r *row) error {
	if len(r.Buckets) != len(r.Counts) {
		return fmt.Errorf("cell of %q has %d buckets and %d counts: the file is damaged", r.Service, len(r.Buckets), len(r.Counts))
	}
	counts := Counts{LatencySum: r.LatencySum, LatencyMax: r.LatencyMax}
	for i, n := range [...]int64{r.Status0, r.Status1, r.Status2, r.Status3, r.Status4, r.Status5} {
		counts.Classes[i] = uint32(n)
	}
	var sketch Sketch
	for i, b := range r.Buckets {
		if b < 0 || b > MaxBucket || r.Counts[i] < 0 {
			return fmt.Errorf("cell of %q counts %d in bucket %d: the file is damaged", r.Service, r.Counts[i], b)
		}
		sketch.add(b, int64(r.Counts[i]))
	}
	if r.Endpoint != nil && r.Region != nil {
		c.mergeSpot(c.truncate(r.Minute), r.Service, *r.Endpoint, *r.Region, &counts, &sketch)
		return nil
	}
	latency := Histogram{raw: r.Raw} // Merge copies it
	switch {
	case len(r.Raw) == 0 && sketch.Count() > 0:
		sketch.spread()
		latency = Histogram{sketch: sketch}
	case len(r.Raw) > ExactValues || int64(len(r.Raw)) != sketch.Count():
		return fmt.Errorf("cell of %q keeps %d values and counts %d: the file is damaged", r.Service, len(r.Raw), sketch.Count())
	}
	c.mergeService(&ServiceCell{Minute: r.Minute, Service: r.Service, Counts: counts, Latency: latency})
	return nil
}
