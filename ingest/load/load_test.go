package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
)

// events are the canonical lines of n synthetic events.
func events(t *testing.T, n int64) []byte {
	t.Helper()
	g, err := gen.New(gen.Config{Seed: 7, Count: n, End: lake.MicrosOf(time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	var lines []byte
	if err := g.Run(t.Context(), 1, func(b lake.Batch) error { lines = append(lines, b.Lines...); return nil }); err != nil {
		t.Fatal(err)
	}
	return lines
}

func requests(t *testing.T, lines []byte, perRequest int, ids bool) []Request {
	t.Helper()
	var all []Request
	for _, batch := range Split(lines, perRequest) {
		body, err := Sent(nil, batch, ids)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, NewRequest(body, ""))
	}
	return all
}

// serve starts a server of a new lake.
func serve(t *testing.T) (addr string, l *lake.Lake) {
	t.Helper()
	l, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir(), ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ingest.New(ingest.Config{Addr: "127.0.0.1:0", Log: l, RequestLog: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		l.Close()
	})
	return s.Addr(), l
}

func TestWhatIsAcknowledgedIsStored(t *testing.T) {
	addr, l := serve(t)
	list := requests(t, events(t, 2_050), 100, true)
	acked := make([]atomic.Int64, len(list))
	got, err := Run(t.Context(), Config{Addr: addr, Requests: list, Clients: 3, Acked: func(number int, at time.Time) {
		if at.IsZero() {
			t.Error("an acknowledgement without its time")
		}
		acked[number].Add(1)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got.Requests != 21 || got.Events != 2_050 || got.Duplicates != 0 || got.Rejected != 0 || got.Refusals != 0 || len(got.Waits) != 21 {
		t.Errorf("%+v", got)
	}
	for i := range acked {
		if n := acked[i].Load(); n != 1 {
			t.Errorf("request %d: acknowledged %d times", i, n)
		}
	}
	again, err := Run(t.Context(), Config{Addr: addr, Requests: list, Count: 30}) // the same ids: all of them are known
	if err != nil || again.Requests != 30 || again.Events != 0 || again.Duplicates != 2_950 {
		t.Errorf("%+v, %v", again, err)
	}
	if l.Committed() != 2_051 {
		t.Errorf("the lake ends at %d", l.Committed())
	}
}

// TestSentKeepsTheEvent holds what a sender sends against the line that it was made of.
func TestSentKeepsTheEvent(t *testing.T) {
	lines := events(t, 500)
	for _, ids := range []bool{false, true} {
		sent, err := Sent(nil, lines, ids)
		if err != nil {
			t.Fatal(err)
		}
		want, got := Split(lines, 1), Split(sent, 1)
		if len(got) != len(want) {
			t.Fatalf("%d lines of %d", len(got), len(want))
		}
		var scanner lake.Scanner
		for i := range want {
			var original, event lake.Event
			if err := scanner.Scan(want[i], &original); err != nil {
				t.Fatal(err)
			}
			if _, err := (lake.Contract{}).Parse(got[i][:len(got[i])-1], original.ReceivedAt, &event); err != nil {
				t.Fatalf("%s: %v", got[i], err)
			}
			if event.GivenID != ids {
				t.Errorf("id given: %v", event.GivenID)
			}
			if !ids {
				event.EventID = original.EventID
			}
			if line := event.AppendLine(nil); !bytes.Equal(line, want[i]) {
				t.Fatalf("got  %swant %s", line, want[i])
			}
		}
	}
	for _, bad := range []string{"{}\n", `{"event_id":"a","timestamp":"b"}` + "\n", `{"event_id":"a` + "\n", `{"event_id":"a","timestamp":"b","received_at":"c"}` + "\n", string(lines[:len(lines)-1])} {
		if _, err := Sent(nil, []byte(bad), false); err == nil {
			t.Errorf("%.80q was taken", bad)
		}
	}
}

// answering is a server that gives each connection's requests the same answers, one after the other.
func answering(t *testing.T, answers ...string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for _, answer := range answers {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						return
					}
					if _, err := io.WriteString(conn, answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return ln.Addr().String()
}

func answer(status int, header, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\n%sContent-Length: %d\r\n\r\n%s", status, http.StatusText(status), header, len(body), body)
}

func TestARefusedRequestIsSentAgain(t *testing.T) {
	addr := answering(t, answer(429, "Retry-After: 0\r\n", "{}"), answer(503, "", "{}"), answer(200, "", `{"accepted":2,"rejected_total":1}`))
	got, err := Run(t.Context(), Config{Addr: addr, Requests: []Request{NewRequest([]byte("{}\n{}\n{}\n"), "secret")}, PerSec: 1000})
	if err != nil || got.Requests != 1 || got.Refusals != 2 || got.Events != 2 || got.Rejected != 1 || got.Bytes != 9 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestOtherAnswersEndTheLoad(t *testing.T) {
	for want, text := range map[string]string{
		"answer 400: no":               answer(400, "", "no"),
		"not HTTP":                     "SSH-2.0-something\r\n",
		"without a status":             "HTTP/1.1 abc\r\n",
		"does not say":                 "HTTP/1.1 200 OK\r\n\r\n",
		"cannot be read: \"Content-Le": "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
		"acknowledgement that cannot":  answer(200, "", "fine"),
		"EOF":                          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
	} {
		ok := answer(200, "", `{"accepted":1}`)
		got, err := Run(t.Context(), Config{Addr: answering(t, ok, text), Requests: []Request{NewRequest([]byte("{}"), "")}, Count: 5})
		if err == nil || !strings.Contains(err.Error(), want) || got.Requests != 1 {
			t.Errorf("%q: %v, %+v", want, err, got)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	one := []Request{NewRequest(nil, "")}
	for _, c := range []Config{{Requests: one}, {Addr: "a:1"}, {Addr: "a:1", Requests: one, Clients: -1}, {Addr: "a:1", Requests: one, PerSec: -1}} {
		if _, err := Run(t.Context(), c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

func TestAppendWritesEveryBatch(t *testing.T) {
	lines := events(t, 1_000)
	for _, shared := range []bool{false, true} {
		dir := t.TempDir()
		got, err := Append(t.Context(), dir, Split(lines, 100), 100, 20, 2, shared)
		if err != nil || got.Requests != 20 || got.Events != 2_000 || got.Bytes != int64(2*len(lines)) || len(got.Waits) != 20 || got.Wait(0.5) <= 0 {
			t.Fatalf("%+v, %v", got, err)
		}
		names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
		if want := map[bool]int{false: 2, true: 1}[shared]; err != nil || len(names) != want {
			t.Fatalf("%v, %v", names, err)
		}
		seen := map[string]int{}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range Split(text, 1) {
				seen[string(line)]++
			}
		}
		for _, line := range Split(lines, 1) {
			if seen[string(line)] != 2 {
				t.Fatalf("%d times: %s", seen[string(line)], line)
			}
		}
	}
	if _, err := Append(t.Context(), t.TempDir(), nil, 1, 1, 1, false); err == nil {
		t.Error("nothing to append was taken")
	}
}
