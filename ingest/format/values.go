package format

import (
	"bytes"
	"unicode/utf8"

	"github.com/signallake/signallake/lake"
)

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
		status, ok := readStatus(body) // and not "ok", "active", 17
		return ok && status != 0
	case fieldLevel:
		return len(body) == 1 && '0' <= body[0] && body[0] <= '7'
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

// textField is the string of a field that the lake keeps as text and that needs no reading.
func textField(e *lake.Event, f field) *string {
	switch f {
	case fieldEventID:
		return &e.EventID
	case fieldMethod:
		return &e.Method
	case fieldRegion:
		return &e.Region
	case fieldHost:
		return &e.Host
	case fieldMessage:
		return &e.Message
	case fieldRequestID:
		return &e.RequestID
	case fieldTraceID:
		return &e.TraceID
	}
	return &e.SpanID
}

// fill reads a value into its field; problem says why it does not fit.
func (p *Parser) fill(e *lake.Event, f field, c *candidate) (problem string) {
	s := p.text(c.value)
	ok := true
	switch f {
	case fieldTimestamp:
		if e.Timestamp, ok = p.instants.read(s, c.kind == number, c.unit); !ok {
			return "is no time in a known form"
		}
	case fieldService:
		if e.ServiceName, ok = p.serviceName(c, s); !ok {
			return "has no letter or digit to make a service name of"
		}
	case fieldEndpoint:
		e.Endpoint = stringOf(p.endpoint(c, s))
	case fieldStatus:
		if e.StatusCode, ok = readStatus(s); !ok {
			return "must be 100 to 599, or 0 for what is no HTTP exchange"
		}
	case fieldLatency:
		if e.LatencyMS, e.HasLatency = readLatency(s, c.unit); !e.HasLatency {
			return "must be a number that is not negative, or text with a unit such as 12.5ms"
		}
	case fieldLevel:
		e.Level = levelWord(s)
	default:
		*textField(e, f) = stringOf(s) // logs write numbers where we keep text
	}
	return ""
}

// serviceName is the name as the contract allows it; another spelling of it is kept under the sender's key.
func (p *Parser) serviceName(c *candidate, s []byte) (name string, ok bool) {
	if name = stringOf(s); lake.ValidServiceName(name) {
		return name, true
	}
	if name = ServiceName(name); name == "" {
		return "", false
	}
	p.attribute(c.key, c.value)
	return name, true
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

// endpoint is the path of a request's target; its query, and what else of a URL is no path, becomes attributes. A path stays encoded as it was
// sent.
func (p *Parser) endpoint(c *candidate, s []byte) []byte {
	path, query, absolute := splitTarget(s)
	hasQuery := bytes.Contains(p.attrs, []byte(`"query":`))
	switch {
	case absolute || len(path) > maxEndpointBytes || hasQuery && len(query) > 0:
		p.attribute(c.key, c.value)
	case len(query) > 0:
		p.attribute(keyQuery, value{kind: text, body: query})
	}
	if len(path) > maxEndpointBytes {
		path = bytes.TrimRightFunc(path[:maxEndpointBytes], func(r rune) bool { return r == utf8.RuneError }) // a rune cut in two
	}
	return path
}

// keyQuery is the attribute that holds what stands behind a path's question mark.
var keyQuery = []byte("query")

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

// readStatus reads a status; logs also write it in quotes, 000 for none, and 200.0.
func readStatus(s []byte) (status int32, ok bool) {
	whole, frac, _ := bytes.Cut(s, []byte("."))
	if len(whole) > 3 || !allDigits(whole) || len(bytes.TrimRight(frac, "0")) > 0 {
		return 0, false
	}
	for _, c := range whole {
		status = status*10 + int32(c-'0')
	}
	return status, status == 0 || 100 <= status && status <= 599
}

// levelWords are other words for levels, and the numbers of pino and bunyan (10 to 60) and of syslog (RFC 5424, 6.2.1).
var levelWords = map[string]string{
	"warning": "warn", "wrn": "warn", "w": "warn", "err": "error", "e": "error", "information": "info", "informational": "info", "inf": "info", "i": "info",
	"dbg": "debug", "d": "debug", "crit": "critical", "severe": "error", "c": "critical", "emergency": "emerg", "f": "fatal", "ftl": "fatal", "t": "trace", "verbose": "trace", "vrb": "trace",
	"10": "trace", "20": "debug", "30": "info", "40": "warn", "50": "error", "60": "fatal",
	"0": "emerg", "1": "alert", "2": "critical", "3": "error", "4": "warn", "5": "notice", "6": "info", "7": "debug",
}

// levelWord is the usual word for a level; one that has none stays as it is.
func levelWord(s []byte) string {
	var lower [len("informational")]byte
	if len(s) > len(lower) {
		return stringOf(s)
	}
	n := copy(lower[:], s)
	for i, c := range lower[:n] {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c | 0x20
		}
	}
	if word, known := levelWords[string(lower[:n])]; known {
		return word
	}
	return stringOf(s)
}
