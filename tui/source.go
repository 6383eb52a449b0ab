// Package tui is the console: one Bubble Tea program over values that others make. It draws, takes keys and starts commands; it opens no
// file, no socket and no database. It promises that a key is answered at once and that what it shows is never older than it says.
package tui

import (
	"context"
	"time"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/bench"
)

// Config is all that the console needs from below. Every func may be called from any goroutine; those without a context return at once
// (an atomic snapshot); those with one may block and are called from commands only.
type Config struct {
	DataDir  string           // as the user named it
	Now      func() time.Time // nil: time.Now
	ReadOnly func() *Follow   // not nil: another process owned the lake when we opened it; it is shown, writing tasks are off and say why
	Engine   sql.Engine       // the prompt
	Panels   sql.Panels
	Status   func() lake.Status
	Ingest   func() ingest.Snapshot
	Dead     func() lake.DeadStatus // refused input that is kept; nil: none
	Letters  *Letters               // what may be done with it; nil: nothing, only Dead counts it
	Chain    func() []lake.Stage    // the backlog, from the API to the panels; nil: not known
	Tasks    Tasks
	Store    Store
	Complete func(ctx context.Context, path string) ([]string, error) // file names that continue what was typed, folders with their slash; nil: none
	// The earlier reports of the benchmark's suites, newest first; nil: none.
	LadderHistory   func(ctx context.Context) ([]bench.Report, error)
	PipelineHistory func(ctx context.Context) ([]bench.Pipeline, error)
	LayoutHistory   func(ctx context.Context) ([]bench.Layouts, error)
	Piped           Work       // reads what is piped into the console; it is started with it. nil: nothing is
	Questions       []NamedSQL // the saved queries that come with the program
	ASCII           bool       // no box drawing, no braille
	Mouse           bool
	PanicKey        bool // Ctrl+\ panics: for the test that a bug leaves a usable terminal
}

// Letters is the dead zone as the console works with it. Each func may block.
type Letters struct {
	Groups  func(ctx context.Context) ([]replay.Group, error)                                     // by source and kind of reason, the largest first
	List    func(ctx context.Context, pick replay.Pick, newest int) ([]lake.DeadLetter, error)    // the newest ones, newest first
	Discard func(ctx context.Context, pick replay.Pick) (n int64, err error)                      // for good
	Export  func(ctx context.Context, pick replay.Pick, path string) (n int64, err error)         // as one JSON object a line; refuses a file that exists
	Replay  func(ctx context.Context, p replay.Params, pr *lake.Progress) (*replay.Report, error) // dry run included
	Why     string                                                                                // not "": Discard and Replay are off, and why
}

// Follow tells whose lake it is that we only read. The console never becomes the owner itself: that takes a new start.
type Follow struct {
	Owner lake.Owner // the newest note
	Gone  bool       // nobody owns the lake any more
}

// NamedSQL is a saved query.
type NamedSQL struct{ Name, Title, SQL string }

// Tasks are the long operations that the console may start. A nil func is off; Why tells the user the reason.
type Tasks struct {
	Generate func(ctx context.Context, p GenerateParams, progress *lake.Progress) (summary string, err error)
	Convert  func(ctx context.Context, layout string, progress *lake.Progress) (summary string, err error) // partitioned, unpartitioned or both
	Verify   func(ctx context.Context, progress *lake.Progress) (summary string, err error)
	Import   func(ctx context.Context, p ImportParams, progress *lake.Progress) (summary string, err error)
	Bench    func(ctx context.Context, p BenchParams, progress *lake.Progress) (report *bench.Report, err error)
	Pipeline func(ctx context.Context, p PipelineParams, progress *lake.Progress) (report *bench.Pipeline, err error)
	Layout   func(ctx context.Context, p LayoutParams, progress *lake.Progress) (report *bench.Layouts, err error)
	Stages   []string // the lines that Pipeline measures
	Why      string
}

// ImportParams are an import's parameters, as `import` has them.
type ImportParams struct {
	Paths   []string // files; "-" is what was piped into the console
	Service string   // for lines that name none; "" is a name made from the file's
	Format  string   // "" finds it
	Map     string   // "from=to,from=to": the sender's keys as the contract's
	Follow  bool     // go on with what is written to the file later
	Again   bool     // also what was imported before

	Covers func(first, last lake.Micros) // when not nil: told the time that the imported events span, before the import ends
}

// BenchParams are the benchmark's parameters, as `bench` has them.
type BenchParams struct {
	Events int64 // of the scratch lake; 0 asks the lake at hand
	Runs   int   // timed runs of each rung
	Cold   bool  // also with the files' pages dropped
}

// PipelineParams are the parameters of the benchmark of the stages, as `bench pipeline` has them.
type PipelineParams struct {
	Events int64    // of the largest lake
	Rounds int      // of each measure at least
	Only   []string // names of lines; empty: all
}

// LayoutParams are the parameters of the benchmark of layouts, as `bench layout` has them.
type LayoutParams struct {
	Events int64
	Rounds int  // of everything
	Cold   bool // also with the files' pages dropped
}

// GenerateParams are the generator's parameters, as `generate` has them.
type GenerateParams struct {
	Count    int64
	Seed     uint64
	Days     int
	Services int
	Start    string // "" ends now; else RFC 3339
}

// Store keeps the console's memory (history, session) between runs. Load of an unknown name is empty, not an error.
type Store interface {
	Load(name string) ([]byte, error)
	Save(name string, data []byte) error
}
