package ingest

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Connections that are being told that there are too many; beyond these the next ones are closed without a word.
	maxTurnedAway = 64
	turnAwayTime  = time.Second // for one to take the answer
)

// limitListener lets at most max connections be open. One too many gets a 503 with the reason instead of waiting in the dark.
type limitListener struct {
	net.Listener
	max    int
	turned func()        // is told of each connection that was turned away
	tls    *tls.Config   // what is spoken on the connections; nil: plain HTTP
	away   chan struct{} // holds one value for each that is being turned away
	wg     sync.WaitGroup

	mu   sync.Mutex // guards open
	open map[*limitConn]struct{}
}

func newLimitListener(l net.Listener, max int, turned func()) *limitListener {
	return &limitListener{Listener: l, max: max, turned: turned, away: make(chan struct{}, maxTurnedAway), open: make(map[*limitConn]struct{})}
}

func (l *limitListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.admit(conn); c != nil {
			return c, nil
		}
		l.turned()
		select {
		case l.away <- struct{}{}:
			l.wg.Go(func() {
				defer func() { <-l.away }()
				if l.tls != nil {
					conn = tls.Server(conn, l.tls)
				}
				turnAway(conn, l.max)
			})
		default:
			_ = conn.Close()
		}
	}
}

// admit wraps conn when there is room; else nil.
func (l *limitListener) admit(conn net.Conn) *limitConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.max {
		return nil
	}
	c := &limitConn{Conn: conn, listener: l}
	l.open[c] = struct{}{}
	return c
}

// heard takes note of a connection whose first request is here; net/http calls it. Over TLS bytes alone say nothing: the handshake is some.
func (l *limitListener) heard(conn net.Conn, state http.ConnState) {
	if state != http.StateActive {
		return
	}
	if wrapped, ok := conn.(*tls.Conn); ok {
		conn = wrapped.NetConn()
	}
	if c, ok := conn.(*limitConn); ok {
		c.asked.Store(true)
	}
}

// closeSilent closes the connections on which nothing was said yet. Browsers open some ahead, and http.Server.Shutdown would wait five
// seconds for each to speak.
func (l *limitListener) closeSilent() {
	l.mu.Lock()
	var silent []*limitConn
	for c := range l.open {
		if !c.spoke.Load() || l.tls != nil && !c.asked.Load() {
			silent = append(silent, c)
		}
	}
	l.mu.Unlock()
	for _, c := range silent {
		_ = c.Close()
	}
}

// wait returns when nobody is being turned away any more. Call it when Accept has returned its error.
func (l *limitListener) wait() { l.wg.Wait() }

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
	if half, ok := conn.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite()
		_, _ = io.CopyN(io.Discard, conn, 1<<20)
	}
}

// limitConn gives its place back when it is closed.
type limitConn struct {
	net.Conn
	listener *limitListener
	spoke    atomic.Bool // a byte was read
	asked    atomic.Bool // a request was read
}

func (c *limitConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.spoke.Load() {
		c.spoke.Store(true)
	}
	return n, err
}

// CloseWrite lets net/http end an answer so that the client reads it even while it still sends.
func (c *limitConn) CloseWrite() error {
	if half, ok := c.Conn.(*net.TCPConn); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *limitConn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
