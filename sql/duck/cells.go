package duck

import (
	"errors"
	"fmt"
	"math"
	"time"

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

// merge adds the cells of delta and moves what has come to rest into sealed tables, all in the transaction that is open on c. It answers how many rows these got.
func (o *openCells) merge(c *conn, delta *rollup.Cells, now time.Time) (sealedRows int64, err error) {
	if err := o.reopen(c, delta); err != nil {
		return 0, err
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
	n, err := o.seal(c, now)
	if err != nil {
		return 0, err
	}
	return n, o.rewrite(c)
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
	if err := c.nameCells(wanted); err != nil {
		return err
	}
	if err := o.takeBack(c); err != nil {
		return err
	}
	return c.exec("TRUNCATE " + wantedKeys)
}

// nameCells fills wantedKeys.
func (c *conn) nameCells(wanted map[serviceKey]bool) error {
	w, err := c.chunkWriter(wantedKeys)
	if err != nil {
		return err
	}
	for key := range wanted {
		if err == nil {
			w.int64(0, key.at)
			w.text(1, key.service)
			err = w.next()
		}
	}
	if err == nil {
		err = w.flush()
	}
	return errors.Join(err, w.close())
}

// takeBack moves the cells that wantedKeys names from the sealed table to Go.
func (o *openCells) takeBack(c *conn) error {
	named := fmt.Sprintf("s.%s = k.cell AND s.service_name = k.service_name", o.time)
	taken := 0
	err := c.eachCell(fmt.Sprintf("SELECT s.%s, s.service_name, %s FROM %s s JOIN %s k ON %s", o.time, storedColumns, sealed(o.table), wantedKeys, named), false, func(cell *storedCell) {
		o.addStored(cell)
		taken++
	})
	if err != nil || taken == 0 {
		return err
	}
	return c.exec(fmt.Sprintf("DELETE FROM %s s USING %s k WHERE %s", sealed(o.table), wantedKeys, named))
}

// seal moves cells that rest into the sealed tables; all of them when there are too many.
func (o *openCells) seal(c *conn, now time.Time) (sealedRows int64, err error) {
	all := len(o.services)+len(o.spots) > maxOpen
	rests := func(touched time.Time) bool { return all || now.Sub(touched) >= sealAfter }
	before := len(o.services) + len(o.spots)
	err = o.write(c, sealed(o.table), func(key serviceKey, cell *serviceCell) bool {
		if rests(cell.touched) {
			delete(o.services, key)
			return true
		}
		return false
	}, func(key spotKey, cell *spotCell) bool {
		if rests(cell.touched) {
			delete(o.spots, key)
			return true
		}
		return false
	})
	return int64(before - len(o.services) - len(o.spots)), err
}

// rewrite replaces the open tables.
func (o *openCells) rewrite(c *conn) error {
	if err := c.exec("TRUNCATE " + open(o.table) + "; TRUNCATE " + open(o.table+"_by_endpoint")); err != nil {
		return err
	}
	return o.write(c, open(o.table), func(serviceKey, *serviceCell) bool { return true }, func(spotKey, *spotCell) bool { return true })
}

// write appends the cells that are chosen to a table and the one of endpoints beside it.
func (o *openCells) write(c *conn, table string, service func(serviceKey, *serviceCell) bool, spot func(spotKey, *spotCell) bool) (err error) {
	services := cellWriter{conn: c, table: table}
	for key, cell := range o.services {
		if err == nil && service(key, cell) {
			err = services.service(key, cell)
		}
	}
	if err = services.end(err); err != nil {
		return err
	}
	spots := cellWriter{conn: c, table: table + "_by_endpoint"}
	for key, cell := range o.spots {
		if err == nil && spot(key, cell) {
			err = spots.spot(key, cell)
		}
	}
	return spots.end(err)
}

// timestampSQL is an instant as a constant of SQL.
func timestampSQL(micros int64) string {
	return "TIMESTAMP '" + lake.Micros(micros).Time().Format("2006-01-02 15:04:05.999999") + "'"
}
