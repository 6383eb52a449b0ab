package ingest

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

func testQueue(events, bytes int64) (*queue, *clockAt) {
	c := &clockAt{testNow}
	q := newQueue(events, bytes)
	q.now = c.now
	return q, c
}

func TestQueueIsBoundedInEventsAndBytes(t *testing.T) {
	q, c := testQueue(100, 10_000)
	var one, two, three, four place
	want := func(what string, err error, kind any) {
		t.Helper()
		if kind == nil && err != nil || kind != nil && !errors.As(err, kind) {
			t.Errorf("%s: %v", what, err)
		}
	}
	want("the first", q.enter(&one, 60, 1000), nil)
	c.pass(time.Second)
	want("the second", q.enter(&two, 40, 1000), nil)
	want("one event more", q.enter(&three, 1, 10), new(*busyError))
	want("of any size", q.check(), new(*busyError))
	want("more events than ever", q.enter(&three, 101, 10), new(*oversizeError))
	want("more bytes than ever", q.enter(&three, 1, 10_001), new(*oversizeError))
	c.pass(time.Second)
	if s := q.state(); s.Events != 100 || s.Bytes != 2000 || s.Oldest != 2*time.Second || s.MaxEvents != 100 || s.MaxBytes != 10_000 || s.PerSec != 0 {
		t.Errorf("full: %+v", s)
	}
	one.leave(true)
	one.leave(true)
	if s := q.state(); s.Events != 40 || s.Oldest != time.Second || s.PerSec < 30 || s.PerSec > 34 { // 60 events in two seconds, of which the first counts a little less
		t.Errorf("after the first has left: %+v", s)
	}
	want("bytes", q.enter(&three, 1, 9001), new(*busyError))
	want("bytes that fit", q.enter(&three, 1, 9000), nil)
	want("after them", q.enter(&four, 1, 1), new(*busyError))
	three.leave(false)
	want("after one that failed", q.enter(&four, 1, 1), nil)
	two.leave(true)
	four.leave(true)
	if s := q.state(); s.Events != 0 || s.Bytes != 0 || s.Oldest != 0 || q.oldest != nil || q.last != nil {
		t.Errorf("empty: %+v", s)
	}
	(&place{}).leave(true) // outside
}

// The rate is that of the work, not of the clock: an idle hour changes nothing, a slower disk does within seconds.
func TestDrainRateCountsBusyTimeAlone(t *testing.T) {
	q, c := testQueue(1000, 1<<20)
	batch := func(took time.Duration) {
		var p place
		if err := q.enter(&p, 100, 1); err != nil {
			t.Fatal(err)
		}
		c.pass(took)
		p.leave(true)
	}
	near := func(what string, want float64) {
		t.Helper()
		if got := q.state().PerSec; math.Abs(got-want) > want/20 {
			t.Errorf("%s: %.1f/s, want %.1f", what, got, want)
		}
	}
	if q.drainTime() >= 0 {
		t.Error("nothing was measured yet")
	}
	for range 100 {
		batch(10 * time.Millisecond)
	}
	near("a hundred events in 10 ms", 10_000)
	c.pass(time.Hour)
	near("an hour later", 10_000)
	for range 60 {
		batch(time.Second)
	}
	near("a slow disk", 100)
	var p place
	if err := q.enter(&p, 1000, 1); err != nil {
		t.Fatal(err)
	}
	if got := q.drainTime(); got < 9*time.Second || got > 11*time.Second {
		t.Errorf("a thousand events at a hundred a second take %v", got)
	}
	c.pass(time.Minute)
	if got := q.state(); got.PerSec > 1 {
		t.Errorf("after a minute in which nothing moved: %+v", got)
	}
	if got := q.drainTime(); got > time.Hour {
		t.Errorf("that takes %v", got)
	}
}

func TestRetryAfterSeconds(t *testing.T) {
	almostOne := math.Nextafter(1, 0)
	for _, c := range []struct {
		wait      time.Duration
		low, high int
	}{
		{-time.Second, 1, 1}, {0, 1, 1}, {time.Millisecond, 1, 2}, {time.Second, 1, 2}, {1500 * time.Millisecond, 2, 3}, {8 * time.Second, 8, 10},
		{20 * time.Second, 20, 25}, {50 * time.Second, 50, 60}, {time.Hour, 60, 60}, {math.MaxInt64, 60, 60},
	} {
		if low, high := retrySeconds(c.wait, 0), retrySeconds(c.wait, almostOne); low != c.low || high != c.high {
			t.Errorf("%v: %d to %d seconds, want %d to %d", c.wait, low, high, c.low, c.high)
		}
	}
}

