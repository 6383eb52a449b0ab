package duck

import (
	"slices"
	"sync"
	"time"

	"github.com/signallake/signallake/sql"
)

const (
	// keptStatements is how many texts the engine remembers: a console asks for an estimate and then runs the same text, a client asks the same again and again.
	keptStatements = 128
	// keptText is the longest text that is remembered, in bytes.
	keptText = 4 << 10
	// planLife is how long a plan is good that asks the clock: with what it then takes to begin it stays within clockLeeway.
	planLife = clockLeeway / 2
)

// statements are texts that the gate let through, and their plans. What they say depends on the text alone, not on the lake: it is planned over empty
// tables. Answers are never kept.
type statements struct {
	mu     sync.Mutex
	byText map[string]*statement
	order  []string // the oldest first
}

// find is the statement of a text; nil when it is not known.
func (k *statements) find(text string) *statement {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.byText[text]
}

// add remembers a statement in the place of the oldest one.
func (k *statements) add(text string, s *statement) {
	if len(text) > keptText {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byText == nil {
		k.byText = map[string]*statement{}
	}
	if k.byText[text] == nil {
		k.order = append(k.order, text)
	}
	k.byText[text] = s
	if len(k.order) > keptStatements {
		delete(k.byText, k.order[0])
		k.order = slices.Delete(k.order, 0, 1)
	}
}

// fresh tells whether a plan is still good.
func (p *plan) fresh(body string, now time.Time) bool {
	age := now.Sub(p.at)
	return age >= 0 && age < planLife || !asksClock(body)
}

// columnsOf are the columns that some of the scans read, each once.
func columnsOf(scans []sql.Scan) []string {
	columns := []string{}
	for i := range scans {
		for _, c := range scans[i].Columns {
			if !slices.Contains(columns, c) {
				columns = append(columns, c)
			}
		}
	}
	return columns
}
