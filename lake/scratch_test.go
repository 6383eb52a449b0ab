package lake_test

import (
	"testing"
	"time"
	"syscall"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
)

func BenchmarkScratchConvert(b *testing.B) {
	for b.Loop() {
		l, err := lake.Open(b.Context(), lake.Config{Dir: b.TempDir(), ConvertAge: -1, ConvertBytes: 1 << 40})
		if err != nil { b.Fatal(err) }
		start := lake.MicrosOf(time.Date(2026, 11, 14, 0, 0, 0, 0, time.UTC))
		g, err := gen.New(gen.Config{Seed: 1, Count: 1_000_000, Days: 4, Services: 6, Start: start, ReceivedAt: start})
		if err != nil { b.Fatal(err) }
		if err := g.Run(b.Context(), 2, func(batch lake.Batch) error { _, err := l.Append(b.Context(), batch); return err }); err != nil { b.Fatal(err) }
		var u0, u1 syscall.Rusage
		syscall.Getrusage(0, &u0)
		if _, err := l.Convert(b.Context(), nil); err != nil { b.Fatal(err) }
		syscall.Getrusage(0, &u1)
		cpu := func(u syscall.Rusage) float64 { return float64(u.Utime.Nano()+u.Stime.Nano()) }
		b.ReportMetric((cpu(u1)-cpu(u0))/1e6, "cpu-ns/event")
		v := l.Current()
		var files []*lake.FileEntry
		var bytes int64
		for i := range v.Files { files = append(files, &v.Files[i]); bytes += v.Files[i].Bytes }
		var read lake.DigestRead
		found, _ := lake.NewDigests(l.Layout(), 0).Read(b.Context(), files, 2, &read)
		var size, index int64
		for _, f := range found { size += f.Bytes(); index += f.IndexBytes() }
		b.ReportMetric(float64(size)/1e6, "digestB/event")
		b.ReportMetric(float64(index)/1e6, "indexB/event")
		b.ReportMetric(float64(bytes)/1e6, "fileB/event")
		l.Close()
	}
}
