package format

import (
	"strings"
	"testing"
)

func TestWrappedLines(t *testing.T) {
	check := func(wrapper, kind string, lines string, want ...string) {
		t.Helper()
		d, events, refused := parseAll(t, []byte(lines), Config{Service: "svc"})
		if d.wrapper.title() != wrapper || string(d.Kind) != kind || len(refused) > 0 || len(events) != len(want) {
			t.Errorf("%s\n%s in %q, %d events, refused %v", lines, d.Kind, d.wrapper.title(), len(events), refused)
			return
		}
		for i := range events {
			if got := canonical(&events[i]); got != want[i] {
				t.Errorf("got  %s\nwant %s", got, want[i])
			}
		}
	}
	check("docker's json-file", "json", `{"log":"{\"level\":\"info\",\"msg\":\"a\",\"time\":\"2026-11-21T06:00:00Z\"}\n","stream":"stdout","time":"2026-11-21T06:33:10.5Z"}
{"log":"{\"level\":\"info\",\"msg\":\"no time\"}\n","stream":"stderr","time":"2026-11-21T06:33:10.5Z"}
{"log":"panic: boom\n","stream":"stderr","time":"2026-11-21T06:33:11Z"}
`, `{"timestamp":"2026-11-21T06:00:00.000000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","message":"a","attributes":{"stream":"stdout"}}`,
		`{"timestamp":"2026-11-21T06:33:10.500000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","message":"no time","attributes":{"stream":"stderr"}}`,
		`{"timestamp":"2026-11-21T06:33:11.000000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","message":"panic: boom","attributes":{"stream":"stderr"}}`)
	check("docker's json-file", "plain", `{"log":"hello \u00e9\n","stream":"stdout","time":"2026-11-21T06:33:10.5Z"}
`, `{"timestamp":"2026-11-21T06:33:10.500000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","message":"hello é","attributes":{"stream":"stdout"}}`)
	check("the container runtime's (CRI) prefix", "access", `2026-11-21T06:33:10.123456789Z stdout F 10.0.0.1 - - [21/Nov/2026:06:33:09 +0000] "GET /a HTTP/1.1" 200 5
2026-11-21T07:33:10.123456789+01:00 stderr F starting
`, `{"timestamp":"2026-11-21T06:33:09.000000Z","service_name":"svc","endpoint":"/a","method":"GET","status_code":200,"region":"unknown","level":"info","message":"GET /a HTTP/1.1","attributes":{"remote_addr":"10.0.0.1","protocol":"HTTP/1.1","body_bytes_sent":5,"stream":"stdout"}}`,
		`{"timestamp":"2026-11-21T06:33:10.123456Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","message":"starting","attributes":{"stream":"stderr"}}`)
	check("a timestamp", "logfmt", `2026-11-21T06:33:10.123Z level=warn msg=hi
2026-11-21T06:33:11Z level=info msg="at last" service=s2
`, `{"timestamp":"2026-11-21T06:33:10.123000Z","service_name":"svc","status_code":0,"region":"unknown","level":"warn","message":"hi"}`,
		`{"timestamp":"2026-11-21T06:33:11.000000Z","service_name":"s2","status_code":0,"region":"unknown","level":"info","message":"at last"}`)
	check("a timestamp", "plain", `2026-11-21 06:33:10,123 - app.main - ERROR - no INFO today
2026-11-21 06:33:11,000 [main] WARN  c.e.App: x=1
[2026-11-21T06:33:12.5+00:00] plain talk
2026/11/21 06:33:13 main.go:7: Error: lower case is prose
`, `{"timestamp":"2026-11-21T06:33:10.123000Z","service_name":"svc","status_code":0,"region":"unknown","level":"error","message":"- app.main - ERROR - no INFO today"}`,
		`{"timestamp":"2026-11-21T06:33:11.000000Z","service_name":"svc","status_code":0,"region":"unknown","level":"warn","message":"[main] WARN  c.e.App: x=1"}`,
		`{"timestamp":"2026-11-21T06:33:12.500000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","message":"plain talk"}`,
		`{"timestamp":"2026-11-21T06:33:13.000000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","message":"main.go:7: Error: lower case is prose"}`)
	check("kubectl's [pod/NAME/CONTAINER]", "json", `[pod/shop-7d9f-x2x/shop] 2026-11-21T06:33:10Z {"msg":"a","level":"info"}
[pod/shop-7d9f-x2x/side] {"time":"2026-11-21T06:33:12Z","msg":"b","service":"own"}
`, `{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"shop","status_code":0,"region":"unknown","level":"info","message":"a","attributes":{"pod":"shop-7d9f-x2x"}}`,
		`{"timestamp":"2026-11-21T06:33:12.000000Z","service_name":"own","status_code":0,"region":"unknown","level":"info","message":"b","attributes":{"container":"side","pod":"shop-7d9f-x2x"}}`)
	check("docker compose's NAME |", "json", `web-1  | {"time":"2026-11-21T06:33:10Z","msg":"a"}
db-1   | {"time":"2026-11-21T06:33:11Z","msg":"b"}
`, `{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"web","status_code":0,"region":"unknown","level":"info","message":"a"}`,
		`{"timestamp":"2026-11-21T06:33:11.000000Z","service_name":"db","status_code":0,"region":"unknown","level":"info","message":"b"}`)
}

