package ingest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

func TestIngestOneAnswersAfterStoring(t *testing.T) {
	b := start(t, nil)
	a := b.do("POST", "/ingest", event("e1", `,"latency_ms":12.5,"color":"red"`), "X-Request-ID", "mine")
	if a.status != 200 || a.text != `{"accepted":1,"duplicate":0,"conflict":0,"event_id":"e1","request_id":"mine"}`+"\n" {
		t.Errorf("got %d %s", a.status, a.text)
	}
	want := `{"event_id":"e1","timestamp":"2026-11-21T07:59:59.000000Z","received_at":"2026-11-21T08:00:00.000000Z","service_name":"checkout",` +
		`"status_code":200,"latency_ms":12.5,"region":"unknown","level":"info","attributes":{"color":"red"}}` + "\n"
	b.wantStored(want)

	a = b.do("POST", "/ingest", `{"timestamp":"2026-11-21T07:59:59Z","service_name":"checkout"}`)
	if id, _ := a.json["event_id"].(string); a.status != 200 || len(id) != 36 {
		t.Errorf("without an id: %d %s", a.status, a.text)
	}
}

// The bad inputs that issue 2 lists, and their kin, at POST /ingest.
func TestIngestOneRefuses(t *testing.T) {
	b := start(t, func(c *Config) { c.MaxBodyBytes = 2 << 20 })
	long := strings.Repeat("x", 100_000)
	try := func(name, body string, status int, field, reason string) {
		t.Helper()
		a := b.do("POST", "/ingest", body)
		got, _ := a.json["field"].(string)
		if text, _ := a.json["reason"].(string); a.status != status || got != field || !strings.Contains(text, reason) {
			t.Errorf("%s: got %d %s\nwant %d, field %q, reason with %q", name, a.status, a.text, status, field, reason)
		}
		if a.json["error"] == nil || a.json["request_id"] != a.header.Get("X-Request-ID") {
			t.Errorf("%s: error and request_id are missing: %s", name, a.text)
		}
		b.wantStored()
	}
	try("empty", "", 400, "", "the body is empty: want one JSON object")
	try("blank", " \r\n\t", 400, "", "the body is empty")
	try("byte order mark alone", "\ufeff", 400, "", "the body is empty")
	try("garbage", "hello", 400, "", "not JSON: invalid character 'h'")
	try("binary garbage", "\x00\x01\xfe\n{", 400, "", "binary data that starts with the bytes 00 01 fe")
	try("gzip without saying so", "\x1f\x8b\x08\x00abc", 400, "", "the gzip data is cut off after 7 bytes")
	try("utf-16", "\xff\xfe{\x00}\x00", 400, "", "send UTF-8")
	try("a form", "--boundary\r\nContent-Disposition: form-data\r\n\r\n{}", 400, "", "--data-binary")
	try("a percent-encoded form", "%7B%22a%22%3A1%7D", 400, "", "--data-binary")
	try("half an event", event("e", "")[:40], 400, "", "no valid JSON")
	try("two events", event("e", "")+"\n"+event("f", ""), 400, "", "more than one JSON value: POST /ingest takes one event")
	try("an array", "["+event("e", "")+"]", 422, "", "POST /ingest/batch takes arrays")
	try("a number", "42", 422, "", "must be one JSON object")
	try("no service", `{"timestamp":"2026-11-21T07:59:59Z"}`, 422, "service_name", "is missing")
	try("no timestamp", `{"service_name":"a"}`, 422, "timestamp", "is missing")
	try("a path for a service", `{"timestamp":"2026-11-21T07:59:59Z","service_name":"../etc"}`, 422, "service_name", "../etc")
	try("wrong type", event("e", `,"latency_ms":"fast"`), 422, "latency_ms", `"fast"`)
	try("negative", event("e", `,"latency_ms":-1`), 422, "latency_ms", "negative")
	try("status of the wrong type", `{"timestamp":"2026-11-21T07:59:59Z","service_name":"a","status_code":"200"}`, 422, "status_code", "number")
	try("status of no meaning", `{"timestamp":"2026-11-21T07:59:59Z","service_name":"a","status_code":99}`, 422, "status_code", "99")
	try("1970", `{"timestamp":0,"service_name":"a"}`, 422, "timestamp", "outside the accepted window")
	try("next year", `{"timestamp":"2027-11-21T07:59:59Z","service_name":"a"}`, 422, "timestamp", "outside the accepted window")
	try("30th of February", `{"timestamp":"2026-02-30T07:59:59Z","service_name":"a"}`, 422, "timestamp", "calendar")
	try("a long endpoint", event("e", `,"endpoint":"`+long[:10_000]+`"`), 422, "endpoint", "10000 bytes long")
	try("a long message", event("e", `,"message":"`+long+`"`), 422, "message", "100000 bytes long")
	try("deep", event("e", `,"a":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)), 422, "", "nested deeper")
	try("very deep", event("e", `,"a":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)), 422, "", "nested deeper")
	try("an enormous latency", event("e", `,"latency_ms":1e999`), 422, "latency_ms", "too large")
}

