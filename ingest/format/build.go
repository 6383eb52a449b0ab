package format

import (
	"bytes"

	"github.com/signallake/signallake/lake"
)

// valueKind is the type of a value.
type valueKind uint8

const (
	absent valueKind = iota // null, "", and "-" where a log writes that for nothing
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

// candidate is the value that a field will have.
type candidate struct {
	value
	keyInfo
	key []byte // as the sender calls it, with its path
	set bool
}

// take offers a value to the field of its key and says whether it went there; false: it is an attribute, which the caller keeps at its
// place. A value that loses its field to a better name is kept as an attribute too.
func (p *Parser) take(info keyInfo, key []byte, v value) bool {
	if info.field == noField {
		return false
	}
	if v.kind == absent {
		return true
	}
	if v.kind == tree && !info.user || info.guess && !p.fits(info.field, v) {
		return false
	}
	c := &p.fields[info.field]
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
	p.attrs = append(lake.AppendQuoted(p.attrs, stringOf(key)), ':')
	p.attrs = append(appendValue(p.attrs, v), ',')
}

// textAttribute appends an attribute that is absent when it is "" or "-".
func (p *Parser) textAttribute(key string, s []byte) {
	if len(s) == 0 || len(s) == 1 && s[0] == '-' {
		return
	}
	p.attrs = append(append(append(append(p.attrs, '"'), key...), '"'), ':')
	p.attrs = append(lake.AppendQuoted(p.attrs, stringOf(s)), ',')
}

// finish makes the object for the contract of what was taken.
func (p *Parser) finish() ([]byte, error) {
	for i := range p.losers {
		p.attribute(p.losers[i].key, p.losers[i].value)
	}
	p.out = append(p.out[:0], '{')
	for f := fieldEventID; f < fieldCount; f++ {
		c := &p.fields[f]
		if !c.set {
			if f == fieldService && p.service != "" {
				p.out = append(append(p.out, `"service_name":`...), p.service...)
				p.out = append(p.out, ',')
			}
			continue
		}
		if err := p.field(f, c); err != nil {
			return nil, err
		}
	}
	if err := p.missing(); err != nil {
		return nil, err
	}
	if len(p.attrs) > 0 {
		p.out = append(append(p.out, `"attributes":{`...), p.attrs[:len(p.attrs)-1]...)
		p.out = append(p.out, '}', ',')
	}
	p.out[len(p.out)-1] = '}' // a timestamp stands before it at the least
	if p.survey != nil {
		p.survey.learn(p)
	}
	return p.out, nil
}

// missing refuses a line without what every event has, with the way out.
func (p *Parser) missing() error {
	if !p.fields[fieldTimestamp].set {
		return &lake.FieldError{Field: "timestamp", Reason: "is missing: when the lines have a time under another name, import with --map NAME=timestamp"}
	}
	if !p.fields[fieldService].set && p.service == "" {
		return &lake.FieldError{Field: "service_name", Reason: "is missing: name the lines' service with --service, or its key with --map NAME=service_name"}
	}
	return nil
}

// field appends one field to the object, in the form that the contract takes.
func (p *Parser) field(f field, c *candidate) error {
	if c.kind == tree {
		return refuse(f, "must be a single value", c)
	}
	start := len(p.out)
	p.out = append(append(append(p.out, '"'), contractKeys[f]...), '"', ':')
	var problem string
	switch f {
	case fieldTimestamp:
		problem = p.timestamp(c)
	case fieldService:
		problem = p.serviceName(c)
	case fieldEndpoint:
		p.endpoint(c)
	case fieldStatus:
		problem = p.status(c)
	case fieldLatency:
		problem = p.latency(c)
	case fieldLevel:
		p.level(c)
	default:
		p.out = p.appendText(p.out, c.value)
	}
	if problem != "" {
		return refuse(f, problem, c)
	}
	if p.out[len(p.out)-1] == ':' {
		p.out, c.set = p.out[:start], false // absent after all
		return nil
	}
	p.out = append(p.out, ',')
	return nil
}

// appendText appends a value as a JSON string: logs write numbers where we keep text.
func (p *Parser) appendText(dst []byte, v value) []byte {
	if v.kind == number {
		return append(append(append(dst, '"'), v.body...), '"')
	}
	return appendValue(dst, v)
}

// refuse is the error of a value that its field cannot take.
func refuse(f field, problem string, c *candidate) error {
	reason := problem + ", got " + shown(appendValue(nil, c.value))
	if string(c.key) != contractKeys[f] {
		reason += " in " + shown(c.key)
	}
	return &lake.FieldError{Field: contractKeys[f], Reason: reason}
}
