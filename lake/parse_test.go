package lake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// testNow is the clock of these tests: 2026-11-21T08:00:00Z.
const testNow Micros = 1_795_248_000_000_000

// full is an event with every key.
const full = `{"event_id":"e-1","timestamp":"2026-11-21T07:56:05.123456Z","service_name":"checkout","endpoint":"/cart","method":"POST",` +
	`"status_code":503,"latency_ms":12.5,"region":"eu-west-1","host":"h1","level":"ERROR","message":"no \"stock\"\n\u00e9\u0000","request_id":"r",` +
	`"trace_id":"t","span_id":"s","cart":{"items":[1, 2.50, 12345678901234567890]},"attributes":{"tier":"gold"}}`

func TestParseTakesEveryField(t *testing.T) {
	var e Event
	duplicates, err := Contract{}.Parse([]byte(full), testNow, &e)
	if err != nil || duplicates != 0 {
		t.Fatalf("duplicates %d, err %v", duplicates, err)
	}
	want := Event{EventID: "e-1", GivenID: true, Timestamp: 1795247765123456, ReceivedAt: testNow, ServiceName: "checkout", Endpoint: "/cart", Method: "POST",
		StatusCode: 503, LatencyMS: 12.5, HasLatency: true, Region: "eu-west-1", Host: "h1", Level: "error", Message: "no \"stock\"\né\x00",
		RequestID: "r", TraceID: "t", SpanID: "s", Attributes: `{"cart":{"items":[1,2.50,12345678901234567890]},"tier":"gold"}`}
	if e != want {
		t.Errorf("got  %+v\nwant %+v", e, want)
	}
	line := string(e.AppendLine(nil))
	wantLine := `{"event_id":"e-1","timestamp":"2026-11-21T07:56:05.123456Z","received_at":"2026-11-21T08:00:00.000000Z","service_name":"checkout",` +
		`"endpoint":"/cart","method":"POST","status_code":503,"latency_ms":12.5,"region":"eu-west-1","host":"h1","level":"error",` +
		`"message":"no \"stock\"\n` + "é" + `\u0000","request_id":"r","trace_id":"t","span_id":"s","attributes":{"cart":{"items":[1,2.50,12345678901234567890]},"tier":"gold"}}` + "\n"
	if line != wantLine {
		t.Errorf("line %s\nwant %s", line, wantLine)
	}
}

func TestParseDoesNotAliasItsInput(t *testing.T) {
	object := []byte(full)
	var e Event
	if _, err := (Contract{}).Parse(object, testNow, &e); err != nil {
		t.Fatal(err)
	}
	before := string(e.AppendLine(nil))
	for i := range object {
		object[i] = 'X'
	}
	if after := string(e.AppendLine(nil)); after != before {
		t.Errorf("the event changed with its input: %s", after)
	}
}

func TestParseFillsWhatIsAbsent(t *testing.T) {
	check := func(status, level string) {
		t.Helper()
		var e Event
		in := `{"timestamp":1795247765,"service_name":"Check-Out.2_x"` + status + `,"host":null,"message":"","event_id":null,"latency_ms":null}`
		if _, err := (Contract{}).Parse([]byte(in), testNow, &e); err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		id, err := uuid.Parse(e.EventID)
		if err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 {
			t.Errorf("event id %q: %v, version %d", e.EventID, err, id.Version())
		}
		if sec, nsec := id.Time().UnixTime(); sec*1e6+nsec/1e3 != int64(testNow) {
			t.Errorf("event id %q has the time %d.%09d", e.EventID, sec, nsec)
		}
		e.EventID = ""
		want := Event{Timestamp: 1795247765000000, ReceivedAt: testNow, ServiceName: "check-out.2_x", Region: "unknown", Level: level, StatusCode: e.StatusCode}
		if e != want {
			t.Errorf("%s: got %+v\nwant %+v", in, e, want)
		}
	}
	check("", "info")
	check(`,"status_code":null`, "info")
	check(`,"status_code":0`, "info")
	check(`,"status_code":200.0`, "info")
	check(`,"status_code":399`, "info")
	check(`,"status_code":4e2`, "warn")
	check(`,"status_code":499`, "warn")
	check(`,"status_code":500`, "error")
	check(`,"status_code":599,"level":""`, "error")
}

