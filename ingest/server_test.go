package ingest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// dial opens a raw connection and writes text to it.
func (b *bench) dial(text string) net.Conn {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.Addr())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, text); err != nil {
		b.t.Fatal(err)
	}
	return conn
}

func (b *bench) read(conn net.Conn) answer {
	b.t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return readAnswer(b.t, resp)
}

func post(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

// wantSilence fails when anything comes within a short while.
func wantSilence(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("something came too early: %d bytes, %v", n, err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
}

func TestTwoHundredOnlyAfterAppend(t *testing.T) {
	for _, path := range []string{"/ingest", "/ingest/batch"} {
		log := &fakeLog{gate: make(chan struct{}), entered: make(chan struct{}, 1)}
		b := start(t, func(c *Config) { c.Log = log })
		conn := b.dial(post(path, event("e", "")))
		<-log.entered
		wantSilence(t, conn)
		close(log.gate)
		if a := b.read(conn); a.status != 200 {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
}

func TestShutdownFinishesWhatHasBegun(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{}), entered: make(chan struct{}, 1)}
	b := start(t, func(c *Config) { c.Log = log })
	addr := b.Addr()
	conn := b.dial(post("/ingest", event("e", "")))
	<-log.entered
	done := make(chan error)
	go func() { done <- b.Shutdown(context.Background()) }()
	eventually(t, "the port is closed", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	select {
	case err := <-done:
		t.Fatalf("shutdown did not wait: %v", err)
	default:
	}
	close(log.gate)
	if a := b.read(conn); a.status != 200 {
		t.Errorf("the request in flight: %d %s", a.status, a.text)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	b.wantStored(stored(t, event("e", "")))
	if b.Addr() != "" {
		t.Errorf("still says that it listens on %s", b.Addr())
	}
	if err := b.Shutdown(context.Background()); err != nil {
		t.Errorf("a second shutdown: %v", err)
	}
}

// A browser opens connections ahead of its requests; they do not hold up the end.
func TestShutdownDoesNotWaitForSilentConnections(t *testing.T) {
	b := start(t, nil)
	b.dial("")
	if a := b.do("GET", "/health", ""); a.status != 200 { // the silent one was accepted before
		t.Fatal(a.status)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := b.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

func TestShutdownCutsOffWhatDoesNotEnd(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{}), entered: make(chan struct{}, 1)}
	b := start(t, func(c *Config) { c.Log = log })
	b.dial(post("/ingest", event("e", "")))
	<-log.entered
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := b.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline", err)
	}
	if n := b.Snapshot().InFlight; n != 0 {
		t.Errorf("%d handlers still run", n)
	}
	b.wantStored()
}

func TestStartAgainAfterShutdown(t *testing.T) {
	b := start(t, nil)
	if err := b.Start(); !errors.Is(err, ErrRunning) {
		t.Errorf("a second start: %v", err)
	}
	if err := b.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	b.url = "http://" + b.Addr()
	if a := b.do("GET", "/health", ""); a.status != 200 {
		t.Errorf("health after the restart: %d %s", a.status, a.text)
	}
}

func TestTakenPortSaysWhoAndWhatToDo(t *testing.T) {
	holder, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	s, err := New(Config{Addr: holder.Addr().String(), Log: &fakeLog{}})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Start()
	var taken *AddrInUseError
	if !errors.As(err, &taken) || taken.Addr != holder.Addr().String() {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{holder.Addr().String() + " is taken by ", taken.Holder, "--addr " + taken.Other} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
	if snap := s.Snapshot(); snap.Err != err.Error() || snap.Addr != "" {
		t.Errorf("the snapshot says %q at %q", snap.Err, snap.Addr)
	}
	holder.Close()
	if err := s.Start(); err != nil {
		t.Fatalf("after the port became free: %v", err)
	}
	if snap := s.Snapshot(); snap.Err != "" || snap.Addr == "" {
		t.Errorf("the snapshot still says %q at %q", snap.Err, snap.Addr)
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestPanicIsAnsweredAndSurvived(t *testing.T) {
	b := start(t, func(c *Config) {
		c.Ask = func(context.Context, Question) (*Answer, error) { panic("boom\x1b[31m") }
	})
	a := b.do("GET", "/query/x", "", "X-Request-ID", "p1")
	if a.status != 500 || a.json["error"] != "internal error" || strings.Contains(a.text, "boom") {
		t.Errorf("got %d %s", a.status, a.text)
	}
	eventually(t, "the panic is in the log", func() bool { return len(b.out.lines()) == 1 })
	line := b.out.lines()[0]
	if !strings.Contains(line, `"error":"panic: boom\u001b[31m"`) || !strings.Contains(line, `"request_id":"p1"`) || !strings.Contains(line, "answerQuery") {
		t.Errorf("log: %s", line)
	}
	if a := b.do("GET", "/health", ""); a.status != 200 {
		t.Errorf("afterwards: %d", a.status)
	}
}

func TestSlowBodyIsToldSo(t *testing.T) {
	b := start(t, func(c *Config) { c.ReadTimeout = 50 * time.Millisecond })
	conn := b.dial("POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{\"time")
	if a := b.read(conn); a.status != 408 || !strings.Contains(a.text, "50ms") {
		t.Errorf("got %d %s", a.status, a.text)
	}
	b.wantStored()
}

func TestSlowHeadersAreCut(t *testing.T) {
	b := start(t, func(c *Config) { c.ReadHeaderTimeout = 20 * time.Millisecond })
	conn := b.dial("POST /ingest HTTP/1.1\r\nHost:")
	if rest, err := io.ReadAll(conn); err != nil || bytes.Contains(rest, []byte(" 200 ")) {
		t.Errorf("got %q, %v", rest, err)
	}
}

// The read timeout is for the body: an append that takes longer is not cancelled by it.
func TestSlowAppendOutlivesTheReadTimeout(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{}), entered: make(chan struct{}, 1)}
	b := start(t, func(c *Config) { c.Log, c.ReadTimeout = log, 10*time.Millisecond })
	conn := b.dial(post("/ingest", event("e", "")))
	<-log.entered
	wantSilence(t, conn)
	close(log.gate)
	if a := b.read(conn); a.status != 200 {
		t.Errorf("got %d %s", a.status, a.text)
	}
}

func TestBodyThatBreaksOffStoresNothing(t *testing.T) {
	b := start(t, nil)
	text := post("/ingest/batch", event("e", "")+"\n"+event("f", ""))
	conn := b.dial(text[:len(text)-10])
	_ = conn.(*net.TCPConn).CloseWrite()
	if a := b.read(conn); a.status != 400 || !strings.Contains(a.text, "broke off") {
		t.Errorf("half a body: %d %s", a.status, a.text)
	}
	conn = b.dial("POST /ingest/batch HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n")
	conn.Close()
	eventually(t, "the aborted request is counted", func() bool { return b.Snapshot().Requests == 2 })
	b.wantStored()
}

// `printf ... | nc` closes its half of the connection once the request is out, and reads on.
func TestHalfClosedClientIsServed(t *testing.T) {
	b := start(t, nil)
	conn := b.dial(post("/ingest", event("e", "")))
	_ = conn.(*net.TCPConn).CloseWrite()
	if a := b.read(conn); a.status != 200 {
		t.Errorf("got %d %s", a.status, a.text)
	}
	b.wantStored(stored(t, event("e", "")))
}

func TestChunkedAndPipelined(t *testing.T) {
	b := start(t, nil)
	object := event("e", "")
	chunked := "POST /ingest HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
	for i := 0; i < len(object); i += 7 {
		part := object[i:min(i+7, len(object))]
		chunked += fmt.Sprintf("%x\r\n%s\r\n", len(part), part)
	}
	conn := b.dial(chunked + "0\r\n\r\n" + post("/ingest", event("f", "")))
	r := bufio.NewReader(conn)
	for range 2 {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := readAnswer(t, resp); a.status != 200 {
			t.Errorf("got %d %s", a.status, a.text)
		}
	}
	if got := b.log.take(); len(got) != 2 || string(got[0].Lines) != stored(t, object) {
		t.Errorf("stored %v", got)
	}
}

func TestExpectContinueIsRefusedBeforeTheBody(t *testing.T) {
	b := start(t, nil)
	conn := b.dial("POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
	if a := b.read(conn); a.status != 413 {
		t.Errorf("got %d %s", a.status, a.text)
	}
}

func TestManyHeadersAreRefused(t *testing.T) {
	b := start(t, nil)
	conn := b.dial("GET /health HTTP/1.1\r\nHost: localhost\r\nX-Big: " + strings.Repeat("x", 64<<10) + "\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 431 {
		t.Errorf("got %d, want 431", resp.StatusCode)
	}
}

func TestConcurrentSendersAreAllStoredOnce(t *testing.T) {
	const senders, each = 16, 50
	b := start(t, nil)
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for j := range each {
				id := fmt.Sprintf("%d-%d", i, j)
				body := event(id+"-a", "") + "\n{bad\n" + event(id+"-b", "")
				if a := b.do("POST", "/ingest/batch", body); a.status != 200 || a.json["accepted"] != 2.0 {
					t.Errorf("%s: %d %s", id, a.status, a.text)
				}
				_ = b.Snapshot()
			}
		})
	}
	wg.Wait()
	seen := map[string]int{}
	for _, batch := range b.log.take() {
		for line := range strings.Lines(string(batch.Lines)) {
			var e lake.Event
			if err := new(lake.Scanner).Scan([]byte(line), &e); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			seen[strings.Clone(e.EventID)]++
		}
	}
	if len(seen) != senders*each*2 {
		t.Errorf("%d events stored, want %d", len(seen), senders*each*2)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s was stored %d times", id, n)
		}
	}
	eventually(t, "all are counted", func() bool { return b.Snapshot().Requests == senders*each })
	snap := b.Snapshot()
	if snap.Accepted != senders*each*2 || snap.Rejected != senders*each || snap.InFlight != 0 {
		t.Errorf("counted %+v", snap)
	}
}

func TestHandlerWithoutASocket(t *testing.T) {
	log := &fakeLog{}
	s, err := New(Config{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	object := strings.Replace(event("e", ""), `"2026-11-21T07:59:59Z"`, fmt.Sprint(time.Now().Unix()), 1)
	r := httptest.NewRequest("POST", "http://localhost/ingest", strings.NewReader(object))
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != 200 || len(log.take()) != 1 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
