package ingest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/signallake/signallake/lake"
)

func loadSpec(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(specJSON)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// The document is valid OpenAPI, and each example in it fits its schema.
func TestSpecIsValid(t *testing.T) {
	if err := loadSpec(t).Validate(context.Background(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
}

// specPath is a route's path as the document writes it.
func specPath(r route) string {
	if r.path == queryPrefix {
		return queryPrefix + "{name}"
	}
	return r.path
}

func TestSpecHasEveryRouteAndNoOther(t *testing.T) {
	doc := loadSpec(t)
	described := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	for _, r := range routes() {
		for _, method := range r.methods {
			name := method + " " + specPath(r)
			if method != http.MethodHead && !described[name] { // HEAD goes with GET, as HTTP has it
				t.Errorf("the server has %s, the document does not", name)
			}
			delete(described, name)
		}
		for _, item := range doc.Paths.Find(specPath(r)).Operations() {
			if asks := item.Security == nil; asks == r.open {
				t.Errorf("%s: the document says that it asks for a token: %v", r.shown, asks)
			}
		}
	}
	for name := range described {
		t.Errorf("the document has %s, the server does not", name)
	}
}

// checker holds answers against the document and remembers which it has seen.
type checker struct {
	t    *testing.T
	doc  *openapi3.T
	seen map[string]bool // POST /ingest 200
}

// check validates an answer to method and path, where path is as the document writes it; "" is a path that no route has.
func (c *checker) check(method, path string, status int, header http.Header, body string) {
	c.t.Helper()
	name := fmt.Sprintf("%s %s %d", method, path, status)
	ref := c.doc.Components.Responses["NoRoute"]
	if path != "" {
		item := c.doc.Paths.Find(path)
		op := item.Operations()[method]
		if op == nil { // HEAD, or a wrong method: described with the one that the path has
			for one := range item.Operations() {
				op, name = item.Operations()[one], fmt.Sprintf("%s %s %d", one, path, status)
			}
		}
		if ref = op.Responses.Status(status); ref == nil {
			c.t.Errorf("%s is not described: %s", name, body)
			return
		}
	}
	c.seen[name] = true
	media := ref.Value.Content[header.Get("Content-Type")]
	if media == nil {
		c.t.Errorf("%s: the content type %q is not described", name, header.Get("Content-Type"))
		return
	}
	for described, h := range ref.Value.Headers {
		if value := header.Get(described); value == "" && described != "Retry-After" && described != replayedHeader {
			c.t.Errorf("%s: the header %s is described and missing", name, described)
		} else if _, err := strconv.Atoi(value); value != "" && h.Value.Schema.Value.Type.Is("integer") && err != nil {
			c.t.Errorf("%s: the header %s is %q", name, described, value)
		}
	}
	for _, known := range []string{"Retry-After", "Www-Authenticate", "Allow", "Accept-Encoding", replayedHeader} {
		if header.Get(known) != "" && !slices.ContainsFunc(sortedKeys(ref.Value.Headers), func(h string) bool { return http.CanonicalHeaderKey(h) == known }) {
			c.t.Errorf("%s: the header %s is sent and not described", name, known)
		}
	}
	if method == http.MethodHead {
		return
	}
	var value any = body
	if header.Get("Content-Type") == "application/json" {
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			c.t.Errorf("%s: %v", name, err)
		}
	}
	if err := media.Schema.Value.VisitJSON(value, openapi3.MultiErrors()); err != nil {
		c.t.Errorf("%s does not fit the document: %v\n%s", name, err, body)
	}
}

func sortedKeys(m openapi3.Headers) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// TestSpecAgainstTheServer provokes every answer over a real socket, holds it against the document, and then asks what the document promises and
// nobody ever saw.
func TestSpecAgainstTheServer(t *testing.T) {
	c := &checker{t: t, doc: loadSpec(t), seen: map[string]bool{}}
	desk := &fakeDesk{}
	b, token := startWithTokens(t, func(cfg *Config) {
		cfg.Dead = desk
		cfg.Ask, cfg.QueryTimeout, cfg.ReadTimeout, cfg.MaxBodyBytes = answerByName, time.Second, 200*time.Millisecond, 1<<20
	})
	ask := func(method, path, described, body string, status int, headers ...string) {
		t.Helper()
		a := b.do(method, path, body, append([]string{"Authorization", "Bearer " + token}, headers...)...)
		if a.status != status {
			t.Errorf("%s %s: %d %s, want %d", method, path, a.status, a.text, status)
		}
		c.check(method, described, a.status, a.header, a.text)
	}
	for _, r := range routes() {
		path, example := specPath(r), strings.ReplaceAll(specPath(r), "{name}", "fine")
		body := ""
		if r.methods[0] == http.MethodPost {
			body = exampleBody(path)
		}
		for _, method := range r.methods {
			ask(method, example, path, body, 200)
			ask(method, example, path, body, 403, "Origin", "http://evil.example")
		}
		ask("BREW", example, path, body, 405)
		c.provokeOnTheWire(b, r.methods[0], example, path)
	}
	ask("GET", "/nothing", "", "", 404)
	c.provokeIngest(b, token, ask)
	c.provokeDead(b, token, desk, ask)
	for name, status := range map[string]int{"unknown": 404, "slow": 504, "closed": 503, "broken": 500, "panic": 500, "fine?limit=0": 400, "fine?form=x": 400} {
		ask("GET", "/query/"+name, "/query/{name}", "", status)
	}
	c.provokeStrangers(b)
	c.provokeHealth()
	c.provokeFull()

	for path, item := range c.doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				name := method + " " + path + " " + status
				if !c.seen[name] && !slices.Contains([]string{"GET /docs 500", "GET /openapi.json 500", "GET /health 500"}, name) { // nothing there can fail
					t.Errorf("%s is described and was never given", name)
				}
			}
		}
	}
}

