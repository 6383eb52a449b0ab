package lake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
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
	isFast := s.fast(body, &fast)
	slowErr := scanSlow(body, &slow)
	err := s.Scan(line, &all)
	if (err == nil) != (slowErr == nil) || err == nil && all != slow {
		t.Fatalf("%q\nScan %+v %v\nslow %+v %v", line, all, err, slow, slowErr)
	}
	if isFast && (slowErr != nil || fast != slow) {
		t.Fatalf("%q\nfast %+v\nslow %+v %v", line, fast, slow, slowErr)
	}
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

// canonical is a set of lines that the fast path must take: every combination of optional keys, and texts of several kinds.
func canonical() [][]byte {
	var lines [][]byte
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
		set(9, &e.Attributes, `{"a":[1,2.50,{"b":null,"ü":true}],"c":"d"}`)
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
		if !s.fast(line[:len(line)-1], &e) {
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
	head := `{"event_id":"e","timestamp":"2026-11-21T07:56:05.123456Z","received_at":"2026-11-21T08:00:00.000000Z","service_name":"s"`
	lines := []string{
		head + `,"status_code":200}`, head + `,"status_code":0}`, head + `}`, head + `,"status_code":00}`, head + `,"status_code":2000}`,
		head + `,"status_code":99}`, head + `,"status_code":600}`, head + `,"status_code":200.0}`, head + `,"status_code":200,"latency_ms":1e3}`,
		head + `,"status_code":200,"latency_ms":12345678901234567890.123}`, head + `,"status_code":200,"latency_ms":0.1234567890123456789}`,
		head + `,"status_code":200,"latency_ms":-0}`, head + `,"status_code":200,"latency_ms":1.}`, head + `,"status_code":200,"latency_ms":01}`,
		head + `,"status_code":200,"latency_ms":1e400}`, head + `,"status_code":200,"latency_ms":5e-324}`, head + `,"status_code":200,"latency_ms":null}`,
		head + `,"status_code":200,"message":"a\nb\u0000\ud83d\ude00\ud83d"}`, head + `,"status_code":200,"message":"` + "\xff" + `"}`,
		head + `,"status_code":200,"message":"` + "\x01" + `"}`, head + `,"status_code":200,"message":"` + "\x7f\u0085\u2028" + `"}`,
		head + `,"status_code":200,"message":""}`, head + `,"status_code":200,"message":"a","message":"b"}`, head + `,"message":"a","status_code":200}`,
		head + `,"status_code":200,"attributes":{}}`, head + `,"status_code":200,"attributes":{ "a" : 1 }}`, head + `,"status_code":200,"attributes":{"a":1,"a":2}}`,
		head + `,"status_code":200,"attributes":{"a":"\u00e9"}}`, head + `,"status_code":200,"attributes":{"a":}}`, head + `,"status_code":200,"attributes":[]}`,
		head + `,"status_code":200,"attributes":{"a":1}} `, head + `,"status_code":200}}`, head + `,"status_code":200`, head, ``, `{}`, `null`, `[]`,
		strings.Replace(head, "checkout", "", 1) + `,"status_code":200}`, strings.Replace(head, `"s"`, `"S"`, 1) + `,"status_code":200}`,
		strings.Replace(head, `"s"`, `".s"`, 1) + `,"status_code":200}`, strings.Replace(head, `"e"`, `""`, 1) + `,"status_code":200}`,
		strings.Replace(head, "11-21T07", "02-29T07", 1) + `}`, strings.Replace(head, "2026-11-21T07", "2024-02-29T07", 1) + `,"status_code":1}`,
		strings.Replace(head, "T07", "T24", 1) + `,"status_code":200}`, strings.Replace(head, "56:05", "60:05", 1) + `,"status_code":200}`,
		strings.Replace(head, "56:05", "56:60", 1) + `,"status_code":200}`, strings.Replace(head, "123456Z", "123456+02:00", 1) + `,"status_code":200}`,
		strings.Replace(head, "123456Z", "12345:Z", 1) + `,"status_code":200}`, strings.Replace(head, ".123456Z", "Z", 1) + `,"status_code":200}`,
		strings.Replace(head, "2026-11-21T07:56:05.123456Z", strings.Repeat("\x00", 27), 1) + `,"status_code":200}`,
		strings.Replace(head, "2026-11-21T07:56:05.123456Z", strings.Repeat("0", 27), 1) + `,"status_code":200}`,
	}
	for _, line := range lines {
		compareScans(t, []byte(line))
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

// mutate changes a line in one to four random places, often with bytes that mean something.
func mutate(r *rand.Rand, line []byte) []byte {
	const bits = "\"\\{}[]:,0123456789.eE+-Z \n\x00\x1f\x7f\x80\xc3\xa9\xed\xa0"
	pieces := []string{`\u0041`, `\ud83d`, `\udc00`, `\n`, `,"a":1`, `,"status_code":404`, `null`, `1e5`, `12345678901234567890`, `""`, `{"x":1}`, `0.1`, `  `}
	out := bytes.Clone(line)
	for range 1 + r.IntN(4) {
		i := r.IntN(len(out) + 1)
		switch r.IntN(5) {
		case 0:
			if i < len(out) {
				out[i] = bits[r.IntN(len(bits))]
			}
		case 1:
			out = append(out[:i], append([]byte{bits[r.IntN(len(bits))]}, out[i:]...)...)
		case 2:
			j := min(len(out), i+1+r.IntN(12))
			out = append(out[:i], out[j:]...)
		case 3:
			out = append(out[:i], append([]byte(pieces[r.IntN(len(pieces))]), out[i:]...)...)
		case 4: // a member moves or doubles
			parts := bytes.Split(out, []byte(`,"`))
			a, b := r.IntN(len(parts)), r.IntN(len(parts))
			if a != 0 && b != 0 {
				parts[a] = parts[b]
			}
			out = bytes.Join(parts, []byte(`,"`))
		}
	}
	return out
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
	for _, line := range canonical()[2040:] {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		compareScans(t, line)
	})
}

// benchLine is a line of ordinary size.
func benchLine() []byte {
	e := Event{EventID: "0190a7e2-1b2c-7def-8123-456789abcdef", Timestamp: testNow - 1, ReceivedAt: testNow, ServiceName: "checkout", Endpoint: "/api/cart/{id}",
		Method: "POST", StatusCode: 503, LatencyMS: 123.456, HasLatency: true, Region: "eu-west-1", Host: "checkout-eu-1", Level: "error",
		Message: "upstream payments timed out after 3 tries", RequestID: "5f3c2a1b9d8e7f60", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
		SpanID: "00f067aa0ba902b7", Attributes: `{"tier":"gold","items":3}`}
	return e.AppendLine(nil)
}

func BenchmarkScan(b *testing.B) {
	line := benchLine()
	var e Event
	run := func(name string, fn func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if err := fn(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	var s Scanner
	run("fast", func() error { return s.Scan(line, &e) })
	run("slow", func() error { return scanSlow(line, &e) })
	type wire struct {
		EventID     string          `json:"event_id"`
		Timestamp   time.Time       `json:"timestamp"`
		ReceivedAt  time.Time       `json:"received_at"`
		ServiceName string          `json:"service_name"`
		Endpoint    string          `json:"endpoint"`
		Method      string          `json:"method"`
		StatusCode  int32           `json:"status_code"`
		LatencyMS   *float64        `json:"latency_ms"`
		Region      string          `json:"region"`
		Host        string          `json:"host"`
		Level       string          `json:"level"`
		Message     string          `json:"message"`
		RequestID   string          `json:"request_id"`
		TraceID     string          `json:"trace_id"`
		SpanID      string          `json:"span_id"`
		Attributes  json.RawMessage `json:"attributes"`
	}
	run("encoding-json", func() error { var w wire; return json.Unmarshal(line, &w) })
}
