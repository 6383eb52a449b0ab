package torture

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	// leaveAtMost is how much room is left for ingest to fill by itself, at most: the disk then becomes full in the middle of something.
	leaveAtMost = 8 << 20
	// fullFor is how long the disk stays full once the clients are refused.
	fullFor = 3 * time.Second
	// healthTimeout bounds the question how the server is.
	healthTimeout = 5 * time.Second
)

// full takes the disk's room away, sees what the server says, and gives the room back. Every other time that happens to a conversion, and leaves it
// nothing; else ingest fills what is left by itself.
func (r *run) full(ctx context.Context, t trial) error {
	refusals, looks, leave := r.report.refusals(), 0, r.random.Int64N(leaveAtMost)
	if r.report.Fulls%2 == 0 {
		if _, err := r.awaitSight(ctx, Convert, t.events); err != nil {
			return err
		}
		leave = 0
	}
	free, err := r.cfg.Fill(r.child.cmd.Process.Pid, leave)
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	err = r.await(ctx, func() bool { return r.report.refusals() > refusals })
	if err == nil {
		looks = r.looks()
		err = r.redWithin(ctx)
	}
	if err == nil && !pause(ctx, fullFor) {
		err = ctx.Err()
	}
	if err == nil {
		err = r.await(ctx, func() bool { return r.looks() > looks }) // the reader works
	}
	if freeErr := free(); err == nil {
		err = freeErr
	}
	if err != nil {
		return err
	}
	r.report.count(func() { r.report.Fulls++ })
	return r.resumed(ctx, "the disk was full")
}

// redWithin asks the server's health until it is no longer "ok": refusing and calling oneself well would deceive who watches.
func (r *run) redWithin(ctx context.Context) error {
	said := "nothing"
	err := r.await(ctx, func() bool {
		status, why, err := r.health(ctx)
		said = status + " " + why
		return err == nil && status != "ok" && why != ""
	})
	if err != nil {
		return fmt.Errorf("the disk is full and /health says %q: %w", said, err)
	}
	r.cfg.Say(fmt.Sprintf("the disk is full, %d events acknowledged: %s", r.books.acked(), said))
	return nil
}

// health asks the server how it is.
func (r *run) health(ctx context.Context) (status, why string, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.addr+"/health", nil)
	if err != nil {
		return "", "", err
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return "", "", err
	}
	defer resp.Body.Close()
	var answer struct{ Status, Why string }
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return answer.Status, answer.Why, err
}
