package lake

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestGuardAdmitsKnownAndAFewNew(t *testing.T) {
	clock := testNow.Time()
	g := NewPartitionGuard(3, func() time.Time { return clock })
	p := func(i int) Partition { return Partition{Date: 20_000, Service: fmt.Sprintf("s%d", i), Status: 200} }
	admit := func(i int, ok bool) {
		t.Helper()
		err := g.Admit(p(i))
		if (err == nil) != ok {
			t.Errorf("partition %d at %s: %v", i, clock, err)
		}
		var fe *FieldError
		if err != nil && (!errors.As(err, &fe) || fe.Field != "service_name" || !strings.Contains(fe.Reason, "timestamp") || !strings.Contains(fe.Reason, p(i).Dir())) {
			t.Errorf("error %v", err)
		}
	}
	g.Know(p(0))
	g.Know(p(0))
	admit(0, true)
	admit(1, true)
	admit(2, true)
	clock = clock.Add(30 * time.Minute)
	admit(3, true)
	admit(4, false)
	for i := range 4 {
		admit(i, true)
	}
	clock = clock.Add(30 * time.Minute)
	admit(4, false) // sixty minutes and less than one after the first two
	clock = clock.Add(time.Minute)
	admit(4, true)
	admit(5, true)
	admit(6, false)
	clock = clock.Add(-2 * time.Hour) // a clock that steps back opens nothing
	admit(6, false)
	clock = clock.Add(1000 * time.Hour)
	admit(6, true)
	admit(7, true)
	admit(8, true)
	admit(9, false)
}

func TestGuardNeverAdmitsMoreThanItsLimitInAnHour(t *testing.T) {
	clock := testNow.Time()
	g := NewPartitionGuard(10, func() time.Time { return clock })
	var admitted []time.Time
	for i := range 5000 {
		if g.Admit(Partition{Service: fmt.Sprint(i)}) == nil {
			admitted = append(admitted, clock)
			if n := len(admitted); n > 10 && clock.Sub(admitted[n-11]) <= time.Hour {
				t.Fatalf("eleven within %v", clock.Sub(admitted[n-11]))
			}
		}
		clock = clock.Add(time.Duration(i%37) * time.Second)
	}
	if len(admitted) < 200 {
		t.Errorf("only %d admitted in %v", len(admitted), clock.Sub(testNow.Time()))
	}
}

func TestGuardIsSafeForManyGoroutines(t *testing.T) {
	g := NewPartitionGuard(500, testNow.Time)
	var admitted atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 2000 {
				p := Partition{Service: fmt.Sprint(i)}
				if i%10 == 0 {
					g.Know(p)
				}
				if g.Admit(p) == nil {
					admitted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if g.recent > 500 || admitted.Load() < 8*500 {
		t.Errorf("%d new, %d admitted", g.recent, admitted.Load())
	}
}

func TestGuardDefault(t *testing.T) {
	g := NewPartitionGuard(0, testNow.Time)
	n := 0
	for g.Admit(Partition{Date: Date(n)}) == nil {
		n++
	}
	if n != 20_000 {
		t.Errorf("%d", n)
	}
}

func BenchmarkGuardKnown(b *testing.B) {
	g := NewPartitionGuard(0, testNow.Time)
	p := Partition{Date: 20_000, Service: "checkout", Status: 200}
	g.Know(p)
	b.ReportAllocs()
	for b.Loop() {
		if g.Admit(p) != nil {
			b.Fatal()
		}
	}
}
