package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/signallake/signallake/ingest/load"
)

const (
	visibleRate = 50_000 // events a second
	// visibleRound is how long a round lasts: with five of them, conversions come in between.
	visibleRound = 2 * time.Second
	// visibleHeld is the share of the pace that counts as held.
	visibleHeld = 0.95
	// askEvery is the rest between two questions of who waits for the events; half of it is in every figure.
	askEvery = 10 * time.Millisecond
)

// measureVisible sends events at a steady pace to a server, and asks it all the while how many there are. A request's events are visible with the first
// answer that counts them.
func measureVisible(ctx context.Context, c *corpus, o *outcome) (err error) {
	m, err := newSending(ctx, c)
	if err != nil {
		return err
	}
	dir, remove, err := c.scratch("visible")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	s, err := c.serve(ctx, dir)
	if err != nil {
		return err
	}
	defer s.kill()
	perSecond := float64(visibleRate) / float64(m.perBody)
	aRound := max(1, int(perSecond*visibleRound.Seconds()))
	w := newWaiting(m, (1+c.cfg.Rounds)*aRound)
	c.cfg.Progress.Start(c.stage+": requests", int64(len(w.acked)))
	stop := w.watch(ctx, s)
	started := time.Now()
	result, err := load.Run(ctx, load.Config{Addr: s.addr, Requests: m.requests, Clients: 1, Count: len(w.acked), PerSec: perSecond, Acked: func(number int, at time.Time) {
		w.ack(number, at)
		c.cfg.Progress.Add(1)
	}})
	took := time.Since(started)
	seen, watchErr := stop()
	if err := errors.Join(err, watchErr); err != nil {
		return errors.Join(err, ctx.Err())
	}
	lags := w.lags(seen)
	all := sorted(lags[aRound:])
	samples := make([]float64, 0, c.cfg.Rounds)
	for round := 1; round <= c.cfg.Rounds; round++ { // the first one warms up
		samples = append(samples, quantile(sorted(lags[round*aRound:(round+1)*aRound]), 0.95))
	}
	f := o.add("visible", samples, nil).equal(result.Events == int64(len(w.acked)*m.perBody) && seen[len(seen)-1].events == w.upTo[len(w.upTo)-1])
	f.note("over all %d requests: p50 %.0f ms, p95 %.0f ms, p99 %.0f ms, worst %.0f ms", len(all), quantile(all, 0.5), quantile(all, 0.95), quantile(all, 0.99), all[len(all)-1])
	f.note("%.0f events a second came through; %d questions over HTTP, each for the events of one service by hour, %v apart", float64(result.Events)/took.Seconds(), len(seen), askEvery)
	if float64(result.Events)/took.Seconds() < visibleHeld*visibleRate {
		f.note("the machine did not hold the pace: it had other work, or the server was too slow")
	}
	return s.terminate(ctx)
}

// waiting is when requests were acknowledged, and how many events of the service that is asked about there are then.
type waiting struct {
	service string
	upTo    []int64 // by number of the request: one client sends them in order

	mu    sync.Mutex
	acked []time.Time // by number of the request
}

func newWaiting(m *sending, requests int) *waiting {
	w := &waiting{service: m.service, upTo: make([]int64, requests), acked: make([]time.Time, requests)}
	member, n := []byte(`"service_name":"`+m.service+`"`), int64(0)
	for i := range w.upTo {
		n += int64(bytes.Count(m.bodies[i%len(m.bodies)], member))
		w.upTo[i] = n
	}
	return w
}

// sight is one answer.
type sight struct {
	at     time.Time
	events int64
}

func (w *waiting) ack(number int, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acked[number] = at
}

// watch asks until stop is called, and then once more for what came last.
func (w *waiting) watch(ctx context.Context, s *server) (stop func() ([]sight, error)) {
	ended := make(chan struct{})
	var watching sync.WaitGroup
	var seen []sight
	var failed error
	watching.Go(func() {
		for last := false; !last && failed == nil && ctx.Err() == nil; {
			select {
			case <-ended:
				last = true
			case <-time.After(askEvery):
			}
			n, err := countEvents(ctx, s.addr, w.service)
			if err != nil {
				failed = fmt.Errorf("ask for what came in: %w", err)
			}
			seen = append(seen, sight{time.Now(), n})
		}
	})
	return func() ([]sight, error) { close(ended); watching.Wait(); return seen, failed }
}

// lags are the milliseconds from each acknowledgement to the first answer that has the request's events. Answers never go back, else something was lost.
func (w *waiting) lags(seen []sight) []float64 {
	lags := make([]float64, len(w.acked))
	for i, at := range w.acked {
		k := sort.Search(len(seen), func(k int) bool { return seen[k].events >= w.upTo[i] })
		if k == len(seen) {
			k--
		}
		lags[i] = max(0, milliseconds(seen[k].at.Sub(at)))
	}
	return lags
}
