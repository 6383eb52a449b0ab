package main

import (
	"runtime"

	"github.com/signallake/signallake/lake"
)

// sparePlaces are for the two syncs of a group, of the data and of the index.
const sparePlaces = 2

// spareProcessors has the runtime run more goroutines than there are processors. The log's writer is in its syncs most of the time, and a goroutine in a
// system call keeps its place among those that run until the runtime's monitor takes it away: after 20 microseconds, or after 10 milliseconds when there was
// nothing to do for a while. On two processors these are all places, and requests wait to be decoded beside an idle processor. Whoever says in GOMAXPROCS how
// many it shall be has the last word.
func spareProcessors(getenv func(string) string) {
	if getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(lake.Processors() + sparePlaces)
	}
}
