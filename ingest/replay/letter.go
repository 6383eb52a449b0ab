package replay

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/signallake/signallake/ingest/format"
	"github.com/signallake/signallake/lake"
)

// piece is one event of a letter. Most letters are one; a body that was refused as a whole may hold many.
type piece struct {
	text []byte // as it stands in the letter
	line []byte // canonical, with its newline; nil: it is refused
	err  error  // why
}

// mapper makes events of letters.
type mapper struct {
	rules    *rules
	contract lake.Contract
	guard    *lake.PartitionGuard // nil: every partition is welcome
	now      lake.Micros
	keys     map[string]bool // that the letters have, maxKeys of them
	event    lake.Event
}

// maxKeys bounds what is remembered of letters that make up keys.
const maxKeys = 1000

// read takes a letter apart into its events. An error is of the letter as a whole.
func (m *mapper) read(d *lake.DeadLetter) ([]piece, error) {
	if d.Cut {
		return nil, &lake.FieldError{Reason: fmt.Sprintf("only its first %d bytes were kept, so it cannot be replayed: send it again from where it came", len(d.Text))}
	}
	if imported(d) {
		p := m.piece(d, 0, d.Text, m.foreign)
		return []piece{p}, nil
	}
	values, err := values(d.Text)
	if err != nil {
		return nil, err
	}
	pieces := make([]piece, len(values))
	for i, value := range values {
		pieces[i] = m.piece(d, i, value, m.own)
	}
	return pieces, nil
}

// imported: the letter was a line of a file or a pipe, in whatever format, and not JSON that the API was sent.
func imported(d *lake.DeadLetter) bool { return strings.HasPrefix(d.Source, "import ") }

// piece makes one event with parse.
func (m *mapper) piece(d *lake.DeadLetter, nth int, text []byte, parse func([]byte) error) piece {
	p := piece{text: text}
	if p.err = parse(text); p.err != nil {
		return p
	}
	e := &m.event
	if m.guard != nil {
		if p.err = m.guard.Admit(lake.PartitionOf(e)); p.err != nil {
			return p
		}
	}
	if !e.GivenID {
		e.EventID = eventID(d, nth)
	}
	p.line = e.AppendLine(nil)
	return p
}

// own reads what the API was sent.
func (m *mapper) own(text []byte) error {
	object, err := m.mapped(text)
	if err == nil {
		_, err = m.contract.Parse(object, m.now, &m.event)
	}
	return err
}

// foreign reads a line of a log. Rules see its keys as they stand in the line; what is taken for a field is decided behind them, as an import does.
func (m *mapper) foreign(line []byte) error {
	config := format.Config{Contract: m.contract}
	found, err := format.Detect(line, config)
	if found.Kind == "" {
		return &lake.FieldError{Reason: "its format is not known, so rules find no keys in it: " + firstWords(err)}
	}
	parser, err := format.NewParser(config, found)
	if err != nil {
		return err
	}
	if !m.rules.none() {
		object, err := parser.Object(line)
		if err != nil {
			return err
		}
		if line, err = m.mapped(object); err != nil {
			return err
		}
		if parser, err = format.NewParser(config, found.Objects()); err != nil {
			return err
		}
	}
	_, err = parser.Parse(line, m.now, &m.event)
	var refused *lake.FieldError
	if errors.As(err, &refused) && strings.HasPrefix(refused.Reason, "is missing") {
		return &lake.FieldError{Field: refused.Field, Reason: "is missing: rename the key that holds it, or give it as a default"}
	}
	return err
}

// firstWords are an error's words without what only an import can do about it.
func firstWords(err error) string {
	text, _, _ := strings.Cut(fmt.Sprint(err), ";")
	return text
}

// mapped is an object's text behind the rules.
func (m *mapper) mapped(text []byte) ([]byte, error) {
	o, err := parseObject(text)
	if err != nil {
		return nil, err
	}
	for i := range o {
		if len(m.keys) < maxKeys {
			m.keys[o[i].key] = true
		}
	}
	if m.rules.none() {
		return text, nil
	}
	if o, err = m.rules.apply(o); err != nil {
		return nil, err
	}
	return o.append(nil), nil
}

// unused tells of rules that met no letter.
func (m *mapper) unused() []string { return m.rules.unused(slices.Sorted(maps.Keys(m.keys))) }

