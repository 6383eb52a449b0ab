package replay

import (
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	try := func(r Rules, in, want string) {
		t.Helper()
		rules, err := r.read()
		if err != nil {
			t.Fatal(err)
		}
		o, err := parseObject([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if o, err = rules.apply(o); err != nil {
			got = err.Error()
		} else {
			got = string(o.append(nil))
		}
		if got != want {
			t.Errorf("%+v on %s: got %s, want %s", r, in, got, want)
		}
	}
	rename := func(in, want string, rules ...string) { t.Helper(); try(Rules{Rename: rules}, in, want) }
	rename(`{"a":1, "b" : [1, 2]}`, `{"b":[1, 2],"c":1}`, "a=c")
	rename(`{"a":1,"b":2}`, `{"b":1}`, "a=b")
	rename(`{"a":1,"b":2,"a":3}`, `{"b":2,"c":3}`, "a=c")
	rename(`{"x":{"y":{"z":1,"q":2}},"n":0}`, `{"x":{"y":{"q":2}},"n":0,"z":1}`, "x.y.z=z")
	rename(`{"x.y":1,"x":{"y":2}}`, `{"x":{"y":2},"z":1}`, "x.y=z")
	rename(`{"x.y":{"z":2}}`, `{"x.y":{},"z":2}`, "x.y.z=z")
	rename(`{"a":1}`, `{"a":1}`, "b=c")
	rename(`{"a":1,"b":2}`, `{"c":2,"b":1}`, "b=c", "a=b")
	rename(`{"\u0061\t\"b":1}`, `{"b":1}`, "a\t\"b=b")

	cast := func(in, to, want string) {
		t.Helper()
		try(Rules{Cast: []string{"k_ms=" + to}}, `{"k_ms":`+in+`}`, want)
	}
	good := func(in, to, want string) { t.Helper(); cast(in, to, `{"k_ms":`+want+`}`) }
	bad := func(in, to string) {
		t.Helper()
		cast(in, to, `k_ms: cannot be cast to `+to+`, got `+in)
	}
	good(`"250"`, "number", "250")
	good(`" 12.50 "`, "number", "12.50")
	good(`"+5"`, "number", "5")
	good(`".5"`, "number", "0.5")
	good(`"007"`, "number", "7")
	good(`"1e3"`, "number", "1e3")
	good(`"250ms"`, "number", "250")
	good(`"1.2 s"`, "number", "1200")
	good(`"1m3s"`, "number", "63000")
	good(`12.5`, "number", "12.5")
	good(`null`, "number", "null")
	good(`""`, "number", `""`)
	for _, in := range []string{`"fast"`, `"  "`, `"0x1F"`, `"1_000"`, `"Inf"`, `"NaN"`, `true`, `{"a":1}`, `[1]`, `"1,5"`, `"-2s"`} {
		bad(in, "number")
	}
	good(`"200"`, "integer", "200")
	good(`200.0`, "integer", "200")
	good(`"2e2"`, "integer", "200")
	good(`"1.2s"`, "integer", "1200")
	for _, in := range []string{`200.5`, `"200.7"`, `"1.5ms"`, `1e300`, `"5xx"`} {
		bad(in, "integer")
	}
	good(`12.50`, "string", `"12.50"`)
	good(`true`, "string", `"true"`)
	good(`"a\u0062"`, "string", `"a\u0062"`)
	good(`{"a":1}`, "string", `"{\"a\":1}"`)
	good(`null`, "string", `null`)
	at := `"2026-11-21T06:33:10.000000Z"`
	for _, in := range []string{`"2026-11-21 06:33:10"`, `"2026-11-21T07:33:10+01:00"`, `1795242790`, `"1795242790000"`, `"21/Nov/2026:06:33:10 +0000"`, `"Sat, 21 Nov 2026 06:33:10 GMT"`} {
		good(in, "time", at)
	}
	good(`"2026-11-21"`, "time", `"2026-11-21T00:00:00.000000Z"`)
	for _, in := range []string{`"soon"`, `12`, `"12:00"`, `true`, `[1]`} {
		bad(in, "time")
	}
	try(Rules{Cast: []string{"size=number"}}, `{"size":"5ms"}`, `size: cannot be cast to number, got "5ms"`)
	try(Rules{Cast: []string{"a.took_ms=number"}}, `{"a":{"took_ms":"5ms","b":1}}`, `{"a":{"took_ms":5,"b":1}}`)

	fill := func(in, want string, rules ...string) { t.Helper(); try(Rules{Default: rules}, in, want) }
	fill(`{"a":1}`, `{"a":1,"b":2}`, "b=2", "a=9")
	fill(`{"a":null,"b":""}`, `{"a":{"x":1},"b":"t e=x"}`, `a={ "x": 1 }`, "b=t e=x")
	fill(`{}`, `{"service_name":"404","region":"\"x","x":404,"message":"quoted"}`, "service_name=404", `region="x`, "x=404", `message="quoted"`)
	fill(`{"x":{"y":null}}`, `{"x":{"y":1},"z.y":2}`, "x.y=1", "z.y=2")
	try(Rules{Rename: []string{"took=latency_ms"}, Cast: []string{"latency_ms=number"}, Default: []string{"latency_ms=1"}}, `{"took":"2s"}`, `{"latency_ms":2000}`)
	try(Rules{Rename: []string{"took=latency_ms"}, Cast: []string{"latency_ms=number"}, Default: []string{"latency_ms=1"}}, `{}`, `{"latency_ms":1}`)
}

func TestRulesAreRefused(t *testing.T) {
	for rule, r := range map[string]Rules{
		"want KEY=VALUE": {Rename: []string{"a"}}, `"=b"`: {Rename: []string{"=b"}}, `"a="`: {Cast: []string{"a="}}, "both names are the same": {Rename: []string{"a=a"}},
		"want number, integer, string or time": {Cast: []string{"a=float"}}, "want KEY=VALUE, such as region": {Default: []string{"a"}},
	} {
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), rule) {
			t.Errorf("%+v: %v, want %q", r, err, rule)
		}
	}
	if err := (Rules{Default: []string{"a="}}).Validate(); err != nil {
		t.Error(err)
	}
}
