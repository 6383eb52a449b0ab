package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// How long a refused sender should wait. A conversion of the default 64 MiB takes a few seconds; a full disk or a broken one takes longer.
const (
	retryBacklog = 5 * time.Second
	retryStorage = 10 * time.Second
	retryClosed  = 5 * time.Second
)

// storageRefusal is the answer to an Append or a Bury that did not succeed.
type storageRefusal struct {
	status int
	retry  time.Duration // 0: no Retry-After
	what   string
}

func refusalOf(err error) storageRefusal {
	switch {
	case errors.Is(err, lake.ErrBacklog):
		return storageRefusal{http.StatusTooManyRequests, retryBacklog, "too much waits for its conversion; nothing of this request was stored"}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return storageRefusal{http.StatusServiceUnavailable, retryStorage, "the disk is full; nothing of this request was stored"}
	case errors.Is(err, lake.ErrLogFailed):
		return storageRefusal{http.StatusServiceUnavailable, retryStorage, "the raw log could not be written; this request is not acknowledged"}
	case errors.Is(err, lake.ErrBury):
		return storageRefusal{http.StatusServiceUnavailable, retryStorage, "the rejected lines could not be kept; nothing of this request was stored"}
	case errors.Is(err, lake.ErrClosed):
		return storageRefusal{http.StatusServiceUnavailable, retryClosed, "the lake is closing; nothing of this request was stored"}
	case errors.Is(err, lake.ErrReadOnly), errors.Is(err, lake.ErrOwned):
		return storageRefusal{http.StatusServiceUnavailable, 0, "this process may not write to the lake; nothing of this request was stored"}
	case errors.Is(err, context.Canceled):
		return storageRefusal{http.StatusServiceUnavailable, retryClosed, "the server is stopping; this request is not acknowledged"}
	case errors.Is(err, context.DeadlineExceeded):
		return storageRefusal{http.StatusServiceUnavailable, retryStorage, "the disk did not confirm in time; this request is not acknowledged"}
	default:
		return storageRefusal{http.StatusInternalServerError, 0, "the lake could not take the events; this request is not acknowledged"}
	}
}
