package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/retry"
)

// testNow is the time in every test that does not move its clock.
var testNow = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// fakeLog remembers what was appended. gate, when set, holds each Append until it is closed or the context ends.
type fakeLog struct {
	mu      sync.Mutex
	batches []lake.Batch
	err     error
	gate    chan struct{}
	entered chan struct{} // gets a value as each Append begins, when set
	next    lake.Seq

	letters []lake.DeadLetter
	buryErr error
	backlog error
	probes  int

	notes                 [][]byte // of all batches
	duplicates, conflicts int      // what the next receipts say
}

func (l *fakeLog) Bury(_ context.Context, letters []lake.DeadLetter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buryErr != nil {
		return l.buryErr
	}
	for _, d := range letters {
		d.Text = bytes.Clone(d.Text)
		l.letters = append(l.letters, d)
	}
	return nil
}

func (l *fakeLog) Backlog() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.backlog
}

// Probe succeeds once Append and Bury would.
func (l *fakeLog) Probe(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.probes++
	return errors.Join(l.err, l.buryErr)
}

func (l *fakeLog) Append(ctx context.Context, b lake.Batch) (lake.Receipt, error) {
	if l.entered != nil {
		l.entered <- struct{}{}
	}
	if l.gate != nil {
		select {
		case <-l.gate:
		case <-ctx.Done():
			return lake.Receipt{}, ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return lake.Receipt{}, l.err
	}
	first := l.next + 1
	l.next += lake.Seq(b.N)
	b.Lines = bytes.Clone(b.Lines)
	receipt := lake.Receipt{First: first, Stored: b.N - l.duplicates, Duplicates: l.duplicates, Conflicts: l.conflicts}
	if b.Remark != nil {
		b.Note = bytes.Clone(b.Remark(receipt))
	}
	if b.Note != nil {
		l.notes = append(l.notes, b.Note)
	}
	l.batches = append(l.batches, b)
	return receipt, nil
}

// NotesBack has the notes of all batches, each appended at testNow.
func (l *fakeLog) NotesBack(_ lake.Micros, fn func(lake.Micros, []byte) bool) error {
	l.mu.Lock()
	notes := slices.Clone(l.notes)
	l.mu.Unlock()
	for _, note := range slices.Backward(notes) {
		if !fn(lake.MicrosOf(testNow), note) {
			break
		}
	}
	return nil
}

func (l *fakeLog) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// heal ends the log's troubles and waits until the server has found out.
func (b *bench) heal() {
	b.t.Helper()
	b.log.mu.Lock()
	b.log.err, b.log.buryErr, b.log.backlog = nil, nil, nil
	b.log.mu.Unlock()
	eventually(b.t, "the storage is taken for healthy", func() bool { return b.storage.check() == nil })
}

// wantRetry checks a Retry-After against the time that it is made of: up to a quarter more, and a second at least, is added at random.
func (a answer) wantRetry(t testing.TB, what string, wait time.Duration) {
	t.Helper()
	got, err := strconv.Atoi(a.header.Get("Retry-After"))
	if low, high := retrySeconds(wait, 0), retrySeconds(wait, 1); err != nil || got < low || got > high {
		t.Errorf("%s: %d with Retry-After %q, want %d to %d", what, a.status, a.header.Get("Retry-After"), low, high)
	}
}

// take returns what was appended since the last call.
func (l *fakeLog) take() []lake.Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.batches
	l.batches = nil
	return out
}

// takeLetters returns what was buried since the last call.
func (l *fakeLog) takeLetters() []lake.DeadLetter {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.letters
	l.letters = nil
	return out
}

// syncBuffer is a request log that tests read.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.FieldsFunc(b.buf.String(), func(r rune) bool { return r == '\n' })
}

// bench is a server on a socket of its own, with a log that remembers.
type bench struct {
	*Server
	t   testing.TB
	log *fakeLog
	out *syncBuffer
	url string
}

// start serves on a free port until the test ends. change may alter the configuration.
func start(t testing.TB, change func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, log: &fakeLog{}, out: &syncBuffer{}}
	cfg := Config{Addr: "127.0.0.1:0", Log: b.log, RequestLog: b.out, Now: func() time.Time { return testNow },
		Retry: retry.Policy{Tries: 2, First: time.Millisecond}, ProbeEvery: time.Millisecond}
	if change != nil {
		change(&cfg)
	}
	if l, ok := cfg.Log.(*fakeLog); ok {
		b.log = l
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	b.Server, b.url = s, "http://"+s.Addr()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return b
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

func (b *bench) do(method, path, body string, headers ...string) answer {
	b.t.Helper()
	return b.send(method, path, strings.NewReader(body), headers...)
}

func (b *bench) send(method, path string, body io.Reader, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequest(method, b.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return readAnswer(b.t, resp)
}

func readAnswer(t testing.TB, resp *http.Response) answer {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(text)}
	if resp.Header.Get("Content-Type") == "application/json" && len(text) > 0 {
		if err := json.Unmarshal(text, &a.json); err != nil {
			t.Fatalf("answer %q: %v", text, err)
		}
	}
	if resp.Header.Get("X-Request-ID") == "" {
		t.Errorf("an answer without X-Request-ID: %d %s", a.status, text)
	}
	return a
}

// wantStored compares exactly what the log got, in one batch; none: nothing was appended.
func (b *bench) wantStored(want ...string) {
	b.t.Helper()
	got := b.log.take()
	if len(want) == 0 {
		if len(got) != 0 {
			b.t.Errorf("stored %q, want nothing", got[0].Lines)
		}
		return
	}
	if len(got) != 1 {
		b.t.Errorf("%d batches were appended, want one", len(got))
		return
	}
	lines := slices.Collect(strings.Lines(string(got[0].Lines)))
	if got[0].N != len(want) || !slices.Equal(lines, want) {
		b.t.Errorf("stored N=%d\n%q\nwant\n%q", got[0].N, lines, want)
	}
}

// event is a valid event with the id and further members, and stored is its canonical line.
func event(id, more string) string {
	return `{"event_id":"` + id + `","timestamp":"2026-11-21T07:59:59Z","service_name":"checkout","status_code":200` + more + `}`
}

func stored(t testing.TB, object string) string {
	t.Helper()
	var e lake.Event
	if _, err := (lake.Contract{}).Parse([]byte(object), lake.MicrosOf(testNow), &e); err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	return string(e.AppendLine(nil))
}

// eventually polls until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}
