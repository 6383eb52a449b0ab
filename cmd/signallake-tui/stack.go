package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/ingest/importer"
	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/bench"
	"github.com/signallake/signallake/sql/duck"
	"github.com/signallake/signallake/tui"
)

const (
	defaultAddr = "127.0.0.1:8000"
	// closeTimeout is how long the API may take to finish requests in flight before they are cut.
	closeTimeout = 5 * time.Second
)

// stackConfig says which parts of the program a command needs.
type stackConfig struct {
	dir        string
	api        *apiFlags  // how the ingest API is reached; nil does not start it
	lakeFlags  *lakeFlags // when raw becomes Parquet; nil: as the lake thinks best
	command    string     // what other processes are told about us
	readOnly   bool
	panels     bool // they will be asked for: load what they need at once
	follow     bool // fall back to read-only when another process owns the lake
	now        func() time.Time
	requestLog io.Writer       // nil: a file in state/, for the console, which has no standard error to write to
	piped      *importer.Stdin // what is piped into the console; nil: nothing
	getenv     func(string) string
}

// stack is the running program without its face: lake, engine, API. Parts are opened in this order and closed in reverse.
type stack struct {
	lake    *lake.Lake
	engine  *duck.Engine
	server  *ingest.Server
	owner   *lake.Owner // not nil: another process owns the lake and we follow
	apiErr  string
	now     func() time.Time
	chain   *lake.Chain
	closers []func() error

	importing importWorld // what imports that the console starts have in common

	desk     *replay.Desk        // the dead letters
	operator *operatorFlags      // how a console that follows makes itself known to the owner
	getenv   func(string) string // of it
	words    io.Writer           // where a server says what it did by itself; nil: a console
}

// openLake opens the lake for a command that writes to it and decides itself when to convert.
func openLake(ctx context.Context, w *world, dir, command string) (*lake.Lake, error) {
	return lake.Open(ctx, lake.Config{Dir: dir, Now: w.now, ConvertAge: -1, Owner: lake.Owner{PID: os.Getpid(), Command: command, Since: w.now()}})
}

func openStack(ctx context.Context, c stackConfig) (*stack, error) {
	s := &stack{now: c.now, importing: importWorld{stdin: c.piped, claims: &importer.Claims{}, now: c.now}, operator: &operatorFlags{}, getenv: c.getenv, words: c.requestLog}
	if c.api != nil {
		s.operator.tokenFile = c.api.tokenFile
	}
	if err := s.open(ctx, c); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// openReader opens a lake to ask it and change nothing, with everything visible that was there when it was opened.
func openReader(ctx context.Context, w *world, dir string) (*stack, error) {
	s, err := openStack(ctx, stackConfig{dir: dir, now: w.now, readOnly: true})
	if err != nil {
		return nil, err
	}
	stop := showLine(w.stderr, func() string { return "loading " + s.loadWords() })
	err = s.engine.WaitLoaded(ctx)
	stop()
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stack) open(ctx context.Context, c stackConfig) error {
	if err := s.openLake(ctx, c); err != nil {
		return err
	}
	engine, err := duck.Open(ctx, duck.Config{Lake: s.lake, Now: c.now, Panels: c.panels})
	if err != nil {
		return fmt.Errorf("open the query engine: %w", err)
	}
	s.engine = engine
	s.closers = append(s.closers, engine.Close)
	s.watchChain()
	if c.api == nil || s.owner != nil {
		return nil
	}
	return s.openAPI(c)
}

func (s *stack) openLake(ctx context.Context, c stackConfig) error {
	config := lake.Config{Dir: c.dir, Now: c.now, ReadOnly: c.readOnly, Owner: lake.Owner{PID: os.Getpid(), Command: c.command, Since: c.now()}}
	c.lakeFlags.apply(&config)
	config.Owner.Token = c.api != nil && c.api.tokenFile != ""
	opened, err := lake.Open(ctx, config)
	var owned *lake.OwnedError
	if c.follow && errors.As(err, &owned) {
		s.owner = &owned.Owner
		config.ReadOnly = true
		opened, err = lake.Open(ctx, config)
	}
	if err != nil {
		return err
	}
	s.lake = opened
	s.closers = append(s.closers, opened.Close)
	s.openDesk(config.ReadOnly)
	return nil
}

// openAPI starts the ingest API. An address that cannot be had is the server's to tell (Snapshot.Err): the rest of the program goes on.
func (s *stack) openAPI(c stackConfig) error {
	config := ingest.Config{Log: s.lake, Ask: s.ask, Dead: s.desk, Health: s.health, Now: c.now, RequestLog: c.requestLog, Guard: partitionGuard(s.lake)}
	c.api.apply(&config)
	if c.requestLog == nil {
		log, err := openRequestLog(s.lake.Layout())
		if err != nil {
			return err
		}
		s.closers = append(s.closers, log.Close)
		config.RequestLog = log
	}
	server, err := ingest.New(config)
	if err != nil {
		return err
	}
	s.server = server
	if err := server.Start(); err != nil {
		s.apiErr = err.Error()
		return nil
	}
	s.closers = append(s.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		return server.Shutdown(ctx)
	})
	return s.lake.SetAddress(server.Snapshot().URL())
}

