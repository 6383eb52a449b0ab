package format

import (
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

func TestReadLatency(t *testing.T) {
	check := func(in string, u unit, want float64) {
		t.Helper()
		if got, ok := readLatency([]byte(in), u); !ok || got != want {
			t.Errorf("%s in %s: %v %v, want %v", in, u, got, ok, want)
		}
	}
	check("12.5", unitMilli, 12.5)
	check("0.057", unitSec, 57)
	check("0.000", unitSec, 0)
	check("0.1", unitSec, 100)
	check("1234567", unitNanos, 1.234567)
	check("1500", unitMicro, 1.5)
	check("1e3", unitMicro, 1)
	check("1.5E-3", unitSec, 1.5)
	check("123456789012345678", unitNanos, 123456789012.345678)
	check("0.00000000000000000012", unitSec, 1.2e-16)
	check("16000", unitGo, 0.016)
	check("16.5", unitGo, 16.5)
	check("7", unitOpen, 7)
	check("12.5ms", unitSec, 12.5)
	check("12.5 ms", unitSec, 12.5)
	check("1.2s", unitMilli, 1200)
	check("0.057s", unitMilli, 57)
	check("250µs", unitMilli, 0.25)
	check("250μs", unitMilli, 0.25) // the Greek letter
	check("250us", unitMilli, 0.25)
	check("17ns", unitMilli, 17e-6)
	check("3 seconds", unitMilli, 3000)
	check("2min", unitMilli, 120000)
	check("1m3.5s", unitMilli, 63500)
	check("1h0m0.25s", unitMilli, 3600250)
	check("1 h 2 m", unitMilli, 3720000)

	refuse := func(in string) {
		t.Helper()
		if got, ok := readLatency([]byte(in), unitMilli); ok {
			t.Errorf("%s is read as %v", in, got)
		}
	}
	for _, in := range []string{"", "-", "-1", "-1ms", "fast", "ms", "12 parsecs", "1.2.3", "1m fast", "1e400", "1e99999999999", "NaN", "Inf", ".5", "5.", "12ms,", "1e308h2h"} {
		refuse(in)
	}
}

func TestReadInstants(t *testing.T) {
	var r instantReader
	check := func(in string, want string, naive bool) {
		t.Helper()
		got, ok := r.read([]byte(in), false, unitOpen)
		if text := got.Time().Format(time.RFC3339Nano); !ok || text != want || r.naive != naive {
			t.Errorf("%s: %s %v, naive %v, want %s", in, text, ok, r.naive, want)
		}
	}
	for range 2 { // the second time with the day at hand
		check("2026-11-21T06:33:10Z", "2026-11-21T06:33:10Z", false)
		check("2026-11-21T06:33:10.123456789+01:00", "2026-11-21T05:33:10.123456Z", false)
		check("2026-11-21 06:33:10,123", "2026-11-21T06:33:10.123Z", true)
		check("2026-11-21 06:33:10,123 +0530", "2026-11-21T01:03:10.123Z", false)
		check("2026-11-21 06:33:10.5-08", "2026-11-21T14:33:10.5Z", false)
		check("2026-11-21 06:33:10 UTC", "2026-11-21T06:33:10Z", false)
		check("2026-11-21T06:33:10", "2026-11-21T06:33:10Z", true)
		check("2026/11/21 06:33:10", "2026-11-21T06:33:10Z", true)
		check("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", false)
		check("21/Nov/2026:06:33:10 +0000", "2026-11-21T06:33:10Z", false)
		check("21/Nov/2026:06:33:10 -0330", "2026-11-21T10:03:10Z", false)
		check("21/Nov/2026:06:33:10.250 +0000", "2026-11-21T06:33:10.25Z", false)
		check("21/Nov/2026:06:33:10", "2026-11-21T06:33:10Z", true)
		check("Sat, 21 Nov 2026 06:33:10 GMT", "2026-11-21T06:33:10Z", false)
		check("Sat, 21 Nov 2026 06:33:10 +0100", "2026-11-21T05:33:10Z", false)
		check("Sat Nov 21 06:33:10 2026", "2026-11-21T06:33:10Z", true)
		check("Sat Nov 21 06:33:10.123456 2026", "2026-11-21T06:33:10.123456Z", true)
		check("Sat Nov 21 06:33:10 UTC 2026", "2026-11-21T06:33:10Z", false)
		check("1795242790", "2026-11-21T06:33:10Z", false)
		check("1795242790.123456789", "2026-11-21T06:33:10.123456Z", false)
		check("1795242790123", "2026-11-21T06:33:10.123Z", false)
		check("1795242790123456", "2026-11-21T06:33:10.123456Z", false)
		check("1795242790123456789", "2026-11-21T06:33:10.123456Z", false)
		check("  2026-11-21T06:33:10Z ", "2026-11-21T06:33:10Z", false)
	}

	refuse := func(in string) {
		t.Helper()
		if got, ok := r.read([]byte(in), false, unitOpen); ok {
			t.Errorf("%s is read as %s", in, got.Time())
		}
	}
	for _, in := range []string{"", "now", "12345678", "2026-11-21", "2026-13-21T06:33:10Z", "2026-02-29T06:33:10Z", "2026-11-21T24:00:00Z", "2026-11-21T06:60:10Z",
		"2026-11-21T06:33:60Z", "2026-11-21T06:33:10 CET", "2026-11-21T06:33:10+25:00", "2026-11-21T06:33:10.Z", "2026-11-21X06:33:10Z", "2026-11/21T06:33:10Z",
		"31/Feb/2026:06:33:10 +0000", "21/Now/2026:06:33:10 +0000", "21/anF/2026:06:33:10 +0000", "Sat, 21 Nov 2026 06:33:10 CET", "06:33:10", "1e400",
		"Nov 21 06:33:10 host sshd[1]: x", "99999999999999999999999"} {
		refuse(in)
	}
}

func TestInstantsWithoutZoneAreInTheLocation(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("SKIP: no time zones on this machine: ", err)
	}
	r := instantReader{location: berlin}
	check := func(in, want string) {
		t.Helper()
		got, ok := r.read([]byte(in), false, unitOpen)
		if text := got.Time().Format(time.RFC3339); !ok || text != want {
			t.Errorf("%s: %s %v, want %s", in, text, ok, want)
		}
	}
	check("2026-11-21 06:33:10", "2026-11-21T05:33:10Z")
	check("2026-07-21 00:33:10", "2026-07-20T22:33:10Z")
	check("2026-07-21 00:33:10 +0000", "2026-07-21T00:33:10Z")
	check("Tue Jul 21 06:33:10 CEST 2026", "2026-07-21T04:33:10Z")
	check("Tue Jul 21 06:33:10 UTC 2026", "2026-07-21T06:33:10Z")
	if got, ok := r.read([]byte("Tue Jul 21 06:33:10 PDT 2026"), false, unitOpen); ok {
		t.Errorf("a zone that nobody knows is read as %s", got.Time())
	}
}

