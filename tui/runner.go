package tui

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
)

// Work is what a task runs. It reports through progress and ends soon after ctx does; its summary says what it did and what to do next.
type Work func(ctx context.Context, progress *lake.Progress) (summary string, err error)

// State is where a job stands.
type State int

const (
	Running State = iota
	Cancelling
	Done
	Cancelled
	Failed
)

// lead is where an ended task leads on to.
type lead struct {
	label string
	open  func() tea.Cmd
	ended func(s State) tea.Cmd // once a run has ended so; nil: nothing is to be done
}

// Runner owns the goroutines of the long tasks. Close stops and waits for all of them.
type Runner struct {
	ctx    context.Context
	cancel context.CancelFunc
	now    func() time.Time
	wg     sync.WaitGroup

	mu     sync.Mutex // guards what follows
	jobs   []*Job     // oldest first
	nextID int
	closed bool
}

// Job is one run of a task.
type Job struct {
	ID      int
	Title   string
	Started time.Time

	work     Work
	lead     *lead // nil: the summary says all
	progress lake.Progress
	cancel   context.CancelFunc
	done     chan struct{}

	mu      sync.Mutex // guards what follows
	state   State
	ended   time.Time
	summary string
	log     []LogLine
	stage   string    // the newest stage that was sampled
	since   time.Time // when the stage was first seen
}

// LogLine is a line of a job's log.
type LogLine struct {
	At   time.Time
	Text string
}

// JobView is a job at one moment; immutable.
type JobView struct {
	ID       int
	Title    string
	State    State
	Started  time.Time
	Elapsed  time.Duration
	Progress lake.ProgressSnapshot
	Rate     float64       // units a second in this stage; 0 while unknown
	ETA      time.Duration // of this stage; 0 while unknown
	Summary  string        // of a finished job: what it did, or why not
	Log      []LogLine
	lead     *lead
}

// Ended tells whether nothing of the job runs any more.
func (v JobView) Ended() bool { return v.State >= Done }

// NewRunner is a runner whose jobs end with ctx.
func NewRunner(ctx context.Context, now func() time.Time) *Runner {
	ctx, cancel := context.WithCancel(ctx)
	return &Runner{ctx: ctx, cancel: cancel, now: now}
}

// Start runs work in a goroutine of its own. After Close it returns nil.
func (r *Runner) Start(title string, work Work) *Job { return r.start(title, work, nil) }

func (r *Runner) start(title string, work Work, next *lead) *Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.nextID++
	ctx, cancel := context.WithCancel(r.ctx)
	j := &Job{ID: r.nextID, Title: title, Started: r.now(), work: work, lead: next, cancel: cancel, done: make(chan struct{})}
	j.log = []LogLine{{j.Started, "started: " + title}}
	r.jobs = append(r.jobs, j)
	r.wg.Add(1)
	go r.run(ctx, j)
	return j
}

func (r *Runner) run(ctx context.Context, j *Job) {
	defer r.wg.Done()
	defer close(j.done)
	defer j.cancel()
	summary, err := guarded(ctx, j)
	now := r.now()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = now
	switch {
	case err == nil:
		j.state, j.summary = Done, summary
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		j.state, j.summary = Cancelled, "cancelled; nothing half-done is visible"
		if done, ok := strings.CutSuffix(err.Error(), ": "+context.Canceled.Error()); ok { // the work says what it leaves
			j.summary = "cancelled: " + done
		}
	default:
		j.state, j.summary = Failed, err.Error()
	}
	j.log = append(j.log, LogLine{now, j.summary})
}

// guarded runs the work; a panic in it ends the job and not the program.
func guarded(ctx context.Context, j *Job) (summary string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a bug ended this task: %v\n%s", p, debug.Stack())
		}
	}()
	return j.work(ctx, &j.progress)
}

// Cancel asks a job to end.
func (r *Runner) Cancel(id int) bool {
	j := r.job(id)
	if j == nil {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state != Running {
		return false
	}
	j.state = Cancelling
	j.log = append(j.log, LogLine{r.now(), "asked to stop"})
	j.cancel()
	return true
}

// Again starts a new run of an ended job.
func (r *Runner) Again(id int) *Job {
	j := r.job(id)
	if j == nil {
		return nil
	}
	return r.start(j.Title, j.work, j.lead)
}

func (r *Runner) job(id int) *Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, j := range r.jobs {
		if j.ID == id {
			return j
		}
	}
	return nil
}

// Snapshot samples every job, newest first.
func (r *Runner) Snapshot() []JobView {
	r.mu.Lock()
	jobs := slices.Clone(r.jobs)
	r.mu.Unlock()
	now := r.now()
	views := make([]JobView, 0, len(jobs))
	for i := len(jobs) - 1; i >= 0; i-- {
		views = append(views, jobs[i].view(now))
	}
	return views
}

func (j *Job) view(now time.Time) JobView {
	p := j.progress.Snapshot()
	j.mu.Lock()
	defer j.mu.Unlock()
	if p.Stage != j.stage && j.state <= Cancelling {
		if j.since = now; j.stage == "" {
			j.since = j.Started
		}
		j.stage = p.Stage
		j.log = append(j.log, LogLine{now, p.Stage})
	}
	v := JobView{ID: j.ID, Title: j.Title, State: j.state, Started: j.Started, Progress: p, Summary: j.summary, Log: slices.Clone(j.log), lead: j.lead}
	v.Elapsed = now.Sub(j.Started)
	if v.Ended() {
		v.Elapsed = j.ended.Sub(j.Started)
		return v
	}
	if in := now.Sub(j.since).Seconds(); in > 0 && p.Done > 0 {
		v.Rate = float64(p.Done) / in
		if p.Total > p.Done {
			v.ETA = time.Duration(float64(p.Total-p.Done) / v.Rate * float64(time.Second))
		}
	}
	return v
}

// Close cancels every job and waits until none runs.
func (r *Runner) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.wg.Wait()
}
