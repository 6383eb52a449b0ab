package pipeline

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/duck"
)

// The stages of children beside commandStage.
const (
	convertStage = "convert"        // converts a raw lake
	duckdbStage  = "duckdb-convert" // converts its files with DuckDB alone
)

// Child is the hidden sub-command `bench stage NAME [flags]`: work that is measured in a process of its own. Its outcome is a Usage, as one line of JSON.
// run runs any other sub-command of this program, whose own output goes nowhere.
func Child(ctx context.Context, args []string, stdout io.Writer, run func(ctx context.Context, args []string) error) error {
	if len(args) == 0 {
		return errors.New("bench stage: no stage is named")
	}
	flags := flag.NewFlagSet("bench stage "+args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	dir := flags.String("dir", "", "of the lake")
	out, threads := flags.String("out", "", "where the tree is made"), flags.Int("threads", 1, "of the statement")
	work := map[string]func() error{
		convertStage: func() error { return convertChild(ctx, *dir, stdout) },
		duckdbStage: func() error {
			return measured(stdout, func() error { return duck.ConvertForComparison(ctx, flags.Args(), *out, *threads) })
		},
	}[args[0]]
	if args[0] == commandStage {
		return measured(stdout, func() error { return run(ctx, args[1:]) })
	}
	if work == nil {
		return fmt.Errorf("bench stage: there is no stage %q", args[0])
	}
	if err := flags.Parse(args[1:]); err != nil {
		return fmt.Errorf("%s: %w", flags.Name(), err)
	}
	return work()
}

// convertChild converts a lake; its opening is not measured.
func convertChild(ctx context.Context, dir string, stdout io.Writer) error {
	l, err := lake.Open(ctx, lake.Config{Dir: dir, ConvertAge: -1, HotLimit: noLimit, WindowEvents: -1, Owner: lake.Owner{PID: os.Getpid(), Command: "bench", Since: time.Now()}})
	if err != nil {
		return err
	}
	err = measured(stdout, func() error {
		_, err := l.Convert(ctx, nil)
		return err
	})
	return errors.Join(err, l.Close())
}
