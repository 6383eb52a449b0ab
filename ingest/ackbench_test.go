package ingest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// syncEach is a log that writes and syncs each request by itself, one after the other.
type syncEach struct {
	nullLog
	mu   sync.Mutex
	file *os.File
}

func (l *syncEach) Append(_ context.Context, b lake.Batch) (lake.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.file.Write(b.Lines); err != nil {
		return lake.Receipt{}, err
	}
	return lake.Receipt{First: 1, Stored: b.N}, l.file.Sync()
}

// ackClient sends one request again and again over one connection. It is as small as it can be: the server has the processors' time.
type ackClient struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
}

func newAckClient(b *testing.B, addr string, body []byte) *ackClient {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	head := fmt.Sprintf("POST /ingest/batch HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", addr, len(body))
	return &ackClient{conn, bufio.NewReader(conn), append([]byte(head), body...)}
}

// send answers an error for anything but a 200.
func (c *ackClient) send() error {
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return err
}

// ackRounds is how often the two ways of BenchmarkAck take turns.
const ackRounds = 5

// BenchmarkAck sends events to two servers in turns, over sockets: ours, and one whose log syncs each request by itself. Reported are medians of what is
// acknowledged in a second, their ratio, and how long a sender waits. Server and clients share the processors.
func BenchmarkAck(b *testing.B) {
	for _, c := range []struct{ clients, events int }{{1, 1}, {16, 1}, {64, 1}, {2, 1000}, {16, 1000}} {
		b.Run(fmt.Sprintf("%dx%d", c.clients, c.events), func(b *testing.B) {
			l, err := lake.Open(b.Context(), lake.Config{Dir: b.TempDir(), ConvertAge: -1})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { l.Close() })
			f, err := os.Create(filepath.Join(b.TempDir(), "log"))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { f.Close() })
			body := benchBody(c.events, false)
			both := [2]*ackSide{newAckSide(b, l, c.clients, body), newAckSide(b, &syncEach{file: f}, c.clients, body)}
			b.SetBytes(int64(len(body)))
			b.ResetTimer()
			for range ackRounds {
				both[0].round(b, b.N/ackRounds+1)
				b.StopTimer()
				both[1].round(b, min(b.N/ackRounds+1, 2000))
				b.StartTimer()
			}
			b.StopTimer()
			ours, each := both[0].perSec()*float64(c.events), both[1].perSec()*float64(c.events)
			b.ReportMetric(ours, "events/s")
			b.ReportMetric(each, "sync-each/s")
			b.ReportMetric(ours/each, "x-sync-each")
			b.ReportMetric(both[0].wait(0.50), "p50-us")
			b.ReportMetric(both[0].wait(0.99), "p99-us")
			b.ReportMetric(both[1].wait(0.50), "sync-each-p50-us")
			b.ReportMetric(both[1].wait(0.99), "sync-each-p99-us")
		})
	}
}

// ackSide is one of the two servers with its clients.
type ackSide struct {
	clients []*ackClient
	rounds  []float64 // requests in a second
	waits   []time.Duration
}

func newAckSide(b *testing.B, log Log, clients int, body []byte) *ackSide {
	s := start(b, func(c *Config) { c.Log, c.RequestLog = log, io.Discard })
	side := &ackSide{}
	for range clients {
		side.clients = append(side.clients, newAckClient(b, strings.TrimPrefix(s.url, "http://"), body))
	}
	side.round(b, 20*clients) // warm
	side.rounds, side.waits = nil, nil
	return side
}

// round sends so many requests, each client one after the other.
func (s *ackSide) round(b *testing.B, requests int) {
	each := make([][]time.Duration, len(s.clients))
	var begun atomic.Int64
	start := time.Now()
	var wg sync.WaitGroup
	for i, c := range s.clients {
		wg.Go(func() {
			for begun.Add(1) <= int64(requests) {
				start := time.Now()
				if err := c.send(); err != nil {
					b.Error(err)
					return
				}
				each[i] = append(each[i], time.Since(start))
			}
		})
	}
	wg.Wait()
	s.rounds = append(s.rounds, float64(requests)/time.Since(start).Seconds())
	s.waits = append(s.waits, slices.Concat(each...)...)
}

func (s *ackSide) perSec() float64 {
	slices.Sort(s.rounds)
	return s.rounds[len(s.rounds)/2]
}

// wait is a percentile of the waits, in microseconds.
func (s *ackSide) wait(p float64) float64 {
	slices.Sort(s.waits)
	return float64(s.waits[int(p*float64(len(s.waits)-1))].Microseconds())
}
