package format

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signallake/signallake/lake"
)

// shape says what of an access line was there.
type shape uint8

const (
	hasVhost shape = 1 << iota
	hasAgent
	hasPairs
	hasIngress
)

// survey is what Detect learns from the lines that it parses.
type survey struct {
	found  map[finding]int
	shapes [hasIngress << 1]int
	lines  int
	extra  bool // a bare number ends the lines
}

// finding is a key that became a field, in one way.
type finding struct {
	field field
	key   string
	how   string // "s", "no zone", ""
}

// learn looks at a line that was just finished.
func (s *survey) learn(p *Parser) {
	s.lines++
	s.shapes[p.shape]++
	for f := range p.fields {
		if c := &p.fields[f]; c.set {
			s.found[finding{field(f), string(c.key), p.how(field(f), c)}]++
		}
	}
	if i := bytes.Index(p.attrs, []byte(`"extra_1":`)); i >= 0 && p.attrs[i+len(`"extra_1":`)] != '"' {
		s.extra = true
	}
}

// how says in which way a value was read where there is more than one.
func (p *Parser) how(f field, c *candidate) string {
	switch {
	case f == fieldLatency && c.kind == text && isDuration(p.text(c.value)):
		return "with its unit"
	case f == fieldLatency:
		return c.unit.String()
	case f == fieldTimestamp && c.unit != unitOpen:
		return c.unit.String()
	case f == fieldTimestamp && p.instants.naive:
		return "no zone"
	}
	return ""
}

// fields tells which key became what, in the order of the contract and the most frequent first.
func (s *survey) fields() []string {
	list := slices.SortedFunc(maps.Keys(s.found), func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.field, b.field), cmp.Compare(s.found[b], s.found[a]), strings.Compare(a.key, b.key), strings.Compare(a.how, b.how))
	})
	var told []string
	for _, f := range list {
		line := lake.SafeText(f.key, 64) + " → " + contractKeys[f.field]
		if f.how != "" {
			line += " (" + f.how + ")"
		}
		told = append(told, line)
	}
	return told
}

// has says whether any line filled a field, in a given way unless how is "".
func (s *survey) has(f field, how string) bool {
	for found := range s.found {
		if found.field == f && (how == "" || found.how == how) {
			return true
		}
	}
	return false
}

// missing tells what the lines lack and what was done about it.
func (s *survey) missing(cfg Config) []string {
	if s.lines == 0 {
		return nil
	}
	var told []string
	if !s.has(fieldService, "") {
		told = append(told, fmt.Sprintf("no service in the lines: service `%s`", ServiceName(cfg.Service)))
	}
	if !s.has(fieldStatus, "") {
		told = append(told, "no status: the events are no HTTP exchanges")
	}
	switch {
	case s.has(fieldLatency, ""):
	case s.extra:
		told = append(told, "no latency with a name: the bare number behind each line is attributes.extra_1; Apache's %D is --map extra_1=latency_ms:us, its %T --map extra_1=latency_ms:s")
	default:
		told = append(told, "no latency: if the lines have one under a name of their own, --map NAME=latency_ms:ms")
	}
	if s.has(fieldTimestamp, "no zone") {
		zone := "UTC"
		if cfg.Location != nil {
			zone = cfg.Location.String()
		}
		told = append(told, "no zone in the times: read as "+zone)
	}
	return told
}

// title is the format's name for people.
func (d Detection) title(s *survey) string {
	var title string
	switch d.Kind {
	case JSON:
		title = "JSON lines"
		if d.writer.title != "" {
			title += " as " + d.writer.title + " writes them"
		}
	case Access:
		title = accessTitle(s.common())
	case Logfmt:
		title = "logfmt"
	case Plain:
		title = "text"
	}
	switch {
	case d.wrapper == stamped && d.Kind == Plain:
		title = "text lines that begin with a timestamp"
	case d.wrapper == stamped:
		title += " behind a timestamp"
	case d.wrapper != bare:
		title += " inside " + d.wrapper.title()
	}
	return title
}

// common is the shape that most lines have.
func (s *survey) common() shape {
	best := 0
	for i, n := range s.shapes {
		if n > s.shapes[best] {
			best = i
		}
	}
	return shape(best)
}

func accessTitle(s shape) string {
	title := "nginx/Apache common"
	switch {
	case s&hasIngress != 0:
		title = "ingress-nginx"
	case s&hasAgent != 0:
		title = "nginx/Apache combined"
	}
	if s&hasVhost != 0 {
		title += " with a virtual host"
	}
	if s&hasPairs != 0 {
		title += " with key=value tail"
	}
	return title
}
