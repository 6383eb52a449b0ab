package duck

import (
	stdsql "database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
	"github.com/signallake/signallake/sql"
)

// digestBench is a lake of a million events (SIGNALLAKE_BENCH_EVENTS says otherwise) with its unpartitioned twin and 50,000 hot rows on the newest day.
type digestBench struct {
	lake   *lake.Lake
	engine *Engine
	twin   *stdsql.DB
	glob   *stdsql.DB
	pairs  []string
}

func newDigestBench(b *testing.B) *digestBench {
	events := int64(1_000_000)
	if n, err := strconv.ParseInt(os.Getenv("SIGNALLAKE_BENCH_EVENTS"), 10, 64); err == nil {
		events = n
	}
	d := &digestBench{}
	d.lake, d.engine = openBoth(b, b.TempDir())
	for seed := uint64(1); events > 0; seed++ { // more than that at once does not fit in the tail
		piece := min(events, 1_000_000)
		generateInto(b, d.lake, piece, seed)
		if _, err := d.lake.Convert(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		events -= piece
	}
	if _, err := d.lake.ConvertUnpartitioned(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	twin, ok, err := d.lake.Unpartitioned()
	if err != nil || !ok {
		b.Fatal(ok, err)
	}
	d.twin = outsider(b, "select * from read_parquet("+sql.Literal(twin.Path)+")")
	d.glob = outsider(b, "select * from read_parquet("+sql.Literal(filepath.Join(d.lake.Layout().Partitioned(), "**", "*.parquet"))+", hive_partitioning = true, hive_types = {'event_date': DATE, 'service_name': VARCHAR, 'status_code': INTEGER})")
	for _, f := range d.lake.Current().Files {
		pair := fmt.Sprintf("service_name = %s AND event_date = DATE '%s'", sql.Literal(f.Partition.Service), f.Partition.Date)
		if !slices.Contains(d.pairs, pair) {
			d.pairs = append(d.pairs, pair)
		}
	}
	return d
}

// addHot makes the tail: it is of the newest day, which the reference does not have in its files, so that answers are compared before.
func (d *digestBench) addHot(b *testing.B) {
	start := lake.MicrosOf(time.Date(2026, 11, 17, 0, 0, 0, 0, time.UTC))
	g, err := gen.New(gen.Config{Seed: 99, Count: 50_000, Days: 1, Services: 6, Start: start, ReceivedAt: start})
	if err != nil {
		b.Fatal(err)
	}
	if err := g.Run(b.Context(), 1, func(batch lake.Batch) error {
		_, err := d.lake.Append(b.Context(), batch)
		return err
	}); err != nil {
		b.Fatal(err)
	}
	if _, err := d.engine.Query(b.Context(), sql.Query{Text: "select count(*) from events", MinSeq: d.lake.Committed()}); err != nil {
		b.Fatal(err)
	}
}

// latencyBytes reads the chunks of latencies of a pair's files: the floor of whatever reads that column.
func (d *digestBench) latencyChunks(b *testing.B, pair string) (chunks []struct {
	path   string
	at, of int64
}) {
	s, err := d.engine.admit(b.Context(), "select count(*) from events where "+pair)
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range s.shape.reach(d.lake.Current().Files) {
		path := d.lake.Layout().Path(f)
		for _, row := range answers(b, d.glob, "select data_page_offset, total_compressed_size from parquet_metadata("+sql.Literal(path)+") where path_in_schema = 'latency_ms'") {
			chunks = append(chunks, struct {
				path   string
				at, of int64
			}{path, row[0].(int64), row[1].(int64)})
		}
	}
	return chunks
}

// BenchmarkDigest asks what digests answer, in turns with DuckDB over the unpartitioned file or, of the whole lake, over the pattern. Digests of files are kept
// in memory from round to round, answers are not.
func BenchmarkDigest(b *testing.B) {
	d := newDigestBench(b)
	questions := map[string]func(pair string) string{
		"p95": func(pair string) string { return "SELECT quantile_cont(latency_ms, 0.95) FROM events WHERE " + pair },
		"error-rate": func(pair string) string {
			return "SELECT endpoint, count(*) AS requests, count(*) FILTER (WHERE status_code >= 500) AS errors, CAST(count(*) FILTER (WHERE status_code >= 500) AS DOUBLE) / count(*) AS error_rate FROM events " +
				"WHERE status_code >= 100 AND " + pair + " GROUP BY endpoint ORDER BY error_rate DESC, errors DESC, endpoint NULLS LAST"
		},
	}
	for _, question := range questions {
		for _, pair := range d.pairs {
			requireSame(b, pair, d.ask(b, question(pair)), answers(b, d.twin, question(pair)))
		}
	}
	for _, q := range sql.Questions() {
		requireSame(b, q.Name, d.ask(b, q.SQL), answers(b, d.glob, q.SQL))
	}
	for _, kept := range []int64{digestMemory, 0} {
		d.engine.digests = lake.NewDigests(d.lake.Layout(), kept)
		for _, q := range sql.Questions() {
			b.Run(map[bool]string{true: "whole/", false: "whole-nothing-kept/"}[kept > 0]+q.Name, func(b *testing.B) {
				d.turns(b, func(int) { d.ask(b, q.SQL) }, func(int) { answers(b, d.glob, q.SQL) }, nil)
			})
		}
	}
	for _, hot := range []string{"converted-nothing-kept", "converted", "hot"} {
		switch hot {
		case "converted":
			d.engine.digests = lake.NewDigests(d.lake.Layout(), digestMemory)
		case "hot":
			d.addHot(b)
		}
		for name, question := range questions {
			b.Run(hot+"/"+name, func(b *testing.B) {
				var buffer []byte
				chunks := make([][]struct {
					path   string
					at, of int64
				}, len(d.pairs))
				for i, pair := range d.pairs {
					chunks[i] = d.latencyChunks(b, pair)
				}
				d.turns(b, func(i int) { d.ask(b, question(d.pairs[i%len(d.pairs)])) }, func(i int) { answers(b, d.twin, question(d.pairs[i%len(d.pairs)])) }, func(i int) {
					for _, c := range chunks[i%len(d.pairs)] {
						buffer = slices.Grow(buffer[:0], int(c.of))[:c.of]
						f, err := os.Open(c.path)
						if err != nil {
							b.Fatal(err)
						}
						if _, err := f.ReadAt(buffer, c.at); err != nil {
							b.Fatal(err)
						}
						f.Close()
					}
				})
			})
		}
	}
}

func (d *digestBench) ask(b *testing.B, text string) [][]any {
	result, err := d.engine.Query(b.Context(), sql.Query{Text: text})
	if err != nil {
		b.Fatal(err)
	}
	if result.Stats.Digests == 0 {
		b.Fatalf("%s: no digest was asked", text)
	}
	return result.Rows
}

// turns lets both sides, and the floor, answer in turns, and reports medians and their ratios.
func (d *digestBench) turns(b *testing.B, ours, theirs, floor func(i int)) {
	var times [3][]time.Duration
	i := 0
	for b.Loop() {
		for k, work := range []func(int){ours, theirs, floor} {
			if work == nil {
				continue
			}
			started := time.Now()
			work(i)
			times[k] = append(times[k], time.Since(started))
		}
		i++
	}
	median := func(k int) float64 {
		slices.Sort(times[k])
		return float64(times[k][len(times[k])/2])
	}
	b.ReportMetric(median(0)/1e6, "ms")
	b.ReportMetric(float64(times[0][0])/1e6, "best-ms")
	b.ReportMetric(median(0)/median(1), "x_duckdb")
	b.ReportMetric(float64(times[0][0])/float64(times[1][0]), "x_best")
	if floor != nil {
		b.ReportMetric(median(0)/median(2), "x_floor")
	}
}
