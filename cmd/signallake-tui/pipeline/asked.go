package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"time"

	"github.com/signallake/signallake/lake"
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
