package column

import (
	"io"
	"math/rand/v2"
	"testing"
)

// smallFile writes a file as most of a conversion are: 1,400 rows of ids, words and numbers.
func smallFile(tb testing.TB) (write func(), rows int) {
	const n = 1400
	r := rand.New(rand.NewPCG(1, 2))
	w := NewWriter(Schema{Name: "small", Columns: []Column{
		{Name: "timestamp", Kind: Timestamp}, {Name: "word", Kind: Text, Nullable: true}, {Name: "latency", Kind: Double},
		{Name: "event", Kind: Text}, {Name: "trace", Kind: Text, NoBounds: true}, {Name: "text", Kind: Text, NoBounds: true},
	}})
	words := []string{"GET", "POST", "DELETE"}
	times, numbers, latencies, lengths := make([]int64, n), make([]int32, n), make([]float64, n), make([]int32, n)
	ids, data := make([]byte, n*uuidBytes), make([]byte, 0, n*40)
	for i := range n {
		times[i], numbers[i], latencies[i] = int64(i)*1000+r.Int64N(900), int32(r.IntN(len(words))), float64(r.IntN(1e6))/1000
		lengths[i] = int32(20 + r.IntN(20))
		for range lengths[i] {
			data = append(data, "abcdefgh"[r.IntN(8)])
		}
	}
	for i := range ids {
		ids[i] = byte(r.Uint32())
	}
	return func() {
		w.Reset(io.Discard)
		w.Group(n)
		w.Int64s(times, nil)
		w.Numbers(words, numbers, nil)
		w.Doubles(latencies, nil)
		w.UUIDs(ids, nil)
		w.Hex(ids, uuidBytes, nil)
		w.Texts(data, lengths, nil)
		if _, err := w.Close(); err != nil {
			tb.Fatal(err)
		}
	}, n
}

// TestWarmWriterAllocatesByTheFile: what a file costs the collector is some descriptions of its columns, not its values.
func TestWarmWriterAllocatesByTheFile(t *testing.T) {
	write, rows := smallFile(t)
	write()
	if n := testing.AllocsPerRun(20, write); n > 40 {
		t.Errorf("%.0f allocations for a file of %d rows", n, rows)
	}
}

func BenchmarkSmallFile(b *testing.B) {
	write, rows := smallFile(b)
	b.ReportAllocs()
	for b.Loop() {
		write()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
}
