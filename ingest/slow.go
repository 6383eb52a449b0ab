package ingest

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// A body may lag so far behind the pace at which it would be here in time: a slow start or a pause of a mobile network. What sends a byte a
	// second is out after it, instead of after the whole of ReadTimeout, and so is the memory that was set aside for it.
	paceGrace = 5 * time.Second
	// The deadline is not moved for less: each move takes locks and a timer.
	paceStep = 100 * time.Millisecond

	// What is read and thrown away of a refused request's body, so that a client which sends everything before it reads (most libraries do) gets the answer
	// instead of a broken pipe. Beyond these, or when nothing comes for a while, it gets the broken pipe.
	drainFactor  = 4 // times MaxBodyBytes
	drainSilence = 2 * time.Second
)

// pacedBody is a body whose sender must keep up the pace: of a length that is known, as much of it as of the time must be here, give or take paceGrace.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	began   time.Time
	limit   time.Duration // for the whole body
	perByte float64       // nanoseconds that a byte is worth
	got     int64
	set     time.Duration // the deadline, since began
}

// pace puts the body under its pace.
func (x *exchange) pace() {
	if x.r.Body == nil || x.r.Body == http.NoBody {
		return
	}
	limit := x.s.cfg.ReadTimeout
	size := x.r.ContentLength
	if size < 0 {
		size = x.s.cfg.MaxBodyBytes
	}
	x.r.Body = &pacedBody{ReadCloser: x.r.Body, control: http.NewResponseController(x.w), began: time.Now(), limit: limit, perByte: float64(limit) / float64(max(size, 1))}
}

func (b *pacedBody) Read(p []byte) (int, error) {
	due := min(b.limit, paceGrace+time.Duration(float64(b.got)*b.perByte))
	if b.set == 0 || due-b.set >= paceStep || due == b.limit && b.set < due {
		b.set = due
		_ = b.control.SetReadDeadline(b.began.Add(due)) // a recorder in a test has none
	}
	n, err := b.ReadCloser.Read(p)
	b.got += int64(n)
	return n, err
}

// paceWanted says what the sender of a slow body should have done.
func (s *Server) paceWanted() string {
	if s.cfg.ReadTimeout <= paceGrace {
		return fmt.Sprintf("it must be here within %v of its headers", s.cfg.ReadTimeout)
	}
	return fmt.Sprintf("it must be here within %v of its headers, and never lag more than %v behind that pace: send smaller batches", s.cfg.ReadTimeout, paceGrace)
}

// drain throws the rest of the body away, within bounds; where they do not suffice the connection ends with the answer. A client that asked first (Expect:
// 100-continue) has not sent it.
func (x *exchange) drain() {
	body := x.r.Body
	if paced, ok := body.(*pacedBody); ok {
		body = paced.ReadCloser
		x.r.Body = body // net/http must know it again, or it waits for a body that was never asked for
	}
	if body == nil || body == http.NoBody || x.r.Header.Get("Expect") != "" {
		return
	}
	rest := &drainedBody{Reader: body, control: http.NewResponseController(x.w), end: time.Now().Add(x.s.cfg.ReadTimeout)}
	if _, err := io.CopyN(io.Discard, rest, drainFactor*x.s.cfg.MaxBodyBytes); err != io.EOF {
		x.w.Header().Set("Connection", "close")
	}
}

// drainedBody ends when nothing comes any more, or at its end.
type drainedBody struct {
	io.Reader
	control *http.ResponseController
	end     time.Time
	set     time.Time // the deadline
}

func (d *drainedBody) Read(p []byte) (int, error) {
	if due := time.Now().Add(drainSilence); due.Sub(d.set) >= paceStep {
		if due.After(d.end) {
			due = d.end
		}
		d.set = due
		_ = d.control.SetReadDeadline(due) // a recorder in a test has none
	}
	return d.Reader.Read(p)
}
