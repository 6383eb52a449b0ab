package replay

import (
	"fmt"
	"testing"

	"github.com/signallake/signallake/lake"
)

// BenchmarkReplay replays 20,000 letters with a cast, on the disk and with its syncs.
func BenchmarkReplay(b *testing.B) {
	const n = 20_000
	list := make([]lake.DeadLetter, n)
	for i := range list {
		list[i] = sent(event(fmt.Sprint(i), fmt.Sprintf(`,"endpoint":"/pay","status_code":503,"latency_ms":"%dms"`, i)))
	}
	for _, dry := range []bool{true, false} {
		b.Run(fmt.Sprintf("dry=%v", dry), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				l := openLake(b, b.TempDir(), nil)
				if err := l.Bury(b.Context(), list); err != nil {
					b.Fatal(err)
				}
				d := deskOf(l)
				b.StartTimer()
				if r, err := d.Run(b.Context(), Params{Rules: mending.Rules, DryRun: dry}, nil); err != nil || r.Accepted != n {
					b.Fatalf("%+v, %v", r, err)
				}
				b.StopTimer()
				if err := l.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "letters/s")
		})
	}
}
