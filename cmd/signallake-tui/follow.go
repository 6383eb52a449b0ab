package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui"
)

// askOwnerEvery is how often a console that follows asks whether the lake still has its owner.
const askOwnerEvery = 2 * time.Second

// ownerWatch knows who owns the lake that this process only reads, and what of it takes a look at files, so that the console need not wait.
type ownerWatch struct {
	newest atomic.Pointer[tui.Follow]
	dead   atomic.Pointer[lake.DeadStatus]
	cancel context.CancelFunc
	done   chan struct{}
}

// watchOwner starts with the owner that kept this process from becoming it.
func watchOwner(l *lake.Lake, owner lake.Owner) *ownerWatch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &ownerWatch{cancel: cancel, done: make(chan struct{})}
	w.newest.Store(&tui.Follow{Owner: owner})
	w.dead.Store(&lake.DeadStatus{})
	go w.run(ctx, l)
	return w
}

func (w *ownerWatch) run(ctx context.Context, l *lake.Lake) {
	defer close(w.done)
	tick := time.NewTicker(askOwnerEvery)
	defer tick.Stop()
	for {
		dead := l.DeadStatus()
		w.dead.Store(&dead)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		owner, owned, err := l.CurrentOwner()
		if err != nil {
			continue // what was known last is still the best answer; the next question may go better
		}
		if owner.PID == 0 { // it ended in order and took its note along
			owner = w.newest.Load().Owner
		}
		w.newest.Store(&tui.Follow{Owner: owner, Gone: !owned})
	}
}

// follow is the newest answer.
func (w *ownerWatch) follow() *tui.Follow { return w.newest.Load() }

// deadStatus is the newest count of the dead zone.
func (w *ownerWatch) deadStatus() lake.DeadStatus { return *w.dead.Load() }

func (w *ownerWatch) close() error {
	w.cancel()
	<-w.done
	return nil
}
