package importer

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/signallake/signallake/ingest/format"
	"github.com/signallake/signallake/lake"
)

// maxServices is how many services of an input are counted by name: more than anybody reads in a summary, few enough for a map per chunk.
const maxServices = 64

// parsed is what became of a chunk.
type parsed struct {
	out      []byte // canonical lines of the accepted events
	accepted int
	blank    int64
	letters  []lake.DeadLetter // their texts alias the chunk's data
	skipped  int               // of them: an earlier import kept them
	doubled  int64             // keys that stood twice in an object
	tally
}

// tally sums up accepted events.
type tally struct {
	oldest, newest lake.Micros
	services       map[string]int64
	unnamed        int64 // events of services beyond maxServices
}

func (t *tally) add(o *tally) {
	if o.newest == 0 && o.oldest == 0 && len(o.services) == 0 {
		return
	}
	if len(t.services) == 0 {
		t.oldest, t.newest, t.services = o.oldest, o.newest, maps.Clone(o.services)
		t.unnamed += o.unnamed
		return
	}
	t.oldest, t.newest = min(t.oldest, o.oldest), max(t.newest, o.newest)
	for name, n := range o.services {
		t.count(name, n)
	}
	t.unnamed += o.unnamed
}

func (t *tally) count(service string, n int64) {
	if _, known := t.services[service]; !known && len(t.services) >= maxServices {
		t.unnamed += n
		return
	}
	t.services[service] += n
}

func (k *chunk) reset() {
	services := k.services
	clear(services)
	if services == nil {
		services = map[string]int64{}
	}
	clear(k.letters) // they alias texts
	k.kind, k.raw, k.tail, k.isDone = wholeLines, 0, "", false
	k.data = k.data[:0]
	k.parsed = parsed{out: k.out[:0], letters: k.letters[:0], tally: tally{services: services}}
}

// parser turns chunks into canonical lines and dead letters. One goroutine's.
type parser struct {
	lines  *format.Parser
	guard  *lake.PartitionGuard // nil: every partition is welcome
	now    func() lake.Micros
	source string // of dead letters
	origin string

	event    lake.Event
	admitted lake.Partition // the newest that the guard let in: most events ask for the same one
	service  string         // the newest one, a string of our own
	served   int64          // events of it that are not counted in the chunk yet
}

func (p *parser) chunk(k *chunk) {
	now := p.now()
	if k.kind == longLine {
		p.bury(k, now, k.first, k.data, &lake.FieldError{Reason: fmt.Sprintf("the line is longer than %d bytes", maxLine)})
		k.letters[0].Cut = true
		return
	}
	data, no := k.data, k.first
	if k.start == 0 {
		data = bytes.TrimPrefix(data, bom)
	}
	if k.kind == restOfLine {
		line := firstLine(data)
		data = data[min(len(line)+1, len(data)):]
		if !isBlank(line) {
			p.bury(k, now, no, bytes.TrimSuffix(line, []byte{'\r'}), &lake.FieldError{Reason: fmt.Sprintf(
				"it is the rest of line %d, which was imported when it was not yet written to its end", no-1)})
		}
		no++
	}
	zeros := bytes.IndexByte(data, 0) >= 0
	for ; len(data) > 0; no++ {
		line := data
		if at := bytes.IndexByte(data, '\n'); at >= 0 {
			line, data = data[:at], data[at+1:]
		} else {
			data = nil
		}
		p.line(k, now, no, line, zeros)
	}
	p.settle(k)
}

// line takes one line without its line end.
func (p *parser) line(k *chunk, now lake.Micros, no int64, line []byte, zeros bool) {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if zeros {
		line = bytes.TrimLeft(line, "\x00") // the hole that truncating a file under its writer leaves
	}
	if isBlank(line) {
		k.blank++
		return
	}
	if zeros && bytes.IndexByte(line, 0) >= 0 {
		p.bury(k, now, no, line, &lake.FieldError{Reason: "the line holds NUL bytes: it is no text"})
		return
	}
	doubled, err := p.lines.Parse(line, now, &p.event)
	if err == nil {
		err = p.admit()
	}
	if err != nil {
		p.bury(k, now, no, line, err)
		return
	}
	k.doubled += int64(doubled)
	k.out = p.event.AppendLine(k.out)
	if k.accepted == 0 {
		k.oldest, k.newest = p.event.Timestamp, p.event.Timestamp
	}
	k.oldest, k.newest = min(k.oldest, p.event.Timestamp), max(k.newest, p.event.Timestamp)
	k.accepted++
	if p.event.ServiceName != p.service {
		p.settle(k)
		p.service = strings.Clone(p.event.ServiceName)
	}
	p.served++
}

// settle books the events of the newest service.
func (p *parser) settle(k *chunk) {
	if p.served > 0 {
		k.count(p.service, p.served)
		p.served = 0
	}
}

func (p *parser) admit() error {
	if p.guard == nil {
		return nil
	}
	partition := lake.PartitionOf(&p.event)
	if partition == p.admitted {
		return nil
	}
	if err := p.guard.Admit(partition); err != nil {
		return err
	}
	partition.Service = strings.Clone(partition.Service)
	p.admitted = partition
	return nil
}

func (p *parser) bury(k *chunk, now lake.Micros, no int64, line []byte, err error) {
	d := lake.DeadLetter{At: now, Source: p.source, Origin: p.origin, Line: no, Reason: err.Error(), Text: line}
	if fe := (*lake.FieldError)(nil); errors.As(err, &fe) {
		d.Field, d.Reason = fe.Field, fe.Reason
	}
	k.letters = append(k.letters, d)
}

// isBlank tells a line of white space.
func isBlank(line []byte) bool {
	for _, c := range line {
		if c != ' ' && c != '\t' && c != '\r' && c != '\f' && c != '\v' {
			return false
		}
	}
	return true
}
