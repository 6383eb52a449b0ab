package duck

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/bench"
)

const (
	askP95   = "SELECT quantile_cont(latency_ms, 0.95) AS p95 FROM "
	question = askP95 + "events WHERE service_name = '$service' AND event_date = DATE '$day'"
	asked    = "latency_ms" // the column that the question needs beside the partition key
)

// rung is one way to answer. A new one needs an entry in makeRungs and a name in package bench.
type rung struct {
	name, title string
	filesTotal  int
	ask         func(p pair) (*rowSet, error)      // all that a user waits for
	cost        func(p pair) (files int, by int64) // by the books
}

// probe is work that is timed to explain a rung.
type probe struct {
	name, title string
	do          func(p pair) error
}

func (b *bencher) makeRungs() {
	n := len(b.version.Files)
	byBooks := func(p pair) (int, int64) {
		cost := sql.CostOf(b.version.Files, []sql.Scan{sql.KeyScan(p.service, p.day, asked)}, sql.Leeway{})
		return cost.Files, cost.Bytes
	}
	b.rungs = []rung{
		{bench.Unpartitioned, "one unpartitioned file", 1, func(p pair) (*rowSet, error) { return b.query(b.twinText(p)) },
			func(p pair) (int, int64) { return 1, b.twin.cost(p.day) }},
		{bench.Glob, "Hive tree by pattern, as the prototype", n, func(p pair) (*rowSet, error) { return b.query(b.globText(p)) }, byBooks},
		{bench.Catalog, "Hive tree by our catalog's list", n, func(p pair) (*rowSet, error) { return b.query(b.listText(p)) }, byBooks},
		{bench.Engine, "any SQL through our engine", n, b.askEngine, byBooks},
	}
	run := func(text string) error { _, err := b.query(text); return err }
	b.probes = []probe{
		{bench.ProbeList, "list the tree by the pattern", func(pair) error { return run("SELECT count(*) FROM glob(" + sql.Literal(b.pattern()) + ")") }},
		{bench.ProbeGlobPlan, "plan over the pattern", func(p pair) error { return run("EXPLAIN " + b.globText(p)) }},
		{bench.ProbeListPlan, "plan over the catalog's list", func(p pair) error { return run("EXPLAIN " + b.listText(p)) }},
		{bench.ProbeListOpen, "count over the catalog's list: footers only", func(p pair) error {
			return run(strings.Replace(b.listText(p), askP95, "SELECT count(*) FROM ", 1))
		}},
		{bench.ProbePlan, "gate, plan and prune any SQL", func(p pair) error { _, _, _, err := b.plan(p); return err }},
	}
}

func (b *bencher) query(text string) (*rowSet, error) { return b.c.query(text, 0) }

func (b *bencher) twinText(p pair) string {
	return askP95 + "read_parquet(" + sql.Literal(b.twin.path) + ") " + p.where()
}

// pattern finds every file of the tree: what the prototype gave to DuckDB.
func (b *bencher) pattern() string { return filepath.Join(b.layout.Partitioned(), "**", "*.parquet") }

func (b *bencher) globText(p pair) string {
	return askP95 + "read_parquet(" + sql.Literal(b.pattern()) + ", hive_partitioning = true) " + p.where()
}

// listText prunes by the catalog and names the files that are left. They hold events of the pair alone, so that no condition is left either, and
// nothing has to be read from their names.
func (b *bencher) listText(p pair) string {
	files := sql.Prune(b.version.Files, []sql.Scan{sql.KeyScan(p.service, p.day, asked)}, sql.Leeway{})
	return askP95 + readParquet(b.layout, files, "hive_partitioning = false")
}

// plan is what the engine does with a statement before it reads.
func (b *bencher) plan(p pair) (*statement, []*lake.FileEntry, plan, error) {
	s, err := b.gate.admit(b.planner.filters.conns[0], strings.NewReplacer("'$service'", sql.Literal(p.service), "$day", p.day.String()).Replace(question))
	if err != nil {
		return nil, nil, plan{}, err
	}
	planned := b.planner.planOf(0, s, time.Now())
	if planned.wrong != nil {
		return nil, nil, plan{}, planned.wrong
	}
	return s, sql.Prune(b.version.Files, planned.scans, planned.leeway), planned, nil
}

// askEngine goes the way of Engine.Query for a text that it has not seen yet, over this version and without a hot tail.
func (b *bencher) askEngine(p pair) (*rowSet, error) {
	s, files, planned, err := b.plan(p)
	if err != nil {
		return nil, err
	}
	reads := columnsOf(planned.costs)
	own := b.own.hold(files, reads, sieves(planned.scans))
	set, err := s.execute(context.Background(), b.c, b.layout, files, own, nil, reads, defaultMaxRows)
	return set, errors.Join(err, own.release())
}

// twinBooks is what the catalog would know of the unpartitioned twin.
type twinBooks struct {
	path   string
	bytes  int64
	footer int64
	groups []twinGroup
}

// twinGroup is a row group: its smallest and largest event_date (the twin is ordered by time, so that DuckDB passes over the others), and the bytes
// of the chunks that the question needs.
type twinGroup struct {
	first, last lake.Date
	bytes       int64
}

// cost is footer and needed column chunks of the row groups that may hold the day: the arithmetic of sql.CostOf.
func (t *twinBooks) cost(day lake.Date) int64 {
	n := t.footer
	for _, g := range t.groups {
		if g.first <= day && day <= g.last {
			n += g.bytes
		}
	}
	return n
}

func readTwinBooks(c *conn, path string) (twinBooks, error) {
	t := twinBooks{path: path}
	if err := t.readEnds(); err != nil {
		return t, err
	}
	set, err := c.query("SELECT max(stats_min_value) FILTER (path_in_schema = 'event_date'), max(stats_max_value) FILTER (path_in_schema = 'event_date'), "+
		"sum(total_compressed_size) FILTER (path_in_schema IN ('event_date', 'service_name', '"+asked+"'))::BIGINT "+
		"FROM parquet_metadata("+sql.Literal(path)+") GROUP BY row_group_id ORDER BY row_group_id", 0)
	if err != nil {
		return t, err
	}
	for _, row := range set.rows {
		var g twinGroup
		var err1, err2 error
		g.first, err1 = lake.ParseDate(text(row[0]))
		g.last, err2 = lake.ParseDate(text(row[1]))
		bytes, ok := row[2].(int64)
		if err1 != nil || err2 != nil || !ok {
			return t, fmt.Errorf("a row group has event_date from %v to %v and %v bytes", row[0], row[1], row[2])
		}
		g.bytes = bytes
		t.groups = append(t.groups, g)
	}
	return t, nil
}

// readEnds finds the file's size and its footer's: metadata, their length, and both magics, as the catalog counts it.
func (t *twinBooks) readEnds() error {
	const magic, trailer = 4, 8
	file, err := os.Open(t.path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	var tail [trailer]byte
	if _, err := file.ReadAt(tail[:], info.Size()-trailer); err != nil {
		return err
	}
	t.bytes, t.footer = info.Size(), int64(binary.LittleEndian.Uint32(tail[:]))+trailer+magic
	return nil
}

// allPaths are the files of all layouts: what has to be dropped to be cold.
func (b *bencher) allPaths() []string {
	paths := []string{b.twin.path}
	for i := range b.version.Files {
		paths = append(paths, b.layout.Path(&b.version.Files[i]))
	}
	return slices.Clip(paths)
}
