package gen

import (
	"math/rand/v2"
	"testing"
)

func TestStreamIsPCG(t *testing.T) {
	for seed := range uint64(100) {
		s, want := newStream(seed, ^seed*chunkStride), rand.NewPCG(seed, ^seed*chunkStride)
		for range 100 {
			var dice [randomsAnEvent]uint64
			s.fill(&dice)
			for _, got := range dice {
				if got != want.Uint64() {
					t.Fatalf("seed %d: another number than math/rand/v2", seed)
				}
			}
		}
	}
}
