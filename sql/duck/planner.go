package duck

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// filterMovers are the optimizers that carry filters to the scans. Any other stays off in the planner: with an empty stand-in for events the
// statistics would fold whole statements away, and others leave plans that cannot be serialised.
const filterMovers = "'expression_rewriter', 'filter_pullup', 'filter_pushdown', 'cte_filter_pusher', 'cte_inlining', 'deliminator', 'regex_range', 'unnest_rewriter'"

// columnPruner takes away columns that a subquery selects and nobody uses. It makes some plans impossible to serialise, so it is tried
// only for the estimate.
const columnPruner = "'unused_columns'"

// clockLeeway covers the time between the planner's now() and the statement's own, with room for a machine that is busy.
const clockLeeway = time.Minute

// planner asks DuckDB's optimizer, over an empty stand-in of events, what reaches each scan.
type planner struct {
	filters *instance // filterMovers on
	columns *instance // columnPruner as well
}

// plan is what is known of a statement before it runs.
type plan struct {
	scans  []sql.Scan // decide about files
	costs  []sql.Scan // decide about bytes: like scans, with fewer columns where that could be found out
	leeway sql.Leeway
	at     time.Time // when it was made: what asks the clock was computed then
	wrong  error     // *sql.SyntaxError: the statement names what is not there
	why    string    // when nothing could be found out: the reason; scans and costs then read everything
}

// openPlanner opens the planner's databases, each with connections that serve one statement at a time.
func openPlanner(memory int64, spill string, connections int) (*planner, error) {
	open := func(keep string) (*instance, error) {
		// An optimizer list cannot be a subquery, and a setting made by name must name all: the names come from the release itself.
		in, err := openInstance(box{memory: memory, threads: 1, spill: spill, connections: connections, setup: append(emptyTables(),
			"SET VARIABLE off = (SELECT string_agg(name, ',') FROM duckdb_optimizers() WHERE name NOT IN ("+keep+"))",
			"SET disabled_optimizers = getvariable('off')")})
		return in, err
	}
	filters, err := open(filterMovers)
	if err != nil {
		return nil, err
	}
	columns, err := open(filterMovers + ", " + columnPruner)
	if err != nil {
		filters.close()
		return nil, err
	}
	return &planner{filters: filters, columns: columns}, nil
}

// planOf plans a statement that the gate let through. i chooses the connection. One plan serves for files and for bytes; where DuckDB cannot serialise
// it, a plan with all columns decides about the files.
func (p *planner) planOf(i int, s *statement, now time.Time) plan {
	out := plan{leeway: leewayOf(s.body, now), at: now}
	scans, err := scansOf(p.columns.conns[i], s.body)
	if err == nil {
		out.scans, out.costs = scans, scans
		return out
	}
	if out.wrong = s.bindError(err); out.wrong == nil {
		scans, err = scansOf(p.filters.conns[i], s.body)
	}
	switch {
	case err == nil:
		out.scans, out.costs = scans, p.narrow(i, s.body, scans)
	case s.relations["events"]:
		out.why = "the optimizer cannot plan this statement ahead, so every file counts"
		out.scans = []sql.Scan{sql.AllColumns()}
		out.costs = out.scans
	}
	return out
}

// narrow leaves out the columns that nothing needs where no plan could be serialised for them, by the explained one.
func (p *planner) narrow(i int, body string, scans []sql.Scan) []sql.Scan {
	if len(scans) == 0 {
		return scans
	}
	set, err := p.columns.conns[i].query("EXPLAIN (FORMAT JSON) "+body, 1)
	if err != nil || len(set.rows) == 0 || len(set.rows[0]) < 2 {
		return scans
	}
	if fewer, err := sql.NarrowColumns(scans, []byte(text(set.rows[0][1])), "events"); err == nil {
		return fewer
	}
	return scans
}

// bindError is the user's error in what the planner says, or nil when the planner itself has come to its end.
func (s *statement) bindError(err error) error {
	var planErr *sql.PlanError
	if !errors.As(err, &planErr) || planErr.Kind != "binder" && planErr.Kind != "catalog" && planErr.Kind != "parser" {
		return nil
	}
	return &sql.SyntaxError{Message: planErr.Message, Offset: s.place(planErr.Position)}
}

// leewayOf widens dates only where the statement asks the clock and the day may change before it runs.
func leewayOf(body string, now time.Time) sql.Leeway {
	leeway := sql.Leeway{Micros: lake.Micros(clockLeeway.Microseconds())}
	soon, before := lake.DateOf(lake.MicrosOf(now.Add(clockLeeway))), lake.DateOf(lake.MicrosOf(now.Add(-clockLeeway)))
	if soon != before && asksClock(body) {
		leeway.Days = 1
	}
	return leeway
}

// asksClock tells whether a statement may compute something of what time it is; a word too many does no harm.
func asksClock(body string) bool {
	lower := strings.ToLower(body)
	return slices.ContainsFunc([]string{"now", "today", "current_", "get_current", "local", "age", "ago", "transaction_timestamp"},
		func(word string) bool { return strings.Contains(lower, word) })
}

func scansOf(c *conn, body string) ([]sql.Scan, error) {
	answer, err := c.text("SELECT json_serialize_plan(" + sql.Literal(body) + ", optimize := true, skip_null := true, skip_empty := true)::VARCHAR")
	if err != nil {
		return nil, err
	}
	return sql.ParsePlan([]byte(answer), "events")
}

func (p *planner) close() error {
	err := p.filters.close()
	if err2 := p.columns.close(); err == nil {
		err = err2
	}
	return err
}