// provokeIngest: each way to refuse events.
func (c *checker) provokeIngest(b *bench, token string, ask func(method, path, described, body string, status int, headers ...string)) {
	bad := event("e", `,"latency_ms":"fast"`)
	for _, path := range []string{"/ingest", "/ingest/batch"} {
		ask("POST", path, path, "", 400)
		ask("POST", path, path, "nonsense", 400)
		ask("POST", path, path, bad, 422)
		ask("POST", path, path, strings.Repeat(" ", 2<<20), 413)
		ask("POST", path, path, event("e", ""), 415, "Content-Encoding", "br")
		ask("POST", path, path, pack(c.t, zstandard, event("e", "")), 200, "Content-Encoding", "zstd")
		ask("POST", path, path, event("e", ""), 400, "Content-Encoding", "gzip")
		ask("POST", path, path, pack(c.t, gzipped, strings.Repeat(" ", 2<<20)), 413, "Content-Encoding", "gzip")
		for err, status := range map[error]int{lake.ErrBacklog: 429, lake.ErrLogFailed: 503, syscall.ENOSPC: 503, lake.ErrReadOnly: 503, errors.New("strange"): 500} {
			b.log.fail(err)
			ask("POST", path, path, event("e", ""), status)
			b.heal()
		}
		conn := b.dial("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\nContent-Length: 1000\r\n\r\n{\"time")
		a := b.read(conn)
		c.check("POST", path, a.status, a.header, a.text)
	}
	ask("POST", "/ingest/batch", "/ingest/batch", event("e", "")+"\n"+bad, 200)
	ask("POST", "/ingest", "/ingest", "["+event("e", "")+"]", 422)
	for _, path := range []string{"/ingest", "/ingest/batch"} {
		for _, body := range []string{event("e", ""), bad} {
			status := map[bool]int{true: 422, false: 200}[body == bad]
			ask("POST", path, path, body, status, idempotencyHeader, fmt.Sprint(path, status))
			ask("POST", path, path, body, status, idempotencyHeader, fmt.Sprint(path, status))
		}
		ask("POST", path, path, bad, 422, idempotencyHeader, fmt.Sprint(path, 200))
		ask("POST", path, path, bad, 400, idempotencyHeader, "")
	}
}

// exampleBody is a body that a POST takes.
func exampleBody(path string) string {
	switch path {
	case "/dead/discard":
		return `{"all":true}`
	case "/dead/replay":
		return `{"rules":{"cast":["latency_ms=number"]}}`
	}
	return event("e", `,"x":1,"x":2`)
}

