package lake

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// compareTranscript holds one object's transcript against Contract.Parse and Event.AppendLine. It says whether it needed neither of them.
func compareTranscript(t *testing.T, tr *Transcriber, object []byte) (fast bool) {
	t.Helper()
	now := max(tr.now, testNow)
	if tr.now != now {
		tr.begin(now)
	}
	before := tr.lessons
	in := bytes.Clone(object)
	const head = "what stands before\n"
	line, got, err := tr.Append([]byte(head), object, now)
	if !bytes.Equal(in, object) {
		t.Fatalf("it wrote to its input:\n%s\n%s", in, object)
	}
	if !bytes.HasPrefix(line, []byte(head)) {
		t.Fatalf("it wrote over what stood before: %q", line)
	}
	line = line[len(head):]
	var e Event
	duplicates, want := tr.contract.Parse(in, tr.now, &e)
	if want != nil || err != nil {
		var a, b *FieldError
		if !errors.As(err, &a) || !errors.As(want, &b) || *a != *b || len(line) != 0 {
			t.Fatalf("%s:\ngot  %v, line %q\nwant %v", object, err, line, want)
		}
		return false
	}
	if !e.GivenID { // each has its own
		if id, err := uuid.Parse(got.EventID); err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 || got.EventID[:idHead] != e.EventID[:idHead] || got.EventID == e.EventID {
			t.Fatalf("event id %q, %v", got.EventID, err)
		}
		e.EventID = strings.Clone(got.EventID)
	}
	if expect := e.AppendLine(nil); !bytes.Equal(line, expect) {
		t.Fatalf("%s:\ngot  %swant %s", object, line, expect)
	}
	if w := (Transcript{PartitionOf(&e), e.EventID, e.GivenID, duplicates}); got != w {
		t.Fatalf("%s:\ngot  %+v\nwant %+v", object, got, w)
	}
	return tr.event == (Event{}) && before == tr.lessons
}

// transcribeAll holds objects, one a line, against Contract.Parse, with whatever the ones before have taught.
func transcribeAll(t *testing.T, tr *Transcriber, text []byte) (fast int) {
	for object := range bytes.SplitSeq(text, []byte{'\n'}) {
		tr.event = Event{}
		if compareTranscript(t, tr, object) {
			fast++
		}
	}
	return fast
}

func newTestTranscriber() *Transcriber {
	return NewTranscriber(Contract{})
}

// senders are what different programs write, each twice in a row with other values.
func senders() []string {
	return []string{
		`{"timestamp":"2026-11-21T07:56:05.123456Z","service_name":"checkout","endpoint":"/cart","method":"POST","status_code":503,"latency_ms":12.5,"region":"eu","host":"h1","level":"ERROR","message":"m","request_id":"r","trace_id":"t","span_id":"s","user":7}
{"timestamp":"2026-11-21T07:56:05.5Z","service_name":"checkout","endpoint":"C:\\x","method":"\"","status_code":503,"latency_ms":12.5,"region":"eu","host":"h1","level":"ERROR","message":"a \"b\"\n\tat é\r","request_id":"r","trace_id":"t","span_id":"s","user":"\n\\"}
{"timestamp":"2026-11-21T07:56:06Z","service_name":"Pay-Ments","endpoint":"/","method":"GET","status_code":0,"latency_ms":0,"region":"","host":null,"level":"warn","message":"größer","request_id":"","trace_id":"tt","span_id":"","user":null}`,
		`{"event_id":"e-1","timestamp":1795247765,"service_name":"a","attributes":{"tier":"gold","n":[1,2],"o":{"x":1.0e5}}}
{"event_id":"e-2","timestamp":1795247765123,"service_name":"b","attributes":{"tier":"","n":[],"o":{}}}`,
		`{"level": "INFO", "service_name": "py", "timestamp": "2026-11-21T07:56:05.1234567+02:00", "status_code": 200, "latency_ms": 1e-05, "k": "v"}
{"level": "debug", "service_name": "py", "timestamp": "2026-11-21 07:56:05.12Z", "status_code": 599, "latency_ms": 12.345678901234567, "k": "w"}`,
		`{"a":1,"attributes":{"b":2},"c":3,"timestamp":1.795247765e9,"service_name":"x","latency_ms":0.100}
{"a":"1","attributes":{},"c":true,"timestamp":1795247765.5,"service_name":"x","latency_ms":10.0}
{"a":"1","attributes":null,"c":true,"timestamp":1795247765123456789,"service_name":"x","latency_ms":null}`,
		`{"received_at":"2020-01-01T00:00:00Z","timestamp":1795247765,"service_name":"x","attributes":{"level":1,"host":2}}
{"timestamp":1795247765,"service_name":"x","attributes":{"received_at":1,"host":2,"timestamp":"no"}}`,
	}
}

