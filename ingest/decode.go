package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/signallake/signallake/lake"
)

const (
	maxListed = 100 // refused lines that an answer lists; the others are counted
	sampleLen = 200 // bytes of a refused line that the console shows

	// A client that went away is noticed after this many lines: about every 5 ms of work.
	linesPerCheck = 4096
)

// lineError is one refused line of a batch.
type lineError struct {
	Line   int    `json:"line"` // 1-based: line of an NDJSON body, element of an array
	Field  string `json:"field"`
	Reason string `json:"reason"`
	sample string
}

// undecodable is a body that is not what the route takes, as a whole: nothing of it is stored.
type undecodable struct {
	line   int // where; 0: no place
	reason string
}

func (e *undecodable) Error() string {
	if e.line == 0 {
		return e.reason
	}
	return fmt.Sprintf("at event %d: %s", e.line, e.reason)
}

// decoder turns one request's body into canonical lines. It is reused: begin starts the next body.
type decoder struct {
	scribe *scribe // while it decodes
	now    lake.Micros

	contentType mediaType    // as the sender says
	unreadable  *undecodable // why the bytes are no body at all; nil: they may be one

	lines      []byte // of the accepted events: lake.Batch.Lines
	given      []bool // of the accepted events: lake.Batch.Given
	accepted   int
	rejected   int
	first      error       // why the first of them was refused
	listed     []lineError // the first maxListed of them
	duplicates int         // keys that stood twice in an object: the last one won
	service    string      // of the first accepted event
	eventID    string      // likewise
	decodable  bool        // some line was a JSON object, whatever the contract says about it
	rejects
	ration
}

func (d *decoder) begin(now lake.Micros) {
	clear(d.letters[:cap(d.letters)]) // their texts are parts of bodies
	*d = decoder{scribe: d.scribe, now: now, lines: d.lines[:0], given: d.given[:0], rejects: rejects{keeper: d.keeper, letters: d.letters[:0]}, ration: d.ration}
}

// one decodes a body that is one event. A *lake.FieldError is an event that breaks the contract, an *undecodable a body that is not JSON.
func (d *decoder) one(body []byte) error {
	d.allow(len(body))
	if err := d.precheck(body); err != nil {
		d.refuse(1, body, err)
		return err
	}
	raw := trimBOM(body)
	if body = bytes.TrimSpace(raw); len(body) == 0 {
		return &undecodable{reason: "the body is empty: want one JSON object"}
	}
	err := d.object(body)
	if err == nil {
		return nil
	}
	if !isJSON(body) {
		err = &undecodable{reason: d.notJSON(raw, body, err)}
		if end := valueEnd(body); end > 0 && end < len(body) && json.Valid(body[:end]) {
			err = &undecodable{reason: "more than one JSON value: POST /ingest takes one event, POST /ingest/batch takes many"}
		}
	} else if body[0] == '[' {
		err = &lake.FieldError{Reason: "the event must be one JSON object, got an array: POST /ingest/batch takes arrays"}
	}
	d.refuse(1, body, err)
	return err
}

// batch decodes an array or lines, whichever the first byte says. An error is *undecodable, the context's or of burying; what the contract
// refuses is counted and listed in d.
func (d *decoder) batch(ctx context.Context, body []byte) error {
	d.allow(len(body))
	if err := d.precheck(body); err != nil {
		return err
	}
	body = trimBOM(body)
	start := bytes.TrimLeft(body, " \t\r\n")
	if len(start) == 0 {
		return &undecodable{reason: "the body is empty: want a JSON array of objects, or one JSON object a line"}
	}
	if start[0] == '[' {
		return d.array(ctx, start)
	}
	if err := d.ndjson(ctx, body); err != nil {
		return err
	}
	if d.accepted == 0 && d.rejected > 1 && start[0] == '{' && json.Valid(start) {
		return d.spread(bytes.TrimSpace(start))
	}
	if d.accepted == 0 && !d.decodable {
		return &undecodable{line: d.listed[0].Line, reason: d.notJSON(body, []byte(d.listed[0].sample), d.first)}
	}
	return nil
}

// spread takes one object that was written over several lines.
func (d *decoder) spread(object []byte) error {
	d.begin(d.now)
	d.allow(len(object))
	d.decodable = true
	if err := d.object(object); err != nil {
		d.refuse(1, object, err)
	}
	return nil
}

// ndjson takes one object a line. What stands after the last newline is a line too: whether it was cut off, its parsing tells.
func (d *decoder) ndjson(ctx context.Context, body []byte) error {
	d.document = body
	for no := 1; len(body) > 0; no++ {
		if no%linesPerCheck == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if d.failed != nil {
			return d.failed
		}
		line := body
		if end := bytes.IndexByte(body, '\n'); end >= 0 {
			line, body = body[:end], body[end+1:]
		} else {
			body = nil
		}
		if line = trim(line); len(line) > 0 {
			d.line(no, line)
		}
	}
	return d.failed
}

// trim takes the blanks off a line. Most lines have none.
func trim(line []byte) []byte {
	if n := len(line); n > 0 && line[0] > ' ' && line[n-1] > ' ' {
		return line
	}
	return bytes.Trim(line, " \t\r")
}

