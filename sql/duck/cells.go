package duck

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/rollup"
)

const (
	// sealAfter is how long a cell must have been left alone before it moves to the sealed table.
	sealAfter = 2 * time.Minute
	// maxOpen bounds the cells in Go and in the open tables, which are rewritten at each flush: a backfill of old events seals early.
	maxOpen = 20_000
)

type serviceKey struct {
	at      int64 // start, microseconds
	service string
}

type serviceCell struct {
	counts  rollup.Counts
	latency rollup.Histogram
	touched time.Time
}

type spotKey struct {
	at                        int64
	service, endpoint, region string
}

type spotCell struct {
	counts  rollup.Counts
	latency rollup.Sketch
	touched time.Time
}

// openCells are the cells of one tier that have changed lately, whole for services, in parts for endpoints.
type openCells struct {
	tier
	services map[serviceKey]*serviceCell
	spots    map[spotKey]*spotCell
}

func newOpenCells(t tier) *openCells {
	return &openCells{tier: t, services: map[serviceKey]*serviceCell{}, spots: map[spotKey]*spotCell{}}
}

func (o *openCells) start(minute int64) int64 {
	rest := minute % o.width
	if rest < 0 {
		rest += o.width
	}
	return minute - rest
}

func addCounts(to, from *rollup.Counts) {
	for i, n := range from.Classes {
		to.Classes[i] += n
	}
	to.LatencySum += from.LatencySum
	to.LatencyMax = max(to.LatencyMax, from.LatencyMax)
}

// merge adds the cells of delta and moves what has come to rest into sealed tables, all in the transaction that is open on c.
func (o *openCells) merge(c *conn, delta *rollup.Cells, now time.Time) error {
	if err := o.reopen(c, delta); err != nil {
		return err
	}
	for _, from := range delta.Services() {
		key := serviceKey{o.start(from.Minute), from.Service}
		cell := o.services[key]
		if cell == nil {
			cell = &serviceCell{}
			o.services[key] = cell
		}
		addCounts(&cell.counts, &from.Counts)
		cell.latency.Merge(&from.Latency)
		cell.touched = now
	}
	for _, from := range delta.Endpoints() {
		key := spotKey{o.start(from.Minute), from.Service(), from.Endpoint(), from.Region()}
		cell := o.spots[key]
		if cell == nil {
			cell = &spotCell{}
			o.spots[key] = cell
		}
		addCounts(&cell.counts, &from.Counts)
		cell.latency.Merge(&from.Latency)
		cell.touched = now
	}
	if err := o.seal(c, now); err != nil {
		return err
	}
	return o.rewrite(c)
}

