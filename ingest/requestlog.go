package ingest

import (
	"io"
	"math"
	"strings"
	"sync"
	"time"
)

// logTime is RFC 3339 in UTC with milliseconds: every line has the same width.
const logTime = "2006-01-02T15:04:05.000Z"

const (
	maxLogPath  = 256     // bytes of a path in the log: a scanner's long one does not fill the disk
	maxLogWhy   = 512     // bytes of an error
	maxLogStack = 8 << 10 // bytes of a panic's stack
)

// requestLine is one line of the request log.
type requestLine struct {
	Time        string  `json:"time"`
	RequestID   string  `json:"request_id"`
	Method      string  `json:"method"`
	Path        string  `json:"path"`
	StatusCode  int     `json:"status_code"`
	ServiceName string  `json:"service_name"`
	LatencyMS   float64 `json:"latency_ms"`
	Bytes       int64   `json:"bytes"`
	Events      int     `json:"events"`
	Rejected    int     `json:"rejected"`
	Duplicates  int     `json:"duplicates,omitempty"`
	Conflicts   int     `json:"conflicts,omitempty"`
	Replayed    bool    `json:"replayed,omitempty"` // the answer of an earlier request with the same Idempotency-Key
	Source      string  `json:"source,omitempty"`   // the name of the sender's token
	Remote      string  `json:"remote"`
	Error       string  `json:"error,omitempty"`
	Stack       string  `json:"stack,omitempty"`
}

// requestLog writes whole lines, one at a time. A writer that fails loses lines and nothing else: a full log disk must not stop ingest.
type requestLog struct {
	mu  sync.Mutex
	out io.Writer // nil: no log
	now func() time.Time
	buf []byte
}

func (l *requestLog) write(line any) {
	if l.out == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	buf, err := appendJSON(l.buf[:0], line)
	if err != nil {
		return
	}
	l.buf = buf
	_, _ = l.out.Write(buf)
}

// tell leaves a line of words.
func (l *requestLog) tell(words string) { _, _ = l.Write([]byte(words)) }

// Write takes the messages of net/http itself (a broken connection, an Accept that fails) and makes lines of them; otherwise they would
// go to stderr, which is the console's screen.
func (l *requestLog) Write(message []byte) (int, error) {
	l.write(struct {
		Time  string `json:"time"`
		Error string `json:"error"`
	}{l.now().UTC().Format(logTime), cut(strings.TrimSpace(string(message)), maxLogWhy)})
	return len(message), nil
}

// cut shortens s to at most n bytes, at a character boundary.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// milliseconds keeps three decimals: the resolution of what was measured.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}
