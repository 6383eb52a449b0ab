package lake

import "time"

// Stage is one link of the backlog chain: the events that have reached it and wait for the next one.
type Stage struct {
	Name   string // "queued", "raw", "unconverted", "unsummarised", ...
	Title  string // for people: "durable, not yet in a panel"
	Events int64
	Bytes  int64         // 0 where nobody counts them
	Wait   time.Duration // how long the oldest of them has waited
	PerSec float64       // events that leave the stage in a second, lately
	Drain  time.Duration // until it is empty at that rate; negative: it does not get emptier
}
