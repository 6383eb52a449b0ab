// Package lake keeps application events: as raw JSONL that is also the write-ahead log, and as Hive-partitioned Parquet that a catalog of
// immutable versions names. It promises that an acknowledged event is on the disk and is visible exactly once at every moment. It knows
// no SQL, no HTTP and no terminal, and needs no cgo.
package lake

import (
	"errors"
	"time"
)

// Errors that callers tell apart.
var (
	ErrOwned     = errors.New("another process owns the lake")             // as *OwnedError, which names it
	ErrReadOnly  = errors.New("the lake is open read-only")                //
	ErrConflict  = errors.New("the catalog moved on")                      // a commit's preconditions no longer hold
	ErrBacklog   = errors.New("too many events wait for their conversion") // the hot tail's bound; try again later
	ErrLogFailed = errors.New("the raw log could not be written")          // this batch is not acknowledged; later ones go to a new segment
	ErrBury      = errors.New("the dead letters could not be written")     // these letters are not acknowledged; later ones go to a new file
	ErrClosed    = errors.New("the lake is closed")
	ErrNewer     = errors.New("written by a newer release") // a format number above ours
)

// Config says how to open a lake. Only Dir is required.
type Config struct {
	Dir          string
	ReadOnly     bool             // follow another process's lake: nothing below Dir is changed but state/
	Disk         Disk             // nil: OSDisk
	Now          func() time.Time // nil: time.Now
	SegmentBytes int64            // a raw segment is sealed at this size; 0: 64 MiB
	ConvertAge   time.Duration    // automatic conversion seals and takes a segment this old; 0: 15 min; negative: never by itself
	ConvertBytes int64            // and when this much is unconverted; 0: 64 MiB
	HotLimit     int64            // bytes of raw that may wait for conversion before Append answers ErrBacklog; 0: 4 GiB
	WindowEvents int              // the newest events with an id of their sender that new ones are compared with; 0: 2,097,152; negative: none are compared
	DeadLimit    int64            // bytes of dead letters to keep; beyond it the oldest go; 0: 256 MiB
	Owner        Owner            // what a second process is told about us
}

// Owner is the note that the holder of the lock leaves for others.
type Owner struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Address string    `json:"address,omitempty"` // URL of its HTTP API, as this machine reaches it
	Token   bool      `json:"token,omitempty"`   // the API asks for a token
	Since   time.Time `json:"since"`
}

// OwnedError names the process that owns the lake. errors.Is(err, ErrOwned).
type OwnedError struct{ Owner Owner }

// Status is the lake's books at one moment; Visible = Parquet + Hot.
type Status struct {
	Version        uint64
	Watermark      Seq
	NextSeq        Seq // one past the newest committed event
	RawEvents      int64
	RawBytes       int64
	RawSegments    int
	ParquetEvents  int64
	ParquetFiles   int
	ParquetBytes   int64
	HotEvents      int64 // committed in raw, above the watermark
	HotBytes       int64
	HotSince       time.Time // when the oldest of them was appended, by the lake's clock; zero: there are none
	ConvertAt      int64     // bytes of them at which the automatic conversion begins; 0: it does not here; of a read-only lake what its own Config says, as of HotLimit
	HotLimit       int64     // bytes of them from which on Append answers ErrBacklog
	Visible        int64
	FirstTimestamp Micros // of the Parquet files; 0 when there are none
	LastTimestamp  Micros
	Converting     bool
	LastError      string // of the newest automatic conversion; "" when it went well
	Dead           DeadStatus
}

// Batch is one sender's lines on their way to the raw log.
type Batch struct {
	Lines []byte // canonical lines (Event.AppendLine), each with its newline
	N     int    // how many
	Note  []byte // up to 4 KiB that the caller wants to find again beside the batch; opaque to the lake
	// Given says of each event whether its id is the sender's. Then it is compared with the newest Config.WindowEvents of its kind, those of this batch
	// among them: one with the same service, id and content is a duplicate, which is not stored again. nil: nothing is compared.
	Given []bool
	// Remark makes the Note once it is known what will be stored; when the write fails then, Append fails, and the next attempt makes its own. It runs in
	// the log's writer: it must be quick and may not append. nil: Note stands. A batch of no events, or of none but duplicates, is stored for its note alone.
	Remark func(Receipt) []byte
}

// Segment describes one raw segment.
type Segment struct {
	First   Seq // of its first event
	End     Seq // one past its last committed event; First when empty
	Events  int64
	Bytes   int64
	Sealed  bool
	Started time.Time // of its first batch, by the lake's clock
}

// Pin holds one consistent state of the lake: the version, and the raw segments at or above its watermark as they were then. No file
// that it names goes away before Release, in any process.
type Pin struct {
	Version *Version
	Hot     []Segment
	release func()
}

// Release ends the pin. It may be called more than once.
func (p *Pin) Release() {
	if p.release != nil {
		p.release()
	}
}

// TailBatch is what a Tail hands out at once: one committed batch, or several that follow each other without a gap.
type TailBatch struct {
	Segment    Seq // the segment it lies in
	First      Seq // of its first event; the others follow without a gap
	N          int
	Lines      []byte // valid until the next call of Next
	ReceivedAt Micros // when the first of its batches was appended
	Rewound    bool   // N is 0: recovery in another process took back events that this tail had handed out; drop everything at or above First and go on
}

// ConvertResult says what a conversion did. Events is 0 when there was nothing to convert.
type ConvertResult struct {
	Version uint64
	Events  int64
	Files   int
	Bytes   int64
	Commits int
	Elapsed time.Duration
}
