package ingest

import (
	"fmt"
	"html"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestDocsPage(t *testing.T) {
	b := start(t, nil)
	a := b.do("GET", "/docs", "")
	if a.status != 200 || a.header.Get("Content-Type") != "text/html; charset=utf-8" || a.header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	policy := a.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "style-src 'sha256-", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q lacks %q", policy, part)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
		t.Errorf("the policy %q lets something in", policy)
	}
	// Nothing is loaded from anywhere: no script, and each link leads to this page or to this server.
	for _, never := range []string{"<script", "@import", "url(", "<img", "<iframe", " style=", " onclick", "{{", "&lt;no value", "ZgotmplZ"} {
		if strings.Contains(a.text, never) {
			t.Errorf("the page holds %q", never)
		}
	}
	for _, link := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(a.text, -1) {
		if target := link[1]; !strings.HasPrefix(target, "#") && target != "/openapi.json" && target != "data:," {
			t.Errorf("a link leads to %s", target)
		} else if id, ok := strings.CutPrefix(target, "#"); ok && strings.Count(a.text, `id="`+id+`"`) != 1 {
			t.Errorf("the link to #%s leads nowhere, or to two places", id)
		}
	}
	if a := b.do("HEAD", "/docs", ""); a.status != 200 || a.text != "" || a.header.Get("Content-Security-Policy") == "" {
		t.Errorf("HEAD: %d %q", a.status, a.text)
	}
}

// Everything in the document stands on the page.
func TestDocsShowTheWholeDocument(t *testing.T) {
	doc := loadSpec(t)
	text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(start(t, nil).do("GET", "/docs", "").text, ""))
	want := func(what, words string) {
		t.Helper()
		if words = strings.ReplaceAll(words, "`", ""); words == "" || !strings.Contains(text, words) {
			t.Errorf("%s is not on the page: %q", what, words)
		}
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			want(path, method+" "+path)
			want(path, op.Summary)
			want(path, op.Description)
			for status, answer := range op.Responses.Map() {
				want(path, status)
				want(path+" "+status, *answer.Value.Description)
			}
			for _, p := range op.Parameters {
				want(path+" "+p.Value.Name, p.Value.Description)
			}
		}
	}
	for name, schema := range doc.Components.Schemas {
		for key, property := range schema.Value.Properties {
			want(name, key)
			want(name+"."+key, property.Value.Description)
		}
	}
	want("nested fields", "rejected[].line")
}

// Behind a proxy that ends TLS the page's addresses are those of the reader.
func TestDocsBehindProxy(t *testing.T) {
	b := start(t, nil)
	f := func(want string, headers ...string) {
		t.Helper()
		text := html.UnescapeString(b.do("GET", "/docs", "", headers...).text)
		if n, all := strings.Count(text, want+b.Addr()+"/"), strings.Count(text, "://"+b.Addr()+"/"); n == 0 || n != all {
			t.Errorf("%v: %d of %d addresses begin with %s", headers, n, all, want)
		}
	}
	f("http://")
	f("https://", "X-Forwarded-Proto", "https")
	f("https://", "X-Forwarded-Proto", "HTTPS, http")
	f("http://", "X-Forwarded-Proto", "http, https")
	f("http://", "X-Forwarded-Proto", `https"><script>`)
}

// Each curl line of the page is run by a real shell, without tokens and with them, and does what it says.
func TestDocsCurlLinesWork(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("SKIP: no curl here")
	}
	ask := func(c *Config) {
		c.Now = func() time.Time { return time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC) }
		c.Ask, c.Dead = answerByName, &fakeDesk{}
	}
	plain := start(t, ask)
	secret, token := startWithTokens(t, ask)
	for _, b := range []*bench{plain, secret} {
		lines := regexp.MustCompile(`(?s)<pre class="curl">(.*?)</pre>`).FindAllStringSubmatch(b.do("GET", "/docs", "").text, -1)
		if len(lines) != len(routes()) {
			t.Errorf("%d curl lines for %d routes", len(lines), len(routes()))
		}
		for _, line := range lines {
			text := html.UnescapeString(line[1])
			want := "\n200"
			if strings.Contains(text, "/query/") {
				want = "\n404" // the server of this test has other questions
			}
			cmd := exec.Command("sh", "-c", text+` -w '\n%{http_code}'`)
			cmd.Env = append(cmd.Environ(), "TOKEN="+token)
			if out, err := cmd.CombinedOutput(); err != nil || !strings.HasSuffix(string(out), want) {
				t.Errorf("%s\n%v %s", text, err, out)
			}
			if asks := strings.Contains(text, "$TOKEN"); asks && b == plain {
				t.Errorf("a token for nobody: %s", text)
			}
		}
		var events int
		for _, batch := range b.log.take() {
			events += batch.N
		}
		if events != 3 {
			t.Errorf("the lines stored %d events, want 3", events)
		}
	}
}

// What a caller names as the host comes back as text.
func TestDocsEscapeTheHost(t *testing.T) {
	s, err := New(Config{Log: &fakeLog{}, AllowedHosts: []string{`<i>'"`}})
	if err != nil {
		t.Fatal(err)
	}
	r, w := httptest.NewRequest("GET", "/docs", nil), httptest.NewRecorder()
	r.Host = `<i>'"`
	s.Handler().ServeHTTP(w, r)
	if w.Code != 200 || strings.Contains(w.Body.String(), "<i>") || !strings.Contains(html.UnescapeString(w.Body.String()), `'http://<i>'\''"/health'`) {
		t.Errorf("%d, or the host is in the page as it came", w.Code)
	}
}

func TestCurlOptions(t *testing.T) {
	for _, c := range []struct {
		snap         Snapshot
		url, options string
	}{
		{Snapshot{}, "", ""},
		{Snapshot{Addr: "127.0.0.1:8000"}, "http://127.0.0.1:8000", ""},
		{Snapshot{Addr: "0.0.0.0:8000", Token: true}, "http://127.0.0.1:8000", ` -H "authorization: Bearer $TOKEN"`},
		{Snapshot{Addr: "[::]:8000", TLS: true}, "https://127.0.0.1:8000", ""},
		{Snapshot{Addr: "[::1]:8000", TLS: true, CACert: "/a b/it's.pem", Token: true}, "https://[::1]:8000", ` --cacert '/a b/it'\''s.pem' -H "authorization: Bearer $TOKEN"`},
		{Snapshot{Addr: "10.1.2.3:443", TLS: true, CACert: "/etc/cert.pem"}, "https://10.1.2.3:443", " --cacert /etc/cert.pem"},
	} {
		if got := c.snap.URL(); got != c.url {
			t.Errorf("%+v: URL %s, want %s", c.snap, got, c.url)
		}
		if got := c.snap.CurlOptions(); got != c.options {
			t.Errorf("%+v: options %s, want %s", c.snap, got, c.options)
		}
	}
}

func BenchmarkDocs(b *testing.B) {
	for b.Loop() {
		if _, err := newDocs(); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleSnapshot_CurlOptions() {
	fmt.Println("curl" + Snapshot{Token: true}.CurlOptions())
	// Output: curl -H "authorization: Bearer $TOKEN"
}
