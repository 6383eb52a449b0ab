package lake

import "sync/atomic"

// Progress is how a long operation tells where it stands. The operation stores, a screen or a log samples it whenever it likes; there are
// no messages. The zero value is ready; a nil *Progress may be reported to and is ignored.
type Progress struct {
	done, total atomic.Int64
	stage       atomic.Pointer[string]
}

// ProgressSnapshot is one sample. Total is 0 while unknown; Done and Total have the unit that Stage names (events unless it says otherwise).
type ProgressSnapshot struct {
	Stage       string
	Done, Total int64
}

// Start names the stage at hand and sets its extent, with nothing done yet.
func (p *Progress) Start(stage string, total int64) {
	if p == nil {
		return
	}
	p.done.Store(0)
	p.total.Store(total)
	p.stage.Store(&stage)
}

// Add counts n more units as done.
func (p *Progress) Add(n int64) {
	if p != nil {
		p.done.Add(n)
	}
}

// Snapshot samples the progress.
func (p *Progress) Snapshot() ProgressSnapshot {
	if p == nil {
		return ProgressSnapshot{}
	}
	s := ProgressSnapshot{Done: p.done.Load(), Total: p.total.Load()}
	if stage := p.stage.Load(); stage != nil {
		s.Stage = *stage
	}
	return s
}
