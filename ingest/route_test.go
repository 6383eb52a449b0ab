package ingest

import (
	"strings"
	"testing"
)

func TestUnknownPathsNameTheRoutes(t *testing.T) {
	b := start(t, nil)
	for _, path := range []string{"/", "/ingest/", "/ingest/batch/", "/health/x", "/query", "/query/", "//ingest", "/Ingest", "/favicon.ico", "/ingest/../health"} {
		a := b.do("POST", path, event("e", ""))
		if a.status != 404 || !strings.Contains(a.text, `"routes":["GET /health","POST /ingest","POST /ingest/batch","GET /query/NAME","GET /dead","GET /dead/letters","POST /dead/discard","POST /dead/replay","GET /docs","GET /openapi.json"]`) {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	b.wantStored()
}

func TestWrongMethods(t *testing.T) {
	b := start(t, nil)
	for _, r := range [][3]string{
		{"POST", "/health", "GET, HEAD"}, {"GET", "/ingest", "POST"}, {"PUT", "/ingest/batch", "POST"}, {"DELETE", "/query/x", "GET, HEAD"}, {"BREW", "/ingest", "POST"},
	} {
		if a := b.do(r[0], r[1], ""); a.status != 405 || a.header.Get("Allow") != r[2] {
			t.Errorf("%v: %d, Allow %q", r, a.status, a.header.Get("Allow"))
		}
	}
	if a := b.do("HEAD", "/health", ""); a.status != 200 || a.text != "" {
		t.Errorf("HEAD: %d %q", a.status, a.text)
	}
}
