package lake_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

func fixedNow() time.Time { return time.Unix(1_790_000_000, 0) }

// memDir is a folder for the thousands of small states of a test: in memory where the system has such a place, as nothing there is synced anyway.
func memDir(t testing.TB) string { return laketest.MemDir(t) }

// stride is how far a sweep steps that tries every place: by one, or with -short, as the race detector's run is, by a number that has no factor in
// common with how many variants there are of each place, so that every variant still comes.
func stride() int {
	if testing.Short() {
		return 9
	}
	return 1
}

// thinned has a sweep of power cuts look at each stride-th of them; sweeps that follow each other begin at different ones.
func thinned(begin int, look func(laketest.Cut) error) func(laketest.Cut) error {
	n := begin
	return func(c laketest.Cut) error {
		if n++; n%stride() != 0 {
			return nil
		}
		return look(c)
	}
}

func openLog(t testing.TB, dir string, d lake.Disk, segmentBytes int64) lake.RawLog {
	t.Helper()
	r, err := lake.OpenRawLog(lake.Layout{Root: dir}, d, fixedNow, segmentBytes, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func openReader(t testing.TB, dir string) lake.RawLog {
	t.Helper()
	r, err := lake.OpenRawLog(lake.Layout{Root: dir}, lake.OSDisk{}, fixedNow, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// batchOf makes n lines that name the batch and the line: {"b":"w3-7","i":0,...}. Their lengths vary with the name.
func batchOf(name string, n int) lake.Batch {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"b":%q,"i":%d,"p":%q}`+"\n", name, i, strings.Repeat("x", (len(name)*7+i*13)%97))
	}
	return lake.Batch{Lines: b.Bytes(), N: n}
}

// eventsOf makes n events whose ids name the batch and the event, and were given by their sender.
func eventsOf(name string, n int) lake.Batch {
	b := lake.Batch{N: n}
	for i := range n {
		e := lake.Event{
			EventID: fmt.Sprint(name, "-", i), Timestamp: 1_790_000_000_000_000, ReceivedAt: 1_790_000_000_000_001, ServiceName: "s",
			Message: strings.Repeat("x", (len(name)*7+i*13)%97),
		}
		b.Lines, b.Given = e.AppendLine(b.Lines), append(b.Given, true)
	}
	return b
}

// joined is one batch after the other.
func joined(a, b lake.Batch) lake.Batch {
	return lake.Batch{Lines: slices.Concat(a.Lines, b.Lines), N: a.N + b.N, Given: slices.Concat(a.Given, b.Given)}
}

func mustAppend(t testing.TB, r lake.RawLog, b lake.Batch) lake.Seq {
	t.Helper()
	first, err := r.Append(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return first
}

// lineAt is one event as some reader gave it.
type lineAt struct {
	seq  lake.Seq
	line string
}

func splitLines(first lake.Seq, lines []byte) (out []lineAt) {
	for line := range strings.Lines(string(lines)) {
		out = append(out, lineAt{first, line})
		first++
	}
	return out
}

// readAll reads every segment the way the converter does.
func readAll(r lake.RawLog) (out []lineAt, err error) {
	for _, s := range r.Segments() {
		n := 0
		err := r.ReadSegment(s, func(lines []byte, first lake.Seq, k int) error {
			got := splitLines(first, lines)
			if len(got) != k || first < s.First || first+lake.Seq(k) > s.End {
				return fmt.Errorf("segment %d..%d: %d lines from %d, said to be %d", s.First, s.End, len(got), first, k)
			}
			n += k
			out = append(out, got...)
			return nil
		})
		if err == nil && int64(n) != s.Events {
			err = fmt.Errorf("segment %d: %d events, said to be %d", s.First, n, s.Events)
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// tailAll reads with a tail from a seq up to what is committed now.
func tailAll(ctx context.Context, r lake.RawLog, from lake.Seq) (out []lineAt, err error) {
	tail := r.Tail(from)
	defer tail.Close()
	for end := r.Committed(); ; {
		segments := r.Segments()
		if n := len(segments); n == 0 || from >= segments[n-1].End || from >= end {
			return out, nil
		}
		b, err := tail.Next(ctx)
		if err != nil {
			return out, err
		}
		got := splitLines(b.First, b.Lines)
		if len(got) != b.N || b.Rewound {
			return out, fmt.Errorf("tail batch %d+%d holds %d lines, rewound %v", b.First, b.N, len(got), b.Rewound)
		}
		out = append(out, got...)
		from = b.First + lake.Seq(b.N)
	}
}

func same(t testing.TB, what string, got, want []lineAt) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d events, want %d", what, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: event %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}
