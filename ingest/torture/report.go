package torture

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Report is what a run did and found. Its keys are an API.
type Report struct {
	OK       bool           `json:"ok"`
	Seed     uint64         `json:"seed"`
	Clients  int            `json:"clients"`
	Kills    map[string]int `json:"kills"`            // by kind
	Missed   int            `json:"missed,omitempty"` // kills whose moment did not come, made at a random one
	Stops    int            `json:"stops,omitempty"`
	Fulls    int            `json:"fulls,omitempty"`
	Restarts int            `json:"restarts"`

	Acked      int64         `json:"acked"`      // events
	Abandoned  int64         `json:"abandoned"`  // events whose request was given up without an answer
	Rejected   int64         `json:"rejected"`   // lines, as they should be
	Requests   int64         `json:"requests"`   // answered, each try of them
	Unanswered int64         `json:"unanswered"` // tries that were sent
	Unreached  int64         `json:"unreached"`  // tries while nobody listened
	Statuses   map[int]int64 `json:"statuses"`   // answers by status
	Duplicates int64         `json:"duplicates"` // events that were answered as duplicates
	Replayed   int64         `json:"replayed"`   // answers that were an earlier try's, by the request's key

	RecoveryMS Spread `json:"recovery_ms"`        // from a server's start to its first acknowledgement
	ResumeMS   Spread `json:"resume_ms,omitzero"` // from SIGCONT, or room on the disk, until every client was acknowledged again
	Looks      int    `json:"looks"`              // of the reader that watched, in another process
	Checks     int    `json:"checks"`             // of the whole lake while no server ran

	Findings []Finding `json:"findings"`
	Letters  Letters   `json:"letters"`
	Lost     int64     `json:"lost"`    // the most of any finding
	Doubled  int64     `json:"doubled"` // the most of any finding
	Problems []string  `json:"problems"`

	Events    int64   `json:"events"` // in the lake, in the end
	Days      int64   `json:"days"`   // of their timestamps, by the partitions
	ElapsedS  float64 `json:"elapsed_s"`
	AckedPerS float64 `json:"acked_per_s"` // while a server ran or was starting

	mu      sync.Mutex
	skipped int
	refusal string // the newest answer that was no acknowledgement
	recover []time.Duration
	resume  []time.Duration
	sending time.Duration
}

// Spread is of several durations.
type Spread struct {
	Median float64 `json:"median"`
	Worst  float64 `json:"worst"`
}

// maxProblems bounds the report.
const maxProblems = 20

func newReport(cfg Config) *Report {
	return &Report{Seed: cfg.Seed, Clients: cfg.Clients, Kills: map[string]int{}, Statuses: map[int]int64{}, Problems: []string{}, Findings: []Finding{}}
}

func (r *Report) problem(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.Problems) == maxProblems {
		r.skipped++
		return
	}
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

func (r *Report) abandon(q *request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Abandoned += int64(q.good())
}

func (r *Report) noAnswer() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Unanswered++
}

func (r *Report) nobody() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Unreached++
}

func (r *Report) status(code int, text []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Requests++
	r.Statuses[code]++
	if code != http.StatusOK && code != http.StatusUnprocessableEntity {
		r.refusal = fmt.Sprintf("%d %.300s", code, text)
	}
}

func (r *Report) answer(a *answer, replayed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if replayed {
		r.Replayed++
	}
	r.Duplicates += int64(a.Duplicate)
	r.Rejected += int64(a.Rejected)
}

func (r *Report) refusals() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Statuses[http.StatusServiceUnavailable] + r.Statuses[http.StatusTooManyRequests]
}

func (r *Report) newestRefusal() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refusal == "" {
		return "none"
	}
	return r.refusal
}

func (r *Report) count(fn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fn()
}

