package lake

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"
)

func TestCompactObject(t *testing.T) {
	check := func(in, want string, dropped int) {
		t.Helper()
		got, n, err := CompactObject([]byte("x"), []byte(in))
		if err != nil || string(got) != "x"+want || n != dropped {
			t.Errorf("%s: %s, %d dropped, %v; want %s, %d", in, got[1:], n, err, want, dropped)
		}
	}
	check(`{}`, `{}`, 0)
	check(` { "a" : [ 1 , 2.50 ] , "b":"\u00e9\/" } `, `{"a":[1,2.50],"b":"é/"}`, 0)
	check(`{"a":1,"b":2,"\u0061":3,"b":4}`, `{"a":3,"b":4}`, 2)
	check(`{"attributes":{"x":1},"timestamp":2}`, `{"attributes":{"x":1},"timestamp":2}`, 0) // no key is special
	many, want := `{"k0":0`, `{"k0":1`
	for i := 1; i < 100; i++ {
		many += fmt.Sprintf(`,"k%d":0`, i)
		want += fmt.Sprintf(`,"k%d":1`, i)
	}
	check(many+strings.Replace(strings.ReplaceAll(many, ":0", ":1"), "{", ",", 1)+"}", want+"}", 100)
	for _, in := range []string{``, `[]`, `{"a":1}{}`, `{"a":}`, strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65)} {
		if got, _, err := CompactObject(nil, []byte(in)); err == nil {
			t.Errorf("%.40s: %.40s", in, got)
		}
	}
}

func TestJSONMembers(t *testing.T) {
	list, err := JSONMembers([]JSONMember{{Key: []byte("kept")}}, []byte(` {"a":1, "b\n" : {"c":[2]},"a":"x"} `))
	got := ""
	for _, m := range list {
		got += fmt.Sprintf("%s=%s %v;", m.Key, m.Value, m.Escaped)
	}
	if want := `kept= false;a=1 false;b\n={"c":[2]} true;a="x" false;`; err != nil || got != want {
		t.Errorf("%s %v, want %s", got, err, want)
	}
	for _, in := range []string{``, `[1]`, `{"a":1`, `{"a":1} x`, strings.Repeat(" ", maxEventBytes) + "{}"} {
		var refused *FieldError
		if _, err := JSONMembers(nil, []byte(in)); !errors.As(err, &refused) || refused.Field != "" {
			t.Errorf("%.40q: %v", in, err)
		}
	}
}

// TestAdoptRulesAsParse: one event, handed over as JSON and as an Event, is accepted by both ways and is the same, or refused by both for the same field.
func TestAdoptRulesAsParse(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	texts := []string{"", "", "a", "GET", "Shop.1", "é", "-x", "ERROR", "a\x00b", "two words", "\xff\xfe", strings.Repeat("x", 16), strings.Repeat("x", 17),
		strings.Repeat("y", 64), strings.Repeat("y", 65), strings.Repeat("z", 300), strings.Repeat("ü", 1100)}
	stamps := []Micros{testNow, testNow + 1, testNow - 31*365*86400e6, testNow + 25*3600e6, 0}
	statuses := []int32{0, 0, 99, 100, 200, 404, 599, 600, -1}
	accepted := 0
	for range 20_000 {
		e := Event{Timestamp: stamps[r.IntN(len(stamps))], StatusCode: statuses[r.IntN(len(statuses))], HasLatency: r.IntN(2) == 0, LatencyMS: float64(r.IntN(4) - 1)}
		if !e.HasLatency {
			e.LatencyMS = 0
		}
		for i := range textFields {
			if r.IntN(3) == 0 || textFields[i].field == fieldService {
				*e.textOf(textFields[i].field) = texts[r.IntN(len(texts))]
			}
		}
		if r.IntN(2) == 0 {
			e.Attributes = `{"k":[1,"two"]}`
		}
		sent := e
		line := sent.AppendLine(nil)
		var parsed Event
		_, parseErr := Contract{}.Parse(line, testNow, &parsed)
		adoptErr := Contract{}.Adopt(&e, testNow)
		if (parseErr == nil) != (adoptErr == nil) {
			t.Fatalf("%s\nParse %v\nAdopt %v", line, parseErr, adoptErr)
		}
		if parseErr != nil {
			var refused *FieldError
			if !errors.As(adoptErr, &refused) {
				t.Fatalf("%s\n%v is no FieldError", line, adoptErr)
			}
			continue
		}
		accepted++
		// A line always has a received_at, which Parse keeps as an attribute, and an event_id, in which "" is none.
		parsed.Attributes = sent.Attributes
		if sent.EventID == "" {
			if len(e.EventID) != 36 {
				t.Fatalf("event id %q", e.EventID)
			}
			parsed.EventID, parsed.GivenID = e.EventID, false
		}
		if e != parsed {
			t.Fatalf("%s\nadopted %+v\nparsed  %+v", line, e, parsed)
		}
	}
	if accepted < 500 {
		t.Errorf("only %d events were accepted: the test lost its point", accepted)
	}
}

