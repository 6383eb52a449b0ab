package format

import (
	"bytes"
	"unsafe"

	"github.com/signallake/signallake/lake"
)

// stringOf is b as a string that must not outlive b's contents.
func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// fits says whether a value suits a field that its name only suggests.
func (p *Parser) fits(f field, v value) bool {
	body := v.body
	switch f {
	case fieldEventID:
		return v.kind == text && len(body) <= 64 && !v.escaped
	case fieldTimestamp:
		_, ok := p.instants.read(p.text(v), v.kind == number, unitOpen)
		return ok
	case fieldStatus:
		if v.kind == text && len(body) > 0 && body[0]|0x20 >= 'a' { // "ok", "active"
			return false
		}
		return len(body) == 3 && '1' <= body[0] && body[0] <= '5' && allDigits(body)
	case fieldTraceID, fieldSpanID:
		return len(body) <= 128 && bytes.IndexByte(body, ' ') < 0 && !v.escaped
	}
	return v.kind == text
}

func allDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) > 0
}

// isDash says whether a text is what access logs and shippers write for nothing.
func isDash(s []byte) bool { return len(s) == 1 && s[0] == '-' }

// timestamp appends the instant.
func (p *Parser) timestamp(c *candidate) (problem string) {
	s := p.text(c.value)
	if isDash(s) {
		return ""
	}
	t, ok := p.instants.read(s, c.kind == number, c.unit)
	if !ok {
		return "is no date and time that is known here"
	}
	p.out = append(lake.AppendInstant(append(p.out, '"'), t), '"')
	return ""
}

// serviceName appends the name as the contract allows it, and keeps another spelling of it under the sender's key.
func (p *Parser) serviceName(c *candidate) (problem string) {
	s := p.text(c.value)
	if isDash(s) {
		return ""
	}
	if lake.ValidServiceName(stringOf(s)) {
		p.out = append(append(append(p.out, '"'), s...), '"')
		return ""
	}
	name := ServiceName(string(s))
	if name == "" {
		return "has no letter or digit to make a service name of"
	}
	p.out = append(append(append(p.out, '"'), name...), '"')
	p.attribute(c.key, c.value)
	return ""
}

// ServiceName is the service name that the contract allows for a text: in lower case, other characters as '-', without dots and dashes at
// its ends, cut to 64 bytes. "" when no letter or digit of ASCII is in it.
func ServiceName(s string) string {
	const most = 64
	name := make([]byte, 0, min(len(s), most))
	for _, r := range s {
		switch {
		case 'A' <= r && r <= 'Z':
			r |= 0x20
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
		case r == '.', r == '_':
		default:
			r = '-'
		}
		if len(name) == 0 && (r == '.' || r == '_' || r == '-') {
			continue
		}
		if len(name) == most {
			break
		}
		name = append(name, byte(r))
	}
	return string(bytes.TrimRight(name, "-._"))
}

// maxEndpointBytes is the contract's limit.
const maxEndpointBytes = 2048

// endpoint appends the path; its query, and what else of a URL is no path, becomes attributes. A path stays encoded as it was sent.
func (p *Parser) endpoint(c *candidate) {
	if c.kind == number {
		p.out = p.appendText(p.out, c.value)
		return
	}
	s := p.text(c.value)
	if isDash(s) {
		return
	}
	path, query, absolute := splitTarget(s)
	if absolute || len(path) > maxEndpointBytes {
		p.attribute(c.key, c.value)
	} else if len(query) > 0 {
		p.query(c, query)
	}
	if len(path) > maxEndpointBytes {
		path = bytes.ToValidUTF8(path[:maxEndpointBytes], nil)
	}
	if len(path) > 0 {
		p.out = lake.AppendQuoted(p.out, stringOf(path))
	}
}

// queryKey is the attribute that holds what stands behind a path's question mark.
var queryKey = []byte("query")

// query keeps a query under that name, or the whole target under its own one when the line has another query.
func (p *Parser) query(c *candidate, query []byte) {
	if bytes.Contains(p.attrs, []byte(`"query":`)) {
		p.attribute(c.key, c.value)
		return
	}
	p.attribute(queryKey, value{kind: text, body: query})
}

// splitTarget cuts the target of a request (RFC 9112, 3.2) into path and query. absolute: it is a whole URL.
func splitTarget(s []byte) (path, query []byte, absolute bool) {
	path = s
	if i := bytes.Index(s, []byte("://")); i > 0 && isScheme(s[:i]) {
		absolute = true
		path = s[i+3:]
		if j := bytes.IndexAny(path, "/?#"); j >= 0 {
			path = path[j:]
		} else {
			path = nil
		}
	}
	if i := bytes.IndexByte(path, '#'); i >= 0 && absolute {
		path = path[:i]
	}
	path, query, _ = bytes.Cut(path, []byte("?"))
	if absolute && len(path) == 0 {
		path = []byte("/")
	}
	return path, query, absolute
}

func isScheme(s []byte) bool {
	for _, c := range s {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '+' && c != '.' && c != '-' {
			return false
		}
	}
	return len(s) <= 16
}

// status appends the status; logs also write it in quotes.
func (p *Parser) status(c *candidate) (problem string) {
	s := p.text(c.value)
	if isDash(s) {
		return ""
	}
	if c.kind == number {
		p.out = append(p.out, s...)
		return ""
	}
	digits := bytes.TrimLeft(s, "0")
	if !allDigits(s) || len(digits) != 3 && len(digits) != 0 {
		return "must be 100 to 599, or 0 for what is no HTTP exchange"
	}
	if len(digits) == 0 {
		digits = s[:1]
	}
	p.out = append(p.out, digits...)
	return ""
}

// latency appends the milliseconds.
func (p *Parser) latency(c *candidate) (problem string) {
	s := p.text(c.value)
	if isDash(s) {
		return ""
	}
	out, ok := appendLatency(p.out, s, c.unit)
	if !ok {
		return "must be a number that is not negative, or text with a unit such as 12.5ms"
	}
	p.out = out
	return ""
}

// levelWords are other words for levels, and the numbers of pino and bunyan (10 to 60) and of syslog (RFC 5424, 6.2.1).
var levelWords = map[string]string{
	"warning": "warn", "wrn": "warn", "w": "warn", "err": "error", "e": "error", "information": "info", "informational": "info", "inf": "info", "i": "info",
	"dbg": "debug", "d": "debug", "crit": "critical", "c": "critical", "emergency": "emerg", "f": "fatal", "ftl": "fatal", "t": "trace", "verbose": "trace", "vrb": "trace",
	"10": "trace", "20": "debug", "30": "info", "40": "warn", "50": "error", "60": "fatal",
	"0": "emerg", "1": "alert", "2": "critical", "3": "error", "4": "warn", "5": "notice", "6": "info", "7": "debug",
}

// level appends the level by its usual word; one that has none stays as it is.
func (p *Parser) level(c *candidate) {
	s := p.text(c.value)
	if isDash(s) {
		return
	}
	if len(s) <= len("informational") {
		var lower [16]byte
		n := copy(lower[:], s)
		for i, b := range lower[:n] {
			if 'A' <= b && b <= 'Z' {
				lower[i] = b | 0x20
			}
		}
		if word, known := levelWords[string(lower[:n])]; known {
			p.out = append(append(append(p.out, '"'), word...), '"')
			return
		}
	}
	p.out = p.appendText(p.out, c.value)
}