// conclude computes what follows from the rest. Nobody is at work any more.
func (r *Report) conclude(elapsed time.Duration) {
	r.RecoveryMS, r.ResumeMS = spreadOf(r.recover), spreadOf(r.resume)
	for i := range r.Findings {
		f := &r.Findings[i]
		r.Lost, r.Doubled = max(r.Lost, f.Lost), max(r.Doubled, f.Doubled)
		if !f.ok() {
			r.Problems = append(r.Problems, f.words())
		}
	}
	if l := &r.Letters; l.Lost+l.Doubled+l.Strange > 0 {
		r.Problems = append(r.Problems, fmt.Sprintf("dead letters: %d lost, %d kept again without reason, %d that nobody sent: %s", l.Lost, l.Doubled, l.Strange, strings.Join(l.Example, "; ")))
	}
	if r.skipped > 0 {
		r.Problems = append(r.Problems, fmt.Sprintf("%d more problems", r.skipped))
	}
	r.ElapsedS = elapsed.Seconds()
	if r.sending > 0 {
		r.AckedPerS = float64(r.Acked) / r.sending.Seconds()
	}
	r.OK = len(r.Problems) == 0
}

func spreadOf(all []time.Duration) Spread {
	if len(all) == 0 {
		return Spread{}
	}
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return Spread{ms(all[len(all)/2]), ms(all[len(all)-1])}
}

// words are a finding that is not as it should be.
func (f *Finding) words() string {
	text := fmt.Sprintf("%s: %d acknowledged events lost, %d doubled", f.Source, f.Lost, f.Doubled)
	if f.AfterRetry > 0 {
		text += fmt.Sprintf(" (%d of them where requests were sent again)", f.AfterRetry)
	}
	if f.Wrong > 0 {
		text += fmt.Sprintf(", %d blocks say something else than was sent", f.Wrong)
	}
	if f.Strange > 0 {
		text += fmt.Sprintf(", %d rows that nobody sent", f.Strange)
	}
	if len(f.Examples) > 0 {
		text += ": " + strings.Join(f.Examples, "; ")
	}
	return text
}

// String is the report for people.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "kills     %s%s\n", r.kills(), ifAny(r.Missed, "; %d of them at another moment than they were meant for"))
	fmt.Fprintf(&b, "acked     %d events in %d answered requests; %d tries without an answer; %d events answered as duplicates, %d requests from memory of their key\n",
		r.Acked, r.Requests, r.Unanswered, r.Duplicates, r.Replayed)
	fmt.Fprintf(&b, "lost      %d\ndoubled   %d\n", r.Lost, r.Doubled)
	fmt.Fprintf(&b, "restarts  %d; from start to first acknowledgement %.0f ms (median), %.0f ms (worst)\n", r.Restarts, r.RecoveryMS.Median, r.RecoveryMS.Worst)
	if r.Stops+r.Fulls > 0 {
		fmt.Fprintf(&b, "faults    %d times stopped, %d times out of disk; every client acknowledged again after %.0f ms (median), %.0f ms (worst)\n", r.Stops, r.Fulls, r.ResumeMS.Median, r.ResumeMS.Worst)
	}
	fmt.Fprintf(&b, "proved    in %s; a reader in another process looked %d times, %d checks between two lives; %d days\n", r.sources(), r.Looks, r.Checks, r.Days)
	fmt.Fprintf(&b, "letters   %d rejected lines kept%s\n", r.Letters.Kept, ifAny(int(r.Letters.Again), "; %d of them again, since their request was sent again"))
	fmt.Fprintf(&b, "time      %.1f s, %.0f events a second acknowledged; --seed %d repeats it\n", r.ElapsedS, r.AckedPerS, r.Seed)
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "PROBLEM   %s\n", p)
	}
	return b.String()
}

// kills are the kinds with their numbers, in the order of Kind.
func (r *Report) kills() string {
	total := 0
	var kinds []string
	for k := Kind(0); k < killKinds; k++ {
		if n := r.Kills[k.String()]; n > 0 {
			total += n
			kinds = append(kinds, fmt.Sprintf("%d %s", n, k.moment()))
		}
	}
	return fmt.Sprintf("%d: %s", total, strings.Join(kinds, ", "))
}

func (r *Report) sources() string {
	var names []string
	for i := range r.Findings {
		names = append(names, fmt.Sprintf("%s (%d)", r.Findings[i].Source, r.Findings[i].Events))
	}
	return strings.Join(names, ", ")
}

func ifAny(n int, format string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(format, n)
}
