package format

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/signallake/signallake/lake"
)

// fuzzLine parses a line that may be anything: it never panics, a refusal is a *lake.FieldError, and an event is one that the contract knows: it comes
// back from its line, and the contract takes that line as it is.
func fuzzLine(f *testing.F, cfg Config) {
	if sample, err := os.ReadFile(filepath.Join("..", "..", "testdata", "nginx_timed.log")); err == nil {
		for line := range bytes.Lines(sample[:2000]) {
			f.Add(line)
		}
	}
	for _, line := range []string{accessLine, jsonLine, logfmtLine, `{"log":"a b\n","stream":"stdout","time":"2026-11-21T06:33:10Z"}`} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		parseTwice(t, parser(t, cfg), line)
	})
}

// parseTwice parses a line, checks what comes of it, and that the parser does not remember it.
func parseTwice(t *testing.T, p *Parser, line []byte) {
	var e, again lake.Event
	in := bytes.Clone(line)
	_, err := p.Parse(in, testNow, &e)
	for i := range in {
		in[i] = 0xff
	}
	if err != nil {
		var refused *lake.FieldError
		if !errors.As(err, &refused) || refused.Reason == "" {
			t.Fatalf("%q: %v is no *lake.FieldError with a reason", line, err)
		}
		return
	}
	var back lake.Event
	canonical := e.AppendLine(nil)
	if err := new(lake.Scanner).Scan(canonical, &back); err != nil || back != e {
		t.Fatalf("%q\ngot  %+v\nback %+v %v", line, e, back, err)
	}
	var parsed lake.Event
	if duplicates, err := (lake.Contract{}).Parse(canonical, testNow, &parsed); err != nil || duplicates != 0 {
		t.Fatalf("%q: the contract's Parse refuses what its Adopt took: %v, %d duplicates\n%s", line, err, duplicates, canonical)
	}
	if _, err := p.Parse(line, testNow, &again); err != nil {
		t.Fatalf("%q: refused the second time: %v", line, err)
	}
	again.EventID = e.EventID // random where the line has none
	if again != e {
		t.Fatalf("%q\nfirst  %+v\nsecond %+v", line, e, again)
	}
}

func FuzzAccess(f *testing.F) {
	f.Add([]byte(`h:80 ::1 - J D [21/Nov/2026:06:33:10 +0000] "\x16\x03" 400 - "\"" "\\" 75 0.002 [a] [] b:1, c:2 1 0.1 200 r a=b "c" 12ms`))
	fuzzLine(f, Config{Kind: Access, Service: "svc"})
}

func FuzzLogfmt(f *testing.F) {
	f.Add([]byte(`ts=1795242790.5 a="\"\u00e9\x00\U0001F600\ud83d\ude00" b= c d=- e=1e5 f=007 path=http://h/p?q query=x service="A B"`))
	fuzzLine(f, Config{Kind: Logfmt, Service: "svc"})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"@timestamp":"2026-11-21T06:33:10Z","http":{"response":{"status_code":"503"},"request":{}},"url":{"path":"/a?b"},"query":null,"attributes":{"x":1,"x":2},"x":3}`))
	f.Add([]byte(`{"t\u0069me":1795242790,"service":{"name":"A\u00e9"},"":{"":1},"a":{"b":{"c":"h"}},"level":40,"duration":"1h2m","trace":"\ud800"}`))
	fuzzLine(f, Config{Kind: JSON, Service: "svc", Map: map[string]string{"a.b.c": "host", "attributes.x": "region"}})
}

// FuzzDetect: whatever a sample holds, it is described or refused, never with a panic, and a format that was found has a parser.
func FuzzDetect(f *testing.F) {
	for _, lines := range someLines {
		f.Add([]byte(lines))
	}
	f.Add([]byte("web-1 | {\"ts\":1795242790}\nweb-1 | boom\n"))
	f.Add([]byte("2026-11-21T06:33:10Z stdout F {\"msg\":\"a\"}\n[pod/a/b] x\n"))
	f.Add([]byte(`{"log":"{\"a\":1}\n","stream":"stdout","time":"2026-11-21T06:33:10.5Z"}` + "\n"))
	cfg := Config{Service: "svc"}
	f.Fuzz(func(t *testing.T, sample []byte) {
		d, err := Detect(sample, cfg)
		if err != nil {
			return
		}
		p, err := NewParser(cfg, d)
		if err != nil || d.Matched == 0 || d.Matched > d.Lines || d.Title == "" || len(d.Fields) == 0 {
			t.Fatalf("%q: %+v %v", sample, d, err)
		}
		for line := range bytes.Lines(sample) {
			parseTwice(t, p, line)
		}
	})
}
