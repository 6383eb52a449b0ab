package duck

import (
	"context"

	"github.com/signallake/signallake/sql"
)

// Estimate says what a statement would read; see sql.Engine. It costs a millisecond or two and runs nothing.
func (e *Engine) Estimate(ctx context.Context, text string) (sql.Estimate, error) {
	s, err := e.admit(ctx, text)
	if err != nil {
		return sql.Estimate{}, err
	}
	v := e.hot.pin()
	defer v.release()
	w, err := e.work(ctx, s, v.Version)
	if err != nil {
		return sql.Estimate{}, err
	}
	if w.wrong != nil {
		return sql.Estimate{}, w.wrong
	}
	out := sql.Estimate{FilesTotal: len(v.Version.Files), Version: v.Version.Number, Why: w.why}
	if s.explain {
		return out, nil
	}
	out.Files, out.Bytes, out.Columns = w.cost.Files, w.cost.Bytes, w.cost.Columns
	if w.events {
		out.HotRows, _ = e.lake.RawBetween(v.Version.Watermark, e.lake.Committed())
	}
	out.USD = sql.AthenaUSD(out.Bytes)
	return out, nil
}
