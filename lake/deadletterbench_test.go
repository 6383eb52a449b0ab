package lake

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// BenchmarkBury is what keeping one refused line costs while so many callers do it at once, syncs included.
func BenchmarkBury(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			l := openOwner(b, b.TempDir())
			b.SetParallelism(callers)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := l.Bury(b.Context(), lettersOf("bench", 1)); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
		})
	}
}

// BenchmarkDeadZoneOpen is what a zone of 64 MiB adds to an opening, and what listing it costs.
func BenchmarkDeadZoneOpen(b *testing.B) {
	layout := Layout{Root: b.TempDir()}
	if err := os.MkdirAll(layout.Dead(), 0o755); err != nil {
		b.Fatal(err)
	}
	open := func() *deadZone {
		z, err := openDeadZone(layout, OSDisk{}, time.Now, 256<<20, func(error) {})
		if err != nil {
			b.Fatal(err)
		}
		return z
	}
	z, full := open(), int64(64<<20)
	if testing.Short() {
		full = 4 << 20
	}
	for z.status().Bytes < full {
		if err := z.bury(b.Context(), lettersOf("bench", 10_000)); err != nil {
			b.Fatal(err)
		}
	}
	letters, size := z.status().Kept, z.status().Bytes
	b.Run("open", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			if open().status().Kept != letters {
				b.Fatal("letters are missing")
			}
		}
	})
	b.Run("list", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			n := int64(0)
			if err := z.list(0, func(*DeadLetter) error { n++; return nil }); err != nil || n != letters {
				b.Fatal(n, err)
			}
		}
	})
}
