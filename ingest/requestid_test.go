package ingest

import (
	"strings"
	"testing"
)

func TestRequestID(t *testing.T) {
	for _, id := range []string{"a", "req-1 of 2", strings.Repeat("x", 128), `"{}~!`} {
		if got := requestID(id); got != id {
			t.Errorf("%q became %q", id, got)
		}
	}
	seen := map[string]bool{}
	for _, id := range []string{"", strings.Repeat("x", 129), "a\x1b[31m", "a\tb", "é", "a\x7f", "\x00"} {
		got := requestID(id)
		if len(got) != 24 || got == id || seen[got] {
			t.Errorf("%q became %q", id, got)
		}
		seen[got] = true
	}
}

func TestEveryAnswerCarriesTheCallersID(t *testing.T) {
	b := start(t, nil)
	for _, r := range [][3]string{
		{"GET", "/health", ""}, {"GET", "/nothing", ""}, {"PUT", "/ingest", ""}, {"POST", "/ingest", "{"}, {"POST", "/ingest", event("e", "")}, {"GET", "/query/x", ""},
	} {
		a := b.do(r[0], r[1], r[2], "X-Request-ID", "mine")
		if a.header.Get("X-Request-ID") != "mine" || a.json["request_id"] != "mine" {
			t.Errorf("%v: %v %s", r, a.header, a.text)
		}
	}
	if a := b.do("GET", "/health", "", "Host", "evil.example", "X-Request-ID", "mine"); a.header.Get("X-Request-ID") != "mine" {
		t.Errorf("a 403: %v", a.header)
	}
}
