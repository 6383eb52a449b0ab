package ingest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// Connections that are being told that there are too many; beyond these the next ones are closed without a word.
	maxTurnedAway = 64
	turnAwayTime  = time.Second // for one to take the answer
)

// limitListener lets at most max connections be open. One too many gets a 503 with the reason instead of waiting in the dark. Its owner
// calls Close, which waits for the goroutines that say so.
type limitListener struct {
	net.Listener
	slots  chan struct{} // holds one value for each open connection
	away   chan struct{} // likewise for each that is being turned away
	turned func()        // is told of each that was turned away
	wg     sync.WaitGroup
}

func newLimitListener(l net.Listener, max int, turned func()) *limitListener {
	return &limitListener{Listener: l, slots: make(chan struct{}, max), away: make(chan struct{}, maxTurnedAway), turned: turned}
}

func (l *limitListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			return &limitConn{Conn: conn, release: sync.OnceFunc(func() { <-l.slots })}, nil
		default:
		}
		l.turned()
		select {
		case l.away <- struct{}{}:
			l.wg.Go(func() {
				defer func() { <-l.away }()
				turnAway(conn, cap(l.slots))
			})
		default:
			_ = conn.Close()
		}
	}
}

// Wait returns when nobody is being turned away any more; call it after Close, when Accept has returned its error.
func (l *limitListener) Wait() { l.wg.Wait() }

// turnAway answers without reading, then reads a little: closing with unread bytes would take the answer back.
func turnAway(conn net.Conn, max int) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(turnAwayTime))
	id := requestID("")
	body, err := appendJSON(nil, problem{Error: "too many connections", Reason: fmt.Sprintf("%d are open, which is the limit: close some, or try again", max), RequestID: id})
	if err != nil {
		return
	}
	_, err = fmt.Fprintf(conn, "HTTP/1.1 503 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nRetry-After: 1\r\n%s: %s\r\nConnection: close\r\n\r\n%s",
		http.StatusText(http.StatusServiceUnavailable), len(body), requestIDHeader, id, body)
	if half, ok := conn.(*net.TCPConn); ok && err == nil {
		_ = half.CloseWrite()
		_, _ = io.CopyN(io.Discard, conn, 1<<20)
	}
}

// limitConn gives its slot back when it is closed.
type limitConn struct {
	net.Conn
	release func()
}

func (c *limitConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
