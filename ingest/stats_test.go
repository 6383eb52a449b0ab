package ingest

import (
	"fmt"
	"testing"
	"time"
)

// clockAt is a clock that tests move.
type clockAt struct{ t time.Time }

func (c *clockAt) now() time.Time { return c.t }

func (c *clockAt) pass(d time.Duration) { c.t = c.t.Add(d) }

func TestRatesOverWholeSeconds(t *testing.T) {
	c := &clockAt{testNow}
	s := newStats(c.now)
	record := func(events, rejected int) {
		s.record(RequestRecord{Events: events}, rejected, nil, events > 0, 3*time.Millisecond, c.now())
	}
	record(100, 5)
	if snap := s.snapshot(); snap.AcceptedPerSec != 0 || snap.Accepted != 100 || snap.Rejected != 5 || snap.Requests != 1 {
		t.Errorf("within the first second: %+v", snap)
	}
	c.pass(time.Second)
	if snap := s.snapshot(); snap.AcceptedPerSec != 100 || snap.RejectedPerSec != 5 || snap.PerSecond[59] != 100 || snap.PerSecond[58] != 0 {
		t.Errorf("after one second: %v/s %v", snap.AcceptedPerSec, snap.PerSecond)
	}
	for range 9 {
		record(1000, 0)
		c.pass(time.Second)
	}
	snap := s.snapshot()
	if snap.AcceptedPerSec != 1000 || snap.RejectedPerSec != 0 || snap.PerSecond[59] != 1000 || snap.PerSecond[50] != 100 {
		t.Errorf("after ten: %v/s %v", snap.AcceptedPerSec, snap.PerSecond)
	}
	c.pass(2 * time.Second)
	if snap := s.snapshot(); snap.AcceptedPerSec != 600 || snap.PerSecond[59] != 0 || snap.PerSecond[57] != 1000 {
		t.Errorf("two idle seconds later: %v/s %v", snap.AcceptedPerSec, snap.PerSecond)
	}
	c.pass(2 * time.Minute)
	snap = s.snapshot()
	for _, v := range append(snap.PerSecond, snap.AcceptedPerSec, float64(snap.AckP50)) {
		if v != 0 {
			t.Errorf("two idle minutes later: %+v", snap)
		}
	}
	if len(snap.PerSecond) != 60 || snap.Accepted != 9100 {
		t.Errorf("totals: %+v", snap)
	}
	c.pass(-10 * time.Minute) // a test clock has no monotonic reading: before the start counts as the start
	record(1, 0)
	if snap := s.snapshot(); snap.Accepted != 9101 {
		t.Errorf("after a step back: %+v", snap)
	}
}

func TestAckPercentilesCoverThirtySeconds(t *testing.T) {
	c := &clockAt{testNow}
	s := newStats(c.now)
	ack := func(d time.Duration) { s.record(RequestRecord{}, 0, nil, true, d, c.now()) }
	for range 100 {
		ack(900 * time.Millisecond)
	}
	c.pass(29 * time.Second)
	for range 900 {
		ack(time.Millisecond)
	}
	s.record(RequestRecord{}, 0, nil, false, time.Hour, c.now())
	near := func(got, want time.Duration) bool { return got > want*96/100 && got < want*104/100 }
	if snap := s.snapshot(); !near(snap.AckP50, time.Millisecond) || !near(snap.AckP95, 900*time.Millisecond) {
		t.Errorf("within the window: %v %v", snap.AckP50, snap.AckP95)
	}
	c.pass(time.Second)
	if snap := s.snapshot(); !near(snap.AckP95, time.Millisecond) {
		t.Errorf("the slow ones have left: %v", snap.AckP95)
	}
}

func TestSnapshotKeepsTheNewestAndDoesNotChange(t *testing.T) {
	c := &clockAt{testNow}
	s := newStats(c.now)
	if snap := s.snapshot(); len(snap.Recent) != 0 || snap.Recent == nil {
		t.Errorf("at the start: %+v", snap)
	}
	for i := range 250 {
		s.record(RequestRecord{RequestID: fmt.Sprint(i)}, 1, []Reject{{Line: i}}, false, 0, c.now())
	}
	old := s.snapshot()
	if len(old.Recent) != 100 || old.Recent[0].RequestID != "249" || old.Recent[99].RequestID != "150" || len(old.Rejects) != 100 || old.Rejects[0].Line != 249 {
		t.Errorf("newest %v, oldest %v", old.Recent[0], old.Recent[99])
	}
	if again := s.snapshot(); &again.Recent[0] != &old.Recent[0] {
		t.Error("nothing happened, and the snapshot was made anew")
	}
	s.record(RequestRecord{RequestID: "new"}, 0, nil, false, 0, c.now())
	if now := s.snapshot(); old.Recent[0].RequestID != "249" || now.Recent[0].RequestID != "new" || now.Requests != 251 {
		t.Errorf("old %v, new %v", old.Recent[0], now.Recent[0])
	}
}

func TestSnapshotOfRealRequests(t *testing.T) {
	b := start(t, nil)
	b.do("POST", "/ingest/batch", event("e1", "")+"\n{\"service_name\":\"\x1b[31m"+"\"}\n", "X-Request-ID", "r1")
	eventually(t, "the request is counted", func() bool { return b.Snapshot().Requests == 1 })
	snap := b.Snapshot()
	if snap.Addr != b.Addr() || snap.Accepted != 1 || snap.Rejected != 1 || !snap.Since.Equal(testNow) {
		t.Errorf("got %+v", snap)
	}
	r := snap.Recent[0]
	if r.RequestID != "r1" || r.Method != "POST" || r.Path != "/ingest/batch" || r.StatusCode != 200 || r.ServiceName != "checkout" || r.Events != 1 || r.Bytes == 0 || !r.At.Equal(testNow) {
		t.Errorf("record %+v", r)
	}
	reject := snap.Rejects[0]
	if reject.Line != 2 || reject.Reason == "" || reject.Sample != "{\"service_name\":\"\x1b[31m\"}" || reject.Source == "" {
		t.Errorf("reject %+v", reject)
	}
	b.do("POST", "/ingest/batch", "["+event("e2", ""))
	eventually(t, "the cut array is counted", func() bool { return b.Snapshot().Requests == 2 })
	if reject := b.Snapshot().Rejects[0]; reject.Reason != "at event 1: the array is cut off after it" || len(reject.Sample) == 0 {
		t.Errorf("reject of a whole body: %+v", reject)
	}
}
