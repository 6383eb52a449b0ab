package replay

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
)

// FuzzLetter reads any text as a letter, under any rules: nothing breaks, what is accepted is a line of the lake, what rules make of an object is
// JSON, and a letter is taken apart the same way each time.
func FuzzLetter(f *testing.F) {
	f.Add([]byte(event("a", `,"latency_ms":"250ms"`)), "latency_ms=number", "took=latency_ms", "region=eu", false)
	f.Add([]byte("["+event("a", "")+",1,2,{}]"), "a.b=string", "a.b=c", `x={"y":1}`, false)
	f.Add([]byte("1\n{\n"+event("a", `,"a":{"b":{"c":1}}`)), "a.b.c=time", "a.b=status_code", "a.b.c=null", false)
	f.Add([]byte(`time=2026-11-21T07:00:00Z service=shop dur=1s`), "dur=integer", "service=service_name", "service_name=x", true)
	f.Add([]byte(`10.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET /x HTTP/1.1" 999 12 rt=1`), "status=string", "status=odd", "service_name=x", true)
	f.Fuzz(func(t *testing.T, text []byte, castRule, renameRule, defaultRule string, foreign bool) {
		all := Rules{Cast: []string{castRule}, Rename: []string{renameRule}, Default: []string{defaultRule}}
		rules, err := all.read()
		if err != nil {
			rules, _ = Rules{}.read()
		}
		d := sent(string(text))
		d.ID = 1
		if foreign {
			d.Source = "import a.log"
		}
		m := &mapper{rules: rules, now: lake.MicrosOf(testNow), keys: map[string]bool{}}
		pieces, err := m.read(&d)
		if (err == nil) != (len(pieces) > 0) {
			t.Fatalf("%d pieces, %v", len(pieces), err)
		}
		scanner := lake.Contract{}
		for _, p := range pieces {
			var e lake.Event
			if p.err != nil || p.line == nil {
				if p.err == nil || p.line != nil {
					t.Fatalf("neither accepted nor refused: %+v", p)
				}
				continue
			}
			if _, err := scanner.Parse(p.line, m.now, &e); err != nil || !strings.HasSuffix(string(p.line), "\n") || !e.GivenID {
				t.Fatalf("%q: %v", p.line, err)
			}
		}
		if !foreign {
			first, err1 := values(d.Text)
			again, err2 := values(d.Text)
			if (err1 == nil) != (err2 == nil) || !slices.EqualFunc(first, again, func(a, b []byte) bool { return string(a) == string(b) }) || len(first) > maxParts {
				t.Fatalf("taken apart in two ways: %q, %q", first, again)
			}
		}
		if o, err := parseObject(text); err == nil {
			if o, err = rules.apply(o); err == nil && !json.Valid(o.append(nil)) {
				t.Fatalf("no JSON: %s", o.append(nil))
			}
		}
	})
}
