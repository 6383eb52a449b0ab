// Package duck answers questions over a lake with DuckDB, in this process. It promises that a statement sees one version of the lake and the hot
// tail that belongs to it, every event exactly once; that no text from a user touches anything but the lake's tables; and that the console's
// panels answer whatever runs at the prompt. It is the only place that knows DuckDB, and it writes nothing but DuckDB's spill files.
package duck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

const (
	// defaultMemory lets a sort of a few million events stay in memory on a small machine.
	defaultMemory = 1 << 30
	// defaultPanelMemory holds the minute tables of months; what does not fit spills.
	defaultPanelMemory = 512 << 20
	// plannerMemory is plenty: its tables are empty.
	plannerMemory = 128 << 20
	// promptConns is how many statements of users run at once; more wait.
	promptConns = 4
	// planConns is how many statements are parsed and planned at once: a millisecond each.
	planConns = 2
	// panelConns is how many panels are computed at once.
	panelConns = 3
)

// Config says how to open an engine. Only Lake is required.
type Config struct {
	Lake        *lake.Lake
	MemoryLimit int64            // bytes, of the prompt; 0: 1 GiB. Hot rows take up to half as much beside it, and a file above that
	PanelMemory int64            // bytes, of the panels; 0: 512 MiB
	Threads     int              // of a statement; 0: all cores
	Panels      bool             // load what the panels need at once; false: when the first one asks
	Now         func() time.Time // nil: time.Now
}

// Engine is an open engine. Its methods may be called from any goroutine.
type Engine struct {
	lake *lake.Lake
	now  func() time.Time

	gate    *gate
	planner *planner
	slots   chan int // free connections of the planner
	kept    statements

	prompt *instance
	conns  chan *conn // free connections for users' statements
	hot    *hotSet
	files  *ownFiles
	feed   *feed

	digests *lake.Digests

	loaders int // of the backlog, at most

	panels     *instance
	panelConns chan *conn

	spill   string // how the instances' spill folders begin; removed by Close
	closing chan struct{}
	once    sync.Once
	running jobs // statements, the cancelled ones included
}

var (
	_ sql.Engine = (*Engine)(nil)
	_ sql.Panels = (*Engine)(nil)
)

// Open opens the engine and begins to read in the tail of the lake; WaitLoaded tells when it has. ctx bounds the opening only.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Lake == nil {
		return nil, errors.New("open the query engine: no lake given")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e := &Engine{lake: cfg.Lake, now: cfg.Now, gate: newGate(), closing: make(chan struct{})}
	if e.now == nil {
		e.now = time.Now
	}
	if err := e.open(cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("open the query engine: %w", err), e.release())
	}
	e.feed.start()
	return e, nil
}

func (e *Engine) open(cfg Config) error {
	threads := cfg.Threads
	if threads <= 0 {
		threads = runtime.NumCPU()
	}
	partitioned, err := filepath.Abs(e.lake.Layout().Partitioned())
	if err != nil {
		return err
	}
	rollups, err := filepath.Abs(e.lake.Layout().Rollup())
	if err != nil {
		return err
	}
	if strings.ContainsAny(partitioned, "*?[") {
		return fmt.Errorf("the data folder %s has one of * ? [ in its path, which DuckDB takes for a pattern: move it", e.lake.Layout().Root)
	}
	if e.spill, err = spillFolder(e.lake); err != nil {
		return err
	}
	if e.planner, err = openPlanner(plannerMemory, e.spill+"-plan", planConns); err != nil {
		return err
	}
	e.slots = make(chan int, planConns)
	for i := range planConns {
		e.slots <- i
	}
	memory, panelMemory := orDefault(cfg.MemoryLimit, defaultMemory), orDefault(cfg.PanelMemory, defaultPanelMemory)
	e.prompt, err = openInstance(box{memory: memory, threads: threads, spill: e.spill + "-prompt", allowed: []string{partitioned, rollups},
		connections: promptConns + ownConns, small: promptConns, setup: append(minuteTables(), trustFiles()...)})
	if err != nil {
		return err
	}
	e.panels, err = openInstance(box{memory: panelMemory, threads: threads, spill: e.spill + "-panels", allowed: []string{rollups},
		connections: panelConns + ownConns, setup: minuteTables()})
	if err != nil {
		return err
	}
	e.loaders = min(threads, maxLoaders)
	e.conns = freeConns(e.prompt.conns[ownConns:])
	for i, c := range e.prompt.small {
		e.prompt.conns[ownConns+i].small = c
	}
	e.panelConns = freeConns(e.panels.conns[ownConns:])
	e.hot = newHotSet(e.lake, memory/hotShare, e.spill+"-hot")
	if err := e.hot.register(e.prompt.connector, threads); err != nil {
		return err
	}
	layout := e.lake.Layout()
	if layout.Root, err = filepath.Abs(layout.Root); err != nil {
		return err
	}
	e.files = newOwnFiles(layout, footerMemory, chunkMemory, memory/hotShare, e.spill+"-texts")
	if err := e.files.register(e.prompt.connector, threads); err != nil {
		return err
	}
	e.digests = lake.NewDigests(e.lake.Layout(), digestMemory)
	e.feed = newFeed(e)
	e.feed.minutes.panels.wanted.Store(cfg.Panels)
	return nil
}

