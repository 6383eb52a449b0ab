package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

const badEvent = `{"timestamp":"2026-11-21T07:59:59Z","service_name":"a","latency_ms":"fast"}`

// wantReplay sends the same request again and compares: the same answer, but for the header that says so.
func (b *bench) wantReplay(first answer, path, body, key string) {
	b.t.Helper()
	again := b.do("POST", path, body, idempotencyHeader, key, "X-Request-ID", "again")
	if again.status != first.status || again.text != first.text {
		b.t.Errorf("%s again: %d %swant %d %s", key, again.status, again.text, first.status, first.text)
	}
	if got := again.header.Get(replayedHeader); got != "true" || again.header.Get("X-Request-ID") != "again" {
		b.t.Errorf("%s again: %s %q, X-Request-ID %q", key, replayedHeader, got, again.header.Get("X-Request-ID"))
	}
	if n := len(b.log.take()); n != 0 {
		b.t.Errorf("%s again: %d batches were appended", key, n)
	}
	if letters := b.log.takeLetters(); len(letters) != 0 {
		b.t.Errorf("%s again: buried %v", key, letters)
	}
}

func TestKeyGetsTheSameAnswer(t *testing.T) {
	b := start(t, nil)
	try := func(path, key, body string, status int, answer string) {
		t.Helper()
		a := b.do("POST", path, body, idempotencyHeader, key, "X-Request-ID", "first")
		if a.status != status || a.text != answer+"\n" || a.header.Get(replayedHeader) != "" {
			t.Errorf("%s: %d %s %v", key, a.status, a.text, a.header)
		}
		b.log.take()
		b.log.takeLetters()
		b.wantReplay(a, path, body, key)
	}
	try("/ingest", "one", event("e1", `,"x":1,"x":2`), 200, `{"accepted":1,"duplicate":0,"conflict":0,"event_id":"e1","duplicate_keys":1,"request_id":"first"}`)
	try("/ingest", "bad", badEvent, 422, `{"error":"the event breaks the contract","field":"latency_ms","reason":"must be a number without quotes, got \"fast\"","request_id":"first"}`)
	try("/ingest/batch", "many", event("e1", "")+"\n"+event("e2", ""), 200, `{"accepted":2,"duplicate":0,"conflict":0,"rejected":[],"rejected_total":0,"request_id":"first"}`)
	rejected := `"rejected":[{"line":2,"field":"latency_ms","reason":"must be a number without quotes, got \"fast\""}],"rejected_total":1,"request_id":"first"}`
	try("/ingest/batch", "mixed", event("e1", "")+"\n"+badEvent, 200, `{"accepted":1,"duplicate":0,"conflict":0,`+rejected)
	rejected = strings.Replace(rejected, `"line":2`, `"line":1`, 1)
	try("/ingest/batch", "all bad", badEvent, 422, `{"error":"every event breaks the contract","accepted":0,"duplicate":0,"conflict":0,`+rejected)

	b.log.duplicates, b.log.conflicts = 2, 1
	try("/ingest/batch", "counted", event("e1", "")+"\n"+event("e2", "")+"\n"+event("e3", ""), 200,
		`{"accepted":1,"duplicate":2,"conflict":1,"rejected":[],"rejected_total":0,"request_id":"first"}`)
	b.log.duplicates, b.log.conflicts = 1, 0
	try("/ingest", "known", event("e1", ""), 200, `{"accepted":0,"duplicate":1,"conflict":0,"event_id":"e1","request_id":"first"}`)

	eventually(t, "all are counted", func() bool { return b.Snapshot().Requests == 14 })
	snap := b.Snapshot()
	if snap.Replayed != 7 || snap.Accepted != 5 || snap.Duplicates != 3 || snap.Conflicts != 1 || snap.Rejected != 3 || snap.Keys.Remembered != 7 {
		t.Errorf("counted %+v", snap)
	}
	if r := snap.Recent[0]; !r.Replayed || r.Events != 0 || r.Duplicates != 0 {
		t.Errorf("the record of a replay: %+v", r)
	}
	if r := snap.Recent[3]; r.Replayed || r.Events != 1 || r.Duplicates != 2 || r.Conflicts != 1 {
		t.Errorf("the record of duplicates: %+v", r)
	}
	lines := b.out.lines()
	if !strings.Contains(lines[11-1], `"events":1,"rejected":0,"duplicates":2,"conflicts":1`) || !strings.Contains(lines[11], `"replayed":true`) {
		t.Errorf("log lines %s\n%s", lines[10], lines[11])
	}
}

