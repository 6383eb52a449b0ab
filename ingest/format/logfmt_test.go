package format

import "testing"

func TestLogfmtLines(t *testing.T) {
	check := accepts(t, Config{Kind: Logfmt, Service: "svc"})
	check(`time=2026-11-21T06:33:10.123Z level=INFO msg="hello \"you\"\n\u00e9" duration=12.5ms status=200 path=/a?b=1 method=GET service=Shop user=bob n=5 ratio=0.5 big=12345678901234567890 z=007 ok=true flag e= err=null`,
		`{"timestamp":"2026-11-21T06:33:10.123000Z","service_name":"shop","endpoint":"/a","method":"GET","status_code":200,"latency_ms":12.5,"region":"unknown","level":"info","message":"hello \"you\"\né","attributes":{"user":"bob","n":5,"ratio":0.5,"big":"12345678901234567890","z":"007","ok":true,"flag":true,"service":"Shop","query":"b=1"}}`)
	check(`ts=1795242790.5 lvl=warning caller=x.go:1 msg=hi took=12 service.name=a trace_id=t1 code=77`,
		`{"timestamp":"2026-11-21T06:33:10.500000Z","service_name":"a","status_code":0,"latency_ms":12,"region":"unknown","level":"warn","message":"hi","trace_id":"t1","attributes":{"caller":"x.go:1","code":77}}`)
	check(`ts=2026-11-21T06:33:10Z status=abc msg=x`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","message":"x","attributes":{"status":"abc"}}`)
	check(`ts=2026-11-21T06:33:10Z latency=- status=- host=- service=-`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info"}`)
	check(`ts=2026-11-21T06:33:10Z msg=a msg=b msg=c x=1 x=2`,
		`{"timestamp":"2026-11-21T06:33:10.000000Z","service_name":"svc","status_code":0,"region":"unknown","level":"info","message":"c","attributes":{"x":2}}`)
}

func TestLogfmtLinesRefused(t *testing.T) {
	refuse := refuses(t, Config{Kind: Logfmt, Service: "svc"})
	refuse(`level=info msg=hi`, "timestamp", `is missing: when the lines have a time under another name, import with --map NAME=timestamp`)
	refuse(`ts=2026-11-21T06:33:10Z msg="open`, "", `the line is no logfmt: the quote at byte 29 is not closed, got "open`)
	refuse(`ts=2026-11-21T06:33:10Z ="open"`, "", `the line is no logfmt: a key should stand at byte 25, got ="open"`)
	refuse(`plain words here`, "", `the line is no logfmt: it has no key=value, got plain words here`)
	refuse(`ts=2026-11-21T06:33:10Z status_code=abc msg=x`, "status_code", `must be 100 to 599, or 0 for what is no HTTP exchange, got "abc"`)
	refuse(`ts=2026-11-21T06:33:10Z latency=fast`, "latency_ms", `must be a number that is not negative, or text with a unit such as 12.5ms, got "fast" in latency`)
	refuse(`ts=nonsense msg=a`, "timestamp", `is no time in a known form, got "nonsense" in ts`)
}
