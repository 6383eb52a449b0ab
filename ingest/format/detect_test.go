package format

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// someLines has a few usual lines of each format.
var someLines = map[Kind]string{
	JSON:   strings.Repeat(jsonLine+"\n", 5),
	Access: strings.Repeat(accessLine+"\n", 5),
	Logfmt: strings.Repeat(logfmtLine+"\n", 5),
}

func TestDetectFindsTheKind(t *testing.T) {
	check := func(sample string, kind Kind, title string, lines, matched int) {
		t.Helper()
		d, err := Detect([]byte(sample), Config{Service: "svc"})
		if err != nil {
			t.Errorf("%.200s\n%v", sample, err)
			return
		}
		if d.Kind != kind || d.Title != title || d.Lines != lines || d.Matched != matched {
			t.Errorf("%.200s\ngot  %s %q %d of %d\nwant %s %q %d of %d", sample, d.Kind, d.Title, d.Matched, d.Lines, kind, title, matched, lines)
		}
	}
	check(someLines[JSON], JSON, "JSON lines as slog writes them", 5, 5)
	check(someLines[Access], Access, "nginx/Apache combined with key=value tail", 5, 5)
	check(someLines[Logfmt], Logfmt, "logfmt", 5, 5)
	check("\ufeff"+someLines[JSON]+"\n\n", JSON, "JSON lines as slog writes them", 5, 5)
	check(strings.ReplaceAll(someLines[Logfmt], "\n", "\r\n"), Logfmt, "logfmt", 5, 5)
	check(jsonLine, JSON, "JSON lines as slog writes them", 1, 1) // without a line end
	check(someLines[Access]+accessLine[:40], Access, "nginx/Apache combined with key=value tail", 5, 5)
	check("Starting up, version=1.2\n*** ready ***\n"+someLines[JSON], JSON, "JSON lines as slog writes them", 7, 5)
	check(someLines[Logfmt]+strings.Repeat("    at some.java.Class(File.java:17)\n", 9), Logfmt, "logfmt", 14, 5)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 5`+"\n", Access, "nginx/Apache common", 1, 1)
	check(`h:80 10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 5 "-" "-"`+"\n", Access, "nginx/Apache combined with a virtual host", 1, 1)
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 615 "-" "curl" 75 0.002 [default-web-80] [] 172.17.0.5:80 615 0.001 200 7f3c`+"\n", Access, "ingress-nginx", 1, 1)
	check(`{"event_id":"a","timestamp":"2026-11-21T06:33:10Z","received_at":"2026-11-21T06:33:10Z","service_name":"s","status_code":0}`+"\n", JSON, "JSON lines as SignalLake writes them", 1, 1)
	check("2026-11-21 06:33:10 hello\n", Plain, "text lines that begin with a timestamp", 1, 1)
	check("2026-11-21T06:33:10Z level=info msg=a\n", Logfmt, "logfmt behind a timestamp", 1, 1)
	check(`{"a":1,"time":"2026-11-21T06:33:10Z"}`+"\n", JSON, "JSON lines", 1, 1)
	check(`{"log":"{\"a\":1}\n","stream":"stdout","time":"2026-11-21T06:33:10.5Z"}`+"\n", JSON, "JSON lines inside docker's json-file", 1, 1)
}

func TestDetectTellsOfLinesInAnotherFormat(t *testing.T) {
	check := func(sample string, kind Kind, note string) {
		t.Helper()
		d, err := Detect([]byte(sample), Config{Service: "svc"})
		if err != nil {
			t.Error(err)
		} else if d.Kind != kind || !slices.ContainsFunc(d.Missing, func(s string) bool { return strings.Contains(s, note) }) {
			t.Errorf("%s, %q lacks %q", d.Kind, d.Missing, note)
		}
	}
	check(someLines[Logfmt]+jsonLine+"\n", Logfmt, "1 of 6 lines are json and will be refused: split the file, or import it with --format json too")
	check(someLines[Logfmt]+someLines[Access], Access, "as many lines are logfmt as are access, which is harder to meet by accident: --format logfmt takes the others")
	check(someLines[JSON]+"hello\n", JSON, "of the first 6 lines 1 do not fit, the first one: the event must be one JSON object, got hello")
}

