package gen

import (
	"math"
	"strings"
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

// TestTextsFit: pieces and endings are copied at a fixed size, so a text that outgrew it would be cut.
func TestTextsFit(t *testing.T) {
	tab := newTables(Config{Services: maxServices})
	fits := func(text []byte, n int, ends string) {
		t.Helper()
		if !strings.HasSuffix(string(text[:n]), ends) {
			t.Errorf("%s does not end in %s: it was cut", text[:n], ends)
		}
	}
	phrases := func(list []phrase, ends string) {
		t.Helper()
		for k := range list {
			if p := &list[k]; p.before.n == pieceRoom { // filled up: perhaps cut
				t.Errorf("%s may be cut", p.before.text)
			} else {
				fits(p.after.text[:], p.after.n, ends)
			}
		}
	}
	for k := range tab.openings {
		fits(tab.openings[k].text[:], tab.openings[k].n, `"latency_ms":`)
	}
	for _, s := range tab.services {
		for k := range s.tails {
			fits(s.tails[k].text[:], s.tails[k].n, `"`)
		}
		phrases(s.notes, `"`)
		phrases(s.attributes, `}`)
		for _, list := range s.byStatus {
			phrases(list, `"`)
		}
	}
	fits(tab.ids.text[:], tab.ids.n, `"`)
	if n := headRoom + 5*pieceRoom + 2*endingRoom + 3*roomForNumber; n > maxLine {
		t.Errorf("a line may take %d bytes, there is room for %d", n, maxLine)
	}
}
