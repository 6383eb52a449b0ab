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

// RawBetween counts the events of the raw log with a seq in [from, to), and their bytes. Gaps in the numbers count nothing. A segment that lies only partly
// inside counts by its share, which is exact for events where none of it is damaged. It reads memory only; in a read-only lake it is as fresh as the last refresh.
func (l *Lake) RawBetween(from, to Seq) (events, bytes int64) {
	segments := l.rawState().segments
	for i := range segments {
		s := &segments[i]
		low, high := max(from, s.First), min(to, s.End)
		if low >= high {
			continue
		}
		part := min(int64(high-low), s.Events)
		events += part
		bytes += int64(float64(s.Bytes) * (float64(part) / float64(s.Events)))
	}
	return events, bytes
}
