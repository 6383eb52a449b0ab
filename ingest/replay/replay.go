// Package replay sends refused input again: it picks dead letters, maps them by simple rules to what the contract wants, and appends what is
// accepted now, each letter exactly once. It knows no HTTP and no terminal.
package replay

import "github.com/signallake/signallake/lake"

// Pick says which letters are meant: those that agree with every field that is set. The zero Pick is all of them.
type Pick struct {
	Source string  // a part of the letter's source, in any case
	Reason string  // a part of its "field: reason", in any case
	Kind   string  // a Group's Kind, exactly
	IDs    []int64 // these
	Groups []Key   // of one of these groups, exactly
	Upto   int64   // with an ID up to this; 0: however new. What is confirmed on a screen is what was counted there
}

// Key tells a group from the others.
type Key struct{ Source, Kind string }

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

// Rules map a letter's object before the contract sees it, in this order: rename, cast, default. All are written KEY=VALUE.
type Rules struct {
	Rename  []string // FROM=TO: the key FROM is called TO; a TO that is there already is replaced
	Cast    []string // KEY=number, KEY=integer, KEY=string or KEY=time: the value as that type, where it can be read as one
	Default []string // KEY=VALUE: the value where the key is absent, null or empty; VALUE is JSON, or text
}

// Params say what to send again.
type Params struct {
	Pick   Pick
	Rules  Rules
	DryRun bool // say what would happen, and change nothing
}

// Sample is one letter before and after the rules, for people.
type Sample struct {
	ID      int64
	Before  string
	After   string // the canonical line, or "" when it is refused still
	Problem string // why it is refused still
}

// Report says what became of the letters that were picked.
type Report struct {
	DryRun     bool
	Picked     int64
	Accepted   int64
	Duplicates int64   // the lake had them already: same service, event_id and content
	Refused    int64   // still; they stay where they are
	Problems   []Group // the refused ones, by their new reason
	Samples    []Sample
}
