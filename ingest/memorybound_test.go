package ingest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// liveHeap is what is in use after a collection.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // the first one moves what pools hold to where the second finds it
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// totalAlloc is what was ever allocated.
func totalAlloc() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc)
}

// The bound holds: hundreds of large bodies at once in front of a log that does not move. Those for which there is no room are told 429 and nothing of
// theirs is stored; the heap stays within the stated bound; and afterwards everything that was told 429 gets in.
func TestMemoryBoundHolds(t *testing.T) {
	const senders, limit = 320, 32 << 20
	body := benchBody(7000, false) // 2 MB: all of them together are 20 times the bound
	log := &fakeLog{gate: make(chan struct{})}
	b := start(t, func(c *Config) { c.Log, c.MaxMemory, c.RequestLog = forgetful{log}, limit, nil })
	request := []byte(post("/ingest/batch", string(body)))
	before, earlier := liveHeap(), totalAlloc()
	var ok, busy, other atomic.Int64
	var wg sync.WaitGroup
	send := func() (status int) {
		conn, err := net.Dial("tcp", b.Addr())
		if err != nil {
			t.Error(err)
			return 0
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(6 * patience))
		if _, err := conn.Write(request); err != nil {
			t.Errorf("a body was not taken off the wire: %v", err)
			return 0
		}
		resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 512), nil)
		if err != nil {
			t.Errorf("no answer: %v", err)
			return 0
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode == 429 && resp.Header.Get("Retry-After") == "" {
			t.Error("a 429 without Retry-After")
		}
		return resp.StatusCode
	}
	for range senders {
		wg.Go(func() {
			switch send() {
			case 200:
				ok.Add(1)
			case 429:
				busy.Add(1)
			default:
				other.Add(1)
			}
		})
	}
	var most int64
	for busy.Load()+other.Load()+b.queue.waiting() < senders {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, int64(m.HeapAlloc)-before)
		runtime.Gosched()
	}
	settled, allocated := liveHeap()-before, totalAlloc()-earlier
	state := b.Snapshot()
	if state.Memory.Peak > limit || state.Memory.Used > limit || state.Memory.Used == 0 {
		t.Errorf("the ledger: %+v", state.Memory)
	}
	// Beside the bodies there are the connections: net/http's buffers, goroutines and the test's own. While requests come and go the collector keeps as much
	// again (GOGC is 100).
	const bound = limit + senders*(48<<10)
	if settled > bound || most > 2*bound+before {
		t.Errorf("the heap grew by %d bytes in use, %d with garbage; the bound is %d, and twice that", settled, most, bound)
	}
	// Each body that was decoded before the queue was full had its 5 MB, and there are dozens: all in the same memory.
	if allocated > 3*limit {
		t.Errorf("%d bytes were allocated: buffers are not handed on", allocated)
	}
	t.Logf("%d wait, %d were told 429; heap +%.1f MiB in use, at most +%.1f MiB with garbage, of %d MiB, %.1f MiB allocated; the ledger's peak is %.1f MiB", b.queue.waiting(), busy.Load(),
		float64(settled)/(1<<20), float64(most)/(1<<20), limit>>20, float64(allocated)/(1<<20), float64(state.Memory.Peak)/(1<<20))
	close(log.gate)
	wg.Wait()
	if ok.Load() == 0 || busy.Load() == 0 || other.Load() > 0 || ok.Load()+busy.Load() != senders {
		t.Errorf("%d were stored, %d told 429, %d something else", ok.Load(), busy.Load(), other.Load())
	}
	if refused := b.Snapshot().Refused; refused.Memory+refused.Queue != busy.Load() {
		t.Errorf("%d were told 429, counted are %+v", busy.Load(), refused)
	}
	if got := log.next; int64(got) != ok.Load()*7000 {
		t.Errorf("%d events are stored, acknowledged were %d", got, ok.Load()*7000)
	}
	for range 3 {
		if status := send(); status != 200 {
			t.Errorf("afterwards: %d", status)
		}
	}
	eventually(t, "the memory is given back", func() bool { m := b.memory.state(); return m.Used <= limit/idleShare })
}

// forgetful counts and keeps nothing.
type forgetful struct{ *fakeLog }

func (l forgetful) Append(ctx context.Context, b lake.Batch) (lake.Receipt, error) {
	r, err := l.fakeLog.Append(ctx, lake.Batch{N: b.N})
	return r, err
}

// waiting is how many batches are in the queue.
func (q *queue) waiting() (n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for p := q.oldest; p != nil; p = p.after {
		n++
	}
	return n
}

// A request that alone is more than the memory is told 413 with the way out, not 429 for ever; and its connection goes on where the body was taken.
func TestMoreThanTheMemoryIs413(t *testing.T) {
	b := start(t, func(c *Config) { c.MaxMemory = MinMemory })
	big := bytes.Repeat([]byte(" "), 5<<20)
	a := b.send("POST", "/ingest/batch", bytes.NewReader(big))
	if a.status != 413 || a.header.Get("Retry-After") != "" || !strings.Contains(a.text, "--ingest-memory") || !strings.Contains(a.text, "smaller batches") {
		t.Errorf("announced: %d %s", a.status, a.text)
	}
	tiny := strings.Repeat(`{"timestamp":1795247999,"service_name":"a"}`+"\n", 60_000) // 2.6 MB become 12
	for what, body := range map[string]io.Reader{"announced": strings.NewReader(tiny), "chunked": io.MultiReader(strings.NewReader(tiny))} {
		if a := b.send("POST", "/ingest/batch", body); a.status != 413 || !strings.Contains(a.text, "--ingest-memory") {
			t.Errorf("tiny events, %s: %d %s", what, a.status, a.text)
		}
	}
	b.wantStored()
	eventually(t, "they are counted", func() bool { return b.Snapshot().Refused.Size == 3 })
	if a := b.do("POST", "/ingest", event("e", "")); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.text)
	}
}

// A flood of large bodies does not keep the single events out.
func TestSmallRequestsGetInBesideLargeOnes(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{}), entered: make(chan struct{}, 100)}
	b := start(t, func(c *Config) { c.Log, c.MaxMemory = forgetful{log}, MinMemory })
	body := string(benchBody(2000, false))
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if a := b.do("POST", "/ingest/batch", body); a.status != 429 && a.status != 200 {
				t.Errorf("large: %d %s", a.status, a.text)
			}
		})
	}
	eventually(t, "some large ones are refused", func() bool { r := b.Snapshot().Refused; return r.Memory+r.Queue > 0 })
	var small sync.WaitGroup
	for i := range 8 {
		small.Go(func() {
			if a := b.do("POST", "/ingest", event(fmt.Sprint(i), "")); a.status != 200 {
				t.Errorf("small: %d %s", a.status, a.text)
			}
		})
	}
	eventually(t, "the small ones are in the log", func() bool { return b.Snapshot().Queue.Events%2000 == 8 })
	close(log.gate)
	small.Wait()
	wg.Wait()
}