func TestKeyWithoutRejectsThatFit(t *testing.T) {
	b := start(t, nil)
	body := event("e1", "") + strings.Repeat("\n"+badEvent, 250)
	first := b.do("POST", "/ingest/batch", body, idempotencyHeader, "k")
	again := b.do("POST", "/ingest/batch", body, idempotencyHeader, "k")
	count := func(a answer) int { return len(a.json["rejected"].([]any)) }
	if first.json["rejected_total"] != 250.0 || again.json["rejected_total"] != 250.0 || count(first) != 100 || count(again) < 30 || count(again) >= 100 {
		t.Errorf("listed %d, then %d of %v and %v", count(first), count(again), first.json["rejected_total"], again.json["rejected_total"])
	}
	if got := b.log.take(); len(got) != 1 || len(got[0].Note) > maxNote || len(got[0].Note) < maxNote-200 {
		t.Errorf("%d batches, a note of %d bytes", len(got), len(got[0].Note))
	}
}

func TestKeySyntax(t *testing.T) {
	b := start(t, nil)
	try := func(key, reason string) {
		t.Helper()
		a := b.do("POST", "/ingest", event("e", ""), idempotencyHeader, key)
		if a.status != 400 || !strings.Contains(a.text, "the Idempotency-Key header cannot be used") || !strings.Contains(a.text, reason) {
			t.Errorf("%q: %d %s", key, a.status, a.text)
		}
		b.wantStored()
	}
	try("", "must be 1 to 255 bytes long, got 0")
	try(`""`, "got 0")
	try(strings.Repeat("k", 256), "got 256")
	try("schlüssel", "printable ASCII, got byte 0xc3")
	try("tab\tkey", "got byte 0x09")
	try(`"half`, "does not end with one")
	try(`"a"b`, "behind its closing quote")
	try(`"a";q=1`, "behind its closing quote")
	try(`"a\n"`, "neither")
	if a := b.do("POST", "/ingest", event("e", ""), idempotencyHeader, "a", idempotencyHeader, "b"); a.status != 400 || !strings.Contains(a.text, "2 times") {
		t.Errorf("two headers: %d %s", a.status, a.text)
	}
	b.wantStored()

	same := func(first, second string) {
		t.Helper()
		a := b.do("POST", "/ingest", event("e", ""), idempotencyHeader, first)
		if a.status != 200 || len(b.log.take()) != 1 {
			t.Errorf("%q: %d %s", first, a.status, a.text)
		}
		b.wantReplay(a, "/ingest", event("e", ""), second)
	}
	same(`"quoted \"key\" \\"`, `"quoted \"key\" \\"`)
	same("bare", `"bare"`)
	same("k", "k")
	same(strings.Repeat("k", 255), `"`+strings.Repeat("k", 255)+`"`)
	same("a b ~!#", `"a b ~!#"`)
}

// A key belongs to a token and a route, and to one body.
func TestKeyScope(t *testing.T) {
	b, one := startWithTokens(t, nil)
	b.wantFresh("/ingest", event("e", ""), "Authorization", "Bearer "+one)
	b.wantFresh("/ingest/batch", event("e", ""), "Authorization", "Bearer "+one)
	if a := b.do("POST", "/ingest", event("other", ""), idempotencyHeader, "k", "Authorization", "Bearer "+one); a.status != 422 || !strings.Contains(a.text, "was used with another body") {
		t.Errorf("another body: %d %s", a.status, a.text)
	}
	b.wantStored()
	if a := b.do("POST", "/ingest", event("e", ""), idempotencyHeader, "k"); a.status != 401 {
		t.Errorf("without a token: %d %s", a.status, a.text)
	}
	if keyIDOf("a", "/ingest", "k") == keyIDOf("b", "/ingest", "k") || keyIDOf("", "/ingest", "k") == keyIDOf("", "/ingest/", "k") || keyIDOf("a", "b", "c") == keyIDOf("ab", "", "c") {
		t.Error("keys of different scopes are one")
	}
}

// A retry that is compressed otherwise is the same request: the body is known by what it holds.
func TestKeyKnowsTheBodyHoweverItIsPacked(t *testing.T) {
	b := start(t, nil)
	body := event("e", "") + "\n" + event("f", "")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(body)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	first := b.do("POST", "/ingest/batch", packed.String(), idempotencyHeader, "k", "Content-Encoding", "gzip")
	if n := len(b.log.take()); first.status != 200 || n != 1 {
		t.Fatalf("%d %s, %d batches", first.status, first.text, n)
	}
	b.wantReplay(first, "/ingest/batch", body, "k")
}

