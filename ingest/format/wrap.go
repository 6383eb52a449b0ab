package format

import (
	"bytes"

	"github.com/signallake/signallake/lake"
)

// wrapper is what a container runtime or kubectl puts around every line.
type wrapper uint8

const (
	bare       wrapper = iota
	dockerJSON         // {"log":"...\n","stream":"stdout","time":"..."}
	cri                // 2026-11-21T06:33:10.123456789Z stdout F ...
	stamped            // 2026-11-21T06:33:10.123456789Z ...: kubectl and docker logs --timestamps, and most text logs
	podPrefix          // [pod/name/container] ...: kubectl logs --prefix, also with --timestamps
	compose            // name-1  | ...: docker compose logs
	wrapperCount
)

// title is the wrapper's name for people.
func (w wrapper) title() string {
	return [...]string{"", "docker's json-file", "the container runtime's (CRI) prefix", "a timestamp", "kubectl's [pod/NAME/CONTAINER]", "docker compose's NAME |"}[w]
}

var (
	keyTime      = []byte("time")
	keyContainer = []byte("container")
	keyStream    = []byte("stream")
	keyPod       = []byte("pod")
)

// meta is what a wrapper says about its line.
type meta struct {
	time      []byte
	stream    []byte
	pod       []byte
	container []byte
}

// unwrap takes the wrapper off a line and notes what it says; false: the line has none.
func (p *Parser) unwrap(line []byte) (inner []byte, ok bool) {
	if p.wrapper == dockerJSON {
		return p.unwrapDocker(line)
	}
	return cutPrefix(p.wrapper, line, &p.meta)
}

// unwrapDocker decodes a line of docker's json-file driver.
func (p *Parser) unwrapDocker(line []byte) (inner []byte, ok bool) {
	var err error
	if p.members, err = lake.JSONMembers(p.members[:0], line); err != nil {
		return nil, false
	}
	for _, m := range p.members {
		v := valueOf(m.Value)
		switch string(m.Key) {
		case "log":
			if v.kind == text || string(m.Value) == `""` {
				inner, ok = bytes.TrimRight(p.text(v), "\r\n"), true
			}
		case "time":
			p.meta.time = p.text(v)
		case "stream":
			p.meta.stream = p.text(v)
		}
	}
	p.members = p.members[:0]
	return inner, ok && len(p.meta.time) > 0
}

// cutPrefix takes a wrapper that is a prefix off a line.
func cutPrefix(w wrapper, line []byte, m *meta) (inner []byte, ok bool) {
	switch w {
	case cri:
		inner, ok = cutStamp(line, m)
		if !ok {
			return nil, false
		}
		m.stream, inner = word(inner)
		flag, rest := word(inner)
		ok = (string(m.stream) == "stdout" || string(m.stream) == "stderr") && len(flag) > 0 && (flag[0] == 'F' || flag[0] == 'P')
		return bytes.TrimPrefix(rest, []byte(" ")), ok
	case stamped:
		return cutStamp(line, m)
	case podPrefix:
		prefix, rest, found := bytes.Cut(line, []byte("] "))
		names, isPod := bytes.CutPrefix(prefix, []byte("[pod/"))
		if !found || !isPod {
			return nil, false
		}
		m.pod, m.container, ok = bytes.Cut(names, []byte("/"))
		if stampedRest, isStamped := cutStamp(rest, m); isStamped {
			rest = stampedRest
		}
		return rest, ok
	case compose:
		name, rest, found := bytes.Cut(line, []byte(" | "))
		name = bytes.TrimRight(name, " ")
		if !found || len(name) == 0 || len(name) > 128 || bytes.ContainsFunc(name, func(r rune) bool { return !isNameRune(r) }) {
			return nil, false
		}
		m.container = name
		if i := bytes.LastIndexByte(name, '-'); i > 0 && allDigits(name[i+1:]) { // web-1 is the first of the service web
			m.container = name[:i]
		}
		return rest, true
	}
	return line, true
}

func isNameRune(r rune) bool {
	return 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.'
}

// cutStamp cuts the ISO 8601 timestamp that a line starts with, also one with a space in it or in brackets, and the space behind it.
func cutStamp(line []byte, m *meta) (rest []byte, ok bool) {
	const date = len("2026-11-21")
	open, closing := 0, byte(' ')
	if len(line) > 0 && line[0] == '[' {
		open, closing = 1, ']'
	}
	if len(line) < open+date+len(" 06:33:10 ") || line[open+4] != '-' && line[open+4] != '/' {
		return nil, false
	}
	end := bytes.IndexByte(line[open+date+1:], closing)
	if end < 0 || end > len("06:33:10.123456789+00:00") {
		return nil, false
	}
	end += open + date + 1
	var r instantReader
	if _, ok := r.read(line[open:end], false, unitOpen); !ok {
		return nil, false
	}
	m.time = line[open:end]
	return bytes.TrimPrefix(line[end+1:], []byte(" ")), true
}

// takeMeta gives the line what its wrapper says where it says nothing itself. The wrapper's time is that of the reading and goes where the
// line has one of its own.
func (p *Parser) takeMeta() {
	if !p.fields[fieldTimestamp].set && p.meta.time != nil {
		p.take(keyInfo{rule: rule{field: fieldTimestamp, unit: unitOpen}}, keyTime, value{kind: text, body: p.meta.time})
	}
	container := value{kind: text, body: p.meta.container}
	switch {
	case len(container.body) == 0:
	case p.fields[fieldService].set:
		p.attribute(keyContainer, container)
	default:
		p.take(keyInfo{rule: rule{field: fieldService}}, keyContainer, container)
	}
	if len(p.meta.stream) > 0 {
		p.attribute(keyStream, value{kind: text, body: p.meta.stream})
	}
	if len(p.meta.pod) > 0 {
		p.attribute(keyPod, value{kind: text, body: p.meta.pod})
	}
}
