package ingest

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

func TestHealth(t *testing.T) {
	extra := map[string]any{"version": 7, "accepted": "theirs wins"}
	b := start(t, func(c *Config) { c.Health = func() map[string]any { return extra } })
	a := b.do("GET", "/health", "", "X-Request-ID", "h")
	if a.status != 200 || a.json["status"] != "ok" || a.json["version"] != 7.0 || a.json["accepted"] != "theirs wins" || a.json["request_id"] != "h" || a.json["why"] != nil {
		t.Errorf("got %d %s", a.status, a.text)
	}
	extra["status"], extra["why"] = "failing", "the conversion is stuck"
	if a := b.do("GET", "/health", ""); a.status != 503 || a.json["why"] != "the conversion is stuck" {
		t.Errorf("got %d %s", a.status, a.text)
	}
}

// A failing storage turns the page red, and it turns green by itself: nobody needs to send anything.
func TestHealthFollowsTheStorage(t *testing.T) {
	b := start(t, nil)
	health := func(status int, why string) {
		t.Helper()
		a := b.do("GET", "/health", "")
		if got, _ := a.json["why"].(string); a.status != status || !strings.Contains(got, why) {
			t.Errorf("got %d %s, want %d with %q", a.status, a.text, status, why)
		}
	}
	b.log.fail(lake.ErrBacklog)
	b.do("POST", "/ingest", event("e", ""))
	health(200, "")
	b.log.fail(lake.ErrLogFailed)
	b.do("POST", "/ingest", event("e", ""))
	health(503, "the storage fails since 2026-11-21T08:00:00Z, and is tried again by itself: "+lake.ErrLogFailed.Error())
	if why := b.Snapshot().Trouble; !strings.Contains(why, lake.ErrLogFailed.Error()) {
		t.Errorf("the snapshot says %q", why)
	}
	a := b.do("POST", "/ingest", event("e", ""))
	if a.status != 503 || !strings.Contains(a.text, "the storage fails") {
		t.Errorf("got %d %s", a.status, a.text)
	}
	a.wantRetry(t, "while it fails", time.Second)
	b.log.fail(fmt.Errorf("%w: the cable is out", lake.ErrLogFailed))
	eventually(t, "a probe brings the newest reason", func() bool { return strings.Contains(b.Snapshot().Trouble, "the cable is out") })
	health(503, "since 2026-11-21T08:00:00Z")
	b.heal()
	health(200, "")
	b.wantStored()
	log := strings.Join(b.out.lines(), "\n")
	if strings.Count(log, "the storage fails, requests are refused until it works again") != 1 || strings.Count(log, "the storage works again") != 1 {
		t.Errorf("the log says:\n%s", log)
	}
}

// A disk that hangs fails nothing. The page says so all the same.
func TestHealthTellsOfAStalledDisk(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{}), entered: make(chan struct{}, 1)}
	b := start(t, func(c *Config) { c.Log = log })
	var late atomic.Int64
	b.queue.now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	conn := b.dial(post("/ingest", event("e", "")))
	<-log.entered
	if a := b.do("GET", "/health", ""); a.status != 200 || a.json["queue"].(map[string]any)["events"] != 1.0 {
		t.Errorf("at first: %d %s", a.status, a.text)
	}
	late.Store(int64(stalledAfter + time.Second))
	if a := b.do("GET", "/health", ""); a.status != 503 || !strings.Contains(a.text, "the disk has confirmed nothing for 11s") {
		t.Errorf("later: %d %s", a.status, a.text)
	}
	close(log.gate)
	if a := b.read(conn); a.status != 200 {
		t.Errorf("in the end: %d %s", a.status, a.text)
	}
	if a := b.do("GET", "/health", ""); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.text)
	}
}
