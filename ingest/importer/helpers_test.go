package importer

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/signallake/signallake/lake"
)

// testNow is when every import of these tests happens.
var testNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// waitLimit bounds every wait for something to appear: far above what it takes.
const waitLimit = 60 * time.Second

// memSink is a lake in memory that can break at any of its steps.
type memSink struct {
	mu      sync.Mutex
	changed chan struct{}
	lines   []string // of the events, in order
	notes   [][]byte
	letters []lake.DeadLetter

	step    int  // appends and burials so far
	breakAt int  // the step that fails; 0: none
	stored  bool // it fails after all was stored, as when the answer is lost
}

var errBroken = errors.New("the disk is gone")

func newSink() *memSink { return &memSink{changed: make(chan struct{})} }

// enter counts a step and says whether to store and whether to fail.
func (s *memSink) enter() (store bool, err error) {
	s.step++
	if s.step == s.breakAt {
		return s.stored, errBroken
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return true, nil
}

func (s *memSink) Append(_ context.Context, b lake.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	store, err := s.enter()
	if store {
		lines := strings.Split(strings.TrimSuffix(string(b.Lines), "\n"), "\n")
		if len(lines) != b.N {
			return fmt.Errorf("a batch of %d lines says that it has %d", len(lines), b.N)
		}
		s.lines = append(s.lines, lines...)
		s.notes = append(s.notes, bytes.Clone(b.Note))
	}
	return err
}

func (s *memSink) Bury(_ context.Context, letters []lake.DeadLetter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	store, err := s.enter()
	if store {
		for _, d := range letters {
			d.Text = bytes.Clone(d.Text)
			s.letters = append(s.letters, d)
		}
	}
	return err
}

func (s *memSink) Notes(_ lake.Micros, fn func(lake.Seq, int, lake.Micros, []byte) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, note := range s.notes {
		if err := fn(1, 1, lake.MicrosOf(testNow), note); len(note) > 0 && err != nil {
			return err
		}
	}
	return nil
}

func (s *memSink) DeadLetters(_ int64, fn func(*lake.DeadLetter) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.letters {
		if err := fn(&s.letters[i]); err != nil {
			return err
		}
	}
	return nil
}

// messages are the events' messages, in order.
func (s *memSink) messages(t *testing.T) []string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, line := range s.lines {
		var e struct {
			Message string `json:"message"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, e.Message)
	}
	return all
}

// waits until the sink holds what the condition wants.
func (s *memSink) waits(t *testing.T, what string, condition func() bool) {
	t.Helper()
	limit := time.After(waitLimit)
	for {
		s.mu.Lock()
		ok, changed := condition(), s.changed
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("waited for %s; there are %d events and %d dead letters", what, len(s.lines), len(s.letters))
		}
	}
}

func (s *memSink) waitEvents(t *testing.T, n int) {
	t.Helper()
	s.waits(t, fmt.Sprintf("%d events", n), func() bool { return len(s.lines) >= n })
}

// wants compares the events' messages.
func (s *memSink) wants(t *testing.T, messages ...string) {
	t.Helper()
	if got := s.messages(t); !slices.Equal(got, messages) {
		t.Errorf("events %q, want %q", got, messages)
	}
}

// line is one good JSON line.
func line(message string) string {
	return fmt.Sprintf(`{"timestamp":"2026-11-20T10:00:00Z","status_code":200,"message":%q}`+"\n", message)
}

// lines are good JSON lines from number a up to b-1.
func lines(a, b int) string {
	var text strings.Builder
	for i := a; i < b; i++ {
		text.WriteString(line(fmt.Sprint(i)))
	}
	return text.String()
}

// numbers are the messages of lines(a, b).
func numbers(a, b int) []string {
	var all []string
	for i := a; i < b; i++ {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func add(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func gzipOf(t *testing.T, texts ...string) string {
	t.Helper()
	var b bytes.Buffer
	for _, text := range texts {
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func zstdOf(t *testing.T, texts ...string) string {
	t.Helper()
	var b bytes.Buffer
	for _, text := range texts {
		z, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func testConfig(s Sink) Config {
	return Config{Sink: s, Now: func() time.Time { return testNow }, Parsers: 2, Poll: time.Millisecond}
}

// imports runs an import with small chunks and answers its results.
func imports(t *testing.T, c Config, paths ...string) []*Result {
	t.Helper()
	results, err := (&job{Config: c.withDefaults(), chunk: 4 << 10}).run(t.Context(), paths)
	if err != nil {
		t.Fatalf("import %v: %v", paths, err)
	}
	return results
}

// wantResult checks a result's state and counts.
func wantResult(t *testing.T, r *Result, state State, accepted, rejected int64) {
	t.Helper()
	if r.State != state || r.Accepted != accepted || r.Rejected != rejected || r.Lines != accepted+rejected {
		t.Errorf("%s: %s (%v), %d lines = %d accepted + %d rejected; want %s, %d + %d", r.Name, r.State, r.Err, r.Lines, r.Accepted, r.Rejected, state, accepted, rejected)
	}
}

func temp(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	write(t, path, text)
	return path
}
