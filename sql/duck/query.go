package duck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

const (
	// defaultMaxRows is what a grid can page through without the driver's materialised rows costing more than some MB.
	defaultMaxRows = 10_000
	// planWait bounds parsing and planning, which take a millisecond: constants are computed then, and some take for ever.
	planWait = 2 * time.Second
	// minSeqWait bounds Query.MinSeq: reading one's own writes takes a flush, not seconds. Behind a backlog it counts from the feed's last step.
	minSeqWait = time.Second
)

// Query runs one statement; see sql.Engine. It returns at once when ctx ends; what runs is stopped in the background.
func (e *Engine) Query(ctx context.Context, q sql.Query) (*sql.Result, error) {
	statement, err := e.admit(ctx, q.Text)
	if err != nil {
		return nil, err
	}
	wanted := q.MinSeq
	if q.MinSeq > 0 || statement.relations["events"] {
		goal, err := e.feed.catchUp(ctx, q.MinSeq)
		if err != nil {
			return nil, err
		}
		wanted = max(wanted, goal)
	}
	if err := e.needMinutes(ctx, statement); err != nil {
		return nil, err
	}
	c, err := take(ctx, e.conns, e.closing)
	if err != nil {
		return nil, err
	}
	maxRows := q.MaxRows
	if maxRows <= 0 {
		maxRows = defaultMaxRows
	}
	r := &run{engine: e, conn: c, statement: statement, maxRows: maxRows, wanted: wanted}
	return r.start(ctx)
}

// admit passes the gate.
func (e *Engine) admit(ctx context.Context, text string) (*statement, error) {
	if s := e.kept.find(text); s != nil {
		return s, nil
	}
	var s *statement
	var failed error
	if err := e.onPlanner(ctx, func(slot int) { s, failed = e.gate.admit(e.planner.filters.conns[slot], text) }); err != nil {
		return nil, err // the work may still run: its results are not looked at
	}
	if failed == nil {
		e.kept.add(text, s)
	}
	return s, failed
}

// planNow plans a statement that passed the gate.
func (e *Engine) planNow(ctx context.Context, s *statement) (plan, error) {
	if p := s.planned.Load(); p != nil && p.fresh(s.body, e.now()) {
		return *p, nil
	}
	var p plan
	if err := e.onPlanner(ctx, func(slot int) { p = e.planner.planOf(slot, s, e.now()) }); err != nil {
		return plan{}, err
	}
	s.planned.Store(&p)
	return p, nil
}

// work is what a statement has to read.
type work struct {
	files  []*lake.FileEntry // that survive pruning
	cost   sql.Cost
	reads  []string // the columns that its plan reads; nil: any
	sieved bool     // a filter on a column of the files is among its plan
	events bool     // it reads events at all
	wrong  error    // *sql.SyntaxError: the statement names what is not there
	why    string
}

// work finds out what a statement that passed the gate has to read of a version. Statements of a known shape need no plan for that.
func (e *Engine) work(ctx context.Context, s *statement, version *lake.Version) (work, error) {
	if s.shape != nil {
		files := s.shape.reach(version.Files)
		return work{files: files, cost: sql.CostOfFiles(files, s.shape.reads), events: true}, nil
	}
	p, err := e.planNow(ctx, s)
	if err != nil {
		return work{}, err
	}
	return work{sql.Prune(version.Files, p.scans, p.leeway), sql.CostOf(version.Files, p.costs, p.leeway), columnsOf(p.costs), sieves(p.scans), len(p.scans) > 0, p.wrong, p.why}, nil
}

// take waits for one of a pool.
func take[T any](ctx context.Context, pool chan T, closing <-chan struct{}) (T, error) {
	var none T
	select {
	case <-closing:
		return none, errClosed
	case <-ctx.Done():
		return none, ctx.Err()
	default:
	}
	select {
	case one := <-pool:
		return one, nil
	case <-ctx.Done():
		return none, ctx.Err()
	case <-closing:
		return none, errClosed
	}
}

// run is one statement on its way through a connection.
type run struct {
	engine    *Engine
	conn      *conn
	statement *statement
	maxRows   int
	wanted    lake.Seq // the answer lacks nothing below it, or says so
	result    *sql.Result
	err       error
}

// start runs the statement and waits for it, or for the end of ctx.
func (r *run) start(ctx context.Context) (*sql.Result, error) {
	err := r.engine.onConn(ctx, r.conn, r.engine.conns, func() { r.result, r.err = r.answer(ctx) })
	if err != nil {
		return nil, err
	}
	return r.result, r.err
}

