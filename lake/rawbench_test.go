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

// ackRounds is how often the two ways of BenchmarkAppend take turns.
const ackRounds = 5

// clients sends requests from n clients, one after the other each, and answers how long each took and how many there were in a second.
func clients(b *testing.B, n, requests int, send func() error) (latencies []time.Duration, perSec float64) {
	each := make([][]time.Duration, n)
	var begun atomic.Int64
	start := time.Now()
	var wg sync.WaitGroup
	for c := range n {
		wg.Go(func() {
			each[c] = make([]time.Duration, 0, requests/n+1)
			for begun.Add(1) <= int64(requests) {
				start := time.Now()
				if err := send(); err != nil {
					b.Error(err)
				}
				each[c] = append(each[c], time.Since(start))
			}
		})
	}
	wg.Wait()
	return slices.Concat(each...), float64(requests) / time.Since(start).Seconds()
}

// BenchmarkAppend compares the log with a write and a sync a request into one file, which is what a naive log does: both in turns, medians, and
// the ratio of the events that they acknowledge in a second.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct{ clients, events int }{{1, 1}, {16, 1}, {64, 1}, {1, 1000}, {16, 1000}} {
		b.Run(fmt.Sprintf("%dx%d", c.clients, c.events), func(b *testing.B) {
			r := openLog(b, b.TempDir(), lake.OSDisk{}, 0)
			defer r.Close()
			f, err := lake.OSDisk{}.Create(filepath.Join(b.TempDir(), "log"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			lines := bytes.Repeat(eventLine(), c.events)
			log := func() error {
				_, err := r.Append(b.Context(), lake.Batch{Lines: lines, N: c.events})
				return err
			}
			var mu sync.Mutex
			naive := func() error {
				mu.Lock()
				defer mu.Unlock()
				if _, err := f.Write(lines); err != nil {
					return err
				}
				return f.Sync()
			}
			clients(b, c.clients, 200, log) // both files and the journal are there
			clients(b, c.clients, 20, naive)
			b.SetBytes(int64(len(lines)))
			var ours, theirs []float64
			var waits, naiveWaits []time.Duration
			b.ResetTimer()
			for range ackRounds {
				took, perSec := clients(b, c.clients, b.N/ackRounds+1, log)
				waits, ours = append(waits, took...), append(ours, perSec*float64(c.events))
				b.StopTimer()
				took, perSec = clients(b, c.clients, min(b.N/ackRounds+1, 2000), naive)
				naiveWaits, theirs = append(naiveWaits, took...), append(theirs, perSec*float64(c.events))
				b.StartTimer()
			}
			b.StopTimer()
			slices.Sort(ours)
			slices.Sort(theirs)
			slices.Sort(waits)
			slices.Sort(naiveWaits)
			b.ReportMetric(ours[ackRounds/2], "events/s")
			b.ReportMetric(theirs[ackRounds/2], "sync-each/s")
			b.ReportMetric(ours[ackRounds/2]/theirs[ackRounds/2], "x-sync-each")
			b.ReportMetric(float64(waits[len(waits)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds()), "p99-us")
			b.ReportMetric(float64(naiveWaits[len(naiveWaits)*99/100].Microseconds()), "sync-each-p99-us")
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
