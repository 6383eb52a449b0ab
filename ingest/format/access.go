package format

import (
	"bytes"
	"unicode/utf8"

	"github.com/signallake/signallake/lake"
)

// The names of what stands in an access line, as nginx calls them: a map may name them.
var (
	keyRemoteAddr = []byte("remote_addr")
	keyRemoteUser = []byte("remote_user")
	keyIdent      = []byte("remote_ident")
	keyPort       = []byte("server_port")
	keyVhost      = []byte("vhost")
	keyTimeLocal  = []byte("time_local")
	keyRequest    = []byte("request")
	keyMethod     = []byte("request_method")
	keyURI        = []byte("request_uri")
	keyProtocol   = []byte("protocol")
	keyStatus     = []byte("status")
	keyBytes      = []byte("body_bytes_sent")
	keyReferer    = []byte("http_referer")
	keyAgent      = []byte("http_user_agent")
)

// access reads a line of nginx or Apache:
//
//	[vhost[:port] ]remote_addr ident remote_user [time] "request" status size ["referer" ["user agent"]] [more]
func (p *Parser) access(line []byte) error {
	open, end := findTime(line)
	if open < 0 {
		return &lake.FieldError{Reason: "the line is no access log line: no [21/Nov/2026:06:33:10 +0000] stands in it, got " + shown(line)}
	}
	p.client(line[:open])
	p.known(fieldTimestamp, keyTimeLocal, value{kind: text, body: line[open+1 : end]})
	rest := line[end+1:]
	if len(rest) < 2 || rest[0] != ' ' || rest[1] != '"' {
		return &lake.FieldError{Reason: "the line is no access log line: no \"request\" follows the time, got " + shown(rest)}
	}
	request, rest := p.quoted(rest[1:])
	p.request(request)
	status, rest := word(rest)
	if len(status) == 0 {
		return &lake.FieldError{Field: "status_code", Reason: "is missing: the line ends behind its request, got " + shown(request)}
	}
	if !isDash(status) {
		p.known(fieldStatus, keyStatus, value{kind: text, body: status})
	}
	if size, after := word(rest); isDash(size) || allDigits(size) {
		rest = after
		if !isDash(size) {
			p.store(keyBytes, bareValue(size))
		}
	}
	for _, key := range [...][]byte{keyReferer, keyAgent} {
		after := bytes.TrimLeft(rest, " ")
		if len(after) == 0 || after[0] != '"' {
			break
		}
		p.shape |= hasAgent
		var s []byte
		s, rest = p.quoted(after)
		p.store(key, logText(s))
	}
	p.tail(rest)
	return nil
}

// findTime finds the brackets of the first time: users and virtual hosts may have brackets of their own.
func findTime(line []byte) (open, end int) {
	const length = len("21/Nov/2026:06:33:10")
	for i := 0; i+length+1 < len(line); i++ {
		n := bytes.IndexByte(line[i:], '[')
		if n < 0 {
			break
		}
		i += n
		s := line[i+1:]
		if len(s) > length && s[2] == '/' && s[6] == '/' && s[11] == ':' && s[14] == ':' && s[17] == ':' {
			zone := s[length:min(len(s), length+len(".000000 +00:00]"))]
			if n = bytes.IndexByte(zone, ']'); n >= 0 {
				return i, i + 1 + length + n
			}
		}
	}
	return -1, 0
}

// known gives a field what the format itself says about it, unless a map says otherwise.
func (p *Parser) known(f field, key []byte, v value) {
	info := keyInfo{rule: rule{field: f, unit: unitOpen}}
	if len(p.keys.user) > 0 {
		if mapped := p.keys.find(key); mapped.user {
			info = mapped
		}
	}
	if !p.take(info, key, v) {
		p.attribute(key, v)
	}
}

// store keeps an attribute that the format names, unless a map says otherwise.
func (p *Parser) store(key []byte, v value) {
	if v.kind == absent {
		return
	}
	if len(p.keys.user) > 0 {
		if info := p.keys.find(key); info.user && p.take(info, key, v) {
			return
		}
	}
	p.attribute(key, v)
}

