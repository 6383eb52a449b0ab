package ingest

import (
	"errors"
	"net"

	"github.com/signallake/signallake/lake"
)

// maxLetters is how many refused lines of a body wait in memory; then they are buried, and the next ones gather. They take a megabyte or two.
const maxLetters = 8192

// rejects are the refused lines of one body on their way to the dead zone. Nothing is buried of a body before it is clear that it is a batch:
// if it is none, it is refused as a whole and kept as one letter.
type rejects struct {
	keeper   keeper
	letters  []lake.DeadLetter // not buried yet; their texts are parts of the body
	failed   error             // of burying, or there is no memory: decoding ends
	document []byte            // not nil: the letters are elements of this, which is not known yet to be JSON
	broken   bool              // it is not
}

// keeper buries refused lines. with says that the same body has events, which are to be appended next.
type keeper interface {
	bury(letters []lake.DeadLetter, with bool) error
}

// keep remembers a refused line.
func (d *decoder) keep(e *lineError, value []byte) {
	if len(d.letters) == maxLetters {
		if d.document != nil {
			d.broken = !isJSON(d.document)
			d.document = nil
		}
		if !d.broken {
			_ = d.flush() // the loop over the lines looks at failed
		}
		clear(d.letters)
		d.letters = d.letters[:0]
	}
	if !d.broken && d.roomForLetter() {
		d.letters = append(d.letters, lake.DeadLetter{At: d.now, Line: int64(e.Line), Field: e.Field, Reason: e.Reason, Text: value})
	}
}

// keepWhole replaces what was kept of a body by the body itself. Nothing is kept of an empty one.
func (d *decoder) keepWhole(body []byte, err error) {
	d.letters = d.letters[:0]
	if len(body) > 0 {
		d.letters = append(d.letters, lake.DeadLetter{At: d.now, Reason: err.Error(), Text: body})
	}
}

// flush buries what was kept. It answers an error of an earlier flush, too.
func (d *decoder) flush() error {
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
