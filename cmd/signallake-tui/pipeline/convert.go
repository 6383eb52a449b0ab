package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/duck"
)

// measureConvert converts the raw lake in a process of its own, and has DuckDB do the same in another, in turns. Both leave what they made until it was
// compared.
func measureConvert(ctx context.Context, c *corpus, o *outcome) error {
	if _, err := c.rawLake(ctx); err != nil {
		return err
	}
	m := &converting{corpus: c, fingerprints: map[string]bool{}}
	samples, err := c.turns(ctx, nil, way{"convert", m.ours}, way{"DuckDB", m.duckdb})
	if err != nil {
		return err
	}
	f := o.add("convert", samples[0], samples[1]).equal(len(m.fingerprints) == 1)
	f.note("ours also makes minute cells, statistics and the commit, and syncs every file; DuckDB syncs nothing")
	f.note("processor time: %.0f ms, DuckDB %.0f ms (medians)", median(sorted(m.ourCPU)), median(sorted(m.theirCPU)))
	f.note("compared in the first and the last round: count, sum and p95 of the latency, and a hash over every column of every event")
	o.add("convert-rss", m.ourPeak, m.theirPeak).note("the process's peak, with the program itself")
	o.add("convert-files", m.ourFiles, m.partitions).note("DuckDB makes %.0f files", median(sorted(m.theirFiles)))
	return nil
}

// converting is that stage at work.
type converting struct {
	*corpus
	fingerprints       map[string]bool // of everything that either side wrote
	ourCPU, theirCPU   []float64
	ourPeak, theirPeak []float64
	ourFiles           []float64
	partitions         []float64
	theirFiles         []float64
}

func (m *converting) ours(ctx context.Context, round int) (_ float64, err error) {
	dir, err := m.clone(ctx, "convert-ours")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, m.drop(dir)) }()
	u, err := m.measure(ctx, convertStage, "--dir", dir)
	if err != nil {
		return 0, err
	}
	l, err := lake.Open(ctx, lake.Config{Dir: dir, ReadOnly: true, Now: m.cfg.Now})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	version := l.Current()
	partitions, rows := map[lake.Partition]bool{}, int64(0)
	files := make([]*lake.FileEntry, len(version.Files))
	for i := range version.Files {
		files[i] = &version.Files[i]
		partitions[files[i].Partition], rows = true, rows+files[i].Rows
	}
	if rows != m.events {
		return 0, fmt.Errorf("%d events were converted of %d", rows, m.events)
	}
	if round >= 0 {
		m.ourCPU, m.ourPeak = append(m.ourCPU, milliseconds(u.CPU)), append(m.ourPeak, megabytes(u.Peak))
		m.ourFiles, m.partitions = append(m.ourFiles, float64(len(files))), append(m.partitions, float64(len(partitions)))
	}
	return milliseconds(u.Wall), m.readBack(ctx, round, duck.List(l.Layout(), files))
}

func (m *converting) duckdb(ctx context.Context, round int) (_ float64, err error) {
	paths, err := segments(m.raw)
	if err != nil {
		return 0, err
	}
	out := filepath.Join(m.dir, "convert-duckdb")
	defer func() { err = errors.Join(err, m.drop(out)) }()
	u, err := m.measure(ctx, append([]string{duckdbStage, "--out", out, "--threads", strconv.Itoa(runtime.NumCPU())}, paths...)...)
	if err != nil {
		return 0, err
	}
	if err := m.readBack(ctx, round, duck.Glob(out)); err != nil {
		return 0, err
	}
	if round >= 0 {
		files, err := filepath.Glob(filepath.Join(out, "*", "*", "*", "*.parquet"))
		if err != nil {
			return 0, err
		}
		m.theirCPU, m.theirPeak = append(m.theirCPU, milliseconds(u.CPU)), append(m.theirPeak, megabytes(u.Peak))
		m.theirFiles = append(m.theirFiles, float64(len(files)))
	}
	return milliseconds(u.Wall), nil
}

// readBack reads all that a side wrote in the first and in the last round: it takes longer than to write it.
func (m *converting) readBack(ctx context.Context, round int, source string) (err error) {
	if round >= 0 && round < m.cfg.Rounds-1 {
		return nil
	}
	r, err := duck.OpenReference([]string{m.dir}, filepath.Join(m.dir, "spill"), 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	line, err := r.Fingerprint(ctx, source)
	m.fingerprints[line] = true
	return err
}

// measureConvertMemory converts with the program's own sub-command, as a user would, with all that it opens beside the files.
func measureConvertMemory(ctx context.Context, c *corpus, o *outcome) error {
	samples, err := c.turns(ctx, nil, way{"convert", func(ctx context.Context, _ int) (_ float64, err error) {
		dir, err := c.clone(ctx, "convert-memory")
		if err != nil {
			return 0, err
		}
		u, err := c.measure(ctx, commandStage, "convert", "--data", dir)
		return megabytes(u.Peak), errors.Join(err, c.drop(dir))
	}})
	if err != nil {
		return err
	}
	f := o.add("rss-convert", samples[0], nil).note("the peak of `signallake-tui convert`, with the window of known events")
	if c.events < tenMillions {
		f.note("the bound is for a lake of %d events", tenMillions)
	}
	return nil
}
