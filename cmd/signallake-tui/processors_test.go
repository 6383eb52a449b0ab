package main

import (
	"runtime"
	"testing"

	"github.com/signallake/signallake/lake"
)

func TestServingHasASparePlaceToRun(t *testing.T) {
	t.Cleanup(func() { runtime.SetDefaultGOMAXPROCS() })
	before := lake.Processors()
	runtime.GOMAXPROCS(before)
	for range 2 { // a second stack in the same process
		spareProcessor(func(string) string { return "" })
		if got := runtime.GOMAXPROCS(0); got != before+1 {
			t.Errorf("%d goroutines run at a time, want %d", got, before+1)
		}
		if got := lake.Processors(); before == runtime.NumCPU() && got != before {
			t.Errorf("work is divided by %d instead of %d", got, before)
		}
		if before < runtime.NumCPU() {
			break // fewer than the machine has: one is there to be used
		}
	}
	runtime.GOMAXPROCS(before)
	spareProcessor(func(name string) string {
		if name != "GOMAXPROCS" {
			t.Errorf("asked for %s", name)
		}
		return "1"
	})
	if got := runtime.GOMAXPROCS(0); got != before {
		t.Errorf("the user said how many run at a time, and it became %d", got)
	}
}
