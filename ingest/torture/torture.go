// Package torture starts the program's own server again and again, sends it events from several clients, kills it at random moments and in
// the middle of its most delicate work, and keeps the books of what was acknowledged. In the end it holds the books against every place that
// has the events: SQL, the raw lines, the Parquet files, the minutes and the dead letters.
//
// A killed process keeps its page cache: what torture proves is the order of the program's writes and its recovery, not that the disk was
// told to sync. The crash tests of package lake, on a disk that forgets, are for that.
package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signallake/signallake/lake"
)

// Config says what to torture, and how. Program, Dir, Kills, Events, Open and Outside are required.
type Config struct {
	Program string   // the program whose `serve` is started
	Serve   []string // further arguments of `serve`
	Dir     string   // the scratch lake's folder: empty or not there

	Seed    uint64        // same seed: same sizes, moments and order of kills, as far as the machine's own timing lets them be the same
	Kills   int           // how often the server is killed
	Events  int64         // to be acknowledged over the whole run, at least
	Clients int           // 0: 8
	Batch   int           // events of a large request; 0: 500
	Stops   int           // how often the server is stopped (SIGSTOP) and goes on
	StopFor time.Duration // for how long; 0: 30 s
	Fulls   int           // how often the disk becomes full; needs Fill
	Timeout time.Duration // after which a client takes a request for unanswered; 0: 10 s, and well below StopFor

	Now func() time.Time // of the events' timestamps; nil: time.Now
	// Fill takes all of the scratch lake's disk but so many bytes away from the server, process pid, until free is called.
	Fill func(pid int, leave int64) (free func() error, err error)
	// Open opens the lake for questions, in another process than the server.
	Open func(ctx context.Context) (Reader, error)
	// Outside runs a statement in a DuckDB that knows nothing of the lake.
	Outside func(ctx context.Context, text string) ([][]any, error)

	Progress *lake.Progress          // nil: nobody looks
	Say      func(string)            // is told of each kill and check; nil: nobody listens
	Env      func(life int) []string // further environment of the server in its n-th life, from 0; nil: none
}

// Reader answers statements over the lake.
type Reader interface {
	Ask(ctx context.Context, text string) ([][]any, error)
	Close() error
}

const (
	defaultClients = 8
	maxClients     = 64 // their names have two digits
	defaultBatch   = 500
	defaultStopFor = 30 * time.Second
	defaultTimeout = 10 * time.Second
	// checkEvery is how many kills lie between two looks at the whole lake while no server runs.
	checkEvery = 5
	// stuckAfter is how long the clients may get no acknowledgement before the run is given up: above the longest Retry-After and timeout.
	stuckAfter = 2 * time.Minute
)