// client reads what stands before the time: addr ident user, or vhost addr ident user. A user may have spaces in it; the ident is mostly "-".
func (p *Parser) client(s []byte) {
	first, rest := word(s)
	second, afterSecond := word(rest)
	third, afterThird := word(afterSecond)
	if !isDash(second) && isDash(third) && len(bytes.TrimSpace(afterThird)) > 0 { // vhost addr - user
		p.shape |= hasVhost
		host, port := cutPort(first)
		p.known(fieldHost, keyVhost, value{kind: text, body: host})
		p.store(keyPort, logText(port))
		first, second, afterSecond = second, third, afterThird
	}
	p.store(keyRemoteAddr, logText(first))
	p.store(keyIdent, logText(second))
	p.store(keyRemoteUser, logText(bytes.TrimSpace(afterSecond)))
}

// cutPort cuts host:port, also [::1]:port; an IPv6 address without brackets has no port.
func cutPort(s []byte) (host, port []byte) {
	i := bytes.LastIndexByte(s, ':')
	if i <= 0 || !allDigits(s[i+1:]) || bytes.IndexByte(s, ':') != i && s[i-1] != ']' {
		return s, nil
	}
	return s[:i], s[i+1:]
}

// logText is a text of an access log, where "-" and "" are nothing.
func logText(s []byte) value {
	if len(s) == 0 || isDash(s) {
		return value{}
	}
	return value{kind: text, body: s}
}

// word cuts the next word.
func word(s []byte) (w, rest []byte) {
	for len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	if i := bytes.IndexByte(s, ' '); i >= 0 {
		return s[:i], s[i:]
	}
	return s, nil
}

// quoted reads the text in quotes that s starts with. A quote ends it only before a space or the end: some agents have bare quotes in them.
// A line that ends first was cut off; what is there counts.
func (p *Parser) quoted(s []byte) (body, rest []byte) {
	escaped := false
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			if i+1 == len(s) || s[i+1] == ' ' {
				return p.unescaped(s[1:i], escaped), s[i+1:]
			}
		}
	}
	return p.unescaped(s[1:], escaped), nil
}

// unescaped decodes \" and \x22 and their kin. A text that would not be plain UTF-8 then, such as the first bytes of TLS, stays as it was written.
func (p *Parser) unescaped(s []byte, escaped bool) []byte {
	if !escaped {
		return s
	}
	start := len(p.scratch)
	p.scratch = appendGoUnescaped(p.scratch, s)
	decoded := p.scratch[start:]
	if !utf8.Valid(decoded) || bytes.ContainsFunc(decoded, func(r rune) bool { return r < 0x20 || 0x7f <= r && r < 0xa0 }) {
		p.scratch = p.scratch[:start]
		return s
	}
	return decoded
}

// request takes a request line apart; one that is none (a dash, the first bytes of TLS) is a message without an endpoint.
func (p *Parser) request(s []byte) {
	p.known(fieldMessage, keyRequest, value{kind: text, body: s})
	method, target := word(s)
	target = bytes.TrimLeft(target, " ")
	if !isMethod(method) || len(target) == 0 {
		return
	}
	if i := bytes.LastIndexByte(target, ' '); i >= 0 && bytes.HasPrefix(target[i+1:], []byte("HTTP/")) {
		p.store(keyProtocol, value{kind: text, body: target[i+1:]})
		target = target[:i]
	} else if i >= 0 || target[0] != '/' || string(method) != "GET" { // without a protocol it is HTTP/0.9, or no request at all
		return
	}
	p.known(fieldMethod, keyMethod, value{kind: text, body: method})
	p.known(fieldEndpoint, keyURI, value{kind: text, body: target})
}

// isMethod says whether s is a method: a short word of letters, also with '-' and '_' in it.
func isMethod(s []byte) bool {
	for i, c := range s {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c != '-' && c != '_') {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 16
}