// What does not fit into the queue is told when to come again, and nothing of it is stored; when the log moves on all of it is stored, once.
func TestFullQueue(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{})}
	b := start(t, func(c *Config) { c.Log, c.MaxQueued = log, 10 })
	body := func(i int) string { return event(fmt.Sprint(i, "-a"), "") + "\n" + event(fmt.Sprint(i, "-b"), "") }
	var held sync.WaitGroup
	for i := range 5 {
		held.Go(func() {
			if a := b.do("POST", "/ingest/batch", body(i)); a.status != 200 {
				t.Errorf("within the bound: %d %s", a.status, a.text)
			}
		})
	}
	eventually(t, "the queue is full", func() bool { return b.Snapshot().Queue.Events == 10 })
	for i := 5; i < 10; i++ {
		a := b.do("POST", "/ingest/batch", body(i)+"\nhello")
		if a.status != 429 || !strings.Contains(a.text, "the queue is full; nothing of this request was stored") || !strings.Contains(a.text, "the queue holds 10 events") {
			t.Errorf("above it: %d %s", a.status, a.text)
		}
		a.wantRetry(t, "before anything was measured", retryBusy)
	}
	if n := len(log.takeLetters()); n != 0 {
		t.Errorf("%d letters of refused requests were kept", n)
	}
	a := b.do("POST", "/ingest/batch", strings.Repeat(event("e", "")+"\n", 11))
	if a.status != 429 { // before the body is read
		t.Errorf("more than it ever holds, while it is full: %d %s", a.status, a.text)
	}
	snap := b.Snapshot()
	if snap.Refused.Queue != 6 || snap.Queue.MaxEvents != 10 || snap.Queue.Oldest <= 0 || snap.Queue.Bytes == 0 {
		t.Errorf("counted %+v, %+v", snap.Refused, snap.Queue)
	}
	if a := b.do("GET", "/health", ""); a.status != 200 || a.json["queue"].(map[string]any)["max_events"] != 10.0 || a.json["refused"].(map[string]any)["queue_full"] != 6.0 {
		t.Errorf("the health page: %d %s", a.status, a.text)
	}
	b.wantStored()
	close(log.gate)
	held.Wait()
	for i := 5; i < 10; i++ {
		if a := b.do("POST", "/ingest/batch", body(i)); a.status != 200 {
			t.Errorf("come again: %d %s", a.status, a.text)
		}
	}
	seen := map[string]int{}
	for _, batch := range log.take() {
		for line := range strings.Lines(string(batch.Lines)) {
			seen[line]++
		}
	}
	for i := range 10 {
		for _, object := range strings.Split(body(i), "\n") {
			if n := seen[stored(t, object)]; n != 1 {
				t.Errorf("%s was stored %d times", object, n)
			}
		}
	}
	if a := b.do("POST", "/ingest/batch", strings.Repeat(event("e", "")+"\n", 11)); a.status != 413 || !strings.Contains(a.text, "--queue-events") || a.header.Get("Retry-After") != "" {
		t.Errorf("more than it ever holds: %d %s", a.status, a.text)
	}
	if q := b.Snapshot().Queue; q.Events != 0 || q.Bytes != 0 || q.PerSec <= 0 {
		t.Errorf("in the end: %+v", q)
	}
}

// A coding that is not taken is told before the body is sent, to a client that asks first.
func TestExpectContinueLearnsOfItsCoding(t *testing.T) {
	b := start(t, nil)
	conn := b.dial("POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nContent-Encoding: br\r\nExpect: 100-continue\r\n\r\n")
	if a := b.read(conn); a.status != http.StatusUnsupportedMediaType || a.header.Get("Accept-Encoding") == "" {
		t.Errorf("%d %v", a.status, a.header)
	}
}

// A client that asks first is refused before it sends anything, whatever the reason.
func TestExpectContinueLearnsOfBackPressure(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{})}
	b := start(t, func(c *Config) { c.Log, c.MaxQueued = log, 1 })
	ask := func() answer {
		return b.read(b.dial("POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n"))
	}
	first := b.dial(post("/ingest", event("e", "")))
	eventually(t, "the queue is full", func() bool { return b.Snapshot().Queue.Events == 1 })
	if a := ask(); a.status != 429 {
		t.Errorf("a full queue: %d %s", a.status, a.text)
	}
	close(log.gate)
	if a := b.read(first); a.status != 200 {
		t.Errorf("the first: %d %s", a.status, a.text)
	}
	b.log.fail(lake.ErrLogFailed)
	b.do("POST", "/ingest", event("f", ""))
	if a := ask(); a.status != 503 {
		t.Errorf("a failing storage: %d %s", a.status, a.text)
	}
	b.heal()
	conn := b.dial("POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: nonsense\r\n\r\n")
	if a, err := http.ReadResponse(newReader(conn), nil); err != nil || a.StatusCode != http.StatusExpectationFailed {
		t.Errorf("another expectation: %v %v", a, err)
	}
}
