package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	shipperToken = "shipper-secret-0123456789"
	webToken     = "web-secret-9876543210/+~.="
)

// writeTokens makes a token file and returns its path.
func writeTokens(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// startWithTokens serves with the tokens of a shipper and of a web tier, and returns the shipper's.
func startWithTokens(t testing.TB, change func(*Config)) (*bench, string) {
	t.Helper()
	path := writeTokens(t, "shipper "+shipperToken+"\nweb: "+webToken+"\n")
	return start(t, func(c *Config) {
		c.TokenFile = path
		if change != nil {
			change(c)
		}
	}), shipperToken
}

// moving is a clock that a test moves while requests read it.
type moving struct {
	mu sync.Mutex
	at time.Time
}

func (m *moving) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at
}

func (m *moving) pass(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = m.at.Add(d)
}

func TestTokenIsAskedFor(t *testing.T) {
	b, _ := startWithTokens(t, func(c *Config) { c.Ask = answerByName })
	missing, wrong, odd := "there is no token", "the token is not known here", "must be one, and of the form"
	try := func(status int, reason string, authorization ...string) {
		t.Helper()
		var headers []string
		for _, value := range authorization {
			headers = append(headers, "Authorization", value)
		}
		for _, r := range [][3]string{{"POST", "/ingest", event("e", "")}, {"POST", "/ingest/batch", event("e", "")}, {"GET", "/query/fine", ""}, {"HEAD", "/query/fine", ""}} {
			a := b.do(r[0], r[1], r[2], headers...)
			if a.status != status || r[0] != "HEAD" && !strings.Contains(a.text, reason) || status == 401 && a.header.Get("WWW-Authenticate") != `Bearer realm="signallake"` {
				t.Errorf("%s %s with %q: %d %s, want %d with %q", r[0], r[1], authorization, a.status, a.text, status, reason)
			}
			for _, value := range authorization {
				if _, secret, _ := strings.Cut(value, " "); len(secret) > 3 && strings.Contains(a.text, secret) {
					t.Errorf("the answer repeats the token: %s", a.text)
				}
			}
		}
		if got := len(b.log.take()); (got == 0) != (status == 401) {
			t.Errorf("with %q %d batches were stored", authorization, got)
		}
	}
	try(200, "", "Bearer "+shipperToken)
	try(200, "", "bearer  "+shipperToken)
	try(200, "", "BEARER "+webToken)
	try(401, missing)
	try(401, wrong, "Bearer "+shipperToken+"x")
	try(401, wrong, "Bearer "+shipperToken[:len(shipperToken)-1])
	try(401, wrong, "Bearer "+strings.ToUpper(shipperToken))
	try(401, wrong, "Bearer shipper")
	try(401, wrong, "Bearer ")
	try(401, wrong, "Bearer")
	try(401, odd, "Basic "+shipperToken)
	try(401, odd, shipperToken)
	try(401, odd, "")
	try(401, odd, "Bearer "+shipperToken, "Bearer "+shipperToken)
}

