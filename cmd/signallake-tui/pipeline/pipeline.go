// Package pipeline measures every stage of the lake beside its reference: from the generator to the answer of a question. What needs
// processor time or memory of its own runs in child processes of this program, which take turns with their references.
package pipeline

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
)

// MinRounds is the smallest number of rounds: a median of fewer says little.
const MinRounds = 5

// MinEvents is the smallest lake that is measured: growth is told from a hundredth and a tenth of it too.
const MinEvents = 10_000

// Config says what to measure. Dir, Program and Events are required.
type Config struct {
	Dir      string           // an empty scratch folder, on the disk that is to be measured; Run leaves nothing in it
	Program  string           // the path of this program, which runs stages as `bench stage NAME`; see Child
	Events   int64            // of the largest lake, at least MinEvents; growth is measured at a tenth and a hundredth of it too
	Rounds   int              // of each measure; 0: MinRounds, and less is an error
	Only     []string         // names of lines (see Names); empty: all
	Progress *lake.Progress   // nil: nobody looks
	Now      func() time.Time // nil: time.Now
	Say      func(string)     // hears a sentence after each stage; nil: nobody listens
}

// Run measures the lines of cfg.Only and their growth. The caller fills in what it knows better: At, Program and Machine but for Engine and
// Threads. It stops within a second when ctx ends, its children with it.
func Run(ctx context.Context, cfg Config) (*bench.Pipeline, error) {
	return nil, errors.New("not built yet")
}

// Child is the hidden sub-command `bench stage NAME [flags]`: one stage in a process of its own, whose outcome is one line of JSON on stdout.
func Child(ctx context.Context, args []string, stdout io.Writer) error {
	return errors.New("not built yet")
}

// Names are the names of all lines, in the order of the report.
func Names() []string { return nil }

// Room is how many bytes of disk a run with so many events takes at most.
func Room(events int64) int64 { return events * 3000 }
