package ingest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/signallake/signallake/lake"
)

// The note of a key, which the log keeps beside its batch:
//
//	{"key":"<32 hex>","body":"<32 hex>","status":200,"request_id":"...", the rest of an outcome ,"accepted":9,"duplicate":1}
//
// The counts stand at the end: only the log's writer knows them. One that is 0 is left out. As many refused lines are listed as fit.
const (
	noteKey    = `{"key":"`
	noteBody   = `","body":"`
	noteAnswer = `",`
	noteStart  = len(noteKey) + 2*len(keyID{}) + len(noteBody) + 2*len(fingerprint{}) + len(noteAnswer) // of the answer

	maxNote    = 4096 // the lake's bound
	noteCounts = len(`,"accepted":,"duplicate":,"conflict":}`) + 3*10
)

var (
	notePrefix     = []byte(`{"key":`)
	noteCountNames = [...]string{`,"accepted":`, `,"duplicate":`, `,"conflict":`}
)

// appendNoteHead appends the note up to its counts.
func appendNoteHead(dst []byte, id keyID, body fingerprint, o *outcome) []byte {
	dst = append(dst, noteKey...)
	dst = hex.AppendEncode(dst, id[:])
	dst = append(dst, noteBody...)
	dst = hex.AppendEncode(dst, body[:])
	dst = append(dst, noteAnswer...)
	rest := *o
	rest.Rejected = nil
	text, _ := json.Marshal(rest) // never fails: strings and numbers
	dst = append(dst, text[1:len(text)-1]...)
	for i, e := range o.Rejected {
		sep := ","
		if i == 0 {
			sep = `,"rejected":[`
		}
		line, _ := json.Marshal(e)
		if len(dst)+len(sep)+len(line)+1+noteCounts > maxNote {
			if i == 0 {
				return dst
			}
			break
		}
		dst = append(append(dst, sep...), line...)
	}
	if len(o.Rejected) > 0 {
		dst = append(dst, ']')
	}
	return dst
}

func appendNoteCounts(dst []byte, r lake.Receipt) []byte {
	for i, n := range [...]int{r.Stored, r.Duplicates, r.Conflicts} {
		if n != 0 {
			dst = strconv.AppendInt(append(dst, noteCountNames[i]...), int64(n), 10)
		}
	}
	return append(dst, '}')
}

// answerOf is the part of a note that is remembered: an outcome as JSON.
func answerOf(note []byte) string { return "{" + string(note[noteStart:]) }

// parseNote takes a note apart. ok is false of what appendNoteHead and appendNoteCounts did not write.
func parseNote(note []byte) (id keyID, body fingerprint, answer string, ok bool) {
	if len(note) <= noteStart || len(note) > maxNote {
		return id, body, "", false
	}
	rest := note
	for _, part := range []struct {
		text string
		hash []byte
	}{{noteKey, id[:]}, {noteBody, body[:]}, {noteAnswer, nil}} {
		if !bytes.HasPrefix(rest, []byte(part.text)) {
			return id, body, "", false
		}
		rest = rest[len(part.text):]
		if _, err := hex.Decode(part.hash, rest[:2*len(part.hash)]); err != nil {
			return id, body, "", false
		}
		rest = rest[2*len(part.hash):]
	}
	answer = answerOf(note)
	if !isUsual(answer) {
		if _, err := decodeOutcome([]byte(answer)); err != nil {
			return id, body, "", false
		}
	}
	return id, body, answer, true
}

// isUsual tells most answers of accepted events from others without a JSON decoder, which takes half of the time of a start with many keys.
// What it knows decodeOutcome takes.
func isUsual(answer string) bool {
	rest, ok := strings.CutPrefix(answer, `{"status":200,"request_id":"`)
	n := plainLen(rest)
	if !ok || n == 0 || n > maxRequestID {
		return false
	}
	rest = rest[n:]
	if r, ok := strings.CutPrefix(rest, `","event_id":"`); ok {
		rest = r[plainLen(r):]
	}
	if rest, ok = strings.CutPrefix(rest, `"`); !ok {
		return false
	}
	for _, name := range noteCountNames {
		if r, ok := strings.CutPrefix(rest, name); ok {
			digits := 0
			for digits < len(r) && r[digits] >= '0' && r[digits] <= '9' {
				digits++
			}
			if digits == 0 || digits > 9 || r[0] == '0' {
				return false
			}
			rest = r[digits:]
		}
	}
	return rest == "}"
}

// plainLen is how many bytes s begins with that stand for themselves in a JSON string.
func plainLen(s string) int {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return i
		}
	}
	return len(s)
}

// decodeOutcome reads what a note says became of a request.
func decodeOutcome(answer []byte) (*outcome, error) {
	o := &outcome{}
	if err := json.Unmarshal(answer, o); err != nil {
		return nil, fmt.Errorf("read the note of an %s: %w", idempotencyHeader, err)
	}
	final := o.Status == http.StatusOK || o.Status == http.StatusUnprocessableEntity
	smallest, largest := min(o.Accepted, o.Duplicate, o.Conflict, o.DuplicateKeys, o.RejectedTotal), max(o.Accepted, o.Duplicate, o.Conflict, o.RejectedTotal)
	if !final || !saneRequestID(o.RequestID) || smallest < 0 || largest > math.MaxInt32 || len(o.Rejected) > o.RejectedTotal {
		return nil, fmt.Errorf("read the note of an %s: no answer of ours: %.200s", idempotencyHeader, answer)
	}
	return o, nil
}