func TestOpenRoutesAskNobody(t *testing.T) {
	b, _ := startWithTokens(t, func(c *Config) { c.Health = func() map[string]any { return map[string]any{"events_visible": 42} } })
	for _, path := range []string{"/docs", "/openapi.json"} {
		if a := b.do("GET", path, ""); a.status != 200 {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	keys := func(headers ...string) string {
		t.Helper()
		a := b.do("GET", "/health", "", append(headers, "X-Request-ID", "h")...)
		if a.status != 200 {
			t.Errorf("%d %s", a.status, a.text)
		}
		return a.text
	}
	short := `{"program":"signallake","request_id":"h","status":"ok"}` + "\n"
	if got := keys(); got != short {
		t.Errorf("without a token: %s", got)
	}
	if got := keys("Authorization", "Bearer wrong-wrong-wrong-wrong"); got != short {
		t.Errorf("with a wrong token: %s", got)
	}
	if got := keys("Authorization", "Bearer "+shipperToken); !strings.Contains(got, `"events_visible":42`) || !strings.Contains(got, `"requests":`) {
		t.Errorf("with a token: %s", got)
	}
	b.stopping.Store(true)
	if a := b.do("GET", "/health", ""); a.status != 503 || strings.Contains(a.text, "why") {
		t.Errorf("stopping: %d %s", a.status, a.text)
	}
	b.stopping.Store(false)
}

// The name of the token is the source everywhere; without tokens the address is.
func TestTokenNamesTheSource(t *testing.T) {
	b, _ := startWithTokens(t, nil)
	b.do("POST", "/ingest/batch", event("e", "")+"\n{bad", "Authorization", "Bearer "+webToken)
	eventually(t, "the request is counted", func() bool { return b.Snapshot().Requests == 1 && len(b.out.lines()) == 1 })
	snap := b.Snapshot()
	if snap.Recent[0].Source != "web" || snap.Rejects[0].Source != "web" || !strings.Contains(b.out.lines()[0], `"source":"web"`) {
		t.Errorf("%+v\n%s", snap, b.out.lines())
	}
	plain := start(t, nil)
	plain.do("POST", "/ingest/batch", event("e", "")+"\n{bad", "Authorization", "Bearer "+webToken)
	eventually(t, "the request is counted", func() bool { return plain.Snapshot().Requests == 1 && len(plain.out.lines()) == 1 })
	snap = plain.Snapshot()
	if snap.Recent[0].Source != "" || !strings.HasPrefix(snap.Rejects[0].Source, "127.0.0.1:") || strings.Contains(plain.out.lines()[0], "source") {
		t.Errorf("without tokens: %+v\n%s", snap, plain.out.lines())
	}
}

// No token is ever written anywhere: not of a good request, not of a refused one, not in a panic, not in what the server tells of itself.
func TestTokensAreNeverWritten(t *testing.T) {
	clock := &moving{at: testNow}
	path := writeTokens(t, "shipper "+shipperToken+"\n")
	b := start(t, func(c *Config) { c.TokenFile, c.Ask, c.Now = path, answerByName, clock.now })
	const stranger = "stranger-secret-55555"
	var seen strings.Builder
	for _, secret := range []string{shipperToken, stranger} {
		for _, r := range [][3]string{
			{"POST", "/ingest", event("e", "")}, {"POST", "/ingest", "nonsense"}, {"POST", "/ingest/batch", "{bad"}, {"GET", "/query/panic", ""}, {"GET", "/query/broken", ""},
			{"GET", "/health", ""}, {"GET", "/docs", ""}, {"GET", "/nothing", ""}, {"BREW", "/ingest", ""},
		} {
			for _, value := range []string{"Bearer " + secret, "Basic " + secret, secret} {
				a := b.do(r[0], r[1], r[2], "Authorization", value)
				fmt.Fprintln(&seen, a.text, a.header)
			}
		}
	}
	for _, text := range []string{"shipper " + shipperToken + "\n" + shipperToken + " shipper\n", shipperToken, "x " + shipperToken + "\ny " + shipperToken, "shipper\x00 " + shipperToken, "x " + shipperToken + "\xff"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		clock.pass(lookEvery)
		a := b.do("GET", "/health", "", "Authorization", "Bearer "+shipperToken)
		if a.json["access_error"] == nil {
			t.Errorf("%q makes no trouble: %s", text, a.text)
		}
		fmt.Fprintln(&seen, a.text)
	}
	eventually(t, "every request is in the log", func() bool { return len(b.out.lines()) >= 2*9*3+5 })
	snap, err := json.Marshal(b.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	everything := seen.String() + strings.Join(b.out.lines(), "\n") + string(snap) + fmt.Sprintf("%+v %#v", b.Snapshot(), b.Server.tokens.value)
	if !strings.Contains(everything, "panic: boom") || !strings.Contains(everything, "shipper") {
		t.Error("this test is looking in the wrong place")
	}
	for _, secret := range []string{shipperToken, stranger, "Bearer "} {
		if at := strings.Index(strings.ReplaceAll(everything, "Bearer TOKEN", ""), secret); at >= 0 && secret != "Bearer " {
			t.Errorf("%q was written: %.300s", secret, everything[max(0, at-100):])
		}
	}
}

// A token is taken back without a restart, and a slip of the editor locks nobody out.
func TestTokenFileIsReadAgain(t *testing.T) {
	clock := &moving{at: testNow}
	path := writeTokens(t, "shipper "+shipperToken+"\n")
	b := start(t, func(c *Config) { c.TokenFile, c.Now = path, clock.now })
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := func(token string, status int) {
		t.Helper()
		if a := b.do("POST", "/ingest", event("e", ""), "Authorization", "Bearer "+token); a.status != status {
			t.Errorf("%s: %d %s, want %d", token, a.status, a.text, status)
		}
	}
	trouble := func(part string) {
		t.Helper()
		a := b.do("GET", "/health", "", "Authorization", "Bearer "+webToken)
		if got, _ := a.json["access_error"].(string); a.status != 200 || part == "" && got != "" || !strings.Contains(got, part) {
			t.Errorf("health says %s, want %q", a.text, part)
		}
	}
	inLog := func(part string, times int) {
		t.Helper()
		if got := strings.Count(strings.Join(b.out.lines(), "\n"), part); got != times {
			t.Errorf("the log says %q %d times, want %d", part, got, times)
		}
	}
	want(webToken, 401)
	write("web " + webToken + "\n")
	want(shipperToken, 200) // not looked at yet
	clock.pass(lookEvery)
	want(shipperToken, 401)
	want(webToken, 200)
	inLog("token file "+path+": read again", 1)
	trouble("")

	for _, broken := range []func(){
		func() { write("web short\n") }, func() { write("") }, func() { os.Chmod(path, 0o644) }, func() { os.Remove(path) },
	} {
		broken()
		for range 3 {
			clock.pass(lookEvery)
			want(webToken, 200)
		}
	}
	trouble("no such file")
	inLog("line 1: the token has 5 characters", 1)
	inLog("holds no token", 1)
	inLog("chmod 600", 1)
	inLog("what was read before stays in force", 4)

	write("web " + webToken + "\n")
	clock.pass(lookEvery)
	trouble("")
	inLog("read again", 2)
	clock.pass(-time.Hour) // the clock was set back: the file is looked at all the same
	write("shipper " + shipperToken + "\n")
	want(webToken, 401)
}

func TestTokensUnderLoad(t *testing.T) {
	b, _ := startWithTokens(t, func(c *Config) { c.Now = time.Now })
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				token, status := shipperToken, 200
				if (i+j)%2 == 0 {
					token, status = "nobody-nobody-nobody", 401
				}
				r, err := http.NewRequestWithContext(context.Background(), "POST", b.url+"/ingest/batch", strings.NewReader(fmt.Sprintf(`{"timestamp":%d,"service_name":"a"}`, time.Now().Unix())))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Authorization", "Bearer "+token)
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				if a := readAnswer(t, resp); a.status != status {
					t.Errorf("%s: %d %s", token, a.status, a.text)
				}
			}
		})
	}
	wg.Wait()
}
