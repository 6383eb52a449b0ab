package retry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeClock passes only while somebody sleeps, and remembers for how long.
type fakeClock struct {
	t     time.Time
	waits []time.Duration
	rand  float64
}

func newClock(rand float64) *fakeClock {
	return &fakeClock{t: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), rand: rand}
}

func (c *fakeClock) clock() Clock {
	return Clock{
		Now: func() time.Time { return c.t },
		Sleep: func(ctx context.Context, d time.Duration) error {
			c.waits = append(c.waits, d)
			c.t = c.t.Add(d)
			return ctx.Err()
		},
		Rand: func() float64 { return c.rand },
	}
}

var errBroken = errors.New("broken")

// failing fails so many times, then succeeds.
func failing(times int) (fn func(context.Context) error, calls *int) {
	calls = new(int)
	return func(context.Context) error {
		if *calls++; *calls <= times {
			return errBroken
		}
		return nil
	}, calls
}

func TestSucceedsAfterFailures(t *testing.T) {
	c := newClock(0.5)
	fn, calls := failing(3)
	p := Policy{Tries: 5, First: 100 * time.Millisecond, Most: 250 * time.Millisecond, Clock: c.clock()}
	if err := p.Do(context.Background(), fn); err != nil || *calls != 4 {
		t.Errorf("%v after %d calls", err, *calls)
	}
	if want := []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 125 * time.Millisecond}; !slices.Equal(c.waits, want) {
		t.Errorf("waited %v, want %v", c.waits, want)
	}
}

// Full jitter: the whole range from nothing to the ceiling, which doubles up to the bound and stays there.
func TestJitterBounds(t *testing.T) {
	almostOne := math.Nextafter(1, 0)
	p := Policy{Tries: 70, First: time.Second, Most: 10 * time.Second}
	ceilings := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second, 10 * time.Second}
	for i, want := range ceilings {
		if got := p.Ceiling(i + 1); got != want {
			t.Errorf("the ceiling after %d tries is %v, want %v", i+1, got, want)
		}
	}
	for _, rand := range []float64{0, almostOne} {
		c := newClock(rand)
		p.Clock = c.clock()
		fn, _ := failing(100)
		_ = p.Do(context.Background(), fn)
		if len(c.waits) != 69 {
			t.Fatalf("%d waits", len(c.waits))
		}
		for i, wait := range c.waits {
			ceiling := p.Ceiling(i + 1)
			if rand == 0 && wait != 0 || rand > 0 && (wait > ceiling || wait < ceiling-time.Microsecond) {
				t.Errorf("rand %v: wait %d is %v, its ceiling %v", rand, i+1, wait, ceiling)
			}
		}
	}
	// With the real chance the waits fill the range evenly.
	const n, ceiling = 10_000, time.Second
	real := Policy{First: ceiling, Most: ceiling}.withDefaults()
	var quarters [4]int
	for range n {
		quarters[real.wait(1)*4/ceiling]++
	}
	for i, count := range quarters {
		if math.Abs(float64(count)-n/4) > 6*math.Sqrt(n*0.25*0.75) {
			t.Errorf("quarter %d of the range got %d of %d waits", i, count, n)
		}
	}
}

func TestCeilingDoesNotOverflow(t *testing.T) {
	p := Policy{First: time.Hour, Most: math.MaxInt64}
	for tries, last := 1, time.Duration(0); tries < 200; tries++ {
		got := p.Ceiling(tries)
		if got < last {
			t.Fatalf("after %d tries %v, before %v", tries, got, last)
		}
		last = got
	}
}

func TestGivesUp(t *testing.T) {
	try := func(name string, p Policy, tries int, after time.Duration, why Reason) {
		t.Helper()
		c := newClock(0.5)
		p.First, p.Most, p.Clock = time.Second, time.Second, c.clock()
		fn, calls := failing(1000)
		err := p.Do(context.Background(), fn)
		var gaveUp *GaveUpError
		if !errors.As(err, &gaveUp) || !errors.Is(err, errBroken) {
			t.Fatalf("%s: %v", name, err)
		}
		if gaveUp.Tries != tries || *calls != tries || gaveUp.After != after || gaveUp.Why != why {
			t.Errorf("%s: %d tries (%d calls) in %v: %s; want %d in %v: %s", name, gaveUp.Tries, *calls, gaveUp.After, gaveUp.Why, tries, after, why)
		}
	}
	budget, err := NewBudget(BudgetConfig{Fraction: 0.1, Most: 2})
	if err != nil {
		t.Fatal(err)
	}
	try("the zero value", Policy{}, 1, 0, TooManyTries)
	try("tries", Policy{Tries: 4}, 4, 1500*time.Millisecond, TooManyTries)
	try("time", Policy{Elapsed: 2 * time.Second}, 5, 2*time.Second, TooLate)
	try("whatever comes first", Policy{Tries: 3, Elapsed: time.Hour}, 3, time.Second, TooManyTries)
	try("budget", Policy{Tries: 10, Budget: budget}, 3, time.Second, OverBudget)
	try("an empty budget", Policy{Tries: 10, Budget: budget}, 1, 0, OverBudget)
}

