package format

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signallake/signallake/lake"
)

// Detection is what Detect found, for people and for NewParser.
type Detection struct {
	Kind    Kind
	Title   string   // "nginx/Apache combined with key=value tail"
	Lines   int      // looked at, without empty ones
	Matched int      // of these, lines that make an event
	Fields  []string // which key became what: "rt → latency_ms (s)"
	Missing []string // what the lines lack, and what is done about it: "no service in the lines: service `shop`"

	wrapper wrapper
	writer  writer
}

// maxSampleLines is how many lines Detect looks at: enough for the rarer keys.
const maxSampleLines = 1000

// Detect finds the format of the lines that the sample starts with; a line that the sample's end cuts is left out. cfg.Kind skips the
// choice of a format, and lets a sample pass in which no line has it. Without any line the error is ErrEmpty; any other one names what was
// seen and the ways out.
func Detect(sample []byte, cfg Config) (Detection, error) {
	if err := checkConfig(cfg); err != nil {
		return Detection{}, err
	}
	lines := sampleLines(sample)
	if len(lines) == 0 {
		return Detection{}, ErrEmpty
	}
	d := Detection{Kind: cfg.Kind, Lines: len(lines), wrapper: wrapperOf(lines)}
	var notes []string
	if cfg.Kind == "" {
		var err error
		d.Kind, notes, err = choose(d.wrapper, lines)
		if err != nil && d.wrapper == bare && enough(wrapped(stamped, lines), len(lines)) { // text with stack traces in it
			d.wrapper = stamped
			d.Kind, notes, err = choose(d.wrapper, lines)
		}
		if err != nil {
			return d, err
		}
	}
	if d.Kind == JSON {
		d.writer = commonWriter(innerLines(d.wrapper, lines))
	}
	return d.describe(lines, cfg, notes)
}

// checkConfig refuses a configuration that no line could make good.
func checkConfig(cfg Config) error {
	switch cfg.Kind {
	case "", JSON, Access, Logfmt, Plain:
		return CheckMap(cfg.Map)
	}
	return fmt.Errorf("format %q is unknown: want %s, %s, %s or %s", cfg.Kind, JSON, Access, Logfmt, Plain)
}

// sampleLines cuts a sample into its first lines.
func sampleLines(sample []byte) [][]byte {
	var lines [][]byte
	sample = bytes.TrimPrefix(sample, []byte("\ufeff"))
	for len(sample) > 0 && len(lines) < maxSampleLines {
		line, rest, ended := bytes.Cut(sample, []byte("\n"))
		if line = bytes.TrimRight(line, "\r"); len(bytes.TrimSpace(line)) > 0 && (ended || len(lines) == 0) {
			lines = append(lines, line)
		}
		sample = rest
	}
	return lines
}

// enough says whether n of all is enough to be what the file is about: a third, as stack traces can be longer than the log.
func enough(n, all int) bool { return n > 0 && n*3 >= all }

// mostOf says whether n of all is enough to be the rule and not the exception: four in five.
func mostOf(n, all int) bool { return n > 0 && n*5 >= all*4 }

// wrapperOf finds the wrapper that most of the lines have.
func wrapperOf(lines [][]byte) wrapper {
	for w := dockerJSON; w < wrapperCount; w++ {
		if mostOf(wrapped(w, lines), len(lines)) {
			return w
		}
	}
	return bare
}

// wrapped counts the lines that have a wrapper.
func wrapped(w wrapper, lines [][]byte) (n int) {
	for _, line := range lines {
		if hasWrapper(w, line) {
			n++
		}
	}
	return n
}

func hasWrapper(w wrapper, line []byte) bool {
	p := Parser{wrapper: w}
	if w == dockerJSON && !isDocker(line) {
		return false
	}
	_, ok := p.unwrap(line)
	return ok
}

// isDocker says whether a line has exactly the keys of docker's json-file; what else a collector adds would be lost with the wrapper.
func isDocker(line []byte) bool {
	members, err := lake.JSONMembers(nil, line)
	for _, m := range members {
		switch string(m.Key) {
		case "log", "stream", "time":
		default:
			return false
		}
	}
	return err == nil && len(members) == 3
}

// innerLines are the lines without their wrapper.
func innerLines(w wrapper, lines [][]byte) [][]byte {
	if w == bare {
		return lines
	}
	inner := make([][]byte, 0, len(lines))
	for _, line := range lines {
		p := Parser{wrapper: w}
		if s, ok := p.unwrap(line); ok {
			inner = append(inner, s)
		}
	}
	return inner
}

// counts says how many lines look like each format.
type counts struct {
	kind  [3]int // as kinds
	lines int
}

// kinds are the formats by how hard they are to meet by accident: of two that fit equally many lines the first one is taken.
var kinds = [...]Kind{JSON, Access, Logfmt}

func count(lines [][]byte) counts {
	c := counts{lines: len(lines)}
	for _, line := range lines {
		for i, kind := range kinds {
			if looksLike(kind, line) {
				c.kind[i]++
				break
			}
		}
	}
	return c
}

// looksLike says whether a line has the shape of a format, whatever its values are.
func looksLike(kind Kind, line []byte) bool {
	switch kind {
	case JSON:
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] != '{' {
			return false
		}
		members, err := lake.JSONMembers(nil, line)
		return err == nil && len(members) > 0
	case Access:
		p := Parser{kind: Access, keys: newKeyBook(nil, Access, writer{})}
		return p.access(line) == nil
	}
	return looksLikeLogfmt(line)
}