// line takes one line. Several objects on one are taken one by one: `curl -d @file` removes the newlines of the file.
func (d *decoder) line(no int, line []byte) {
	err := d.object(line)
	if err == nil {
		d.decodable = true
		return
	}
	end := valueEnd(line)
	if line[0] != '{' || end <= 0 || end == len(line) {
		d.decodable = d.decodable || isObject(line)
		d.refuse(no, line, err)
		return
	}
	for len(line) > 0 && d.failed == nil {
		if end = valueEnd(line); end <= 0 {
			end = len(line)
		}
		value := line[:end]
		line = bytes.TrimLeft(line[end:], " \t\r")
		if err := d.object(value); err != nil {
			d.decodable = d.decodable || isObject(value)
			d.refuse(no, value, err)
			continue
		}
		d.decodable = true
	}
}

// array takes the elements of a JSON array. It is one document: where it is not JSON, nothing of it is taken.
func (d *decoder) array(ctx context.Context, body []byte) error {
	d.document = body
	rest := bytes.TrimLeft(body[1:], " \t\r\n")
	if len(rest) > 0 && rest[0] == ']' {
		if len(bytes.TrimSpace(rest[1:])) > 0 {
			return &undecodable{reason: "bytes after the end of the array"}
		}
		return &undecodable{reason: "the array is empty: want at least one event"}
	}
	for no := 1; ; no++ {
		if no%linesPerCheck == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if d.failed != nil {
			return d.failed
		}
		end := valueEnd(rest)
		if end <= 0 {
			return &undecodable{line: no, reason: "the array is cut off"}
		}
		value := rest[:end]
		if err := d.object(value); err != nil {
			if !isJSON(value) {
				return &undecodable{line: no, reason: d.notJSON(value, value, err)}
			}
			d.refuse(no, value, err)
		}
		d.decodable = true
		rest = bytes.TrimLeft(rest[end:], " \t\r\n")
		if len(rest) == 0 {
			return &undecodable{line: no, reason: "the array is cut off after it"}
		}
		mark := rest[0]
		rest = bytes.TrimLeft(rest[1:], " \t\r\n")
		switch {
		case mark == ']' && len(rest) == 0:
			return nil
		case mark == ']':
			return &undecodable{line: no, reason: "bytes after the end of the array"}
		case mark != ',':
			return &undecodable{line: no, reason: fmt.Sprintf("want ',' or ']' after it, got %q", mark)}
		}
	}
}

// object takes one event, or says what the contract has against it.
func (d *decoder) object(value []byte) error {
	if value[0] != '{' {
		return errNoObject // without a parse: a body full of short lines stays cheap
	}
	if !d.roomForLine(min(len(value), maxEvent)) {
		return d.failed
	}
	lines, event, err := d.scribe.append(d.lines, value, d.now)
	if err != nil {
		return err
	}
	d.lines = lines
	d.given = append(d.given, event.GivenID)
	d.duplicates += event.Duplicates
	if d.accepted == 0 {
		d.service, d.eventID = strings.Clone(event.Partition.Service), strings.Clone(event.EventID)
	}
	d.accepted++
	return nil
}

var errNoObject = &lake.FieldError{Reason: "the event must be one JSON object"}

func (d *decoder) refuse(no int, value []byte, err error) {
	if err == d.failed {
		return // not the line's fault
	}
	if d.rejected++; d.rejected == 1 {
		d.first = err
	}
	e := lineErrorOf(no, err)
	d.keep(&e, value)
	if len(d.listed) < maxListed {
		e.sample = cut(string(value[:min(len(value), sampleLen+1)]), sampleLen)
		d.listed = append(d.listed, e)
	}
}

// valueEnd is where the JSON value at the start of b ends; 0 when there is none, -1 when it is cut off. It counts brackets and steps over
// strings; whether the value is valid is the parser's question. It needs no stack, however deep the value.
func valueEnd(b []byte) int {
	if len(b) == 0 {
		return -1
	}
	switch b[0] {
	case '{', '[':
	case '"':
		return stringEnd(b)
	default:
		return scalarEnd(b)
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := stringEnd(b[i:])
			if n < 0 {
				return -1
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// stringEnd is the length of the string that starts at b[0], quotes included; -1 when it is cut off.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// scalarEnd is the length of the number or word at the start of b.
func scalarEnd(b []byte) int {
	if i := bytes.IndexAny(b, " \t\r\n,:[]{}\""); i >= 0 {
		return i
	}
	return len(b)
}

func trimBOM(body []byte) []byte { return bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")) }

// isObject tells a line that was meant as an event. A number alone is not: there is one in any garbage that is long enough.
func isObject(line []byte) bool { return line[0] == '{' && isJSON(line) }

// isJSON tells a value that is JSON, whatever the contract says about it. encoding/json gives up beyond 10,000 levels: so much nesting is
// the contract's to refuse.
func isJSON(value []byte) bool { return json.Valid(value) || deeperThan(value, 10_000) }

func deeperThan(value []byte, limit int) bool {
	depth := 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '"':
			n := stringEnd(value[i:])
			if n < 0 {
				return false
			}
			i += n - 1
		case '{', '[':
			if depth++; depth > limit {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}