// What looks odd and is right: it is stored, digit for digit.
func TestIngestOneKeeps(t *testing.T) {
	b := start(t, nil)
	try := func(name, body, part string) {
		t.Helper()
		a := b.do("POST", "/ingest", body)
		got := b.log.take()
		if a.status != 200 || len(got) != 1 || got[0].N != 1 || !strings.Contains(string(got[0].Lines), part) {
			t.Errorf("%s: %d %s, stored %v, want %q in it", name, a.status, a.text, got, part)
		}
	}
	try("unknown keys", event("e", `,"user":{"id":[1,{"a":null}]}`), `"attributes":{"user":{"id":[1,{"a":null}]}}`)
	try("numbers beyond 2^53", event("e", `,"n":12345678901234567890123`), `"n":12345678901234567890123`)
	try("escape sequences", event("e", `,"message":"\u001b[31mred\u009b2J"`), `"message":"\u001b[31mred`)
	try("10k characters", event("e", `,"message":"`+strings.Repeat("é", 10_000)+`"`), strings.Repeat("é", 10_000))
	try("byte order mark", "\ufeff"+event("bom", ""), `"event_id":"bom"`)
	try("over several lines", "{\r\n"+event("lines", "")[1:]+"\r\n", `"event_id":"lines"`)
	try("an upper-case service", `{"timestamp":1795247999,"service_name":"CheckOut"}`, `"service_name":"checkout"`)

	a := b.do("POST", "/ingest", event("e", `,"status_code":500,"x":1,"x":2`))
	if a.json["duplicate_keys"] != 2.0 {
		t.Errorf("duplicate keys: %s", a.text)
	}
	b.wantStored(stored(t, event("e", `,"status_code":500,"x":2`)))
}

func TestBatchStoresTheGoodAndNamesTheBad(t *testing.T) {
	b := start(t, nil)
	one, two, three := event("e1", ""), event("e2", ""), event("e3", "")
	bad := event("bad", `,"latency_ms":"fast"`)
	rejected := func(a answer) string {
		var s []string
		list, _ := a.json["rejected"].([]any)
		for _, r := range list {
			m := r.(map[string]any)
			s = append(s, fmt.Sprintf("%v:%v", m["line"], m["field"]))
		}
		return strings.Join(s, " ")
	}
	try := func(name, body string, status int, bads string, events ...string) {
		t.Helper()
		a := b.do("POST", "/ingest/batch", body)
		if a.status != status || rejected(a) != bads || a.json["accepted"] != float64(len(events)) {
			t.Errorf("%s: %d %s\nwant %d with rejected %q", name, a.status, a.text, status, bads)
		}
		want := make([]string, len(events))
		for i, e := range events {
			want[i] = stored(t, e)
		}
		b.wantStored(want...)
	}
	try("lines", one+"\n"+two+"\n"+three+"\n", 200, "", one, two, three)
	try("lines without the last newline", one+"\n"+two, 200, "", one, two)
	try("carriage returns, blank lines and spaces", "\r\n "+one+" \r\n\r\n\t\n"+two+"\r\n", 200, "", one, two)
	try("byte order mark", "\ufeff"+one+"\n", 200, "", one)
	try("half a last line", one+"\n"+two+"\n"+three[:30], 200, "3:", one, two)
	try("a bad line in the middle", one+"\n"+bad+"\n"+two+"\n", 200, "2:latency_ms", one, two)
	try("blank lines count", "\n\n"+bad+"\n"+one+"\n", 200, "3:latency_ms", one)
	try("garbage between", one+"\nhello\n"+two+"\n[1]\n", 200, "2: 4:", one, two)
	try("newlines that curl -d took away", one+two+bad+three, 200, "1:latency_ms", one, two, three)
	try("one object over several lines", "{\n"+strings.ReplaceAll(one[1:], ",", ",\n")+"\n", 200, "", one)
	try("several arrays of one", "["+one+"]", 200, "", one)
	try("an array", "\ufeff [ "+one+" ,\r\n"+two+","+three+" ]\n", 200, "", one, two, three)
	try("an array with a bad element", "["+one+","+bad+",7,"+two+"]", 200, "2:latency_ms 3:", one, two)
	try("all bad lines", bad+"\n"+bad, 422, "1:latency_ms 2:latency_ms")
	try("all bad elements", "["+bad+"]", 422, "1:latency_ms")
	try("brackets and quotes in strings", "["+event("s", `,"message":"a]},\"[{\\"`)+"]", 200, "", event("s", `,"message":"a]},\"[{\\"`))

	a := b.do("POST", "/ingest/batch", strings.Repeat(bad+"\n", 250)+one)
	if list, _ := a.json["rejected"].([]any); len(list) != 100 || a.json["rejected_total"] != 250.0 || a.json["accepted"] != 1.0 {
		t.Errorf("the list of many: %d listed, %v in total", len(list), a.json["rejected_total"])
	}
	eventually(t, "261 rejected lines are counted", func() bool { return b.Snapshot().Rejected == 250+11 })
}

