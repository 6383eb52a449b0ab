package ingest

import (
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

func TestRequestLogLine(t *testing.T) {
	b := start(t, nil)
	body := event("e1", "") + "\n" + event("e2", `,"latency_ms":"x"`)
	b.do("POST", "/ingest/batch?x=1", body, "X-Request-ID", "r1")
	eventually(t, "a line is written", func() bool { return len(b.out.lines()) == 1 })
	var got map[string]any
	if err := json.Unmarshal([]byte(b.out.lines()[0]), &got); err != nil {
		t.Fatal(err)
	}
	host, _, _ := net.SplitHostPort(got["remote"].(string))
	delete(got, "remote")
	want := map[string]any{"time": "2026-11-21T08:00:00.000Z", "request_id": "r1", "method": "POST", "path": "/ingest/batch", "status_code": 200.0,
		"service_name": "checkout", "latency_ms": 0.0, "bytes": float64(len(body)), "events": 1.0, "rejected": 1.0}
	if len(got) != len(want) || host != "127.0.0.1" {
		t.Errorf("got %v from %s", got, host)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
}

func TestRequestLogOfRefusals(t *testing.T) {
	b := start(t, nil)
	lines := 0
	try := func(part string, do func()) {
		t.Helper()
		do()
		lines++
		eventually(t, "a line is written", func() bool { return len(b.out.lines()) == lines })
		if line := b.out.lines()[lines-1]; !strings.Contains(line, part) {
			t.Errorf("%s lacks %q", line, part)
		}
	}
	try(`"status_code":422,"service_name":""`, func() { b.do("POST", "/ingest", event("e", `,"latency_ms":"x"`)) })
	try(`"error":"latency_ms: must be a number`, func() { b.do("POST", "/ingest", event("e", `,"latency_ms":"x"`)) })
	try(`"status_code":403`, func() { b.do("GET", "/health", "", "Origin", "null") })
	try(`"path":"/%1b%5b31m/%c2%9b"`, func() { b.do("GET", "/%1b%5b31m/%c2%9b", "") })
	try(`"path":"/`+strings.Repeat("x", 255)+`"`, func() { b.do("GET", "/"+strings.Repeat("x", 1000), "") })
	try(`"method":"`+strings.Repeat("M", 32)+`"`, func() { b.do(strings.Repeat("M", 100), "/health", "") })
}

func TestRequestLogSurvivesItsWriter(t *testing.T) {
	b := start(t, func(c *Config) { c.RequestLog = brokenWriter{} })
	if a := b.do("POST", "/ingest", event("e", "")); a.status != 200 {
		t.Errorf("got %d %s", a.status, a.text)
	}
	b = start(t, func(c *Config) { c.RequestLog = nil })
	if a := b.do("POST", "/ingest", event("e", "")); a.status != 200 {
		t.Errorf("without a log: %d %s", a.status, a.text)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("the log disk is full") }

func TestServerMessagesBecomeLines(t *testing.T) {
	var out syncBuffer
	l := &requestLog{out: &out, now: func() time.Time { return testNow }}
	if n, err := l.Write([]byte("http: Accept error: \x1b[2J\n")); n != 25 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if got := out.lines()[0]; got != `{"time":"2026-11-21T08:00:00.000Z","error":"http: Accept error: \u001b[2J"}` {
		t.Errorf("got %s", got)
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"aéé", 2, "a"}, {"aéé", 3, "aé"}, {"日", 2, ""}, {"", 0, ""}, {"\x80\x80\x80", 2, ""}} {
		if got := cut(c.in, c.n); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}
