package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
)

// fakeFiles is a folder to import from.
var fakeFiles = []string{"logs/access.log", "logs/access.log.1.gz", "logs/api errors.log", "logs/archive/", "logs/archive/2015-05.log.zst", "logs/worker.jsonl", "notes.txt"}

// fakeFolder completes paths over fakeFiles.
func fakeFolder(_ context.Context, path string) ([]string, error) {
	folder := path[:strings.LastIndexByte(path, '/')+1]
	var names []string
	seen := map[string]bool{}
	for _, file := range fakeFiles {
		rest, ok := strings.CutPrefix(file, folder)
		if !ok || !strings.HasPrefix(file, path) || rest == "" {
			continue
		}
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			rest = rest[:i+1]
		}
		if name := folder + rest; !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, nil
}

// oldLogs is the time that a fake import covers.
var oldLogs = timeSpan{lake.MicrosOf(time.Date(2015, 5, 17, 10, 5, 0, 0, time.UTC)), lake.MicrosOf(time.Date(2015, 5, 20, 21, 5, 59, 0, time.UTC))}

// imports is an import of ten thousand lines of 2015.
func (f *fake) imports(_ context.Context, p ImportParams, progress *lake.Progress) (string, error) {
	progress.Start("import", 10_000)
	progress.Add(10_000)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.events == 0 {
		f.ends = (oldLogs.last + 1).Time()
	}
	f.imported = append(f.imported, p)
	f.events, f.fresh.VisibleTo = f.events+10_000, f.fresh.VisibleTo+10_000
	p.Covers(oldLogs.first, oldLogs.last)
	return "10,000 lines: 9,998 accepted, 2 rejected", nil
}

// fakeReport is a benchmark's report whose times are those of a small machine, times slow.
func fakeReport(at time.Time, events int64, cold bool, slow float64) bench.Report {
	r := bench.Report{Format: bench.Format, At: at, Took: 41 * time.Second, Runs: 7, Machine: bench.Machine{OS: "linux 6.8", CPU: "Example CPU 3.0 GHz", Cores: 2, Memory: 8 << 30, Go: "go1.26", Engine: "DuckDB 1.4", Threads: 2},
		Data: bench.Data{Events: events, Files: 704, Bytes: 66_265_231, TwinBytes: 64_519_782, Services: 8, Days: 7, Pairs: 56, PairsTotal: 56, Version: 1, Scratch: true, Seed: 7}}
	add := func(name, title string, cold bool, files float64, total int, bytes int64, median float64) {
		rung := bench.Rung{Name: name, Title: title, Cold: cold, Files: files, FilesTotal: total, Bytes: bytes, Same: true}
		for i := range r.Runs * r.Data.Pairs {
			rung.Samples = append(rung.Samples, time.Duration(median*slow*(1+float64(i*37%11-5)/100)*float64(time.Millisecond)))
		}
		rung.Fill()
		r.Rungs = append(r.Rungs, rung)
	}
	for _, pages := range []bool{false, true}[:1+boolInt(cold)] {
		times := []float64{9.1, 13.1, 3.1, 3.9}
		if pages {
			times = []float64{61.2, 148, 31.4, 33}
		}
		add(bench.Unpartitioned, "one unpartitioned file", pages, 1, 1, 10_900_000, times[0])
		add(bench.Glob, "Hive tree by pattern, as the prototype", pages, 12.6, 704, 790_000, times[1])
		add(bench.Catalog, "Hive tree by our catalog's list", pages, 12.6, 704, 790_000, times[2])
		add(bench.Engine, "any SQL through our engine", pages, 12.6, 704, 790_000, times[3])
	}
	return r
}

// fakeFindings are a report's words, fixed: those of package bench are its own tests' matter.
func fakeFindings(r *bench.Report) []string {
	return []string{"Bytes: pruning reads 771 KB for one question where the unpartitioned file gives 10 MB: 92.7 % fewer.",
		fmt.Sprintf("Time, warm: the catalog's list takes 0.34x of the unpartitioned file's time, %s against %s.", lap(r.Rungs[2].Median), lap(r.Rungs[0].Median)),
		"It is not partitioning that is slow: the same files, named by the catalog instead of found by a pattern, take 0.24x of the pattern's time."}
}