// TestTranscriberKnowsItsSender: a second round with the same keys has no surprise left.
func TestTranscriberKnowsItsSender(t *testing.T) {
	tr := newTestTranscriber()
	for _, text := range senders() {
		transcribeAll(t, tr, []byte(text))
		objects := strings.Count(text, "\n") + 1
		if fast := transcribeAll(t, tr, []byte(text)); fast != objects {
			t.Errorf("%d of %d objects were no surprise the second time:\n%s", fast, objects, text)
		}
	}
	tr.begin(testNow + 1000) // another body, another moment: what was learned stays
	for _, text := range senders() {
		if fast := transcribeAll(t, tr, []byte(text)); fast != strings.Count(text, "\n")+1 {
			t.Errorf("%d were no surprise in the next body:\n%s", fast, text)
		}
	}
}

// TestTranscriberMeetsSurprises puts each surprise into an object whose keys are known.
func TestTranscriberMeetsSurprises(t *testing.T) {
	tr := newTestTranscriber()
	usual := `{"event_id":"e","timestamp":"2026-11-21T07:56:05.123456Z","service_name":"s","message":"m","status_code":200,"latency_ms":1.5,"level":"info","k":1,"attributes":{"a":1,"b":"x"}}`
	transcribeAll(t, tr, []byte(usual))
	if transcribeAll(t, tr, []byte(usual)) != 1 {
		t.Fatal("the usual object is a surprise")
	}
	cases := [][2]string{
		{`"m"`, `"\u00e9\n\""`}, {`"m"`, `"\/"`}, {`"m"`, `"\b"`}, {`"m"`, `"\x"`}, {`"m"`, `"\n\t\r\"\\"`}, {`"m"`, "\"\\n\xff\""}, {`"m"`, `"\`}, {`"m"`, `"\"`},
		{`"e"`, `"\\"`}, {`"s"`, `"\\"`}, {`"info"`, `"\n"`}, {`"k":1`, `"k":"\n"`}, {`"k":1`, `"k":"\f"`}, {`"k":1`, `"k":["\n"]`}, {`"k":1`, `"\n":1`}, {`"m"`, "\"\xff\""}, {`"m"`, "\"\x01\""}, {`"m"`, `5`}, {`"m"`, `"` + strings.Repeat("x", 64<<10) + `"`}, {`"m"`, `"` + strings.Repeat("x", 64<<10+1) + `"`},
		{`"m"`, `nul`}, {`"m"`, `{"x":1}`}, {`"m"`, `"m`},
		{`"e"`, `""`}, {`"e"`, `"é"`}, {`"e"`, "\"\x7f\""}, {`"e"`, `"` + strings.Repeat("e", 65) + `"`}, {`"e"`, `"` + strings.Repeat("e", 64) + `"`},
		{`"s"`, `""`}, {`"s"`, `"UPPER"`}, {`"s"`, `".dot"`}, {`"s"`, `"a b"`}, {`"s"`, `null`}, {`"s"`, `"` + strings.Repeat("s", 64) + `"`}, {`"s"`, `"` + strings.Repeat("s", 65) + `"`},
		{`200`, `99`}, {`200`, `100`}, {`200`, `599`}, {`200`, `600`}, {`200`, `200.0`}, {`200`, `2e2`}, {`200`, `0.0`}, {`200`, `00`}, {`200`, `"200"`}, {`200`, `2000`}, {`200`, `""`}, {`200`, `-0`},
		{`1.5`, `-1`}, {`1.5`, `-0.0`}, {`1.5`, `1e400`}, {`1.5`, `31622400000`}, {`1.5`, `31622400000.5`}, {`1.5`, `01`}, {`1.5`, `1.`}, {`1.5`, `.5`}, {`1.5`, `1.500000`}, {`1.5`, `1.0000001`},
		{`1.5`, `123456789.123456`}, {`1.5`, `999999999`}, {`1.5`, `0.000001`}, {`1.5`, `0.0000001`}, {`1.5`, `1E2`}, {`1.5`, `"1"`}, {`1.5`, `""`}, {`1.5`, `5e-324`}, {`1.5`, `0.1000000000000000055511151231257827`},
		{`"info"`, `"İNFO"`}, {`"info"`, `"ÄRGER"`}, {`"info"`, `"WARN"`}, {`"info"`, `"` + strings.Repeat("i", 33) + `"`},
		{`"2026-11-21T07:56:05.123456Z"`, `"1900-01-01T00:00:00Z"`}, {`"2026-11-21T07:56:05.123456Z"`, `"2026-11-23T07:56:05Z"`}, {`"2026-11-21T07:56:05.123456Z"`, `"2026-02-29T07:56:05Z"`},
		{`"2026-11-21T07:56:05.123456Z"`, `"2026-11-21T07:56:05.Z"`}, {`"2026-11-21T07:56:05.123456Z"`, `"2026-11-21t07:56:05.1z"`}, {`"2026-11-21T07:56:05.123456Z"`, `"2026-11-21T07:56:05,5Z"`},
		{`"2026-11-21T07:56:05.123456Z"`, `"2026-11-21T24:56:05Z"`}, {`"2026-11-21T07:56:05.123456Z"`, `"2026-11-21T07:56:60Z"`}, {`"2026-11-21T07:56:05.123456Z"`, `""`}, {`"2026-11-21T07:56:05.123456Z"`, `null`},
		{`"2026-11-21T07:56:05.123456Z"`, `99999999999999999999`}, {`"2026-11-21T07:56:05.123456Z"`, `"\u0032026-11-21T07:56:05Z"`}, {`"2026-11-21T07:56:05.123456Z"`, `"2026-11-21T07:56:05.123456789123456789Z"`},
		{`"2026-11-21T07:56:05.123456Z"`, `true`}, {`"2026-11-21T07:56:05.123456Z"`, `"2026-11-21T07:56:05.999999999-12:00"`},
		{`"k":1`, `"k":1,"k":2`}, {`"k":1`, `"a":1`}, {`"k":1`, `"message":"twice"`}, {`"k":1`, `"\u006b":1`}, {`"k":1`, `"k":"\u00e9"`}, {`"k":1`, `"k":"é"`}, {`"k":1`, "\"k\":\"\xff\""}, {`"k":1`, `"k": 1`}, {`"k":1`, `"k":[1, 2]`},
		{`"k":1`, `"k":`}, {`"k":1`, `"k":tru`}, {`"k":1`, `"k":` + strings.Repeat("[", 63) + strings.Repeat("]", 63)}, {`"k":1`, `"k":` + strings.Repeat("[", 64) + strings.Repeat("]", 64)},
		{`"a":1`, `"a":` + strings.Repeat("[", 62) + strings.Repeat("]", 62)}, {`"a":1`, `"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63)},
		{`"a":1`, `"a":1,"a":2`}, {`"a":1`, `"a":1,"k":2`}, {`"a":1`, `"a": 1`}, {`"a":1`, `"a":1 `}, {`"b":"x"`, `"b":"` + strings.Repeat("x", 64<<10-20) + `"`}, {`"b":"x"`, `"b":"` + strings.Repeat("x", 64<<10) + `"`},
		{`{"a":1,"b":"x"}`, `{ "a":1}`}, {`{"a":1,"b":"x"}`, `[]`}, {`{"a":1,"b":"x"}`, `""`}, {`{"a":1,"b":"x"}`, `{}`}, {`{"a":1,"b":"x"}`, `{"a":1,}`}, {`{"a":1,"b":"x"}`, `{"a":1`},
		{`{"event_id"`, ` {"event_id"`}, {`"x"}}`, `"x"}} `}, {`"x"}}`, `"x"}}}`}, {`"x"}}`, `"x"}`}, {`"event_id":"e",`, ``}, {`"service_name":"s",`, ``}, {`"timestamp":"2026-11-21T07:56:05.123456Z",`, ``},
	}
	for _, c := range cases {
		object := strings.Replace(usual, c[0], c[1], 1)
		if object == usual {
			t.Fatalf("%q is not in the usual object", c[0])
		}
		for range 2 { // also with what it taught
			compareTranscript(t, tr, []byte(object))
		}
	}
	for cut := range len(usual) {
		compareTranscript(t, tr, []byte(usual[:cut]))
	}
	compareTranscript(t, tr, []byte(`{"service_name":"s","timestamp":1795247765,"message":"`+strings.Repeat("m", maxEventBytes)+`"}`))
}

// TestTranscriberForgets: a sender whose keys never come again costs a bounded memory and time, and the one after it is learned.
func TestTranscriberForgets(t *testing.T) {
	tr := newTestTranscriber()
	for i := range 2000 {
		compareTranscript(t, tr, fmt.Appendf(nil, `{"timestamp":1795247765,"service_name":"s","k%d":%d,"attributes":{"a%d":1}}`, i, i, i))
	}
	if tr.lessons != 0 || tr.keys.steps > maxSteps || len(tr.keys.bits) > maxKeyBits {
		t.Errorf("%d lessons are left, %d steps, %d keys", tr.lessons, tr.keys.steps, len(tr.keys.bits))
	}
	tr.begin(testNow)
	text := []byte(senders()[0])
	transcribeAll(t, tr, text)
	if fast := transcribeAll(t, tr, text); fast != bytes.Count(text, []byte{'\n'})+1 {
		t.Errorf("after many others %d objects were no surprise", fast)
	}
}

// TestTranscriberOnRandomObjects: keys, their order, their blanks and their values come from a small pool, so that each object has something of those before.
func TestTranscriberOnRandomObjects(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	texts := []string{`"a"`, `"Ab.c-d_0"`, `"GET"`, `""`, `"x y z and some more text than sixteen bytes"`, `"é"`, `"\n"`, `"\""`, `"\u0041"`, `"\ud83d\ude00"`, "\"\xc3\"", `null`, `1`}
	instants := []string{`"2026-11-21T07:56:05.123456Z"`, `"2026-11-21T07:56:05Z"`, `"2026-11-20T07:56:05.5+01:00"`, `1795247765`, `1795247765123`, `"2026-11-21"`, `null`, `"2027-11-21T07:56:05Z"`}
	numbers := []string{`200`, `404`, `0`, `200.0`, `1e2`, `12.5`, `0.10`, `1.2345678`, `-1`, `null`, `""`, `"7"`, `1e-7`, `123456789012`}
	values := []string{`1`, `"v"`, `{}`, `{"a":1}`, `{"tier":"gold","n":2}`, `{ "a" : 1 }`, `[1,2]`, `[1, 2]`, `true`, `null`, `{"a":{"b":[]},"tier":"x"}`, `{"a":1,"a":2}`, `"\t"`}
	objects := []string{`{"m":"gold","n":2}`, `{}`, `{"a":1}`, `{"b":{"c":[]},"tier":"x"}`, `{ "a" : 1 }`, `null`, `{"a":1,"a":2}`, `[1]`}
	pools := map[string][]string{"timestamp": instants, "status_code": numbers, "latency_ms": numbers, "attributes": objects, "tier": values, "a": values, "received_at": values}
	keys := []string{"timestamp", "service_name", "event_id", "status_code", "latency_ms", "level", "message", "region", "endpoint", "attributes", "tier", "a", "received_at", "trace_id"}
	styles := [][2]string{{",", ":"}, {", ", ": "}, {",", ":"}, {" ,\t", " :"}}
	tr := newTestTranscriber()
	fast, style := 0, styles[0]
	for i := range 30_000 {
		if i%100 == 0 {
			tr.begin(testNow + Micros(i))
		}
		if i%50 == 0 {
			rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
			style = styles[rng.IntN(len(styles))]
		}
		object := []byte{'{'}
		for _, key := range keys {
			pool := pools[key]
			if pool == nil {
				pool = texts
			}
			times := 1
			switch {
			case rng.IntN(200) == 0:
				times = 2
			case rng.IntN(16) == 0 && key != "timestamp" && key != "service_name":
				times = 0
			}
			for range times {
				if len(object) > 1 {
					object = append(object, style[0]...)
				}
				object = append(append(append(object, '"'), key...), '"')
				object = append(append(object, style[1]...), pool[rng.IntN(len(pool))*(rng.IntN(8)/7)]...) // mostly the first
			}
		}
		object = append(object, '}')
		tr.event = Event{}
		if compareTranscript(t, tr, object) {
			fast++
		}
	}
	if fast < 3000 {
		t.Errorf("only %d objects were no surprise", fast)
	}
}

func TestTranscriberAllocatesNothing(t *testing.T) {
	tr := newTestTranscriber()
	text := strings.Join(senders()[:2], "\n")
	transcribeAll(t, tr, []byte(text))
	transcribeAll(t, tr, []byte(text))
	objects := bytes.Split([]byte(text), []byte{'\n'})
	room := make([]byte, 0, 8<<10)
	if n := testing.AllocsPerRun(100, func() {
		for _, object := range objects {
			if _, _, err := tr.Append(room, object, testNow); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestEventIDsOfAMoment(t *testing.T) {
	seen := map[string]bool{}
	tr := newTestTranscriber()
	object := []byte(`{"timestamp":1795247765,"service_name":"s"}`)
	for range 1000 {
		compareTranscript(t, tr, object)
		_, got, err := tr.Append(nil, object, testNow)
		if err != nil || seen[got.EventID] {
			t.Fatalf("event id %q, %v", got.EventID, err)
		}
		seen[got.EventID] = true
	}
}

// FuzzTranscribe holds a Transcriber against Contract.Parse and Event.AppendLine, with whatever the objects before have taught it.
func FuzzTranscribe(f *testing.F) {
	for _, text := range senders() {
		f.Add([]byte(text))
	}
	f.Add([]byte(full + "\n" + full))
	f.Fuzz(func(t *testing.T, text []byte) {
		tr := newTestTranscriber()
		transcribeAll(t, tr, text)
		transcribeAll(t, tr, text)
	})
}

func BenchmarkTranscribe(b *testing.B) {
	object := []byte(`{"timestamp":"2026-11-21T07:56:05.123456Z","service_name":"checkout","endpoint":"/api/cart/{id}","method":"POST",` +
		`"status_code":503,"latency_ms":12.5,"region":"eu-west-1","host":"checkout-eu-1","level":"error","message":"upstream payments timed out after 3 tries","request_id":"5f3c2a1b9d8e7f60",` +
		`"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","attributes":{"version":"1.2.3","tier":"gold","items":3}}`)
	room := make([]byte, 0, 8<<10)
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(object)))
		b.ReportAllocs()
		var e Event
		for b.Loop() {
			if _, err := (Contract{}).Parse(object, testNow, &e); err != nil {
				b.Fatal(err)
			}
			e.AppendLine(room)
		}
	})
	b.Run("transcribe", func(b *testing.B) {
		b.SetBytes(int64(len(object)))
		b.ReportAllocs()
		tr := newTestTranscriber()
		for b.Loop() {
			if _, _, err := tr.Append(room, object, testNow); err != nil {
				b.Fatal(err)
			}
		}
	})
}
