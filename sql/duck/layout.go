package duck

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
)

const (
	// LayoutRounds is the smallest number of timed rounds of a benchmark of layouts.
	LayoutRounds = 5
	// layoutClients is the most that ask at once.
	layoutClients = 16
	// writerMemory bounds what the writer of layouts sorts and buffers in memory; more spills.
	writerMemory = 2 << 30
)

// LayoutConfig says what to write and ask. Lake, Dir and Rounds are required.
type LayoutConfig struct {
	Lake     *lake.Lake     // converted; its current version is what is written anew
	Dir      string         // an empty folder for what is written; the caller takes it away
	Rounds   int            // timed rounds, at least LayoutRounds
	Cold     bool           // also with the files' pages dropped before each question
	Pairs    int            // of service and day, at most; 0: 24
	Seed     uint64         // of the choice of pairs
	Threads  int            // of a statement; 0: all cores, as the prompt has them
	Progress *lake.Progress // may be nil
}

// BenchLayouts writes the events of a lake in several ways, asks all of them the same and says how long each took; see package bench. Writing is one
// thread's work in a DuckDB of its own; questions are asked like Bench asks them.
//
// Ways that answer differently are an error that names the pair. The caller fills in what it knows better: At, Program, Machine but for Engine and Threads,
// Data.Seed and Distribution. It stops within milliseconds when ctx ends, and leaves what it wrote in Dir.
func BenchLayouts(ctx context.Context, cfg LayoutConfig) (*bench.Layouts, error) {
	if cfg.Rounds < LayoutRounds {
		return nil, fmt.Errorf("benchmark of layouts: %d rounds: want at least %d", cfg.Rounds, LayoutRounds)
	}
	pin := cfg.Lake.Pin()
	defer pin.Release()
	b, err := openLayouts(cfg, pin.Version)
	if err != nil {
		return nil, fmt.Errorf("benchmark of layouts: %w", err)
	}
	report, err := b.run(ctx)
	if err = errors.Join(err, b.close()); err != nil {
		return nil, fmt.Errorf("benchmark of layouts: %w", err)
	}
	return report, nil
}

// layoutBench is a benchmark of layouts at work.
type layoutBench struct {
	cfg      LayoutConfig
	layout   lake.Layout // with an absolute root
	version  *lake.Version
	pairs    []pair
	total    int // pairs that there are
	spill    string
	writer   *instance
	warm     *instance // as the prompt's small reads, with a connection for each client
	bare     *instance // keeps nothing of a file between two questions
	variants []*variant
	answers  []*float64 // by pair, of the first variant that was asked
}

func openLayouts(cfg LayoutConfig, version *lake.Version) (*layoutBench, error) {
	if len(version.Files) == 0 {
		return nil, errors.New("the lake holds no Parquet file yet: convert it first")
	}
	root, err := filepath.Abs(cfg.Lake.Layout().Root)
	if err != nil {
		return nil, err
	}
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, err
	}
	if strings.ContainsAny(root+cfg.Dir, "*?[") {
		return nil, fmt.Errorf("the folder %s or %s has one of * ? [ in its path, which DuckDB takes for a pattern: choose another", root, cfg.Dir)
	}
	if cfg.Threads <= 0 {
		cfg.Threads = runtime.NumCPU()
	}
	b := &layoutBench{cfg: cfg, layout: lake.Layout{Root: root}, version: version}
	if b.spill, err = spillFolder(cfg.Lake); err != nil {
		return nil, err
	}
	all := pairsOf(version)
	b.total, b.pairs = len(all), drawPairs(all, cfg.Pairs, cfg.Seed)
	b.answers = make([]*float64, len(b.pairs))
	if err := b.open(); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *layoutBench) open() (err error) {
	open := func(name string, memory int64, threads, connections int, setup ...string) (*instance, error) {
		return openInstance(box{memory: memory, threads: threads, spill: b.spill + name, connections: connections, allowed: []string{b.layout.Partitioned(), b.cfg.Dir}, setup: setup})
	}
	// One thread that holds every folder open leaves exactly one file in each.
	if b.writer, err = open("-write", writerMemory, 1, 1, "SET partitioned_write_max_open_files = 1000000", "SET partitioned_write_flush_threshold = 1000000000"); err != nil {
		return err
	}
	if b.warm, err = open("-warm", defaultMemory, b.cfg.Threads, layoutClients, keepFiles()...); err != nil {
		return err
	}
	b.bare, err = open("-bare", defaultMemory, b.cfg.Threads, 1, "SET enable_external_file_cache = false", "SET parquet_metadata_cache = false")
	return err
}