func TestBatchRefusesWhatItCannotDecode(t *testing.T) {
	b := start(t, func(c *Config) { c.MaxBodyBytes = 1 << 20 })
	one := event("e1", "")
	try := func(name, body, reason string) {
		t.Helper()
		a := b.do("POST", "/ingest/batch", body)
		if text, _ := a.json["reason"].(string); a.status != 400 || !strings.Contains(text, reason) {
			t.Errorf("%s: %d %s, want 400 with %q", name, a.status, a.text, reason)
		}
		b.wantStored()
	}
	try("empty", "", "the body is empty")
	try("blank", "\n \r\n", "the body is empty")
	try("empty array", "[]", "the array is empty")
	try("garbage", "hello\nworld", "at event 1: not JSON: invalid character 'h'")
	try("numbers", "42\n43\n", "at event 1: the event must be one JSON object")
	try("half an object", one[:20], "at event 1: the event is no valid JSON")
	try("half an array", "["+one+","+one[:30], "at event 2: the array is cut off")
	try("an array without its end", "["+one, "at event 1: the array is cut off after it")
	try("an array that ends in a comma", "["+one+",]", "at event 2")
	try("an array without commas", "["+one+" "+one+"]", "want ',' or ']' after it, got '{'")
	try("after the array", "["+one+"]x", "bytes after the end of the array")
	try("after the empty array", "[]x", "bytes after the end of the array")
	try("two arrays", "["+one+"]\n["+one+"]", "bytes after the end of the array")
	try("an array with a broken element", "["+one+`,{"a":}]`, "at event 2: the event is no valid JSON")
	try("an array with a word", "["+one+`,nope]`, "at event 2: not JSON")
	try("brackets that do not match", "["+one+`,{"a":[1}]]`, "at event 2")
	try("deep garbage", strings.Repeat("[", 1<<20), "cut off")
}

func TestTooBig(t *testing.T) {
	b := start(t, nil)
	big := strings.Repeat(event("e", "")+"\n", 50<<20/len(event("e", "")))
	for name, body := range map[string]io.Reader{"announced": strings.NewReader(big), "chunked": io.MultiReader(strings.NewReader(big))} {
		for _, path := range []string{"/ingest", "/ingest/batch"} {
			a := b.send("POST", path, body)
			if a.status != 413 || !strings.Contains(a.text, "the limit is 16777216 bytes") {
				t.Errorf("%s %s: %d %s", name, path, a.status, a.text)
			}
			body = strings.NewReader(big)
		}
	}
	b.wantStored()
}

