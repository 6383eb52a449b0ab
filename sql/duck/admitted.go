package duck

import "sync"

// admittedTexts is how many statements are remembered, twice: those that a console's screens ask again and again, and a user's last ones. Longer texts
// than admittedBytes are not.
const (
	admittedTexts = 256
	admittedBytes = 4 << 10
)

// admitted remembers what the gate said of statements that it let through: that depends on nothing but the text. Asking DuckDB's parser takes a quarter of
// a millisecond, more than the answer to some of them.
type admitted struct {
	mu         sync.Mutex
	young, old map[string]*statement // what is asked for again stays
}

func (a *admitted) find(text string) *statement {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.young[text]
	if s == nil {
		if s = a.old[text]; s != nil {
			a.add(text, s)
		}
	}
	return s
}

func (a *admitted) keep(text string, s *statement) {
	if len(text) > admittedBytes {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.add(text, s)
}

// add makes the statement young. Called with mu held.
func (a *admitted) add(text string, s *statement) {
	if a.young == nil || len(a.young) >= admittedTexts {
		a.young, a.old = map[string]*statement{}, a.young
	}
	a.young[text] = s
}
