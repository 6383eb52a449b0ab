package duck

import (
	"context"
	"path/filepath"
	"strings"
)

// addLoose adds what no digest covers: the hot tail, files without digests, and files that the time range cuts. DuckDB counts them by the keys that
// matter and lists their latencies, in one statement, so that each event of the pinned view counts once.
func (r *digestRun) addLoose(ctx context.Context) error {
	hot := r.view.hot
	if r.view.rows == 0 {
		hot = nil
	}
	if len(hot) == 0 && len(r.loose) == 0 {
		return nil
	}
	text, by, err := r.looseSQL(hot)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.conn.eachChunk(text, func(c chunk) error {
		for row := range c.rows {
			k := &r.cell
			*k = keys{}
			for i, key := range by {
				k[key] = c.key(key, i, row)
			}
			if err := r.addListed(k, c, len(by), row); err != nil {
				return err
			}
		}
		return nil
	})
}

// addListed adds one row of what DuckDB counted: behind the keys stand events, latencies, and perhaps their list.
func (r *digestRun) addListed(k *keys, c chunk, at, row int) error {
	target, err := r.count(k, c.int64s(at)[row], c.int64s(at + 1)[row])
	if target == nil || err != nil || len(r.latency) == 0 {
		return err
	}
	list := c.doubles(at+2, row)
	for i := range r.latency {
		if f := r.latency[i].filter; f == nil || f.holds(k) == yes {
			r.picked.AddLoose(target.picks[i], list)
		}
	}
	return nil
}

// looseSQL counts the loose events by the keys that rows and filters of aggregates need.
func (r *digestRun) looseSQL(hot []*hotTable) (text string, by []keyColumn, err error) {
	var used [keyColumns]bool
	for _, g := range r.groups {
		used[g] = true
	}
	for i := range r.counts {
		if f := r.counts[i].filter; f != nil {
			f.uses(&used)
		}
	}
	for i := range r.latency {
		if f := r.latency[i].filter; f != nil {
			f.uses(&used)
		}
	}
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
	events, err := unionSQL(layout, r.loose, hot, "event_date, service_name, status_code, endpoint, region, timestamp, latency_ms")
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	b.WriteString("SELECT " + strings.Join(selected, ", ") + " FROM (" + events + ") WHERE true" + r.window.sql())
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