// Most libraries send the whole body before they read: they get the reason, not a broken pipe.
func TestBigBodyIsTakenOffTheWire(t *testing.T) {
	b := start(t, nil)
	big := strings.Repeat("x", 50<<20)
	for path, status := range map[string]int{"/ingest": 413, "/nothing": 404, "/health": 405} {
		if a := b.read(b.dial(post(path, big))); a.status != status {
			t.Errorf("%s: %d %s, want %d", path, a.status, a.text, status)
		}
	}
}

func TestBodyLimitIsExact(t *testing.T) {
	body := event("e", "")
	b := start(t, func(c *Config) { c.MaxBodyBytes = int64(len(body)) })
	for _, r := range []func(string) io.Reader{func(s string) io.Reader { return strings.NewReader(s) }, func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }} {
		if a := b.send("POST", "/ingest", r(body)); a.status != 200 {
			t.Errorf("at the limit: %d %s", a.status, a.text)
		}
		if a := b.send("POST", "/ingest", r(body+" ")); a.status != 413 {
			t.Errorf("one above: %d %s", a.status, a.text)
		}
	}
	if got := len(b.log.take()); got != 2 {
		t.Errorf("%d appended, want 2", got)
	}
}

func TestAppendErrors(t *testing.T) {
	b := start(t, nil)
	try := func(err error, status int, retry time.Duration, text string) {
		t.Helper()
		for _, path := range []string{"/ingest", "/ingest/batch"} {
			b.log.fail(err)
			a := b.do("POST", path, event("e", ""))
			if a.status != status || !strings.Contains(a.text, text) {
				t.Errorf("%v: %d, %s", err, a.status, a.text)
			}
			if retry > 0 {
				a.wantRetry(t, err.Error(), retry)
			} else if got := a.header.Get("Retry-After"); got != "" {
				t.Errorf("%v: Retry-After %s", err, got)
			}
			b.heal()
		}
		b.wantStored()
	}
	try(fmt.Errorf("append: %w", lake.ErrBacklog), 429, 5*time.Second, "nothing of this request was stored")
	try(&lake.BacklogError{Hot: 3, Limit: 2, PerSec: 1, Wait: 20 * time.Second}, 429, 20*time.Second, "nothing of this request was stored")
	try(&lake.BacklogError{Hot: 3, Limit: 2, Wait: -1}, 429, 5*time.Second, "nothing of this request was stored")
	try(fmt.Errorf("append: %w", lake.ErrLogFailed), 503, time.Second, "not acknowledged")
	try(fmt.Errorf("write x: %w", syscall.ENOSPC), 503, time.Second, "the disk is full")
	try(fmt.Errorf("%w: %w", lake.ErrLogFailed, syscall.ENOSPC), 503, time.Second, "the disk is full")
	try(lake.ErrClosed, 503, 5*time.Second, "closing")
	try(lake.ErrReadOnly, 503, 0, "may not write")
	try(context.DeadlineExceeded, 503, 10*time.Second, "did not confirm in time")
	try(fmt.Errorf("strange"), 500, 0, "strange")
	if snap := b.Snapshot(); snap.Accepted != 0 || snap.AckP50 != 0 {
		t.Errorf("refused events were counted: %+v", snap)
	}
	b.log.fail(nil)
	if a := b.do("POST", "/ingest", event("e", "")); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.text)
	}
}

func TestPartitionGuardRefuses(t *testing.T) {
	guard := lake.NewPartitionGuard(1, func() time.Time { return testNow })
	b := start(t, func(c *Config) { c.Guard = guard })
	other := strings.Replace(event("e2", ""), "checkout", "auth", 1)
	a := b.do("POST", "/ingest/batch", event("e1", "")+"\n"+other+"\n"+event("e3", ""))
	if a.status != 200 || a.json["rejected_total"] != 1.0 || !strings.Contains(a.text, `"line":2,"field":"service_name"`) {
		t.Errorf("got %d %s", a.status, a.text)
	}
	b.wantStored(stored(t, event("e1", "")), stored(t, event("e3", "")))
}

func TestMethodsOfIngest(t *testing.T) {
	b := start(t, nil)
	for _, path := range []string{"/ingest", "/ingest/batch"} {
		if a := b.do(http.MethodGet, path, ""); a.status != 405 || a.header.Get("Allow") != "POST" {
			t.Errorf("GET %s: %d %v", path, a.status, a.header)
		}
	}
}
