package format

import "github.com/signallake/signallake/lake"

// json reads a line of JSON.
func (p *Parser) json(line []byte) error {
	var err error
	if p.members, err = lake.JSONMembers(p.members, line); err != nil {
		return err
	}
	p.rough = true // foreign JSON: with whitespace, and keys may stand twice
	if p.raw {
		p.keepMembers(p.members)
		return nil
	}
	for i := range p.members {
		if m := &p.members[i]; ownAttributes(m) {
			p.splice(m.Value)
		}
	}
	p.walk(0)
	return nil
}

// ownAttributes says whether a member is the contract's object of attributes: its members stand among ours, and before them, so that of one key
// the line's top wins as it does for POST /ingest.
func ownAttributes(m *lake.JSONMember) bool {
	return string(m.Key) == attributeTarget && m.Value[0] == '{'
}

// walk takes the members that start at an index, the innermost object's, under the current path. What no field takes is appended to the
// attributes, each with a comma behind it.
func (p *Parser) walk(from int) {
	to := len(p.members)
	depth := len(p.path)
	for i := from; i < to; i++ {
		m := p.members[i] // a copy: the list moves when it grows
		if depth == 0 && ownAttributes(&m) {
			continue
		}
		key := m.Key
		if m.Escaped {
			start := len(p.scratch)
			p.scratch = lake.AppendUnescaped(p.scratch, key)
			key = p.scratch[start:]
		}
		if depth > 0 {
			p.path = append(append(p.path[:depth], '.'), key...)
			key = p.path
		}
		info := p.keys.find(key)
		v := valueOf(m.Value)
		if info.field != noField && depth > 0 { // the path is needed for longer than it stands
			start := len(p.scratch)
			p.scratch = append(p.scratch, key...)
			key = p.scratch[start:]
		}
		if p.take(info, key, v) {
			continue
		}
		p.attrs = append(append(append(p.attrs, '"'), m.Key...), '"', ':')
		if info.descend && v.kind == tree && v.body[0] == '{' {
			p.nested(len(p.members), key, m)
			continue
		}
		p.attrs = append(append(p.attrs, m.Value...), ',')
	}
	p.path = p.path[:depth]
	p.members = p.members[:to]
}

// nested walks an object that may hold fields and leaves what is no field of it in the attributes, or nothing when nothing is left.
func (p *Parser) nested(from int, path []byte, m lake.JSONMember) {
	var err error
	if p.members, err = lake.JSONMembers(p.members, m.Value); err != nil {
		p.attrs = append(append(p.attrs, m.Value...), ',') // cannot be: it was validated with the line
		return
	}
	start := len(p.attrs) - len(m.Key) - len(`"":`)
	outer := len(p.path)
	p.path = append(p.path[:0], path...)
	p.attrs = append(p.attrs, '{')
	open := len(p.attrs)
	p.walk(from)
	p.path = p.path[:outer]
	switch {
	case len(p.attrs) > open:
		p.attrs[len(p.attrs)-1] = '}'
		p.attrs = append(p.attrs, ',')
	case len(p.members) > from: // its fields were taken
		p.attrs = p.attrs[:start]
	default:
		p.attrs = append(p.attrs, '}', ',')
	}
	p.members = p.members[:from]
}

// splice appends the members of the sender's attributes object. Only a map finds fields there: a canonical line stays what it was.
func (p *Parser) splice(object []byte) {
	start := len(p.members)
	var err error
	if p.members, err = lake.JSONMembers(p.members, object); err != nil {
		return // cannot be: it was validated with the line
	}
	for _, m := range p.members[start:] {
		if len(p.keys.user) > 0 {
			from := len(p.scratch)
			p.scratch = append(append(append(p.scratch, attributeTarget...), '.'), m.Key...)
			if key := p.scratch[from:]; p.take(p.keys.find(key), key, valueOf(m.Value)) {
				continue
			}
		}
		p.attrs = append(append(append(p.attrs, '"'), m.Key...), '"', ':')
		p.attrs = append(append(p.attrs, m.Value...), ',')
	}
	p.members = p.members[:start]
}

// valueOf is a JSON value by its first byte: it has been validated.
func valueOf(raw []byte) value {
	switch raw[0] {
	case '"':
		body := raw[1 : len(raw)-1]
		if len(body) == 0 {
			return value{}
		}
		for _, c := range body {
			if c == '\\' {
				return value{kind: text, body: body, escaped: true}
			}
		}
		return value{kind: text, body: body}
	case '{', '[', 't', 'f':
		return value{kind: tree, body: raw}
	case 'n':
		return value{}
	}
	return value{kind: number, body: raw}
}
