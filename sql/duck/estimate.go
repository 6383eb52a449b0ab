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
	p, err := e.planNow(ctx, s)
	if err != nil {
		return sql.Estimate{}, err
	}
	if p.wrong != nil {
		return sql.Estimate{}, p.wrong
	}
	v := e.hot.pin()
	defer v.release()
	out := sql.Estimate{FilesTotal: len(v.Version.Files), Version: v.Version.Number, Why: p.why}
	if s.explain {
		return out, nil
	}
	cost := sql.CostOf(v.Version.Files, p.costs, p.leeway)
	out.Files, out.Bytes, out.Columns = cost.Files, cost.Bytes, cost.Columns
	if len(p.scans) > 0 {
		out.HotRows, _ = e.lake.RawBetween(v.Version.Watermark, e.lake.Committed())
	}
	out.USD = sql.AthenaUSD(out.Bytes)
	return out, nil
}
