package gen

import (
	"math"
	"testing"
)

func TestPickKeepsWeights(t *testing.T) {
	p := newPick([]int{1, 0, 2, 5})
	var n [4]int
	for _, k := range p {
		n[k]++
	}
	if n != [4]int{512, 0, 1024, 2560} {
		t.Errorf("%v", n)
	}
}

func TestStatusWeightsAreComplete(t *testing.T) {
	for m := range mixes {
		sum := 0
		for _, w := range statusWeights(m) {
			sum += w.weight
		}
		if sum != 10_000 {
			t.Errorf("mix %d has %d of 10000", m, sum)
		}
	}
}

func TestLogNormalQuantiles(t *testing.T) {
	q := logNormal(0.5)
	at := func(p float64) float64 { return float64(q[int(p*float64(len(q)-1))]) / unit }
	if m := at(0.5); math.Abs(m-1) > 0.001 {
		t.Errorf("median %v", m)
	}
	if p := at(0.9772); math.Abs(p-math.E) > 0.02 { // two sigmas
		t.Errorf("two sigmas: %v", p)
	}
	for k := 1; k < len(q); k++ {
		if q[k] < q[k-1] {
			t.Fatalf("falls at %d", k)
		}
	}
}

// TestEveryFailureHasMessages: a service without messages for a failing status would make events that nothing can cluster.
func TestEveryFailureHasMessages(t *testing.T) {
	tab := newTables(Config{Services: maxServices})
	for _, s := range tab.services {
		for k, st := range tab.statuses {
			if (st.code >= 400) != (len(s.byStatus[k]) > 0) {
				t.Errorf("%s %d has %d messages", s.name, st.code, len(s.byStatus[k]))
			}
		}
		if len(s.notes) == 0 {
			t.Errorf("%s has no notes", s.name)
		}
	}
}