// partitionGuard knows the partitions that the lake has already.
func partitionGuard(l *lake.Lake) *lake.PartitionGuard {
	guard := lake.NewPartitionGuard(0, time.Now)
	for _, f := range l.Current().Files {
		guard.Know(f.Partition)
	}
	return guard
}

// close ends the parts in reverse order. It may be called on a stack that opened only in part.
func (s *stack) close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// ask answers GET /query/NAME from the engine, seeing every event that was acknowledged before the question came.
func (s *stack) ask(ctx context.Context, q ingest.Question) (*ingest.Answer, error) {
	question, err := sql.ByName(q.Name)
	if err != nil {
		return nil, &ingest.ErrUnknownQuestion{Name: q.Name, Known: questionNames()}
	}
	text, err := question.Statement(sql.Params{From: q.From, To: q.To, Service: q.Service, Limit: q.Limit})
	if err != nil {
		return nil, err
	}
	result, err := s.engine.Query(ctx, sql.Query{Text: text, MinSeq: s.lake.Committed()})
	if fresh := s.engine.Freshness(); errors.Is(err, context.DeadlineExceeded) && fresh.Loading {
		return nil, &ingest.LoadingError{Progress: s.loadWords()}
	}
	if err != nil {
		return nil, err
	}
	answer := &ingest.Answer{Rows: result.Rows, Files: result.Stats.Files, Bytes: result.Stats.Bytes, Version: result.Stats.Version, Missing: result.Stats.Missing,
		ElapsedMS: float64(result.Stats.Elapsed.Microseconds()) / 1000}
	for _, c := range result.Columns {
		answer.Columns = append(answer.Columns, c.Name)
	}
	return answer, nil
}

func questionNames() []string {
	var names []string
	for _, q := range sql.Questions() {
		names = append(names, q.Name)
	}
	return names
}

// health is what GET /health tells beside the server's own state.
func (s *stack) health() map[string]any {
	status, fresh := s.lake.Status(), s.engine.Freshness()
	h := map[string]any{"version": status.Version, "events_visible": max(0, status.Visible-fresh.Unseen), "events_hot": status.HotEvents,
		"behind_events": fresh.Unseen, "lag_p95_ms": fresh.LagP95.Milliseconds(),
		"dead_letters": status.Dead.Kept, "dead_bytes": status.Dead.Bytes, "dead_dropped": status.Dead.Dropped, "backlog": s.backlogReport()}
	if l := fresh.Load; fresh.Loading {
		h["loading"] = ingest.ReportLoading(l.Done, l.Total, l.Left)
	}
	if status.LastError != "" {
		h["conversion_error"] = status.LastError
	}
	if damage := s.lake.Damage(); len(damage) > 0 {
		h["damage"] = damage
	}
	if fresh.Err != "" {
		h["query_error"] = fresh.Err
	}
	return h
}

// console is the stack as the console sees it.
func (s *stack) console(dir string) tui.Config {
	config := tui.Config{
		DataDir: dir, Now: s.now, Engine: s.engine, Panels: s.engine, Status: s.lake.Status, Ingest: s.snapshot, Dead: s.lake.DeadStatus, Letters: s.letters(), Chain: s.stages,
		Store: stateStore{s.lake.Layout().State()}, Tasks: s.tasks(), Complete: completePath,
		LadderHistory: func(context.Context) ([]bench.Report, error) {
			return reports[bench.Report](s.lake.Layout().Root, ladderHistory)
		},
		LayoutHistory: func(context.Context) ([]bench.Layouts, error) {
			return reports[bench.Layouts](s.lake.Layout().Root, layoutHistory)
		},
		PipelineHistory: func(context.Context) ([]bench.Pipeline, error) {
			return reports[bench.Pipeline](s.lake.Layout().Root, pipelineHistory)
		},
	}
	config.Tasks.Import = importOf(config.Tasks.Import)
	if s.owner != nil {
		watch := watchOwner(s.lake, *s.owner)
		s.closers = append(s.closers, watch.close)
		config.ReadOnly, config.Dead = watch.follow, watch.deadStatus
	}
	if s.importing.stdin != nil {
		config.Piped = s.importPiped
	}
	for _, q := range sql.Questions() {
		config.Questions = append(config.Questions, tui.NamedSQL{Name: q.Name, Title: q.Title, SQL: q.SQL})
	}
	return config
}

// listeningOn is the address as it was bound, with the scheme; Snapshot.URL is the one to ask.
func (s *stack) listeningOn() string {
	if s.server.Snapshot().TLS {
		return "https://" + s.server.Addr()
	}
	return "http://" + s.server.Addr()
}

func (s *stack) snapshot() ingest.Snapshot {
	if s.server == nil {
		snap := ingest.Snapshot{Err: "no API in this console"}
		if s.owner != nil {
			snap.Err = fmt.Sprintf("the API runs in %s (process %d) at %s", s.owner.Command, s.owner.PID, s.owner.Address)
		}
		return snap
	}
	snap := s.server.Snapshot()
	if s.apiErr != "" {
		snap.Err = s.apiErr
	}
	return snap
}

func isUTF8(locale string) bool {
	locale = strings.ToLower(locale)
	return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
}
