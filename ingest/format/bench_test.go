package format

import (
	"encoding/json"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// The lines of the benchmarks are of the usual size.
const (
	accessLine = `127.0.0.1 - - [21/Nov/2026:06:33:10 +0000] "GET /api/orders?id=1 HTTP/1.1" 200 11 "-" "hey/0.0.1" rt=0.001 uct="0.000" urt="0.001" rid=6e8910e73d6eef88d46a6c83df7dcdd0`
	jsonLine   = `{"time":"2026-11-21T06:33:10.123456Z","level":"INFO","msg":"request served","service":"checkout","method":"GET","path":"/api/orders?id=1","status":200,"duration_ms":12.5,"request_id":"6e8910e73d6eef88d46a6c83df7dcdd0","user":{"id":17,"plan":"gold"},"bytes":11}`
	logfmtLine = `time=2026-11-21T06:33:10.123Z level=info msg="request served" service=checkout method=GET path="/api/orders?id=1" status=200 duration=12.5ms request_id=6e8910e73d6eef88d46a6c83df7dcdd0 user=17 bytes=11`
)

// benchParse parses one line over and over.
func benchParse(b *testing.B, kind Kind, line string) {
	p := parser(b, Config{Kind: kind, Service: "bench"})
	in := []byte(line)
	var e lake.Event
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if _, err := p.Parse(in, testNow, &e); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

func BenchmarkParseAccess(b *testing.B) {
	b.Run("ours", func(b *testing.B) { benchParse(b, Access, accessLine) })
	b.Run("regexp", func(b *testing.B) { // the same fields, without any check of the contract
		combined := regexp.MustCompile(`^(\S+) (\S+) (.*?) \[([^\]]+)\] "([A-Z]+) ([^ ?"]*)(?:\?([^ "]*))? ([^"]*)" (\d{3}) (\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(.*)$`)
		pair := regexp.MustCompile(`(\w+)=(?:"([^"]*)"|(\S+))`)
		b.ReportAllocs()
		b.SetBytes(int64(len(accessLine)))
		in := []byte(accessLine)
		for b.Loop() {
			m := combined.FindSubmatch(in)
			at, err := time.Parse("02/Jan/2006:15:04:05 -0700", string(m[4]))
			if err != nil {
				b.Fatal(err)
			}
			status, err := strconv.Atoi(string(m[9]))
			if err != nil {
				b.Fatal(err)
			}
			e := lake.Event{Timestamp: lake.MicrosOf(at), StatusCode: int32(status), Method: string(m[5]), Endpoint: string(m[6])}
			attributes := map[string]string{"remote_addr": string(m[1]), "http_user_agent": string(m[12])}
			for _, kv := range pair.FindAllSubmatch(m[13], -1) {
				attributes[string(kv[1])] = string(kv[2]) + string(kv[3])
			}
			text, err := json.Marshal(attributes)
			if err != nil {
				b.Fatal(err)
			}
			e.Attributes = string(text)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	})
}

func BenchmarkParseJSON(b *testing.B) {
	b.Run("ours", func(b *testing.B) { benchParse(b, JSON, jsonLine) })
	b.Run("encoding-json-map", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(jsonLine)))
		in := []byte(jsonLine)
		for b.Loop() {
			var m map[string]any
			if err := json.Unmarshal(in, &m); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	})
}

func BenchmarkParseLogfmt(b *testing.B) {
	b.Run("ours", func(b *testing.B) { benchParse(b, Logfmt, logfmtLine) })
	b.Run("regexp", func(b *testing.B) {
		pair := regexp.MustCompile(`([^\s=]+)=("(?:[^"\\]|\\.)*"|\S*)`)
		b.ReportAllocs()
		b.SetBytes(int64(len(logfmtLine)))
		in := []byte(logfmtLine)
		for b.Loop() {
			m := map[string]string{}
			for _, kv := range pair.FindAllSubmatch(in, -1) {
				m[string(kv[1])] = string(kv[2])
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	})
}

// TestAllocations: one allocation an event, the one string that holds all its text.
func TestAllocations(t *testing.T) {
	for kind, line := range map[Kind]string{Access: accessLine, JSON: jsonLine, Logfmt: logfmtLine} {
		p := parser(t, Config{Kind: kind, Service: "bench"})
		in := []byte(line)
		var e lake.Event
		n := testing.AllocsPerRun(100, func() {
			if _, err := p.Parse(in, testNow, &e); err != nil {
				t.Fatal(err)
			}
		})
		if n > 1 {
			t.Errorf("%s: %v allocations a line", kind, n)
		}
	}
}
