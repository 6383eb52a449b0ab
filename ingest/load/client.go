package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Request is one POST as it goes over the wire.
type Request struct {
	wire []byte // head and body, so that one write sends both
	body int    // bytes
}

// NewRequest makes a request of a batch of events, one JSON object a line, to a server on this machine. token may be "".
func NewRequest(body []byte, token string) Request {
	head := "POST /ingest/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
	if token != "" {
		head += "Authorization: Bearer " + token + "\r\n"
	}
	head += "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	return Request{wire: append([]byte(head), body...), body: len(body)}
}

// maxAnswer bounds what is read of an answer: a list of a hundred refused lines is a tenth of it.
const maxAnswer = 1 << 20

// client sends one request at a time over one connection.
type client struct {
	Result
	conn     net.Conn
	in       *bufio.Reader
	patience time.Duration
	text     []byte    // of the last answer's body
	answered time.Time // the last request
}

func dial(ctx context.Context, addr string, patience time.Duration) (*client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	// Who waits in a read is woken by ctx's end.
	context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return &client{conn: conn, in: bufio.NewReader(conn), patience: patience}, nil
}

// send sends one request until it is acknowledged. fixed: the wait is counted from when it was due, also when it was refused meanwhile.
func (c *client) send(ctx context.Context, q *Request, due time.Time, fixed bool) error {
	for {
		if !fixed {
			due = time.Now()
		}
		status, again, err := c.post(ctx, q)
		c.answered = time.Now()
		switch {
		case err != nil:
			return err
		case status == 200:
			return c.count(q, c.answered.Sub(due))
		case status != 429 && status != 503:
			return fmt.Errorf("answer %d: %.300s", status, c.text)
		}
		c.Refusals++
		if !pause(ctx, again) {
			return ctx.Err()
		}
	}
}

// count takes an acknowledgement's numbers.
func (c *client) count(q *Request, wait time.Duration) error {
	var a struct {
		Accepted  int64 `json:"accepted"`
		Duplicate int64 `json:"duplicate"`
		Rejected  int64 `json:"rejected_total"`
	}
	if err := json.Unmarshal(c.text, &a); err != nil {
		return fmt.Errorf("an acknowledgement that cannot be read: %w: %.300s", err, c.text)
	}
	c.Requests, c.Bytes = c.Requests+1, c.Bytes+int64(q.body)
	c.Events, c.Duplicates, c.Rejected = c.Events+a.Accepted, c.Duplicates+a.Duplicate, c.Rejected+a.Rejected
	c.Waits = append(c.Waits, wait)
	return nil
}

// post sends the request once and reads its answer, whose body is then in c.text. again is what a refusal asks to wait.
func (c *client) post(ctx context.Context, q *Request) (status int, again time.Duration, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, 0, err
	}
	if err := ctx.Err(); err != nil { // it may have ended before the deadline was set anew
		return 0, 0, err
	}
	if _, err := c.conn.Write(q.wire); err != nil {
		return 0, 0, err
	}
	line, err := c.line()
	if err != nil {
		return 0, 0, err
	}
	if len(line) < 12 || !strings.HasPrefix(line, "HTTP/1.1 ") {
		return 0, 0, fmt.Errorf("an answer that is not HTTP: %.80q", line)
	}
	if status, err = strconv.Atoi(line[9:12]); err != nil {
		return 0, 0, fmt.Errorf("an answer without a status: %.80q", line)
	}
	length := -1
	for {
		if line, err = c.line(); err != nil {
			return 0, 0, err
		}
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		switch {
		case strings.EqualFold(name, "Content-Length"):
			length, err = strconv.Atoi(strings.TrimSpace(value))
		case strings.EqualFold(name, "Retry-After"):
			var seconds int
			seconds, err = strconv.Atoi(strings.TrimSpace(value))
			again = time.Duration(seconds) * time.Second
		}
		if err != nil {
			return 0, 0, fmt.Errorf("a header that cannot be read: %.80q", line)
		}
	}
	if length < 0 || length > maxAnswer {
		return 0, 0, fmt.Errorf("an answer of %d bytes (-1: it does not say): want one with a length of at most %d", length, maxAnswer)
	}
	c.text = append(c.text[:0], make([]byte, length)...)
	_, err = io.ReadFull(c.in, c.text)
	return status, again, err
}

// line reads one line of the answer's head.
func (c *client) line() (string, error) {
	p, err := c.in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return string(bytes.TrimRight(p, "\r\n")), nil
}
