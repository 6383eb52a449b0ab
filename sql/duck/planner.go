package duck

import (
	"errors"
	"strings"
	"sync"
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
	wrong  error  // *sql.SyntaxError: the statement names what is not there
	why    string // when nothing could be found out: the reason; scans and costs then read everything
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

// planOf plans a statement that the gate let through. i chooses the connection.
func (p *planner) planOf(i int, s *statement, now time.Time) plan {
	out := plan{leeway: leewayOf(s.body, now)}
	// The two plans do not need each other: together they take the time of one.
	var columns sync.WaitGroup
	var fewer []sql.Scan
	var failed error
	columns.Go(func() { fewer, failed = scansOf(p.columns.conns[i], s.body) })
	scans, err := scansOf(p.filters.conns[i], s.body)
	columns.Wait()
	if err != nil {
		out.wrong = s.bindError(err)
		if !s.relations["events"] {
			return out
		}
		out.why = "the optimizer cannot plan this statement ahead, so every file counts"
		out.scans = []sql.Scan{sql.AllColumns()}
		out.costs = out.scans
		return out
	}
	out.scans, out.costs = scans, scans
	switch {
	case failed == nil && len(fewer) == len(scans):
		out.costs = fewer
	case len(scans) > 0:
		out.costs = p.narrow(i, s.body, scans)
	}
	return out
}

// narrow leaves out the columns that nothing needs where no plan could be serialised for them, by the explained one.
func (p *planner) narrow(i int, body string, scans []sql.Scan) []sql.Scan {
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
	if lake.DateOf(lake.MicrosOf(now.Add(clockLeeway))) == lake.DateOf(lake.MicrosOf(now.Add(-clockLeeway))) {
		return leeway
	}
	lower := strings.ToLower(body)
	for _, word := range []string{"now", "today", "current_", "get_current", "local", "age", "ago", "transaction_timestamp"} {
		if strings.Contains(lower, word) {
			leeway.Days = 1
		}
	}
	return leeway
}

func scansOf(c *conn, body string) ([]sql.Scan, error) {
	answer, err := c.text("SELECT json_serialize_plan(?::VARCHAR, optimize := true, skip_null := true, skip_empty := true)::VARCHAR", body)
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
