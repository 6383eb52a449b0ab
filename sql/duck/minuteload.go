package duck

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/rollup"
	"github.com/signallake/signallake/sql"
)

// load fills the tables anew, on a goroutine of its own: from the rollup files of the pinned version, and from the log up to pos. It releases the pin.
func (s *cellStore) load(ctx context.Context, l *lake.Lake, pin *lake.Pin, pos lake.Seq) {
	s.from = max(pin.Version.Watermark, pos)
	s.delta, s.dirty, s.base = rollup.New(), time.Time{}, nil
	for i, t := range tiers {
		s.cells[i] = newOpenCells(t)
	}
	s.start(func() error {
		defer pin.Release()
		if err := s.read(ctx, l, pin); err != nil && ctx.Err() == nil {
			return fmt.Errorf("load the minute tables: %w", err)
		}
		return nil
	})
}

func (s *cellStore) read(ctx context.Context, l *lake.Lake, pin *lake.Pin) error {
	layout := l.Layout()
	root, err := filepath.Abs(layout.Root)
	if err != nil {
		return err
	}
	layout.Root = root
	var files []string
	for i := range pin.Version.Rollups {
		files = append(files, sql.Literal(layout.RollupPath(&pin.Version.Rollups[i])))
	}
	if err := s.replace(func() error { return s.readRollups(ctx, files) }); err != nil {
		return err
	}
	s.press(0)
	return s.readLog(ctx, l, pin)
}

// replace fills the tables anew. Readers of before a rewind must not see it half done; the first time nobody reads yet, and what is compressed in between
// keeps the peak of memory low.
func (s *cellStore) replace(fill func() error) error {
	if !s.announced() {
		return fill()
	}
	if err := s.conn.exec("BEGIN"); err != nil {
		return err
	}
	if err := fill(); err != nil {
		return errors.Join(err, s.conn.exec("ROLLBACK"))
	}
	return s.conn.exec("COMMIT")
}

// addedRows takes note of rows that have come in bulk.
func (s *cellStore) addedRows(n int64) {
	if s.loose += n; !s.announced() {
		s.press(loadedRows)
	}
}

// loadedRows is looseRows while everything is loaded: fewer, larger steps.
const loadedRows = 60_000

// rollupCounts are cellCounts from a rollup file.
const rollupCounts = `status_0xx + status_1xx + status_2xx + status_3xx + status_4xx + status_5xx AS count, status_1xx + status_2xx + status_3xx + status_4xx + status_5xx AS http,
	status_5xx AS errors, status_4xx AS client_errors, latency_count, latency_sum, latency_max`

// readRollups replaces all rows by those of the rollup files. Cells of services that lie in several files are merged in Go, where their values are
// still known; the rest never leaves DuckDB. It reads one file at a time: a file is one run of a conversion, so memory is bounded by a run and not by the lake.
func (s *cellStore) readRollups(ctx context.Context, files []string) error {
	texts := []string{"TRUNCATE " + wantedKeys}
	for _, t := range tiers {
		for _, table := range []string{t.table, t.table + "_by_endpoint"} {
			texts = append(texts, "TRUNCATE "+sealed(table), "TRUNCATE "+open(table))
		}
	}
	if err := s.execAll(ctx, texts); err != nil || len(files) == 0 {
		return err
	}
	from := "read_parquet([" + strings.Join(files, ", ") + "])"
	if err := s.conn.exec("INSERT INTO " + wantedKeys + " SELECT minute, service_name FROM " + from + " WHERE endpoint IS NULL GROUP BY minute, service_name HAVING count(*) > 1"); err != nil {
		return err
	}
	for _, file := range files {
		if err := s.readServices(ctx, "read_parquet("+file+")"); err != nil {
			return err
		}
	}
	if err := s.mergeSplit(from); err != nil {
		return err
	}
	if err := s.conn.exec("TRUNCATE " + wantedKeys); err != nil {
		return err
	}
	if err := s.fillHours(ctx); err != nil {
		return err
	}
	return s.readEndpoints(ctx, files)
}

// readServices reads the service cells of a file that lie in no other.
func (s *cellStore) readServices(ctx context.Context, from string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n, err := s.conn.changed("INSERT INTO " + sealed("minutes") + " SELECT minute, service_name, " + rollupCounts + ", p50, p95, p99, buckets, counts FROM " + from + " r ANTI JOIN " + wantedKeys +
		" k ON r.minute = k.cell AND r.service_name = k.service_name WHERE endpoint IS NULL")
	s.addedRows(n)
	return err
}

