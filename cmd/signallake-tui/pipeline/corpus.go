package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
)

const (
	// What the generator makes: that of the benchmark of questions, so that figures of both can be laid side by side.
	corpusSeed     = 7
	corpusDays     = 7
	corpusServices = 8
	// mostLines bounds how many events are held in memory as lines: some 100 MB. Stages that need more take the same ones again.
	mostLines = 250_000
	// noLimit lets a lake's tail be as long as the corpus.
	noLimit = 1 << 40
)

// corpusStart is a Monday, always the same: the same events on any day.
func corpusStart() lake.Micros { return lake.MicrosOf(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)) }

// corpus is one size of lake, and what is made of it for several stages.
type corpus struct {
	*runner
	events int64
	stage  string // at work, for the progress
	dir    string
	lines  []byte // see firstLines
	raw    string // the folder of the raw lake, once it is made
	asked  *asked // the lake that is asked, once it is open
}

func (r *runner) newCorpus(events int64, dir string) (*corpus, error) {
	return &corpus{runner: r, events: events, dir: dir}, os.MkdirAll(dir, 0o755)
}

// close takes everything of it away.
func (c *corpus) close() error {
	var err error
	if c.asked != nil {
		err = c.asked.close()
	}
	return errors.Join(err, c.drop(c.dir))
}

func (c *corpus) config() gen.Config {
	return gen.Config{Seed: corpusSeed, Count: c.events, Days: corpusDays, Services: corpusServices, Start: corpusStart()}
}

// generate makes the events of a configuration on all processors and hands them out in their order.
func generate(ctx context.Context, cfg gen.Config, fn func(lake.Batch) error) error {
	g, err := gen.New(cfg)
	if err != nil {
		return err
	}
	return g.Run(ctx, 0, fn)
}

// firstLines are the canonical lines of the first events, mostLines at most, and their number.
func (c *corpus) firstLines(ctx context.Context) ([]byte, int64, error) {
	n := min(c.events, mostLines)
	if c.lines != nil {
		return c.lines, n, nil
	}
	rest := n
	err := generate(ctx, c.config(), func(b lake.Batch) error {
		if rest <= 0 {
			return errEnough
		}
		c.lines = append(c.lines, firstN(b.Lines, &rest)...)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, 0, err
	}
	return c.lines, n, nil
}

// errEnough ends a generator early.
var errEnough = errors.New("enough events")

// firstN are the first rest lines, by which rest goes down.
func firstN(lines []byte, rest *int64) []byte {
	for i, b := range lines {
		if b == '\n' {
			if *rest--; *rest == 0 {
				return lines[:i+1]
			}
		}
	}
	return lines
}

// rawLake is the folder of a lake that holds the events as raw segments, all sealed and none converted.
func (c *corpus) rawLake(ctx context.Context) (string, error) {
	if c.raw != "" {
		return c.raw, nil
	}
	c.cfg.Progress.Start(c.stage+": generated", c.events)
	dir := filepath.Join(c.dir, "raw-lake")
	l, err := c.openLake(ctx, dir)
	if err != nil {
		return "", err
	}
	err = generate(ctx, c.config(), func(b lake.Batch) error {
		_, err := l.Append(ctx, b)
		c.cfg.Progress.Add(int64(b.N))
		return err
	})
	if err := errors.Join(err, l.Close()); err != nil {
		return "", err
	}
	// The next opening seals what is left: after that no file of the raw log is written to again.
	if l, err = c.openLake(ctx, dir); err != nil {
		return "", err
	}
	if err := l.Close(); err != nil {
		return "", err
	}
	c.raw = dir
	return dir, nil
}

func (r *runner) openLake(ctx context.Context, dir string) (*lake.Lake, error) {
	return lake.Open(ctx, lake.Config{Dir: dir, Now: r.cfg.Now, ConvertAge: -1, HotLimit: noLimit, WindowEvents: -1, Owner: lake.Owner{PID: os.Getpid(), Command: "bench", Since: r.cfg.Now()}})
}

// clone makes another lake of the raw lake's events. It shares the sealed segments' files, which nobody writes to; the rest is copied.
func (c *corpus) clone(ctx context.Context, name string) (string, error) {
	from, err := c.rawLake(ctx)
	if err != nil {
		return "", err
	}
	to := filepath.Join(c.dir, name)
	for _, zone := range []func(lake.Layout) string{lake.Layout.Raw, lake.Layout.State, lake.Layout.Window} {
		if err := copyFolder(zone(lake.Layout{Root: from}), zone(lake.Layout{Root: to})); err != nil {
			return "", errors.Join(err, c.drop(to))
		}
	}
	return to, nil
}

// copyFolder copies the files of a folder, and links those that never change.
func copyFolder(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		source, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		switch {
		case !e.Type().IsRegular() || e.Name() == "lock" || e.Name() == "owner.json": // the copy is nobody's yet
		case strings.HasSuffix(e.Name(), ".jsonl") || strings.HasSuffix(e.Name(), ".idx"):
			err = os.Link(source, target)
		default:
			var data []byte
			if data, err = os.ReadFile(source); err == nil {
				err = os.WriteFile(target, data, 0o644)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// segments are the data files of the raw log in a lake's folder.
func segments(dir string) ([]string, error) {
	return filepath.Glob(filepath.Join(lake.Layout{Root: dir}.Raw(), "*.jsonl"))
}
