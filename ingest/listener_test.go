package ingest

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
)

func TestTooManyConnections(t *testing.T) {
	b := start(t, func(c *Config) { c.MaxConns = 2 })
	first := b.dial("")
	second := b.dial("")
	ask := "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
	// An answer proves that a connection was accepted.
	for _, conn := range []interface{ Write([]byte) (int, error) }{first, second} {
		if _, err := conn.Write([]byte(ask)); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range []answer{b.read(first), b.read(second)} {
		if a.status != 200 {
			t.Fatalf("within the limit: %d %s", a.status, a.text)
		}
	}
	third := b.dial(ask)
	if a := b.read(third); a.status != 503 || a.header.Get("Retry-After") != "1" || !strings.Contains(a.text, "2 are open, which is the limit") {
		t.Errorf("above the limit: %d %v %s", a.status, a.header, a.text)
	}
	first.Close()
	eventually(t, "a closed connection makes room", func() bool {
		conn := b.dial(ask)
		defer conn.Close()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		return err == nil && resp.StatusCode == 200
	})
	if log := strings.Join(b.out.lines(), "\n"); !strings.Contains(log, "above the limit of 2") {
		t.Errorf("the log does not say so: %s", log)
	}
}
