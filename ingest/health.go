package ingest

import (
	"maps"
	"net/http"
	"strings"
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
// failure that we saw ourselves. Who has no token where one is asked for learns the status alone.
func (s *Server) answerHealth(x *exchange) {
	now, snap := s.cfg.Now(), s.Snapshot()
	values := map[string]any{
		"status": "ok", "program": "signallake", "uptime_s": int64(now.Sub(snap.Since) / time.Second),
		"requests": snap.Requests, "accepted": snap.Accepted, "rejected": snap.Rejected, "accepted_per_s": snap.AcceptedPerSec,
		"ack_p50_ms": milliseconds(snap.AckP50), "ack_p95_ms": milliseconds(snap.AckP95),
		"in_flight": snap.InFlight, "duplicates": snap.Duplicates, "conflicts": snap.Conflicts, "replayed": snap.Replayed, "idempotency_keys": snap.Keys.Remembered,
	}
	if snap.Keys.Err != "" {
		values["idempotency_error"] = snap.Keys.Err
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
	s.addAccess(values, now)
	values["request_id"] = x.id
	status := http.StatusOK
	if values["status"] != "ok" {
		x.why, _ = values["why"].(string)
		status = http.StatusServiceUnavailable
	}
	if x.stranger != "" {
		values = map[string]any{"status": values["status"], "program": values["program"], "request_id": x.id}
	}
	x.reply(status, values)
}

// addAccess tells what is wrong with the files of tokens and certificates since they were read. Requests are served by what was read before.
func (s *Server) addAccess(values map[string]any, now time.Time) {
	var troubles []string
	if s.tokens != nil {
		if _, err := s.tokens.get(); err != nil {
			troubles = append(troubles, err.Error())
		}
	}
	if s.certificate != nil {
		pair, err := s.certificate.get()
		if err != nil {
			troubles = append(troubles, err.Error())
		} else if warning := expiry(pair.Leaf, now); warning != "" {
			troubles = append(troubles, warning)
		}
		values["certificate_ends"] = pair.Leaf.NotAfter.UTC().Format(time.RFC3339)
	}
	if len(troubles) > 0 {
		values["access_error"] = strings.Join(troubles, "; ")
	}
}