func (c Config) withDefaults() Config {
	orDefault(&c.Clients, defaultClients)
	orDefault(&c.Batch, defaultBatch)
	orDefault(&c.StopFor, defaultStopFor)
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
		if c.Stops > 0 { // or nobody would run into it
			c.Timeout = min(c.Timeout, c.StopFor/3)
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Say == nil {
		c.Say = func(string) {}
	}
	if c.Env == nil {
		c.Env = func(int) []string { return nil }
	}
	return c
}

func orDefault[T int | time.Duration](value *T, otherwise T) {
	if *value == 0 {
		*value = otherwise
	}
}

// Validate names the first value that cannot work, and the way out.
func (c Config) Validate() error {
	switch {
	case c.Kills < 1:
		return fmt.Errorf("torture: %d kills: want at least one", c.Kills)
	case c.Events < 1:
		return fmt.Errorf("torture: %d events: want at least one", c.Events)
	case c.Clients < 0 || c.Clients > maxClients:
		return fmt.Errorf("torture: %d clients: want 1 to %d", c.Clients, maxClients)
	case c.Batch < 0 || c.Batch > maxBatch:
		return fmt.Errorf("torture: batches of %d events: want 1 to %d", c.Batch, maxBatch)
	case c.Stops < 0 || c.Fulls < 0 || c.StopFor < 0 || c.Timeout < 0:
		return errors.New("torture: stops, full disks and times must not be negative")
	}
	return nil
}

// run is one torture at work.
type run struct {
	cfg    Config
	random *rand.Rand // of the moments; each client has its own
	books  *books
	report *Report
	child  *child
	addr   string
	lives  int
	owed   int // kills at checkpoints that are to be made when one is near

	judging sync.Mutex
	told    map[string]bool // clients of whose counts something wrong was told

	clients sync.WaitGroup
	hold    atomic.Pointer[[]int64] // while it is set, a client that has more events acknowledged than it says sends nothing
	finish  chan struct{}           // closed when the clients are to end with the request at hand
}

// Run tortures. The error is for what kept it from coming to a judgement; what it found is in the report. No server of it runs when it returns.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Fulls > 0 && cfg.Fill == nil {
		return nil, errors.New("torture: a full disk was asked for, and there is no way to fill it")
	}
	cfg = cfg.withDefaults()
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("torture: %w", err)
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, fmt.Errorf("torture: %w", err)
	}
	r := &run{cfg: cfg, random: rand.New(rand.NewPCG(cfg.Seed, 0)), books: newBooks(cfg.Clients), report: newReport(cfg), addr: addr, told: map[string]bool{}, finish: make(chan struct{})}
	started := time.Now()
	if err := r.torment(ctx); err != nil {
		return nil, fmt.Errorf("torture: %w", err)
	}
	if err := r.prove(ctx); err != nil {
		return nil, fmt.Errorf("torture: %w", err)
	}
	r.report.conclude(time.Since(started))
	return r.report, nil
}

// torment is the run up to the last kill: all requests are answered or given up, and no server runs.
func (r *run) torment(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	watch := newWatch(r)
	defer func() {
		cancel()
		if r.child != nil {
			err = errors.Join(err, r.child.kill())
		}
		r.clients.Wait()
		watch.wait()
	}()
	r.cfg.Progress.Start("torture: acknowledged events", r.cfg.Events)
	if err := r.start(ctx); err != nil { // once in peace: the lake is there for the reader
		return err
	}
	for i := range r.cfg.Clients {
		c := newClient(r, i)
		r.clients.Go(func() { c.torment(ctx) })
	}
	watch.start(ctx)
	trials := plan(r.cfg, r.random)
	for i, t := range trials {
		if err := r.trial(ctx, t); err != nil {
			return fmt.Errorf("%s %d of %d: %w", t.kind, i+1, len(trials), err)
		}
	}
	r.report.Missed += r.owed
	return r.end(ctx)
}

// end lets the clients get their last answers, and kills the server a last time: what is proved then, nobody has mended yet.
func (r *run) end(ctx context.Context) error {
	if err := r.revive(ctx); err != nil {
		return err
	}
	if err := r.await(ctx, func() bool { return r.books.acked() >= r.cfg.Events }); err != nil {
		return err
	}
	close(r.finish)
	done := make(chan struct{})
	go func() { r.clients.Wait(); close(done) }()
	if err := r.await(ctx, func() bool { return isClosed(done) }); err != nil {
		return err
	}
	return r.kill(Random)
}

// await waits until a condition holds. It gives up when the server ends by itself or no client gets anything acknowledged any more.
func (r *run) await(ctx context.Context, condition func() bool) error {
	return r.awaitEvery(ctx, pollEvery, condition)
}

// awaitEvery is await for a condition that is to be looked at so often.
func (r *run) awaitEvery(ctx context.Context, every time.Duration, condition func() bool) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	acked, moved := r.books.acked(), time.Now()
	for {
		if condition() {
			return nil
		}
		if now := r.books.acked(); now != acked {
			r.cfg.Progress.Add(now - acked)
			acked, moved = now, time.Now()
		}
		if time.Since(moved) > stuckAfter+r.cfg.StopFor {
			return fmt.Errorf("nothing was acknowledged for %v; the server's newest answers: %s", stuckAfter, r.report.newestRefusal())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.child.gone:
			return fmt.Errorf("the server ended by itself: %s", r.child.lastWords())
		case <-tick.C:
		}
	}
}

// isClosed tells whether a channel on which nothing is ever sent is closed.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// pause waits for so long; false: ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
