package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/signallake/signallake/ingest/torture"
)

// TestSoak holds a server under load for a few seconds: what it acknowledged is in the lake, once, and it answers with nothing but 200 and 429. How it
// grows in a few seconds beside other tests says nothing.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: -short: this one loads the machine for twenty seconds")
	}
	cmd := exec.Command(program(t), "soak", "--for", "4s", "--overload", "2s", "--json", "--scratch", t.TempDir())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, failed := cmd.Output() // a problem that it found is not always one here
	var r torture.SoakReport
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v, %v: %s %s", failed, err, out, stderr.String())
	}
	for _, p := range []*torture.Phase{r.Full, r.Half, r.Over, r.Calm} {
		if p.Acked == 0 || len(p.Samples) == 0 || p.Samples[0].RSS == 0 || p.Samples[0].Files == 0 {
			t.Errorf("%s: %d events, samples %+v", p.Name, p.Acked, p.Samples)
		}
		for status := range p.Statuses {
			if status != 200 && status != 429 {
				t.Errorf("%s: answers %v", p.Name, p.Statuses)
			}
		}
	}
	for _, p := range r.Problems {
		if strings.Contains(p, "the lake has") {
			t.Error(p)
		}
	}
	acked := r.Full.Acked + r.Half.Acked + r.Over.Acked + r.Calm.Acked
	if r.Events < acked || r.Distinct != r.Events {
		t.Errorf("%d acknowledged, %d in the lake, %d ids", acked, r.Events, r.Distinct)
	}
}
