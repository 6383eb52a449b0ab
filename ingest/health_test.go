package ingest

import (
	"strings"
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

func TestHealthRemembersAFailedAppend(t *testing.T) {
	now := testNow
	clock := make(chan time.Time, 1) // the clock moves between requests, in another goroutine than theirs
	clock <- now
	b := start(t, func(c *Config) {
		c.Now = func() time.Time {
			n := <-clock
			clock <- n
			return n
		}
		c.Health = func() map[string]any { return map[string]any{"status": "ok"} }
	})
	pass := func(d time.Duration) { clock <- (<-clock).Add(d) }
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
	health(503, lake.ErrLogFailed.Error())
	b.log.fail(nil)
	b.do("POST", "/ingest", event("e", ""))
	health(200, "")
	b.log.fail(lake.ErrLogFailed)
	b.do("POST", "/ingest", event("e", ""))
	pass(29 * time.Second)
	health(503, "could not be written")
	pass(2 * time.Second)
	health(200, "")
}
