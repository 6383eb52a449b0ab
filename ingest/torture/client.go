package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

const (
	// retryAtOnce and retrySpread: how long a client waits before it sends a request again that got no answer. Short, so that the new server
	// meets load from its first moment on; spread, so that clients do not march in step.
	retryAtOnce = 10 * time.Millisecond
	retrySpread = 30 * time.Millisecond
	// refusedRest: after an answer that should not have been a client does not go on at full speed: it would be the same answer again.
	refusedRest = time.Second
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 1 << 20
	// givesUp: a client that abandons does so with one in so many of its unanswered tries.
	givesUp = 3
)

// client sends one request after the other, each until it is answered. So its events arrive in the order of their numbers: whoever sees one of
// them must see all before it.
type client struct {
	maker
	run    *run
	number int // among the clients
	http   *http.Client
}

func newClient(r *run, i int) *client {
	random := rand.New(rand.NewPCG(r.cfg.Seed, uint64(i)+1))
	return &client{maker: maker{style: styleOf(i), book: r.books.of[i], batch: r.cfg.Batch, random: random, now: r.cfg.Now}, run: r, number: i,
		http: &http.Client{Timeout: r.cfg.Timeout, Transport: &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true}}}
}

// torment sends until the run is to finish, or ctx ends.
func (c *client) torment(ctx context.Context) {
	defer c.http.CloseIdleConnections()
	for ctx.Err() == nil && !isClosed(c.run.finish) {
		if c.holds() {
			pause(ctx, pollEvery)
			continue
		}
		c.send(ctx, c.next())
	}
}

// holds tells whether the client is to wait for the others.
func (c *client) holds() bool {
	hold := c.run.hold.Load()
	if hold == nil {
		return false
	}
	_, acked := c.book.stand()
	return acked > (*hold)[c.number]
}

// send sends one request until it is answered for good, or abandoned.
func (c *client) send(ctx context.Context, q *request) {
	for {
		q.tries++
		verdict, wait := c.post(ctx, q)
		switch {
		case ctx.Err() != nil:
			return
		case verdict == acknowledged:
			c.run.books.ack(c.book, q)
			return
		case verdict == refused:
			pause(ctx, refusedRest)
			return
		case verdict == unanswered && c.abandons && c.random.IntN(givesUp) == 0:
			c.run.report.abandon(q)
			return
		}
		if !pause(ctx, wait) {
			return
		}
		c.book.retry(q)
	}
}

// verdict is what became of one try.
type verdict int

const (
	unanswered   verdict = iota // stored or not: send again
	notNow                      // not stored: send again later
	acknowledged                // for good
	refused                     // for good, and it should not have been: the report has it
)

// post sends the request once. wait is how long to wait before the next try.
func (c *client) post(ctx context.Context, q *request) (verdict, time.Duration) {
	soon := retryAtOnce + time.Duration(c.random.Int64N(int64(retrySpread)))
	path := "/ingest/batch"
	if c.single {
		path = "/ingest"
	}
	hr, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.run.addr+path, bytes.NewReader(q.body))
	if err != nil {
		c.run.report.problem("%s: %v", c.book.name, err)
		return refused, 0
	}
	hr.GetBody = nil // the transport would send it again by itself, and nobody would count it
	hr.Header.Set("Content-Type", "application/x-ndjson")
	if c.gzip {
		hr.Header.Set("Content-Encoding", "gzip")
	}
	if q.key != "" {
		hr.Header.Set("Idempotency-Key", q.key)
	}
	resp, err := c.http.Do(hr)
	var text []byte
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		_ = resp.Body.Close() // it has been read
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		c.run.report.nobody()
		return notNow, soon
	}
	if err != nil {
		c.book.note(err.Error())
		c.run.report.noAnswer()
		return unanswered, soon
	}
	c.book.note(fmt.Sprintf("%d, Retry-After %q: %.300s", resp.StatusCode, resp.Header.Get("Retry-After"), text))
	return c.judge(q, resp, text, soon)
}

// judge reads an answer.
func (c *client) judge(q *request, resp *http.Response, text []byte, soon time.Duration) (verdict, time.Duration) {
	c.run.report.status(resp.StatusCode, text)
	switch resp.StatusCode {
	case http.StatusOK, http.StatusUnprocessableEntity:
		var a answer
		problem := ""
		if err := json.Unmarshal(text, &a); err != nil {
			problem = err.Error()
		} else {
			problem = a.against(q, resp.StatusCode, c.single)
		}
		if problem != "" {
			c.run.report.problem("%s, try %d of events %d to %d: %s: %d %.300s", c.book.name, q.tries, q.from, q.to-1, problem, resp.StatusCode, text)
			return refused, 0
		}
		c.run.report.answer(&a, resp.Header.Get("Idempotent-Replayed") != "")
		return acknowledged, 0
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusConflict, http.StatusRequestTimeout:
		wait := soon
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
			wait += time.Duration(seconds) * time.Second
		} else if resp.StatusCode == http.StatusTooManyRequests {
			c.run.report.problem("%s: %d without Retry-After: %.300s", c.book.name, resp.StatusCode, text)
		}
		return notNow, wait
	}
	c.run.report.problem("%s, try %d of events %d to %d: answer %d: %.300s", c.book.name, q.tries, q.from, q.to-1, resp.StatusCode, text)
	return refused, 0
}

// answer is what an acknowledgement says.
type answer struct {
	Accepted  int `json:"accepted"`
	Duplicate int `json:"duplicate"`
	Conflict  int `json:"conflict"`
	Rejected  int `json:"rejected_total"`
}

// against holds the answer against the request; "": it is right.
func (a *answer) against(q *request, status int, single bool) string {
	want := http.StatusOK
	if q.good() == 0 {
		want = http.StatusUnprocessableEntity
	}
	switch {
	case status != want:
		return fmt.Sprintf("the status is not %d", want)
	case a.Accepted+a.Duplicate != q.good():
		return fmt.Sprintf("%d events were sent, %d accepted and %d duplicates", q.good(), a.Accepted, a.Duplicate)
	case !single && a.Rejected != q.bad():
		return fmt.Sprintf("%d lines break the contract, %d were rejected", q.bad(), a.Rejected)
	case a.Conflict != 0:
		return "nothing sent conflicts"
	case a.Duplicate != 0 && q.tries == 1:
		return "it was sent once and is called a duplicate"
	case a.Duplicate != 0 && a.Accepted != 0:
		return "an earlier try was stored in part"
	}
	return ""
}
