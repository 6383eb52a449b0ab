package lake

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	f := func(last time.Duration, err error, want time.Duration) {
		t.Helper()
		if got := nextBackoff(last, err); got != want {
			t.Fatalf("after %v and %v: got %v, want %v", last, err, got, want)
		}
	}
	f(0, errFault, time.Second)
	f(time.Second, errFault, 2*time.Second)
	f(40*time.Second, errFault, time.Minute)
	f(time.Minute, errFault, time.Minute)
	f(time.Minute, nil, 0)
	f(time.Second, ErrConflict, 0)
}

func TestConversionDue(t *testing.T) {
	var later atomic.Int64 // on the lake's clock
	l, err := Open(context.Background(), Config{Dir: t.TempDir(), ConvertAge: -1, ConvertBytes: 1000, Now: func() time.Time { return testClock().Add(time.Duration(later.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	defer closeLake(t, l)
	l.cfg.ConvertAge = time.Minute // the loop does not run; the question is asked by hand
	f := func(name string, want bool) {
		t.Helper()
		if got := l.conversionDue(); got != want {
			t.Fatalf("%s: got %v", name, got)
		}
	}
	f("empty", false)
	mustAppend(t, l, 1)
	f("young and small", false)
	later.Store(int64(59 * time.Second))
	f("nearly old", false)
	later.Store(int64(time.Minute))
	f("old", true)
	later.Store(-int64(59 * time.Second))
	f("a clock that was set back by less than the age", false)
	later.Store(-int64(365 * 24 * time.Hour))
	f("a clock that was set back by a year", true)
	later.Store(0)
	mustAppend(t, l, 100)
	f("large", true)
}

func TestBacklog(t *testing.T) {
	l, err := Open(context.Background(), Config{Dir: t.TempDir(), ConvertAge: -1, HotLimit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer closeLake(t, l)
	mustAppend(t, l, 100)
	if _, err := l.Append(context.Background(), batchOf(1)); !errors.Is(err, ErrBacklog) {
		t.Fatalf("got %v", err)
	}
	if err := l.Seal(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(context.Background(), placed(t, l.layout, testTx(1, 100))); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, 1)
}
