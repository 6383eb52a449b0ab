package ingest

import (
	"maps"
	"net/http"
	"time"
)

// A refused append makes the health page red for this long unless a later one succeeds: without senders nothing would turn it green again,
// and a balancer that watches it would never send any.
const storageMemory = 30 * time.Second

// storageFailure is the newest Append that was refused for the lake's sake.
type storageFailure struct {
	at  time.Time
	why string
}

// answerHealth says whether events are taken now. Values of Config.Health stand beside ours and win over them, but for a
// failure that we saw ourselves.
func (s *Server) answerHealth(x *exchange) {
	now, snap := s.cfg.Now(), s.Snapshot()
	values := map[string]any{
		"status": "ok", "program": "signallake", "uptime_s": int64(now.Sub(snap.Since) / time.Second),
		"requests": snap.Requests, "accepted": snap.Accepted, "rejected": snap.Rejected, "accepted_per_s": snap.AcceptedPerSec,
		"ack_p50_ms": milliseconds(snap.AckP50), "ack_p95_ms": milliseconds(snap.AckP95),
		"in_flight": snap.InFlight,
	}
	if s.cfg.Health != nil {
		maps.Copy(values, s.cfg.Health())
	}
	if f := s.storage.Load(); f != nil && now.Sub(f.at) < storageMemory {
		values["status"], values["why"] = "failing", f.why
	}
	if s.stopping.Load() {
		values["status"], values["why"] = "stopping", "the server is shutting down"
	}
	values["request_id"] = x.id
	if values["status"] != "ok" {
		x.why, _ = values["why"].(string)
		x.reply(http.StatusServiceUnavailable, values)
		return
	}
	x.reply(http.StatusOK, values)
}
