package duck

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/bench"
)

func TestBenchLayouts(t *testing.T) {
	l := benchLake(t, 7)
	dir, progress := t.TempDir(), &lake.Progress{}
	report, err := BenchLayouts(t.Context(), LayoutConfig{Lake: l, Dir: dir, Rounds: LayoutRounds, Cold: true, Pairs: 4, Seed: 1, Progress: progress})
	if err != nil {
		t.Fatal(err)
	}
	if d := report.Data; d.Events != 20_000 || d.Services != 3 || d.Days != 3 || d.Pairs != 4 || d.PairsTotal != 9 {
		t.Errorf("data %+v", d)
	}
	cold := report.Cold.Why == ""
	if !cold {
		t.Logf("SKIP the cold rounds: %s", report.Cold.Why)
	}
	if len(report.Variants) != len(writings())+1 {
		t.Errorf("%d variants", len(report.Variants))
	}
	for i := range report.Variants {
		v := &report.Variants[i]
		if v.Files == 0 || v.RowGroups < v.Files || v.Bytes <= v.Footers || v.Footers <= 0 || v.Read < 1 || v.ReadBytes <= 0 || v.ReadBytes > v.Bytes || !v.Same {
			t.Errorf("%s: %+v", v.Name, v)
		}
		for _, timing := range []*bench.Timing{&v.Warm, &v.Cold} {
			if (timing == &v.Warm || cold) && (len(timing.Samples) != LayoutRounds*4 || timing.Best <= 0 || timing.Median < timing.Best || timing.Worst < timing.Median) {
				t.Errorf("%s: %+v", v.Name, timing)
			}
		}
	}
	for i := range report.Axes {
		for _, p := range report.Axes[i].Points {
			if report.Find(p.Variant) == nil {
				t.Errorf("the axis %s names %s, which there is not", report.Axes[i].Name, p.Variant)
			}
		}
	}
	if len(report.Clients) != len(clientVariants)*len(clientNumbers) {
		t.Errorf("%d lines of clients", len(report.Clients))
	}
	for i := range report.Clients {
		if c := &report.Clients[i]; report.Find(c.Variant) == nil || len(c.Rates) != LayoutRounds || c.PerSecond <= 0 || c.Best < c.PerSecond || c.Median <= 0 || c.Worst < c.Median {
			t.Errorf("clients %+v", c)
		}
	}
	if s := progress.Snapshot(); s.Total == 0 || s.Done != s.Total {
		t.Errorf("progress ended at %+v", s)
	}
	if len(bench.LayoutFindings(report)) < 10 {
		t.Errorf("findings: %q", bench.LayoutFindings(report))
	}
	checkWritten(t, l, dir, report)
}

// checkWritten holds what was written against what was to be written: the number of files, their codec and row groups, and every event.
func checkWritten(t *testing.T, l *lake.Lake, dir string, report *bench.Layouts) {
	t.Helper()
	tree, many := report.Find(bench.VariantTree), report.Find(bench.VariantMany)
	if own := report.Find(bench.VariantOwn); own.Files != len(l.Current().Files) || tree.Files != own.Files || many.Files <= 4*tree.Files || many.Files > 16*tree.Files {
		t.Errorf("%d files of the lake, %d of the tree, %d of 16 a partition", own.Files, tree.Files, many.Files)
	}
	if small, large := report.Find("sorted8k"), report.Find(bench.VariantSorted); small.RowGroups != 3 || large.RowGroups != 1 || small.ReadBytes >= large.ReadBytes {
		t.Errorf("row groups: %d of 8,192 rows, which give %d bytes to a question, and %d which give %d", small.RowGroups, small.ReadBytes, large.RowGroups, large.ReadBytes)
	}
	for _, w := range writings() {
		codec := strings.ToUpper(w.codec)
		if codec == "" {
			codec = "ZSTD"
		}
		rows, err := Outside(t.Context(), "SELECT count(*), count(DISTINCT seq), (SELECT string_agg(DISTINCT compression) FROM parquet_metadata("+
			sql.Literal(filepath.Join(dir, w.name, "**", "*.parquet"))+")) FROM read_parquet("+sql.Literal(filepath.Join(dir, w.name, "**", "*.parquet"))+")")
		if err != nil {
			t.Fatal(err)
		}
		if rows[0][0] != int64(20_000) || rows[0][1] != int64(20_000) || rows[0][2] != codec {
			t.Errorf("%s holds %v, want 20,000 events and %s", w.name, rows[0], codec)
		}
	}
}

func TestBenchLayoutsFindsDifferentAnswers(t *testing.T) {
	l := benchLake(t, 7)
	b, err := openLayouts(LayoutConfig{Lake: l, Dir: t.TempDir(), Rounds: LayoutRounds}, l.Current())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	}()
	if err := b.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := b.variantOf("date")
	v.texts[0], v.texts[1] = v.texts[1], v.texts[0]
	if err := b.measureWarm(t.Context()); err == nil || !strings.Contains(err.Error(), "the answers differ for "+b.pairs[0].String()) {
		t.Errorf("a question about another pair: %v", err)
	}
}

func TestBenchLayoutsRefuses(t *testing.T) {
	l := benchLake(t, 7)
	if _, err := BenchLayouts(t.Context(), LayoutConfig{Lake: l, Dir: t.TempDir(), Rounds: 1}); err == nil || !strings.Contains(err.Error(), "at least 5") {
		t.Errorf("one round: %v", err)
	}
	if _, err := BenchLayouts(t.Context(), LayoutConfig{Lake: l, Dir: filepath.Join(t.TempDir(), "a*b"), Rounds: LayoutRounds}); err == nil || !strings.Contains(err.Error(), "takes for a pattern") {
		t.Errorf("a pattern: %v", err)
	}
	empty, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir(), ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if _, err := BenchLayouts(t.Context(), LayoutConfig{Lake: empty, Dir: t.TempDir(), Rounds: LayoutRounds}); err == nil || !strings.Contains(err.Error(), "convert it first") {
		t.Errorf("an empty lake: %v", err)
	}
}

// TestBenchLayoutsStops cancels while one thread writes and while many ask: it comes back with the context's error, and leaves nothing but what it wrote.
func TestBenchLayoutsStops(t *testing.T) {
	l := benchLake(t, 7)
	for _, stage := range []string{"write layouts", "at once: rounds"} {
		t.Run(stage, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			progress, ended := &lake.Progress{}, make(chan error)
			go func() {
				_, err := BenchLayouts(ctx, LayoutConfig{Lake: l, Dir: t.TempDir(), Rounds: LayoutRounds, Cold: true, Pairs: 2, Progress: progress})
				ended <- err
			}()
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for progress.Snapshot().Stage != stage {
				select {
				case err := <-ended:
					t.Fatalf("it ended before the stage: %v", err)
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
		})
	}
}

func TestKeyOf(t *testing.T) {
	key, err := keyOf(filepath.Join("status", "event_date=2026-01-05", "service_name=a%20b", "status_code=200", "data_0.parquet"))
	if err != nil || key.service != "a b" || key.day.String() != "2026-01-05" {
		t.Errorf("%v, %v", key, err)
	}
	if key, err := keyOf(filepath.Join("one", "events.parquet")); err != nil || key != (pair{}) {
		t.Errorf("no folders: %v, %v", key, err)
	}
	for _, path := range []string{"event_date=soon/x", "service_name=%zz/x"} {
		if _, err := keyOf(path); err == nil {
			t.Errorf("%s is a key", path)
		}
	}
}