func TestDetectTellsWhatBecameOfTheKeys(t *testing.T) {
	check := func(sample string, cfg Config, fields, missing []string) {
		t.Helper()
		d, err := Detect([]byte(sample), cfg)
		if err != nil {
			t.Errorf("%.200s\n%v", sample, err)
			return
		}
		if !slices.Equal(d.Fields, fields) {
			t.Errorf("%.200s\ngot  %q\nwant %q", sample, d.Fields, fields)
		}
		if !slices.Equal(d.Missing, missing) {
			t.Errorf("%.200s\ngot  %q\nwant %q", sample, d.Missing, missing)
		}
	}
	svc := Config{Service: "My Log"}
	check(accessLine+"\n", svc, []string{"time_local → timestamp", "request_uri → endpoint", "request_method → method", "status → status_code", "rt → latency_ms (s)",
		"request → message", "rid → request_id"}, []string{"no service in the lines: service `my-log`"})
	check(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET / HTTP/1.1" 200 5 "-" "-" 1234`+"\n", svc, []string{"time_local → timestamp", "request_uri → endpoint",
		"request_method → method", "status → status_code", "request → message"}, []string{"no service in the lines: service `my-log`",
		"no latency with a name: the bare number behind each line is attributes.extra_1; Apache's %D is --map extra_1=latency_ms:us, its %T --map extra_1=latency_ms:s"})
	check(`{"t":"2026-11-21 06:33:10","msg":"a"}`+"\n", svc, []string{"t → timestamp (no zone)", "msg → message"}, []string{"no service in the lines: service `my-log`",
		"no status: the events are no HTTP exchanges", "no latency: if the lines have one under a name of their own, --map NAME=latency_ms:ms", "no zone in the times: read as UTC"})
	check(`{"t":"2026-11-21 06:33:10","took":5,"service":"x","status":200}`+"\n", Config{Location: time.FixedZone("here", 3600), Map: map[string]string{"took": "latency_ms:us"}},
		[]string{"t → timestamp (no zone)", "service → service_name", "status → status_code", "took → latency_ms (us)"}, []string{"no zone in the times: read as here"})
	check(`ts=1795242790 duration=1.5ms path=/a service=s status=200`+"\n", svc, []string{"ts → timestamp", "service → service_name", "path → endpoint", "status → status_code",
		"duration → latency_ms (with its unit)"}, nil)
}

func TestNumbersWithoutAUnitGoByTheirWriter(t *testing.T) {
	check := func(line string, title string, how string, want float64) {
		t.Helper()
		d, events, refused := parseAll(t, []byte(line+"\n"), Config{Service: "svc"})
		if len(events) != 1 || !strings.HasPrefix(d.Title, "JSON lines"+title) || events[0].LatencyMS != want || !slices.ContainsFunc(d.Fields, func(s string) bool { return strings.HasSuffix(s, "latency_ms ("+how+")") }) {
			t.Errorf("%s\n%+v %v %+v", line, d, refused, events)
		}
	}
	check(`{"level":"info","ts":1795242790.5,"caller":"a.go:1","msg":"x","duration":0.25}`, " as zap", "s", 250)
	check(`{"level":"info","ts":"2026-11-21T06:33:10Z","caller":"a.go:1","msg":"x","duration":250}`, "", "ms", 250)
	check(`{"level":"info","ts":1795242790.5,"logger":"http.log.access","msg":"handled request","request":{"method":"GET","uri":"/"},"duration":0.25,"status":200}`, " as Caddy", "s", 250)
	check(`{"ClientAddr":"a","Duration":1500000,"DownstreamStatus":200,"RequestPath":"/","level":"info","msg":"","time":"2026-11-21T06:33:10Z"}`, " as Traefik", "ns", 1.5)
	check(`{"time":"2026-11-21T06:33:10Z","level":"INFO","msg":"x","elapsed":1500000}`, " as slog", "whole numbers ns, others ms", 1.5)
	check(`{"time":"2026-11-21T06:33:10Z","level":"INFO","msg":"x","elapsed":1.5}`, " as slog", "whole numbers ns, others ms", 1.5)
	check(`{"level":"info","time":"2026-11-21T06:33:10Z","msg":"x","elapsed":1500}`, "", "ms", 1500)
	check(`{"level":30,"time":1795242790500,"pid":1,"hostname":"h","responseTime":12,"msg":"x"}`, " as pino", "ms", 12)
	check(`{"name":"n","v":0,"level":30,"time":"2026-11-21T06:33:10Z","pid":1,"hostname":"h","latency":12,"msg":"x"}`, " as bunyan", "ms", 12)
	check(`{"start_time":"2026-11-21T06:33:10Z","response_code":200,"response_flags":"-","duration":7,"path":"/"}`, " as Envoy", "ms", 7)
	check(`{"@timestamp":"2026-11-21T06:33:10Z","ecs.version":"1.6","event":{"duration":7000000}}`, " as ECS", "ns", 7)
	check(`{"time_local":"21/Nov/2026:06:33:10 +0000","request_time":"0.057","status":"200","request_uri":"/a"}`, "", "s", 57)
}