func (b *bench) wantFresh(path, body string, headers ...string) {
	b.t.Helper()
	a := b.do("POST", path, body, append(headers, idempotencyHeader, "k")...)
	if n := len(b.log.take()); a.status != 200 || a.header.Get(replayedHeader) != "" || n != 1 {
		b.t.Errorf("%s: %d %s, %d batches", path, a.status, a.text, n)
	}
}

// While the first is under way the others wait; then all have its answer.
func TestKeyInFlight(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{}), entered: make(chan struct{}, 1)}
	b := start(t, func(c *Config) { c.Log = log })
	const n = 32
	answers := make(chan answer, n)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { answers <- b.do("POST", "/ingest/batch", event("e", "")+"\nhello", idempotencyHeader, "k") })
	}
	<-log.entered
	eventually(t, "all are here", func() bool { return b.Snapshot().InFlight == n })
	if a := b.do("POST", "/ingest/batch", event("f", ""), idempotencyHeader, "k"); a.status != 422 {
		t.Errorf("another body meanwhile: %d %s", a.status, a.text)
	}
	close(log.gate)
	wg.Wait()
	close(answers)
	replayed, text := 0, ""
	for a := range answers {
		if a.header.Get(replayedHeader) != "" {
			replayed++
		}
		if text == "" {
			text = a.text
		}
		if a.status != 200 || a.text != text {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
	if letters := log.takeLetters(); replayed != n-1 || len(letters) != 1 {
		t.Errorf("%d of %d are replays, %d letters", replayed, n, len(letters))
	}
	b.wantStored(stored(t, event("e", "")))
}

// The first one fails: one of those that wait takes the key over, and what was buried is not buried again.
func TestKeyIsTakenOver(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{}), entered: make(chan struct{}, 8)}
	b := start(t, func(c *Config) { c.Log = log })
	const n = 4
	answers := make(chan answer, n)
	for range n {
		go func() { answers <- b.do("POST", "/ingest/batch", event("e", "")+"\nhello", idempotencyHeader, "k") }()
	}
	<-log.entered
	eventually(t, "all are here", func() bool { return b.Snapshot().InFlight == n })
	log.fail(errors.New("strange"))
	log.gate <- struct{}{}
	if a := <-answers; a.status != 500 {
		t.Errorf("the first: %d %s", a.status, a.text)
	}
	<-log.entered
	log.fail(nil)
	close(log.gate)
	replayed := 0
	for range n - 1 {
		a := <-answers
		if a.status != 200 || a.json["rejected_total"] != 1.0 {
			t.Errorf("the others: %d %s", a.status, a.text)
		}
		if a.header.Get(replayedHeader) != "" {
			replayed++
		}
	}
	if letters := log.takeLetters(); replayed != n-2 || len(letters) != 1 {
		t.Errorf("%d replays, %d letters", replayed, len(letters))
	}
	b.wantStored(stored(t, event("e", "")))
}

func TestKeyWaitIsBounded(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{}), entered: make(chan struct{}, 1)}
	b := start(t, func(c *Config) { c.Log, c.KeyWait = log, 10*time.Millisecond })
	first := b.dial(postKey("/ingest", event("e", "")))
	<-log.entered
	a := b.do("POST", "/ingest", event("e", ""), idempotencyHeader, "k")
	a.wantRetry(t, "a key at work", retryKey)
	if a.status != 503 || !strings.Contains(a.text, "has not ended yet") {
		t.Errorf("%d %s", a.status, a.text)
	}
	if health := b.do("GET", "/health", ""); health.status != 200 {
		t.Errorf("health: %s", health.text)
	}
	close(log.gate)
	if a := b.read(first); a.status != 200 {
		t.Errorf("the first: %d %s", a.status, a.text)
	}
}

func postKey(path, body string) string {
	return strings.Replace(post(path, body), "\r\n\r\n", "\r\nIdempotency-Key: k\r\n\r\n", 1)
}

// Who went away while it waited leaves at once; who went away while its own events were stored finds them stored.
func TestKeyOfClientThatWentAway(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{}), entered: make(chan struct{}, 1)}
	b := start(t, func(c *Config) { c.Log = log })
	first := b.dial(postKey("/ingest", event("e", "")))
	<-log.entered
	second := b.dial(postKey("/ingest", event("e", "")))
	eventually(t, "both are here", func() bool { return b.Snapshot().InFlight == 2 })
	second.Close()
	eventually(t, "the second is gone", func() bool { return b.Snapshot().InFlight == 1 })
	first.Close()
	close(log.gate)
	eventually(t, "the first is stored", func() bool { return b.Snapshot().Requests == 2 })
	if a := b.do("POST", "/ingest", event("e", ""), idempotencyHeader, "k"); a.status != 200 || a.header.Get(replayedHeader) == "" {
		t.Errorf("%d %s", a.status, a.text)
	}
	b.wantStored(stored(t, event("e", "")))

	text := postKey("/ingest", event("cut", ""))
	conn := b.dial(text[:len(text)-9])
	_ = conn.(*net.TCPConn).CloseWrite()
	if a := b.read(conn); a.status != 400 {
		t.Errorf("half a body: %d %s", a.status, a.text)
	}
}

