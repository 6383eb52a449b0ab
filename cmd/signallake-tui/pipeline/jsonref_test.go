package pipeline

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
)

// generated makes so many lines.
func generated(t testing.TB, count int64) []byte {
	t.Helper()
	g, err := gen.New(gen.Config{Seed: 1, Count: count, Start: 1_795_248_000_000_000})
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	if err := g.Run(context.Background(), 1, func(b lake.Batch) error { lines.Write(b.Lines); return nil }); err != nil {
		t.Fatal(err)
	}
	return lines.Bytes()
}

// TestJSONReaderReadsWhatTheScannerReads: a reference that did less would be no reference.
func TestJSONReaderReadsWhatTheScannerReads(t *testing.T) {
	lines := generated(t, 3000)
	var reader jsonReader
	var scanner lake.Scanner
	var got, want lake.Event
	for line := range bytes.Lines(lines) {
		if err := scanner.Scan(line, &want); err != nil {
			t.Fatal(err)
		}
		if err := reader.read(line, &got); err != nil || got != want {
			t.Fatalf("%s%v\n%+v\n%+v", line, err, got, want)
		}
	}
	line := bytes.Clone(bytes.SplitAfter(lines, []byte("\n"))[0])
	if n := testing.AllocsPerRun(100, func() { reader.read(line, &got) }); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
	for _, change := range [][2]string{{`"status_code":`, `"status_code":9`}, {`"service_name":"`, `"service_name":"_`}, {`"timestamp":"2`, `"timestamp":"x`}, {`"latency_ms":`, `"latency_ms":-`}} {
		if err := reader.read(bytes.Replace(line, []byte(change[0]), []byte(change[1]), 1), &got); err == nil {
			t.Errorf("%s is taken", change[1])
		}
	}
}

// BenchmarkScan reads generated lines with the lake's scanner and with the general reader in turns: x-reference is how many times longer the
// latter takes.
func BenchmarkScan(b *testing.B) {
	const count = 2000
	lines := generated(b, count)
	var scanner lake.Scanner
	var reader jsonReader
	var e lake.Event
	var ours, reference time.Duration
	b.ReportAllocs()
	for b.Loop() {
		started := time.Now()
		for rest := lines; len(rest) > 0; {
			n, err := scanner.Next(rest, &e)
			if err != nil {
				b.Fatal(err)
			}
			rest = rest[n:]
		}
		ours += time.Since(started)
		started = time.Now()
		for rest := lines; len(rest) > 0; {
			n := bytes.IndexByte(rest, '\n') + 1
			if err := reader.read(rest[:n], &e); err != nil {
				b.Fatal(err)
			}
			rest = rest[n:]
		}
		reference += time.Since(started)
	}
	b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N)/count, "ns/event")
	b.ReportMetric(float64(reference)/float64(ours), "x-reference")
	b.ReportMetric(0, "ns/op")
}
