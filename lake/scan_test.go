package lake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var strictRFC3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// reference reads a line with encoding/json and time alone: what Scanner must agree with. ok is false for a line that it cannot judge.
func reference(line []byte) (e Event, ok bool, err error) {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(line, &members); err != nil {
		return e, true, err
	}
	texts := map[string]*string{"event_id": &e.EventID, "service_name": &e.ServiceName, "endpoint": &e.Endpoint, "method": &e.Method,
		"region": &e.Region, "host": &e.Host, "level": &e.Level, "message": &e.Message, "request_id": &e.RequestID, "trace_id": &e.TraceID, "span_id": &e.SpanID}
	instants := 0
	for key, raw := range members {
		if fieldOf([]byte(key)) != fieldUnknown && (string(raw) == "null" || string(raw) == `""`) {
			continue
		}
		if text := texts[key]; text != nil {
			if err := json.Unmarshal(raw, text); err != nil {
				return e, true, err
			}
			continue
		}
		switch key {
		case "timestamp", "received_at":
			var text string
			if err := json.Unmarshal(raw, &text); err != nil {
				return e, true, err
			}
			if !strictRFC3339.MatchString(text) {
				return e, false, nil // Go takes forms that we do not, and the other way round: the subject of timestamp_test.go
			}
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				return e, true, err
			}
			instants++
			if key == "timestamp" {
				e.Timestamp = MicrosOf(at)
			} else {
				e.ReceivedAt = MicrosOf(at)
			}
		case "status_code", "latency_ms":
			if err := referenceNumber(&e, key, raw); err != nil {
				return e, true, err
			}
		case "attributes":
			if raw[0] != '{' {
				return e, true, errors.New("attributes")
			}
			if e.Attributes = canonicalJSON(raw); e.Attributes == "{}" {
				e.Attributes = ""
			}
		default:
			return e, false, nil // merging is Parse's subject
		}
	}
	if e.EventID == "" || !validService([]byte(e.ServiceName)) || instants != 2 {
		return e, true, errors.New("missing")
	}
	return e, true, nil
}

func referenceNumber(e *Event, key string, raw []byte) error {
	var n float64
	if err := json.Unmarshal(raw, &n); err != nil {
		return err
	}
	if key == "status_code" {
		if n != math.Trunc(n) || n != 0 && (n < 100 || n > 599) {
			return errors.New("status")
		}
		e.StatusCode = int32(n)
		return nil
	}
	if e.LatencyMS, e.HasLatency = n, true; n < 0 {
		return errors.New("negative")
	}
	return nil
}

// canonicalJSON rewrites JSON through encoding/json's token stream: compact, strings escaped minimally.
func canonicalJSON(raw []byte) string {
	var b strings.Builder
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	type level struct {
		object bool
		n      int
	}
	stack := []level{{}}
	for {
		token, err := dec.Token()
		if err != nil {
			return b.String()
		}
		if d, ok := token.(json.Delim); ok && (d == '}' || d == ']') {
			b.WriteString(d.String())
			stack = stack[:len(stack)-1]
			continue
		}
		top := &stack[len(stack)-1]
		switch {
		case top.object && top.n%2 == 1:
			b.WriteByte(':')
		case top.n > 0:
			b.WriteByte(',')
		}
		top.n++
		switch v := token.(type) {
		case json.Delim:
			b.WriteString(v.String())
			stack = append(stack, level{object: v == '{'})
		case string:
			b.Write(appendQuoted(nil, v))
		case nil:
			b.WriteString("null")
		default:
			fmt.Fprint(&b, v)
		}
	}
}

// compareScans holds the fast path, the slow path and the reference against each other on one line.
func compareScans(t *testing.T, line []byte) {
	t.Helper()
	var s Scanner
	var fast, slow, all Event
	body := bytes.TrimSuffix(line, []byte("\n"))
	isFast := s.fast(body, &fast) == len(body)
	slowErr := scanSlow(body, &slow)
	err := s.Scan(line, &all)
	if (err == nil) != (slowErr == nil) || err == nil && all != slow {
		t.Fatalf("%q\nScan %+v %v\nslow %+v %v", line, all, err, slow, slowErr)
	}
	if isFast && (slowErr != nil || fast != slow) {
		t.Fatalf("%q\nfast %+v\nslow %+v %v", line, fast, slow, slowErr)
	}
	compareNext(t, body, &slow, slowErr)
	want, ok, wantErr := reference(body)
	if !ok {
		return
	}
	var fe *FieldError
	if slowErr != nil && wantErr == nil && errors.As(slowErr, &fe) && strings.Contains(fe.Reason, "nested deeper") {
		return // encoding/json goes deeper
	}
	if (wantErr == nil) != (slowErr == nil) || slowErr == nil && slow != want {
		t.Fatalf("%q\nours %+v %v\nreference %+v %v", line, slow, slowErr, want, wantErr)
	}
	if slowErr != nil {
		return
	}
	again := slow.AppendLine(nil)
	if err := s.Scan(again, &all); err != nil || all != slow {
		t.Fatalf("%q\nround trip %q: %v", line, again, err)
	}
	if third := all.AppendLine(nil); !bytes.Equal(again, third) {
		t.Fatalf("not stable:\n%s%s", again, third)
	}
}

