package lake_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// eventLine has the size of a usual canonical line.
func eventLine() []byte {
	return append(bytes.Repeat([]byte("x"), 349), '\n')
}

// clients runs b.N requests from n clients and reports events a second and latencies.
func clients(b *testing.B, n, events int, send func() error) {
	latencies := make([][]time.Duration, n)
	for c := range n {
		latencies[c] = make([]time.Duration, 0, b.N/n+1)
	}
	var begun atomic.Int64
	b.ResetTimer()
	var wg sync.WaitGroup
	for c := range n {
		wg.Go(func() {
			for begun.Add(1) <= int64(b.N) {
				start := time.Now()
				if err := send(); err != nil {
					b.Error(err)
				}
				latencies[c] = append(latencies[c], time.Since(start))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Concat(latencies...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-us")
}

// BenchmarkAppend compares the log with a write and a sync a request into one file, which is what a naive log does.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct{ clients, events int }{{1, 1}, {16, 1}, {64, 1}, {16, 1000}} {
		lines := bytes.Repeat(eventLine(), c.events)
		b.Run(fmt.Sprintf("log/%dx%d", c.clients, c.events), func(b *testing.B) {
			r := openLog(b, b.TempDir(), lake.OSDisk{}, 0)
			defer r.Close()
			b.SetBytes(int64(len(lines)))
			clients(b, c.clients, c.events, func() error {
				_, err := r.Append(b.Context(), lake.Batch{Lines: lines, N: c.events})
				return err
			})
		})
		b.Run(fmt.Sprintf("sync-each/%dx%d", c.clients, c.events), func(b *testing.B) {
			f, err := lake.OSDisk{}.Create(filepath.Join(b.TempDir(), "log"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			var mu sync.Mutex
			b.SetBytes(int64(len(lines)))
			clients(b, c.clients, c.events, func() error {
				mu.Lock()
				defer mu.Unlock()
				if _, err := f.Write(lines); err != nil {
					return err
				}
				return f.Sync()
			})
		})
	}
}

// BenchmarkRecover opens a log of 1 GiB: killed in one open segment, and sealed in segments of the usual size.
func BenchmarkRecover(b *testing.B) {
	for name, segmentBytes := range map[string]int64{"open": 1 << 40, "sealed": 0} {
		b.Run(name, func(b *testing.B) {
			origin := b.TempDir()
			r := openLog(b, origin, lake.OSDisk{}, segmentBytes)
			lines := bytes.Repeat(eventLine(), 100)
			for range 1 << 30 / len(lines) / 16 {
				var wg sync.WaitGroup
				for range 16 {
					wg.Go(func() {
						if _, err := r.Append(b.Context(), lake.Batch{Lines: lines, N: 100}); err != nil {
							b.Error(err)
						}
					})
				}
				wg.Wait()
			}
			if name == "sealed" {
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			} else {
				defer r.Close()
			}
			b.SetBytes(1 << 30)
			for b.Loop() {
				b.StopTimer()
				dir := b.TempDir()
				if err := os.CopyFS(dir, os.DirFS(origin)); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				again := openLog(b, dir, lake.OSDisk{}, 0)
				b.StopTimer()
				if again.Committed() != r.Committed() {
					b.Fatalf("committed %d, want %d", again.Committed(), r.Committed())
				}
				if err := again.Close(); err != nil {
					b.Fatal(err)
				}
				if err := os.RemoveAll(dir); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// BenchmarkTail reads 256 MiB of committed batches.
func BenchmarkTail(b *testing.B) {
	r := openLog(b, b.TempDir(), lake.OSDisk{}, 0)
	defer r.Close()
	lines := bytes.Repeat(eventLine(), 100)
	const batches = 7000
	for range batches / 20 {
		if _, err := r.Append(b.Context(), lake.Batch{Lines: bytes.Repeat(lines, 20), N: 2000}); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(lines)) * batches)
	for b.Loop() {
		tail := r.Tail(1)
		for seq := lake.Seq(1); seq < r.Committed(); {
			batch, err := tail.Next(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			seq = batch.First + lake.Seq(batch.N)
		}
		tail.Close()
	}
}
