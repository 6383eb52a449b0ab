package duck

import (
	"errors"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/signallake/signallake/lake/rollup"
)

// storedCell is a cell as tables and rollup files hold it. It is valid during the visit.
type storedCell struct {
	at                        int64
	service, endpoint, region string // the last two of cells of endpoints
	counts                    rollup.Counts
	buckets                   []int16
	times                     []int32
}

// storedColumns are what eachCell reads behind the cell's key.
const storedColumns = "count, http, errors, client_errors, latency_sum, latency_max, buckets, counts"

// eachCell visits the rows of a statement that answers time, service_name, of endpoints also endpoint and region, and storedColumns.
func (c *conn) eachCell(text string, spots bool, visit func(cell *storedCell)) error {
	return c.chunks(text, func(chunk mapping.DataChunk, rows int) error {
		at, key := column[int64](chunk, 0, rows), 2
		services := column[hotText](chunk, 1, rows)
		var endpoints, regions []hotText
		named := func(int) bool { return false }
		if spots {
			endpoints, regions, named, key = column[hotText](chunk, 2, rows), column[hotText](chunk, 3, rows), validOf(chunk, 2), 4
		}
		var numbers [4][]int64
		for i := range numbers {
			numbers[i] = column[int64](chunk, key+i, rows)
		}
		sums, most := column[float64](chunk, key+4, rows), column[float64](chunk, key+5, rows)
		buckets, times := lists[int16](chunk, key+6, rows), lists[int32](chunk, key+7, rows)
		for i := range rows {
			cell := storedCell{at: at[i], service: services[i].string(), buckets: buckets.row(i), times: times.row(i)}
			if spots {
				cell.region = regions[i].string()
				if named(i) {
					cell.endpoint = endpoints[i].string()
				}
			}
			events, http, errs, client := numbers[0][i], numbers[1][i], numbers[2][i], numbers[3][i]
			// The tables do not tell 1xx to 3xx apart: their sum goes to 2xx.
			cell.counts.Classes = [6]uint32{0: uint32(events - http), 2: uint32(http - errs - client), 4: uint32(client), 5: uint32(errs)}
			cell.counts.LatencySum, cell.counts.LatencyMax = sums[i], most[i]
			visit(&cell)
		}
		return nil
	})
}

// addStored adds a stored service cell.
func (o *openCells) addStored(from *storedCell) {
	key := serviceKey{o.start(from.at), from.service}
	cell := o.services[key]
	if cell == nil {
		key.service, cell = strings.Clone(key.service), &serviceCell{}
		o.services[key] = cell
	}
	addCounts(&cell.counts, &from.counts)
	for i, bucket := range from.buckets {
		cell.latency.AddBucket(bucket, int64(from.times[i]))
	}
}

// addStoredSpot adds a stored cell of an endpoint.
func (o *openCells) addStoredSpot(from *storedCell) {
	key := spotKey{o.start(from.at), from.service, from.endpoint, from.region}
	cell := o.spots[key]
	if cell == nil {
		key.service, key.endpoint, key.region = strings.Clone(key.service), strings.Clone(key.endpoint), strings.Clone(key.region)
		cell = &spotCell{}
		o.spots[key] = cell
	}
	addCounts(&cell.counts, &from.counts)
	for i, bucket := range from.buckets {
		cell.latency.AddBucket(bucket, int64(from.times[i]))
	}
}

// cellWriter appends cells to a table; it is opened with the first one.
type cellWriter struct {
	conn  *conn
	table string
	rows  *chunkWriter
}

func (w *cellWriter) begin() (err error) {
	if w.rows == nil {
		w.rows, err = w.conn.chunkWriter(w.table)
	}
	return err
}

// end appends what is left, unless err says that it is of no use.
func (w *cellWriter) end(err error) error {
	if w.rows == nil {
		return err
	}
	if err == nil {
		err = w.rows.flush()
	}
	return errors.Join(err, w.rows.close())
}

func (w *cellWriter) service(key serviceKey, cell *serviceCell) error {
	if err := w.begin(); err != nil {
		return err
	}
	w.rows.int64(0, key.at)
	w.rows.text(1, key.service)
	n := cell.latency.Count()
	w.counts(2, &cell.counts, n)
	if n == 0 {
		for column := 9; column < 12; column++ {
			w.rows.null(column)
		}
	} else {
		for i, q := range cell.latency.Quantiles(0.5, 0.95, 0.99) {
			w.rows.float64(9+i, q)
		}
	}
	buckets, times := cell.latency.Buckets()
	return w.lists(12, buckets, times)
}

func (w *cellWriter) spot(key spotKey, cell *spotCell) error {
	if err := w.begin(); err != nil {
		return err
	}
	w.rows.int64(0, key.at)
	w.rows.text(1, key.service)
	w.rows.text(2, key.endpoint)
	if key.endpoint == "" {
		w.rows.null(2)
	}
	w.rows.text(3, key.region)
	w.counts(4, &cell.counts, cell.latency.Count())
	buckets, times := cell.latency.Buckets()
	return w.lists(11, buckets, times)
}

// counts writes cellCounts from a column on.
func (w *cellWriter) counts(from int, c *rollup.Counts, latencies int64) {
	for i, n := range [...]int64{c.Events(), c.HTTP(), c.Errors(), c.ClientErrors(), latencies} {
		w.rows.int64(from+i, n)
	}
	w.rows.float64(from+5, c.LatencySum)
	w.rows.float64(from+6, c.LatencyMax)
}

func (w *cellWriter) lists(from int, buckets []int16, times []int32) error {
	if err := writeList(w.rows, from, buckets); err != nil {
		return err
	}
	if err := writeList(w.rows, from+1, times); err != nil {
		return err
	}
	return w.rows.next()
}