func TestDetectRefuses(t *testing.T) {
	check := func(sample string, cfg Config, want ...string) {
		t.Helper()
		_, err := Detect([]byte(sample), cfg)
		if err == nil {
			t.Errorf("%.200s is taken", sample)
			return
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%.200s\n%v\nlacks %q", sample, err, part)
			}
		}
	}
	svc := Config{Service: "svc"}
	check("Dear diary,\ntoday I learned that 2+2=4\n", svc, "no known format in 2 lines: 0 look like JSON, 0 like an access log, 0 like logfmt", `the first one is "Dear diary,"`, "--format json")
	check("x\x1b[31mred\n", svc, "no known format in 1 line", `"xred"`)
	check(`{"a":1,"b":{"c":2},"msg":"x"}`+"\n", svc, "JSON lines, but none of 1 line makes an event: timestamp: is missing", "--map NAME=timestamp", "the keys seen are a, b, msg")
	check(`{"time":"nonsense"}`+"\n", svc, `timestamp: is no time in a known form, got "nonsense" in time`)
	check(`{"time":"2026-11-21T06:33:10Z"}`+"\n", Config{}, "service_name: is missing", "--service")
	check(jsonLine, Config{Kind: "xml"}, `format "xml" is unknown: want json, access, logfmt or plain`)
	check(jsonLine, Config{Map: map[string]string{"a": "b"}}, `map a=b: no key of an event is called "b": want one of event_id, timestamp`)
	check(jsonLine, Config{Service: "###"}, `service "###": no letter or digit`)
	check("web-1 | hello\nweb-1 | world\n", svc, "inside docker compose's NAME |")
	for _, empty := range []string{"", "\n", " \r\n\n\t\n"} {
		if _, err := Detect([]byte(empty), svc); !errors.Is(err, ErrEmpty) {
			t.Errorf("%q: %v", empty, err)
		}
	}
}

func TestAFormatThatIsGivenIsNotDoubted(t *testing.T) {
	d, err := Detect([]byte("booting...\nstill booting...\n"), Config{Kind: JSON, Service: "svc"})
	if err != nil || d.Kind != JSON || d.Matched != 0 || d.Lines != 2 {
		t.Fatalf("%+v %v", d, err)
	}
	p, err := NewParser(Config{Kind: JSON, Service: "svc"}, d)
	if err != nil {
		t.Fatal(err)
	}
	var e lake.Event
	if _, err := p.Parse([]byte(jsonLine), testNow, &e); err != nil {
		t.Fatal(err)
	}
	if _, err := Detect([]byte(`{"a":1}`+"\n"), Config{Kind: JSON, Service: "svc"}); err == nil || !strings.Contains(err.Error(), "timestamp: is missing") {
		t.Errorf("lines of the format without a time: %v", err)
	}
	if d, err := Detect([]byte(someLines[Access]), Config{Kind: Logfmt, Service: "svc"}); err != nil || d.Matched != 0 {
		t.Errorf("%+v %v", d, err)
	}
}