// reopen takes service cells that delta adds to back from the sealed table: a late event, or the minute that a conversion has cut in two. Their
// values are known by bucket only from then on.
func (o *openCells) reopen(c *conn, delta *rollup.Cells) error {
	wanted := map[serviceKey]bool{}
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for _, from := range delta.Services() {
		key := serviceKey{o.start(from.Minute), from.Service}
		if o.services[key] == nil {
			wanted[key] = true
			low, high = min(low, key.at), max(high, key.at)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	set, err := c.query(fmt.Sprintf("SELECT 1 FROM %s WHERE %s BETWEEN %s AND %s LIMIT 1", sealed(o.table), o.time, timestampSQL(low), timestampSQL(high)), 1)
	if err != nil || len(set.rows) == 0 {
		return err
	}
	err = appendRows(c, wantedKeys, func(add func(...driver.Value) error) error {
		for key := range wanted {
			if err := add(lake.Micros(key.at).Time(), key.service); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := o.takeBack(c); err != nil {
		return err
	}
	return c.exec("TRUNCATE " + wantedKeys)
}

// takeBack moves the cells that wantedKeys names from the sealed table to Go.
func (o *openCells) takeBack(c *conn) error {
	named := fmt.Sprintf("s.%s = k.cell AND s.service_name = k.service_name", o.time)
	set, err := c.query(fmt.Sprintf("SELECT epoch_us(s.%s), s.service_name, count - http, http - errors - client_errors, client_errors, errors, latency_sum, latency_max, buckets, counts FROM %s s JOIN %s k ON %s",
		o.time, sealed(o.table), wantedKeys, named), 0)
	if err != nil {
		return err
	}
	for _, row := range set.rows {
		at, _ := row[0].(int64)
		service, _ := row[1].(string)
		cell := &serviceCell{}
		for class, column := range map[int]int{0: 2, 2: 3, 4: 4, 5: 5} { // the sum of 1xx to 3xx goes to 2xx: the tables do not tell them apart
			n, _ := row[column].(int64)
			cell.counts.Classes[class] += uint32(n)
		}
		sum, _ := row[6].(float64)
		highest, _ := row[7].(float64)
		cell.counts.LatencySum += sum
		cell.counts.LatencyMax = max(cell.counts.LatencyMax, highest)
		addBuckets(&cell.latency, row[8], row[9])
		o.services[serviceKey{at, service}] = cell
	}
	if len(set.rows) == 0 {
		return nil
	}
	return c.exec(fmt.Sprintf("DELETE FROM %s s USING %s k WHERE %s", sealed(o.table), wantedKeys, named))
}

// addBuckets adds a distribution as the tables hold it.
func addBuckets(h *rollup.Histogram, buckets, counts driver.Value) {
	list, _ := buckets.([]any)
	times, _ := counts.([]any)
	for i := range min(len(list), len(times)) {
		b, _ := list[i].(int16)
		n, _ := times[i].(int32)
		for range n {
			h.Add(rollup.BucketMS(b))
		}
	}
}

// seal moves cells that rest into the sealed tables; all of them when there are too many.
func (o *openCells) seal(c *conn, now time.Time) error {
	all := len(o.services)+len(o.spots) > maxOpen
	err := appendRows(c, sealed(o.table), func(add func(...driver.Value) error) error {
		for key, cell := range o.services {
			if all || now.Sub(cell.touched) >= sealAfter {
				if err := add(serviceRow(key, cell)...); err != nil {
					return err
				}
				delete(o.services, key)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return appendRows(c, sealed(o.table+"_by_endpoint"), func(add func(...driver.Value) error) error {
		for key, cell := range o.spots {
			if all || now.Sub(cell.touched) >= sealAfter {
				if err := add(spotRow(key, cell)...); err != nil {
					return err
				}
				delete(o.spots, key)
			}
		}
		return nil
	})
}

// rewrite replaces the open tables.
func (o *openCells) rewrite(c *conn) error {
	if err := c.exec("TRUNCATE " + open(o.table) + "; TRUNCATE " + open(o.table+"_by_endpoint")); err != nil {
		return err
	}
	err := appendRows(c, open(o.table), func(add func(...driver.Value) error) error {
		for key, cell := range o.services {
			if err := add(serviceRow(key, cell)...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return appendRows(c, open(o.table+"_by_endpoint"), func(add func(...driver.Value) error) error {
		for key, cell := range o.spots {
			if err := add(spotRow(key, cell)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// appendRows appends what rows adds; the appender is opened with the first row.
func appendRows(c *conn, table string, rows func(add func(...driver.Value) error) error) error {
	var appender *duckdb.Appender
	err := rows(func(row ...driver.Value) (err error) {
		if appender == nil {
			if appender, err = duckdb.NewAppenderFromConn(c.driver, "", table); err != nil {
				return err
			}
		}
		return appender.AppendRow(row...)
	})
	if appender != nil {
		err = errors.Join(err, appender.Close())
	}
	if err != nil {
		return fmt.Errorf("append to %s: %w", table, err)
	}
	return nil
}

func serviceRow(key serviceKey, cell *serviceCell) []driver.Value {
	n := cell.latency.Count()
	row := append([]driver.Value{lake.Micros(key.at).Time(), key.service}, countValues(&cell.counts, n)...)
	for _, q := range cell.latency.Quantiles(0.5, 0.95, 0.99) {
		if n == 0 {
			row = append(row, nil)
		} else {
			row = append(row, q)
		}
	}
	buckets, counts := cell.latency.Buckets()
	return append(row, buckets, counts)
}

func spotRow(key spotKey, cell *spotCell) []driver.Value {
	row := append([]driver.Value{lake.Micros(key.at).Time(), key.service, orNull(key.endpoint), key.region}, countValues(&cell.counts, cell.latency.Count())...)
	buckets, counts := cell.latency.Buckets()
	return append(row, buckets, counts)
}

func orNull(s string) driver.Value {
	if s == "" {
		return nil
	}
	return s
}

func countValues(c *rollup.Counts, latencies int64) []driver.Value {
	return []driver.Value{c.Events(), c.HTTP(), c.Errors(), c.ClientErrors(), latencies, c.LatencySum, c.LatencyMax}
}

// timestampSQL is an instant as a constant of SQL.
func timestampSQL(micros int64) string {
	return "TIMESTAMP '" + lake.Micros(micros).Time().Format("2006-01-02 15:04:05.999999") + "'"
}
