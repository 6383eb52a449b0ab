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
	"github.com/signallake/signallake/sql/bench"
)

const (
	// benchPairs is over how many pairs of service and day the question rotates at most: enough that no single partition decides.
	benchPairs = 24
	// BenchRuns is the smallest number of timed rounds: quartiles of fewer say little about the noise.
	BenchRuns = 7
)

// BenchConfig says what to measure. Lake and Runs are required.
type BenchConfig struct {
	Lake    *lake.Lake // its current version is asked; the twin must be of the same one
	Runs    int        // timed rounds, at least BenchRuns
	Cold    bool       // also with the files' pages dropped before each question
	Pairs   int        // of service and day, at most; 0: 24
	Seed    uint64     // of the choice of pairs
	Threads int        // of a statement; 0: all cores, as the prompt has them
}

// Bench asks one question in every way of the ladder and says how long each took; see package bench. It has DuckDB instances of its own, with the
// prompt's threads, memory and settings for all that is warm, and with DuckDB's caches of files off for all that is cold or counted.
//
// Ways that answer differently are an error that names the pair. The caller fills in what it knows better: Machine but for Engine and Threads,
// Data.Scratch, Seed and Distribution. It stops within milliseconds when ctx ends.
func Bench(ctx context.Context, cfg BenchConfig, progress *lake.Progress) (*bench.Report, error) {
	if cfg.Runs < BenchRuns {
		return nil, fmt.Errorf("benchmark: %d runs: want at least %d", cfg.Runs, BenchRuns)
	}
	pin := cfg.Lake.Pin()
	defer pin.Release()
	b, err := openBencher(cfg, pin.Version)
	if err != nil {
		return nil, fmt.Errorf("benchmark: %w", err)
	}
	report, err := b.run(ctx, progress)
	if now := cfg.Lake.Current().Number; err != nil && ctx.Err() == nil && now != pin.Version.Number {
		err = fmt.Errorf("%w (the lake went from version %d to %d while it was measured: run it again when no conversion is due)", err, pin.Version.Number, now)
	}
	if err := errors.Join(err, b.close()); err != nil {
		return nil, fmt.Errorf("benchmark: %w", err)
	}
	return report, nil
}

// pair is one question: the p95 of a service on a day.
type pair struct {
	service string
	day     lake.Date
}

func (p pair) String() string { return p.service + " on " + p.day.String() }

// where is the question's condition.
func (p pair) where() string {
	return fmt.Sprintf("WHERE service_name = %s AND event_date = DATE '%s'", sql.Literal(p.service), p.day)
}

// bencher is a benchmark at work.
type bencher struct {
	cfg     BenchConfig
	layout  lake.Layout // with an absolute root
	version *lake.Version
	pairs   []pair
	total   int // pairs that there are
	twin    twinBooks
	spill   string
	warm    *instance // as the prompt is set
	bare    *instance // keeps nothing of a file between two questions
	c       *conn     // of the one at work
	own     *ownFiles // what reads small files on the instance at work
	keeps   *ownFiles // of warm: keeps what the prompt's keeps
	forgets *ownFiles // of bare
	planner *planner
	gate    *gate
	rungs   []rung
	probes  []probe
}

