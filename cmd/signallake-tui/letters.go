package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui"
)

// openDesk makes the desk for the dead letters. The owner's first work there is what an earlier process did not live to end; nobody waits for that.
func (s *stack) openDesk(readOnly bool) {
	s.desk = newDesk(s.lake, s.now)
	if readOnly || s.lake.DeadStatus().Kept == 0 {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		n, err := s.desk.Settle(ctx)
		switch {
		case err != nil && !errors.Is(err, context.Canceled):
			s.tell(fmt.Sprintf("dead letters that were replayed before are not marked yet, the next replay tries it again: %v", err))
		case n > 0:
			s.tell(fmt.Sprintf("%d dead letters were replayed before without being marked; they are marked now", n))
		}
	}()
	s.closers = append(s.closers, func() error { cancel(); <-done; return nil })
}

// tell says something to who runs a server; a console has no place for it.
func (s *stack) tell(text string) {
	if s.words != nil {
		_, _ = io.WriteString(s.words, "signallake-tui: "+text+"\n")
	}
}

// letters is the dead zone as the console works with it. A console that follows looks at the files itself and hands the rest to the owner.
func (s *stack) letters() *tui.Letters {
	config := &tui.Letters{Groups: s.desk.Groups, List: s.desk.List, Export: s.desk.Export, Discard: s.desk.Discard, Replay: s.desk.Run}
	if s.owner == nil {
		return config
	}
	config.Discard = func(ctx context.Context, pick replay.Pick) (int64, error) {
		operator, err := operatorOf(s.lake, s.operator, s.getenv)
		if err != nil {
			return 0, err
		}
		return operator.Discard(ctx, pick)
	}
	config.Replay = func(ctx context.Context, p replay.Params, progress *lake.Progress) (*replay.Report, error) {
		if p.DryRun {
			return s.desk.Run(ctx, p, progress)
		}
		operator, err := operatorOf(s.lake, s.operator, s.getenv)
		if err != nil {
			return nil, err
		}
		return operator.Replay(ctx, p, progress)
	}
	if _, err := operatorOf(s.lake, s.operator, s.getenv); err != nil {
		config.Why = fmt.Sprintf("%s owns this lake: do it there (%v)", ownerName(*s.owner), err)
	}
	return config
}
