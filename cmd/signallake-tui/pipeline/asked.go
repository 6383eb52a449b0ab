package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/duck"
)

// askMaxRows is more than any answer here has.
const askMaxRows = 1 << 30

// asked is a converted lake with its engine, and a DuckDB beside it to compare with. The engine is opened as the console does.
type asked struct {
	lake      *lake.Lake
	engine    *duck.Engine
	reference *duck.Reference
	renewed   int // how often it got new events
}

const (
	// hotRows come in before each round; a lake of less than a million events gets a twentieth of itself, else it would be another lake after five rounds.
	hotRows     = 50_000
	hotFraction = 20
)

func (c *corpus) hotRows() int64 { return min(hotRows, max(1, c.events/hotFraction)) }

// newestDay is the day of the events that come in while questions are asked.
func newestDay() lake.Date { return lake.DateOf(corpusStart()) + corpusDays - 1 }

// openFresh is open for a stage that measures the lake as it was made: what others have added is not in it.
func (c *corpus) openFresh(ctx context.Context) (*asked, error) {
	if c.asked != nil && c.asked.renewed > 0 {
		dir := c.asked.lake.Layout().Root
		if err := errors.Join(c.asked.close(), c.drop(dir)); err != nil {
			return nil, err
		}
		c.asked = nil
	}
	return c.open(ctx)
}

// open converts a copy of the raw lake, once, and opens it.
func (c *corpus) open(ctx context.Context) (*asked, error) {
	if c.asked != nil {
		return c.asked, nil
	}
	dir, err := c.clone(ctx, "asked")
	if err != nil {
		return nil, err
	}
	a := &asked{}
	c.asked = a // so that it is closed, also when it opens only in part
	if a.lake, err = c.openLake(ctx, dir); err != nil {
		return nil, err
	}
	if _, err := a.lake.Convert(ctx, nil); err != nil {
		return nil, err
	}
	if a.engine, err = duck.Open(ctx, duck.Config{Lake: a.lake, Now: c.cfg.Now, Panels: true}); err != nil {
		return nil, err
	}
	if err := a.engine.WaitLoaded(ctx); err != nil {
		return nil, err
	}
	if a.reference, err = duck.OpenReference([]string{c.dir}, filepath.Join(c.dir, "spill-asked"), 0); err != nil {
		return nil, err
	}
	version, err := a.reference.Version()
	c.runner.engine = "DuckDB " + version
	return a, err
}

func (a *asked) close() error {
	var errs []error
	if a.reference != nil {
		errs = append(errs, a.reference.Close())
	}
	if a.engine != nil {
		errs = append(errs, a.engine.Close())
	}
	if a.lake != nil {
		errs = append(errs, a.lake.Close())
	}
	return errors.Join(errs...)
}

// renew converts what is in the tail, so that there is a new version, and fills the tail with new events of the newest day, which the reference gets too.
func (a *asked) renew(ctx context.Context, c *corpus, hot int64) error {
	path := filepath.Join(c.dir, "hot.jsonl")
	if a.renewed == 0 { // so that there is something to convert: later it is what the round before had in its tail
		if err := a.fill(ctx, path, hot); err != nil {
			return err
		}
	}
	if _, err := a.lake.Convert(ctx, nil); err != nil {
		return err
	}
	if err := a.fill(ctx, path, hot); err != nil {
		return err
	}
	return a.reference.SetHot(ctx, path)
}

// fill appends new events, and writes them to a file.
func (a *asked) fill(ctx context.Context, path string, n int64) error {
	a.renewed++
	var all []byte
	cfg := gen.Config{Seed: corpusSeed + uint64(a.renewed), Count: n, Days: 1, Services: corpusServices, Start: newestDay().Start()}
	err := generate(ctx, cfg, func(b lake.Batch) error {
		all = append(all, b.Lines...)
		_, err := a.lake.Append(ctx, b)
		return err
	})
	return errors.Join(err, os.WriteFile(path, all, 0o644))
}

// bothHoldAll waits until the engine sees every event, and counts on both sides. What questions need is read once then, also of files that are new.
func (a *asked) bothHoldAll(ctx context.Context, source string) error {
	const all = "SELECT count(*), count(DISTINCT endpoint), max(latency_ms), max(status_code) FROM "
	for {
		ours, err := a.engine.Query(ctx, sql.Query{Text: all + "events", MinSeq: a.lake.Committed()})
		if err != nil {
			return err
		}
		if ours.Stats.Missing > 0 {
			continue // it has waited
		}
		theirs, _, err := a.compare(ctx, all+source)
		if err != nil {
			return err
		}
		if !sameRows(ours.Rows, theirs) {
			return fmt.Errorf("the lake holds %v and the reference %v", ours.Rows, theirs)
		}
		return nil
	}
}

// asker asks a statement and says how long the answer took.
type asker func(ctx context.Context, text string) ([][]any, time.Duration, error)

// ask asks the engine, as the prompt does.
func (a *asked) ask(ctx context.Context, text string) ([][]any, time.Duration, error) {
	started := time.Now()
	result, err := a.engine.Query(ctx, sql.Query{Text: text, MaxRows: askMaxRows})
	took := time.Since(started)
	if err != nil {
		return nil, 0, fmt.Errorf("%w\n%s", err, text)
	}
	return result.Rows, took, nil
}

// compare asks the reference.
func (a *asked) compare(ctx context.Context, text string) ([][]any, time.Duration, error) {
	started := time.Now()
	rows, err := a.reference.Query(ctx, text)
	took := time.Since(started)
	if err != nil {
		return nil, 0, fmt.Errorf("%w\n%s", err, text)
	}
	return rows, took, nil
}

// allFiles are the files of a version.
func allFiles(v *lake.Version) []*lake.FileEntry {
	files := make([]*lake.FileEntry, len(v.Files))
	for i := range v.Files {
		files[i] = &v.Files[i]
	}
	return files
}

// sameRows tells whether two answers are the same, bit for bit. NaN is NaN.
func sameRows(a, b [][]any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if len(a[i]) != len(b[i]) {
			return false
		}
		for j := range a[i] {
			if !sameValue(a[i][j], b[i][j]) {
				return false
			}
		}
	}
	return true
}

func sameValue(a, b any) bool {
	x, ok1 := a.(float64)
	y, ok2 := b.(float64)
	if ok1 && ok2 {
		return math.Float64bits(x) == math.Float64bits(y)
	}
	return reflect.DeepEqual(a, b)
}
