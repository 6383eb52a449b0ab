package lake

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// A file of the dead zone holds JSON lines, each of which ends with the CRC32C of its bytes before that last member:
//
//	{"dead":{"format":1,"first":1,"end":1,"dropped":0,"below":0},"crc32c":…}    the first line
//	{"id":1,"at":"…","source":"…","origin":"…","line":3,"field":"…","reason":"…","text":"…","cut":true,"crc32c":…}
//	{"drop":{"dropped":120,"below":121},"crc32c":…}      letters below were given up for the bound; dropped is how many were so far
//	{"state":"discarded","at":"…","ids":[[1,4],[9,9]],"crc32c":…}      those letters are done with, whatever the state is called
//
// A text that is not UTF-8 stands under "base64" instead. "first" is no larger than any ID in the file, and letters of earlier files whose ID
// lies in [end, first) were never acknowledged and do not count. The first line repeats the newest drop, so that any file may go once those
// before it are gone. A line of another kind is passed over: a later release may have more of them.
const deadFormat = 1

// What is kept of a letter.
const (
	maxDeadText   = 64 << 10
	maxDeadReason = 4 << 10
	maxDeadOrigin = 4 << 10
	maxDeadName   = 1 << 10
	maxDeadLine   = 1 << 20 // of a file: all of these, with every byte escaped
)

// deadHeader is the first line of a file.
type deadHeader struct {
	Format int   `json:"format"`
	First  int64 `json:"first"`
	End    int64 `json:"end"`
	deadDrop
}

// deadDrop says what went for the bound.
type deadDrop struct {
	Dropped int64 `json:"dropped"` // letters so far
	Below   int64 `json:"below"`   // no letter with a smaller ID counts
}

// deadRecord is a line that is no letter.
type deadRecord struct {
	Dead  *deadHeader `json:"dead,omitempty"`
	Drop  *deadDrop   `json:"drop,omitempty"`
	State string      `json:"state,omitempty"`
	At    string      `json:"at,omitempty"`
	IDs   [][2]int64  `json:"ids,omitempty"` // first and last
}

// deadLine is a line that is a letter.
type deadLine struct {
	ID     int64  `json:"id"`
	At     string `json:"at"`
	Source string `json:"source"`
	Origin string `json:"origin"`
	Line   int64  `json:"line"`
	Field  string `json:"field"`
	Reason string `json:"reason"`
	Text   string `json:"text"`
	Base64 []byte `json:"base64"`
	Cut    bool   `json:"cut"`
}

// AppendJSON appends the letter as one JSON object, as the files have it: text under "text", or under "base64" when it is not UTF-8.
// Absent optional members are left out.
func (d *DeadLetter) AppendJSON(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"id":`...), d.ID, 10)
	return append(d.appendRest(dst), '}')
}

// MarshalJSON is AppendJSON's object.
func (d DeadLetter) MarshalJSON() ([]byte, error) { return d.AppendJSON(nil), nil }

// UnmarshalJSON reads an object as AppendJSON writes it.
func (d *DeadLetter) UnmarshalJSON(object []byte) error {
	letter, err := parseLetter(object)
	if err == nil {
		*d = *letter
	}
	return err
}

// appendRest appends what stands between the ID and the end.
func (d *DeadLetter) appendRest(dst []byte) []byte {
	dst = appendInstant(append(dst, `,"at":"`...), d.At)
	dst = appendQuoted(append(dst, `","source":`...), d.Source)
	dst = appendMember(dst, `,"origin":`, d.Origin)
	if d.Line != 0 {
		dst = strconv.AppendInt(append(dst, `,"line":`...), d.Line, 10)
	}
	dst = appendMember(dst, `,"field":`, d.Field)
	dst = appendQuoted(append(dst, `,"reason":`...), d.Reason)
	if utf8.Valid(d.Text) {
		dst = appendQuoted(append(dst, `,"text":`...), string(d.Text))
	} else {
		dst = base64.StdEncoding.AppendEncode(append(dst, `,"base64":"`...), d.Text)
		dst = append(dst, '"')
	}
	if d.Cut {
		dst = append(dst, `,"cut":true`...)
	}
	return dst
}

// bounded is the letter with everything cut to its bound.
func (d DeadLetter) bounded() (DeadLetter, error) {
	if len(d.Origin) > maxDeadOrigin {
		return d, fmt.Errorf("bury a letter: its origin has %d bytes, at most %d: a cut identity would be another's", len(d.Origin), maxDeadOrigin)
	}
	d.Source, d.Field, d.Reason = string(cutText([]byte(d.Source), maxDeadName)), string(cutText([]byte(d.Field), maxDeadName)), string(cutText([]byte(d.Reason), maxDeadReason))
	if len(d.Text) > maxDeadText {
		d.Text, d.Cut = cutText(d.Text, maxDeadText), true
	}
	return d, nil
}

