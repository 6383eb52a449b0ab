package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/signallake/signallake/ingest/torture"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/duck"
)

// The torture's defaults: about a minute, and every kind of kill.
const (
	tortureKills  = 10
	tortureEvents = 1_000_000
)

const (
	torturePrefix = "torture-" // of scratch folders
	keptPrefix    = "kept-"    // of those that stay: no later run takes them for litter
	// tortureRoom is what an event of the scratch lake takes on the disk: raw, Parquet, and replaced files for a while.
	tortureRoom = 700
	// diskRoom is the least size of the small disk that --full fills.
	diskRoom = 256 << 20
)

// tortureFlags are what the command line says.
type tortureFlags struct {
	torture.Config
	scratch      string
	keep, asJSON bool
	onDisk       bool // the scratch lake lies on a small disk in memory
}

// runTorture kills a server of its own again and again and proves that it lost nothing and took nothing twice.
func runTorture(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "torture")
	t := tortureFlags{}
	flags.IntVar(&t.Kills, "kills", tortureKills, "how often the server is killed (SIGKILL)")
	flags.Int64Var(&t.Events, "events", tortureEvents, "`events` to be acknowledged over all its lives")
	flags.Uint64Var(&t.Seed, "seed", 0, "repeats the plan of an earlier run; 0: a random one, which the report tells")
	flags.IntVar(&t.Clients, "clients", 8, "`senders` at the same time, each of its own kind")
	flags.IntVar(&t.Batch, "batch", 500, "`events` of a large request, on the average")
	flags.IntVar(&t.Stops, "stops", 0, "how often the server is stopped (SIGSTOP) for a while")
	flags.DurationVar(&t.StopFor, "stop-for", 30*time.Second, "for how long")
	flags.IntVar(&t.Fulls, "fulls", 0, "how often its disk becomes full: for root a small disk in memory with the scratch lake on it, for others a limit on the server's files")
	flags.StringVar(&t.scratch, "scratch", "", "`folder` for the scratch lake; otherwise tmp/ of the --data folder or, without one, the system's")
	flags.BoolVar(&t.keep, "keep", false, "keep the scratch lake; it stays also when something was found")
	flags.BoolVar(&t.asJSON, "json", false, "the report as one JSON object")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if err := t.Validate(); err != nil {
		return usagef("%v", err)
	}
	if t.Seed == 0 {
		t.Seed = uint64(rand.Uint32())
	}
	if t.scratch == "" {
		t.scratch = scratchParent(*dir)
	}
	report, err := t.run(ctx, w)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return &stoppedError{fmt.Sprintf("the torture was stopped, its server with it; nothing of it stays (seed %d)", t.Seed), err}
	}
	if err != nil {
		return err
	}
	if t.asJSON {
		err = writeJSON(w.stdout, report)
	} else {
		_, err = io.WriteString(w.stdout, report.String())
	}
	if err == nil && !report.OK {
		err = &damagedError{fmt.Sprintf("the torture found %d problems: %d events lost, %d doubled (seed %d)", len(report.Problems), report.Lost, report.Doubled, report.Seed)}
	}
	return err
}

// run makes the scratch lake, tortures, and takes the lake away or keeps it.
func (t *tortureFlags) run(ctx context.Context, w *world) (report *torture.Report, err error) {
	var need int64
	if t.Fulls == 0 || os.Geteuid() != 0 {
		need = t.Events * tortureRoom
	}
	scratch, remove, err := scratchFolder(t.scratch, torturePrefix, need)
	if err != nil {
		return nil, fmt.Errorf("torture: %w", err)
	}
	t.Dir = filepath.Join(scratch, "lake")
	unmount := func() error { return nil }
	defer func() {
		if t.keep || err == nil && !report.OK || err != nil && ctx.Err() == nil {
			if _, none := os.Stat(t.Dir); none == nil {
				err = errors.Join(err, t.stays(w, scratch))
				return
			}
		}
		err = errors.Join(err, unmount(), remove())
	}()
	if t.Fulls > 0 {
		if unmount, err = t.makeDisk(filepath.Join(scratch, diskName), unmount); err != nil {
			return nil, err
		}
	}
	if err := t.wire(w); err != nil {
		return nil, err
	}
	stop := showProgress(w.stderr, t.Progress)
	defer stop()
	return torture.Run(ctx, t.Config)
}

// makeDisk finds a way to have a full disk: a small one where that may be mounted, else a limit on the server's files.
func (t *tortureFlags) makeDisk(folder string, none func() error) (unmount func() error, err error) {
	unmount, err = mountSmallDisk(folder, max(diskRoom, t.Events*tortureRoom))
	if errors.Is(err, fs.ErrPermission) {
		t.Fill = func(pid int, _ int64) (func() error, error) { return limitFiles(pid) }
		return none, nil
	}
	if err != nil {
		return none, fmt.Errorf("torture: %w", err)
	}
	t.onDisk, t.Dir = true, filepath.Join(folder, "lake")
	t.Fill = func(_ int, leave int64) (func() error, error) { return fillDisk(folder, leave) }
	return unmount, nil
}

// stays gives a scratch lake that is kept a name that tells, and says where it is. One on a small disk has to stay where that is mounted.
func (t *tortureFlags) stays(w *world, scratch string) error {
	if t.onDisk {
		fmt.Fprintf(w.stderr, "the scratch lake stays, in memory: %s (umount %s takes it away)\n", t.Dir, filepath.Dir(t.Dir))
		return nil
	}
	kept := filepath.Join(filepath.Dir(scratch), keptPrefix+filepath.Base(scratch))
	if err := os.Rename(scratch, kept); err != nil {
		return err
	}
	fmt.Fprintf(w.stderr, "the scratch lake stays: %s\n", filepath.Join(kept, "lake"))
	return nil
}

// wire gives the torture what it needs of this program.
func (t *tortureFlags) wire(w *world) (err error) {
	if t.Program == "" {
		if t.Program, err = os.Executable(); err != nil {
			return fmt.Errorf("torture: find this program: %w", err)
		}
	}
	// Conversions, seals and checkpoints come often, also in a short run, and not so often that a long one drowns in small files.
	bytes := byteSize(min(max(t.Events, 1<<20), 8<<20))
	t.Serve = append(t.Serve, "--convert-bytes", bytes.String(), "--segment-bytes", (bytes / 2).String(), "--convert-age", "5s")
	t.Open = func(ctx context.Context) (torture.Reader, error) {
		s, err := openReader(ctx, w, t.Dir)
		if err != nil {
			return nil, err
		}
		return tortureReader{s}, nil
	}
	t.Outside = duck.Outside
	t.Progress = &lake.Progress{}
	if !isTerminal(w.stderr) {
		t.Say = func(text string) { fmt.Fprintln(w.stderr, "torture:", text) }
	}
	return nil
}

// tortureReader asks the engine of a read-only stack.
type tortureReader struct{ stack *stack }

// maxTortureRows is above the number of rows that any question of the torture has: one for 60 events.
const maxTortureRows = 1 << 30

func (r tortureReader) Ask(ctx context.Context, text string) ([][]any, error) {
	result, err := r.stack.engine.Query(ctx, sql.Query{Text: text, MaxRows: maxTortureRows})
	if err != nil {
		return nil, err
	}
	return result.Rows, nil
}

func (r tortureReader) Close() error { return r.stack.close() }
