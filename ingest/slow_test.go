package ingest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// deadlines is a connection that remembers the read deadlines that it was given, as times since it was made, and lets time pass as it is read.
type deadlines struct {
	*httptest.ResponseRecorder
	began time.Time
	set   []time.Duration
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.set = append(d.set, t.Sub(d.began))
	return nil
}

// drip gives n bytes a read, each of which takes so long.
type drip struct {
	n    int
	wait time.Duration
}

func (d drip) Read(p []byte) (int, error) {
	time.Sleep(d.wait)
	return min(d.n, len(p)), nil
}

// A body that keeps up the pace gets more and more time, up to the limit; one that comes drop by drop is out after the grace.
func TestBodiesMustKeepUpThePace(t *testing.T) {
	const size = 3000
	read := func(d drip) (lasted time.Duration, deadlinesSet int) {
		synctest.Test(t, func(t *testing.T) {
			s := &Server{cfg: Config{ReadTimeout: 30 * time.Second, MaxBodyBytes: 1 << 20}}
			w := &deadlines{ResponseRecorder: httptest.NewRecorder(), began: time.Now()}
			r := httptest.NewRequest("POST", "/ingest", io.NopCloser(d))
			r.ContentLength = size
			x := &exchange{s: s, w: w, r: r}
			x.pace()
			buf := make([]byte, size)
			for got := 0; got < size; {
				n, err := x.r.Body.Read(buf[got:])
				got += n
				due := w.set[len(w.set)-1]
				if lasted = time.Since(w.began); err != nil || lasted > due {
					break
				}
				if due > 30*time.Second {
					t.Errorf("%v: the deadline is %v", d, due)
				}
			}
			deadlinesSet = len(w.set)
		})
		return lasted, deadlinesSet
	}
	if lasted, _ := read(drip{1, time.Second}); lasted < paceGrace || lasted > paceGrace+2*time.Second {
		t.Errorf("a byte a second lasted %v, want about %v", lasted, paceGrace)
	}
	if lasted, _ := read(drip{100, time.Second}); lasted != 30*time.Second {
		t.Errorf("exactly the pace lasted %v", lasted)
	}
	if lasted, _ := read(drip{90, time.Second}); lasted > 31*time.Second || lasted < 29*time.Second {
		t.Errorf("a little below the pace lasted %v", lasted)
	}
	if lasted, n := read(drip{1000, 0}); lasted != 0 || n > 3 {
		t.Errorf("all at once: %v, and %d deadlines", lasted, n)
	}
	if _, n := read(drip{1, 0}); n > 30*10+1 {
		t.Errorf("byte by byte, and %d deadlines", n)
	}
}

// Each kind of refusal is counted, in the snapshot and on the health page.
func TestRefusalsAreCountedByKind(t *testing.T) {
	b, token := startWithTokens(t, func(c *Config) { c.ReadTimeout, c.MaxBodyBytes, c.MaxConns = 100*time.Millisecond, 1000, 3 })
	auth := "Authorization: Bearer " + token + "\r\n"
	if a := b.do("POST", "/ingest", event("e", "")); a.status != 401 {
		t.Errorf("without a token: %d", a.status)
	}
	if a := b.do("POST", "/ingest", strings.Repeat(" ", 2000), "Authorization", "Bearer "+token); a.status != 413 {
		t.Errorf("too big: %d", a.status)
	}
	http.DefaultClient.CloseIdleConnections()
	slow := b.dial("POST /ingest HTTP/1.1\r\nHost: localhost\r\n" + auth + "Content-Length: 100\r\n\r\n{")
	if a := b.read(slow); a.status != 408 {
		t.Errorf("slow: %d %s", a.status, a.text)
	}
	slow.Close()
	eventually(t, "one too many is turned away", func() bool {
		conn := b.dial("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
		resp, err := http.ReadResponse(newReader(conn), nil)
		return err == nil && resp.StatusCode == 503
	})
	want := Refusals{Stranger: 1, Size: 1, Slow: 1, Connections: 1}
	if got := b.Snapshot().Refused; got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}