func TestWhatIsNotRetryableIsReturnedAsItIs(t *testing.T) {
	p := Policy{Tries: 5, Retryable: func(err error) bool { return errors.Is(err, errBroken) }, Clock: newClock(0).clock()}
	calls := 0
	err := p.Do(context.Background(), func(context.Context) error {
		if calls++; calls == 2 {
			return io.EOF
		}
		return fmt.Errorf("try %d: %w", calls, errBroken)
	})
	if err != io.EOF || calls != 2 {
		t.Errorf("%v after %d calls", err, calls)
	}
	p.Retryable = nil
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if err := p.Do(context.Background(), func(context.Context) error { return end }); err != end {
			t.Errorf("%v: %v", end, err)
		}
	}
}

// A context that ends cuts the wait, by the real clock too, and the error says both what failed and what ended.
func TestContextEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
		defer cancel()
		p := Policy{Tries: 2, First: 1000 * time.Hour, Most: 1000 * time.Hour, Clock: Clock{Rand: func() float64 { return 0.5 }}}
		fn, calls := failing(10)
		began := time.Now()
		err := p.Do(ctx, fn)
		var gaveUp *GaveUpError
		if !errors.As(err, &gaveUp) || gaveUp.Why != Ended || gaveUp.After != 30*time.Minute || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errBroken) {
			t.Errorf("got %v", err)
		}
		if *calls != 1 || time.Since(began) != 30*time.Minute {
			t.Errorf("%d calls in %v", *calls, time.Since(began))
		}
	})
}

func TestBudget(t *testing.T) {
	now := newClock(0).t
	taken := func(b *Budget) (n int) {
		for b.take(now) {
			n++
		}
		return n
	}
	want := func(what string, got, n int) {
		t.Helper()
		if got != n {
			t.Errorf("%s allow %d retries, want %d", what, got, n)
		}
	}
	b, err := NewBudget(BudgetConfig{Fraction: 0.1, PerSec: 2, Most: 5})
	if err != nil {
		t.Fatal(err)
	}
	want("a full bucket", taken(b), 5)
	for range 21 {
		b.tried(now)
	}
	want("21 first tries", taken(b), 2)
	now = now.Add(1500 * time.Millisecond)
	want("1.5 seconds", taken(b), 3)
	now = now.Add(-time.Hour)
	want("a clock that steps back", taken(b), 0)
	now = now.Add(time.Second)
	want("the second after it", taken(b), 2)
	now = now.Add(time.Hour)
	want("a long rest: the bucket's size", taken(b), 5)
	for _, c := range []BudgetConfig{{}, {Most: 5}, {Fraction: -1, Most: 5}, {Fraction: math.NaN(), PerSec: 1, Most: 5}, {PerSec: 1, Most: 0.5}, {Fraction: 1, Most: math.NaN()}} {
		if _, err := NewBudget(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

// Many callers of something that always fails: the retries stay the stated fraction of the first tries.
func TestBudgetIsShared(t *testing.T) {
	const callers, each = 16, 100
	b, err := NewBudget(BudgetConfig{Fraction: 0.25, Most: 10})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	tries := 0
	p := Policy{Tries: 4, Budget: b, Clock: Clock{Sleep: func(context.Context, time.Duration) error { return nil }}}
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				_ = p.Do(context.Background(), func(context.Context) error {
					mu.Lock()
					defer mu.Unlock()
					tries++
					return errBroken
				})
			}
		})
	}
	wg.Wait()
	const first = callers * each
	if retries := tries - first; retries > first/4+10 || retries < first/4 {
		t.Errorf("%d retries of %d first tries, want a quarter and up to 10 more", retries, first)
	}
}

func TestValidate(t *testing.T) {
	for _, p := range []Policy{{Tries: -1}, {Elapsed: -1}, {First: -1}, {Most: -1}, {First: 2, Most: 1}} {
		if p.Validate() == nil {
			t.Errorf("%+v was taken", p)
		}
	}
	for _, p := range []Policy{{}, {Tries: 3, Elapsed: time.Second, First: 1, Most: 1}, {First: time.Hour}} {
		if err := p.Validate(); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

func ExamplePolicy() {
	budget, _ := NewBudget(BudgetConfig{Fraction: 0.1, PerSec: 1, Most: 10})
	policy := Policy{Tries: 3, First: time.Millisecond, Budget: budget}
	tries := 0
	err := policy.Do(context.Background(), func(context.Context) error {
		if tries++; tries < 3 {
			return errors.New("the disk is busy")
		}
		return nil
	})
	fmt.Println(tries, err)
	// Output: 3 <nil>
}