// with is a valid event with extra members.
func with(members string) string {
	return `{"timestamp":"2026-11-21T07:00:00Z","service_name":"s",` + members + `}`
}

// refuses makes a check that an input is refused for a field with a reason.
func refuses(t *testing.T) func(in, field, reason string) {
	return func(in, field, reason string) {
		t.Helper()
		var e Event
		_, err := Contract{}.Parse([]byte(in), testNow, &e)
		var fe *FieldError
		if !errors.As(err, &fe) {
			t.Errorf("%.200s: got %v, want a FieldError", in, err)
			return
		}
		if fe.Field != field || !strings.Contains(fe.Reason, reason) {
			t.Errorf("%.200s: got %q %q, want %q %q", in, fe.Field, fe.Reason, field, reason)
		}
	}
}

func TestParseRefusesWhatIsNoObject(t *testing.T) {
	check := refuses(t)
	check(``, "", "empty")
	check("  \n", "", "empty")
	check(`[1]`, "", "must be one JSON object, got [1]")
	check(`"x"`, "", "must be one JSON object")
	check(`{"a":1} x`, "", "stands more: x")
	check(`{"a":1}{"a":2}`, "", "stands more")
	check(`{"a":1`, "", "no valid JSON: it ends inside an object (byte 7)")
	check(`{"a":01}`, "", "no valid JSON")
	check(`{"a":"`+"\n"+`"}`, "", "control character")
	check(`{'a':1}`, "", "no valid JSON")
	check(`{"a":NaN}`, "", "no valid JSON")
	check(`{"a":"\x41"}`, "", "escape")
	check(`{"a":1,}`, "", "key in quotes")
	check(strings.Repeat("x", maxEventBytes+1), "", "1048577 bytes long, the limit is 1048576")
	check(with(`"a":`+strings.Repeat("[", 64)+strings.Repeat("]", 64)), "", "nested deeper than 64")
	check(with(`"a":`+strings.Repeat("[", 300000)), "", "nested deeper than 64")
}

func TestParseRefusesFields(t *testing.T) {
	check := refuses(t)
	check(`{"service_name":"s"}`, "timestamp", "missing")
	check(`{"timestamp":1795247765}`, "service_name", "missing")
	check(`{"timestamp":1795247765,"service_name":null}`, "service_name", "missing")
	check(`{"timestamp":1795247765,"service_name":5}`, "service_name", "must be a string, got 5")
	for _, name := range []string{"a b", ".a", "-a", "_a", "a/b", "ä", "..", "a=b", "a\\u0000"} {
		check(`{"timestamp":1795247765,"service_name":"`+name+`"}`, "service_name", "must be letters")
	}
	check(`{"timestamp":1795247765,"service_name":"`+strings.Repeat("a", 65)+`"}`, "service_name", "65 bytes long, the limit is 64")
	check(with(`"status_code":"200"`), "status_code", "without quotes")
	check(with(`"status_code":99`), "status_code", "100 to 599")
	check(with(`"status_code":600`), "status_code", "100 to 599")
	check(with(`"status_code":-1`), "status_code", "100 to 599")
	check(with(`"status_code":1e400`), "status_code", "100 to 599")
	check(with(`"status_code":200.5`), "status_code", "whole")
	check(with(`"status_code":true`), "status_code", "whole")
	check(with(`"latency_ms":"fast"`), "latency_ms", `without quotes, got "fast"`)
	check(with(`"latency_ms":-1`), "latency_ms", "negative")
	check(with(`"latency_ms":1e999`), "latency_ms", "too large")
	check(with(`"latency_ms":31622400001`), "latency_ms", "at most a year")
	check(with(`"latency_ms":{}`), "latency_ms", "number")
	check(with(`"event_id":"`+strings.Repeat("a", 65)+`"`), "event_id", "limit is 64")
	check(with(`"event_id":"a\u001bb"`), "event_id", "printable")
	check(with(`"event_id":"é"`), "event_id", "printable")
	check(with(`"endpoint":"`+strings.Repeat("a", 2049)+`"`), "endpoint", "2049 bytes long, the limit is 2048")
	check(with(`"method":"`+strings.Repeat("a", 17)+`"`), "method", "limit is 16")
	check(with(`"region":"`+strings.Repeat("a", 256)+`"`), "region", "limit is 255")
	check(with(`"host":"`+strings.Repeat("a", 256)+`"`), "host", "limit is 255")
	check(with(`"level":"`+strings.Repeat("a", 33)+`"`), "level", "limit is 32")
	check(with(`"message":"`+strings.Repeat("a", 65537)+`"`), "message", "65537 bytes long, the limit is 65536")
	check(with(`"request_id":"`+strings.Repeat("a", 129)+`"`), "request_id", "limit is 128")
	check(with(`"trace_id":"`+strings.Repeat("a", 129)+`"`), "trace_id", "limit is 128")
	check(with(`"span_id":"`+strings.Repeat("a", 129)+`"`), "span_id", "limit is 128")
	check(with(`"request_id":7`), "request_id", "must be a string, got 7")
	check(with(`"attributes":[]`), "attributes", "must be an object, got []")
	check(with(`"attributes":"{}"`), "attributes", "must be an object")
	check(with(`"x":"`+strings.Repeat("a", 65536)+`"`), "attributes", "limit is 65536")
	check(with(`"message":"\u001b[31m\u202e","level":`+"\"\x1b\""), "", "control")
}

