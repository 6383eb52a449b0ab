package lake

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// oddLines have escapes, surrogates, duplicates, huge numbers, keys in another order, spaces, and what is wrong.
func oddLines() []string {
	head := `{"event_id":"e","timestamp":"2026-11-21T07:56:05.123456Z","received_at":"2026-11-21T08:00:00.000000Z","service_name":"s"`
	return []string{
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
		strings.Replace(head, `"s"`, `"a.b_c-d0"`, 1) + `,"status_code":200,"host":"a"}`, strings.Replace(head, `"s"`, `"a.b/c-d0"`, 1) + `,"status_code":200}`,
		head + `,"status_code":200,"latency_ms":12345678}`, head + `,"status_code":200,"latency_ms":123456.789}`, head + `,"status_code":200,"latency_ms":12.5e1}`,
		head + `,"status_code":200,"latency_ms":00.5}`, head + `,"status_code":200,"latency_ms":.5}`, head + `,"status_code":200,"latency_ms":5.}`,
		head + `,"status_code":200,"latency_ms":1234567,"attributes":{"a":1,"b":{"c":"d"},"e":"\ud800\udc00"}}`, head + `,"status_code":200,"attributes":{"a":{"b":"c"}}`,
		head + `,"status_code":200,"attributes":{"a":{"b":"c"},}}`, head + `,"status_code":200,"attributes":{"a":1 }}`, head + `,"status_code":200,"attributes":{"a":"b""c":1}}`,
		head + `,"status_code":200,"attributes":{"a":{"b":{"c":{"d":{"e":{"f":{"g":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}}}}}}}}`,
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
