package ingest

import (
	"bytes"
	stdgzip "compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// nullLog takes everything at once: what is measured is our part.
type nullLog struct{}

func (nullLog) Append(_ context.Context, b lake.Batch) (lake.Receipt, error) {
	receipt := lake.Receipt{First: 1, Stored: b.N}
	if b.Remark != nil {
		b.Remark(receipt)
	}
	return receipt, nil
}
func (nullLog) Bury(context.Context, []lake.DeadLetter) error { return nil }
func (nullLog) Backlog() error                                { return nil }
func (nullLog) Probe(context.Context) error                   { return nil }
func (nullLog) NotesBack(lake.Micros, func(lake.Micros, []byte) bool) error {
	return nil
}

// benchBody is n events of a realistic shape, about 280 bytes each, as lines or as an array.
func benchBody(n int, array bool) []byte {
	events := make([]string, n)
	for i := range events {
		events[i] = fmt.Sprintf(`{"timestamp":"2026-11-21T07:59:%02d.%06dZ","service_name":"checkout","endpoint":"/api/v1/orders/%d","method":"POST",`+
			`"status_code":%d,"latency_ms":%d.%03d,"region":"eu-west-1","host":"checkout-7d9f-%02d","message":"order placed","request_id":"req-%08x","user_id":%d}`,
			i%60, i*997%1000000, i%40, []int{200, 200, 201, 404, 500}[i%5], i%900, i%1000, i%20, i*2654435761, i)
	}
	if array {
		return []byte("[" + strings.Join(events, ",") + "]")
	}
	return []byte(strings.Join(events, "\n") + "\n")
}

func reportEvents(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkDecode(b *testing.B) {
	for _, array := range []bool{false, true} {
		b.Run(fmt.Sprintf("array=%v", array), func(b *testing.B) {
			const n = 1000
			body := benchBody(n, array)
			d := testDecoder()
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				d.begin(lake.MicrosOf(testNow))
				if err := d.batch(context.Background(), body); err != nil || d.accepted != n {
					b.Fatal(err, d.accepted, d.listed)
				}
			}
			reportEvents(b, n)
		})
	}
}

// BenchmarkUnpack is a batch of a thousand events as it comes, from the body's bytes to canonical lines, beside its decompression alone: by us, and
// by the standard library's gunzip.
func BenchmarkUnpack(b *testing.B) {
	const n = 1000
	text := benchBody(n, false)
	x := testExchange(b, 16<<20, "")
	wk := &work{decoder: *testDecoder()}
	measure := func(name, body string, decode bool) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				wk.body = append(wk.body[:0], body...)
				if _, err := x.s.unpackers.unpack(x, wk, nil); err != nil || len(wk.body) != len(text) {
					b.Fatal(err, len(wk.body))
				}
				if !decode {
					continue
				}
				wk.begin(lake.MicrosOf(testNow))
				if err := wk.batch(context.Background(), wk.body); err != nil || wk.accepted != n {
					b.Fatal(err, wk.accepted)
				}
			}
			reportEvents(b, n)
			b.ReportMetric(float64(len(text))/float64(len(body)), "ratio")
		})
	}
	for _, decode := range []bool{false, true} {
		name := map[bool]string{false: "unpack", true: "decode"}[decode]
		measure(name+"/plain", string(text), decode)
		measure(name+"/gzip", pack(b, gzipped, string(text)), decode)
		measure(name+"/zstd", pack(b, zstandard, string(text)), decode)
	}
	gz := pack(b, gzipped, string(text))
	b.Run("gunzip", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			z, err := stdgzip.NewReader(strings.NewReader(gz))
			if err != nil {
				b.Fatal(err)
			}
			if got, err := io.Copy(io.Discard, z); err != nil || got != int64(len(text)) {
				b.Fatal(err, got)
			}
		}
		reportEvents(b, n)
	})
}

// BenchmarkHandler is a request without the socket: body, decoding, append, answer, log line and counters.
func BenchmarkHandler(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("events=%d", n), func(b *testing.B) {
			s, err := New(Config{Log: nullLog{}, RequestLog: io.Discard, Now: func() time.Time { return testNow }})
			if err != nil {
				b.Fatal(err)
			}
			body := benchBody(n, false)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "http://localhost/ingest/batch", bytes.NewReader(body))
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
			reportEvents(b, n)
		})
	}
}

// BenchmarkHTTP is the whole way, with as many connections as there are processors, client included.
func BenchmarkHTTP(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("events=%d", n), func(b *testing.B) {
			s := start(b, func(c *Config) { c.Log, c.RequestLog = nullLog{}, io.Discard })
			body := benchBody(n, false)
			b.SetBytes(int64(len(body)))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					resp, err := http.Post(s.url+"/ingest/batch", "", bytes.NewReader(body))
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if resp.StatusCode != 200 {
						b.Errorf("status %d", resp.StatusCode)
					}
				}
			})
			b.StopTimer()
			reportEvents(b, n)
		})
	}
}
