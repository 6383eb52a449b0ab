package format

import (
	"bytes"
	"unsafe"

	"github.com/signallake/signallake/lake"
)

// valueKind is the type of a value.
type valueKind uint8

const (
	absent valueKind = iota // null and ""
	text
	number // body is a valid JSON number
	tree   // body is the JSON of an object, an array or a truth value
)

// value is what stands under a key. Its body lives as long as the line and the parser's scratch.
type value struct {
	kind    valueKind
	escaped bool   // body is that of a JSON string with escapes in it; without it a text's body is the text
	body    []byte // without quotes
}

// text is the text of a value, decoded when need be.
func (p *Parser) text(v value) []byte {
	if !v.escaped {
		return v.body
	}
	start := len(p.scratch)
	p.scratch = lake.AppendUnescaped(p.scratch, v.body)
	return p.scratch[start:]
}

// appendValue appends v as JSON.
func appendValue(dst []byte, v value) []byte {
	switch {
	case v.kind == absent:
		return append(dst, "null"...)
	case v.kind != text:
		return append(dst, v.body...)
	case v.escaped:
		return append(append(append(dst, '"'), v.body...), '"')
	}
	return lake.AppendQuoted(dst, stringOf(v.body))
}

// stringOf is b as a string that must not outlive b's contents.
func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// candidate is the value that a field will have.
type candidate struct {
	value
	keyInfo
	key []byte // as the sender calls it, with its path
	set bool
}

// take offers a value to the field of its key and says whether it went there; false: it is an attribute, which the caller keeps at its
// place. A value that loses its field to a better name is kept as an attribute too; "-" is how logs write nothing.
func (p *Parser) take(info keyInfo, key []byte, v value) bool {
	if info.field == noField {
		return false
	}
	if p.raw {
		p.keep(info.field, key, v)
		return true
	}
	c := &p.fields[info.field]
	if v.kind == absent || v.kind == text && isDash(v.body) && info.field != fieldMessage {
		if c.set && bytes.Equal(c.key, key) { // the last one counts
			c.set = false
			p.twice++
		}
		return true
	}
	if v.kind == tree && !info.user || info.guess && !p.fits(info.field, v) {
		return false
	}
	if c.set {
		switch {
		case c.user && !info.user, c.user == info.user && c.rank < info.rank:
			return false
		case bytes.Equal(c.key, key):
			p.twice++
		default:
			p.losers = append(p.losers, *c)
		}
	}
	*c = candidate{value: v, keyInfo: info, key: key, set: true}
	return true
}

// attribute appends an attribute at the top.
func (p *Parser) attribute(key []byte, v value) {
	start := len(p.attrs)
	p.attrs = append(lake.AppendQuoted(p.attrs, stringOf(key)), ':')
	p.noteAttribute(start)
	p.attrs = append(appendValue(p.attrs, v), ',')
}

// maxAttributeKeys is how many attributes are compared one by one; it also keeps hostile lines from making that quadratic.
const maxAttributeKeys = 24

// noteAttribute remembers the key that was just appended. As long as every key is new and every value is ours, the attributes are in the lake's form as they
// stand.
func (p *Parser) noteAttribute(start int) {
	if p.rough {
		return
	}
	key := p.attrs[start:]
	for _, other := range p.attrKeys {
		if bytes.Equal(p.attrs[other.start:other.end], key) {
			p.rough = true
			return
		}
	}
	if len(p.attrKeys) == maxAttributeKeys {
		p.rough = true
		return
	}
	p.attrKeys = append(p.attrKeys, span{start, len(p.attrs)})
}

// span is a piece of a buffer.
type span struct{ start, end int }

// finish makes the event of what was taken; its strings alias the line and the parser's buffers.
func (p *Parser) finish(e *lake.Event) error {
	*e = lake.Event{ServiceName: p.service}
	if p.raw {
		return p.finishAttributes(e)
	}
	for i := range p.losers {
		p.attribute(p.losers[i].key, p.losers[i].value)
	}
	for f := fieldEventID; f < fieldCount; f++ {
		c := &p.fields[f]
		if !c.set {
			continue
		}
		if c.kind == tree {
			return refuse(f, "must be a single value", c)
		}
		if problem := p.fill(e, f, c); problem != "" {
			return refuse(f, problem, c)
		}
	}
	if !p.fields[fieldTimestamp].set {
		return &lake.FieldError{Field: "timestamp", Reason: "is missing: when the lines have a time under another name, import with --map NAME=timestamp"}
	}
	if e.ServiceName == "" {
		return &lake.FieldError{Field: "service_name", Reason: "is missing: name the lines' service with --service, or its key with --map NAME=service_name"}
	}
	if err := p.finishAttributes(e); err != nil {
		return err
	}
	if p.survey != nil {
		p.survey.learn(p)
	}
	return nil
}

// finishAttributes gives the event its attributes. What comes from foreign JSON, and duplicate keys, take the way through the lake's walk.
func (p *Parser) finishAttributes(e *lake.Event) error {
	if len(p.attrs) == len("{") {
		return nil
	}
	p.attrs[len(p.attrs)-1] = '}' // for the last comma
	if !p.rough {
		e.Attributes = stringOf(p.attrs)
		return nil
	}
	var dropped int
	var err error
	p.compact, dropped, err = lake.CompactObject(p.compact[:0], p.attrs)
	if err != nil {
		return err
	}
	p.twice += dropped
	e.Attributes = stringOf(p.compact)
	return nil
}

// refuse is the error of a value that its field cannot take.
func refuse(f field, problem string, c *candidate) error {
	reason := problem + ", got " + shown(appendValue(nil, c.value))
	if string(c.key) != contractKeys[f] {
		reason += " in " + shown(c.key)
	}
	return &lake.FieldError{Field: contractKeys[f], Reason: reason}
}
