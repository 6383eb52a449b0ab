package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"

	"github.com/signallake/signallake/lake"
)

// maxLetters is how many refused lines of a body wait in memory; then they are buried, and the next ones gather. They take a megabyte or two.
const maxLetters = 8192

// What a body may put into the dead zone as letters of its own: so many times its size, and this much in any case. A letter of a line of two
// bytes takes some 200: without a bound one body could push everything else out of the zone. Beyond it lines share letters.
const (
	lettersPerByte = 4
	freeLetters    = 64 << 10
	letterOverhead = 320 // of a line in the dead zone, beside its texts
	maxLetterText  = 64 << 10
	maxShared      = 1 << 20 // of texts in shared letters that wait in memory, where they need not
)

// rejects are the refused lines of one body on their way to the dead zone. Nothing is buried of a body before it is clear that it is a batch:
// if it is none, it is refused as a whole and kept as one letter.
type rejects struct {
	keeper   keeper
	letters  []lake.DeadLetter // not buried yet; their texts are parts of the body, or of shared letters
	failed   error             // of burying, or there is no memory: decoding ends
	document []byte            // not nil: the letters are of parts of this, which may turn out not to be a batch
	broken   bool              // it did: nothing more is kept
	room     int               // bytes that letters of single lines may still take
	shared   int               // bytes in the shared letters that wait
	sharing  sharedLetter
}

// sharedLetter gathers the lines for which there is no letter of their own.
type sharedLetter struct {
	first lake.DeadLetter // of the first line
	text  []byte          // the lines, each with a newline
	lines int
	last  int64 // number of the last one
}

// keeper is what a decoder needs of its request.
type keeper interface {
	// bury keeps refused lines. with says that the same body has events, which are to be appended next.
	bury(letters []lake.DeadLetter, with bool) error
}

// allow sets what a body of so many bytes may put into the dead zone.
func (d *decoder) allow(size int) { d.room = freeLetters + lettersPerByte*size }

// keep remembers a refused line.
func (d *decoder) keep(e *lineError, value []byte) {
	if d.broken {
		return
	}
	if len(d.letters) >= maxLetters || d.shared >= maxShared {
		d.flushEarly()
	}
	letter := lake.DeadLetter{At: d.now, Line: int64(e.Line), Field: e.Field, Reason: e.Reason, Text: value}
	size := letterSize(&letter)
	if size > d.room || len(d.letters) >= maxLetters {
		d.room = 0 // from here on, so that lines stay in order
		d.share(letter)
		return
	}
	d.room -= size
	if d.roomForLetter() {
		d.letters = append(d.letters, letter)
	}
}

// flushEarly buries what waits, if the body is sure to be a batch.
func (d *decoder) flushEarly() {
	switch {
	case d.document == nil:
	case d.document[0] == '[':
		d.broken = !isJSON(d.document)
		d.document = nil
	case !d.decodable:
		return // garbage so far
	default: // lines, unless they are one object that was written over several
		d.broken = d.accepted == 0 && json.Valid(d.document)
		d.document = nil
	}
	if !d.broken {
		_ = d.flush() // the loop over the lines looks at failed
	}
	d.dropLetters()
}

func (d *decoder) dropLetters() {
	clear(d.letters)
	d.letters, d.shared, d.sharing = d.letters[:0], 0, sharedLetter{}
}

// share adds a line to the letter that gathers.
func (d *decoder) share(letter lake.DeadLetter) {
	s := &d.sharing
	if s.lines > 0 && len(s.text)+len(letter.Text) >= maxLetterText {
		d.endShared()
	}
	if s.lines == 0 {
		s.first = letter
	}
	text := letter.Text[:min(len(letter.Text), maxLetterText)] // more is not kept anyway
	if !d.roomForShared(len(text) + 1) {
		return
	}
	s.text = append(append(s.text, text...), '\n')
	s.last = letter.Line
	s.lines++
}

// endShared puts the letter that gathered beside the others.
func (d *decoder) endShared() {
	s := d.sharing
	if s.lines > 0 && !d.roomForLetter() {
		return
	}
	d.sharing = sharedLetter{}
	switch s.lines {
	case 0:
		return
	case 1:
	default:
		s.first.Reason = fmt.Sprintf("%s; %d refused lines share this letter, up to line %d", s.first.Reason, s.lines, s.last)
		s.first.Text = s.text[:len(s.text)-1]
	}
	d.letters = append(d.letters, s.first)
	d.shared += cap(s.text)
}

// letterSize is about what a letter takes in the dead zone. There it is JSON: what has to be escaped takes more.
func letterSize(l *lake.DeadLetter) int {
	size := letterOverhead + len(l.Field) + len(l.Reason)
	for _, c := range l.Text[:min(len(l.Text), maxLetterText)] {
		switch {
		case c < ' ':
			size += 6
		case c == '"' || c == '\\':
			size += 2
		default:
			size++
		}
	}
	return size
}

// keepWhole replaces what was kept of a body by the body itself. Nothing is kept of an empty one.
func (d *decoder) keepWhole(body []byte, err error) {
	d.dropLetters()
	if len(body) > 0 {
		d.letters = append(d.letters, lake.DeadLetter{At: d.now, Reason: err.Error(), Text: body})
	}
}

// flush buries what was kept. It answers an error of an earlier flush, too.
func (d *decoder) flush() error {
	d.endShared()
	if d.failed == nil && len(d.letters) > 0 {
		d.failed = d.keeper.bury(d.letters, d.accepted > 0)
	}
	return d.failed
}

// source names the sender for the dead zone: by its token's name, else by its machine.
func (x *exchange) source() string {
	if x.tokenName != "" {
		return "api " + x.tokenName
	}
	host, _, err := net.SplitHostPort(x.r.RemoteAddr)
	if err != nil {
		host = x.r.RemoteAddr
	}
	return "api " + host
}

// lineErrorOf is why a line was refused.
func lineErrorOf(no int, err error) lineError {
	if fe := (*lake.FieldError)(nil); errors.As(err, &fe) {
		return lineError{Line: no, Field: fe.Field, Reason: fe.Reason}
	}
	return lineError{Line: no, Reason: err.Error()}
}
