package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// server is the real binary as `serve`, on a port of its own.
type server struct {
	cmd  *exec.Cmd
	addr string
}

// startServer starts `serve` and waits until it says that it listens. addr "" takes a free port.
func startServer(t *testing.T, dir, addr string) *server {
	t.Helper()
	if addr == "" {
		addr = freeAddr(t)
	}
	cmd := exec.Command(program(t), "serve", "--data", dir, "--addr", addr)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() {
		var said strings.Builder
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "listening on") {
				listening <- ""
				io.Copy(io.Discard, stderr)
				return
			}
			said.WriteString(lines.Text() + "\n")
		}
		listening <- "serve ended: " + said.String()
	}()
	select {
	case problem := <-listening:
		if problem != "" {
			t.Fatal(problem)
		}
	case <-time.After(waitLimit):
		t.Fatal("serve does not say that it listens")
	}
	s := &server{cmd: cmd, addr: addr}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return s
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// kill ends the process as a power cut would and waits until it is gone.
func (s *server) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// sender posts batches of events with ids of its own, and an unanswered batch again until it is answered.
type sender struct {
	name    string
	addr    string
	acked   map[string]bool // ids of answered batches
	retried map[string]bool // ids that were sent more than once
	count   *atomic.Int64   // acked ids of all senders
}

const idsPerBatch = 20

func (s *sender) run(stop <-chan struct{}, client *http.Client) error {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return nil
		default:
		}
		var body bytes.Buffer
		ids := make([]string, idsPerBatch)
		for i := range ids {
			ids[i] = fmt.Sprintf("%s-%d-%d", s.name, n, i)
			fmt.Fprintf(&body, `{"event_id":%q,"timestamp":%q,"service_name":"kill","status_code":%d,"latency_ms":%d}`+"\n", ids[i], time.Now().UTC().Format(time.RFC3339Nano), 200+100*(i%4), i)
		}
		for try := 0; ; try++ {
			ok, err := s.post(client, body.Bytes())
			if err != nil {
				return err
			}
			if ok {
				break
			}
			for _, id := range ids {
				s.retried[id] = true
			}
			select {
			case <-stop:
				return nil // unanswered: may or may not be there
			case <-time.After(20 * time.Millisecond):
			}
		}
		for _, id := range ids {
			s.acked[id] = true
		}
		s.count.Add(idsPerBatch)
	}
}

// post says whether the batch was acknowledged; no answer is not an error, another answer than 200, 429 or 503 is.
func (s *sender) post(client *http.Client, body []byte) (bool, error) {
	resp, err := client.Post("http://"+s.addr+"/ingest/batch", "application/x-ndjson", bytes.NewReader(body))
	if err != nil {
		return false, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		return false, nil
	case resp.StatusCode != http.StatusOK:
		return false, fmt.Errorf("answer %d: %s", resp.StatusCode, text)
	case !strings.Contains(string(text), fmt.Sprintf(`"accepted":%d`, idsPerBatch)):
		return false, fmt.Errorf("answer 200 does not accept %d: %s", idsPerBatch, text)
	}
	return true, nil
}

// ask runs the real binary's query as another process and returns the csv records behind the header.
func ask(t *testing.T, dir, text string) [][]string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program(t), "query", "--data", dir, "--sql", text, "--format", "csv")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("query: %v: %s", err, stderr.String())
	}
	records, err := csv.NewReader(&stdout).ReadAll()
	if err != nil || len(records) == 0 {
		t.Fatalf("query answered %v, %v", records, err)
	}
	return records[1:]
}

// TestKill kills the real program ten times under load. Every acknowledged id is there, to a reader in another process, at every moment;
// an id is there more than once only when its request went unanswered and was sent again.
func TestKill(t *testing.T) {
	kills := 10
	if testing.Short() {
		kills = 3
	}
	dir := t.TempDir()
	addr := freeAddr(t)
	srv := startServer(t, dir, addr)

	var count atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	senders := make([]*sender, 4)
	errs := make(chan error, len(senders))
	for i := range senders {
		senders[i] = &sender{name: fmt.Sprintf("s%d", i), addr: addr, acked: map[string]bool{}, retried: map[string]bool{}, count: &count}
		wg.Go(func() { errs <- senders[i].run(stop, &http.Client{Timeout: 10 * time.Second}) })
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range kills {
		target := count.Load() + int64(idsPerBatch*(5+random.IntN(100)))
		if !poll(waitLimit, func() bool { return count.Load() >= target }) {
			t.Fatalf("the senders got stuck at %d acknowledged events", count.Load())
		}
		srv.kill()
		before := count.Load()
		if n, _ := strconv.ParseInt(ask(t, dir, "select count(distinct event_id) from events")[0][0], 10, 64); n < before {
			t.Errorf("%d ids are visible after the kill, %d were acknowledged", n, before)
		}
		srv = startServer(t, dir, addr)
	}
	close(stop)
	wg.Wait()
	for range senders {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	checkIDs(t, senders, ask(t, dir, "select event_id, count(*) from events group by event_id"))
	srv.kill()
	checkIDs(t, senders, ask(t, dir, "select event_id, count(*) from events group by event_id"))
	if out, err := exec.Command(program(t), "verify", "--data", dir).CombinedOutput(); err != nil {
		t.Errorf("verify: %v: %s", err, out)
	}
}

func checkIDs(t *testing.T, senders []*sender, records [][]string) {
	t.Helper()
	seen := map[string]string{}
	for _, r := range records {
		seen[r[0]] = r[1]
	}
	acked, doubled := 0, 0
	for _, s := range senders {
		for id := range s.acked {
			acked++
			switch n := seen[id]; {
			case n == "":
				t.Errorf("%s was acknowledged and is lost", id)
			case n != "1" && !s.retried[id]:
				t.Errorf("%s was sent once and is there %s times", id, n)
			case n != "1":
				doubled++
			}
		}
	}
	t.Logf("%d ids acknowledged, %d there more than once after an unanswered try", acked, doubled)
}
