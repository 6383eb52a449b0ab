package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/lake"
)

// chainEvery is how often the backlog is looked at while nobody asks, so that its rates are there when somebody does.
const chainEvery = 500 * time.Millisecond

// watchChain begins to measure the backlog.
func (s *stack) watchChain() {
	s.chain = lake.NewChain()
	s.stages()
	ctx, cancel := context.WithCancel(context.Background())
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(chainEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				s.stages()
			}
		}
	})
	s.closers = append(s.closers, func() error { cancel(); looking.Wait(); return nil })
}

// stages is the backlog now: the one source of the console, of /health and, through that, of `status`.
func (s *stack) stages() []lake.Stage {
	look := lake.ChainLook{At: time.Now(), Status: s.lake.Status()}
	look.HotAge = hotAge(look.Status, s.now())
	fresh := s.engine.Freshness()
	look.Engine, look.Minutes, look.Unread, look.Unsummarised = true, fresh.Minutes, fresh.Unseen, fresh.Uncounted
	if s.server != nil {
		queue := s.server.Snapshot().Queue
		look.API, look.Queued, look.QueuedBytes, look.QueueAge, look.QueuePerSec = true, queue.Events, queue.Bytes, queue.Oldest, queue.PerSec
	}
	return s.chain.Look(look)
}

// hotAge is how long ago the oldest unconverted event was accepted, by the clock that the lake noted it with: the process may not have been there then.
func hotAge(status lake.Status, now time.Time) time.Duration {
	if status.HotEvents == 0 {
		return 0
	}
	return max(0, now.Sub(status.HotSince))
}

// backlogReport is the chain as /health tells it.
func (s *stack) backlogReport() []ingest.StageReport {
	var list []ingest.StageReport
	for _, stage := range s.stages() {
		list = append(list, ingest.ReportStage(stage))
	}
	return list
}

// tellLoadEvery is how often `serve` says how far its start has come: a line each, for logs.
const tellLoadEvery = 2 * time.Second

// tellLoading writes how far the start has come until it is over or ctx ends. A start that is over by the first look is not worth a word.
func (s *stack) tellLoading(ctx context.Context, w io.Writer) {
	ctx, cancel := context.WithCancel(ctx)
	var telling sync.WaitGroup
	telling.Go(func() {
		started, loaded := time.Now(), make(chan error, 1)
		go func() { loaded <- s.engine.WaitLoaded(ctx) }()
		total, told := s.engine.Freshness().Load.Total, false
		tick := time.NewTicker(tellLoadEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				told = true
				fmt.Fprintf(w, "signallake-tui: loading %s; events are taken meanwhile\n", s.loadWords())
			case err := <-loaded:
				switch {
				case ctx.Err() != nil:
				case err != nil:
					fmt.Fprintf(w, "signallake-tui: %v\n", err)
				case told || total >= tellLoadedFrom:
					fmt.Fprintf(w, "signallake-tui: %d events from before the start are visible after %.1f s\n", total, time.Since(started).Seconds())
				}
				return
			}
		}
	})
	s.closers = append(s.closers, func() error { cancel(); telling.Wait(); return nil })
}

// tellLoadedFrom is the number of events from which on the end of a start is told, however quick it was.
const tellLoadedFrom = 100_000

// loadWords is how far the start has come.
func (s *stack) loadWords() string {
	l := s.engine.Freshness().Load
	return loadWords(l.Done, l.Total, l.Left.Seconds())
}

// loadWords is a start's progress: 41 %, 2,100,000 of 3,400,000 events, 4 s left.
func loadWords(done, total int64, leftS float64) string {
	text := fmt.Sprintf("%d %%, %s of %s events", 100*done/max(1, total), lake.Thousands(done), lake.Thousands(total))
	if leftS > 0 {
		text += fmt.Sprintf(", %.0f s left", math.Ceil(leftS))
	}
	return text
}
