package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// says runs the program and answers what it says on both outputs, and its exit code.
func says(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, words bytes.Buffer
	cmd := exec.Command(program(t), args...)
	cmd.Stdout, cmd.Stderr = &out, &words
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return out.String(), words.String(), code
}

// post sends a batch and wants a status.
func (s *server) post(t *testing.T, body string, status int) {
	t.Helper()
	resp, err := http.Post("http://"+s.addr+"/ingest/batch", "", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != status {
		t.Fatalf("%.60s: status %d, want %d", body, resp.StatusCode, status)
	}
}

// What the API refused is on the disk when its answer is there: it outlives a kill, can be read while another process owns the lake, and
// goes when it is told to.
func TestDeadLetters(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, dir, "")
	post := func(body string, status int) { t.Helper(); s.post(t, body, status) }
	good := func(id int) string {
		return fmt.Sprintf(`{"event_id":"e%d","timestamp":"2026-01-05T07:59:59Z","service_name":"checkout"}`, id)
	}
	post(good(1)+"\n{\"service_name\":\"auth\",\"message\":\"\u009b2J\"}\n"+good(2), 200)
	post(`{"timestamp":"2026-01-05T07:59:59Z","service_name":"a","latency_ms":"fast"}`+"\n"+`{"timestamp":"2026-01-05T07:59:59Z","service_name":"a","latency_ms":"slow"}`, 422)
	post("hello", 400)

	if _, words, code := says(t, "dead", "--discard", "--reason", "no such reason", "--data", dir); code != exitOK || !strings.Contains(words, "0 dead letters discarded; 4 dead letters, ") {
		t.Errorf("discard while serve owns the lake: exit code %d, %s", code, words)
	}
	s.kill()
	out, words, code := says(t, "dead", "--data", dir)
	if code != exitOK || strings.Count(out, "\n") != 4 || !strings.Contains(out, `      2  api 127.0.0.1  latency_ms: `) || !strings.Contains(words, "4 dead letters, ") {
		t.Errorf("exit code %d\n%s%s", code, out, words)
	}
	out, _, _ = says(t, "dead", "--list", "--reason", "TIMESTAMP", "--data", dir)
	if strings.Contains(out, "\u009b") || !strings.Contains(out, "api 127.0.0.1, line 2\n    timestamp: ") || !strings.Contains(out, "auth") || strings.Contains(out, "fast") {
		t.Errorf("list: %q", out)
	}
	out, _, _ = says(t, "dead", "--json", "--limit", "2", "--data", dir)
	var got []map[string]any
	for line := range strings.Lines(out) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		got = append(got, one)
	}
	if len(got) != 2 || got[0]["id"] != 3.0 || got[0]["field"] != "latency_ms" || got[1]["text"] != "hello" || got[1]["source"] != "api 127.0.0.1" {
		t.Errorf("json: %s", out)
	}
	if out, _, _ := says(t, "status", "--json", "--data", dir); !strings.Contains(out, `"letters": 4`) {
		t.Errorf("status: %s", out)
	}

	if _, words, code := says(t, "dead", "--discard", "--reason", "latency_ms", "--data", dir); code != exitOK || !strings.Contains(words, "2 dead letters discarded; 2 dead letters, ") {
		t.Errorf("discard: exit code %d, %s", code, words)
	}
	if out, _, _ := says(t, "dead", "--json", "--data", dir); strings.Count(out, "\n") != 2 || strings.Contains(out, "latency_ms") {
		t.Errorf("after the discard: %s", out)
	}
	if _, words, code := says(t, "dead", "--discard", "--data", dir); code != exitOK || !strings.Contains(words, "2 dead letters discarded; 0 dead letters, ") {
		t.Errorf("discard all: exit code %d, %s", code, words)
	}
	if out, _, _ := says(t, "status", "--json", "--data", dir); strings.Contains(out, "dead") || !strings.Contains(out, `"visible": 2`) {
		t.Errorf("status at the end: %s", out)
	}
}
