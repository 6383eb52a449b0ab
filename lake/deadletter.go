package lake

import (
	"context"
	"fmt"
	"strings"
)

// DeadLetter is one piece of refused input, kept so that it can be looked at, mended and sent again.
type DeadLetter struct {
	ID     int64  // given when it is kept: unique in the lake, rising; 0 in a letter to keep
	At     Micros // when it was refused; 0 in a letter to keep: now
	Source string // who sent it, for people: "import access.log", "api 127.0.0.1", a token's name; cut at 1 KiB
	Origin string // the input that Line counts in, for programs: an import's identity; "" when there is none; at most 4 KiB
	Line   int64  // 1-based place in that input; 0 when it has none
	Field  string // of the contract, "" when the whole event is at fault; cut at 1 KiB
	Reason string // cut at 4 KiB
	Text   []byte // as it came, cut at 64 KiB
	Cut    bool   // Text is not the whole of it
}

// DeadStatus counts the dead zone.
type DeadStatus struct {
	Kept    int64 // letters in the zone
	Bytes   int64 // of its files
	Dropped int64 // letters that went, oldest first, since the zone has a bound
	Damaged int64 // lines of its files that cannot be read any more
}

// Bury keeps letters; they are durable when it returns nil, and have their IDs. The texts are not needed any more when it returns. After
// ErrBury none of them is acknowledged; when ctx ended meanwhile they may be kept or not.
func (l *Lake) Bury(ctx context.Context, letters []DeadLetter) error {
	if err := l.writable(); err != nil {
		return err
	}
	if len(letters) == 0 {
		return nil
	}
	return l.explain(l.dead.bury(ctx, letters))
}

// DeadLetters calls fn with every kept letter whose ID is at least since, in the order of IDs, as the zone is when it is called. The letter
// is valid during the call. An error of fn ends it and is returned. In a read-only lake it looks at the files as they are now.
func (l *Lake) DeadLetters(since int64, fn func(*DeadLetter) error) error {
	if err := l.dead.refresh(); err != nil {
		return fmt.Errorf("read the dead letters: %w", err)
	}
	return l.dead.list(since, fn)
}

// DiscardDead takes the letters that pick wants out of the zone for good and answers how many they were. pick is called with each kept
// letter, in order. Files go once no letter of theirs or of an older file is kept. After an error it is open which of the letters are gone.
func (l *Lake) DiscardDead(ctx context.Context, pick func(*DeadLetter) bool) (int64, error) {
	if err := l.writable(); err != nil {
		return 0, err
	}
	return l.dead.discard(ctx, pick)
}

// MarkReplayed writes down that letters are done with because what they hold is in the lake: those from the first to the last ID of each range,
// which rise. It answers how many of them were still kept; once it returns nil, they never count again. After an error it is open which of them do.
func (l *Lake) MarkReplayed(ids [][2]int64) (int64, error) {
	if err := l.writable(); err != nil {
		return 0, err
	}
	if len(ids) == 0 || l.dead.status().Kept == 0 {
		return 0, nil
	}
	return l.dead.settle(ids, stateReplayed)
}

// DeadStatus counts what is in the dead zone. The owner answers from memory; a read-only lake looks at what has been added to the files.
func (l *Lake) DeadStatus() DeadStatus {
	if err := l.dead.refresh(); err != nil {
		l.cat.troubles.tell(troubleFollow, err)
	}
	return l.dead.status()
}

// ReasonKind is a reason without the values in it, so that the same mistake is one group: what was got instead goes, and for what is quoted and for
// every word with a digit stands one ….
func ReasonKind(reason string) string {
	reason, _, _ = strings.Cut(reason, ", got ")
	if open, end := strings.IndexByte(reason, '"'), strings.LastIndexByte(reason, '"'); open < end {
		reason = reason[:open] + valueMark + reason[end+1:]
	}
	words := strings.Fields(withoutLetter(reason))
	kind := words[:0]
	for _, w := range words {
		if strings.ContainsAny(w, "0123456789") {
			w = valueMark + w[len(strings.TrimRight(w, ",:;)")):]
		}
		if n := len(kind); n > 0 && kind[n-1] == valueMark && strings.HasPrefix(w, valueMark) {
			kind = kind[:n-1]
		}
		kind = append(kind, w)
	}
	return strings.Join(kind, " ")
}

// valueMark stands in a ReasonKind for what was a value.
const valueMark = "…"

// withoutLetter is a reason without the single character that a decoder quotes: invalid character 'a'. An apostrophe in a word is none.
func withoutLetter(reason string) string {
	const longest = len(`'\U0010ffff'`)
	_, rest, quoted := strings.Cut(reason, " '")
	if !quoted || rest == "" {
		return reason
	}
	end := strings.IndexByte(rest[1:min(len(rest), longest)], '\'') + 1 // the character itself may be a quote
	if end == 0 {
		return reason
	}
	if strings.HasPrefix(rest, `\''`) {
		end = len(`\'`)
	}
	return reason[:len(reason)-len(rest)-1] + valueMark + rest[end+1:]
}
