package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"time"
)

const (
	consoleRows, consoleColumns = 50, 160
	// consoleQuiet is how long the console's memory must not have grown before the next screen is looked at, and consoleMost how long that is waited for.
	consoleQuiet = 300 * time.Millisecond
	consoleMost  = 20 * time.Second
	consoleEvery = 20 * time.Millisecond
	// consoleScreens are the keys of the screens, the dashboard's last.
	consoleScreens = "234561"
)

// measureConsole opens the console over the lake that is asked, in a terminal, and looks at each of its screens. This process owns the lake, so the console
// follows it, with all that it shows.
func measureConsole(ctx context.Context, c *corpus, o *outcome) error {
	a, err := c.open(ctx)
	if err != nil {
		return err
	}
	plain := func(ctx context.Context, _ int) (float64, error) {
		u, err := c.measure(ctx, commandStage, "console", "--plain", "--data", a.lake.Layout().Root)
		return megabytes(u.Peak), err
	}
	screens := func(ctx context.Context, _ int) (float64, error) {
		peak, err := c.lookAtConsole(ctx, a.lake.Layout().Root)
		return megabytes(peak), err
	}
	samples, err := c.turns(ctx, nil, way{"console", screens}, way{"console --plain", plain})
	if err != nil {
		return err
	}
	f := o.add("rss-console", samples[0], nil).note("the peak of `signallake-tui console` in a terminal of %d x %d, each of its screens looked at; `--plain` has %.0f MB", consoleColumns, consoleRows, median(sorted(samples[1])))
	if c.events < tenMillions {
		f.note("the bound is for a lake of %d events", tenMillions)
	}
	return nil
}

// lookAtConsole opens the console in a terminal, goes through its screens, and answers its peak. What it writes is read and thrown away.
func (c *corpus) lookAtConsole(ctx context.Context, dir string) (peak int64, err error) {
	cmd := exec.Command(c.cfg.Program, "console", "--data", dir, "--fresh")
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8")
	ours, theirs, err := inTerminal(cmd, consoleRows, consoleColumns)
	if err != nil {
		return 0, err
	}
	defer ours.Close()
	p, err := startCommand(cmd, nil)
	theirs.Close()
	if err != nil {
		return 0, err
	}
	defer p.kill()
	var written atomic.Int64
	go func() { _, _ = io.Copy(countingWriter{&written}, ours) }() // until the terminal is closed
	for _, key := range " " + consoleScreens {
		if key != ' ' {
			if _, err := ours.Write([]byte(string(key))); err != nil {
				return 0, err
			}
		}
		if peak, err = p.grown(ctx); err != nil {
			return 0, err
		}
	}
	if written.Load() < consoleRows*consoleColumns/2 {
		return 0, fmt.Errorf("the console drew %d bytes: that is no screen", written.Load())
	}
	return peak, nil
}

// countingWriter counts what nobody reads.
type countingWriter struct{ n *atomic.Int64 }

func (w countingWriter) Write(p []byte) (int, error) {
	w.n.Add(int64(len(p)))
	return len(p), nil
}

// grown waits until the process's peak memory has stayed the same for a while, and answers it.
func (p *process) grown(ctx context.Context) (peak int64, err error) {
	tick := time.NewTicker(consoleEvery)
	defer tick.Stop()
	began, changed := time.Now(), time.Now()
	for time.Since(changed) < consoleQuiet && time.Since(began) < consoleMost {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-p.gone:
			return 0, errors.New("the console ended by itself: " + p.lastWords())
		case <-tick.C:
		}
		now, err := peakMemory(p.cmd.Process.Pid)
		if err != nil {
			return 0, err
		}
		if now != peak {
			peak, changed = now, time.Now()
		}
	}
	return peak, nil
}
