package tui

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
)

// TestSuggestions: each reason that the contract gives asks for its rule. The reasons are the contract's own.
func TestSuggestions(t *testing.T) {
	suggests := func(source, text, want string) {
		t.Helper()
		z := newFake().bury()
		z.letters = nil
		z.add(fakeNow, source, 1, text)
		groups := groupLetters(z.letters)
		if got := ruleWords(suggestAll(groups)); got != want {
			t.Errorf("%s (%s: %s): suggested %q, want %q", text, groups[0].Field, groups[0].Reason, got, want)
		}
	}
	const at = `"timestamp":"2026-11-21T13:00:00Z"`
	suggests("api 127.0.0.1", `{`+at+`,"service_name":"a","latency_ms":"12ms"}`, "cast latency_ms=number")
	suggests("api 127.0.0.1", `{`+at+`,"service_name":"a","latency_ms":true}`, "cast latency_ms=number")
	suggests("api 127.0.0.1", `{`+at+`,"service_name":"a","latency_ms":-3}`, "rename latency_ms=original_latency_ms")
	suggests("api 127.0.0.1", `{`+at+`,"service_name":"a","status_code":"200"}`, "cast status_code=integer")
	suggests("api 127.0.0.1", `{`+at+`,"service_name":"a","status_code":200.5}`, "cast status_code=integer")
	suggests("api 127.0.0.1", `{`+at+`,"service_name":"a","status_code":700}`, "rename status_code=original_status_code")
	suggests("api 127.0.0.1", `{`+at+`,"service_name":"a","region":7}`, "cast region=string")
	suggests("api 127.0.0.1", `{`+at+`,"service_name":7}`, "cast service_name=string")
	suggests("api 127.0.0.1", `{`+at+`,"service_name":"a","event_id":"é"}`, "rename event_id=original_event_id")
	suggests("api 127.0.0.1", `{`+at+`,"service_name":"a","endpoint":"`+strings.Repeat("x", 3000)+`"}`, "rename endpoint=original_endpoint")
	suggests("api 127.0.0.1", `{`+at+`,"service_name":"a","attributes":7}`, "rename attributes=original_attributes")
	suggests("api 127.0.0.1", `{"timestamp":"21/Nov/2026","service_name":"a"}`, "cast timestamp=time")
	suggests("api 127.0.0.1", `{"timestamp":"2026-11-21 13:00:00","service_name":"a"}`, "cast timestamp=time")
	suggests("api 127.0.0.1", `{"timestamp":"1650-01-01T00:00:00Z","service_name":"a"}`, "")
	suggests("api 127.0.0.1", `{"service_name":"a"}`, "")
	suggests("api 127.0.0.1", `{"@timestamp":"21/Nov/2026","service_name":"a"}`, "rename @timestamp=timestamp; cast timestamp=time")
	suggests("api 127.0.0.1", `{`+at+`,"svc":"pay","app":null}`, "rename svc=service_name")
	suggests("api 127.0.0.1", `{`+at+`}`, "default service_name=")
	suggests("api ::1", `{`+at+`}`, "default service_name=")
	suggests("api Payments EU", `{`+at+`}`, "default service_name=payments-eu")
	suggests("import logs/worker.jsonl.gz", `{`+at+`}`, "default service_name=worker")
	suggests("api 127.0.0.1", `{`+at+`,"service_name":"Check Out!"}`, "rename service_name=original_service_name; default service_name=check-out")
	suggests("api 127.0.0.1", `{"broken`, "")
}

// TestSuggestionsForSeveral: what is right for all letters of one reason may be wrong for those of another.
func TestSuggestionsForSeveral(t *testing.T) {
	group := func(field, reason string) replay.Group {
		return replay.Group{Field: field, Reason: reason, Letters: 3, Source: "api 127.0.0.1"}
	}
	status, latency := group("status_code", "must be 100 to 599, or 0 for what is no HTTP exchange, got 700"), group("latency_ms", `must be a number without quotes, got "1"`)
	if got := ruleWords(suggestAll([]replay.Group{status, latency, latency})); got != "cast latency_ms=number" {
		t.Errorf("for several: %q", got)
	}
	have := replay.Rules{Cast: []string{"status_code=integer"}}
	got := suggestMore(have, []replay.Group{status, group("status_code", "must be a whole number"), latency, group("latency_ms", `cannot be cast to number, got "fast"`)})
	if ruleWords(got) != "cast latency_ms=number" {
		t.Errorf("more: %q", ruleWords(got))
	}
	cut := group("service_name", "is missing")
	cut.Example = lake.DeadLetter{Text: []byte(`{"message":"long","application" : "pay","x":"cut off he`)}
	if got := ruleWords(suggestAll([]replay.Group{cut})); got != "rename application=service_name" {
		t.Errorf("of a text that was cut for the screen: %q", got)
	}
}

func TestRulesAsTyped(t *testing.T) {
	reads := func(kind, text, wrong string, want ...string) {
		t.Helper()
		got, err := rulesOf(kind, text)
		if wrong != "" {
			if err == nil || !strings.Contains(err.Error(), wrong) {
				t.Errorf("%s %q: %v, want an error that says %q", kind, text, err, wrong)
			}
			return
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s %q is %q, %v; want %q", kind, text, got, err, want)
		}
	}
	reads(ruleRename, "", "")
	reads(ruleRename, " a = b , c=d,", "", "a=b", "c=d")
	reads(ruleRename, "a", "OLD=NEW")
	reads(ruleRename, "a=", "OLD=NEW")
	reads(ruleRename, "=b", "OLD=NEW")
	reads(ruleCast, "a=number, b=time", "", "a=number", "b=time")
	reads(ruleCast, "a=numbr", "want one of number, integer, string, time")
	reads(ruleCast, "a", "want one of number")
	reads(ruleDefault, `a={"x":[1,2],"y":"},"}, b="u, v", c=1`, "", `a={"x":[1,2],"y":"},"}`, `b="u, v"`, "c=1")
	reads(ruleDefault, `a="say \"x, y\"", b=`, "b= what?")
	reads(ruleDefault, "a=x, y", "a text with a comma in quotes")
	reads(ruleDefault, "a=b=c", "", "a=b=c")
}

func TestLeading(t *testing.T) {
	for _, row := range [][2]string{
		{`{"a":1,"b":{"c":[1, 2]},"d":"x"}`, `{"d":"x","a":1,"b":{"c":[1, 2]}}`},
		{`{"d":1}`, `{"d":1}`},
		{`{"a":1}`, `{"a":1}`},
		{`[1,2]`, `[1,2]`},
		{`{"a":1,"d":`, `{"a":1,"d":`},
		{`plain d text`, `plain d text`},
		{``, ``},
	} {
		if got := leading(row[0], []string{"d"}); got != row[1] {
			t.Errorf("%s became %s, want %s", row[0], got, row[1])
		}
	}
}

// FuzzLeading: the object stays the same one, and no text ends the program.
func FuzzLeading(f *testing.F) {
	f.Add(`{"a":1,"d":"é\u0000\n","d":2}`, "d", `x="a,b", y={1,2}`)
	f.Fuzz(func(t *testing.T, text, key, rules string) {
		for _, kind := range []string{ruleRename, ruleCast, ruleDefault} {
			list, err := rulesOf(kind, rules)
			again, err2 := rulesOf(kind, strings.Join(list, ", "))
			if err == nil && (err2 != nil || !slices.Equal(list, again)) {
				t.Errorf("%s %q is %q, and that is %q, %v", kind, rules, list, again, err2)
			}
		}
		var before, after map[string]any
		if json.Unmarshal([]byte(text), &before) != nil || before == nil {
			return
		}
		if err := json.Unmarshal([]byte(leading(text, []string{key})), &after); err != nil || !reflect.DeepEqual(before, after) {
			t.Errorf("%q became %q: %v", text, leading(text, []string{key}), err)
		}
	})
}