// fillHours fills the hours of services from their minutes, a day at a time.
func (s *cellStore) fillHours(ctx context.Context) error {
	days, err := s.conn.query("SELECT DISTINCT epoch_us(date_trunc('day', minute)) FROM "+sealed("minutes")+" ORDER BY ALL", 0)
	if err != nil {
		return err
	}
	for _, row := range days.rows {
		day, _ := row[0].(int64)
		hours := newOpenCells(tiers[1])
		text := "SELECT minute, service_name, " + storedColumns + " FROM " + sealed("minutes") + " WHERE " + between("minute", day, day+24*microsPerHour)
		if err := s.conn.eachCell(text, false, hours.addStored); err != nil {
			return err
		}
		if err := s.keep(ctx, hours); err != nil {
			return err
		}
	}
	return nil
}

// keep adds whole cells to the sealed tables.
func (s *cellStore) keep(ctx context.Context, cells *openCells) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := cells.write(s.conn, sealed(cells.table), func(serviceKey, *serviceCell) bool { return true }, func(spotKey, *spotCell) bool { return true })
	s.addedRows(int64(len(cells.services) + len(cells.spots)))
	return err
}

// readEndpoints reads the cells of endpoints, the minutes where they are kept, and hours.
func (s *cellStore) readEndpoints(ctx context.Context, files []string) error {
	set, err := s.conn.query("SELECT epoch_us(max(minute)) FROM "+sealed("minutes"), 1)
	if err != nil {
		return err
	}
	newest, _ := set.rows[0][0].(int64)
	s.horizon.Store(horizonOf(newest, time.Now()))
	for _, file := range files {
		from := "read_parquet(" + file + ")"
		n, err := s.conn.changed("INSERT INTO " + sealed("minutes_by_endpoint") + " SELECT minute, service_name, nullif(endpoint, ''), region, " + rollupCounts + ", buckets, counts FROM " + from +
			" WHERE endpoint IS NOT NULL AND minute >= " + timestampSQL(s.horizon.Load()))
		if err != nil {
			return err
		}
		s.addedRows(n)
		if err := s.readSpotHours(ctx, from); err != nil {
			return err
		}
	}
	return nil
}

// spotsAtOnce bounds how many cells of endpoints an answer holds, some 20 MB: as many as a group of rows of the file.
const spotsAtOnce = 1 << 16

// readSpotHours adds the hours of endpoints from the minutes of one rollup file, some hours at a time; an hour that lies in two files has two rows.
func (s *cellStore) readSpotHours(ctx context.Context, from string) error {
	set, err := s.conn.query("SELECT epoch_us(date_trunc('hour', minute)) AS hour, count(*) FROM "+from+" WHERE endpoint IS NOT NULL GROUP BY hour ORDER BY hour", 0)
	if err != nil {
		return err
	}
	for i := 0; i < len(set.rows); {
		first, _ := set.rows[i][0].(int64)
		end := first + microsPerHour
		for cells := int64(0); i < len(set.rows); i++ {
			hour, _ := set.rows[i][0].(int64)
			if n := count(set.rows[i][1]); cells == 0 || cells+n <= spotsAtOnce {
				cells, end = cells+n, hour+microsPerHour
				continue
			}
			break
		}
		hours := newOpenCells(tiers[1])
		text := "SELECT minute, service_name, nullif(endpoint, ''), region, " + storedColumns + " FROM (SELECT minute, service_name, endpoint, region, buckets, counts, " + rollupCounts + " FROM " + from + ") WHERE endpoint IS NOT NULL AND " + between("minute", first, end)
		if err := s.conn.eachCell(text, true, hours.addStoredSpot); err != nil {
			return err
		}
		if err := s.keep(ctx, hours); err != nil {
			return err
		}
	}
	return nil
}

// endpointMinutes is how long minutes are kept by endpoint: what a window of a day needs at its edges. There are as many such cells as
// minutes x endpoints x regions, a hundred times more than of services; what is older is answered in whole hours.
const endpointMinutes = 25 * time.Hour

// horizonOf is the first instant of which minutes by endpoint are kept, a whole hour. A timestamp ahead of the clock does not move it.
func horizonOf(newest int64, now time.Time) int64 {
	return floorTo(min(newest, now.UnixMicro())-endpointMinutes.Microseconds(), microsPerHour)
}

// trim drops minutes by endpoint that the passing of time has put before the horizon.
func (s *cellStore) trim(delta *rollup.Cells, now time.Time) error {
	newest := int64(math.MinInt64)
	for _, cell := range delta.Services() {
		newest = max(newest, cell.Minute)
	}
	horizon := horizonOf(newest, now)
	if newest == math.MinInt64 || horizon <= s.horizon.Load() {
		return nil
	}
	s.horizon.Store(horizon)
	return s.conn.exec("DELETE FROM " + sealed("minutes_by_endpoint") + " WHERE minute < " + timestampSQL(horizon))
}

func (s *cellStore) execAll(ctx context.Context, texts []string) error {
	for _, text := range texts {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.conn.exec(text); err != nil {
			return err
		}
	}
	return nil
}

