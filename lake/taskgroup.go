package lake

import (
	"context"
	"errors"
	"sync"
)

// taskGroup runs functions in goroutines of which the first error cancels the others. Its owner calls wait.
type taskGroup struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
}

func newTaskGroup(ctx context.Context) *taskGroup {
	g := &taskGroup{}
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	return g
}

// run starts one of the group's functions.
func (g *taskGroup) run(fn func(ctx context.Context) error) {
	g.wg.Go(func() {
		if err := fn(g.ctx); err != nil {
			g.fail(err)
		}
	})
}

// fail cancels the group. The first reason stays.
func (g *taskGroup) fail(err error) { g.cancel(err) }

// wait returns once every function has, with the first error: that of ctx when it was cancelled from outside.
func (g *taskGroup) wait() error {
	g.wg.Wait()
	err := context.Cause(g.ctx)
	g.cancel(errDone)
	return err
}

// errDone ends the context of a group that went well.
var errDone = errors.New("the group's work is done")
