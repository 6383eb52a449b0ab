package rollup

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
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

// row is the file's schema.
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

// Writer writes sets of cells as one file. Sets may be given one after the other, a day at a time, so that not all are in memory at once.
type Writer struct {
	file  *parquet.GenericWriter[any]
	group *group
}

// NewWriter begins a file. Close ends it.
func NewWriter(w io.Writer) *Writer {
	file := parquet.NewGenericWriter[any](w, parquet.SchemaOf(row{}),
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
		parquet.DataPageStatistics(false),
		parquet.CreatedBy("signallake", "1", ""),
		parquet.KeyValueMetadata(formatKey, strconv.Itoa(format)))
	return &Writer{file: file, group: newGroup(file)}
}

// Write adds a set of cells.
func (w *Writer) Write(c *Cells) error {
	for _, cell := range c.Services() {
		if err := w.group.service(cell); err != nil {
			return fmt.Errorf("write rollup: %w", err)
		}
	}
	for _, cell := range c.Endpoints() {
		if err := w.group.endpoint(cell); err != nil {
			return fmt.Errorf("write rollup: %w", err)
		}
	}
	return nil
}

// Close writes what is pending and the footer. It does not close what is below.
func (w *Writer) Close() error {
	if err := errors.Join(w.group.flush(), w.file.Close()); err != nil {
		return fmt.Errorf("write rollup: %w", err)
	}
	return nil
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
