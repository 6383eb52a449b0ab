package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/signallake/signallake/lake"
)

// Buffers up to this size are kept for the next request: enough for a batch of some 5,000 events.
const maxPooled = 4 << 20

// work is what one POST needs; it is reused.
type work struct {
	body   []byte
	packed []byte // the body as it came, once it is decompressed; room for the next one
	decoder
}

// size is what it takes in memory, as capacity.
func (wk *work) size() int64 { return int64(cap(wk.body)+cap(wk.packed)) + wk.holds() }

// shedAbove: a body of a few thousand events keeps its buffer during the sync, as the next request will want one like it.
const shedAbove = 1 << 20

// shed lets go of what the append does not need, where that is much, and answers the buffers among it.
func (wk *work) shed() (done [][]byte) {
	if cap(wk.body) > shedAbove {
		wk.body, done = nil, append(done, wk.body)
	}
	if cap(wk.packed) > shedAbove {
		wk.packed, done = nil, append(done, wk.packed)
	}
	if cap(wk.letters) > maxListed {
		wk.letters = nil
	}
	return done
}

// buffers are those that another request can use.
func (wk *work) buffers() [][]byte { return [][]byte{wk.body, wk.packed, wk.lines} }

func (s *Server) borrow(x *exchange) *work {
	wk, l := s.memory.borrow()
	if wk == nil {
		wk = &work{}
	}
	x.lease = l
	wk.begin(lake.MicrosOf(x.start))
	return wk
}

func (s *Server) giveBack(x *exchange, wk *work) {
	wk.keeper, wk.ration = nil, ration{}
	wk.begin(0)
	s.memory.giveBack(wk, x.lease)
}

// intake is what sets the two POST routes apart.
type intake struct {
	decode func(context.Context, *work) error // *undecodable: the body is none of this route's; another error is the lake's
	unfit  string                             // what an undecodable body is told
	name   bool                               // the answer names the event
	answer func(*outcome) any
}

var (
	oneIntake = &intake{
		decode: func(_ context.Context, wk *work) error {
			var unfit *undecodable
			if errors.As(wk.one(wk.body), &unfit) {
				return unfit
			}
			return nil // a breach of the contract is in wk
		},
		unfit:  "the body is not one event",
		name:   true,
		answer: func(o *outcome) any { return o.one() },
	}
	batchIntake = &intake{
		decode: func(ctx context.Context, wk *work) error {
			err := wk.batch(ctx, wk.body)
			var unfit *undecodable
			if errors.As(err, &unfit) {
				if wk.rejected == 0 {
					wk.refuse(max(1, unfit.line), wk.body, unfit)
				}
				wk.keepWhole(wk.body, unfit)
			}
			return err
		},
		unfit:  "the body is not a batch of events",
		answer: func(o *outcome) any { return o.batch() },
	}
)

func (s *Server) ingestOne(x *exchange) { s.ingest(x, oneIntake) }

func (s *Server) ingestBatch(x *exchange) { s.ingest(x, batchIntake) }

// ingest is the way of a POST: receive the body, see whether its answer is known, decode, bury what is refused, store the rest, and only then
// answer.
func (s *Server) ingest(x *exchange, in *intake) {
	wk := s.borrow(x)
	defer x.lease.release()
	defer x.place.leave(false)
	if !s.admit(x, wk) || !s.receive(x, wk) {
		s.giveBack(x, wk)
		return
	}
	x.patient()
	var ok bool
	if x.claim, ok = s.claim(x, wk, in); !ok {
		s.giveBack(x, wk)
		return
	}
	defer x.claim.release()
	wk.keeper = x
	err := s.decoding(x, wk, func() error { return in.decode(s.ctx(), wk) })
	x.service, x.rejected, x.listed = wk.service, wk.rejected, wk.listed
	var unfit *undecodable
	if err == nil || errors.As(err, &unfit) {
		err = s.enqueue(x, wk, unfit == nil)
	}
	if err != nil || unfit != nil {
		if err != nil {
			s.failAppend(x, err)
		} else {
			x.fail(http.StatusBadRequest, in.unfit, unfit.Error())
		}
		s.giveBack(x, wk)
		return
	}
	o := wk.outcome(x.id, in.name)
	if wk.accepted > 0 || x.claim != nil { // a key is remembered by a batch of its own where there is no event
		b := lake.Batch{Lines: wk.lines, N: wk.accepted, Given: wk.given}
		x.claim.prepare(&b, o)
		receipt, err := s.store(x, b)
		if err != nil {
			// wk is not given back: a log that gave up waiting may still read its lines.
			s.failAppend(x, err)
			return
		}
		o.Accepted, o.Duplicate, o.Conflict = receipt.Stored, receipt.Duplicates, receipt.Conflicts
		x.events, x.duplicates, x.conflicts = receipt.Stored, receipt.Duplicates, receipt.Conflicts
		x.claim.finish()
	}
	x.answer(in, o)
	s.giveBack(x, wk)
}

func (s *Server) failBody(x *exchange, err error) {
	switch {
	case errors.Is(err, errTooBig):
		limit := s.cfg.MaxBodyBytes
		x.fail(http.StatusRequestEntityTooLarge, errTooBig.Error(), fmt.Sprintf("the limit is %d bytes: send it in smaller batches", limit))
	case isTimeout(err):
		// At once: waiting for the rest is what has just been given up.
		p := problem{Error: "the body came too slowly", Reason: s.paceWanted(), RequestID: x.id}
		x.why = joinWhy(p.Error, p.Reason)
		x.reply(http.StatusRequestTimeout, p)
	default:
		x.fail(http.StatusBadRequest, "the body broke off", err.Error())
	}
}
