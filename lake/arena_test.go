package lake

import "testing"

// TestArenaHandsSlabsOn: what is cut out of one run's slabs does not overlap, and the next run takes the same memory.
func TestArenaHandsSlabsOn(t *testing.T) {
	var a arena
	defer a.release()
	mapped := 0
	for run := range 3 {
		c := carver{arena: &a}
		var long [][]int64
		var short [][]uint8
		for i := range 2000 {
			n := 1 + i*7%5000
			long, short = append(long, carve[int64](&c, n)), append(short, carve[uint8](&c, n))
			for k := range n {
				long[i][k], short[i][k] = int64(i)<<32|int64(k), uint8(i)
			}
		}
		for i := range long {
			for k := range long[i] {
				if long[i][k] != int64(i)<<32|int64(k) || short[i][k] != uint8(i) {
					t.Fatalf("run %d: value %d of slice %d is another's", run, k, i)
				}
			}
		}
		if run == 0 {
			mapped = a.bytes
		}
		a.reset()
	}
	if a.bytes != mapped || mapped == 0 {
		t.Errorf("three equal runs took %d bytes, the first one %d", a.bytes, mapped)
	}
	if c := (&carver{arena: &a}); len(carve[int64](c, slabLeast)) != slabLeast || carve[uint8](c, 0) != nil {
		t.Error("a slice as long as no slab, and an empty one")
	}
}
