package ingest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/signallake/signallake/lake"
)

// ErrRunning is returned by Start when the server listens already.
var ErrRunning = errors.New("the ingest server is already listening")

func (e *ErrUnknownQuestion) Error() string {
	return fmt.Sprintf("unknown question %q: known are %s", e.Name, strings.Join(e.Known, ", "))
}

// AddrInUseError is a listen address that another program holds.
type AddrInUseError struct {
	Addr   string
	Holder string // "pid 4242 (python3)"; "another program" when the system does not tell
	Other  string // the same host with a port to try
	Err    error  // of the operating system
}

func (e *AddrInUseError) Error() string {
	return fmt.Sprintf("address %s is taken by %s: stop it, or listen elsewhere, for example --addr %s", e.Addr, e.Holder, e.Other)
}

func (e *AddrInUseError) Unwrap() error { return e.Err }

// statusClientGone is logged when the client went away before its question was answered; the number is nginx's.
const statusClientGone = 499

// How long a refused sender should wait where nothing was measured yet. A conversion of the default 64 MiB takes a few seconds, a group of batches a part of
// one; a lake that closes is opened again by a restart.
const (
	retryBusy    = time.Second
	retryBacklog = 5 * time.Second
	retryStorage = 10 * time.Second
	retryClosed  = 5 * time.Second

	maxRetryAfter = 60 * time.Second // nobody should stay away longer, whatever was measured
)

// busyError is a request for which there is no room now: 429.
type busyError struct {
	kind refusalKind
	wait time.Duration // until there may be room; negative: nobody knows
	what string        // for people
	why  string
}

func (e *busyError) Error() string { return joinWhy(e.what, e.why) }

// errNoMemory is a lease that cannot grow.
var errNoMemory = &busyError{kind: refusedMemory, wait: -1, what: "too many bodies are in memory; nothing of this request was stored", why: "all requests together hold what they may"}

// oversizeError is a request for which there never is room: 413.
type oversizeError struct{ why string }

func (e *oversizeError) Error() string { return e.why }

// failingError is a request that is refused because the storage failed before: 503.
type failingError struct {
	since time.Time
	why   string
	wait  time.Duration // until the next probe
}

func (e *failingError) Error() string {
	return fmt.Sprintf("since %s: %s", e.since.UTC().Format(time.RFC3339), e.why)
}

// storageRefusal is the answer to a request that did not get to the end of its way.
type storageRefusal struct {
	status int
	retry  time.Duration // 0: no Retry-After
	what   string
	why    string // "": the error's text
	kind   refusalKind
}

// refusalOf is how a request is refused for which there is no room, or whose Append or Bury did not succeed.
func (s *Server) refusalOf(err error) storageRefusal {
	var busy *busyError
	var failing *failingError
	var full *lake.BacklogError
	switch {
	case errors.As(err, &busy):
		wait := busy.wait
		if busy.kind == refusedMemory {
			wait = s.queue.drainTime() // the memory is given back by those who wait for the disk
		}
		return storageRefusal{http.StatusTooManyRequests, known(wait, retryBusy), busy.what, busy.why, busy.kind}
	case errors.As(err, new(*oversizeError)):
		return storageRefusal{http.StatusRequestEntityTooLarge, 0, errTooBig.Error(), "", refusedSize}
	case errors.As(err, &failing):
		return storageRefusal{http.StatusServiceUnavailable, max(failing.wait, time.Second), "the storage fails; nothing of this request was stored", "", refusedStorage}
	case errors.As(err, &full):
		return storageRefusal{http.StatusTooManyRequests, known(full.Wait, retryBacklog), backlogWords, "", refusedBacklog}
	case errors.Is(err, lake.ErrBacklog):
		return storageRefusal{http.StatusTooManyRequests, retryBacklog, backlogWords, "", refusedBacklog}
	case errors.Is(err, lake.ErrClosed):
		return storageRefusal{http.StatusServiceUnavailable, retryClosed, "the lake is closing; nothing of this request was stored", "", refusedStorage}
	case errors.Is(err, context.Canceled):
		return storageRefusal{http.StatusServiceUnavailable, retryClosed, "the server is stopping; this request is not acknowledged", "", refusedStorage}
	}
	refusal := diskRefusal(err)
	if now := (*failingError)(nil); refusal.retry > 0 && errors.As(s.storage.check(), &now) {
		refusal.retry = max(now.wait, time.Second)
	}
	return refusal
}

const backlogWords = "too much waits for its conversion; nothing of this request was stored"

func diskRefusal(err error) storageRefusal {
	failed := func(what string) storageRefusal {
		return storageRefusal{http.StatusServiceUnavailable, retryStorage, what, "", refusedStorage}
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return failed("the disk is full; nothing of this request was stored")
	case errors.Is(err, lake.ErrLogFailed):
		return failed("the raw log could not be written; this request is not acknowledged")
	case errors.Is(err, lake.ErrBury):
		return failed("the rejected lines could not be kept; nothing of this request was stored")
	case errors.Is(err, lake.ErrReadOnly), errors.Is(err, lake.ErrOwned):
		refusal := failed("this process may not write to the lake; nothing of this request was stored")
		refusal.retry = 0
		return refusal
	case errors.Is(err, context.DeadlineExceeded):
		return failed("the disk did not confirm in time; this request is not acknowledged")
	}
	return storageRefusal{status: http.StatusInternalServerError, what: "the lake could not take the events; this request is not acknowledged"}
}

// known is the time that was measured, else the usual one.
func known(measured, usual time.Duration) time.Duration {
	if measured < 0 {
		return usual
	}
	return max(measured, 1) // 0 would be no Retry-After
}

// retryAfter tells the sender when to come again.
func (x *exchange) retryAfter(wait time.Duration) {
	x.w.Header().Set("Retry-After", strconv.Itoa(retrySeconds(wait, rand.Float64())))
}

// retrySeconds makes a Retry-After of a time: whole seconds from 1 to 60, rounded up, with up to a quarter of the time, and a second at least, added at
// random. Those who were refused together then do not come back together; chance is uniform in [0, 1).
func retrySeconds(wait time.Duration, chance float64) int {
	wait = min(max(wait, 0), maxRetryAfter)
	spread := max(wait/4, time.Second)
	seconds := (wait + time.Duration(chance*float64(spread))).Seconds()
	return int(min(max(math.Ceil(seconds), 1), maxRetryAfter.Seconds()))
}
