package retry

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Budget bounds the retries of everyone who shares it to a fraction of their first tries, plus a floor: a resource that fails for all then
// gets a little more work than usual instead of several times as much, and one that few use is still tried again. It is a bucket of tokens:
// each first try puts Fraction of one in, each second puts PerSec in, each retry takes one out. A nil *Budget allows everything.
type Budget struct {
	fraction, perSec, most float64

	mu     sync.Mutex
	tokens float64
	last   time.Time // when tokens was last brought up to date
}

// BudgetConfig says how large a Budget is. At least one of Fraction and PerSec must be above 0.
type BudgetConfig struct {
	Fraction float64 // tokens a first try is worth: 0.1 allows one retry for ten first tries
	PerSec   float64 // the floor: tokens that come by themselves
	Most     float64 // the bucket's size, which is full at the beginning: how many retries a burst of failures may cause
}

// NewBudget makes a full bucket.
func NewBudget(c BudgetConfig) (*Budget, error) {
	switch {
	case !(c.Fraction >= 0 && c.PerSec >= 0) || c.Fraction+c.PerSec == 0: // as a negation: NaN is none of these
		return nil, errors.New("retry budget: neither a fraction of the first tries nor a floor in retries a second fills it")
	case !(c.Most >= 1):
		return nil, fmt.Errorf("retry budget: a bucket of %v tokens never allows a retry: want at least 1", c.Most)
	}
	return &Budget{fraction: c.Fraction, perSec: c.PerSec, most: c.Most, tokens: c.Most}, nil
}

// tried counts a first try at the given time.
func (b *Budget) tried(now time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(now)
	b.tokens = min(b.most, b.tokens+b.fraction)
}

// take asks for one retry.
func (b *Budget) take(now time.Time) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(now)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// fill adds what came by itself since the last look. A clock that steps back adds nothing.
func (b *Budget) fill(now time.Time) {
	if !b.last.IsZero() && now.After(b.last) {
		b.tokens = min(b.most, b.tokens+b.perSec*now.Sub(b.last).Seconds())
	}
	b.last = now
}
