package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
)

// Desk is where dead letters are worked on (*replay.Desk).
type Desk interface {
	Status() lake.DeadStatus
	GroupsOf(ctx context.Context, pick replay.Pick) ([]replay.Group, error)
	List(ctx context.Context, pick replay.Pick, newest int) ([]lake.DeadLetter, error)
	Discard(ctx context.Context, pick replay.Pick) (int64, error)
	Run(ctx context.Context, p replay.Params, progress *lake.Progress) (*replay.Report, error)
}

const (
	// A letter is 64 KiB at most, so a full answer is some megabytes.
	defaultLetters, mostLetters = 20, 100

	// maxOrder is the body of a discard or replay: room for the IDs of 100,000 letters.
	maxOrder = 1 << 20
)

// deadAnswer answers GET /dead.
type deadAnswer struct {
	Letters   int64          `json:"letters"`
	Bytes     int64          `json:"bytes"`
	Dropped   int64          `json:"dropped"`
	Damaged   int64          `json:"damaged"`
	Groups    []replay.Group `json:"groups"`
	RequestID string         `json:"request_id"`
}

// lettersAnswer answers GET /dead/letters.
type lettersAnswer struct {
	Letters   []lake.DeadLetter `json:"letters"`
	RequestID string            `json:"request_id"`
}

// discardOrder is the body of POST /dead/discard.
type discardOrder struct {
	Pick replay.Pick `json:"pick"`
	All  bool        `json:"all"` // said in so many words where the pick leaves nothing out
}

// discardAnswer answers it.
type discardAnswer struct {
	Discarded int64  `json:"discarded"`
	Letters   int64  `json:"letters"` // that are left
	RequestID string `json:"request_id"`
}

// replayAnswer answers POST /dead/replay.
type replayAnswer struct {
	*replay.Report
	RequestID string `json:"request_id"`
}

func (s *Server) answerDead(x *exchange) {
	s.atDesk(x, func(ctx context.Context, desk Desk) (any, error) {
		pick, _, err := parsePick(x.r.URL.RawQuery, false)
		if err != nil {
			return nil, err
		}
		groups, err := desk.GroupsOf(ctx, pick)
		status := desk.Status()
		return deadAnswer{status.Kept, status.Bytes, status.Dropped, status.Damaged, groups, x.id}, err
	})
}

func (s *Server) answerLetters(x *exchange) {
	s.atDesk(x, func(ctx context.Context, desk Desk) (any, error) {
		pick, limit, err := parsePick(x.r.URL.RawQuery, true)
		if err != nil {
			return nil, err
		}
		letters, err := desk.List(ctx, pick, limit)
		return lettersAnswer{append([]lake.DeadLetter{}, letters...), x.id}, err
	})
}

func (s *Server) discardDead(x *exchange) {
	s.atDesk(x, func(_ context.Context, desk Desk) (any, error) {
		var order discardOrder
		if err := x.order(&order); err != nil {
			return nil, err
		}
		if order.Pick.All() != order.All {
			return nil, &orderError{http.StatusBadRequest, `an empty pick is every letter: say so with "all": true, and only then`}
		}
		ctx, cancel := context.WithTimeout(s.ctx(), s.cfg.QueryTimeout)
		defer cancel()
		n, err := desk.Discard(ctx, order.Pick)
		return discardAnswer{n, desk.Status().Kept, x.id}, err
	})
}

// replayDead replays for half of the time that the sender waits. What is left then is asked for again, from the ID that the answer names.
func (s *Server) replayDead(x *exchange) {
	s.atDesk(x, func(_ context.Context, desk Desk) (any, error) {
		var p replay.Params
		if err := x.order(&p); err != nil {
			return nil, err
		}
		if err := p.Rules.Validate(); err != nil {
			return nil, &orderError{http.StatusBadRequest, err.Error()}
		}
		ctx, cancel := context.WithTimeout(s.ctx(), s.cfg.QueryTimeout)
		defer cancel()
		p.Patience = s.cfg.QueryTimeout / 2
		report, err := desk.Run(ctx, p, nil)
		return replayAnswer{report, x.id}, err
	})
}

