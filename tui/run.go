package tui

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"
)

// Run shows the console on the process's terminal until the user leaves or ctx ends. It gives the terminal back as it was, also after a
// bug, and returns when every task has ended.
func Run(ctx context.Context, cfg Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := New(ctx, cfg)
	defer a.Close()
	out := &countingFile{File: os.Stdout}
	a.hud.output = &out.written
	// Signals end ctx. The library's own handler would hear them too, and wait for ever to tell a program that is ending already.
	_, err := tea.NewProgram(a, tea.WithContext(ctx), tea.WithOutput(out), tea.WithoutSignalHandler()).Run()
	if errors.Is(err, tea.ErrInterrupted) || (errors.Is(err, tea.ErrProgramKilled) && !errors.Is(err, tea.ErrProgramPanic) && ctx.Err() != nil) {
		err = nil // a signal from outside ends the console as a key does
	}
	if !errors.Is(err, tea.ErrProgramPanic) {
		return errors.Join(err, a.leave())
	}
	return err
}

// countingFile is the terminal with a count of what was written to it.
type countingFile struct {
	*os.File
	written atomic.Int64
}

var (
	_ term.File = (*countingFile)(nil)
	_ io.Writer = (*countingFile)(nil)
)

func (f *countingFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.written.Add(int64(n))
	return n, err
}

// WriteString must not be the embedded file's: it would go past the count.
func (f *countingFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }
