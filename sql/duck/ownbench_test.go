package duck

import (
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// BenchmarkOwnFiles asks over the files of a service and day, in turns by our reader and by DuckDB's: everything that a statement waits for behind its plan.
func BenchmarkOwnFiles(b *testing.B) {
	l, e := openBoth(b, b.TempDir())
	generateInto(b, l, 200_000, 1)
	if _, err := l.Convert(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	v := e.hot.pin()
	defer v.release()
	p := pairsOf(v.Version)[0]
	files := sql.Prune(v.Version.Files, []sql.Scan{sql.KeyScan(p.service, p.day)}, sql.Leeway{})
	c := e.prompt.small[0]
	for _, q := range []struct {
		text  string
		reads []string
	}{
		{"SELECT count(*) FROM ", []string{}},
		{"SELECT quantile_cont(latency_ms, 0.95) FROM ", []string{"latency_ms"}},
		{"SELECT max(message) FROM ", []string{"message"}},
		{"SELECT * FROM ", allColumns()},
	} {
		b.Run(q.text, func(b *testing.B) {
			inTurns(b, c, e.files, files, q.text, q.reads)
		})
	}
}

// inTurns reports processor time of both ways, and how many times ours DuckDB's takes.
func inTurns(b *testing.B, c *conn, o *ownFiles, files []*lake.FileEntry, text string, reads []string) {
	var ours, theirs float64
	for b.Loop() {
		before := cpuTime(b)
		w := wishOf(files, reads, false)
		own := o.list(files, &w)
		_, err := c.query(text+"("+selectFiles(o.layout, files, own, reads)+")", 0)
		if err == nil {
			err = own.release()
		}
		if err != nil {
			b.Fatal(err)
		}
		middle := cpuTime(b)
		if _, err := c.query(text+"("+selectFiles(o.layout, files, nil, reads)+")", 0); err != nil {
			b.Fatal(err)
		}
		ours, theirs = ours+(middle-before).Seconds(), theirs+(cpuTime(b)-middle).Seconds()
	}
	b.ReportMetric(ours/float64(b.N)*1e6, "ours-cpu-µs")
	b.ReportMetric(theirs/float64(b.N)*1e6, "duckdb-cpu-µs")
	b.ReportMetric(theirs/ours, "x-cpu")
}