func (r *run) answer(ctx context.Context) (*sql.Result, error) {
	e, started := r.engine, time.Now()
	missing := e.feed.lacking(r.wanted) // before the pin: an event that comes in between is told as missing, never the other way round
	v := e.hot.pin()
	defer v.release()
	w, err := e.work(ctx, r.statement, v.Version)
	if err != nil {
		return nil, err
	}
	result := &sql.Result{Stats: sql.Stats{Files: len(w.files), FilesTotal: len(v.Version.Files), Bytes: w.cost.Bytes, Version: v.Version.Number}}
	if w.events {
		result.Stats.HotRows, result.Stats.Missing = v.rows, missing
	}
	if r.statement.explain { // nothing is read
		result.Stats = sql.Stats{FilesTotal: len(v.Version.Files), Version: v.Version.Number}
	}
	set, err := r.fromDigests(ctx, v, w.files, &result.Stats)
	if errors.Is(err, errNoDigest) {
		set, err = r.overColumns(ctx, v, &w)
	}
	if err != nil {
		return nil, r.explainError(err)
	}
	if len(set.rows) > r.maxRows {
		set.rows, result.More = set.rows[:r.maxRows], true
	}
	fillResult(result, set)
	result.Stats.USD = sql.AthenaUSD(result.Stats.Bytes)
	result.Stats.Elapsed = time.Since(started)
	return result, nil
}

// overColumns has DuckDB compute the answer.
func (r *run) overColumns(ctx context.Context, v *view, w *work) (set *rowSet, err error) {
	var own *fileList
	if r.statement.inline {
		own = r.engine.files.hold(w.files, w.reads, w.sieved)
		defer func() { err = errors.Join(err, own.release()) }()
	}
	return r.statement.execute(ctx, r.conn.forRead(w.cost.Bytes), r.engine.lake.Layout(), w.files, own, v.hot, w.reads, r.maxRows)
}

const (
	wrapBefore    = "SELECT * FROM (\n"
	explainBefore = "EXPLAIN "
)

// execute runs the statement over files, which own reads if it is not nil, and hot tables. reads are the columns that its plan reads; nil: any.
func (s *statement) execute(ctx context.Context, c *conn, layout lake.Layout, files []*lake.FileEntry, own *fileList, hot []*hotTable, reads []string, maxRows int) (*rowSet, error) {
	root, err := filepath.Abs(layout.Root)
	if err != nil {
		return nil, err
	}
	layout.Root = root
	if s.inline {
		set, err := c.query(s.inlineSQL(layout, files, own, hot, reads, maxRows), 0)
		if err == nil || ctx.Err() != nil || !needsView(err) {
			return set, err
		}
	}
	return s.overView(ctx, c, layout, files, hot, maxRows)
}

// overView runs the statement in a read-only transaction of its own, with a view of its own, and undoes both.
func (s *statement) overView(ctx context.Context, c *conn, layout lake.Layout, files []*lake.FileEntry, hot []*hotTable, maxRows int) (set *rowSet, err error) {
	if err := c.exec("BEGIN TRANSACTION READ ONLY"); err != nil {
		return nil, err
	}
	defer func() {
		// An interrupt may hit the ROLLBACK too; without it the connection would be of no use.
		for range 10 {
			if c.exec("ROLLBACK") == nil {
				return
			}
		}
	}()
	if s.relations["events"] {
		text, err := eventsSQL(layout, files, hot)
		if err != nil {
			return nil, err
		}
		if err := c.exec(text); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.explain {
		return c.query(explainBefore+s.body, 0)
	}
	return c.query(wrapBefore+s.body+"\n) LIMIT "+strconv.Itoa(maxRows+1), 0)
}

func fillResult(result *sql.Result, set *rowSet) {
	for i, name := range set.columns {
		result.Columns = append(result.Columns, sql.ResultColumn{Name: name, Type: set.types[i]})
	}
	result.Rows = make([][]any, len(set.rows))
	for i, row := range set.rows {
		out := make([]any, len(row))
		for j, value := range row {
			out[j] = toResult(value, set.types[j])
		}
		result.Rows[i] = out
	}
}

// engineError is an error of DuckDB as errors_as_json tells it.
type engineError struct {
	Kind     string `json:"exception_type"`
	Message  string `json:"exception_message"`
	Position string `json:"position"`
}

func parseEngineError(err error) (engineError, bool) {
	var native *duckdb.Error
	if !errors.As(err, &native) {
		return engineError{}, false
	}
	text := native.Msg
	if i := strings.IndexByte(text, '{'); i >= 0 {
		var parsed engineError
		if json.Unmarshal([]byte(text[i:]), &parsed) == nil && parsed.Message != "" {
			return parsed, true
		}
	}
	return engineError{}, false
}

// explainError turns DuckDB's error into words for the user: a place in the text where there is one, and the file that is broken.
func (r *run) explainError(err error) error {
	parsed, ok := parseEngineError(err)
	if !ok {
		return err
	}
	before := len(wrapBefore)
	if r.statement.explain {
		before = len(explainBefore)
	}
	switch parsed.Kind {
	case "Parser", "Syntax", "Binder", "Catalog":
		offset := -1
		if n, err := strconv.Atoi(parsed.Position); err == nil {
			offset = r.statement.place(strconv.Itoa(n - before))
		}
		return &sql.SyntaxError{Message: parsed.Message, Offset: offset}
	case "Invalid Input", "IO", "Invalid":
		if strings.Contains(parsed.Message, ".parquet") {
			return fmt.Errorf("a Parquet file of the lake cannot be read (`signallake-tui verify` checks them all): %s", parsed.Message)
		}
	case "Out of Memory":
		return fmt.Errorf("the statement needs more memory than the prompt may use: narrow it, or aggregate before sorting: %s", firstLine(parsed.Message))
	}
	return errors.New(parsed.Message)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
