package lake

import (
	"context"
	"time"
)

// followEvery is how often a read-only lake looks for a new version: a fifth of the second within which everything accepted is visible.
const followEvery = 200 * time.Millisecond

// Refresh takes up what the owner has done by now. A read-only lake does so by itself five times a second.
func (l *Lake) Refresh(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.isClosed() {
		return ErrClosed
	}
	if err := l.cat.refresh(); err != nil {
		return err
	}
	if l.cfg.ReadOnly {
		l.refreshSegments()
		l.pins.advance(l.cat.oldestPin())
		return l.dead.refresh()
	}
	return nil
}

// rawState is what Status needs of the raw log.
type rawState struct {
	segments []Segment
	next     Seq
}

// refreshSegments keeps the raw log as it is now for Status, which may not look at the disk.
func (l *Lake) refreshSegments() {
	l.followed.Store(&rawState{segments: l.raw.segments(), next: l.raw.committed()})
}

// follow is the goroutine of a read-only lake. Its troubles stand in Status until a refresh goes well.
func (l *Lake) follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.cat.troubles.tell(troubleFollow, l.Refresh(ctx))
		}
	}
}
