package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/signallake/signallake/ingest/torture"
	"github.com/signallake/signallake/lake"
)

const (
	soakPrefix = "soak-"
	// soakRoom is what a second of half load takes on the disk, with room to spare: some 100,000 events.
	soakRoom = 50 << 20
)

// runSoak holds a server of its own under load and tells whether it stays as it is.
func runSoak(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "soak")
	cfg := torture.SoakConfig{Progress: &lake.Progress{}}
	flags.DurationVar(&cfg.For, "for", 10*time.Minute, "how long half of the server's full load comes")
	flags.DurationVar(&cfg.Overload, "overload", time.Minute, "how long four times its full load comes then; 0: not at all")
	flags.IntVar(&cfg.Batch, "batch", 500, "`events` of a request")
	parent := flags.String("scratch", "", "`folder` for the scratch lake; otherwise tmp/ of the --data folder or, without one, the system's")
	asJSON := flags.Bool("json", false, "the report as one JSON object, with a sample a second")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if *parent == "" {
		*parent = scratchParent(*dir)
	}
	report, err := soak(ctx, w, cfg, *parent)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return &stoppedError{"the soak was stopped, its server with it; nothing of it stays", err}
	}
	if err != nil {
		return err
	}
	if *asJSON {
		err = writeJSON(w.stdout, report)
	} else {
		_, err = io.WriteString(w.stdout, report.String())
	}
	if err == nil && !report.OK {
		err = &damagedError{fmt.Sprintf("the soak found %d problems", len(report.Problems))}
	}
	return err
}

// soak makes the scratch lake, soaks, and takes the lake away.
func soak(ctx context.Context, w *world, cfg torture.SoakConfig, parent string) (report *torture.SoakReport, err error) {
	scratch, remove, err := scratchFolder(parent, soakPrefix, int64((cfg.For+cfg.Overload).Seconds())*soakRoom)
	if err != nil {
		return nil, fmt.Errorf("soak: %w", err)
	}
	defer func() { err = errors.Join(err, remove()) }()
	cfg.Dir = filepath.Join(scratch, "lake")
	if cfg.Program, err = os.Executable(); err != nil {
		return nil, fmt.Errorf("soak: find this program: %w", err)
	}
	cfg.Open = func(ctx context.Context) (torture.Reader, error) {
		s, err := openReader(ctx, w, cfg.Dir)
		if err != nil {
			return nil, err
		}
		return tortureReader{s}, nil
	}
	if !isTerminal(w.stderr) {
		cfg.Say = func(text string) { fmt.Fprintln(w.stderr, "soak:", text) }
	}
	stop := showProgress(w.stderr, cfg.Progress)
	defer stop()
	return torture.Soak(ctx, cfg)
}
