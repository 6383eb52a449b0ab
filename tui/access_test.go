package tui

import (
	"strings"
	"testing"

	"github.com/signallake/signallake/ingest"
)

// The curl line of a server with TLS and tokens says so, on one line and broken over several.
func TestCurlLineWithTokensAndTLS(t *testing.T) {
	a := &App{api: ingest.Snapshot{Addr: "127.0.0.1:8000", TLS: true, CACert: "cert.pem", Token: true}}
	want := []string{`curl -s`, `--cacert cert.pem -H "authorization: Bearer $TOKEN"`, `https://127.0.0.1:8000/ingest`, `content-type: application/json`}
	for _, width := range []int{400, 140, 90} {
		lines := a.curlLines(width)
		text := strings.Join(lines, "\n")
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("at width %d the curl line lacks %q:\n%s", width, part, text)
			}
		}
		for i, line := range lines[:len(lines)-1] {
			if i < 3 && !strings.HasSuffix(line, `\`) {
				t.Errorf("at width %d a shell ends the command at %q", width, line)
			}
		}
	}
	a.api = ingest.Snapshot{Addr: "127.0.0.1:8000"}
	if text := a.curl(); strings.Contains(text, "authorization") || !strings.HasPrefix(text, "curl -s http://127.0.0.1:8000/ingest -H") {
		t.Errorf("without either: %s", text)
	}
}

// What is open to the world stands on the Ingest screen; where nothing is, nothing does.
func TestIngestScreenShowsWarnings(t *testing.T) {
	f := newFake()
	d := drive(t, f, 100, 30)
	d.press("5")
	d.wants("http://127.0.0.1:8000")
	d.lacks("! ")
	f.mu.Lock()
	f.api.TLS, f.api.Warnings = true, []string{"whoever reaches 10.1.2.3:8000 may read the lake"}
	f.mu.Unlock()
	d.elapse(tickEvery)
	d.wants("https://127.0.0.1:8000", "! whoever reaches 10.1.2.3:8000 may read the lake")
}
