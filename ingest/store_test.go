package ingest

import (
	"bufio"
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
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
	"github.com/signallake/signallake/lake/retry"
)

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReader(r) }

// realLake is a server over a lake on a disk that can be made to fail.
func realLake(t *testing.T, change func(*Config)) (*bench, *lake.Lake, *laketest.FaultDisk) {
	t.Helper()
	disk := &laketest.FaultDisk{Disk: lake.OSDisk{}}
	l, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir(), Disk: disk, ConvertAge: -1, Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	b := start(t, func(c *Config) {
		c.Log = l
		if change != nil {
			change(c)
		}
	})
	return b, l, disk
}

// idsOf counts the events of a lake's raw log by id.
func idsOf(t *testing.T, l *lake.Lake) map[string]int {
	t.Helper()
	seen := map[string]int{}
	tail := l.Tail(0)
	defer tail.Close()
	var n int64
	for total := l.Status().RawEvents; n < total; {
		batch, err := tail.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += int64(batch.N)
		for line := range strings.Lines(string(batch.Lines)) {
			var e lake.Event
			if err := new(lake.Scanner).Scan([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			seen[strings.Clone(e.EventID)]++
		}
	}
	return seen
}

// A moment's trouble of the disk is not the sender's: the request is answered 200, a little later.
func TestStorageErrorsAreTriedAgain(t *testing.T) {
	for _, fault := range []laketest.Fault{laketest.FaultError, laketest.FaultNoSpace, laketest.FaultShort, laketest.FaultLate} {
		b, l, disk := realLake(t, func(c *Config) { c.Retry = retry.Policy{Tries: 20, First: time.Millisecond} })
		for at := range 8 { // data, index, the syncs, and what comes after them
			disk.FailAt(disk.Ops()+at, 1, fault)
			a := b.do("POST", "/ingest/batch", event(fmt.Sprint(at), "")+"\nhello\n")
			disk.Heal()
			if a.status != 200 || a.json["accepted"] != 1.0 || a.json["rejected_total"] != 1.0 {
				t.Errorf("fault %v at operation %d: %d %s", fault, at, a.status, a.text)
			}
		}
		if disk.Injected() == 0 {
			t.Error("nothing failed")
		}
		for id, n := range idsOf(t, l) {
			if n != 1 {
				t.Errorf("fault %v: %s is there %d times", fault, id, n)
			}
		}
		if snap := b.Snapshot(); snap.Trouble != "" || snap.Refused.Storage != 0 {
			t.Errorf("fault %v: %q, %+v", fault, snap.Trouble, snap.Refused)
		}
	}
}

// A disk that goes on failing: 503 with the reason at once, a red page; it heals, and the page turns green and appends succeed without anybody having sent anything.
// What was acknowledged is there once, what was not is not.
func TestDiskFailsAndHeals(t *testing.T) {
	for _, fault := range []laketest.Fault{laketest.FaultError, laketest.FaultNoSpace, laketest.FaultLate} {
		b, l, disk := realLake(t, nil)
		b.log = nil
		acked := 0
		send := func(id string) answer {
			a := b.do("POST", "/ingest", event(id, ""))
			if a.status == 200 {
				acked++
			}
			return a
		}
		if a := send("before"); a.status != 200 {
			t.Fatal(a.text)
		}
		disk.FailAt(disk.Ops(), 1<<40, fault)
		if a := send("during"); a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("the first: %d %v %s", a.status, a.header, a.text)
		}
		a := send("refused")
		if a.status != 503 || !strings.Contains(a.text, "the storage fails; nothing of this request was stored") || a.header.Get("Retry-After") == "" {
			t.Errorf("the second: %d %s", a.status, a.text)
		}
		a = b.do("GET", "/health", "")
		why, _ := a.json["why"].(string)
		if a.status != 503 || a.json["status"] != "failing" || !strings.Contains(why, "the storage fails since 2026-11-21T08:00:00Z") {
			t.Errorf("the page: %d %s", a.status, a.text)
		}
		if full := "the disk that holds " + l.Layout().Root + " is full"; (fault == laketest.FaultNoSpace) != strings.Contains(why, full) {
			t.Errorf("the page of a full disk names it: %s", why)
		}
		ops := disk.Ops()
		eventually(t, "it is probed", func() bool { return disk.Ops() > ops })
		disk.Heal()
		eventually(t, "the page turns green", func() bool { return b.do("GET", "/health", "").status == 200 })
		injected := disk.Injected()
		for i := range 5 {
			if a := send(fmt.Sprint("after", i)); a.status != 200 {
				t.Errorf("afterwards: %d %s", a.status, a.text)
			}
		}
		seen := idsOf(t, l)
		if len(seen) != acked || seen["before"] != 1 || seen["after4"] != 1 || disk.Injected() != injected {
			t.Errorf("%d were acknowledged, there are %v", acked, seen)
		}
	}
}

// A disk that is full for the dead letters refuses the request whole, and heals in the same way.
func TestNoSpaceForDeadLetters(t *testing.T) {
	b, l, disk := realLake(t, nil)
	mixed := event("e1", "") + "\nhello\n"
	disk.FailAt(disk.Ops(), 1<<40, laketest.FaultNoSpace)
	if a := b.do("POST", "/ingest/batch", mixed); a.status != 503 || !strings.Contains(a.text, "the disk is full") || !strings.Contains(a.text, "free space there") {
		t.Errorf("got %d %s", a.status, a.text)
	}
	if status := l.Status(); status.RawEvents != 0 || l.DeadStatus().Kept != 0 {
		t.Errorf("something is there: %+v", status)
	}
	disk.Heal()
	eventually(t, "the page turns green", func() bool { return b.do("GET", "/health", "").status == 200 })
	if a := b.do("POST", "/ingest/batch", mixed); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.text)
	}
	if status := l.Status(); status.RawEvents != 1 || l.DeadStatus().Kept != 1 {
		t.Errorf("in the end: %+v, %+v", status, l.DeadStatus())
	}
}