func TestMaps(t *testing.T) {
	check := func(kind Kind, line string, m map[string]string, want string) {
		t.Helper()
		accepts(t, Config{Kind: kind, Service: "svc", Map: m})(line, `{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc",`+want+`}`)
	}
	check(JSON, `{"when":"2026-11-21T06:33:10Z","took":1500}`, map[string]string{"when": "timestamp", "took": "latency_ms:us"},
		`"status_code":0,"latency_ms":1.5,"region":"unknown","level":"info"`)
	check(JSON, `{"ts":1795242790000,"id":"e7","note":"n","message":"m"}`, map[string]string{"ts": "timestamp:ms", "note": "message"},
		`"status_code":0,"region":"unknown","level":"info","message":"n","attributes":{"id":"e7","message":"m"}`)
	check(JSON, `{"time":"2026-11-21T06:33:10Z","code":200,"status":404}`, map[string]string{"status": "attributes"},
		`"status_code":200,"region":"unknown","level":"info","attributes":{"status":404}`)
	check(JSON, `{"time":"2026-11-21T06:33:10Z","a":{"b":{"c":"x","d":1}}}`, map[string]string{"a.b.c": "host"},
		`"status_code":0,"region":"unknown","host":"x","level":"info","attributes":{"a":{"b":{"d":1}}}`)
	check(JSON, `{"time":"2026-11-21T06:33:10Z","attributes":{"http.status_code":200,"x":1}}`, map[string]string{"attributes.http.status_code": "status_code"},
		`"status_code":200,"region":"unknown","level":"info","attributes":{"x":1}`)
	check(Logfmt, `ts=2026-11-21T06:33:10Z dc=eu az=a`, map[string]string{"dc": "region"}, `"status_code":0,"region":"eu","level":"info","attributes":{"az":"a"}`)
	check(Access, `h9 - - [21/Nov/2026:06:33:10 +0000] "GET /a HTTP/1.1" 200 5 "-" "-" 1500`, map[string]string{"remote_addr": "host", "extra_1": "latency_ms:us", "request": "attributes"},
		`"endpoint":"/a","method":"GET","status_code":200,"latency_ms":1.5,"region":"unknown","host":"h9","level":"info","attributes":{"request":"GET /a HTTP/1.1","protocol":"HTTP/1.1","body_bytes_sent":5}`)
	check(Access, `h - - [21/Nov/2026:06:33:10 +0000] "GET /a HTTP/1.1" 200 5 "-" "-" rt=0.5 urt=0.25`, map[string]string{"urt": "latency_ms:s"},
		`"endpoint":"/a","method":"GET","status_code":200,"latency_ms":250,"region":"unknown","level":"info","message":"GET /a HTTP/1.1","attributes":{"remote_addr":"h","protocol":"HTTP/1.1","body_bytes_sent":5,"rt":0.5}`)

	refuse := refuses(t, Config{Kind: JSON, Service: "svc", Map: map[string]string{"n": "status_code", "who": "host"}})
	refuse(`{"time":"2026-11-21T06:33:10Z","n":"many"}`, "status_code", `must be 100 to 599, or 0 for what is no HTTP exchange, got "many" in n`)
	refuse(`{"time":"2026-11-21T06:33:10Z","who":{"name":"h"}}`, "host", `must be a single value, got {"name":"h"} in who`)
	refuse(`{"time":"2026-11-21T06:33:10Z","who":"`+strings.Repeat("h", 256)+`"}`, "host", "is 256 bytes long, the limit is 255 in who")
}

