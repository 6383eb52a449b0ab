package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/charmbracelet/x/term"

	"github.com/signallake/signallake/lake"
)

// progressEvery is how often the line on standard error moves: often enough to look alive, seldom enough for a slow terminal.
const progressEvery = 200 * time.Millisecond

// showProgress draws the progress on one line of a terminal until the returned func is called.
func showProgress(w io.Writer, p *lake.Progress) (stop func()) {
	return showLine(w, func() string { return progressLine(p.Snapshot()) })
}

// showLine draws a text that changes on one line of a terminal until the returned func is called. Where w is no terminal it writes nothing:
// logs want outcomes, not animations.
func showLine(w io.Writer, line func() string) (stop func()) {
	if !isTerminal(w) {
		return func() {}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				fmt.Fprint(w, "\r\x1b[K")
				return
			case <-tick.C:
				fmt.Fprint(w, "\r\x1b[K"+line())
			}
		}
	})
	return sync.OnceFunc(func() { close(done); wg.Wait() })
}

// isTerminal tells whether somebody looks at what is written to w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(file.Fd())
}

func progressLine(s lake.ProgressSnapshot) string {
	if s.Total <= 0 {
		return fmt.Sprintf("%s %d", s.Stage, s.Done)
	}
	return fmt.Sprintf("%s %d of %d (%d %%)", s.Stage, s.Done, s.Total, 100*s.Done/s.Total)
}