// values are the events of what the API was sent: an object, an array, objects behind each other, or lines. Of lines some may be broken. Neighbours
// that are no objects are one value: no rule makes an event of them, so a body of nothing but commas is not many letters.
func values(body []byte) ([][]byte, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if len(body) > 0 && body[0] == '[' {
		var list []json.RawMessage
		if err := json.Unmarshal(body, &list); err != nil {
			return nil, broken(err)
		}
		var out valueList
		for _, value := range list {
			out.add(value)
		}
		return out.done(nil)
	}
	out, err := stream(body)
	if err != nil {
		out = valueList{}
		for line := range bytes.Lines(body) {
			out.addLine(bytes.TrimSpace(line))
		}
	}
	return out.done(err)
}

// stream takes the values that stand behind each other.
func stream(text []byte) (out valueList, err error) {
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		var value json.RawMessage
		switch err := decoder.Decode(&value); {
		case err == io.EOF:
			return out, nil
		case err != nil:
			return out, err
		}
		out.add(value)
	}
}

// valueList gathers the values of a body.
type valueList struct {
	values [][]byte
	other  bool // the last one is no object, and a copy that may grow
	some   bool // one of them is
}

// addLine adds what stands on one line: an object, several, or anything else, which is then one value.
func (l *valueList) addLine(line []byte) {
	if len(line) > 0 && line[0] == '{' && !json.Valid(line) {
		if several, err := stream(line); err == nil {
			for _, value := range several.values {
				l.add(value)
			}
			return
		}
	}
	l.add(line)
}

func (l *valueList) add(value []byte) {
	other := len(value) == 0 || value[0] != '{' || !json.Valid(value)
	l.some = l.some || !other
	switch n := len(l.values); {
	case len(value) == 0:
		return
	case other && l.other:
		l.values[n-1] = append(append(l.values[n-1], '\n'), value...)
	case other:
		l.values = append(l.values, bytes.Clone(value))
	default:
		l.values = append(l.values, value)
	}
	l.other = other
}

// maxParts is what a letter is split into at most. A letter has room for fewer events than that: it takes 40 bytes to keep the contract.
const maxParts = 1500

// done answers the values; err is why they were not all JSON.
func (l *valueList) done(err error) ([][]byte, error) {
	switch {
	case len(l.values) == 0:
		return nil, &lake.FieldError{Reason: "it holds no event"}
	case err != nil && !l.some:
		return nil, broken(err)
	case len(l.values) > maxParts:
		return nil, &lake.FieldError{Reason: fmt.Sprintf("it holds %d values, more than %d cannot be events: export it, mend the text, and post that", len(l.values), maxParts)}
	}
	return l.values, nil
}

func broken(err error) error {
	return &lake.FieldError{Reason: fmt.Sprintf("it is no valid JSON, which rules cannot mend (%v): export it, mend the text, and post that", err)}
}

// eventID is the id of an event whose sender gave it none: always the same for the same letter, so that the lake sees a second try for what it
// is. A line of an import is known by its place, as an import that was interrupted may have kept it twice.
func eventID(d *lake.DeadLetter, nth int) string {
	name := fmt.Sprintf("letter %d at %d, event %d", d.ID, d.At, nth)
	if imported(d) && d.Origin != "" && d.Line > 0 {
		name = fmt.Sprintf("line %d of %s", d.Line, d.Origin)
	}
	sum := sha256.Sum256([]byte("signallake replay: " + name))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // a UUID of one's own making: RFC 9562, 5.8
	x := hex.EncodeToString(sum[:16])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

const partOf = "letter "

// parts are the events of a letter as letters of their own.
func parts(d *lake.DeadLetter, pieces []piece) []lake.DeadLetter {
	out := make([]lake.DeadLetter, len(pieces))
	for i, p := range pieces {
		out[i] = lake.DeadLetter{At: d.At, Source: d.Source, Origin: partOf + strconv.FormatInt(d.ID, 10), Line: int64(i + 1), Field: d.Field, Reason: d.Reason, Text: p.text}
		if p.err != nil {
			out[i].Field, out[i].Reason = why(p.err)
		}
	}
	return out
}

// parentOf is the letter that a letter is a part of; 0: of none.
func parentOf(d *lake.DeadLetter) int64 {
	digits, ok := strings.CutPrefix(d.Origin, partOf)
	if !ok {
		return 0
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// why is a refusal's field and reason.
func why(err error) (field, reason string) {
	if refused := (*lake.FieldError)(nil); errors.As(err, &refused) {
		return refused.Field, refused.Reason
	}
	return "", err.Error()
}
