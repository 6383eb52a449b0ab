package ingest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/signallake/signallake/lake"
)

// Buffers up to this size are kept for the next request: enough for a batch of some 10,000 events, and 64 of them stay below 512 MiB.
const maxPooled = 4 << 20

// work is what one POST needs; it is reused.
type work struct {
	body   []byte
	packed []byte // the body as it came, once it is decompressed; room for the next one
	decoder
}

func (s *Server) borrow(now lake.Micros) *work {
	wk, ok := s.pool.Get().(*work)
	if !ok {
		wk = &work{decoder: decoder{contract: s.cfg.Contract, guard: s.cfg.Guard}}
	}
	wk.begin(now)
	return wk
}

func (s *Server) giveBack(wk *work) {
	if max(cap(wk.body), cap(wk.packed), cap(wk.lines)) > maxPooled {
		return
	}
	wk.keeper = nil
	wk.begin(0)
	s.pool.Put(wk)
}

// accepted answers POST /ingest.
type accepted struct {
	Accepted      int    `json:"accepted"`
	EventID       string `json:"event_id"`
	DuplicateKeys int    `json:"duplicate_keys,omitempty"` // keys that stood twice in an object; the last one won
	RequestID     string `json:"request_id"`
}

// refused answers POST /ingest when a field breaks the contract.
type refused struct {
	Error     string `json:"error"`
	Field     string `json:"field"`
	Reason    string `json:"reason"`
	RequestID string `json:"request_id"`
}

// batchAnswer answers POST /ingest/batch. Rejected lists the first 100 of RejectedTotal.
type batchAnswer struct {
	Error         string      `json:"error,omitempty"`
	Accepted      int         `json:"accepted"`
	Rejected      []lineError `json:"rejected"`
	RejectedTotal int         `json:"rejected_total"`
	DuplicateKeys int         `json:"duplicate_keys,omitempty"`
	RequestID     string      `json:"request_id"`
}

func (s *Server) ingestOne(x *exchange) {
	s.ingest(x, func(wk *work) (func(), error) {
		err := wk.one(wk.body)
		var fe *lake.FieldError
		switch {
		case err == nil:
			return nil, nil
		case errors.As(err, new(*undecodable)):
			return func() { x.fail(http.StatusBadRequest, "the body is not one event", err.Error()) }, nil
		case errors.As(err, &fe):
			return func() {
				x.refuse(http.StatusUnprocessableEntity, refused{"the event breaks the contract", fe.Field, fe.Reason, x.id}, fe.Error())
			}, nil
		default:
			return func() {
				x.refuse(http.StatusUnprocessableEntity, refused{"the event is refused", "", err.Error(), x.id}, err.Error())
			}, nil
		}
	}, func(wk *work) any {
		return accepted{1, wk.eventID, wk.duplicates, x.id}
	})
}

func (x *exchange) batchAnswer(wk *work) batchAnswer {
	return batchAnswer{Accepted: wk.accepted, Rejected: append([]lineError{}, wk.listed...), RejectedTotal: wk.rejected,
		DuplicateKeys: wk.duplicates, RequestID: x.id}
}

func (s *Server) ingestBatch(x *exchange) {
	s.ingest(x, func(wk *work) (func(), error) {
		err := wk.batch(s.ctx(), wk.body)
		var whole *undecodable
		switch {
		case errors.As(err, &whole):
			if wk.rejected == 0 {
				wk.refuse(max(1, whole.line), wk.body, whole)
			}
			wk.keepWhole(wk.body, whole)
			return func() { x.fail(http.StatusBadRequest, "the body is not a batch of events", whole.Error()) }, nil
		case err != nil || wk.accepted > 0:
			return nil, err
		}
		return func() {
			a := x.batchAnswer(wk)
			a.Error = "every event breaks the contract"
			first := wk.listed[0]
			x.refuse(http.StatusUnprocessableEntity, a, fmt.Sprintf("line %d: %s %s", first.Line, first.Field, first.Reason))
		}, nil
	}, func(wk *work) any { return x.batchAnswer(wk) })
}

// ingest is the way of a POST: receive the body, see whether its answer is known, decode, bury what is refused, store the rest, and only then
// answer. decode answers how the whole body is refused, if it is; an error is the lake's.
func (s *Server) ingest(x *exchange, decode func(*work) (refuse func(), err error), answer func(*work) any) {
	wk := s.borrow(lake.MicrosOf(x.start))
	x.lease = s.memory.lease()
	defer x.lease.release()
	if !s.receive(x, wk) {
		s.giveBack(wk)
		return
	}
	x.patient()
	claim, ok := s.claim(x, wk)
	if !ok {
		s.giveBack(wk)
		return
	}
	defer claim.release()
	wk.keeper = x
	refuse, err := decode(wk)
	x.service, x.rejected, x.listed = wk.service, wk.rejected, wk.listed
	if err == nil {
		err = wk.flush()
	}
	if err != nil {
		s.failAppend(x, err)
		s.giveBack(wk)
		return
	}
	if refuse != nil {
		refuse()
		s.giveBack(wk)
		return
	}
	receipt, err := s.store(x, lake.Batch{Lines: wk.lines, N: wk.accepted, Given: wk.given})
	if err != nil {
		// wk is not given back: a log that gave up waiting may still read its lines.
		s.failAppend(x, err)
		return
	}
	x.events = receipt.Stored
	x.reply(http.StatusOK, answer(wk))
	s.giveBack(wk)
}

func (s *Server) failBody(x *exchange, err error) {
	switch {
	case errors.Is(err, errTooBig):
		limit := s.cfg.MaxBodyBytes
		x.fail(http.StatusRequestEntityTooLarge, errTooBig.Error(), fmt.Sprintf("the limit is %d bytes: send it in smaller batches", limit))
	case isTimeout(err):
		// At once: waiting for the rest is what has just been given up.
		p := problem{Error: "the body came too slowly", Reason: fmt.Sprintf("it must be here within %v of the request's start", s.cfg.ReadTimeout), RequestID: x.id}
		x.why = joinWhy(p.Error, p.Reason)
		x.reply(http.StatusRequestTimeout, p)
	default:
		x.fail(http.StatusBadRequest, "the body broke off", err.Error())
	}
}

func (s *Server) failAppend(x *exchange, err error) {
	refusal := refusalOf(err)
	if refusal.status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		s.storage.Store(&storageFailure{at: s.cfg.Now(), why: refusal.what + " (" + err.Error() + ")"})
	}
	if refusal.retry > 0 {
		x.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(refusal.retry.Seconds()))))
	}
	x.fail(refusal.status, refusal.what, err.Error())
}
