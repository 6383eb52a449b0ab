package duck

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// TestCancelReturnsAtOnce also sees that the connections serve again afterwards. A cancelled statement has hours before it; it must return before one that has
// a tenth of a second of work on a quiet machine, beside the same load.
func TestCancelReturnsAtOnce(t *testing.T) {
	_, e := openBoth(t, t.TempDir())
	work := func() time.Duration {
		started := time.Now()
		ask(t, e, "select sum(a.range * b.range) from range(10000) a, range(1200) b")
		return time.Since(started)
	}
	atMost := max(work(), work(), work())
	for range promptConns * 2 {
		ctx, cancel := context.WithCancel(t.Context())
		answered := make(chan error)
		go func() {
			_, err := e.Query(ctx, sql.Query{Text: "select sum(a.range * b.range) from range(10000000) a, range(1000000) b"})
			answered <- err
		}()
		waitBusy(t, e)
		started := time.Now()
		cancel()
		err := <-answered
		if took := time.Since(started); took > atMost {
			t.Errorf("cancel took %v, and a short statement %v", took, atMost)
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
	for range promptConns {
		ask(t, e, "select 1")
	}
}

// waitBusy waits until a statement runs.
func waitBusy(t *testing.T, e *Engine) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(e.conns) == cap(e.conns); {
		if time.Now().After(deadline) {
			t.Fatal("nothing runs")
		}
		pause(t, time.Millisecond)
	}
	pause(t, 20*time.Millisecond)
}

func pause(t *testing.T, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

func TestCloseStopsWhatRuns(t *testing.T) {
	l, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		if _, err := e.Query(t.Context(), sql.Query{Text: "select sum(a.range * b.range) from range(10000000) a, range(1000000) b"}); !errors.Is(err, errClosed) {
			t.Errorf("%v", err)
		}
	})
	waitBusy(t, e)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	work.Wait()
	if _, err := e.Query(t.Context(), sql.Query{Text: "select 1"}); !errors.Is(err, errClosed) {
		t.Errorf("a query after Close: %v", err)
	}
}

func TestGreedyStatementLeavesThePanelsAlone(t *testing.T) {
	l, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir(), ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e, err := Open(t.Context(), Config{Lake: l, MemoryLimit: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	generateInto(t, l, 1000, 1)
	waitCounted(t, e)
	_, err = e.Query(t.Context(), sql.Query{Text: "select list(a.range || 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') from range(30000000) a"})
	if err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("%v, want to be out of memory", err)
	}
	if extent, err := e.Extent(t.Context()); err != nil || extent.Events != 1000 {
		t.Errorf("%+v, %v", extent, err)
	}
	if rows := ask(t, e, "select count(*) from events"); rows[0][0] != int64(1000) {
		t.Errorf("after running out of memory: %v", rows)
	}
}
