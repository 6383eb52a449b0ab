package main

import (
	"runtime"
	"testing"

	"github.com/signallake/signallake/lake"
)

func TestServingHasSparePlacesToRun(t *testing.T) {
	t.Cleanup(func() { runtime.SetDefaultGOMAXPROCS() })
	before := lake.Processors()
	runtime.GOMAXPROCS(before)
	for range 2 { // a second stack in the same process
		spareProcessors(func(string) string { return "" })
		if got := runtime.GOMAXPROCS(0); got != before+sparePlaces {
			t.Errorf("%d goroutines run at a time, want %d", got, before+sparePlaces)
		}
		if got := lake.Processors(); got != before {
			t.Errorf("work is divided by %d instead of %d", got, before)
		}
	}
	runtime.GOMAXPROCS(before)
	spareProcessors(func(name string) string {
		if name != "GOMAXPROCS" {
			t.Errorf("asked for %s", name)
		}
		return "1"
	})
	if got := runtime.GOMAXPROCS(0); got != before {
		t.Errorf("the user said how many run at a time, and it became %d", got)
	}
}
