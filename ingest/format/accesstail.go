package format

import (
	"bytes"
	"strconv"
)

// Names that ingress-nginx gives the things behind the user agent, in its order (docs: "Log format").
var ingressKeys = [...][]byte{[]byte("request_length"), []byte("request_time"), []byte("proxy_upstream_name"), []byte("proxy_alternative_upstream_name"),
	[]byte("upstream_addr"), []byte("upstream_response_length"), []byte("upstream_response_time"), []byte("upstream_status"), []byte("req_id")}

var (
	keyForwarded = []byte("http_x_forwarded_for")
	keyDuration  = []byte("duration")
	extraKeys    = [...][]byte{[]byte("extra_1"), []byte("extra_2"), []byte("extra_3"), []byte("extra_4")} // more than these are rare
)

// tail reads what stands behind the combined format: key=value and key="value" pairs, and things without a name, which are called
// extra_1, extra_2 and so on by their place. Known without a name are those of ingress-nginx, the forwarded addresses that the main format
// of nginx's own image ends with, and a number with a unit at the line's end, which is how Traefik writes its duration.
//
// A bare number at the end stays extra_1: Apache's %D is microseconds and its %T seconds, and the line does not tell.
func (p *Parser) tail(s []byte) {
	s = bytes.TrimLeft(s, " ")
	if isIngress(s) {
		p.shape |= hasIngress
		for i := 0; i < len(ingressKeys) && len(s) > 0; i++ {
			var v value
			v, s = p.tailValue(s)
			p.put(ingressKeys[i], v)
		}
	}
	for extras := 0; len(s) > 0; {
		if end := tailKeyEnd(s); end > 0 {
			p.shape |= hasPairs
			key := s[:end]
			var v value
			v, s = p.tailValue(s[end+1:])
			p.put(key, v)
			continue
		}
		isQuoted := s[0] == '"'
		v, rest := p.tailValue(s)
		key := extraKey(extras)
		switch {
		case isQuoted && extras == 0 && isAddressList(v.body):
			key = keyForwarded
		case !isQuoted && len(rest) == 0 && v.kind == text && isDuration(v.body):
			key = keyDuration
		}
		extras++
		p.put(key, v)
		s = rest
	}
}

// extraKey is the name of the i-th nameless thing.
func extraKey(i int) []byte {
	if i < len(extraKeys) {
		return extraKeys[i]
	}
	return strconv.AppendInt([]byte("extra_"), int64(i+1), 10)
}

// tailKeyEnd is where the '=' of a pair stands that s starts with; 0 when it starts with none.
func tailKeyEnd(s []byte) int {
	for i, c := range s {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '_' || c == '.' || c == '-'):
		case c == '=':
			return i
		default:
			return 0
		}
	}
	return 0
}

// tailValue reads the value that s starts with: in quotes, in brackets, or up to the next space that follows no comma. nginx quotes what
// may be "-", so a number in quotes is a number.
func (p *Parser) tailValue(s []byte) (v value, rest []byte) {
	var body []byte
	switch {
	case len(s) > 0 && s[0] == '"':
		body, rest = p.quoted(s)
	case len(s) > 0 && s[0] == '[' && bytes.IndexByte(s, ']') > 0:
		end := bytes.IndexByte(s, ']')
		body, rest = s[1:end], s[end+1:]
	default:
		body, rest = listWord(s)
	}
	if isDash(body) {
		body = nil
	}
	return bareValue(body), bytes.TrimLeft(rest, " ")
}

// listWord cuts a word, or several as nginx lists its upstreams: 10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80.
func listWord(s []byte) (w, rest []byte) {
	end := 0
	for {
		n := bytes.IndexByte(s[end:], ' ')
		if n < 0 {
			return s, nil
		}
		end += n
		switch {
		case end > 0 && s[end-1] == ',':
			end++
		case bytes.HasPrefix(s[end:], []byte(" : ")):
			end += 3
		default:
			return s[:end], s[end:]
		}
	}
}

// isIngress says whether a tail is that of ingress-nginx: request_length request_time [upstream].
func isIngress(s []byte) bool {
	length, rest := word(s)
	if !allDigits(length) {
		return false
	}
	seconds, rest := word(rest)
	return decimalEnd(seconds) == len(seconds) && bytes.IndexByte(seconds, '.') > 0 && bytes.HasPrefix(rest, []byte(" ["))
}

// isAddressList says whether a text begins like an IP address.
func isAddressList(s []byte) bool {
	first, _, _ := bytes.Cut(s, []byte(","))
	hex := bytes.TrimLeft(first, "0123456789abcdefABCDEF.:")
	return len(hex) == 0 && len(first) > 2 && bytes.ContainsAny(first, ".:")
}
