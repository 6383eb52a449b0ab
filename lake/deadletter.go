package lake

import "context"

// DeadLetter is one piece of refused input, kept so that it can be looked at, mended and sent again.
type DeadLetter struct {
	ID     int64  // given when it is kept: unique in the lake, rising; 0 in a letter to keep
	At     Micros // when it was refused
	Source string // who sent it, for people: "import access.log", "api 127.0.0.1", a token's name
	Origin string // the input that Line counts in, for programs: an import's identity; "" when there is none
	Line   int64  // 1-based place in that input; 0 when it has none
	Field  string // of the contract, "" when the whole event is at fault
	Reason string
	Text   []byte // as it came, cut to a bound
	Cut    bool   // Text is not the whole of it
}

// DeadStatus counts the dead zone.
type DeadStatus struct {
	Kept    int64 // letters in the zone
	Bytes   int64 // of its files
	Dropped int64 // letters that went, oldest first, since the zone has a bound
}

// Bury keeps letters; they are durable when it returns.
func (l *Lake) Bury(ctx context.Context, letters []DeadLetter) error { return nil }

// DeadLetters calls fn with every kept letter whose ID is at least since, in the order of IDs. The letter is valid during the call.
func (l *Lake) DeadLetters(since int64, fn func(*DeadLetter) error) error { return nil }

// DeadStatus counts what is in the dead zone.
func (l *Lake) DeadStatus() DeadStatus { return DeadStatus{} }