// provokeDead: each way to refuse work on dead letters.
func (c *checker) provokeDead(b *bench, token string, desk *fakeDesk, ask func(method, path, described, body string, status int, headers ...string)) {
	for _, r := range []struct{ method, path string }{{"GET", "/dead"}, {"GET", "/dead/letters"}, {"POST", "/dead/discard"}, {"POST", "/dead/replay"}} {
		body := ""
		if r.method == "POST" {
			body = exampleBody(r.path)
			ask("POST", r.path, r.path, "nonsense", 400)
			ask("POST", r.path, r.path, strings.Repeat(" ", maxOrder+1), 413)
			a := b.read(b.dial("POST " + r.path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\nContent-Length: 1000\r\n\r\n{"))
			c.check("POST", r.path, a.status, a.header, a.text)
			desk.fail(lake.ErrBacklog)
			ask("POST", r.path, r.path, body, 429)
		} else {
			ask("GET", r.path+"?misspelt=1", r.path, "", 400)
		}
		for err, status := range map[error]int{lake.ErrBury: 503, errors.New("strange"): 500, context.DeadlineExceeded: 504} {
			desk.fail(err)
			ask(r.method, r.path, r.path, body, status)
		}
		desk.fail(nil)
	}
}

// provokeStrangers: no token and a wrong one.
func (c *checker) provokeStrangers(b *bench) {
	for _, r := range routes() {
		example := strings.ReplaceAll(specPath(r), "{name}", "fine")
		for _, headers := range [][]string{nil, {"Authorization", "Bearer " + strings.Repeat("x", 20)}} {
			for _, method := range r.methods {
				a := b.do(method, example, "", headers...)
				c.check(method, specPath(r), a.status, a.header, a.text)
				if refused := a.status == 401; refused == r.open {
					c.t.Errorf("%s with %v: %d %s", r.shown, headers, a.status, a.text)
				}
			}
		}
	}
}

// provokeHealth: the page with everything in it, in trouble and not.
func (c *checker) provokeHealth() {
	extra := map[string]any{"version": 1, "events_visible": 1, "events_hot": 0, "behind_events": 0, "lag_p95_ms": 3, "conversion_error": "x", "query_error": "y", "dead_letters": 4, "dead_bytes": 5, "dead_dropped": 6, "access_error": "z"}
	b := start(c.t, func(cfg *Config) { cfg.Health = func() map[string]any { return extra } })
	for _, status := range []string{"ok", "failing"} {
		extra["status"], extra["why"] = status, "because"
		for _, method := range []string{"GET", "HEAD"} {
			a := b.do(method, "/health", "")
			c.check(method, "/health", a.status, a.header, a.text)
		}
	}
}

// provokeOnTheWire: what net/http answers by itself.
func (c *checker) provokeOnTheWire(b *bench, method, example, path string) {
	c.t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(b.dial(method+" "+example+" HTTP/1.1\r\nHost: localhost\r\nX-Big: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	c.check(method, path, resp.StatusCode, resp.Header, string(text))
}

// provokeFull: one connection too many.
func (c *checker) provokeFull() {
	b := start(c.t, func(cfg *Config) { cfg.MaxConns = 1 })
	b.dial("")
	for _, r := range routes() {
		a := b.read(b.dial(""))
		c.check(r.methods[0], specPath(r), a.status, a.header, a.text)
	}
}

// answerByName answers, or fails as the question's name says.
func answerByName(ctx context.Context, q Question) (*Answer, error) {
	switch q.Name {
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	case "closed":
		return nil, lake.ErrClosed
	case "broken":
		return nil, errors.New("the engine is out of order")
	case "panic":
		panic("boom")
	case "fine":
		return &Answer{Columns: []string{"a", "b"}, Rows: [][]any{{"x", 1.5}, {nil, true}}, Files: 1, Bytes: 2, Version: 3, ElapsedMS: 0.5}, nil
	}
	return nil, &ErrUnknownQuestion{Name: q.Name, Known: []string{"fine"}}
}

// Each status code that the source names is described somewhere.
func TestSpecHasEveryStatusOfTheSource(t *testing.T) {
	described := map[int]bool{http.StatusNotFound: true}
	for _, item := range loadSpec(t).Paths.Map() {
		for _, op := range item.Operations() {
			for status := range op.Responses.Map() {
				n, err := strconv.Atoi(status)
				if err != nil {
					t.Errorf("the status %q is no number", status)
				}
				described[n] = true
			}
		}
	}
	found := 0
	for name, n := range statusesOfTheSource(t) {
		if found++; !described[n] {
			t.Errorf("http.%s is given somewhere and described nowhere", name)
		}
	}
	if found < 10 {
		t.Errorf("found %d status codes in the source: this test is looking in the wrong place", found)
	}
}

func statusesOfTheSource(t *testing.T) map[string]int {
	t.Helper()
	numbers := map[string]int{}
	for n := 100; n < 600; n++ {
		numbers["Status"+strings.NewReplacer(" ", "", "-", "", "'", "").Replace(http.StatusText(n))] = n
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "http" && strings.HasPrefix(sel.Sel.Name, "Status") && sel.Sel.Name != "StatusText" {
				found[sel.Sel.Name] = numbers[sel.Sel.Name]
			}
			return true
		})
	}
	return found
}

// The document is sent byte for byte.
func TestSpecIsServedAsItIs(t *testing.T) {
	b := start(t, nil)
	a := b.do("GET", "/openapi.json", "")
	if a.text != string(specJSON) || a.header.Get("Content-Length") != strconv.Itoa(len(specJSON)) {
		t.Errorf("got %d bytes, want %d", len(a.text), len(specJSON))
	}
}
