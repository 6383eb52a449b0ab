package lake_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
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

// numbered is a batch whose events get new ids again and again, and lines of the usual size.
type numbered struct {
	batch lake.Batch
	ids   []int // where each line's last twelve hexadecimal digits of the id lie
}

func makeNumbered(n int) *numbered {
	b := &numbered{batch: lake.BenchBatch(n, 0)}
	for at := 0; len(b.ids) < n; at += bytes.IndexByte(b.batch.Lines[at:], '\n') + 1 {
		b.ids = append(b.ids, at+bytes.Index(b.batch.Lines[at:], []byte(`","timestamp"`))-12)
	}
	return b
}

func (b *numbered) number(from int64) lake.Batch {
	const hex = "0123456789abcdef"
	for i, at := range b.ids {
		for n, d := from+int64(i), 11; d >= 0; n, d = n>>4, d-1 {
			b.batch.Lines[at+d] = hex[n&15]
		}
	}
	return b.batch
}

// cpuTime is what the process has used so far, user and system.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAppendGiven appends new events that are compared with a full window, and the same uncompared, in turns. What tells them apart is the processor's time an
// event, medians; in memory, as a disk's moods are larger than the difference.
func BenchmarkAppendGiven(b *testing.B) {
	var id atomic.Int64
	sender := func(events int, given bool) func() error {
		r := openLog(b, memDir(b), lake.OSDisk{}, 0)
		b.Cleanup(func() {
			if err := r.Close(); err != nil {
				b.Error(err)
			}
		})
		send := func(n *numbered) error {
			batch := n.number(id.Add(int64(n.batch.N)))
			if !given {
				batch.Given = nil
			}
			receipt, err := r.Take(b.Context(), batch)
			if receipt.Duplicates > 0 {
				return fmt.Errorf("%+v", receipt)
			}
			return err
		}
		for fill, n := makeNumbered(10_000), 0; given && n < 1<<21; n += 10_000 {
			if err := send(fill); err != nil {
				b.Fatal(err)
			}
		}
		spare := sync.Pool{New: func() any { return makeNumbered(events) }}
		return func() error {
			n := spare.Get().(*numbered)
			defer spare.Put(n)
			return send(n)
		}
	}
	for _, events := range []int{1, 1000} {
		plain, given := sender(events, false), sender(events, true)
		b.Run(fmt.Sprintf("16x%d", events), func(b *testing.B) {
			var without, with []float64
			round := func(list []float64, send func() error) []float64 {
				before, requests := cpuTime(b), b.N/(2*ackRounds)+1
				clients(b, 16, requests, send)
				return append(list, float64((cpuTime(b)-before).Nanoseconds())/float64(requests*events))
			}
			b.ReportAllocs()
			for range ackRounds {
				without = round(without, plain)
				with = round(with, given)
			}
			slices.Sort(without)
			slices.Sort(with)
			b.ReportMetric(without[ackRounds/2], "plain-ns/event")
			b.ReportMetric(with[ackRounds/2], "given-ns/event")
		})
	}
}

// BenchmarkRecover opens a log of 1 GiB: killed in one open segment, and sealed in segments of the usual size, with and without their side files.
func BenchmarkRecover(b *testing.B) {
	logBytes := 1 << 30
	if testing.Short() {
		logBytes = 16 << 20
	}
	for _, what := range []string{"open", "sealed", "sealed without side files"} {
		b.Run(what, func(b *testing.B) {
			origin := b.TempDir()
			segmentBytes := int64(0)
			if what == "open" {
				segmentBytes = 1 << 40
			}
			r := openLog(b, origin, lake.OSDisk{}, segmentBytes)
			n := makeNumbered(1000)
			var last lake.Batch
			for written := 0; written < logBytes; written += len(last.Lines) {
				last = n.number(int64(r.Committed()))
				mustTake(b, r, last)
			}
			if what != "open" {
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			} else {
				defer r.Close()
			}
			b.SetBytes(int64(logBytes))
			var cpu time.Duration
			for b.Loop() {
				b.StopTimer()
				dir := b.TempDir()
				if err := os.CopyFS(dir, os.DirFS(origin)); err != nil {
					b.Fatal(err)
				}
				if what == "sealed without side files" {
					if err := os.RemoveAll(lake.Layout{Root: dir}.Window()); err != nil {
						b.Fatal(err)
					}
				}
				before := cpuTime(b)
				b.StartTimer()
				again := openLog(b, dir, lake.OSDisk{}, 0)
				b.StopTimer()
				cpu += cpuTime(b) - before
				if receipt := mustTake(b, again, last); again.Committed() != r.Committed() || receipt.Duplicates != last.N {
					b.Fatalf("committed %d, want %d; %+v", again.Committed(), r.Committed(), receipt)
				}
				if err := again.Close(); err != nil {
					b.Fatal(err)
				}
				if err := os.RemoveAll(dir); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(cpu.Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

// BenchmarkNotesBack walks the notes of 20 segments of 20,000 batches each, of which one in a thousand has a note: by the side files, and by the indexes alone.
func BenchmarkNotesBack(b *testing.B) {
	dir := memDir(b)
	r := openLog(b, dir, lake.OSDisk{}, 0)
	const segments, batches = 20, 20_000
	for range segments {
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				for i := w; i < batches; i += 16 {
					batch := lake.Batch{Lines: []byte("{}\n"), N: 1}
					if i%1000 == 0 {
						batch.Note = []byte("a note")
					}
					if _, err := r.Take(b.Context(), batch); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if err := r.Seal(); err != nil {
			b.Fatal(err)
		}
	}
	defer r.Close()
	for _, what := range []string{"side files", "indexes"} {
		b.Run(what, func(b *testing.B) {
			for b.Loop() {
				n := 0
				err := r.NotesBack(0, func(lake.Micros, []byte) bool { n++; return true })
				if err != nil || n != segments*batches/1000 {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*segments), "us/segment")
		})
		if err := os.RemoveAll(lake.Layout{Root: dir}.Window()); err != nil {
			b.Fatal(err)
		}
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
