package format

import (
	"bytes"
	"time"

	"github.com/signallake/signallake/lake"
)

// Latency reads a duration as people and programs write it (250ms, 1.2 s, 1m3.2s) in milliseconds. A bare number is milliseconds already. ok
// is false for anything else, and for a negative one.
func Latency(text string) (ms float64, ok bool) {
	return readLatency(bytes.TrimSpace([]byte(text)), unitMilli)
}

// Instant reads a time as logs write it: ISO 8601 and RFC 3339 with 'T' or a space and any or no zone, an epoch in s, ms, µs or ns by its
// magnitude, 21/Nov/2026:06:33:10 +0000, what net/http, date(1) and syslogs with a year write, and a date alone. Without a zone it is UTC.
func Instant(text string) (t lake.Micros, ok bool) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return lake.MicrosOf(day), true
	}
	var r instantReader
	return r.read([]byte(text), false, unitOpen)
}

// Object is a line as one JSON object of the keys and values that stand in it, before any of them is taken for a field: what rules of the
// user's can be applied to. A Parser for Detection.Objects makes of it the event that Parse makes of the line. The error is a
// *lake.FieldError.
func (p *Parser) Object(line []byte) ([]byte, error) {
	p.raw = true
	defer func() { p.raw = false }()
	var e lake.Event
	if err := p.draft(line, &e); err != nil {
		return nil, err
	}
	if e.Attributes == "" {
		return []byte("{}"), nil
	}
	return []byte(e.Attributes), nil
}

// Objects describes what Parser.Object makes of the detected lines.
func (d Detection) Objects() Detection {
	d.Kind, d.wrapper = JSON, bare
	return d
}

// keep notes a value that would be taken for a field under a name that leads to the same field again.
func (p *Parser) keep(f field, key []byte, v value) {
	if builtin[string(fold(nil, key))].field != f {
		key = []byte(contractKeys[f])
	}
	p.fields[f].set = true
	p.attribute(key, v)
}

// keepMembers notes the members of an object as they stand.
func (p *Parser) keepMembers(members []lake.JSONMember) {
	for _, m := range members {
		if f := p.keys.find(m.Key).field; f != noField {
			p.fields[f].set = true
		}
		p.attrs = append(append(append(p.attrs, '"'), m.Key...), '"', ':')
		p.attrs = append(append(p.attrs, m.Value...), ',')
	}
}
