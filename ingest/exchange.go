package ingest

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// exchange is one request on its way to its answer, and what the log and the counters will say about it.
type exchange struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	id     string
	start  time.Time
	status int // of the answer; 0: not answered

	tokenName string      // of the sender's token; "" where no token is asked for or none was good
	stranger  string      // why the sender has no name, where one is asked for; "" otherwise
	bytes     int64       // of the body that were read
	lease     *lease      // of the memory that the request holds
	place     place       // of its batch in the queue
	kind      refusalKind // of a refusal that is not for the content
	held      int64       // of the lease, what the body's buffers take
	claim     *claim      // on the request's Idempotency-Key; nil when it has none
	service   string
	events    int // stored
	rejected  int

	duplicates int  // events that were stored already
	conflicts  int  // stored events that contradict an earlier one of their id
	replayed   bool // the answer is that of an earlier request with the same key

	listed []lineError
	why    string // the reason of a refusal, for the log
	stack  string
}

// problem is the body of every answer that is not a success.
type problem struct {
	Error     string   `json:"error"`
	Reason    string   `json:"reason,omitempty"`
	Routes    []string `json:"routes,omitempty"`    // of a 404
	Questions []string `json:"questions,omitempty"` // of an unknown question
	Parameter string   `json:"parameter,omitempty"` // the query parameter at fault
	RequestID string   `json:"request_id"`
}

// ServeHTTP is the one way in: every request gets an id, is checked for its origin, is answered in JSON, and is logged and counted.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{s: s, w: w, r: r, id: requestID(r.Header.Get(requestIDHeader)), start: s.cfg.Now()}
	s.stats.inFlight.Add(1)
	defer s.stats.inFlight.Add(-1)
	defer x.finish()
	h := w.Header()
	h.Set(requestIDHeader, x.id)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if reason := s.checkOrigin(r); reason != "" {
		x.fail(http.StatusForbidden, "this request may come from a web page", reason)
		return
	}
	s.identify(x)
	s.route(x)
}

// sender names who sent the request as well as the server knows: by the token's name, else by the address.
func (x *exchange) sender() string { return cmp.Or(x.tokenName, x.r.RemoteAddr) }

// finish turns a panic into a 500, then logs and counts.
func (x *exchange) finish() {
	broken := recover()
	if broken != nil {
		x.stack = cut(string(debug.Stack()), maxLogStack)
		answered := x.status != 0
		x.why = "panic: " + panicText(broken)
		if !answered {
			x.reply(http.StatusInternalServerError, problem{Error: "internal error", Reason: "the request log has the details", RequestID: x.id})
		}
		defer func() {
			if answered {
				panic(http.ErrAbortHandler) // half an answer is out: cut the connection, so that nobody takes it for a whole one
			}
		}()
	}
	end := x.s.cfg.Now()
	took := end.Sub(x.start)
	record := RequestRecord{
		At: x.start, RequestID: x.id, Method: cut(x.r.Method, 32), Path: cut(x.r.URL.EscapedPath(), maxLogPath), StatusCode: x.status,
		Source: x.tokenName, ServiceName: x.service, LatencyMS: milliseconds(took), Bytes: x.bytes, Events: x.events,
		Duplicates: x.duplicates, Conflicts: x.conflicts, Replayed: x.replayed,
	}
	var rejects []Reject
	for _, e := range x.listed {
		rejects = append(rejects, Reject{At: end, Source: x.sender(), Line: e.Line, Field: e.Field, Reason: e.Reason, Sample: e.sample})
	}
	x.s.stats.refuse(cmp.Or(x.kind, kindOf(x.status)))
	acked := x.r.Method == http.MethodPost && x.status == http.StatusOK && strings.HasPrefix(x.r.URL.Path, "/ingest")
	x.s.stats.record(record, x.rejected, rejects, acked, took, end)
	x.s.log.write(requestLine{
		Time: x.start.UTC().Format(logTime), RequestID: x.id, Method: record.Method, Path: record.Path, StatusCode: x.status,
		ServiceName: x.service, LatencyMS: record.LatencyMS, Bytes: x.bytes, Events: x.events, Rejected: x.rejected,
		Duplicates: x.duplicates, Conflicts: x.conflicts, Replayed: x.replayed,
		Source: x.tokenName, Remote: x.r.RemoteAddr, Error: cut(x.why, maxLogWhy), Stack: x.stack,
	})
}

func panicText(v any) string {
	switch v := v.(type) {
	case error:
		return v.Error()
	case string:
		return v
	}
	return "of an unusual kind"
}

// reply answers with v as JSON.
func (x *exchange) reply(status int, v any) {
	body, err := appendJSON(nil, v)
	if err != nil {
		x.why = "answer: " + err.Error()
		status = http.StatusInternalServerError
		body, _ = appendJSON(nil, problem{Error: "the answer cannot be written as JSON", Reason: err.Error(), RequestID: x.id})
	}
	x.send(status, "application/json", body)
}

// send answers with a whole body.
func (x *exchange) send(status int, contentType string, body []byte) {
	x.status = status
	h := x.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	// A recorder in a test has no deadlines; a real connection always has.
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(x.s.cfg.WriteTimeout))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // a client that has gone does not undo what was stored
}

// fail answers a refusal: what is wrong, and why or the way out.
func (x *exchange) fail(status int, what, reason string) {
	x.refuse(status, problem{Error: what, Reason: reason, RequestID: x.id}, joinWhy(what, reason))
}

// refuse answers v, with why for the log, after what is left of the body was thrown away.
func (x *exchange) refuse(status int, v any, why string) {
	x.why = why
	x.drain()
	x.reply(status, v)
}

func joinWhy(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

// patient lifts the read deadline once the body is here. It was for the body; when it passed while the lake or the engine works, net/http
// would take the client for gone and cancel the request.
func (x *exchange) patient() {
	_ = http.NewResponseController(x.w).SetReadDeadline(time.Time{}) // a recorder in a test has none
}

// isTimeout tells a body that came too slowly from one that broke off.
func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}
