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
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signallake/signallake/lake"
)

func testMemory(limit int64) *memory { return &memory{limit: limit} }

func (m *memory) wantUsed(t *testing.T, want int64) {
	t.Helper()
	if got := m.state().Used; got != want {
		t.Errorf("%d bytes are in use, want %d", got, want)
	}
}

func TestLeaseHoldsWithinTheLimit(t *testing.T) {
	const mib = 1 << 20
	m := testMemory(10 * mib)
	one, two := m.lease(), m.lease()
	want := func(what string, err error, kind any) {
		t.Helper()
		if kind == nil && err != nil || kind != nil && !errors.As(err, kind) {
			t.Errorf("%s: %v", what, err)
		}
	}
	want("the first", one.hold(4*mib), nil)
	want("another", two.hold(6*mib), nil)
	m.wantUsed(t, 10*mib)
	want("one byte more", one.hold(4*mib+1), new(*busyError))
	want("more than all", one.hold(10*mib+1), new(*oversizeError))
	m.wantUsed(t, 10*mib)
	want("less", two.hold(mib), nil)
	m.wantUsed(t, 5*mib)
	want("a little less, which is not worth the lock", two.hold(mib-1), nil)
	m.wantUsed(t, 5*mib)
	want("what the other let go", one.hold(9*mib), nil)
	one.release()
	one.release()
	two.release()
	m.wantUsed(t, 0)
	if peak := m.state().Peak; peak != 10*mib {
		t.Errorf("the peak is %d", peak)
	}
	var none *lease
	want("nobody's", none.hold(100*mib), nil)
	none.release()
}

func TestReservedBytesStayReserved(t *testing.T) {
	m := testMemory(10 << 20)
	l := m.lease()
	if err := l.reserve(t.Context(), 3<<20, 0); err != nil {
		t.Fatal(err)
	}
	if err := l.hold(100); err != nil {
		t.Fatal(err)
	}
	m.wantUsed(t, 3<<20)
	l.keepOnly(1000)
	m.wantUsed(t, 1000)
	l.release()
	m.wantUsed(t, 0)
}

// Large requests are served in the order in which they came, small ones at once, and who waits too long is told so.
func TestWaitingForMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mib = 1 << 20
		m := testMemory(16 * mib) // 14 for large ones
		holder := m.lease()
		if err := holder.reserve(t.Context(), 12*mib, 0); err != nil {
			t.Fatal(err)
		}
		var order []string
		var mu sync.Mutex
		ask := func(name string, n int64, patience time.Duration) {
			go func() {
				l := m.lease()
				err := l.reserve(t.Context(), n, patience)
				mu.Lock()
				defer mu.Unlock()
				order = append(order, fmt.Sprintf("%s:%v", name, err == nil))
			}()
			synctest.Wait()
		}
		want := func(what, names string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if got := strings.Join(order, " "); got != names {
				t.Errorf("%s: %q, want %q", what, got, names)
			}
			order = nil
		}
		ask("first", 8*mib, time.Minute)
		ask("second", 1*mib, time.Hour) // there would be room, and the first came before
		ask("small", smallRequest, time.Minute)
		want("while it is full", "small:true")
		time.Sleep(time.Minute)
		want("after a minute", "first:false second:true")
		ask("third", 9*mib, time.Hour)
		ask("fourth", 9*mib, time.Hour)
		want("behind them", "")
		holder.release()
		want("there is room for one", "third:true")
		time.Sleep(time.Hour)
		want("in the end", "fourth:false")
		m.wantUsed(t, 1*mib+smallRequest+9*mib)

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := m.lease().reserve(ctx, 13*mib, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("a context that ended: %v", err)
		}
		if err := m.lease().reserve(t.Context(), 15*mib, time.Hour); !errors.As(err, new(*oversizeError)) {
			t.Errorf("more than large ones may have: %v", err)
		}
	})
}

// Buffers that wait for the next request are part of the sum, and go when somebody needs the room.
func TestIdleBuffersAreCounted(t *testing.T) {
	m := testMemory(16 << 20)
	give := func(size int) {
		wk, l := &work{body: make([]byte, size)}, m.lease()
		if err := l.hold(wk.size()); err != nil {
			t.Fatal(err)
		}
		m.giveBack(wk, l)
		l.release()
	}
	give(1 << 20)
	give(1 << 20)
	m.wantUsed(t, 2<<20)
	give(1 << 20) // above an eighth of the memory: not kept
	m.wantUsed(t, 2<<20)
	wk, l := m.borrow()
	if wk == nil || cap(wk.body) != 1<<20 {
		t.Fatalf("borrowed %v", wk)
	}
	m.wantUsed(t, 2<<20)
	if err := l.hold(15 << 20); err != nil {
		t.Fatal(err)
	}
	if err := l.hold(16 << 20); err != nil || len(m.idle) != 0 {
		t.Errorf("%v, and %d idle buffers are kept", err, len(m.idle))
	}
	l.release()
	m.wantUsed(t, 0)
}

// What a large request is done with goes to those who wait for its room, in place of new buffers; nothing is kept for nobody.
func TestLargeBuffersAreHandedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mib = 1 << 20
		m := testMemory(16 * mib) // 14 for large ones
		set := func() *lease {
			l := m.lease()
			if err := l.reserve(t.Context(), 12*mib, time.Hour); err != nil {
				t.Error(err)
			}
			return l
		}
		first := set()
		wk := &work{body: first.buffer(5*mib, 0), packed: make([]byte, 0, 100)}
		wk.lines = first.buffer(6*mib, 5*mib)
		var second *lease
		go func() { second = set() }()
		synctest.Wait()
		shed := wk.body
		wk.body = nil
		first.keepOnly(wk.size(), shed) // not enough for the second yet
		m.wantUsed(t, 11*mib+100)
		if second != nil {
			t.Fatal("it has its room already")
		}
		lines := wk.lines
		m.giveBack(wk, first)
		synctest.Wait()
		m.wantUsed(t, 12*mib)
		same := func(what string, got, want []byte, is bool) {
			t.Helper()
			if (&got[:1][0] == &want[:1][0]) != is {
				t.Errorf("%s: the buffer handed on: %v", what, !is)
			}
		}
		same("a little less", second.buffer(5*mib-1000, 0), shed, true)
		same("much less", second.buffer(mib, 5*mib), lines, false)
		if len(second.spare) != 1 {
			t.Errorf("%d buffers are left", len(second.spare))
		}
		same("all that is left", second.buffer(6*mib, 6*mib), lines, true)
		second.release()
		m.wantUsed(t, 0)

		// Nobody waits any more: the buffers of a large request are nobody's.
		third := set()
		wk = &work{body: third.buffer(10*mib, 0)}
		var fourth error
		go func() { fourth = m.lease().reserve(t.Context(), 13*mib, time.Minute) }()
		synctest.Wait()
		m.giveBack(wk, third)
		synctest.Wait()
		if fourth != nil {
			t.Error(fourth)
		}
		m.wantUsed(t, 13*mib)
		if len(m.spare) != 0 {
			t.Errorf("%d buffers are kept for nobody", len(m.spare))
		}
	})
}

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
