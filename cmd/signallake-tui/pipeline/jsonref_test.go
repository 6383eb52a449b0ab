package pipeline

import (
	"bytes"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
)

// TestJSONReaderReadsWhatTheScannerReads: a reference that did less would be no reference.
func TestJSONReaderReadsWhatTheScannerReads(t *testing.T) {
	g, err := gen.New(gen.Config{Seed: 1, Count: 3000, Start: 1_795_248_000_000_000})
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	if _, err := g.Copy(t.Context(), 1, &lines); err != nil {
		t.Fatal(err)
	}
	var reader jsonReader
	var scanner lake.Scanner
	var got, want lake.Event
	for line := range bytes.Lines(lines.Bytes()) {
		if err := scanner.Scan(line, &want); err != nil {
			t.Fatal(err)
		}
		if err := reader.read(line, &got); err != nil || got != want {
			t.Fatalf("%s%v\n%+v\n%+v", line, err, got, want)
		}
	}
	line := bytes.Clone(bytes.SplitAfter(lines.Bytes(), []byte("\n"))[0])
	if n := testing.AllocsPerRun(100, func() { reader.read(line, &got) }); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
	for _, change := range [][2]string{{`"status_code":`, `"status_code":9`}, {`"service_name":"`, `"service_name":"_`}, {`"timestamp":"2`, `"timestamp":"x`}, {`"latency_ms":`, `"latency_ms":-`}} {
		if err := reader.read(bytes.Replace(line, []byte(change[0]), []byte(change[1]), 1), &got); err == nil {
			t.Errorf("%s is taken", change[1])
		}
	}
}