func TestParseLimitsAreInclusive(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	in := with(fmt.Sprintf(`"event_id":%q,"endpoint":%q,"method":%q,"region":%q,"host":%q,"level":%q,"message":%q,"request_id":%q,"x":%q,"deep":%s`,
		a(64), a(2048), a(16), a(255), a(255), a(32), a(65536), a(128), a(60000), strings.Repeat("[", 63)+strings.Repeat("]", 63)))
	var e, back Event
	if _, err := (Contract{}).Parse([]byte(in), testNow, &e); err != nil {
		t.Fatal(err)
	}
	line := e.AppendLine(nil)
	var s Scanner
	e.GivenID = false // a line does not tell
	if s.fast(line, &back) != len(line)-1 || back != e {
		t.Error("the line of the largest event does not scan back")
	}
}

func TestParseWindow(t *testing.T) {
	c := Contract{Back: time.Hour, Ahead: time.Minute}
	check := func(ts string, ok bool) {
		t.Helper()
		var e Event
		_, err := c.Parse([]byte(`{"service_name":"s","timestamp":`+ts+`}`), testNow, &e)
		if (err == nil) != ok {
			t.Errorf("%s: %v", ts, err)
		}
		if err != nil && !strings.Contains(err.Error(), "outside the accepted window 2026-11-21T07:00:00Z to 2026-11-21T08:01:00Z, got "+ts) {
			t.Errorf("%s: %v does not name window and value", ts, err)
		}
	}
	check(`"2026-11-21T07:00:00Z"`, true)
	check(`"2026-11-21T06:59:59.999999Z"`, false)
	check(`"2026-11-21T08:01:00Z"`, true)
	check(`"2026-11-21T08:01:00.000001Z"`, false)
	check(`0`, false)
	check(`-5`, false)
	check(`"0000-01-01T00:00:00Z"`, false)
	check(`9000000000000000000`, false)
}

func TestParseAttributes(t *testing.T) {
	check := func(members, want string, duplicates int) {
		t.Helper()
		var e Event
		got, err := Contract{}.Parse([]byte(with(members)), testNow, &e)
		if err != nil || e.Attributes != want || got != duplicates {
			t.Errorf("%s: %s (%d duplicates, %v), want %s (%d)", members, e.Attributes, got, err, want, duplicates)
		}
	}
	check(`"attributes":{}`, ``, 0)
	check(`"attributes":null`, ``, 0)
	check(`"attributes":""`, ``, 0)
	check(`"attributes":{"a":1,"b":{"c":[ ]}}`, `{"a":1,"b":{"c":[]}}`, 0)
	check(`"x":null,"y":"","received_at":"2020-01-01T00:00:00Z"`, `{"x":null,"y":"","received_at":"2020-01-01T00:00:00Z"}`, 0)
	check(`"a":1,"attributes":{"a":2,"b":3}`, `{"a":1,"b":3}`, 1)
	check(`"attributes":{"a":2,"b":3},"a":1`, `{"a":1,"b":3}`, 1)
	check(`"a":1,"b":2,"a":3`, `{"a":3,"b":2}`, 1)
	check(`"\u0061":1,"a":2`, `{"a":2}`, 1)
	check(`"a\"\n":1,"é":2,"\u00e9":3`, `{"a\"\n":1,"é":3}`, 1)
	check(`"attributes":{"a":1},"attributes":{"b":2}`, `{"b":2}`, 1)
	check(`"attributes":{"a":1},"attributes":null`, ``, 1)
	check(`"attributes":{"a":1,"a":[2 , 3]}`, `{"a":[2,3]}`, 1)
	check(`"attributes":{"service_name":"x"}`, `{"service_name":"x"}`, 0)
	check(`"n":-0.0e+10,"big":123456789012345678901234567890.5`, `{"n":-0.0e+10,"big":123456789012345678901234567890.5}`, 0)
	check(`"s":" a b \ud83d\ude00 \ud83d \/"`, `{"s":" a b 😀 � /"}`, 0)
	check(`"s":"`+"\xff"+`","\ud800":1`, `{"s":"�","�":1}`, 0)
	check(`"host":"a","host":"b","level":"x","level":null`, ``, 2)
	var many, want strings.Builder
	for i := range 100 {
		fmt.Fprintf(&many, `"k%d":0,`, i)
		fmt.Fprintf(&want, `,"k%d":%d`, i, i)
	}
	for i := range 100 {
		fmt.Fprintf(&many, `"k%d":%d,`, i, i)
	}
	check(many.String()+`"k0":0`, "{"+want.String()[1:]+"}", 101)
}