// looksLikeLogfmt: two pairs at least, and more pairs than bare words. Prose has an equals sign here and there.
func looksLikeLogfmt(line []byte) bool {
	p := Parser{kind: Logfmt}
	pairs, words := 0, 0
	for i := skipSpace(line, 0); i < len(line); i = skipSpace(line, i) {
		end := keyEnd(line, i)
		if end == i {
			return false
		}
		if end == len(line) || line[end] != '=' {
			words++
			i = end
			continue
		}
		_, next, err := p.logfmtValue(line, end+1)
		if err != nil {
			return false
		}
		pairs++
		i = next
	}
	return pairs >= 2 && pairs > words
}

// choose takes the format that most lines have inside their wrapper.
func choose(w wrapper, lines [][]byte) (kind Kind, notes []string, err error) {
	c := count(innerLines(w, lines))
	best := 0
	for i := range kinds {
		if c.kind[i] > c.kind[best] {
			best = i
		}
	}
	if !enough(c.kind[best], c.lines) {
		if w == dockerJSON || w == cri || w == stamped {
			return Plain, nil, nil
		}
		return "", nil, unknown(c, w, lines)
	}
	for i := range kinds {
		if i == best || c.kind[i] == 0 {
			continue
		}
		note := fmt.Sprintf("%d of %d lines are %s and will be refused: split the file, or import it with --format %s too", c.kind[i], c.lines, kinds[i], kinds[i])
		if c.kind[i] == c.kind[best] {
			note = fmt.Sprintf("as many lines are %s as are %s, which is harder to meet by accident: --format %s takes the others", kinds[i], kinds[best], kinds[i])
		}
		notes = append(notes, note)
	}
	return kinds[best], notes, nil
}

// unknown is the error for lines of no format.
func unknown(c counts, w wrapper, lines [][]byte) error {
	in := ""
	if w != bare {
		in = " inside " + w.title()
	}
	if first := bytes.TrimSpace(lines[0]); w == bare && (bytes.HasPrefix(first, []byte("[{")) || string(first) == "[" || string(first) == "{") {
		return errors.New("it is one JSON document and not a JSON object a line: `jq -c '.[]?' FILE | signallake-tui import -` makes lines of an array, `jq -c .` of an object")
	}
	return fmt.Errorf("no known format in %s%s: %d look like JSON, %d like an access log, %d like logfmt; the first one is %q; "+
		"say --format json, access, logfmt or plain when it is one of these, or turn the lines into JSON with a timestamp (docs/IMPORT.md)",
		plural(len(lines), "line"), in, c.kind[0], c.kind[1], c.kind[2], lake.SafeText(string(lines[0]), 80))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// commonWriter is the writer of most of the lines.
func commonWriter(lines [][]byte) writer {
	votes := map[writer]int{}
	var members []lake.JSONMember
	for _, line := range lines {
		var err error
		if members, err = lake.JSONMembers(members[:0], line); err == nil && len(members) > 1 {
			votes[writerOf(members)]++
		}
	}
	var best writer
	for w, n := range votes {
		if n > votes[best] || n == votes[best] && w.title < best.title {
			best = w
		}
	}
	return best
}

// describe parses the sample, and tells what became of it.
func (d Detection) describe(lines [][]byte, cfg Config, notes []string) (Detection, error) {
	p, err := NewParser(cfg, d)
	if err != nil {
		return d, err
	}
	p.survey = &survey{found: map[finding]int{}}
	var first *lake.FieldError
	for _, line := range lines {
		var e lake.Event
		err := p.draft(line, &e)
		var refused *lake.FieldError
		switch {
		case err == nil:
			d.Matched++
		case first == nil && errors.As(err, &refused):
			first = refused
		}
	}
	if d.Matched == 0 && (cfg.Kind == "" || first.Field != "") {
		return d, fmt.Errorf("%s, but none of %s makes an event: %w; the keys seen are %s", d.title(p.survey), plural(d.Lines, "line"), first, keysSeen(p))
	}
	d.Title = d.title(p.survey)
	d.Fields = p.survey.fields()
	d.Missing = p.survey.missing(cfg)
	if first != nil {
		d.Missing = append(d.Missing, fmt.Sprintf("of the first %s %d do not fit, the first one: %v", plural(d.Lines, "line"), d.Lines-d.Matched, first))
	}
	d.Missing = append(d.Missing, unseen(p, cfg.Map)...)
	d.Missing = append(d.Missing, notes...)
	return d, nil
}

// unseen tells of keys of the map that stand in no line of the sample: most likely they are misspelt.
func unseen(p *Parser, m map[string]string) []string {
	var told []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if _, ok := p.keys.known[key]; !ok {
			told = append(told, fmt.Sprintf("no key %s in the first lines, which --map names; they have %s", lake.SafeText(key, 80), keysSeen(p)))
		}
	}
	return told
}

// keysSeen lists the keys of the lines.
func keysSeen(p *Parser) string {
	const most = 20
	keys := slices.Sorted(maps.Keys(p.keys.known))
	if len(keys) == 0 {
		return "none"
	}
	more := ""
	if len(keys) > most {
		keys, more = keys[:most], ", ..."
	}
	return lake.SafeText(strings.Join(keys, ", "), 0) + more
}
