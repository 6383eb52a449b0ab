// Package format turns the lines of foreign logs into events of the lake: it finds what format lines have, says so in words that can be
// corrected, and parses each line. It knows JSON lines, the access logs of nginx and Apache, and logfmt, each of them also wrapped by a
// container runtime.
//
// Reading only brings values into the contract's types; lake.Contract.Adopt has the last word, with the rules of POST /ingest. What no field
// takes goes to the event's attributes; a value that a field cannot take refuses the line with the field and the value. Nothing is dropped
// silently.
package format

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/signallake/signallake/lake"
)

// Kind is a log format.
type Kind string

// The formats. Plain is text of any form: it becomes events only with a time in front of each line, a container runtime's or its own.
const (
	JSON   Kind = "json"   // one JSON object a line
	Access Kind = "access" // nginx and Apache, common and combined, also with more behind it
	Logfmt Kind = "logfmt" // key=value key="a value"
	Plain  Kind = "plain"
)

// ErrEmpty says that a sample has no line to find a format in.
var ErrEmpty = errors.New("find the format: there is no line yet")

// Config says what the user knows about the lines. The zero value finds everything by itself.
type Config struct {
	Kind     Kind              // "": find it
	Service  string            // of lines that name none; "": such lines are refused
	Map      map[string]string // sender's key -> the contract's key, see CheckMap; wins over the built-in names
	Contract lake.Contract
	Location *time.Location // of timestamps without a zone; nil: UTC
}

// Parser turns lines of one format into events. It is for one goroutine.
type Parser struct {
	contract lake.Contract
	service  string // of lines that name none
	kind     Kind
	wrapper  wrapper
	ours     bool // canonical lines of a lake: nothing in them is foreign
	raw      bool // no field is filled: every value stays under its key, see Object
	keys     keyBook
	instants instantReader
	survey   *survey // what Detect learns; nil while lines are imported

	members  []lake.JSONMember // of the objects that are being read, outermost first
	path     []byte            // of the nested key that is being read
	scratch  []byte            // texts of the line that had to be decoded
	attrs    []byte            // the attributes so far: '{', then `"key":value,` each
	attrKeys []span            // the keys in attrs
	rough    bool              // attrs holds JSON that is not in the lake's form yet, or a key twice
	compact  []byte            // attrs in the lake's form
	fields   [fieldCount]candidate
	losers   []candidate // found a better one for their field: attributes
	meta     meta        // what the wrapper said
	shape    shape       // of an access line
	twice    int         // values that another one of the same key replaced
}

// NewParser makes the parser of the format that Detect found with the same configuration.
func NewParser(cfg Config, d Detection) (*Parser, error) {
	if err := CheckMap(cfg.Map); err != nil {
		return nil, err
	}
	p := &Parser{contract: cfg.Contract, kind: d.Kind, wrapper: d.wrapper, instants: instantReader{location: cfg.Location}}
	p.ours = d.writer.title == ownTitle && d.wrapper == bare && len(cfg.Map) == 0
	p.keys = newKeyBook(cfg.Map, d.Kind, d.writer)
	if cfg.Service != "" {
		if p.service = ServiceName(cfg.Service); p.service == "" {
			return nil, fmt.Errorf("service %q: no letter or digit to make a service name of", cfg.Service)
		}
	}
	return p, nil
}

// Parse turns one line, with or without its line end, into e, whose strings do not alias the line. duplicates counts values that lost to
// another one of the same key. The error is a *lake.FieldError that names the field and the value; e is then of no use.
func (p *Parser) Parse(line []byte, now lake.Micros, e *lake.Event) (duplicates int, err error) {
	if p.ours && bytes.HasPrefix(line, []byte(`{"event_id":"`)) {
		return p.contract.Parse(line, now, e)
	}
	if err := p.draft(line, e); err != nil {
		return p.twice, err
	}
	if err := p.contract.Adopt(e, now); err != nil {
		return p.twice, p.explain(err)
	}
	return p.twice, nil
}

// explain adds the sender's name of a field to the contract's refusal.
func (p *Parser) explain(err error) error {
	var refused *lake.FieldError
	if !errors.As(err, &refused) {
		return err
	}
	for f, key := range contractKeys {
		c := &p.fields[f]
		switch {
		case key != refused.Field || !c.set:
		case field(f) == fieldTimestamp:
			return refuse(field(f), refused.Reason, c)
		case string(c.key) != key:
			return &lake.FieldError{Field: key, Reason: refused.Reason + " in " + shown(c.key)}
		}
	}
	return err
}