func TestLinesWithoutTheWrapperOfTheOthers(t *testing.T) {
	lines := strings.Repeat("2026-11-21T06:33:10Z stdout F {\"msg\":\"a\"}\n", 9) + "  at main.go:1\n"
	d, events, refused := parseAll(t, []byte(lines), Config{Service: "svc"})
	if len(events) != 9 || len(refused) != 1 || !strings.Contains(refused[0].Error(), "lacks what the others begin with: the container runtime's (CRI) prefix, got   at main.go:1") {
		t.Errorf("%+v: %d events, refused %v", d, len(events), refused)
	}
	// A wrapper without a time is no excuse for a line without one.
	_, _, refused = parseAll(t, []byte(strings.Repeat("web-1 | {\"ts\":1795242790}\n", 5)+"web-1 | boom\n"), Config{Service: "svc"})
	if len(refused) != 1 || !strings.Contains(refused[0].Error(), "must be one JSON object, got boom") {
		t.Errorf("refused %v", refused)
	}
}

func TestAWrapperAroundNothing(t *testing.T) {
	lines := "2026-11-21T06:33:10Z stdout F\n2026-11-21T06:33:11Z stdout F \n2026-11-21T06:33:12Z stdout F boom\n"
	d, events, refused := parseAll(t, []byte(lines), Config{Service: "svc"})
	if d.Kind != Plain || d.Title != "text inside the container runtime's (CRI) prefix" || len(events) != 1 || len(refused) != 2 || refused[0].Error() != "the line is empty" {
		t.Errorf("%+v: %d events, refused %v", d, len(events), refused)
	}
}

func TestTextWithStackTraces(t *testing.T) {
	lines := "2026-11-21 06:33:10,123 ERROR boom\njava.lang.Boom: x\n    at a.b.C(D.java:1)\n2026-11-21 06:33:11,000 INFO on\n"
	d, events, refused := parseAll(t, []byte(lines), Config{Service: "svc"})
	if d.Kind != Plain || len(events) != 2 || len(refused) != 2 || !strings.Contains(refused[0].Error(), "lacks what the others begin with: a timestamp, got java.lang.Boom") {
		t.Errorf("%+v: %d events, refused %v", d, len(events), refused)
	}
}

func TestWhatACollectorAddsIsNotLostWithTheWrapper(t *testing.T) {
	lines := `{"log":"hello\n","stream":"stdout","time":"2026-11-21T06:33:10.5Z","kubernetes":{"container_name":"web","host":"n1","pod_name":"p"}}` + "\n"
	d, events, refused := parseAll(t, []byte(lines), Config{Service: "svc"})
	want := `{"timestamp":"2026-11-21T06:33:10.500000Z","service_name":"web","status_code":0,"region":"unknown","host":"n1","level":"info","message":"hello\n","attributes":{"stream":"stdout","kubernetes":{"pod_name":"p"}}}`
	if d.wrapper.title() != "" || len(refused) > 0 || canonical(&events[0]) != want {
		t.Errorf("%+v %v\n%s", d, refused, canonical(&events[0]))
	}
}

func TestLevelsInText(t *testing.T) {
	check := func(word, want string) {
		t.Helper()
		if got := string(plainLevel([]byte(word))); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
	check("[error]", "error")
	check("[crit]", "crit")
	check("production.ERROR:", "ERROR")
	check("(WARN)", "WARN")
	check("error", "")
	check("[errors]", "")
	check("ERRORS", "")
	check("x.error:", "")
	check("[]", "")
	check(".", "")
}
