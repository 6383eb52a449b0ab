// Package retry tries again what failed for a moment: a disk without room, a service that is busy. One Policy says how often, how long and
// how hard, and one Budget, shared by everyone who asks the same disk or service, keeps many callers from storming what is already in
// trouble. It knows nothing of what is tried: the caller says which errors are worth another try.
//
// The waits are exponential with full jitter: before try n+1 a random time between nothing and a ceiling that doubles each time. Callers that
// failed together then come back spread out over the whole wait, where a fixed one would bring them back together.
package retry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Policy says when to try again. The zero value tries once. A Policy is a value: copy it, change the copy; it may be used by many at a time.
type Policy struct {
	Tries   int           // at most so many in all, the first one counted; 0: Elapsed alone bounds them, and without it there is one
	Elapsed time.Duration // no wait may end later than this after the first try began; 0: not bounded. A try under way is never cut
	First   time.Duration // ceiling of the wait before the second try; it doubles for each further one; 0: 50 ms
	Most    time.Duration // the ceiling never rises above this; 0: 5 s

	Retryable func(error) bool // whether another try may help; nil: any error but a context's
	Budget    *Budget          // what all users of one resource share; nil: nobody counts
	Clock     Clock            // the zero value is the real one
}

// Clock is where a Policy takes its time and its chance from; tests put their own in place. A nil func is the real thing.
type Clock struct {
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error // ends early, with the context's error, when ctx ends
	Rand  func() float64                             // uniform in [0, 1)
}

const (
	defaultFirst = 50 * time.Millisecond
	defaultMost  = 5 * time.Second
)

// Reason says what ended the tries.
type Reason string

// The reasons of a GaveUpError.
const (
	TooManyTries Reason = "no tries are left"
	TooLate      Reason = "no time is left"
	OverBudget   Reason = "too many retries are under way"
	Ended        Reason = "the caller stopped waiting"
)

// GaveUpError is a failure that another try might have mended, had one been allowed. It unwraps to the last try's error, and to the
// context's where that ended the wait.
type GaveUpError struct {
	Tries int           // that were made
	After time.Duration // since the first one began
	Why   Reason
	Err   error // of the last try
	ctx   error
}

func (e *GaveUpError) Error() string {
	times := "tries"
	if e.Tries == 1 {
		times = "try"
	}
	return fmt.Sprintf("%v (after %d %s in %v: %s)", e.Err, e.Tries, times, e.After.Round(time.Millisecond), e.Why)
}

func (e *GaveUpError) Unwrap() []error {
	if e.ctx == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.ctx}
}

// Validate names the first value that makes no sense.
func (p Policy) Validate() error {
	switch {
	case p.Tries < 0:
		return fmt.Errorf("retry policy: %d tries: want at least one, or 0 for no bound on them", p.Tries)
	case min(p.Elapsed, p.First, p.Most) < 0:
		return errors.New("retry policy: a duration is negative")
	case p.Most != 0 && p.First > p.Most:
		return fmt.Errorf("retry policy: the first wait of up to %v is above the longest of %v", p.First, p.Most)
	}
	return nil
}

// Do calls fn until it succeeds, fails for good, or the policy allows no further try. An error that is not retryable is returned as it is;
// otherwise the error is a *GaveUpError. fn must be safe to call again after it failed.
func (p Policy) Do(ctx context.Context, fn func(context.Context) error) error {
	p = p.withDefaults()
	began := p.Clock.Now()
	p.Budget.tried(began)
	for tries := 1; ; tries++ {
		err := fn(ctx)
		if err == nil || !p.Retryable(err) {
			return err
		}
		wait := p.wait(tries)
		now := p.Clock.Now()
		gaveUp := &GaveUpError{Tries: tries, After: now.Sub(began), Err: err}
		switch {
		case p.Tries > 0 && tries >= p.Tries || p.Tries == 0 && p.Elapsed == 0:
			gaveUp.Why = TooManyTries
		case p.Elapsed > 0 && gaveUp.After+wait > p.Elapsed:
			gaveUp.Why = TooLate
		case !p.Budget.take(now):
			gaveUp.Why = OverBudget
		default:
			if gaveUp.ctx = p.Clock.Sleep(ctx, wait); gaveUp.ctx == nil {
				continue
			}
			gaveUp.Why, gaveUp.After = Ended, p.Clock.Now().Sub(began)
		}
		return gaveUp
	}
}

// Ceiling is the longest that the wait after so many failed tries may be.
func (p Policy) Ceiling(tries int) time.Duration {
	p = p.withDefaults()
	ceiling := p.First
	for range tries - 1 {
		if ceiling >= p.Most/2 { // also: doubling cannot overflow
			return p.Most
		}
		ceiling *= 2
	}
	return min(ceiling, p.Most)
}

// wait is a random time between nothing and the ceiling.
func (p Policy) wait(tries int) time.Duration {
	return time.Duration(p.Clock.Rand() * float64(p.Ceiling(tries)))
}

func (p Policy) withDefaults() Policy {
	if p.First == 0 {
		p.First = defaultFirst
	}
	if p.Most == 0 {
		p.Most = max(defaultMost, p.First)
	}
	if p.Retryable == nil {
		p.Retryable = notTheContexts
	}
	if p.Clock.Now == nil {
		p.Clock.Now = time.Now
	}
	if p.Clock.Sleep == nil {
		p.Clock.Sleep = sleep
	}
	if p.Clock.Rand == nil {
		p.Clock.Rand = rand.Float64
	}
	return p
}

func notTheContexts(err error) bool {
	return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