// What is not final leaves the key unused: with any body it is then as new.
func TestKeyIsNotUsed(t *testing.T) {
	b := start(t, func(c *Config) { c.MaxBodyBytes = 1000 })
	n := 0
	try := func(err error, body string, status int) {
		t.Helper()
		n++
		key := fmt.Sprint("key ", n)
		b.log.fail(err)
		if a := b.do("POST", "/ingest/batch", body, idempotencyHeader, key); a.status != status || a.header.Get(replayedHeader) != "" {
			t.Errorf("%v: %d %s", err, a.status, a.text)
		}
		b.heal()
		if a := b.do("POST", "/ingest/batch", event("other", ""), idempotencyHeader, key); a.status != 200 || a.header.Get(replayedHeader) != "" {
			t.Errorf("%v, then another body: %d %s", err, a.status, a.text)
		}
		b.wantStored(stored(t, event("other", "")))
	}
	try(lake.ErrBacklog, event("e", ""), 429)
	try(lake.ErrLogFailed, event("e", ""), 503)
	try(lake.ErrLogFailed, event("e", "")+"\nhello", 503)
	try(lake.ErrLogFailed, badEvent, 503)
	try(syscall.ENOSPC, event("e", ""), 503)
	try(lake.ErrClosed, event("e", ""), 503)
	try(fmt.Errorf("strange"), event("e", ""), 500)
	try(nil, "garbage", 400)
	try(nil, "", 400)
	try(nil, strings.Repeat("x", 2000), 413)
}

// The letters of a request whose append failed are there when it comes again, whoever fails how often; another body has its own.
func TestKeyBuriesOnce(t *testing.T) {
	b := start(t, nil)
	many := event("e", "") + strings.Repeat("\n"+strings.Repeat("hello ", 40), 2*maxLetters+5) // so long that each has a letter
	post := func(body string, status, letters int) {
		t.Helper()
		a := b.do("POST", "/ingest/batch", body, idempotencyHeader, "k")
		if got := b.log.takeLetters(); a.status != status || len(got) != letters {
			t.Errorf("%d with %d letters, want %d with %d: %.200s", a.status, len(got), status, letters, a.text)
		}
	}
	b.log.fail(errors.New("strange"))
	post(many, 500, 2*maxLetters+5)
	post(many, 500, 0)
	post(badEvent, 500, 1)
	post(badEvent, 500, 0)
	post("hello", 400, 1)
	post("hello", 400, 0)
	post(many, 500, 2*maxLetters+5)
	b.log.fail(nil)
	post(many, 200, 0)
	post(many, 200, 0)
	if got := b.log.take(); len(got) != 1 {
		t.Errorf("%d batches", len(got))
	}
	if left := b.Snapshot().Keys.Remembered; left != 1 {
		t.Errorf("%d keys", left)
	}
}

// A sender with a key who will be told to come again leaves nothing, though every line of it is bad.
func TestKeyBacklogKeepsNothing(t *testing.T) {
	b := start(t, nil)
	b.log.backlog = fmt.Errorf("%w: full", lake.ErrBacklog)
	if a := b.do("POST", "/ingest/batch", badEvent, idempotencyHeader, "k"); a.status != 429 || len(b.log.takeLetters()) != 0 {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestShutdownEndsWhoWaitsForAKey(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{}), entered: make(chan struct{}, 1)}
	b := start(t, func(c *Config) { c.Log = log })
	b.dial(postKey("/ingest", event("e", "")))
	<-log.entered
	waiting := b.dial(postKey("/ingest", event("e", "")))
	eventually(t, "both are here", func() bool { return b.Snapshot().InFlight == 2 })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := b.Shutdown(ctx); err == nil {
		t.Error("shutdown did not have to cut anybody off")
	}
	if n := b.Snapshot().InFlight; n != 0 {
		t.Errorf("%d handlers still run", n)
	}
	if resp, err := http.ReadResponse(bufio.NewReader(waiting), nil); err == nil && resp.StatusCode != 503 {
		t.Errorf("who waited was told %d", resp.StatusCode)
	}
}
