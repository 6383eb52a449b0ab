package duck

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
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
	if err := s.conn.exec("BEGIN"); err != nil {
		return err
	}
	if err := s.readRollups(ctx, files); err != nil {
		return errors.Join(err, s.conn.exec("ROLLBACK"))
	}
	if err := s.conn.exec("COMMIT"); err != nil {
		return err
	}
	return s.readLog(ctx, l, pin)
}

// rollupCounts are cellCounts from a rollup file.
const rollupCounts = `status_0xx + status_1xx + status_2xx + status_3xx + status_4xx + status_5xx AS count, status_1xx + status_2xx + status_3xx + status_4xx + status_5xx AS http,
	status_5xx AS errors, status_4xx AS client_errors, latency_count, latency_sum, latency_max`

// readRollups replaces all rows by those of the rollup files. Cells of services that lie in several files are merged in Go, where their values are
// still known; the rest never leaves DuckDB.
func (s *cellStore) readRollups(ctx context.Context, files []string) error {
	texts := []string{}
	for _, t := range tiers {
		for _, table := range []string{t.table, t.table + "_by_endpoint"} {
			texts = append(texts, "TRUNCATE "+sealed(table), "TRUNCATE "+open(table))
		}
	}
	if len(files) == 0 {
		return s.execAll(ctx, texts)
	}
	from := "read_parquet([" + strings.Join(files, ", ") + "])"
	split := "(SELECT minute, service_name FROM " + from + " WHERE endpoint IS NULL GROUP BY minute, service_name HAVING count(*) > 1)"
	texts = append(texts,
		"INSERT INTO "+sealed("minutes")+" SELECT minute, service_name, "+rollupCounts+", p50, p95, p99, buckets, counts FROM "+from+" r ANTI JOIN "+split+
			" s ON r.minute = s.minute AND r.service_name = s.service_name WHERE endpoint IS NULL ORDER BY minute")
	if err := s.execAll(ctx, texts); err != nil {
		return err
	}
	if err := s.mergeSplit(from, split); err != nil {
		return err
	}
	return s.readEndpoints(ctx, files)
}

// readEndpoints reads one file at a time: a file is one run of a conversion, so memory is bounded by a run and not by the lake.
func (s *cellStore) readEndpoints(ctx context.Context, files []string) error {
	set, err := s.conn.query("SELECT epoch_us(max(minute)) FROM "+sealed("minutes"), 1)
	if err != nil {
		return err
	}
	newest, _ := set.rows[0][0].(int64)
	s.horizon.Store(horizonOf(newest, time.Now()))
	texts := []string{hoursSQL()}
	for _, file := range files {
		from := "read_parquet(" + file + ")"
		texts = append(texts,
			"INSERT INTO "+sealed("minutes_by_endpoint")+" SELECT minute, service_name, nullif(endpoint, ''), region, "+rollupCounts+", buckets, counts FROM "+from+
				" WHERE endpoint IS NOT NULL AND minute >= "+timestampSQL(s.horizon.Load()),
			hoursByEndpointSQL(from))
	}
	return s.execAll(ctx, texts)
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

// mergeSplit merges service cells that lie in several files.
func (s *cellStore) mergeSplit(from, split string) error {
	set, err := s.conn.query("SELECT epoch_us(r.minute), r.service_name, status_0xx, status_1xx, status_2xx, status_3xx, status_4xx, status_5xx, latency_sum, latency_max, buckets, counts, raw FROM "+
		from+" r SEMI JOIN "+split+" s ON r.minute = s.minute AND r.service_name = s.service_name WHERE endpoint IS NULL", 0)
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
	return appendRows(s.conn, sealed("minutes"), func(add func(...driver.Value) error) error {
		for key, cell := range cells {
			if err := add(serviceRow(key, cell)...); err != nil {
				return err
			}
		}
		return nil
	})
}

const sumCounts = "sum(count)::BIGINT, sum(http)::BIGINT, sum(errors)::BIGINT, sum(client_errors)::BIGINT, sum(latency_count)::BIGINT, sum(latency_sum), max(latency_max)"

// hoursSQL fills the hours of services from their minutes.
func hoursSQL() string {
	return "INSERT INTO " + sealed("hours") + `
WITH cells AS (SELECT hour, service_name, b, sum(c) AS c FROM (SELECT date_trunc('hour', minute) AS hour, service_name, unnest(buckets) AS b, unnest(counts) AS c FROM ` + sealed("minutes") + `) GROUP BY ALL),
run AS (SELECT hour, service_name, b, c, ` + rollup.BucketSQL + ` AS ms, sum(c) OVER (PARTITION BY hour, service_name ORDER BY b) AS cum, sum(c) OVER (PARTITION BY hour, service_name) AS n FROM cells),
lists AS (SELECT hour, service_name, ` + quantileSQL(0.5) + ` AS p50, ` + quantileSQL(0.95) + ` AS p95, ` + quantileSQL(0.99) + ` AS p99, list(b ORDER BY b) AS buckets, list(c::INTEGER ORDER BY b) AS counts FROM run GROUP BY ALL),
totals AS (SELECT date_trunc('hour', minute) AS hour, service_name, ` + sumCounts + ` FROM ` + sealed("minutes") + ` GROUP BY ALL)
SELECT totals.*, p50, p95, p99, coalesce(buckets, []), coalesce(counts, []) FROM totals LEFT JOIN lists USING (hour, service_name) ORDER BY hour`
}

// hoursByEndpointSQL adds the hours of endpoints from the minutes of one rollup file; an hour that lies in two files has two rows.
func hoursByEndpointSQL(file string) string {
	key := "hour, service_name, endpoint, region"
	return "INSERT INTO " + sealed("hours_by_endpoint") + `
WITH parts AS (SELECT date_trunc('hour', minute) AS hour, service_name, nullif(endpoint, '') AS endpoint, region, buckets, counts, ` + rollupCounts + ` FROM ` + file + ` WHERE endpoint IS NOT NULL),
cells AS (SELECT ` + key + `, b, sum(c) AS c FROM (SELECT ` + key + `, unnest(buckets) AS b, unnest(counts) AS c FROM parts) GROUP BY ALL),
lists AS (SELECT ` + key + `, list(b ORDER BY b) AS buckets, list(c::INTEGER ORDER BY b) AS counts FROM cells GROUP BY ALL),
totals AS (SELECT ` + key + `, ` + sumCounts + ` FROM parts GROUP BY ALL)
SELECT totals.*, coalesce(buckets, []), coalesce(counts, []) FROM totals LEFT JOIN lists ON totals.hour = lists.hour AND totals.service_name = lists.service_name
	AND totals.endpoint IS NOT DISTINCT FROM lists.endpoint AND totals.region = lists.region ORDER BY totals.hour`
}

// quantileSQL is the quantile of a group of rows (ms, cum, n): buckets in milliseconds with the count of values up to them and in all. It
// interpolates between neighbours as quantile_cont does.
func quantileSQL(q float64) string {
	position := fmt.Sprintf("%g * (n - 1)", q)
	low := "min(ms) FILTER (WHERE cum > floor(" + position + "))"
	high := "min(ms) FILTER (WHERE cum > ceil(" + position + "))"
	return low + " + (" + high + " - " + low + ") * (max(" + position + ") - floor(max(" + position + ")))"
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
	workers := max(1, min(runtime.GOMAXPROCS(0), maxLoaders, len(segments)))
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
