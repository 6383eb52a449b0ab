package ingest

import (
	"fmt"
	"net/http"
	"strings"
)

// outcome is what became of a POST: what its answer is made of, now and each time that it is given again under its Idempotency-Key. As JSON
// it is the better part of the key's note.
type outcome struct {
	Status        int         `json:"status"`
	RequestID     string      `json:"request_id"`
	EventID       string      `json:"event_id,omitempty"` // of a route that names it
	DuplicateKeys int         `json:"duplicate_keys,omitempty"`
	RejectedTotal int         `json:"rejected_total,omitempty"`
	Rejected      []lineError `json:"rejected,omitempty"` // the first of them
	Accepted      int         `json:"accepted,omitempty"`
	Duplicate     int         `json:"duplicate,omitempty"`
	Conflict      int         `json:"conflict,omitempty"`
}

// accepted answers POST /ingest.
type accepted struct {
	Accepted      int    `json:"accepted"`
	Duplicate     int    `json:"duplicate"`
	Conflict      int    `json:"conflict"`
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

// batchAnswer answers POST /ingest/batch. Rejected lists the first 100 of RejectedTotal; Accepted, Duplicate and RejectedTotal add up to
// the events of the body.
type batchAnswer struct {
	Error         string      `json:"error,omitempty"`
	Accepted      int         `json:"accepted"`
	Duplicate     int         `json:"duplicate"`
	Conflict      int         `json:"conflict"`
	Rejected      []lineError `json:"rejected"`
	RejectedTotal int         `json:"rejected_total"`
	DuplicateKeys int         `json:"duplicate_keys,omitempty"`
	RequestID     string      `json:"request_id"`
}

// outcome is what became of the decoded body but for what the lake says.
func (d *decoder) outcome(requestID string, name bool) *outcome {
	o := &outcome{Status: http.StatusOK, RequestID: requestID, DuplicateKeys: d.duplicates, RejectedTotal: d.rejected, Rejected: d.listed}
	if d.accepted == 0 {
		o.Status = http.StatusUnprocessableEntity
	}
	if name {
		o.EventID = d.eventID
	}
	return o
}

// one is the answer of POST /ingest.
func (o *outcome) one() any {
	if o.Status == http.StatusOK {
		return accepted{o.Accepted, o.Duplicate, o.Conflict, o.EventID, o.DuplicateKeys, o.RequestID}
	}
	first := o.firstRejected()
	return refused{"the event breaks the contract", first.Field, first.Reason, o.RequestID}
}

// batch is the answer of POST /ingest/batch.
func (o *outcome) batch() any {
	a := batchAnswer{Accepted: o.Accepted, Duplicate: o.Duplicate, Conflict: o.Conflict, Rejected: append([]lineError{}, o.Rejected...),
		RejectedTotal: o.RejectedTotal, DuplicateKeys: o.DuplicateKeys, RequestID: o.RequestID}
	if o.Status != http.StatusOK {
		a.Error = "every event breaks the contract"
	}
	return a
}

func (o *outcome) firstRejected() lineError {
	if len(o.Rejected) == 0 {
		return lineError{Line: 1}
	}
	return o.Rejected[0]
}

// answer answers what became of the request, or of the one that it repeats.
func (x *exchange) answer(in *intake, o *outcome) {
	if o.Status == http.StatusOK {
		x.reply(o.Status, in.answer(o))
		return
	}
	first := o.firstRejected()
	why := strings.TrimPrefix(first.Field+": "+first.Reason, ": ")
	if !in.name {
		why = fmt.Sprintf("line %d: %s", first.Line, why)
	}
	x.refuse(o.Status, in.answer(o), why)
}
