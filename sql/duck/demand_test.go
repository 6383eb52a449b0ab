package duck

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// forget makes the feed believe that no statement has come for long, and waits until it rests.
func forget(tb testing.TB, e *Engine) {
	tb.Helper()
	until(tb, "the feed rests", func() bool {
		e.feed.demand.asked.Store(0)
		return e.feed.demand.idle.Load()
	})
}

func until(tb testing.TB, what string, reached func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(30 * time.Second); !reached(); {
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not within half a minute", what)
		}
		wait, cancel := context.WithTimeout(tb.Context(), time.Millisecond)
		<-wait.Done()
		cancel()
	}
}

// counted is what a statement without MinSeq sees.
func countedBy(t *testing.T, e *Engine) (n int64, stats sql.Stats) {
	t.Helper()
	result, err := e.Query(t.Context(), sql.Query{Text: "select count(*), count(distinct event_id) from events"})
	if err != nil {
		t.Fatal(err)
	}
	if result.Rows[0][0] != result.Rows[0][1] {
		t.Fatalf("%v events, %v of them distinct", result.Rows[0][0], result.Rows[0][1])
	}
	return result.Rows[0][0].(int64), result.Stats
}

// TestNobodyAsks: what no statement asks for is not filled in, and the first one that asks sees all of it.
func TestNobodyAsks(t *testing.T) {
	for _, panels := range []bool{false, true} {
		l, e := openBoth(t, t.TempDir())
		if panels {
			if _, err := e.Extent(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		forget(t, e)
		generateInto(t, l, 3000, 1)
		until(t, "the rate is told", func() bool { return e.Freshness().PerSecond > 0 })
		if panels {
			until(t, "the panels have counted", func() bool { return e.Freshness().Uncounted == 0 })
		}
		if n := e.hot.slabs.size(); n > 0 {
			t.Errorf("panels %v: %d bytes of rows that nobody asked for", panels, n)
		}
		if fresh := e.Freshness(); fresh.Unseen != 0 || fresh.VisibleTo != l.Committed() || fresh.Committed != l.Committed() || fresh.NewestAt == 0 || fresh.LagP95 > 5*time.Second || fresh.Err != "" {
			t.Errorf("panels %v: %+v", panels, fresh)
		}
		if n, stats := countedBy(t, e); n != 3000 || stats.HotRows != 3000 || stats.Missing != 0 {
			t.Errorf("panels %v: %d events, %+v", panels, n, stats)
		}
		generateInto(t, l, 500, 2) // while the feed keeps up
		if n, stats := countedBy(t, e); n != 3500 || stats.Missing != 0 {
			t.Errorf("panels %v: %d events, %+v", panels, n, stats)
		}
		forget(t, e)
		generateInto(t, l, 500, 3)
		if _, err := l.Convert(t.Context(), nil); err != nil { // before anybody asks
			t.Fatal(err)
		}
		generateInto(t, l, 20, 4)
		if n, stats := countedBy(t, e); n != 4020 || stats.HotRows != 20 || stats.Missing != 0 {
			t.Errorf("panels %v: %d events, %+v", panels, n, stats)
		}
		checkMinutes(t, e)
	}
}

// TestLongTailIsFilledIn: with more to fill in than a statement should wait for, the feed does not wait to be asked.
func TestLongTailIsFilledIn(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	forget(t, e)
	e.feed.demand.most.Store(1000)
	generateInto(t, l, 900, 1)
	pause(t, 2*idleEvery)
	if n := e.hot.slabs.size(); n > 0 {
		t.Errorf("%d bytes of rows before there were many", n)
	}
	generateInto(t, l, 200, 2)
	until(t, "everything is filled in", func() bool { return e.feed.filled.load() == l.Committed() })
	if e.hot.slabs.size() == 0 {
		t.Error("no rows")
	}
}

// TestExactlyOnceOnDemand asks now and then while writers write and conversions convert, and lets the feed rest in between.
func TestExactlyOnceOnDemand(t *testing.T) {
	l, _ := onceLake(t)
	e, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, stop := context.WithTimeout(t.Context(), onceDuration)
	defer stop()
	var sent, acked [onceWriters]atomic.Int64
	var work sync.WaitGroup
	for w := range onceWriters {
		work.Go(func() {
			for i := 0; ctx.Err() == nil; i += onceBatch {
				sent[w].Store(int64(i + onceBatch))
				if _, err := l.Append(t.Context(), onceBatchOf(w, i)); err != nil {
					t.Error(err)
					return
				}
				acked[w].Store(int64(i + onceBatch))
			}
		})
	}
	work.Go(func() {
		for ctx.Err() == nil {
			if _, err := l.Convert(t.Context(), nil); err != nil {
				t.Error(err)
				return
			}
			pause(t, 50*time.Millisecond)
		}
	})
	rnd, rests := rand.New(rand.NewPCG(1, 2)), 0
	for ctx.Err() == nil {
		if rnd.IntN(2) == 0 {
			forget(t, e)
			rests++
		}
		pause(t, time.Duration(rnd.IntN(60))*time.Millisecond)
		var before [onceWriters]int64
		for w := range before {
			before[w] = acked[w].Load()
		}
		result, err := e.Query(t.Context(), sql.Query{Text: onceQuestion})
		if err != nil {
			t.Fatal(err)
		}
		if result.Stats.Missing > 0 {
			continue // a busy machine: it says so
		}
		// What was acknowledged before the question is seen without asking for it.
		err = onceCheck(result.Rows, func(w int) int64 { return before[w] }, func(w int) int64 { return sent[w].Load() })
		if err != nil {
			t.Fatalf("version %d: %v", result.Stats.Version, err)
		}
	}
	work.Wait()
	if rests < 3 {
		t.Errorf("the feed rested %d times: too few to mean anything", rests)
	}
	last := func(w int) int64 { return acked[w].Load() }
	if err := onceCheck(ask(t, e, onceQuestion), last, last); err != nil {
		t.Errorf("in the end: %v", err)
	}
}

// BenchmarkVisible measures how long after its acknowledgement an event is in an answer, at some 50,000 events a second and a question after the other.
func BenchmarkVisible(b *testing.B) {
	l, e := openBoth(b, b.TempDir())
	ctx, stop := context.WithCancel(b.Context())
	type ack struct {
		end lake.Seq
		at  time.Time
	}
	acks := make(chan ack, 1<<16)
	var writing sync.WaitGroup
	writing.Go(func() {
		defer close(acks)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ctx.Err() == nil; i += 250 {
			batch := lake.Batch{}
			for k := 0; k < 250; k += onceBatch {
				part := onceBatchOf(0, i+k)
				batch.Lines, batch.N = append(batch.Lines, part.Lines...), batch.N+part.N
			}
			receipt, err := l.Append(b.Context(), batch)
			if err != nil {
				b.Error(err)
				return
			}
			acks <- ack{receipt.First + lake.Seq(batch.N), time.Now()}
			<-tick.C
		}
	})
	var lags []time.Duration
	asked, next := 0, <-acks
	before := cpuTime(b)
	for b.Loop() {
		result, err := e.Query(b.Context(), sql.Query{Text: "select max(seq) from events"})
		if err != nil {
			b.Fatal(err)
		}
		asked++
		seen, _ := result.Rows[0][0].(int64)
		for now := time.Now(); int64(next.end)-1 <= seen; next = <-acks {
			lags = append(lags, now.Sub(next.at))
		}
	}
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(asked), "cpu-us/question")
	stop()
	go func() {
		for range acks {
		}
	}()
	writing.Wait()
	if len(lags) > 0 {
		b.ReportMetric(float64(percentile(lags, 50).Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(percentile(lags, 95).Microseconds())/1000, "p95-ms")
	}
}

func percentile(list []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}
