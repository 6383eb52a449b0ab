// Package load puts a server under load and says what it acknowledged: clients with one connection and one request at a time each, requests that
// are made beforehand, answers read no further than to the counts in them. It is as small as a client can be, because where it runs beside the server
// the processors' time is to be the server's. It judges nothing of what was sent; ingest/torture does.
package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config says what to send. Addr and Requests are needed, the rest has defaults.
type Config struct {
	Addr     string        // host:port of a server without TLS
	Requests []Request     // made by NewRequest; they are sent in their order and again from the first, each by whichever client is free
	Clients  int           // connections; 0: 1
	Count    int           // requests to send in all; 0: each of Requests once
	PerSec   float64       // requests that are begun in a second; 0: as many as are answered
	Patience time.Duration // how long an answer may take; 0: 30 s
	// Acked is called for each acknowledged request, by its client's goroutine: its number, from 0, and when the answer was read. nil: nobody asks.
	Acked func(number int, at time.Time)
}

// defaultPatience is for a disk that has fallen asleep, not for one that is slow.
const defaultPatience = 30 * time.Second

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	switch {
	case c.Addr == "":
		return errors.New("load: no address to send to")
	case len(c.Requests) == 0:
		return errors.New("load: nothing to send")
	case c.Clients < 0 || c.Count < 0 || c.PerSec < 0 || c.Patience < 0:
		return fmt.Errorf("load: %d clients, %d requests, %g a second, patience %v: none may be negative", c.Clients, c.Count, c.PerSec, c.Patience)
	}
	return nil
}

// Result is what became of a load.
type Result struct {
	Requests   int             // acknowledged
	Events     int64           // stored, as the answers say
	Duplicates int64           // events that were there already
	Rejected   int64           // events that break the contract
	Bytes      int64           // of the acknowledged bodies
	Refusals   int             // answers 429 and 503: each such request was sent again, after the time that the server asked for
	Took       time.Duration   // from the first request to the last answer
	Waits      []time.Duration // of the acknowledged requests, shortest first: from when each was sent for good (with PerSec: was due) to its answer
}

// PerSec is how many events were stored in a second.
func (r *Result) PerSec() float64 { return float64(r.Events) / r.Took.Seconds() }

// Wait is a percentile of the waits, 0 <= p <= 1; 0 when there are none.
func (r *Result) Wait(p float64) time.Duration {
	if len(r.Waits) == 0 {
		return 0
	}
	return r.Waits[int(p*float64(len(r.Waits)-1))]
}

// Run sends the load and waits until all of it is acknowledged. It ends at the first answer that is neither an acknowledgement nor a request to
// come again, at a connection that breaks, and with ctx; what was acknowledged until then is in the result, which is never nil but for a bad Config.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Clients = max(1, cfg.Clients)
	if cfg.Count == 0 {
		cfg.Count = len(cfg.Requests)
	}
	if cfg.Patience == 0 {
		cfg.Patience = defaultPatience
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	clients := make([]*client, cfg.Clients)
	for i := range clients {
		var err error
		if clients[i], err = dial(ctx, cfg.Addr, cfg.Patience); err != nil {
			closeAll(clients[:i])
			return &Result{}, err
		}
	}
	defer closeAll(clients)
	var begun atomic.Int64
	start := time.Now()
	var wg sync.WaitGroup
	for _, c := range clients {
		wg.Go(func() {
			if err := c.work(ctx, &cfg, &begun, start); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	total := &Result{Took: time.Since(start)}
	for _, c := range clients {
		total.add(&c.Result)
	}
	slices.Sort(total.Waits)
	return total, context.Cause(ctx)
}

func closeAll(clients []*client) {
	for _, c := range clients {
		_ = c.conn.Close() // what was acknowledged has been read
	}
}

func (r *Result) add(o *Result) {
	r.Requests, r.Events, r.Duplicates, r.Rejected = r.Requests+o.Requests, r.Events+o.Events, r.Duplicates+o.Duplicates, r.Rejected+o.Rejected
	r.Bytes, r.Refusals = r.Bytes+o.Bytes, r.Refusals+o.Refusals
	r.Waits = append(r.Waits, o.Waits...)
}

// work sends requests until all have begun.
func (c *client) work(ctx context.Context, cfg *Config, begun *atomic.Int64, start time.Time) error {
	for {
		number := int(begun.Add(1)) - 1
		if number >= cfg.Count {
			return nil
		}
		due := time.Now()
		if cfg.PerSec > 0 {
			due = start.Add(time.Duration(float64(number) / cfg.PerSec * float64(time.Second)))
			if !pause(ctx, time.Until(due)) {
				return nil
			}
		}
		if err := c.send(ctx, &cfg.Requests[number%len(cfg.Requests)], due, cfg.PerSec > 0); err != nil {
			if ctx.Err() != nil {
				return nil // it was cut off, or another client has said why
			}
			return fmt.Errorf("request %d: %w", number, err)
		}
		if cfg.Acked != nil {
			cfg.Acked(number, c.answered)
		}
	}
}

// pause waits, and says whether it was allowed to.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
