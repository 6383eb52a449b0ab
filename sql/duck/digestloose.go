package duck

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// addLoose adds the files that no digest covers: those without one, and those that the time range cuts. DuckDB counts their events by the keys that
// matter and lists their latencies.
func (r *digestRun) addLoose(ctx context.Context) error {
	if len(r.loose) == 0 {
		return nil
	}
	text, by, err := r.looseSQL()
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.conn.chunks(text, func(data mapping.DataChunk, rows int) error {
		c := chunk{rows, data}
		for row := range c.rows {
			k := &r.cell
			*k = keys{}
			for i, key := range by {
				k[key] = c.key(key, i, row)
			}
			var list []float64
			if len(r.latency) > 0 {
				list = c.doubles(len(by)+2, row)
			}
			if err := r.addList(k, c.int64s(len(by))[row], c.int64s(len(by) + 1)[row], list); err != nil {
				return err
			}
		}
		return nil
	})
}

// addList adds events of the same keys, whose conditions hold, with their latencies one by one.
func (r *digestRun) addList(k *keys, events, latencies int64, list []float64) error {
	row, err := r.count(k, events, latencies)
	if row == nil || err != nil {
		return err
	}
	for i := range r.latency {
		if f := r.latency[i].filter; f == nil || f.holds(k) == yes {
			r.picked.AddLoose(row.picks[i], list)
		}
	}
	return nil
}

// looseSQL counts the events of loose files by the keys that rows and filters of aggregates need.
func (r *digestRun) looseSQL() (text string, by []keyColumn, err error) {
	used := r.used()
	var selected, grouped []string
	for k := range keyColumns {
		if used[k] {
			by = append(by, k)
			selected = append(selected, k.info().expression)
			grouped = append(grouped, k.info().expression)
		}
	}
	selected = append(selected, "count(*)", "count(latency_ms)")
	if len(r.latency) > 0 {
		selected = append(selected, "list(latency_ms) FILTER (WHERE latency_ms IS NOT NULL)")
	}
	layout := r.engine.lake.Layout()
	if layout.Root, err = filepath.Abs(layout.Root); err != nil {
		return "", nil, err
	}
	var b strings.Builder
	b.WriteString("SELECT " + strings.Join(selected, ", ") + " FROM " + readFiles(layout, r.loose) + " WHERE true" + r.window.sql())
	for i := range r.where {
		b.WriteString(" AND " + r.where[i].sql())
	}
	if r.measured {
		b.WriteString(" AND latency_ms IS NOT NULL")
	}
	if len(grouped) > 0 {
		b.WriteString(" GROUP BY " + strings.Join(grouped, ", "))
	}
	return b.String(), by, nil
}