// orderError is a request for dead letters that cannot be understood.
type orderError struct {
	status int
	reason string
}

func (e *orderError) Error() string { return e.reason }

// atDesk answers a request for dead letters with what do answers. What changes something runs under the server's context: a client that has
// gone does not undo it.
func (s *Server) atDesk(x *exchange, do func(context.Context, Desk) (any, error)) {
	if s.cfg.Dead == nil {
		x.fail(http.StatusServiceUnavailable, "there is no dead zone here", "this server only takes events")
		return
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), s.cfg.QueryTimeout)
	defer cancel()
	answer, err := do(ctx, s.cfg.Dead)
	var order *orderError
	var param *paramError
	switch {
	case err == nil:
		x.reply(http.StatusOK, answer)
	case errors.As(err, &param):
		x.refuse(http.StatusBadRequest, problem{Error: "bad parameter", Parameter: param.name, Reason: err.Error(), RequestID: x.id}, err.Error())
	case errors.As(err, &order):
		x.fail(order.status, "the request cannot be understood", order.reason)
	case x.r.Context().Err() != nil:
		x.fail(statusClientGone, "the client went away before the answer", err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		x.fail(http.StatusGatewayTimeout, "the dead letters took too long", "what was done stays: send the same again, it goes on with the rest")
	default:
		refusal := s.refusalOf(err)
		if x.kind = refusal.kind; refusal.retry > 0 {
			x.retryAfter(refusal.retry)
		}
		x.fail(refusal.status, "the work on the dead letters was not ended", err.Error()+"; what was done stays, the same request goes on with the rest")
	}
}

// order reads a small body of JSON. It refuses keys that it does not know: a misspelt one would mean other letters.
func (x *exchange) order(into any) error {
	body, err := io.ReadAll(io.LimitReader(x.r.Body, maxOrder+1))
	x.bytes = int64(len(body))
	switch {
	case isTimeout(err):
		return &orderError{http.StatusRequestTimeout, fmt.Sprintf("the body came too slowly: it must be here within %v of the request's start", x.s.cfg.ReadTimeout)}
	case err != nil:
		return &orderError{http.StatusBadRequest, "the body broke off: " + err.Error()}
	case len(body) > maxOrder:
		return &orderError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is too big, the limit is %d bytes: name fewer letters at once", maxOrder)}
	}
	x.patient()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return &orderError{http.StatusBadRequest, "the body is no such JSON object: " + err.Error()}
	}
	if _, err := decoder.Token(); err != io.EOF {
		return &orderError{http.StatusBadRequest, "more stands behind the body's JSON object"}
	}
	return nil
}

// parsePick reads which letters are meant from a query string. It refuses what it does not know.
func parsePick(rawQuery string, listed bool) (p replay.Pick, limit int, err error) {
	limit = defaultLetters
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return p, 0, &paramError{"?", "cannot be read: " + err.Error()}
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names) // the same error for the same request
	for _, name := range names {
		if len(values[name]) > 1 && name != "id" {
			return p, 0, &paramError{name, "is given more than once"}
		}
		value := values[name][0]
		switch {
		case name == "source":
			p.Source = value
		case name == "reason":
			p.Reason = value
		case name == "kind":
			p.Kind = value
		case name == "id":
			for _, text := range values[name] {
				id, err := strconv.ParseInt(text, 10, 64)
				if err != nil || id < 1 {
					return p, 0, &paramError{name, fmt.Sprintf("must be a letter's number, got %.80q", text)}
				}
				p.IDs = append(p.IDs, id)
			}
		case name == "limit" && listed:
			if limit, err = strconv.Atoi(value); err != nil || limit < 1 || limit > mostLetters {
				return p, 0, &paramError{name, fmt.Sprintf("must be a whole number from 1 to %d, got %.80q", mostLetters, value)}
			}
		default:
			return p, 0, &paramError{cut(name, 80), "is not known: source, reason, kind and id are, and for the letters limit"}
		}
	}
	return p, limit, nil
}
