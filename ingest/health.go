package ingest

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"runtime"
	"strings"
	"time"
)

// trouble is why events are not taken now, with the way out; "" when they are.
func (s *Server) trouble() string {
	if why := s.storage.why(); why != "" {
		return why
	}
	if waits := s.queue.state().Oldest; waits > stalledAfter {
		return fmt.Sprintf("the disk has confirmed nothing for %v: look at its load and at the system's log", waits.Round(time.Second))
	}
	return ""
}

// answerHealth says whether events are taken now. Values of Config.Health stand beside ours and win over them, but for a
// failure that we saw ourselves. Who has no token where one is asked for learns the status alone.
func (s *Server) answerHealth(x *exchange) {
	now, snap := s.cfg.Now(), s.Snapshot()
	values := map[string]any{
		"status": "ok", "program": "signallake", "uptime_s": int64(now.Sub(snap.Since) / time.Second), "goroutines": runtime.NumGoroutine(),
		"requests": snap.Requests, "accepted": snap.Accepted, "rejected": snap.Rejected, "accepted_per_s": snap.AcceptedPerSec,
		"ack_p50_ms": milliseconds(snap.AckP50), "ack_p95_ms": milliseconds(snap.AckP95),
		"in_flight": snap.InFlight, "queue": healthQueue(snap.Queue), "memory": healthMemory(snap.Memory), "refused": snap.Refused,
		"duplicates": snap.Duplicates, "conflicts": snap.Conflicts, "replayed": snap.Replayed, "idempotency_keys": snap.Keys.Remembered,
	}
	if snap.Keys.Err != "" {
		values["idempotency_error"] = snap.Keys.Err
	}
	if s.cfg.Health != nil {
		maps.Copy(values, s.cfg.Health())
	}
	if snap.Trouble != "" {
		values["status"], values["why"] = "failing", snap.Trouble
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

// healthQueue is the queue as the page shows it.
func healthQueue(q QueueState) map[string]any {
	return map[string]any{"events": q.Events, "bytes": q.Bytes, "max_events": q.MaxEvents, "max_bytes": q.MaxBytes,
		"events_per_s": math.Round(q.PerSec), "oldest_ms": milliseconds(q.Oldest)}
}

func healthMemory(m MemoryState) map[string]any {
	return map[string]any{"bytes": m.Used, "peak_bytes": m.Peak, "max_bytes": m.Limit}
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
