// Package pipeline measures every stage of the lake beside its reference: from the generator to the answer of a question. What needs
// processor time or memory of its own runs in child processes of this program, which take turns with their references.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
)

// MinRounds is the smallest number of rounds: a median of fewer says little.
const MinRounds = 5

// MinEvents is the smallest lake that is measured: growth is told from a tenth of it too.
const MinEvents = 10 * leastEvents

// Config says what to measure. Dir, Program and Events are required.
type Config struct {
	Dir      string           // an empty scratch folder, on the disk that is to be measured; Run leaves nothing in it
	Program  string           // the path of this program, which runs stages as `bench stage NAME`; see Child
	Events   int64            // of the largest lake, at least MinEvents; growth is measured at a tenth and a hundredth of it too
	Rounds   int              // of each measure; 0: MinRounds, and less is an error
	Only     []string         // names of lines (see Names); empty: all
	Progress *lake.Progress   // nil: nobody looks
	Now      func() time.Time // nil: time.Now
	Say      func(string)     // hears a sentence after each stage; nil: nobody listens
}

// Validate says what is wrong with the configuration, and fills in what was left open.
func (c *Config) Validate() error {
	if c.Rounds == 0 {
		c.Rounds = MinRounds
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Say == nil {
		c.Say = func(string) {}
	}
	switch {
	case c.Dir == "" || c.Program == "":
		return errors.New("a scratch folder and the path of the program are needed")
	case c.Events < MinEvents:
		return fmt.Errorf("%d events: want at least %d", c.Events, MinEvents)
	case c.Rounds < MinRounds:
		return fmt.Errorf("%d rounds: want at least %d", c.Rounds, MinRounds)
	}
	for _, name := range c.Only {
		if !slices.Contains(Names(), name) {
			return fmt.Errorf("no line is called %q: there are %s", name, strings.Join(Names(), ", "))
		}
	}
	return nil
}

// Room is how many bytes of disk a run with so many events takes at most: the raw lake, its Parquet files, and the unpartitioned file, old and new; beside
// them what the generator writes, or what a server takes.
func Room(events int64) int64 { return 512<<20 + events*900 + min(events, mostSent)*1500 }

// runner is a run at work.
type runner struct {
	cfg     Config
	engine  string // DuckDB's version, once it was asked
	dropped int    // folders; see drop
}

// stage measures some lines on one corpus.
type stage struct {
	name    string
	lines   []string
	measure func(ctx context.Context, c *corpus, o *outcome) error
}

// stages are all stages. The console looks at the lake before others have added much to it.
func stages() []stage {
	return []stage{
		{"generate", []string{"generate", "generate-write"}, measureGenerate},
		{"scan", []string{"scan"}, measureScan},
		{"convert", []string{"convert", "convert-rss", "convert-files"}, measureConvert},
		{"ingest", []string{"ingest", "ingest-cpu", "rival-rate", "rival-cpu", "rss-serve"}, measureIngest},
		{"visible", []string{"visible"}, measureVisible},
		{"rss-convert", []string{"rss-convert"}, measureConvertMemory},
		{"dashboard", []string{"dashboard"}, measureDashboard},
		{"console", []string{"rss-console"}, measureConsole},
		{"whole-lake", []string{"whole-lake"}, measureWholeLake},
		{"pairs", []string{"p95-list", "p95-guided", "p95-floor", "error-rate"}, measurePairs},
		{"open", []string{"open", "plan"}, measureOpen},
	}
}

// wanted tells whether a stage is to run, for a size that is the largest or only there to tell growth.
func (r *runner) wanted(s stage, largest bool) bool {
	return slices.ContainsFunc(lines(), func(l line) bool {
		return slices.Contains(s.lines, l.name) && (largest || l.grows > 0) && (len(r.cfg.Only) == 0 || slices.Contains(r.cfg.Only, l.name))
	})
}

// Run measures the lines of cfg.Only and their growth. The caller fills in what it knows better: At, Program, and Machine but for Engine and
// Threads. It stops within a second when ctx ends, its children with it. Answers that differ are no error: the line says so.
func Run(ctx context.Context, cfg Config) (report *bench.Pipeline, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("pipeline benchmark: %w", err)
	}
	r := &runner{cfg: cfg}
	defer func() { err = errors.Join(err, os.RemoveAll(r.droppedDir())) }()
	started := time.Now()
	var outcomes []*outcome
	for _, events := range r.sizes() {
		o := newOutcome(events)
		if err := r.size(ctx, o); err != nil {
			return nil, fmt.Errorf("pipeline benchmark: %w", err)
		}
		outcomes = append(outcomes, o)
	}
	report = r.report(outcomes)
	report.Took = time.Since(started)
	return report, nil
}

// leastEvents is the smallest size from which growth is told: below it a stage does little but begin and end.
const leastEvents = 1000

// sizes are the numbers of events, smallest first.
func (r *runner) sizes() []int64 {
	return slices.DeleteFunc([]int64{r.cfg.Events / 100, r.cfg.Events / 10, r.cfg.Events}, func(n int64) bool { return n < leastEvents })
}

// size runs the stages on one corpus and takes it away.
func (r *runner) size(ctx context.Context, o *outcome) (err error) {
	c, err := r.newCorpus(o.events, filepath.Join(r.cfg.Dir, fmt.Sprintf("corpus-%d", o.events)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	for _, s := range stages() {
		if !r.wanted(s, o.events == r.cfg.Events) {
			continue
		}
		started := time.Now()
		c.stage = fmt.Sprintf("%s, %d events", s.name, o.events)
		r.cfg.Progress.Start(c.stage, 0)
		if err := s.measure(ctx, c, o); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.cfg.Say(fmt.Sprintf("%s of %d events took %.1f s", s.name, o.events, time.Since(started).Seconds()))
	}
	return nil
}

// report makes the report of the outcomes, smallest first.
func (r *runner) report(outcomes []*outcome) *bench.Pipeline {
	p := &bench.Pipeline{Format: bench.PipelineFormat, Events: r.cfg.Events, Rounds: r.cfg.Rounds, Cached: cached()}
	p.Machine.Engine, p.Machine.Threads = r.engine, runtime.NumCPU()
	for _, l := range lines() {
		if len(r.cfg.Only) > 0 && !slices.Contains(r.cfg.Only, l.name) {
			continue
		}
		for _, o := range outcomes {
			if o.events < r.cfg.Events && !(l.each && o.events >= max(l.from, 1)) {
				continue
			}
			if one, ok := o.report(l); ok {
				p.Lines = append(p.Lines, one)
			}
		}
		if g, ok := growth(l, outcomes); ok {
			p.Growth = append(p.Growth, g)
		}
	}
	return p
}

// cached says what stays from one round to the next.
func cached() []string {
	return []string{
		"Files stay in the system's page cache: everything here is measured warm.",
		"DuckDB keeps footers and blocks of files that it has read, on both sides of each line alike; so does the engine's own reader of small files, up to 16 MiB of footers and 32 MiB of columns as they stand in the files.",
		"The engine keeps what it has read of a file, up to 32 MiB of digests' indexes, and the check and plan of the last texts; no answer: between two rounds of questions the lake gets a new version and new hot rows.",
	}
}

// scratch makes a new folder for one round of a stage; remove takes it away.
func (c *corpus) scratch(name string) (dir string, remove func() error, err error) {
	dir, err = os.MkdirTemp(c.dir, name+"-")
	return dir, func() error { return c.drop(dir) }, err
}