// maxLineBytes is what the contract allows an event.
const maxLineBytes = 1 << 20

// draft turns a line into an event that the contract has not seen yet. Its strings alias the line and the parser.
func (p *Parser) draft(line []byte, e *lake.Event) error {
	p.reset()
	if len(line) > maxLineBytes {
		return &lake.FieldError{Reason: fmt.Sprintf("the line is %d bytes long, the limit is %d", len(line), maxLineBytes)}
	}
	line = bytes.TrimRight(bytes.TrimPrefix(line, []byte("\ufeff")), "\r\n")
	inner, wrapped := line, false
	if p.wrapper != bare && len(line) > 0 {
		if inner, wrapped = p.unwrap(line); !wrapped {
			return &lake.FieldError{Reason: "the line lacks what the others begin with: " + p.wrapper.title() + ", got " + shown(line)}
		}
	}
	if len(bytes.TrimSpace(inner)) == 0 {
		return &lake.FieldError{Reason: "the line is empty"}
	}
	err := p.read(inner)
	if err != nil && p.meta.time != nil { // a banner or a stack trace between the lines of a container: the runtime has told when
		p.forget()
		p.plain(inner)
		err = nil
	}
	if err != nil {
		return err
	}
	if wrapped {
		p.takeMeta()
	}
	return p.finish(e)
}

// read takes the fields and attributes of a line out of its wrapper.
func (p *Parser) read(line []byte) error {
	switch p.kind {
	case Access:
		return p.access(line)
	case Logfmt:
		return p.logfmt(line)
	case Plain:
		p.plain(line)
		return nil
	}
	return p.json(line)
}

// plain takes a line of any text as a message, with the level that it names near its start.
func (p *Parser) plain(line []byte) {
	p.take(keyInfo{rule: rule{field: fieldMessage}}, keyMessage, value{kind: text, body: line})
	const near = 6 // words: thread and class mostly stand before the level
	rest := line
	for range near {
		var w []byte
		w, rest = word(rest)
		if w = plainLevel(w); w != nil {
			p.take(keyInfo{rule: rule{field: fieldLevel}}, keyLevel, value{kind: text, body: w})
			return
		}
	}
}

// plainLevel is the level that a word of a text names: in capitals, alone or behind a channel (app.ERROR:), or in brackets as nginx has it
// ([error]). nil: none; "error" in the middle of a sentence is a word like others.
func plainLevel(w []byte) []byte {
	if n := len(w); n > 2 && w[0] == '[' && w[n-1] == ']' && bracketLevels[string(w[1:n-1])] {
		return w[1 : n-1]
	}
	w = bytes.Trim(w, "[]():|,-")
	w = w[bytes.LastIndexByte(w, '.')+1:]
	switch string(w) {
	case "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "FATAL", "CRITICAL", "SEVERE", "ALERT", "EMERGENCY":
		return w
	}
	return nil
}

// bracketLevels are the levels of nginx's and Apache's error logs.
var bracketLevels = map[string]bool{"debug": true, "info": true, "notice": true, "warn": true, "error": true, "crit": true, "alert": true, "emerg": true}

var (
	keyMessage = []byte("message")
	keyLevel   = []byte("level")
)

// reset forgets the line before.
func (p *Parser) reset() {
	p.meta = meta{}
	p.scratch = p.scratch[:0]
	p.forget()
}

// forget forgets what was taken from the line, but not what its wrapper said.
func (p *Parser) forget() {
	p.members, p.path, p.attrs, p.losers, p.twice = p.members[:0], p.path[:0], p.attrs[:0], p.losers[:0], 0
	p.attrs, p.attrKeys, p.rough, p.shape = append(p.attrs, '{'), p.attrKeys[:0], false, 0
	for f := range p.fields {
		p.fields[f].set = false
	}
}

// shown is a piece of input as an error shows it.
func shown(s []byte) string {
	const most = 40 // enough to find it again
	return lake.SafeText(string(s[:min(len(s), 4*most)]), most)
}