// The breaker spares a failing disk: however many senders come, it is tried by the first ones, by the probes, and by nobody else.
func TestFailingDiskIsNotStormed(t *testing.T) {
	log := &fakeLog{err: lake.ErrLogFailed}
	counted := &countingLog{fakeLog: log}
	b := start(t, func(c *Config) {
		c.Log, c.ProbeEvery = counted, time.Hour
		c.Retry = retry.Policy{Tries: 4, First: time.Millisecond}
	})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 10 {
				if a := b.do("POST", "/ingest", event("e", "")); a.status != 503 {
					t.Errorf("got %d %s", a.status, a.text)
				}
			}
		})
	}
	wg.Wait()
	if n := counted.appends.Load(); n > 50+storageBurst+10 {
		t.Errorf("500 requests made %d appends", n)
	}
}

type countingLog struct {
	*fakeLog
	appends atomic.Int64
}

func (l *countingLog) Append(ctx context.Context, b lake.Batch) (lake.Receipt, error) {
	l.appends.Add(1)
	return l.fakeLog.Append(ctx, b)
}

// Four times as many senders as the bounds allow, for a while, on a real lake: every answer is 200 or 429, the bounds hold, and what was acknowledged is there once.
func TestOverload(t *testing.T) {
	const senders, perBatch = 64, 200
	b, l, _ := realLake(t, func(c *Config) { c.MaxMemory, c.MaxQueued, c.RequestLog = MinMemory, senders*perBatch/4, nil })
	b.log = nil
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	var acked, busy atomic.Int64
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for j := 0; ctx.Err() == nil; j++ {
				var body strings.Builder
				for k := range perBatch {
					body.WriteString(event(fmt.Sprintf("%d-%d-%d", i, j, k), "") + "\n")
				}
				switch a := b.do("POST", "/ingest/batch", body.String()); a.status {
				case 200:
					acked.Add(perBatch)
				case 429:
					busy.Add(1)
					a.wantRetrySane(t)
				default:
					t.Errorf("got %d %s", a.status, a.text)
				}
			}
		})
	}
	var most QueueState
	for ctx.Err() == nil {
		if s := b.Snapshot().Queue; s.Events > most.Events {
			most = s
		}
		runtime.Gosched()
	}
	wg.Wait()
	if most.Events > most.MaxEvents || most.Bytes > most.MaxBytes {
		t.Errorf("the queue held %+v", most)
	}
	if m := b.Snapshot().Memory; m.Peak > m.Limit {
		t.Errorf("the memory was %+v", m)
	}
	if busy.Load() == 0 || acked.Load() == 0 {
		t.Errorf("%d events acknowledged, %d times 429: this was no overload", acked.Load(), busy.Load())
	}
	t.Logf("%d events acknowledged, %d times 429, the queue held up to %d events, memory up to %d bytes", acked.Load(), busy.Load(), most.Events, b.Snapshot().Memory.Peak)
	seen := idsOf(t, l)
	if int64(len(seen)) != acked.Load() {
		t.Errorf("%d events were acknowledged, %d are there", acked.Load(), len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
	if q := b.Snapshot().Queue; q.Events != 0 || q.Oldest != 0 {
		t.Errorf("afterwards: %+v", q)
	}
	if a := b.do("POST", "/ingest", event("last", "")); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.text)
	}
}

