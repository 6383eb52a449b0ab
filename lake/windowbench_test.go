package lake

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchBatch holds canonical lines of the usual size, each of another event.
func BenchBatch(n int, from uint64) Batch {
	b := Batch{N: n, Given: make([]bool, n)}
	for i := range n {
		e := Event{
			EventID: fmt.Sprintf("0198c0de-0000-7000-8000-%012x", from+uint64(i)), Timestamp: 1_790_000_000_000_000 + Micros(i), ReceivedAt: 1_790_000_000_100_000,
			ServiceName: "checkout", Endpoint: "/cart/items", Method: "POST", StatusCode: 200, HasLatency: true, LatencyMS: 12.5, Region: "eu-west-1",
			Host: "ip-10-0-3-17", Level: "info", Message: "request served", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", SpanID: "00f067aa0ba902b7",
		}
		b.Lines = e.AppendLine(b.Lines)
		b.Given[i] = true
	}
	return b
}

// BenchmarkKeys hashes the events of a batch, as every sender of given ids does before its batch goes to the writer.
func BenchmarkKeys(b *testing.B) {
	batch := BenchBatch(1000, 0)
	k := keyer{secret: new(hashKey)}
	var keys []eventKey
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if keys, err = k.batch(keys[:0], &batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.N), "ns/event")
	b.ReportMetric(float64(len(batch.Lines))/float64(batch.N), "bytes/line")
}

// BenchmarkWindow enters groups of new events into a full window, which forgets as many; beside it a map and a queue, as one would write it first.
func BenchmarkWindow(b *testing.B) {
	const group = 1000
	size := defaultWindow
	if testing.Short() {
		size = 1 << 16
	}
	rng := rand.New(rand.NewPCG(1, 2))
	fresh := func(keys []eventKey) {
		for i := range keys {
			keys[i] = eventKey{id: rng.Uint64(), content: rng.Uint64()}
		}
	}
	b.Run("buckets", func(b *testing.B) {
		w := newWindow(size, groupEvents)
		keys := make([]eventKey, group)
		for w.head < uint64(size+group) {
			fresh(keys)
			for _, k := range keys {
				w.enter(k)
			}
			w.keep()
		}
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			fresh(keys)
			b.StartTimer()
			w.touch(keys)
			for _, k := range keys {
				w.enter(k)
			}
			w.keep()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*group), "ns/event")
		b.ReportMetric(float64(w.bytes())/(1<<20), "MiB")
	})
	b.Run("map", func(b *testing.B) {
		known := make(map[uint64]uint64, size)
		ring := make([]uint64, size)
		head := 0
		enter := func(k eventKey) {
			if _, ok := known[k.id]; !ok {
				delete(known, ring[head%len(ring)])
				ring[head%len(ring)] = k.id
				known[k.id] = k.content
				head++
			}
		}
		keys := make([]eventKey, group)
		for head < size {
			fresh(keys)
			for _, k := range keys {
				enter(k)
			}
		}
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			fresh(keys)
			b.StartTimer()
			for _, k := range keys {
				enter(k)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*group), "ns/event")
	})
}

// bytes is how much memory the window takes now.
func (w *window) bytes() int {
	return 16*cap(w.ring) + w.ids.bytes() + w.hidden.bytes()
}

// bytes is likewise.
func (t *keyTable) bytes() int { return 64*len(t.buckets) + 48*len(t.spilled) }