// compareNext reads a line between two others, with a scanner that knows the shape of the first one: what it remembers must not mislead it.
func compareNext(t *testing.T, body []byte, want *Event, wantErr error) {
	t.Helper()
	if bytes.IndexByte(body, '\n') >= 0 || len(body) == 0 {
		return // more lines than one
	}
	var s Scanner
	var e Event
	neighbour := benchLine()
	lines := slices.Concat(neighbour, body, []byte("\n"), neighbour)
	if n, err := s.Next(lines, &e); n != len(neighbour) || err != nil {
		t.Fatalf("%d of %d bytes of %q: %v", n, len(neighbour), neighbour, err)
	}
	for _, rest := range [][]byte{lines[len(neighbour):], lines[len(neighbour) : len(neighbour)+len(body)]} { // with others behind, and as the last without a newline
		n, err := s.Next(rest, &e)
		if n != min(len(rest), len(body)+1) || (err == nil) != (wantErr == nil) || err == nil && e != *want {
			t.Fatalf("%q\nNext %d bytes %+v %v\nwant %+v %v", rest, n, e, err, want, wantErr)
		}
	}
}

// canonical is a set of lines that the fast path must take: every combination of optional keys, and texts of several kinds.
func canonical() [][]byte {
	var lines [][]byte
	attributes := []string{
		`{"a":[1,2.50,{"b":null,"ü":true}],"c":"d"}`, `{"version":"4.18.2","tier":"gold","bytes":12345}`, `{"a":{"b":{"c":{"d":{"e":{"f":1}}}},"g":""}}`,
		`{"a":{},"b":[],"c":-1.5e-7,"d":false}`, `{"":"x","y":{"z":0}}`,
	}
	base := Event{EventID: "0190a7e2-1b2c-7def-8123-456789abcdef", Timestamp: testNow - 1, ReceivedAt: testNow, ServiceName: "checkout", StatusCode: 200}
	for mask := range 1 << 11 {
		e := base
		set := func(bit int, to *string, v string) {
			if mask>>bit&1 == 1 {
				*to = v
			}
		}
		set(0, &e.Endpoint, "/api/cart/{id}")
		set(1, &e.Method, "GET")
		set(2, &e.Region, "eu-west-1")
		set(3, &e.Host, "checkout-1")
		set(4, &e.Level, "info")
		set(5, &e.Message, "grüße 😀 and more than eight bytes")
		set(6, &e.RequestID, "r")
		set(7, &e.TraceID, "4bf92f3577b34da6a3ce929d0e0e4736")
		set(8, &e.SpanID, "00f067aa0ba902b7")
		set(9, &e.Attributes, attributes[mask%len(attributes)])
		if mask>>10&1 == 1 {
			e.HasLatency, e.LatencyMS = true, 0.125*float64(mask)
		}
		e.StatusCode = []int32{0, 100, 200, 404, 599}[mask%5]
		lines = append(lines, e.AppendLine(nil))
	}
	return lines
}

func TestScanFastTakesEveryCanonicalLine(t *testing.T) {
	var s Scanner
	for _, line := range canonical() {
		var e Event
		if s.fast(line, &e) != len(line)-1 {
			t.Fatalf("not fast: %s", line)
		}
		if got := e.AppendLine(nil); !bytes.Equal(got, line) {
			t.Fatalf("round trip:\n%s%s", line, got)
		}
		compareScans(t, line)
	}
}

func TestScanAllocatesNothing(t *testing.T) {
	lines := canonical()
	var s Scanner
	var e Event
	if n := testing.AllocsPerRun(10, func() {
		for _, line := range lines {
			if err := s.Scan(line, &e); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestScanOddLines(t *testing.T) {
	for _, line := range oddLines() {
		compareScans(t, []byte(line))
	}
}

func TestServiceRunIsValidService(t *testing.T) {
	const after = `","status_code":0}`
	for c := range 128 {
		for _, name := range []string{"%", "%a", "a%", "abcdefg%", "abcdefgh%", "ab%cdefghijk", strings.Repeat("a", 63) + "%", strings.Repeat("a", 64) + "%"} {
			name = strings.ReplaceAll(name, "%", string(rune(c)))
			if got, want := serviceRun([]byte(name+after), 0, len(name)), validService([]byte(name)); got != want {
				t.Errorf("%q: %t, want %t", name, got, want)
			}
		}
	}
}

func TestEightFloatIsShortFloat(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	taken := 0
	for range 200_000 {
		text := fmt.Sprintf("%.*f", r.IntN(5), r.Float64()*math.Pow(10, float64(r.IntN(8))))
		if r.IntN(4) == 0 {
			text = string(mutate(r, []byte(text)))
		}
		text += `,"region":`
		got, n := eightFloat([]byte(text), 0)
		want, wantN := shortFloat([]byte(text), 0)
		if n >= 0 {
			if taken++; n != wantN || got != want {
				t.Fatalf("%s: %v %d, want %v %d", text, got, n, want, wantN)
			}
		}
	}
	if taken < 100_000 {
		t.Errorf("only %d numbers were taken", taken)
	}
}

func TestScanKeepsUnknownKeys(t *testing.T) {
	line := `{"new":[1, 2],"event_id":"e","timestamp":"2026-11-21T07:56:05Z","received_at":"2026-11-21T08:00:00Z","service_name":"s","attributes":{"a":1}}`
	var s Scanner
	var e Event
	if err := s.Scan([]byte(line), &e); err != nil || e.Attributes != `{"new":[1,2],"a":1}` {
		t.Errorf("attributes %s, %v", e.Attributes, err)
	}
}

func TestScanEqualsReferenceOnMutatedLines(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	lines := canonical()
	n := 300_000
	if testing.Short() {
		n = 20_000
	}
	for range n {
		compareScans(t, mutate(r, lines[r.IntN(len(lines))]))
	}
}

func FuzzScan(f *testing.F) {
	for _, line := range canonical()[2030:] {
		f.Add(line)
	}
	for _, line := range oddLines() {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		compareScans(t, line)
	})
}
