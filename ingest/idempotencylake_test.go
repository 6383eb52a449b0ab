package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

func openLake(t testing.TB, dir string, disk lake.Disk) *lake.Lake {
	t.Helper()
	l, err := lake.Open(context.Background(), lake.Config{Dir: dir, Disk: disk, Now: func() time.Time { return testNow }, ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// messages counts the messages of a lake's events.
func messages(t testing.TB, l *lake.Lake) map[string]int {
	t.Helper()
	found, events := map[string]int{}, int64(0)
	tail := l.Tail(1)
	defer tail.Close()
	for want := l.Status().RawEvents; events < want; {
		batch, err := tail.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		events += int64(batch.N)
		for line := range strings.Lines(string(batch.Lines)) {
			var e lake.Event
			if err := new(lake.Scanner).Scan([]byte(line), &e); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			found[strings.Clone(e.Message)]++
		}
	}
	return found
}

// keyed is a request with a key, and what it was answered; status 0: not yet.
type keyed struct {
	path, key, body string
	status          int
	text            string
}

// anonymous are events without ids, so that nothing but a key tells a retry.
func anonymous(names ...string) string {
	var lines []string
	for _, name := range names {
		lines = append(lines, `{"timestamp":"2026-11-21T07:59:59Z","service_name":"checkout","message":"`+name+`"}`)
	}
	return strings.Join(lines, "\n")
}

// named is an event with an id of its sender's.
var named = event("f1", `,"message":"f1"`)

// keyedRequests are requests of all kinds that a key remembers, and the messages of their events.
func keyedRequests() ([]*keyed, []string) {
	return []*keyed{
		{path: "/ingest", key: "a", body: anonymous("a1")},
		{path: "/ingest/batch", key: "a", body: anonymous("b1", "b2", "b3")},
		{path: "/ingest/batch", key: "b", body: anonymous("c1") + "\nhello\n" + anonymous("c2")},
		{path: "/ingest/batch", key: "c", body: badEvent + "\n" + badEvent},
		{path: "/ingest/batch", key: "d", body: "[" + anonymous("d1") + "]"},
		{path: "/ingest", key: "e", body: badEvent},
		{path: "/ingest/batch", key: "f", body: named + "\n" + named + "\n" + badEvent}, // a duplicate
		{path: "/ingest/batch", key: "g", body: named},                                  // nothing but a duplicate: a note without events
	}, []string{"a1", "b1", "b2", "b3", "c1", "c2", "d1", "f1"}
}

// A process that ends and one that takes over: every key is known to it, with its answer, in a lake that has sealed and converted meanwhile.
func TestKeysOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	requests, names := keyedRequests()
	for round := range 4 {
		l := openLake(t, dir, nil)
		b := start(t, func(c *Config) { c.Log = l })
		for _, r := range requests {
			a := b.do("POST", r.path, r.body, idempotencyHeader, r.key)
			if r.status == 0 {
				r.status, r.text = a.status, a.text
			} else if a.header.Get(replayedHeader) == "" {
				t.Errorf("round %d: %s %s is as new: %d %s", round, r.path, r.key, a.status, a.text)
			}
			if a.status != r.status || a.text != r.text || a.status != 200 && a.status != 422 {
				t.Errorf("round %d: %s %s: %d %s, before it was %d %s", round, r.path, r.key, a.status, a.text, r.status, r.text)
			}
		}
		if a := b.do("POST", "/ingest", anonymous("other"), idempotencyHeader, "a"); a.status != 422 {
			t.Errorf("round %d: another body: %d %s", round, a.status, a.text)
		}
		if dead := l.DeadStatus().Kept; dead != 5 {
			t.Errorf("round %d: %d letters, want 5", round, dead)
		}
		if err := b.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := messages(t, l); len(got) != len(names) {
			t.Errorf("round %d: stored %v", round, got)
		}
		if round == 1 {
			if _, err := l.Convert(context.Background(), nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// post sends a request to the server without a socket.
func (r *keyed) post(s *Server) (status int, text string, replayed bool) {
	req := httptest.NewRequest("POST", "http://localhost"+r.path, strings.NewReader(r.body))
	req.Header.Set(idempotencyHeader, r.key)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return w.Code, w.Body.String(), w.Header().Get(replayedHeader) != ""
}

func newServer(t testing.TB, log Log) *Server {
	t.Helper()
	s, err := New(Config{Log: log, Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The power goes at any moment, with whatever the disk makes of it: the requests that are sent again are stored once, those that were
// answered before get their answer.
func TestKeysOutliveAPowerCut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	disk, err := laketest.NewCrashDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := openLake(t, dir, disk)
	s := newServer(t, l)
	requests, names := keyedRequests()
	first, answered := disk.Ops(), make([]int, len(requests))
	for i, r := range requests {
		r.status, r.text, _ = r.post(s)
		answered[i] = disk.Ops()
	}
	states := t.TempDir()
	n := 0
	err = disk.Cuts(first, 1, 7, func(cut laketest.Cut) error {
		n++
		folder := filepath.Join(states, fmt.Sprint(n))
		if err := disk.Materialise(folder, cut); err != nil {
			return err
		}
		quick, err := laketest.NewCrashDisk(folder) // for its speed: it syncs nothing
		if err != nil {
			return err
		}
		again := openLake(t, folder, quick)
		defer again.Close()
		server := newServer(t, again)
		for i, r := range requests {
			status, text, replayed := r.post(server)
			if answered[i] <= cut.At && (!replayed || text != r.text) {
				return fmt.Errorf("%v: %s was answered %s, and now %s", cut, r.key, r.text, text)
			}
			if status != r.status {
				return fmt.Errorf("%v: %s: %d %s, want %d", cut, r.key, status, text, r.status)
			}
		}
		got := messages(t, again)
		for _, name := range names {
			if got[name] != 1 {
				return fmt.Errorf("%v: %s is stored %d times", cut, name, got[name])
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if n < 100 {
		t.Errorf("only %d cuts", n)
	}
}

// The disk fails at each operation in turn, once or for good: who sends until there is a final answer has its events once.
func TestKeysOutliveFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range []laketest.Fault{laketest.FaultError, laketest.FaultNoSpace, laketest.FaultShort, laketest.FaultLate} {
		for at := 0; ; at++ {
			dir := t.TempDir()
			quick, err := laketest.NewCrashDisk(dir) // for its speed: it syncs nothing
			if err != nil {
				t.Fatal(err)
			}
			disk := &laketest.FaultDisk{Disk: quick}
			l := openLake(t, dir, disk)
			s := newServer(t, l)
			requests, names := keyedRequests()
			disk.FailAt(disk.Ops()+at, 3, fault)
			for _, r := range requests {
				for tries := 0; r.status != 200 && r.status != 422; tries++ {
					if r.status, r.text, _ = r.post(s); tries > 10 {
						t.Fatalf("fault at %d: %s never succeeds: %d %s", at, r.key, r.status, r.text)
					}
				}
			}
			if n := l.DeadStatus().Kept; n != 5 {
				t.Fatalf("fault at %d: %d letters, want 5", at, n)
			}
			injected := disk.Injected()
			disk.Heal()
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			l = openLake(t, dir, quick)
			s = newServer(t, l)
			for _, r := range requests {
				if status, text, replayed := r.post(s); !replayed || status != r.status || text != r.text {
					t.Fatalf("fault at %d: %s: %d %s, before the restart %d %s", at, r.key, status, text, r.status, r.text)
				}
			}
			got := messages(t, l)
			for _, name := range names {
				if got[name] != 1 {
					t.Fatalf("fault at %d: %s is stored %d times", at, name, got[name])
				}
			}
			if err := l.Close(); err != nil && !errors.Is(err, lake.ErrClosed) {
				t.Fatal(err)
			}
			if injected == 0 {
				break // the fault lay behind the last operation
			}
		}
	}
}

// What the lake says of events with ids is what the answer says; all adds up.
func TestAnswersCountDuplicatesAndConflicts(t *testing.T) {
	b := start(t, func(c *Config) { c.Log = openLake(t, t.TempDir(), nil) })
	try := func(path, body, want string) {
		t.Helper()
		if a := b.do("POST", path, body, "X-Request-ID", "r"); a.status != 200 || !strings.HasPrefix(a.text, want) {
			t.Errorf("%s: %d %s want %s", body, a.status, a.text, want)
		}
	}
	one, other := event("e1", ""), event("e1", `,"message":"other"`)
	try("/ingest", one, `{"accepted":1,"duplicate":0,"conflict":0,"event_id":"e1","request_id":"r"}`)
	try("/ingest", one, `{"accepted":0,"duplicate":1,"conflict":0,"event_id":"e1","request_id":"r"}`)
	try("/ingest", other, `{"accepted":1,"duplicate":0,"conflict":1,"event_id":"e1","request_id":"r"}`)
	try("/ingest/batch", one+"\n"+badEvent+"\n"+event("e2", ""), `{"accepted":1,"duplicate":1,"conflict":0,"rejected":[{"line":2,`)
	try("/ingest/batch", anonymous("x", "x"), `{"accepted":2,"duplicate":0,"conflict":0,"rejected":[],`)
	eventually(t, "all are counted", func() bool { return b.Snapshot().Requests == 5 })
	if snap := b.Snapshot(); snap.Accepted != 5 || snap.Duplicates != 2 || snap.Conflicts != 1 || snap.Rejected != 1 {
		t.Errorf("counted %+v", snap)
	}
	if a := b.do("GET", "/health", ""); a.json["duplicates"] != 2.0 || a.json["conflicts"] != 1.0 {
		t.Errorf("health: %s", a.text)
	}
}
