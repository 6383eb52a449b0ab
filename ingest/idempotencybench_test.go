package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// BenchmarkKeyedRequests is what a fresh key on each request costs: 64 clients send single events over sockets, to a log that takes
// everything at once and to a lake. Rounds with and without keys alternate; the ratio is of their medians.
func BenchmarkKeyedRequests(b *testing.B) {
	for _, events := range []int{1, 1000} {
		for _, real := range []bool{false, true} {
			b.Run(fmt.Sprintf("events=%d/lake=%v", events, real), func(b *testing.B) {
				var log Log = nullLog{}
				if real {
					l, err := lake.Open(b.Context(), lake.Config{Dir: b.TempDir(), ConvertAge: -1})
					if err != nil {
						b.Fatal(err)
					}
					b.Cleanup(func() { _ = l.Close() })
					log = l
				}
				s := start(b, func(c *Config) { c.Log, c.RequestLog, c.Now = log, io.Discard, nil })
				body := strings.ReplaceAll(string(benchBody(events, false)), "2026-11-21T07:59", time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04"))
				clients := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
				defer clients.CloseIdleConnections()
				var keys atomic.Int64
				rates := map[bool][]float64{}
				for b.Loop() {
					for _, keyed := range []bool{false, true} {
						rates[keyed] = append(rates[keyed], s.flood(clients, body, 4000/min(events, 20), keyed, &keys))
					}
				}
				plain, keyed := median(rates[false]), median(rates[true])
				b.ReportMetric(plain, "plain/s")
				b.ReportMetric(keyed, "keyed/s")
				b.ReportMetric(keyed/plain, "ratio")
			})
		}
	}
}

// flood sends n requests from 64 clients and answers how many a second were answered.
func (b *bench) flood(client *http.Client, body string, n int, keyed bool, keys *atomic.Int64) float64 {
	began := time.Now()
	var wg sync.WaitGroup
	var sent atomic.Int64
	for range 64 {
		wg.Go(func() {
			for sent.Add(1) <= int64(n) {
				req, err := http.NewRequest("POST", b.url+"/ingest/batch", strings.NewReader(body))
				if err != nil {
					b.t.Error(err)
					return
				}
				if keyed {
					req.Header.Set(idempotencyHeader, fmt.Sprintf("8e03978e-40d5-43dd-bc93-%012x", keys.Add(1)))
				}
				resp, err := client.Do(req)
				if err != nil {
					b.t.Error(err)
					return
				}
				text, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 200 {
					b.t.Errorf("status %d: %s", resp.StatusCode, text)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(n) / time.Since(began).Seconds()
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}

// BenchmarkKeyedHandler is one request without socket and log: what a key costs of the processor.
func BenchmarkKeyedHandler(b *testing.B) {
	for _, events := range []int{1, 1000} {
		for _, keyed := range []bool{false, true} {
			b.Run(fmt.Sprintf("events=%d/key=%v", events, keyed), func(b *testing.B) {
				s := newServer(b, nullLog{})
				body := benchBody(events, false)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					r := httptest.NewRequest("POST", "http://localhost/ingest/batch", bytes.NewReader(body))
					if keyed {
						r.Header.Set(idempotencyHeader, fmt.Sprintf("8e03978e-40d5-43dd-bc93-%012x", i))
					}
					w := httptest.NewRecorder()
					if s.ServeHTTP(w, r); w.Code != 200 {
						b.Fatal(w.Body)
					}
				}
			})
		}
	}
}

// BenchmarkStartWithKeys opens a lake that holds a full window of keys: until a request without a key is answered, and one with a new key,
// which waits until all notes are read.
func BenchmarkStartWithKeys(b *testing.B) {
	full := defaultKeyLimit
	if testing.Short() {
		full = 4096
	}
	dir := b.TempDir()
	open := func() *lake.Lake {
		l, err := lake.Open(b.Context(), lake.Config{Dir: dir, ConvertAge: -1})
		if err != nil {
			b.Fatal(err)
		}
		return l
	}
	l := open()
	line := []byte(stored(b, event("e", "")))
	var wg sync.WaitGroup
	for c := range 256 {
		wg.Go(func() {
			for i := c; i < full; i += 256 {
				if _, err := l.Append(b.Context(), lake.Batch{Lines: line, N: 1, Note: []byte(noteOf(fmt.Sprint(i), "{}"))}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	var plain, fresh, remembered float64
	for b.Loop() {
		began := time.Now()
		l := open()
		s := start(b, func(c *Config) { c.Log, c.Now = l, nil })
		body := `{"timestamp":"` + began.UTC().Format(time.RFC3339) + `","service_name":"a"}`
		if a := s.do("POST", "/ingest", body); a.status != 200 {
			b.Fatal(a.text)
		}
		plain += time.Since(began).Seconds()
		if a := s.do("POST", "/ingest", body, idempotencyHeader, fmt.Sprint(began.UnixNano())); a.status != 200 {
			b.Fatal(a.text)
		}
		fresh += time.Since(began).Seconds()
		remembered = float64(s.Snapshot().Keys.Remembered)
		if err := errors.Join(s.Shutdown(b.Context()), l.Close()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(plain/float64(b.N), "s/first-answer")
	b.ReportMetric(fresh/float64(b.N), "s/first-new-key")
	b.ReportMetric(remembered, "keys")
}
