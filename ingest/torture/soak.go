package torture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/signallake/signallake/lake"
)

// SoakConfig says how long a server is held under load. Program, Dir and Open are required.
type SoakConfig struct {
	Program  string
	Serve    []string // further arguments of `serve`
	Dir      string   // the scratch lake's folder: empty or not there
	For      time.Duration
	Overload time.Duration // how long four times its full load comes; 0: not at all
	Batch    int           // events of a request; 0: 500

	Open     func(ctx context.Context) (Reader, error) // opens the lake for questions, in another process than the server
	Progress *lake.Progress                            // of seconds; nil: nobody looks
	Say      func(string)                              // is told of each phase; nil: nobody listens
}

const (
	// longestPeak is how long the full load is measured at most: as many events as the senders get acknowledged, each waiting for its answer.
	longestPeak = 20 * time.Second
	peakSenders = 16
	// halfSenders are enough that a request never waits for a free one at half load; overSenders that four times the load can be tried.
	halfSenders = 64
	overSenders = 256
	overFactor  = 4
	// calmFor is how long half the load comes again after the overload, at most, and calmWithin how soon it must be as before.
	calmFor    = 20 * time.Second
	calmWithin = 5 * time.Second
	// calmFactor: as before is when the waits of a second are at most so many times the half load's. One second's p99 is of a few dozen requests.
	calmFactor = 3
)

// Soak holds a server under half of its full load, then under four times the full load, then under half of it again, and watches its memory,
// goroutines and descriptors. The error is for what kept it from coming to a judgement; what it found is in the report.
func Soak(ctx context.Context, cfg SoakConfig) (*SoakReport, error) {
	if cfg.For <= 0 || cfg.Overload < 0 || cfg.Batch < 0 || cfg.Batch > maxBatch {
		return nil, fmt.Errorf("soak: want a time above 0, and batches of at most %d events", maxBatch)
	}
	orDefault(&cfg.Batch, defaultBatch)
	if cfg.Say == nil {
		cfg.Say = func(string) {}
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("soak: %w", err)
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, fmt.Errorf("soak: %w", err)
	}
	child, err := startChild(&Config{Program: cfg.Program, Serve: cfg.Serve, Dir: cfg.Dir, Env: func(int) []string { return nil }}, addr, 0)
	if err != nil {
		return nil, fmt.Errorf("soak: %w", err)
	}
	s := &soak{cfg: cfg, addr: addr, child: child, report: &SoakReport{BatchEvents: cfg.Batch}}
	err = s.run(ctx)
	if killed := child.kill(); err == nil {
		err = killed
	}
	if err != nil {
		return nil, fmt.Errorf("soak: %w", err)
	}
	s.report.conclude()
	return s.report, nil
}

// soak is one at work.
type soak struct {
	cfg    SoakConfig
	addr   string
	child  *child
	report *SoakReport
	sent   int64 // requests made, for ids
}

func (s *soak) run(ctx context.Context) error {
	if err := s.child.waitReady(ctx); err != nil {
		return err
	}
	peak, calm := min(longestPeak, s.cfg.For), max(2*calmWithin, min(calmFor, s.cfg.For))
	s.cfg.Progress.Start("soak: seconds", int64((peak + s.cfg.For + s.cfg.Overload + calm).Seconds()))
	full, err := s.phase(ctx, "full load", load{lasts: peak, senders: peakSenders})
	if err != nil {
		return err
	}
	if full.Acked == 0 {
		return fmt.Errorf("nothing was acknowledged in %v: %s", peak, full.refusal())
	}
	perSec := full.AckedPerS / float64(s.cfg.Batch)
	half, err := s.phase(ctx, "half of it", load{lasts: s.cfg.For, senders: halfSenders, perSec: perSec / 2})
	if err != nil {
		return err
	}
	s.report.Full, s.report.Half = full, half
	if s.cfg.Overload > 0 {
		if s.report.Over, err = s.phase(ctx, "four times as much", load{lasts: s.cfg.Overload, senders: overSenders, perSec: overFactor * perSec}); err != nil {
			return err
		}
		if s.report.Calm, err = s.phase(ctx, "half again", load{lasts: calm, senders: halfSenders, perSec: perSec / 2}); err != nil {
			return err
		}
		s.report.CalmAfterS = s.report.Calm.calmAfter(half.P99MS * calmFactor)
	}
	return s.count(ctx)
}

// phase puts one load on the server and watches it meanwhile.
func (s *soak) phase(ctx context.Context, name string, l load) (*Phase, error) {
	s.cfg.Say(fmt.Sprintf("%s for %v", name, l.lasts))
	l.addr, l.batch, l.from = s.addr, s.cfg.Batch, s.sent
	watched, cancel := context.WithCancel(ctx)
	samples := make(chan []Sample, 1)
	go func() { samples <- s.watch(watched) }()
	p := l.put(ctx)
	cancel()
	p.Name, p.Samples = name, <-samples
	s.sent += p.begun
	if isClosed(s.child.gone) {
		return nil, fmt.Errorf("under %s the server ended by itself: %s", name, s.child.lastWords())
	}
	return p, ctx.Err()
}

// count ends the server in order and holds what the lake has against what was acknowledged.
func (s *soak) count(ctx context.Context) error {
	if err := s.child.terminate(ctx); err != nil {
		return err
	}
	reader, err := s.cfg.Open(ctx)
	if err != nil {
		return err
	}
	rows, err := reader.Ask(ctx, "SELECT count(*), count(DISTINCT event_id) FROM events")
	if err = errors.Join(err, reader.Close()); err != nil {
		return err
	}
	var ok1, ok2 bool
	s.report.Events, ok1 = rows[0][0].(int64)
	s.report.Distinct, ok2 = rows[0][1].(int64)
	if !ok1 || !ok2 {
		return fmt.Errorf("count the events: %v", rows[0])
	}
	return nil
}
