// Package ingest takes events over HTTP: it decodes, validates, appends and answers only after the append is durable. It promises that a 200
// means "on the disk", that a refusal stores no event, and that every line which it reports as rejected is kept as a dead letter, durably too.
// It knows no SQL: the one who starts it gives it what answers GET /query.
package ingest

import (
	"context"
	"time"

	"github.com/signallake/signallake/lake"
)

// Log is what the server appends to (*lake.Lake). Append returns after the batch is durable. After it returned nil it may not read b.Lines
// any more: the server writes the next request's events there.
//
// Bury returns after the letters are durable, and may not read their texts any more then. Backlog says whether Append would refuse now
// (lake.ErrBacklog): it is asked before anything is buried, so that a sender who is told to come again does not leave its rejected lines twice.
// Probe finds out, after Append or Bury have failed, whether they would succeed again.
//
// NotesBack calls fn with the notes of batches appended since then, the newest first, until fn answers false. The note is valid during the call.
type Log interface {
	Append(ctx context.Context, b lake.Batch) (lake.Receipt, error)
	Bury(ctx context.Context, letters []lake.DeadLetter) error
	Backlog() error
	Probe(ctx context.Context) error
	NotesBack(since lake.Micros, fn func(at lake.Micros, note []byte) (more bool)) error
}

// Question is a GET /query/NAME on its way to whoever answers it.
type Question struct {
	Name     string
	From, To lake.Micros // 0: not narrowed
	Service  string
	Limit    int
}

// Answer is a question's rows. Rows hold JSON-ready values.
type Answer struct {
	Columns   []string
	Rows      [][]any
	Files     int
	Bytes     int64
	Version   uint64
	ElapsedMS float64
	Missing   int64 // acknowledged events that the answer does not count yet; 0: it counts all
}

// ErrUnknownQuestion, as a pointer, is returned by an Asker for a name that it does not know.
type ErrUnknownQuestion struct {
	Name  string
	Known []string
}

// LoadingError is returned by an Asker whose time is over while the lake still reads in what it found at its start.
type LoadingError struct{ Progress string }

func (e *LoadingError) Error() string { return "the lake is still loading: " + e.Progress }

// Asker answers named questions.
type Asker func(ctx context.Context, q Question) (*Answer, error)

// Snapshot is the server's counters at one moment; immutable.
type Snapshot struct {
	Addr           string   // where it listens; "" when it does not
	Err            string   // why it does not listen, with the way out; "" otherwise
	TLS            bool     // it speaks https
	CACert         string   // file of a self-signed certificate, which clients must be given; "" otherwise
	Token          bool     // requests need a token
	Warnings       []string // Server.Warnings
	Since          time.Time
	Requests       int64
	Accepted       int64 // events
	Rejected       int64 // lines
	Duplicates     int64 // events that the lake had already
	Conflicts      int64 // stored events that contradict an earlier one of the same service and event_id
	Replayed       int64 // requests that were answered as an earlier one with the same Idempotency-Key
	Keys           KeyStatus
	AcceptedPerSec float64
	RejectedPerSec float64
	AckP50, AckP95 time.Duration // of POST requests over the last 30 s
	InFlight       int64
	Queue          QueueState
	Memory         MemoryState
	Refused        Refusals
	Trouble        string          // why events are not taken now, since when, and the way out; "": they are
	PerSecond      []float64       // accepted events in each of the last 60 whole seconds, oldest first
	RejectedEach   []float64       // rejected lines, likewise
	Recent         []RequestRecord // newest first, at most 100
	Rejects        []Reject        // newest first, at most 100
}

// RequestRecord is one answered request: the structured log line as a value.
type RequestRecord struct {
	At          time.Time
	RequestID   string
	Method      string
	Path        string
	StatusCode  int
	Source      string // the name of the sender's token; "" where no token is asked for
	ServiceName string // of the first event of the body; "" otherwise
	LatencyMS   float64
	Bytes       int64 // of the request body
	Events      int   // stored
	Duplicates  int   // of events that were stored already
	Conflicts   int   // of the stored ones that contradict an earlier one of their id
	Replayed    bool  // the answer is that of an earlier request with the same Idempotency-Key: nothing was stored for this one
}

// KeyStatus tells of the window of Idempotency-Keys.
type KeyStatus struct {
	Remembered int    // keys, those at work among them
	Recalling  bool   // keys of before the start are still being read: a request whose key is not found yet waits
	Ignored    int64  // notes of keys that cannot be read
	Err        string // why the keys of before the start could not all be read; "" otherwise
}

// Reject is one refused line.
type Reject struct {
	At     time.Time
	Source string // the name of the sender's token, else the remote address
	Line   int    // 1-based within its request
	Field  string
	Reason string
	Sample string // the first 200 bytes of the line
}