// trustFiles lets DuckDB keep what it has read of files, footers too, within the memory limit, and not look again whether they changed: a file of the
// lake never changes under its name. A repeated question over a dozen files takes a third less.
func trustFiles() []string {
	return []string{"SET parquet_metadata_cache = true", "SET validate_external_file_cache = 'NO_VALIDATION'"}
}

// ownConns is how many connections of an instance the feed keeps for itself: one for minute tables.
const ownConns = 1

// hotShare is the part of the prompt's memory that hot rows take on top of it: half as much, before they lie in a file.
const hotShare = 2

// keepFiles lets DuckDB keep all that it reads of files, as the prompt's connections for small reads do.
func keepFiles() []string { return append(trustFiles(), "SET "+keepReads) }

// keepReads makes DuckDB read files of the disk like those of a network: whole chunks at a time, and through its cache.
const keepReads = "prefetch_all_parquet_files = true"

func freeConns(conns []*conn) chan *conn {
	free := make(chan *conn, len(conns))
	for _, c := range conns {
		free <- c
	}
	return free
}

func orDefault(n, standard int64) int64 {
	if n > 0 {
		return n
	}
	return standard
}

// spillFolder is how the spill folders' names begin: in the lake's tmp, or in the system's for a process that only follows the lake and may not write there. DuckDB makes it when
// something spills.
func spillFolder(l *lake.Lake) (string, error) {
	dir := os.TempDir()
	if !l.ReadOnly() {
		dir = l.Layout().Tmp()
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "duckdb-"+lake.NewTxID()), nil
}

// WaitLoaded blocks until the tail that was there when the engine was opened has been read in. Statements before that see the Parquet files
// and a part of the tail.
func (e *Engine) WaitLoaded(ctx context.Context) error {
	select {
	case <-e.feed.loaded:
		return e.feed.failure()
	case <-e.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errClosed = errors.New("the query engine is closed")

// Close stops the feed and what still runs, and frees the memory. The lake stays open.
func (e *Engine) Close() error {
	var err error
	e.once.Do(func() {
		close(e.closing)
		err = e.release()
	})
	return err
}

func (e *Engine) release() error {
	var errs []error
	if e.feed != nil {
		errs = append(errs, e.feed.stop())
	}
	e.running.close()
	for _, in := range []*instance{e.prompt, e.panels} {
		if in != nil {
			errs = append(errs, in.close())
		}
	}
	if e.planner != nil {
		errs = append(errs, e.planner.close())
	}
	if e.hot != nil {
		errs = append(errs, e.hot.close())
	}
	if e.files != nil {
		errs = append(errs, e.files.close())
	}
	if e.spill != "" {
		for _, instance := range []string{"-plan", "-prompt", "-panels"} {
			errs = append(errs, os.RemoveAll(e.spill+instance))
		}
	}
	return errors.Join(errs...)
}
