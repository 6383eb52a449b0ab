package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// keySender posts batches whose events have no ids, each batch with a key of its own, and again until it is answered.
type keySender struct {
	name    string
	addr    string
	acked   atomic.Int64 // batches
	replays atomic.Int64 // of them, answered as a try that went unanswered
}

func (s *keySender) run(stop <-chan struct{}) error {
	client := &http.Client{Timeout: 10 * time.Second}
	for n := 0; ; n++ {
		var body bytes.Buffer
		at := time.Now().UTC().Format(time.RFC3339Nano)
		for i := range idsPerBatch {
			fmt.Fprintf(&body, `{"timestamp":%q,"service_name":"keys","message":"%s-%d-%d"}`+"\n", at, s.name, n, i)
		}
		for wait := time.Duration(0); ; wait = 10 * time.Millisecond { // while the server is down nobody listens
			select {
			case <-stop:
				return nil
			case <-time.After(wait):
			}
			ok, err := s.post(client, body.Bytes(), fmt.Sprintf("%s batch %d", s.name, n))
			if err != nil {
				return err
			}
			if ok {
				break
			}
		}
		s.acked.Add(1)
	}
}

// post says whether the batch was acknowledged.
func (s *keySender) post(client *http.Client, body []byte, key string) (bool, error) {
	req, err := http.NewRequest("POST", "http://"+s.addr+"/ingest/batch", bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Idempotency-Key", key)
	resp, err := client.Do(req)
	if err != nil {
		return false, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil || resp.StatusCode == http.StatusServiceUnavailable:
		return false, nil
	case resp.StatusCode != http.StatusOK || !bytes.Contains(text, fmt.Appendf(nil, `{"accepted":%d,`, idsPerBatch)):
		return false, fmt.Errorf("%s: answer %d: %s", key, resp.StatusCode, text)
	}
	if resp.Header.Get("Idempotent-Replayed") != "" {
		s.replays.Add(1)
	}
	return true, nil
}

// TestKillWithKeys kills the real program under senders whose events nothing but the request's key tells apart: all that was
// acknowledged is there, exactly once.
func TestKillWithKeys(t *testing.T) {
	dir, addr := t.TempDir(), freeAddr(t)
	srv := startServer(t, dir, addr)
	stop := make(chan struct{})
	errs := make(chan error, 4)
	senders := make([]*keySender, cap(errs))
	var wg sync.WaitGroup
	for i := range senders {
		senders[i] = &keySender{name: fmt.Sprintf("s%d", i), addr: addr}
		wg.Go(func() { errs <- senders[i].run(stop) })
	}
	total := func() (n int64) {
		for _, s := range senders {
			n += s.acked.Load()
		}
		return n
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 5 {
		target := total() + 10 + random.Int64N(200)
		if !poll(waitLimit, func() bool { return total() >= target }) {
			t.Fatalf("the senders got stuck at %d acknowledged batches", total())
		}
		srv.kill()
		srv = startServer(t, dir, addr)
	}
	close(stop)
	wg.Wait()
	var err error
	for range senders {
		err = errors.Join(err, <-errs)
	}
	if err != nil {
		t.Error(err)
	}
	srv.kill()
	found := map[string]bool{}
	for _, r := range ask(t, dir, "select message, count(*) from events group by message") {
		if found[r[0]] = true; r[1] != "1" {
			t.Errorf("%s is stored %s times", r[0], r[1])
		}
	}
	replays := int64(0)
	for _, s := range senders {
		replays += s.replays.Load()
		for n := range s.acked.Load() {
			for i := range idsPerBatch {
				if name := fmt.Sprintf("%s-%d-%d", s.name, n, i); !found[name] {
					t.Errorf("%s was acknowledged and is lost", name)
				}
			}
		}
	}
	t.Logf("%d batches acknowledged, %d of them on a further try", total(), replays)
}
