package importer

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// lakeSink is a real lake.
type lakeSink struct{ *lake.Lake }

func (s lakeSink) Append(ctx context.Context, b lake.Batch) error {
	_, err := s.Lake.Append(ctx, b)
	return err
}

// BenchmarkImport imports an access log into a real lake, beside what reading the lines alone takes.
func BenchmarkImport(b *testing.B) {
	path := filepath.Join(b.TempDir(), "access.log")
	lines, size := benchLog(b, path)
	b.Run("scan", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			if n := scanLines(b, path); n != lines {
				b.Fatalf("%d lines, want %d", n, lines)
			}
		}
	})
	b.Run("import", func(b *testing.B) {
		b.SetBytes(size)
		n := 0
		for b.Loop() {
			n++
			b.StopTimer()
			l, err := lake.Open(b.Context(), lake.Config{Dir: b.TempDir(), ConvertAge: -1})
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			results, err := Run(b.Context(), Config{Sink: lakeSink{l}, Guard: lake.NewPartitionGuard(0, time.Now)}, []string{path})
			if err != nil || results[0].Accepted != int64(lines) {
				b.Fatalf("%v, %+v", err, results)
			}
			b.StopTimer()
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		b.ReportMetric(float64(lines)*float64(n)/b.Elapsed().Seconds(), "lines/s")
	})
}

func benchLog(b *testing.B, path string) (lines int, size int64) {
	b.Helper()
	const n = 300_000
	var text strings.Builder
	start := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for i := range n {
		at := start.Add(time.Duration(i) * 20 * time.Millisecond).Format("02/Jan/2006:15:04:05 -0700")
		fmt.Fprintf(&text, "127.0.0.1 - - [%s] \"GET /api/orders?id=%d HTTP/1.0\" %d 11 \"-\" \"hey/0.0.1\" rt=0.%03d uct=\"0.000\" urt=\"0.0%02d\" rid=%032x\n",
			at, i%50, 200+i%20/19*300, i%1000, i%100, i*7919)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	return n, int64(text.Len())
}

func scanLines(b *testing.B, path string) (n int) {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		n++
	}
	if err := lines.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}