// wantRetrySane: whole seconds from 1 to 60.
func (a answer) wantRetrySane(t *testing.T) {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(a.header.Get("Retry-After"), &n); err != nil || n < 1 || n > 60 {
		t.Errorf("%d with Retry-After %q", a.status, a.header.Get("Retry-After"))
	}
}

// A shutdown while the queue is full ends every goroutine, and loses nothing that was acknowledged.
func TestShutdownWithAFullQueue(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	log := &fakeLog{gate: make(chan struct{})}
	b := start(t, func(c *Config) { c.Log, c.MaxQueued = log, 8 })
	var acked, other atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			conn, err := net.Dial("tcp", b.Addr())
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, post("/ingest", event(fmt.Sprint(i), "")))
			resp, err := http.ReadResponse(newReader(conn), nil)
			if err == nil && resp.StatusCode == 200 {
				acked.Add(1)
			} else {
				other.Add(1)
			}
		})
	}
	eventually(t, "the queue is full", func() bool { return b.queue.waiting() == 8 && other.Load() == 8 })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- b.Shutdown(ctx) }()
	eventually(t, "it is stopping", b.stopping.Load)
	log.mu.Lock() // half of them are let through
	gate := log.gate
	log.mu.Unlock()
	for range 4 {
		gate <- struct{}{}
	}
	eventually(t, "four are acknowledged", func() bool { return acked.Load() == 4 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("shutdown: %v", err)
	}
	wg.Wait()
	if got := len(log.take()); got != 4 || acked.Load() != 4 {
		t.Errorf("%d are stored, %d were acknowledged", got, acked.Load())
	}
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "every goroutine has ended", func() bool { return runtime.NumGoroutine() <= goroutines })
}

// A shutdown while the storage fails does not wait for it to heal.
func TestShutdownWhileTheStorageFails(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	b := start(t, func(c *Config) { c.ProbeEvery = time.Hour })
	b.log.fail(lake.ErrLogFailed)
	if a := b.do("POST", "/ingest", event("e", "")); a.status != 503 {
		t.Fatal(a.text)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := b.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	eventually(t, "every goroutine has ended", func() bool { return runtime.NumGoroutine() <= goroutines })
	b.log.fail(nil)
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	b.url = "http://" + b.Addr()
	if a := b.do("POST", "/ingest", event("e", "")); a.status != 200 {
		t.Errorf("started again: %d %s", a.status, a.text)
	}
}