func TestCheckMap(t *testing.T) {
	for _, to := range append(slices.Clone(contractKeys[1:]), "attributes", "latency_ms:us", "timestamp:ns", "latency_ms:s", "timestamp:ms") {
		if err := CheckMap(map[string]string{"x": to}); err != nil {
			t.Error(err)
		}
	}
	refuse := func(key, to, want string) {
		t.Helper()
		if err := CheckMap(map[string]string{"ok": "host", key: to}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("map %s=%s: ", key, to)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s=%s: %v, want %q", key, to, err, want)
		}
	}
	refuse("x", "", "no key of an event")
	refuse("x", "received_at", "no key of an event")
	refuse("x", "latency", "want one of event_id")
	refuse("x", "host:ms", "only latency_ms and timestamp take a unit")
	refuse("x", "latency_ms:min", "want ns, us, ms or s")
	refuse("x", "latency_ms:", "want ns, us, ms or s")
	refuse("x", "attributes:ms", "no key of an event")
	refuse("", "host", "name the key")
}

// TestOwnLinesStayWhatTheyAre: what a lake once accepted is not read as foreign habits.
func TestOwnLinesStayWhatTheyAre(t *testing.T) {
	line := `{"event_id":"e-1","timestamp":"2026-11-21T06:33:10.000000Z","received_at":"2026-11-20T00:00:00.000000Z","service_name":"s","endpoint":"/a?b=1","method":"-",` +
		`"status_code":0,"latency_ms":1.5,"region":"r","level":"warning","message":"m","attributes":{"path":"/other","status":200}}` + "\n"
	_, events, refused := parseAll(t, []byte(line), Config{Service: "svc"})
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	want := lake.Event{EventID: "e-1", GivenID: true, Timestamp: events[0].Timestamp, ReceivedAt: testNow, ServiceName: "s", Endpoint: "/a?b=1", Method: "-", LatencyMS: 1.5, HasLatency: true, Region: "r",
		Level: "warning", Message: "m", Attributes: `{"received_at":"2026-11-20T00:00:00.000000Z","path":"/other","status":200}`}
	if events[0] != want {
		t.Errorf("got  %+v\nwant %+v", events[0], want)
	}
}

func TestDetectKnowsJSONDocuments(t *testing.T) {
	check := func(sample string, document bool) {
		t.Helper()
		_, err := Detect([]byte(sample), Config{Service: "svc"})
		if err == nil || strings.Contains(err.Error(), "jq -c") != document {
			t.Errorf("%q: %v", sample, err)
		}
	}
	check(`[{"timestamp":"2026-11-21T06:33:10Z"},{"timestamp":"2026-11-21T06:33:11Z"}]`+"\n", true)
	check("{\n  \"timestamp\": \"2026-11-21T06:33:10Z\"\n}\n", true)
	check("[\n{}\n]\n", true)
	check("[INFO] hello\n[INFO] again\n", false)
}

func TestDetectTellsOfMisspeltKeys(t *testing.T) {
	check := func(sample, key, to string, told bool) {
		t.Helper()
		d, err := Detect([]byte(sample), Config{Service: "svc", Map: map[string]string{key: to}})
		if err != nil {
			t.Error(err)
		} else if got := slices.ContainsFunc(d.Missing, func(s string) bool { return strings.HasPrefix(s, "no key "+key+" ") }); got != told {
			t.Errorf("%s: %q", key, d.Missing)
		}
	}
	json := `{"time":"2026-11-21T06:33:10Z","a":{"b":7},"dotted.key":1}` + "\n"
	check(json, "zzz", "latency_ms", true)
	check(json, "a.b", "latency_ms", false)
	check(json, "dotted.key", "latency_ms", false)
	check("time=2026-11-21T06:33:10Z rtt=5 msg=x\n", "rt", "latency_ms", true)
	check("time=2026-11-21T06:33:10Z rtt=5 msg=x\n", "rtt", "latency_ms", false)
	access := `127.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET /x HTTP/1.0" 200 11 "-" "hey/0.0.1" rt=0.010 7` + "\n"
	check(access, "rt", "latency_ms:s", false)
	check(access, "rtt", "latency_ms:s", true)
	check(access, "remote_addr", "host", false)
	check(access, "extra_1", "latency_ms:us", false)
	check(access, "http_user_agent", "message", false)
}
