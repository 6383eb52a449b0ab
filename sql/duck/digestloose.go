package duck

import (
	"context"
	"path/filepath"
	"slices"
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
	return r.conn.chunks(text, func(c mapping.DataChunk, rows int) error {
		values := make([]func(row int) keyValue, len(by))
		for i, key := range by {
			values[i] = keyColumnOf(key, c, i, rows)
		}
		events, latencies := column[int64](c, len(by), rows), column[int64](c, len(by)+1, rows)
		list := func(int) []float64 { return nil }
		if len(r.latency) > 0 {
			valid, all := validOf(c, len(by)+2), lists[float64](c, len(by)+2, rows)
			list = func(row int) []float64 {
				if !valid(row) {
					return nil
				}
				return slices.Clone(all.row(row))
			}
		}
		for row := range rows {
			k := &r.cell
			*k = keys{}
			for i, key := range by {
				k[key] = values[i](row)
			}
			if err := r.addList(k, events[row], latencies[row], list(row)); err != nil {
				return err
			}
		}
		return nil
	})
}

// keyColumnOf reads a key's column of an answer.
func keyColumnOf(k keyColumn, c mapping.DataChunk, at, rows int) func(row int) keyValue {
	valid := validOf(c, at)
	value := func(row int) keyValue { return keyValue{n: int64(column[int32](c, at, rows)[row])} }
	switch {
	case k.isText():
		value = func(row int) keyValue {
			return keyValue{text: strings.Clone(column[hotText](c, at, rows)[row].string())}
		}
	case k == keyHour:
		value = func(row int) keyValue { return keyValue{n: column[int64](c, at, rows)[row]} }
	}
	return func(row int) keyValue {
		if !valid(row) {
			return keyValue{null: true}
		}
		return value(row)
	}
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
