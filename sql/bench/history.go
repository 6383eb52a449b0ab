package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Keep is how many reports a history holds: with 168 samples a rung that is a few MB.
const Keep = 200

// Kept is a report of one suite, as histories know it: R is its type, the methods are its pointer's.
type Kept[R any] interface {
	*R
	Known() bool              // its JSON has the format of this release
	When() time.Time          // which tells it from every other one of its history
	Comparable(other *R) bool // both asked the same of the same on the same kind of machine; the programs' versions may differ
}

// Decode reads a history, one report a line, oldest first as the file has it, and returns it newest first. Lines that are damaged, or written by a
// newer release, are passed over.
func Decode[R any, P Kept[R]](lines []byte) []R {
	var reports []R
	for line := range bytes.Lines(lines) {
		var r R
		if err := json.Unmarshal(line, &r); err == nil && P(&r).Known() {
			reports = append(reports, r)
		}
	}
	slices.Reverse(reports)
	return reports
}

// Append adds a report to a history's lines, and drops the oldest ones over Keep. Lines that it does not understand stay as they are.
func Append[R any, P Kept[R]](lines []byte, r P) ([]byte, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write a report: %w", err)
	}
	var all [][]byte
	for old := range bytes.Lines(lines) {
		if old = bytes.TrimSpace(old); len(old) > 0 {
			all = append(all, old)
		}
	}
	all = append(all, line)
	all = all[max(0, len(all)-Keep):]
	return append(bytes.Join(all, []byte("\n")), '\n'), nil
}

// Previous is the newest report of a history (newest first) that r can be compared with; nil when there is none. r itself is passed over.
func Previous[R any, P Kept[R]](history []R, r P) P {
	for i := range history {
		if h := P(&history[i]); h.When().Before(r.When()) && r.Comparable(h) {
			return h
		}
	}
	return nil
}

// Known tells whether the report's JSON has this release's format.
func (r *Report) Known() bool { return r.Format == Format }

// When is when the run ended.
func (r *Report) When() time.Time { return r.At }

// Comparable tells whether two reports asked the same of the same: shape of the data, and the machine's processor and memory. The programs'
// versions may differ: how they compare is what one wants to know.
func (r *Report) Comparable(other *Report) bool {
	a, b := &r.Data, &other.Data
	return a.Scratch == b.Scratch && a.Events == b.Events && a.Services == b.Services && a.Days == b.Days && a.Pairs == b.Pairs && a.Seed == b.Seed &&
		sameMachine(&r.Machine, &other.Machine)
}

func sameMachine(a, b *Machine) bool {
	return a.CPU == b.CPU && a.Cores == b.Cores && a.Threads == b.Threads && a.Memory>>30 == b.Memory>>30
}

// Known tells whether the report's JSON has this release's format.
func (p *Pipeline) Known() bool { return p.Format == PipelineFormat }

// When is when the run ended.
func (p *Pipeline) When() time.Time { return p.At }

// Comparable tells whether two reports measured stages on lakes of one size on the same kind of machine, and whether the other one has half of this
// one's lines at least: a run of one stage says too little about a run of all.
func (p *Pipeline) Comparable(other *Pipeline) bool {
	shared := 0
	for i := range p.Lines {
		if other.Find(&p.Lines[i]) != nil {
			shared++
		}
	}
	return p.Events == other.Events && sameMachine(&p.Machine, &other.Machine) && shared > 0 && 2*shared >= len(p.Lines)
}
