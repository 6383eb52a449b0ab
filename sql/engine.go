// Package sql asks the lake: the engine's contract, the named questions, the statements behind the console's panels, pruning and cost. It
// holds no engine: sql/duck is the one that runs here. It refuses to read files or to open sockets.
package sql

import (
	"context"
	"fmt"
	"time"

	"github.com/signallake/signallake/lake"
)

// Engine runs statements over the lake. Every statement sees one version of the lake and the hot tail that belongs to it, exactly once.
type Engine interface {
	// Query runs one SELECT-like statement. Errors: *RefusedError (the gate), *SyntaxError (with its place), context errors, and engine errors
	// in the engine's words.
	Query(ctx context.Context, q Query) (*Result, error)
	// Estimate says what Query would read, without running it. An incomplete or refused text gives the same errors as Query.
	Estimate(ctx context.Context, text string) (Estimate, error)
}

// Query is one statement to run.
type Query struct {
	Text    string
	MaxRows int      // rows materialised at most; 0: 10,000. More rows set Result.More
	MinSeq  lake.Seq // wait until everything below it is visible: reading one's own writes. A start-up is waited for, later a second at most; 0: what is acknowledged is, within a second
}

// Result is a finished statement.
type Result struct {
	Columns []ResultColumn
	Rows    [][]any // nil, bool, int64, float64, string, time.Time, or (lists, structs, decimals, big integers) their text
	More    bool    // the statement has more rows than MaxRows
	Stats   Stats
}

// ResultColumn is a column's name and the engine's name of its type.
type ResultColumn struct{ Name, Type string }

// Stats is what a statement did. Estimate and Stats use the same arithmetic: footers plus the needed column chunks of the files that
// survive pruning, from the catalog. That is what any engine reads of these files, and what USD is about; where this one reads the digests
// that files carry instead, Digests and DigestBytes say so, and the files are counted in Files and Bytes all the same.
type Stats struct {
	Files, FilesTotal int
	Bytes             int64 // compressed, of Parquet
	Digests           int   // of Files: answered from their digests
	DigestBytes       int64 // read of digests, without those that were in memory
	HotRows           int64 // rows of the unconverted tail that were scanned as well
	Missing           int64 // events that were committed before the question and are not in the answer: while the start loads the tail, or after a wait that was too long
	Version           uint64
	Elapsed           time.Duration
	USD               float64 // what Athena would charge
}

// Estimate is what a statement will read.
type Estimate struct {
	Files, FilesTotal int
	Bytes             int64
	HotRows           int64
	Columns           []string // of events that are read; partition keys cost nothing
	Version           uint64
	USD               float64
	Why               string // when pruning or column selection had to give up: the reason, for the user; else ""
}

// RefusedError is a statement that the gate does not let through.
type RefusedError struct {
	What string // what was found: "COPY", "the function read_text"
	Hint string // the way out
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s is not allowed here: %s", e.What, e.Hint)
}

// SyntaxError is a statement that the engine cannot parse or bind.
type SyntaxError struct {
	Message string
	Offset  int // bytes from the start of the text to the place; -1 when unknown
}

func (e *SyntaxError) Error() string { return e.Message }