func openBencher(cfg BenchConfig, version *lake.Version) (*bencher, error) {
	root, err := filepath.Abs(cfg.Lake.Layout().Root)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(root, "*?[") {
		return nil, fmt.Errorf("the data folder %s has one of * ? [ in its path, which DuckDB takes for a pattern: move it", root)
	}
	if cfg.Threads <= 0 {
		cfg.Threads = runtime.NumCPU()
	}
	b := &bencher{cfg: cfg, layout: lake.Layout{Root: root}, version: version, gate: newGate()}
	if len(version.Files) == 0 {
		return nil, errors.New("the lake holds no Parquet file yet: convert it first")
	}
	twin, ok, err := cfg.Lake.Unpartitioned()
	if err != nil {
		return nil, err
	}
	if !ok || twin.Version != version.Number {
		return nil, fmt.Errorf("there is no unpartitioned twin of version %d: `signallake-tui convert --layout unpartitioned` makes it", version.Number)
	}
	if b.spill, err = spillFolder(cfg.Lake); err != nil {
		return nil, err
	}
	b.choosePairs()
	if err := b.open(filepath.Join(b.layout.Unpartitioned(), filepath.Base(twin.Path))); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bencher) open(twin string) (err error) {
	open := func(name string, setup ...string) (*instance, error) {
		return openInstance(box{memory: defaultMemory, threads: b.cfg.Threads, spill: b.spill + name, connections: 1,
			allowed: []string{b.layout.Partitioned(), b.layout.Unpartitioned()}, setup: setup})
	}
	if b.warm, err = open("-warm", keepFiles()...); err != nil {
		return err
	}
	if b.bare, err = open("-bare", "SET enable_external_file_cache = false", "SET parquet_metadata_cache = false"); err != nil {
		return err
	}
	b.keeps, b.forgets = newOwnFiles(b.layout, footerMemory, chunkMemory, defaultMemory/hotShare, b.spill+"-texts"), newOwnFiles(b.layout, 0, 0, defaultMemory/hotShare, b.spill+"-texts")
	if err := errors.Join(b.keeps.register(b.warm.connector, b.cfg.Threads), b.forgets.register(b.bare.connector, b.cfg.Threads)); err != nil {
		return err
	}
	b.c, b.own = b.warm.conns[0], b.keeps
	if b.planner, err = openPlanner(plannerMemory, b.spill+"-plan", 1); err != nil {
		return err
	}
	if b.twin, err = readTwinBooks(b.c, twin); err != nil {
		return fmt.Errorf("read the footer of the unpartitioned twin: %w", err)
	}
	b.makeRungs()
	return nil
}

// choosePairs takes some of the pairs.
func (b *bencher) choosePairs() {
	all := pairsOf(b.version)
	b.total, b.pairs = len(all), drawPairs(all, b.cfg.Pairs, b.cfg.Seed)
}

func (b *bencher) close() error {
	var errs []error
	for _, in := range []*instance{b.warm, b.bare} {
		if in != nil {
			errs = append(errs, in.close())
		}
	}
	for _, own := range []*ownFiles{b.keeps, b.forgets} {
		if own != nil {
			errs = append(errs, own.close())
		}
	}
	if b.planner != nil {
		errs = append(errs, b.planner.close())
	}
	for _, name := range []string{"-warm", "-bare", "-plan"} {
		errs = append(errs, os.RemoveAll(b.spill+name))
	}
	return errors.Join(errs...)
}

// run measures and writes the report.
func (b *bencher) run(ctx context.Context, progress *lake.Progress) (*bench.Report, error) {
	engine, err := b.c.text("SELECT library_version FROM pragma_version()")
	if err != nil {
		return nil, err
	}
	report := &bench.Report{Format: bench.Format, Runs: b.cfg.Runs, Question: question, Data: b.data()}
	report.Machine.Engine, report.Machine.Threads = "DuckDB "+engine, b.cfg.Threads
	started := time.Now()
	m := &measurement{bencher: b, progress: progress, answers: make([]*float64, len(b.pairs))}
	err = b.interruptible(ctx, func() error {
		if err := m.count(ctx); err != nil {
			return err
		}
		if err := m.warm(ctx, report); err != nil {
			return err
		}
		if b.cfg.Cold {
			return m.cold(ctx, report)
		}
		report.Cold.Why = "it was not asked for"
		return nil
	})
	report.Took = time.Since(started)
	return report, err
}

// interruptible stops what work runs on the connections when ctx ends.
func (b *bencher) interruptible(ctx context.Context, work func() error) error {
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-ctx.Done():
			var both sync.WaitGroup
			for _, in := range []*instance{b.warm, b.bare} {
				both.Go(func() { in.conns[0].interruptUntil(done) })
			}
			both.Wait()
		case <-done:
		}
	}()
	runtime.LockOSThread() // one thread asks everything: what a move to another one costs is no part of any way
	err := work()
	runtime.UnlockOSThread()
	close(done)
	<-stopped
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (b *bencher) data() bench.Data {
	d := dataOf(b.version)
	d.TwinBytes, d.Pairs, d.PairsTotal = b.twin.bytes, len(b.pairs), b.total
	return d
}
