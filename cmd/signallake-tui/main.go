// Signallake-tui is a terminal console over a local-first log lake. Alone it opens the console, with the ingest API in the background; its
// sub-commands run the same tasks for scripts and servers. Standard output is data, standard error is words, and the exit code is an API.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/signallake/signallake/lake"
)

// The exit codes, as the README lists them.
const (
	exitOK          = 0
	exitFailed      = 1   // the operation failed; standard error says why
	exitUsage       = 2   // the command line is wrong
	exitOwned       = 3   // another process owns the lake
	exitDamaged     = 4   // verify or torture found something wrong
	exitInterrupted = 130 // stopped by Ctrl+C or SIGTERM
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], &world{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: clock(os.Getenv)}))
}

// world is what a command has of the outside.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
}

// clock is the system's, or one that stands still at SIGNALLAKE_TEST_NOW (RFC 3339): pictures and tests need the same minute every time. Where that is a
// duration ("-1h"), the clock is wrong by as much.
func clock(getenv func(string) string) func() time.Time {
	if at, err := time.Parse(time.RFC3339, getenv("SIGNALLAKE_TEST_NOW")); err == nil {
		return func() time.Time { return at }
	}
	if off, err := time.ParseDuration(getenv("SIGNALLAKE_TEST_NOW")); err == nil {
		return func() time.Time { return time.Now().Add(off) }
	}
	return time.Now
}

// usageError is a wrong command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// run finds the command, runs it, and turns its error into words and an exit code.
func run(ctx context.Context, args []string, w *world) int {
	cmd, rest, err := find(args)
	if err == nil {
		err = cmd.run(ctx, w, rest)
	}
	return exitCode(ctx, err, w)
}

func exitCode(ctx context.Context, err error, w *world) int {
	var usage *usageError
	var damaged *damagedError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(w.stderr, "signallake-tui: %v\n", err)
		return exitUsage
	case errors.As(err, &damaged):
		fmt.Fprintf(w.stderr, "signallake-tui: %v\n", err)
		return exitDamaged
	case errors.Is(err, lake.ErrOwned):
		fmt.Fprintf(w.stderr, "signallake-tui: %v\n", err)
		return exitOwned
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(w.stderr, "signallake-tui:", stoppedText(err))
		return exitInterrupted
	default:
		fmt.Fprintf(w.stderr, "signallake-tui: %v\n", err)
		return exitFailed
	}
}
