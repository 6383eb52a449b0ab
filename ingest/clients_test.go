package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// What shippers put on the wire, as their documentation and sources have it: header by header and byte by byte.
func TestBodiesOfShippers(t *testing.T) {
	b := start(t, nil)
	vector := []string{
		`{"app":"checkout","event_id":"019aa5c8-6c2a-7c11-9a53-000000000001","host":"web-1","message":"card declined","service_name":"checkout","source_type":"file","timestamp":"2026-11-21T07:59:58.123456789Z"}`,
		`{"app":"auth","event_id":"019aa5c8-6c2a-7c11-9a53-000000000002","host":"web-2","message":"caf\u00e9 \"ok\"","service_name":"auth","source_type":"file","timestamp":"2026-11-21T07:59:59Z"}`,
	}
	fluent := []string{
		`{"timestamp":"2026-11-21T07:59:58.000681Z","log":"GET / 200","stream":"stdout","service_name":"checkout"}`,
		`{"timestamp":"2026-11-21T07:59:59.999999Z","log":"GET /pay 503","service_name":"checkout"}`,
	}
	lines := func(s []string) string { return strings.Join(s, "\n") + "\n" }
	array := func(s []string) string { return "[" + strings.Join(s, ",") + "]" }
	bearer := []string{"Authorization", "Bearer ignored where nobody is asked"}
	for _, c := range []struct {
		what, body string
		headers    []string
	}{
		{"Vector, lines", lines(vector), []string{"Content-Type", "application/x-ndjson"}},
		{"Vector, array", array(vector), []string{"Content-Type", "application/json"}},
		{"Vector, lines in gzip", pack(t, gzipped, lines(vector)), []string{"Content-Type", "application/x-ndjson", "Content-Encoding", "gzip"}},
		{"Vector, lines in zstd", streamed(t, lines(vector)), []string{"Content-Type", "application/x-ndjson", "Content-Encoding", "zstd"}},
		{"Vector, array in zstd", streamed(t, array(vector)), []string{"Content-Type", "application/json", "Content-Encoding", "zstd"}},
		{"Vector, codec text", lines(vector), []string{"Content-Type", "text/plain"}},
		{"Fluent Bit, json_lines", lines(fluent), []string{"Content-Type", "application/x-ndjson", "User-Agent", "Fluent-Bit"}},
		{"Fluent Bit, json_lines in gzip", pack(t, gzipped, lines(fluent)), []string{"Content-Type", "application/x-ndjson", "Content-Encoding", "gzip", "User-Agent", "Fluent-Bit"}},
		{"Fluent Bit, json", array(fluent), []string{"Content-Type", "application/json", "User-Agent", "Fluent-Bit"}},
		{"Fluent Bit, json_stream", strings.Join(fluent, ""), []string{"Content-Type", "application/json", "User-Agent", "Fluent-Bit"}},
		{"Fluent Bit, json in zstd", pack(t, zstandard, array(fluent)), []string{"Content-Type", "application/json", "Content-Encoding", "zstd"}},
		{"curl -d @file", strings.Join(fluent, ""), []string{"Content-Type", "application/x-www-form-urlencoded"}},
	} {
		a := b.do("POST", "/ingest/batch", c.body, append(c.headers, bearer...)...)
		if a.status != 200 || a.json["accepted"] != 2.0 || a.json["rejected_total"] != 0.0 {
			t.Errorf("%s: %d %s", c.what, a.status, a.text)
		}
		if got := b.log.take(); len(got) != 1 || got[0].N != 2 {
			t.Errorf("%s: stored %v", c.what, got)
		}
	}
	// Their defaults that do not fit are told what is wrong.
	for what, c := range map[string]struct{ contentType, body, want string }{
		"Fluent Bit's date":   {"application/json", `[{"date":1795247999.5,"log":"x","service_name":"a"}]`, `the object has \"date\": rename it to timestamp`},
		"Fluent Bit's format": {"application/msgpack", "\x92\xd7\x00\x6b\x01\x02\x03\x00\x00\x00\x00\x81\xa3log\xa1x", "in Fluent Bit `format json_lines`"},
		"Vector's app":        {"application/x-ndjson", `{"timestamp":"2026-11-21T07:59:59Z","app":"a"}`, `the object has \"app\": rename it to service_name`},
	} {
		if a := b.do("POST", "/ingest/batch", c.body, "Content-Type", c.contentType); a.status < 400 || !strings.Contains(a.text, c.want) {
			t.Errorf("%s: %d %s", what, a.status, a.text)
		}
	}
}

// streamed is zstd as a stream writes it: without its length, and with the window of libzstd's level 3.
func streamed(t testing.TB, text string) string {
	t.Helper()
	var buf bytes.Buffer
	w, err := zstd.NewWriter(&buf, zstd.WithWindowSize(2<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range strings.SplitAfter(text, "\n") {
		if _, err := w.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// documented is the code of one language in the operators' section about sending, with the server's address in place of the usual one.
func documented(t *testing.T, language, addr string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Sending events\n")
	section, _, _ = strings.Cut(section, "\n## ")
	code := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(section)
	if code == nil {
		t.Fatalf("docs/OPERATIONS.md has no %s under Sending events", language)
	}
	return strings.ReplaceAll(code[1], "127.0.0.1:8000", addr)
}

// run runs documented code, and checks that each of its requests was answered 200.
func (b *bench) run(want int, name string, args ...string) {
	b.t.Helper()
	dir := b.t.TempDir()
	events := event("e1", "") + "\n" + event("e2", "") + "\n"
	if err := os.WriteFile(filepath.Join(dir, "events.jsonl"), []byte(events), 0o600); err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	stored := 0
	for _, batch := range b.log.take() {
		stored += batch.N
	}
	if stored != want || strings.Contains(string(out), "error") {
		b.t.Errorf("%d events are stored, want %d\n%s", stored, want, out)
	}
	for _, line := range b.out.lines() {
		var r struct {
			Status int `json:"status_code"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Status != 200 {
			b.t.Errorf("%s", line)
		}
	}
}

func TestDocumentedCurlLinesWork(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("SKIP: no curl here")
	}
	b := start(t, nil)
	b.run(1+2+2, "sh", "-ec", documented(t, "sh", b.Addr()))
}

// The Python handler sends what it was given, in batches, and the rest at the end.
func TestDocumentedPythonWorks(t *testing.T) {
	if out, err := exec.Command("python3", "-c", "import requests").CombinedOutput(); err != nil {
		t.Skipf("SKIP: no python3 with requests here: %v %s", err, out)
	}
	b := start(t, func(c *Config) { c.Now = time.Now })
	code := documented(t, "python", b.Addr())
	code += fmt.Sprintf("for i in range(1200):\n    logging.getLogger(%q).warning(%q, i)\nlogging.shutdown()\n", "shop", "number %d")
	b.run(1+1200, "python3", "-c", code)
}
