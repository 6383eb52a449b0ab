package main

import (
	"runtime"

	"github.com/signallake/signallake/lake"
)

// spareProcessor has the runtime run one goroutine more than there are processors. The log's writer is in an fsync most of the time, and a goroutine in a
// system call keeps its place among those that run until the runtime's monitor takes it away: after 20 microseconds, or after 10 milliseconds when there was
// nothing to do for a while. On two processors that is half of all places, and requests wait to be decoded beside an idle processor. Whoever says in GOMAXPROCS
// how many it shall be has the last word.
func spareProcessor(getenv func(string) string) {
	if getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(lake.Processors() + 1)
	}
}
