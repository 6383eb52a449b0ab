// Package replay sends refused input again: it picks dead letters, maps them by simple rules to what the contract wants, and appends what is
// accepted now, each letter exactly once. It knows no HTTP and no terminal.
package replay

import (
	"time"

	"github.com/signallake/signallake/lake"
)

// Pick says which letters are meant: those that agree with every field that is set. The zero Pick is all of them.
type Pick struct {
	Source string  `json:"source,omitempty"` // a part of the letter's source, in any case
	Reason string  `json:"reason,omitempty"` // a part of its "field: reason", in any case
	Kind   string  `json:"kind,omitempty"`   // a Group's Kind, exactly
	IDs    []int64 `json:"ids,omitempty"`    // these
	Groups []Key   `json:"groups,omitempty"` // of one of these groups, exactly
	Upto   int64   `json:"upto,omitempty"`   // with an ID up to this; 0: however new. What is confirmed on a screen is what was counted there
}

// Key tells a group from the others.
type Key struct {
	Source string `json:"source"`
	Kind   string `json:"kind"`
}

// Group is letters with the same kind of reason and the same source.
type Group struct {
	Kind    string // what they have in common: the field and the reason without its values
	Source  string
	Field   string
	Reason  string // of the newest
	Letters int64
	First   lake.Micros
	Newest  lake.Micros
	Example lake.DeadLetter // the newest, its text cut for a screen
}

// Key tells the group from the others.
func (g *Group) Key() Key { return Key{g.Source, g.Kind} }

// Rules map a letter's object before the contract sees it, in this order: rename, cast, default. All are written KEY=VALUE. A key stands at
// the top of the object just so, or its dots lead into nested objects.
type Rules struct {
	Rename  []string `json:"rename,omitempty"`  // FROM=TO: the key FROM is called TO; a TO that is there already is replaced
	Cast    []string `json:"cast,omitempty"`    // KEY=number, KEY=integer, KEY=string or KEY=time: the value as that type, where it can be read as one
	Default []string `json:"default,omitempty"` // KEY=VALUE: the value where the key is absent, null or empty; VALUE is JSON, or text
}

// Params say what to send again.
type Params struct {
	Pick   Pick  `json:"pick"`
	Rules  Rules `json:"rules"`
	DryRun bool  `json:"dry_run,omitempty"` // say what would happen, and change nothing
	Since  int64 `json:"since,omitempty"`   // the smallest ID to look at: where an earlier run's Report.Next says that it stopped

	Patience time.Duration `json:"-"` // after about so long a run stops between two batches and says so in Report.Next; 0: at the end
}

// Sample is one letter before and after the rules, for people.
type Sample struct {
	ID      int64  `json:"id"`
	Before  string `json:"before"`
	After   string `json:"after,omitempty"`   // the canonical line, or "" when it is refused still
	Problem string `json:"problem,omitempty"` // why it is refused still
}

// Report says what became of the letters that were picked. A letter that holds a whole refused body may be several events.
type Report struct {
	DryRun     bool     `json:"dry_run,omitempty"`
	Picked     int64    `json:"picked"`              // letters
	Accepted   int64    `json:"accepted"`            // events; of a dry run those that the contract takes
	Duplicates int64    `json:"duplicates"`          // events; the lake had them already: same service, event_id and content. A dry run cannot tell
	Conflicts  int64    `json:"conflicts,omitempty"` // accepted events that differ from an earlier one of the same service and event_id
	Refused    int64    `json:"refused"`             // letters, still; they stay where they are
	Split      int64    `json:"split,omitempty"`     // letters of several events, some of them bad: each event is a letter of its own now
	Settled    int64    `json:"settled,omitempty"`   // letters that an earlier run had replayed without living to write it down
	Problems   []Group  `json:"problems,omitempty"`  // the refused ones, by their new reason, the largest group first
	Samples    []Sample `json:"samples,omitempty"`
	Notes      []string `json:"notes,omitempty"` // what to know of the rules: keys that no letter has
	Next       int64    `json:"next,omitempty"`  // not 0: patience ended before the letters did; the ID to go on from
}
