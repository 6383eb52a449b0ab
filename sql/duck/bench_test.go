package duck

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/bench"
)

// benchLake is a converted lake of 20,000 events with its twin.
func benchLake(t *testing.T, seed uint64) *lake.Lake {
	t.Helper()
	l, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir(), ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	start, err := lake.ParseInstant("2026-01-05", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	g, err := gen.New(gen.Config{Seed: seed, Count: 20_000, Days: 3, Services: 3, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Run(t.Context(), 1, func(b lake.Batch) error { _, err := l.Append(t.Context(), b); return err }); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := l.ConvertUnpartitioned(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestBench(t *testing.T) {
	l := benchLake(t, 7)
	progress := &lake.Progress{}
	report, err := Bench(t.Context(), BenchConfig{Lake: l, Runs: BenchRuns, Cold: true, Pairs: 4, Seed: 1}, progress)
	if err != nil {
		t.Fatal(err)
	}
	if d := report.Data; d.Events != 20_000 || d.Services != 3 || d.Days != 3 || d.Pairs != 4 || d.PairsTotal != 9 || d.Files != len(l.Current().Files) || d.TwinBytes == 0 {
		t.Errorf("data %+v", d)
	}
	if !strings.HasPrefix(report.Machine.Engine, "DuckDB v") || report.Machine.Threads == 0 {
		t.Errorf("machine %+v", report.Machine)
	}
	temperatures := []bool{false, true}
	if report.Cold.Why != "" {
		t.Logf("SKIP the cold rungs: %s", report.Cold.Why)
		temperatures = temperatures[:1]
	}
	for _, cold := range temperatures {
		for _, name := range []string{bench.Unpartitioned, bench.Glob, bench.Catalog, bench.Engine} {
			r := report.Find(name, cold)
			if r == nil {
				t.Fatalf("no rung %s, cold %v", name, cold)
			}
			if len(r.Samples) != BenchRuns*4 || r.Best <= 0 || r.Median < r.Best || r.Worst < r.Median || !r.Same || r.Bytes <= 0 {
				t.Errorf("rung %s, cold %v: %+v", name, cold, r)
			}
		}
		one, list := report.Find(bench.Unpartitioned, cold), report.Find(bench.Catalog, cold)
		if list.Files >= float64(list.FilesTotal) || one.Files != 1 {
			t.Errorf("the list names %.1f of %d files, the twin is %.1f", list.Files, list.FilesTotal, one.Files)
		}
	}
	if len(report.Probes) == 0 || report.Probe(bench.ProbeGlobPlan) == 0 {
		t.Errorf("probes %+v", report.Probes)
	}
	if s := progress.Snapshot(); s.Total == 0 || s.Done != s.Total {
		t.Errorf("progress ended at %+v", s)
	}
}

// TestBenchBooks holds the twin's arithmetic against the whole file's, and the rungs' against the engine's own estimate.
func TestBenchBooks(t *testing.T) {
	l := benchLake(t, 7)
	pin := l.Pin()
	defer pin.Release()
	b, err := openBencher(BenchConfig{Lake: l, Runs: BenchRuns}, pin.Version)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	}()
	e, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, p := range b.pairs {
		estimate, err := e.Estimate(t.Context(), strings.NewReplacer("'$service'", sql.Literal(p.service), "$day", p.day.String()).Replace(question))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range b.rungs[1:] {
			if files, bytes := r.cost(p); files != estimate.Files || bytes != estimate.Bytes {
				t.Errorf("%s about %v: %d files, %d bytes; the engine says %d, %d", r.name, p, files, bytes, estimate.Files, estimate.Bytes)
			}
		}
		if _, bytes := b.rungs[0].cost(p); bytes <= b.twin.footer || bytes >= b.twin.bytes {
			t.Errorf("the twin's cost for %v is %d, of a file of %d with a footer of %d", p, bytes, b.twin.bytes, b.twin.footer)
		}
	}
	if b.twin.cost(b.pairs[0].day+100) != b.twin.footer {
		t.Error("a day that the twin does not have costs more than its footer")
	}
}

func TestBenchFindsDifferentAnswers(t *testing.T) {
	l, other := benchLake(t, 7), benchLake(t, 8)
	mine, _, _ := l.Unpartitioned()
	theirs, _, _ := other.Unpartitioned()
	data, err := os.ReadFile(theirs.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mine.Path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Bench(t.Context(), BenchConfig{Lake: l, Runs: BenchRuns}, nil)
	if err == nil || !strings.Contains(err.Error(), "the answers differ for ") || !strings.Contains(err.Error(), " on 2026-01-0") {
		t.Errorf("a twin of other data: %v", err)
	}
}

func TestBenchRefuses(t *testing.T) {
	l := benchLake(t, 7)
	if _, err := Bench(t.Context(), BenchConfig{Lake: l, Runs: 1}, nil); err == nil || !strings.Contains(err.Error(), "at least 7") {
		t.Errorf("one run: %v", err)
	}
	twin, _, _ := l.Unpartitioned()
	if err := os.Remove(twin.Path); err != nil {
		t.Fatal(err)
	}
	if _, err := Bench(t.Context(), BenchConfig{Lake: l, Runs: BenchRuns}, nil); err == nil || !strings.Contains(err.Error(), "convert --layout unpartitioned") {
		t.Errorf("no twin: %v", err)
	}
	empty, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir(), ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if _, err := Bench(t.Context(), BenchConfig{Lake: empty, Runs: BenchRuns}, nil); err == nil || !strings.Contains(err.Error(), "convert it first") {
		t.Errorf("an empty lake: %v", err)
	}
}

// TestBenchStops cancels in the middle of the warm rounds: it comes back with the context's error and leaves nothing.
func TestBenchStops(t *testing.T) {
	l := benchLake(t, 7)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	progress, ended := &lake.Progress{}, make(chan error)
	go func() {
		_, err := Bench(ctx, BenchConfig{Lake: l, Runs: 10_000}, progress)
		ended <- err
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s := progress.Snapshot(); s.Stage != "warm: questions" || s.Done == 0; s = progress.Snapshot() {
		select {
		case err := <-ended:
			t.Fatalf("it ended by itself: %v", err)
		case <-tick.C:
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(l.Layout().Tmp(), "duckdb-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDrop checks that dropped files are out of memory, and that reading makes the kernel count.
func TestDrop(t *testing.T) {
	l := benchLake(t, 7)
	twin, _, _ := l.Unpartitioned()
	d := &dropper{paths: []string{twin.Path}}
	if why := d.trial(); why != "" {
		t.Skipf("SKIP: %s", why)
	}
	before, asked := ioCount(true), ioCount(false)
	data, err := os.ReadFile(twin.Path)
	if err != nil {
		t.Fatal(err)
	}
	if d.bytes != int64(len(data)) {
		t.Errorf("dropped %d bytes of %d", d.bytes, len(data))
	}
	if got := ioCount(true) - before; got < int64(len(data)) {
		t.Errorf("after a drop %d bytes came from the disk, of %d", got, len(data))
	}
	if got := ioCount(false) - asked; got < int64(len(data)) {
		t.Errorf("%d bytes were read, of %d", got, len(data))
	}
	if before = ioCount(true); ioCount(true) != before {
		t.Error("counting counts itself")
	}
}