func TestAdoptRefuses(t *testing.T) {
	check := func(change func(*Event), field, reason string) {
		t.Helper()
		e := Event{Timestamp: testNow, ServiceName: "s"}
		change(&e)
		err := Contract{}.Adopt(&e, testNow)
		var refused *FieldError
		if !errors.As(err, &refused) || refused.Field != field || !strings.Contains(refused.Reason, reason) {
			t.Errorf("%v, want %s %q", err, field, reason)
		}
	}
	check(func(e *Event) { e.Timestamp = 0 }, "timestamp", "1970-01-01T00:00:00Z is outside the accepted window 1996-")
	check(func(e *Event) { e.ServiceName = "" }, "service_name", "is missing")
	check(func(e *Event) { e.ServiceName = "a b" }, "service_name", `must be letters, digits, dots, underscores and dashes after a letter or digit, got "a b"`)
	check(func(e *Event) { e.EventID = "a\nb" }, "event_id", `must be printable ASCII, got "a\nb"`)
	check(func(e *Event) { e.StatusCode = 600 }, "status_code", "must be 100 to 599, or 0 for what is no HTTP exchange, got 600")
	check(func(e *Event) { e.HasLatency, e.LatencyMS = true, -1 }, "latency_ms", "not negative, got -1")
	check(func(e *Event) { e.HasLatency, e.LatencyMS = true, math.NaN() }, "latency_ms", "finite")
	check(func(e *Event) { e.HasLatency, e.LatencyMS = true, math.Inf(1) }, "latency_ms", "finite")
	check(func(e *Event) { e.Message = strings.Repeat("m", 64<<10+1) }, "message", "65537 bytes long, the limit is 65536")
	check(func(e *Event) { e.Attributes = `{"a":"` + strings.Repeat("m", 64<<10) + `"}` }, "attributes", "the limit is 65536")
}

func TestAdoptDoesNotAlias(t *testing.T) {
	buf := []byte("shop/pathgold{\"a\":1}")
	cut := func(from, to int) string { return unsafe.String(&buf[from], to-from) }
	e := Event{Timestamp: testNow, ServiceName: cut(0, 4), Endpoint: cut(4, 9), Message: cut(9, 13), Attributes: cut(13, 20), LatencyMS: 5}
	if err := (Contract{}).Adopt(&e, testNow); err != nil {
		t.Fatal(err)
	}
	copy(buf, strings.Repeat("X", len(buf)))
	want := Event{EventID: e.EventID, Timestamp: testNow, ReceivedAt: testNow, ServiceName: "shop", Endpoint: "/path", Message: "gold", Attributes: `{"a":1}`, Region: "unknown", Level: "info"}
	if e != want {
		t.Errorf("got  %+v\nwant %+v", e, want)
	}
}