// mergeSplit merges service cells that lie in several files: those that wantedKeys names.
func (s *cellStore) mergeSplit(from string) error {
	set, err := s.conn.query("SELECT epoch_us(r.minute), r.service_name, status_0xx, status_1xx, status_2xx, status_3xx, status_4xx, status_5xx, latency_sum, latency_max, buckets, counts, raw FROM "+
		from+" r SEMI JOIN "+wantedKeys+" k ON r.minute = k.cell AND r.service_name = k.service_name WHERE endpoint IS NULL", 0)
	if err != nil {
		return err
	}
	cells := map[serviceKey]*serviceCell{}
	for _, row := range set.rows {
		at, _ := row[0].(int64)
		service, _ := row[1].(string)
		cell := cells[serviceKey{at, service}]
		if cell == nil {
			cell = &serviceCell{}
			cells[serviceKey{at, service}] = cell
		}
		var counts rollup.Counts
		for class := range counts.Classes {
			n, _ := row[2+class].(int64)
			counts.Classes[class] = uint32(n)
		}
		counts.LatencySum, _ = row[8].(float64)
		counts.LatencyMax, _ = row[9].(float64)
		addCounts(&cell.counts, &counts)
		if raw, _ := row[12].([]any); len(raw) > 0 {
			for _, v := range raw {
				ms, _ := v.(float64)
				cell.latency.Add(ms)
			}
		} else {
			addBuckets(&cell.latency, row[10], row[11])
		}
	}
	w := cellWriter{conn: s.conn, table: sealed("minutes")}
	for key, cell := range cells {
		if err == nil {
			err = w.service(key, cell)
		}
	}
	s.addedRows(int64(len(cells)))
	return w.end(err)
}

// addBuckets adds a distribution as the driver answers it.
func addBuckets(h *rollup.Histogram, buckets, counts driver.Value) {
	list, _ := buckets.([]any)
	times, _ := counts.([]any)
	for i := range min(len(list), len(times)) {
		b, _ := list[i].(int16)
		n, _ := times[i].(int32)
		h.AddBucket(b, int64(n))
	}
}

// readLog counts the events from the pinned version's watermark up to where the feed hands them on: sealed segments side by side, the rest as it came in.
func (s *cellStore) readLog(ctx context.Context, l *lake.Lake, pin *lake.Pin) error {
	pos := pin.Version.Watermark
	var whole []lake.Segment
	for _, segment := range pin.Hot {
		if !segment.Sealed || segment.End > s.from {
			break
		}
		whole = append(whole, segment)
		pos = segment.End
	}
	base, err := s.countSegments(ctx, l, whole)
	if err != nil {
		return err
	}
	if err := countTail(ctx, l, pos, s.from, base); err != nil {
		return err
	}
	s.base = base
	return nil
}

// countSegments counts whole segments.
func (s *cellStore) countSegments(ctx context.Context, l *lake.Lake, segments []lake.Segment) (*rollup.Cells, error) {
	queue := make(chan lake.Segment, len(segments))
	for _, segment := range segments {
		queue <- segment
	}
	close(queue)
	workers := max(1, min(lake.Processors(), maxLoaders, len(segments)))
	cells, errs := make([]*rollup.Cells, workers), make([]error, workers)
	var counting sync.WaitGroup
	for i := range workers {
		cells[i] = rollup.New()
		counting.Go(func() {
			for segment := range queue {
				if errs[i] != nil || ctx.Err() != nil {
					continue
				}
				errs[i] = scanLines(l, segment, func(e *lake.Event, _ lake.Seq) error {
					addEvent(cells[i], e)
					return nil
				}, func(n int) error {
					s.logRead.Add(int64(n))
					return ctx.Err()
				})
			}
		})
	}
	counting.Wait()
	for _, other := range cells[1:] {
		cells[0].Merge(other)
	}
	return cells[0], errors.Join(append(errs, ctx.Err())...)
}

func addEvent(c *rollup.Cells, e *lake.Event) {
	c.Add(int64(e.Timestamp), e.ServiceName, e.Endpoint, e.Region, e.StatusCode, e.LatencyMS, e.HasLatency)
}

// countTail counts the events with a seq in [from, to), all of which are committed.
func countTail(ctx context.Context, l *lake.Lake, from, to lake.Seq, cells *rollup.Cells) (err error) {
	if from >= to {
		return nil
	}
	tail := l.Tail(from)
	defer func() { err = errors.Join(err, tail.Close()) }()
	var scanner lake.Scanner
	for pos := from; pos < to; {
		batch, err := tail.Next(ctx)
		if err != nil {
			return err
		}
		if batch.Rewound {
			return errors.New("the log was cut meanwhile")
		}
		err = scanBatch(&scanner, batch.Lines, batch.First, func(e *lake.Event, seq lake.Seq) error {
			if seq < to {
				addEvent(cells, e)
			}
			return nil
		})
		if err != nil {
			return err
		}
		pos = batch.First + lake.Seq(batch.N)
	}
	return nil
}