// cutText is at most the first max bytes, and ends at a character's border if the text is UTF-8.
func cutText(text []byte, max int) []byte {
	if len(text) <= max {
		return text
	}
	end := max
	for end > max-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	if !utf8.RuneStart(text[end]) {
		end = max // not UTF-8 there
	}
	return text[:end]
}

const deadSum = `,"crc32c":`

// sealLine ends the line that starts at dst[from:], which lacks its closing brace, with its checksum.
func sealLine(dst []byte, from int) []byte {
	sum := crc32c(0, dst[from:])
	dst = strconv.AppendUint(append(dst, deadSum...), uint64(sum), 10)
	return append(dst, '}', '\n')
}

// soundLine says whether a line is as it was written.
func soundLine(line []byte) bool {
	body := bytes.LastIndex(line, []byte(deadSum))
	if body < 0 {
		return false
	}
	var want [24]byte
	end := strconv.AppendUint(want[:0], uint64(crc32c(0, line[:body])), 10)
	return string(line[body+len(deadSum):]) == string(append(end, '}', '\n'))
}

// letterID is the ID of a sound line that holds a letter.
func letterID(line []byte) (id int64, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"id":`))
	if !ok {
		return 0, false
	}
	digits, _, _ := bytes.Cut(rest, []byte{','})
	id, err := strconv.ParseInt(string(digits), 10, 64)
	return id, err == nil && id > 0
}

// parseLetter reads a sound line that holds a letter. Members in our own order are read at once; a later release may have written others
// between them.
func parseLetter(line []byte) (*DeadLetter, error) {
	var r deadLine
	if !r.scan(line) {
		r = deadLine{}
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, err
		}
	}
	at, problem := parseInstant(r.At)
	if problem != "" {
		return nil, fmt.Errorf("time %q %s", r.At, problem)
	}
	d := &DeadLetter{ID: r.ID, At: at, Source: r.Source, Origin: r.Origin, Line: r.Line, Field: r.Field, Reason: r.Reason, Text: []byte(r.Text), Cut: r.Cut}
	if r.Base64 != nil {
		d.Text = r.Base64
	}
	return d, nil
}

// scan reads a line just as AppendJSON writes it; false for any other.
func (r *deadLine) scan(line []byte) bool {
	id, ok := letterID(line)
	comma := bytes.IndexByte(line, ',')
	if !ok || comma < 0 {
		return false
	}
	r.ID = id
	rest := line[comma:]
	text := func(key string, to *string) {
		after, found := bytes.CutPrefix(rest, []byte(key))
		if n := stringLength(after); found && n > 0 {
			*to = string(appendUnescaped(nil, after[1:n-1]))
			rest = after[n:]
		}
	}
	text(`,"at":`, &r.At)
	text(`,"source":`, &r.Source)
	text(`,"origin":`, &r.Origin)
	if after, found := bytes.CutPrefix(rest, []byte(`,"line":`)); found {
		end := max(0, bytes.IndexByte(after, ','))
		n, err := strconv.ParseInt(string(after[:end]), 10, 64)
		if err != nil {
			return false
		}
		r.Line, rest = n, after[end:]
	}
	text(`,"field":`, &r.Field)
	text(`,"reason":`, &r.Reason)
	text(`,"text":`, &r.Text)
	if after, found := bytes.CutPrefix(rest, []byte(`,"cut":true`)); found {
		r.Cut, rest = true, after
	}
	return bytes.HasPrefix(rest, []byte(deadSum)) // a text in base64 is left to the general decoder
}

// stringLength is the length of the JSON string that p starts with, quotes included; 0 when it starts with none.
func stringLength(p []byte) int {
	if len(p) == 0 || p[0] != '"' {
		return 0
	}
	for i := 1; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// appendLetters gives each of the lines that appendRest wrote its ID, from next on, and its checksum.
func appendLetters(dst, lines []byte, next int64) ([]byte, int64) {
	for len(lines) > 0 {
		var rest []byte
		rest, lines, _ = bytes.Cut(lines, []byte{'\n'})
		from := len(dst)
		dst = strconv.AppendInt(append(dst, `{"id":`...), next, 10)
		dst = sealLine(append(dst, rest...), from)
		next++
	}
	return dst, next
}

// appendDeadRecord appends a line that is no letter.
func appendDeadRecord(dst []byte, r deadRecord) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return dst, err
	}
	from := len(dst)
	return sealLine(append(dst, text[:len(text)-1]...), from), nil
}
