package duck

import (
	"context"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/filter"
)

// BenchmarkExplore times the questions of the Explore screen over all of a lake of a million events, the widest range that there is.
func BenchmarkExplore(b *testing.B) {
	l, engine := openBoth(b, b.TempDir())
	generateInto(b, l, benchEvents(), 1)
	if _, err := l.Convert(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	benchExplore(b, engine)
}

func benchExplore(b *testing.B, engine *Engine) {
	extent := ask(b, engine, "select min(timestamp), max(timestamp) from events")[0]
	all := sql.Slice{From: lake.MicrosOf(extent[0].(time.Time)), To: lake.MicrosOf(extent[1].(time.Time)) + 1}
	narrowed := func(text string) sql.Slice {
		q, err := filter.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		return all.And(q.SQL())
	}
	middle := sql.Position{Timestamp: (all.From + all.To) / 2}
	page := func(r sql.PageRequest) func(context.Context) (int, error) {
		r.Limit = 200
		return func(ctx context.Context) (int, error) {
			p, err := sql.ReadPage(ctx, engine, r)
			if err != nil {
				return 0, err
			}
			return len(p.Rows), nil
		}
	}
	counts := func(s sql.Slice) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			c, err := sql.ReadCounts(ctx, engine, s, 100)
			if err != nil {
				return 0, err
			}
			return int(c.Events), nil
		}
	}
	first, err := sql.ReadPage(b.Context(), engine, sql.PageRequest{Slice: narrowed("status>=500"), Limit: 1})
	if err != nil {
		b.Fatal(err)
	}
	rare := "attempt 296"
	if testing.Short() {
		rare = "attempt 2" // the few events say it so seldom
	}
	for _, q := range []struct {
		name string
		ask  func(context.Context) (int, error)
	}{
		{"newest", page(sql.PageRequest{Slice: all})},
		{"middle-older", page(sql.PageRequest{Slice: all, At: middle})},
		{"middle-newer", page(sql.PageRequest{Slice: all, At: middle, Newer: true})},
		{"errors", page(sql.PageRequest{Slice: narrowed("is:error")})},
		{"rare-text", page(sql.PageRequest{Slice: narrowed(rare)})},
		{"nothing", page(sql.PageRequest{Slice: narrowed(`"never said"`)})},
		{"request", page(sql.PageRequest{Slice: narrowed("req:" + first.Rows[0].RequestID)})},
		{"counts-5xx", counts(narrowed("status>=500"))},
		{"counts-text", counts(narrowed("closed"))},
		{"counts-latency", counts(narrowed("latency>250ms"))},
		{"facets", func(ctx context.Context) (int, error) {
			f, err := sql.ReadFacets(ctx, engine, sql.FacetRequest{Slice: all, Limit: 30})
			if err != nil {
				return 0, err
			}
			return len(f.Lists[0]), nil
		}},
		{"p95", func(ctx context.Context) (int, error) {
			_, err := sql.ReadQuantile(ctx, engine, all, 0.95)
			return 1, err
		}},
		{"record", func(ctx context.Context) (int, error) {
			r, err := sql.ReadRecord(ctx, engine, &first.Rows[0])
			if err != nil {
				return 0, err
			}
			return len(r.Values), nil
		}},
	} {
		b.Run(q.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				var err error
				if n, err = q.ask(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			if n == 0 && q.name != "nothing" {
				b.Fatal("nothing was found")
			}
			b.ReportMetric(float64(n), "found")
		})
	}
}