func TestEpochsOfAGivenUnit(t *testing.T) {
	var r instantReader
	check := func(in string, u unit, want lake.Micros) {
		t.Helper()
		if got, ok := r.read([]byte(in), true, u); !ok || got != want {
			t.Errorf("%s %s: %d %v, want %d", in, u, got, ok, want)
		}
	}
	check("1.5", unitSec, 1_500_000)
	check("1500", unitMilli, 1_500_000)
	check("1500.0625", unitMilli, 1_500_062)
	check("1500", unitMicro, 1500)
	check("1999", unitNanos, 1)
	check("999", unitNanos, 0)
	check("1.7952427901e9", unitOpen, 1_795_242_790_100_000)
}

func TestServiceName(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		got := ServiceName(in)
		if got != want || want != "" && !lake.ValidServiceName(got) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	check("shop", "shop")
	check("Shop API", "shop-api")
	check("api@docker", "api-docker")
	check("/my_app.v2/", "my_app.v2")
	check("Größe", "gr--e")
	check("..", "")
	check("", "")
	check("###", "")
	check("日本", "")
	check(strings.Repeat("a", 70), strings.Repeat("a", 64))
	check(strings.Repeat("a", 63)+"--b", strings.Repeat("a", 63))
}

func TestLevelWords(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		if got := levelWord([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	check("WARNING", "warn")
	check("err", "error")
	check("Informational", "info")
	check("I", "info")
	check("30", "info")
	check("60", "fatal")
	check("3", "error")
	check("notice", "notice")
	check("DEBUG-4", "DEBUG-4") // the contract puts it in lower case
	check("a long level that nobody knows", "a long level that nobody knows")
}

func TestSplitTarget(t *testing.T) {
	check := func(in, path, query string, absolute bool) {
		t.Helper()
		p, q, a := splitTarget([]byte(in))
		if string(p) != path || string(q) != query || a != absolute {
			t.Errorf("%q: %q %q %v, want %q %q %v", in, p, q, a, path, query, absolute)
		}
	}
	check("/a?b=1?c", "/a", "b=1?c", false)
	check("/", "/", "", false)
	check("?x", "", "x", false)
	check("*", "*", "", false)
	check("http://h:80/p?q", "/p", "q", true)
	check("https://h", "/", "", true)
	check("https://h?q", "/", "q", true)
	check("https://h/#top", "/", "", true)
	check("/redirect?to=http://h/x", "/redirect", "to=http://h/x", false)
	check("/http://h/x", "/http://h/x", "", false)
	check("://x", "://x", "", false)
}

func TestLongEndpointsAreCutAndKept(t *testing.T) {
	p := parser(t, Config{Kind: JSON, Service: "s"})
	path := "/" + strings.Repeat("ü", 1500)
	var e lake.Event
	if _, err := p.Parse([]byte(`{"time":"2026-11-21T06:33:10Z","path":"`+path+`"}`), testNow, &e); err != nil {
		t.Fatal(err)
	}
	if len(e.Endpoint) != 2047 || !strings.HasPrefix(path, e.Endpoint) || e.Attributes != `{"path":"`+path+`"}` {
		t.Errorf("endpoint of %d bytes, attributes %.60s", len(e.Endpoint), e.Attributes)
	}
}