func TestParseManyKeysIsNotQuadratic(t *testing.T) {
	var b strings.Builder
	for i := 0; b.Len() < maxEventBytes-100; i++ {
		fmt.Fprintf(&b, `"%d":1,`, i%5000)
	}
	var e Event
	start := time.Now()
	if _, err := (Contract{}).Parse([]byte(with(b.String()+`"x":1`)), testNow, &e); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestParseReplacesWhatIsNotUTF8(t *testing.T) {
	var e Event
	if _, err := (Contract{}).Parse([]byte(with(`"message":"a`+"\xff\xc0"+`b\udc00","host":"\ud800\ud801\udc00"`)), testNow, &e); err != nil {
		t.Fatal(err)
	}
	if e.Message != "a��b�" || e.Host != "�\U00010400" {
		t.Errorf("message %q, host %q", e.Message, e.Host)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(with(`"attributes":{"a":"\ud800"},"b":[1,{"c":null}]`)))
	f.Add([]byte(with(`"latency_ms":1e-7,"level":"ÄÖ"`)))
	f.Fuzz(func(t *testing.T, in []byte) {
		var e, back Event
		_, err := Contract{}.Parse(in, testNow, &e)
		if err != nil {
			var fe *FieldError
			if !errors.As(err, &fe) || fe.Reason != SafeText(fe.Reason, 0) {
				t.Fatalf("error %q", err)
			}
			if fe.Field != "" && !json.Valid(in) {
				t.Fatalf("%v, but the input is no JSON at all", err)
			}
			return
		}
		if !json.Valid(in) {
			t.Fatal("accepted what is no JSON")
		}
		line := e.AppendLine(nil)
		if !json.Valid(line) || !utf8.Valid(line) || bytes.IndexByte(line, '\n') != len(line)-1 {
			t.Fatalf("line %q", line)
		}
		e.GivenID = false // a line does not tell
		var s Scanner
		if err := s.Scan(line, &back); err != nil || back != e {
			t.Fatalf("scan: %v\n%+v\n%+v", err, back, e)
		}
		if again := back.AppendLine(nil); !bytes.Equal(again, line) {
			t.Fatalf("round trip:\n%s%s", line, again)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	in := []byte(`{"event_id":"0190a7e2-1b2c-7def-8123-456789abcdef","timestamp":"2026-11-21T07:56:05.123456Z","service_name":"checkout","endpoint":"/api/cart/{id}","method":"POST",` +
		`"status_code":503,"latency_ms":12.5,"region":"eu-west-1","host":"checkout-eu-1","level":"error","message":"upstream payments timed out after 3 tries","request_id":"5f3c2a1b9d8e7f60",` +
		`"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","attributes":{"tier":"gold","items":3}}`)
	var e Event
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(in)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := (Contract{}).Parse(in, testNow, &e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json-map", func(b *testing.B) {
		b.SetBytes(int64(len(in)))
		b.ReportAllocs()
		for b.Loop() {
			var m map[string]json.RawMessage
			if err := json.Unmarshal(in, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}
