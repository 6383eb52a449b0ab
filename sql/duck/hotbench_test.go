package duck

import (
	"syscall"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// cpuTime is what the process has used of processors.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkHotRows scans 200,000 events again and again and keeps them as hot rows, beside the scan alone.
func BenchmarkHotRows(b *testing.B) {
	l, err := lake.Open(b.Context(), lake.Config{Dir: closedLake(b, 200_000, 64<<20), ConvertAge: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	pin := l.Pin()
	defer pin.Release()
	var scan, keep time.Duration
	var events int64
	set := newHotSet(l, defaultMemory/hotShare, b.TempDir()+"/hot")
	for b.Loop() {
		w := &hotWriter{set: set}
		for _, each := range []func(e *lake.Event, seq lake.Seq) error{func(*lake.Event, lake.Seq) error { return nil }, w.append} {
			w.open(1)
			before := cpuTime(b)
			for _, s := range pin.Hot {
				if err := scanLines(l, s, each, func(int) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			w.publish()
			scan, keep = keep, cpuTime(b)-before
		}
		events += w.rows
		w.close()
		set.cut(0)
		if err := set.retire(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(scan.Nanoseconds())/200_000, "scan-cpu-ns/event")
	b.ReportMetric(float64(keep.Nanoseconds())/200_000, "keep-cpu-ns/event")
	if events != int64(b.N)*200_000 {
		b.Fatalf("%d events", events)
	}
}

// BenchmarkFirstQuestion is what a first statement waits for, over a tail of 200,000 events that nobody has asked for before.
func BenchmarkFirstQuestion(b *testing.B) {
	l, e := openBoth(b, b.TempDir())
	var waited, again, cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		e.feed.demand.asked.Store(0)
		for !e.feed.demand.idle.Load() {
			time.Sleep(time.Millisecond)
		}
		idle := cpuTime(b)
		generateInto(b, l, 200_000, 1)
		_ = idle
		b.StartTimer()
		for i, took := range []*time.Duration{&waited, &again} {
			before, started := cpuTime(b), time.Now()
			result, err := e.Query(b.Context(), sql.Query{Text: "select count(*) from events"})
			if err != nil {
				b.Fatal(err)
			}
			*took += time.Since(started)
			if i == 0 {
				cpu += cpuTime(b) - before
			}
			if result.Stats.Missing > 0 {
				b.Fatalf("%d are missing", result.Stats.Missing)
			}
		}
		b.StopTimer()
		if _, err := l.Convert(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(waited.Microseconds())/1000/float64(b.N), "first-ms")
	b.ReportMetric(float64(again.Microseconds())/1000/float64(b.N), "next-ms")
	b.ReportMetric(float64(cpu.Nanoseconds())/200_000/float64(b.N), "cpu-ns/event")
}