func (b *layoutBench) close() error {
	var errs []error
	for _, in := range []*instance{b.writer, b.warm, b.bare} {
		if in != nil {
			errs = append(errs, in.close())
		}
	}
	for _, name := range []string{"-write", "-warm", "-bare"} {
		errs = append(errs, os.RemoveAll(b.spill+name))
	}
	return errors.Join(errs...)
}

// run writes, measures and fills the report.
func (b *layoutBench) run(ctx context.Context) (*bench.Layouts, error) {
	engine, err := b.bare.conns[0].text("SELECT library_version FROM pragma_version()")
	if err != nil {
		return nil, err
	}
	report := &bench.Layouts{Format: bench.LayoutFormat, Question: question, Rounds: b.cfg.Rounds, Base: bench.VariantTree, Axes: layoutAxes(), Data: b.data()}
	report.Machine.Engine, report.Machine.Threads = "DuckDB "+engine, b.cfg.Threads
	started := time.Now()
	err = interruptAll(ctx, slices.Concat(b.writer.conns, b.warm.conns, b.bare.conns), func() error {
		if err := b.write(ctx); err != nil {
			return err
		}
		if err := b.measureWarm(ctx); err != nil {
			return err
		}
		if err := b.measureClients(ctx, report); err != nil {
			return err
		}
		return b.measureCold(ctx, report)
	})
	if err != nil {
		return nil, err
	}
	for _, v := range b.variants {
		report.Variants = append(report.Variants, v.line(b.pairs))
	}
	report.Fill()
	report.Took = time.Since(started)
	return report, nil
}

// interruptAll runs work, and stops what it runs on the connections when ctx ends.
func interruptAll(ctx context.Context, conns []*conn, work func() error) error {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-done:
		case <-ctx.Done():
			var all jobs
			for _, c := range conns {
				all.start(func() { c.interruptUntil(done) })
			}
			all.close()
		}
	}()
	err := work()
	close(done)
	<-stopped
	return errors.Join(ctx.Err(), err)
}

func (b *layoutBench) data() bench.Data {
	d := dataOf(b.version)
	d.Pairs, d.PairsTotal, d.Scratch = len(b.pairs), b.total, true
	return d
}

// dataOf counts what a version holds.
func dataOf(v *lake.Version) bench.Data {
	d := bench.Data{Files: len(v.Files), Version: v.Number}
	services, days := map[string]bool{}, map[lake.Date]bool{}
	for i := range v.Files {
		f := &v.Files[i]
		d.Events += f.Rows
		d.Bytes += f.Bytes
		services[f.Partition.Service], days[f.Partition.Date] = true, true
	}
	d.Services, d.Days = len(services), len(days)
	return d
}

// pairsOf are the pairs of service and day of a version.
func pairsOf(v *lake.Version) []pair {
	var pairs []pair
	for i := range v.Files {
		p := pair{v.Files[i].Partition.Service, v.Files[i].Partition.Date}
		if !slices.Contains(pairs[max(0, len(pairs)-1):], p) { // files are ordered by day and service
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// drawPairs takes some of the pairs, at random but the same for the same seed and lake. most 0: benchPairs.
func drawPairs(pairs []pair, most int, seed uint64) []pair {
	if most <= 0 {
		most = benchPairs
	}
	draw := rand.New(rand.NewPCG(seed, uint64(len(pairs))))
	draw.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	return pairs[:min(most, len(pairs))]
}
