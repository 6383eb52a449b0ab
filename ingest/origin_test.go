package ingest

import (
	"net"
	"strings"
	"testing"
)

func TestHostMustBeThisMachine(t *testing.T) {
	b := start(t, func(c *Config) { c.AllowedHosts = []string{"lake.example"} })
	_, port, _ := net.SplitHostPort(b.Addr())
	for _, host := range []string{"localhost", "LOCALHOST:1", "localhost.", "127.0.0.1", "127.0.0.1:" + port, "127.9.9.9", "[::1]", "[::1]:9", "lake.example", "Lake.Example:443"} {
		if a := b.do("GET", "/health", "", "Host", host); a.status != 200 {
			t.Errorf("Host %q: %d %s", host, a.status, a.text)
		}
	}
	for _, host := range []string{"evil.example", "evil.example:" + port, "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "0.0.0.0", "169.254.169.254", "[fe80::1]", "xlake.example"} {
		a := b.do("POST", "/ingest", event("e", ""), "Host", host)
		if a.status != 403 || !strings.Contains(a.text, "Host header") {
			t.Errorf("Host %q: %d %s", host, a.status, a.text)
		}
	}
	for _, raw := range []string{"GET /health HTTP/1.0\r\n\r\n", "GET /health HTTP/1.1\r\nHost: \r\n\r\n"} {
		if a := b.read(b.dial(raw)); a.status != 403 {
			t.Errorf("%q: %d %s", raw, a.status, a.text)
		}
	}
	b.wantStored()
}

func TestWebPagesMayNotReachTheLake(t *testing.T) {
	b := start(t, nil)
	_, port, _ := net.SplitHostPort(b.Addr())
	try := func(status int, headers ...string) {
		t.Helper()
		for _, r := range [][2]string{{"GET", "/health"}, {"POST", "/ingest"}, {"POST", "/ingest/batch"}, {"GET", "/query/x"}} {
			a := b.do(r[0], r[1], event("e", ""), headers...)
			if refused := a.status == 403; refused != (status == 403) {
				t.Errorf("%v with %v: %d %s", r, headers, a.status, a.text)
			}
			for name := range a.header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("a CORS header: %s", name)
				}
			}
		}
		if got := len(b.log.take()); (got == 0) != (status == 403) {
			t.Errorf("%v: %d batches stored", headers, got)
		}
	}
	try(200, "Origin", "http://127.0.0.1:"+port)
	try(200, "Origin", "http://localhost:"+port, "Host", "localhost:"+port)
	try(200, "Origin", "http://localhost", "Host", "localhost:80")
	try(200, "Origin", "http://[::1]:5", "Host", "[::1]:5")
	try(200, "Sec-Fetch-Site", "same-origin")
	try(200, "Sec-Fetch-Site", "none")
	try(403, "Origin", "http://evil.example")
	try(403, "Origin", "null")
	try(403, "Origin", "")
	try(403, "Origin", "file://")
	try(403, "Origin", "http://localhost:3000")
	try(403, "Origin", "http://localhost:"+port, "Host", "127.0.0.1:"+port)
	try(403, "Origin", "http://127.0.0.1:"+port, "Origin", "http://evil.example")
	try(403, "Origin", "http://127.0.0.1:"+port+"@evil.example")
	try(403, "Origin", "ftp://127.0.0.1:"+port)
	try(403, "Sec-Fetch-Site", "cross-site")
	try(403, "Sec-Fetch-Site", "same-site")
	try(403, "Sec-Fetch-Site", "\tnonsense")
}

func TestPreflightGetsNothing(t *testing.T) {
	b := start(t, nil)
	if a := b.do("OPTIONS", "/ingest", "", "Origin", "http://evil.example", "Access-Control-Request-Method", "POST"); a.status != 403 {
		t.Errorf("from elsewhere: %d", a.status)
	}
	if a := b.do("OPTIONS", "/ingest", ""); a.status != 405 || a.header.Get("Allow") != "POST" {
		t.Errorf("from here: %d %v", a.status, a.header)
	}
	if a := b.read(b.dial("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")); a.status != 404 {
		t.Errorf("OPTIONS *: %d", a.status)
	}
}
