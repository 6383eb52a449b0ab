package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
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
