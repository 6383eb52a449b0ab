package replay

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/signallake/signallake/lake"
)

// Lake is what a Desk needs of the lake (*lake.Lake). Append may wait for room.
type Lake interface {
	Append(ctx context.Context, b lake.Batch) (lake.Receipt, error)
	Bury(ctx context.Context, letters []lake.DeadLetter) error
	DeadLetters(since int64, fn func(*lake.DeadLetter) error) error
	DeadStatus() lake.DeadStatus
	DiscardDead(ctx context.Context, pick func(*lake.DeadLetter) bool) (int64, error)
	MarkReplayed(ids [][2]int64) (int64, error)
	NotesBack(since lake.Micros, fn func(at lake.Micros, note []byte) (more bool)) error
}

// Config says what a Desk works on. Only Lake is required.
type Config struct {
	Lake     Lake
	Contract lake.Contract
	Guard    func() *lake.PartitionGuard // makes the bound of one run on new partitions; nil: every partition is welcome
	Now      func() time.Time            // nil: time.Now
}

// Desk is where the dead letters of a lake are worked on: one replay or discard at a time. Safe for concurrent use; there must be no second
// one for the same lake in a process.
type Desk struct {
	cfg  Config
	turn chan struct{} // holds one while letters are replayed or discarded
	note int           // bytes that a batch's note may take

	settled bool // guarded by turn: no letter is kept that the lake holds already
}

// NewDesk makes the desk of a lake.
func NewDesk(cfg Config) *Desk {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Desk{cfg: cfg, turn: make(chan struct{}, 1), note: maxNoteBytes}
}

// take waits for the turn.
func (d *Desk) take(ctx context.Context) (release func(), err error) {
	select {
	case d.turn <- struct{}{}:
		return func() { <-d.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Status counts the letters.
func (d *Desk) Status() lake.DeadStatus { return d.cfg.Lake.DeadStatus() }

// Groups counts the letters by source and kind of reason, the largest group first.
func (d *Desk) Groups(ctx context.Context) ([]Group, error) { return d.GroupsOf(ctx, Pick{}) }

// GroupsOf counts the letters that are meant.
func (d *Desk) GroupsOf(ctx context.Context, pick Pick) ([]Group, error) {
	all := groups{}
	err := d.Each(ctx, pick, func(l *lake.DeadLetter) error { all.add(l); return nil })
	return all.sorted(), err
}

// Each calls fn with the letters that are meant, oldest first. A letter is valid during the call.
func (d *Desk) Each(ctx context.Context, pick Pick, fn func(*lake.DeadLetter) error) error {
	wanted := pick.Match()
	since := int64(0)
	if len(pick.IDs) > 0 {
		since = slices.Min(pick.IDs)
	}
	return d.cfg.Lake.DeadLetters(since, func(l *lake.DeadLetter) error {
		if err := ctx.Err(); err != nil || !wanted(l) {
			return err
		}
		return fn(l)
	})
}

// List answers the newest of the letters that are meant, newest first.
func (d *Desk) List(ctx context.Context, pick Pick, newest int) ([]lake.DeadLetter, error) {
	var ring []lake.DeadLetter
	n := 0 // the oldest in ring, once it is full
	err := d.Each(ctx, pick, func(l *lake.DeadLetter) error {
		kept := *l
		kept.Text = bytes.Clone(l.Text)
		switch {
		case len(ring) < newest:
			ring = append(ring, kept)
		case newest > 0:
			ring[n] = kept
			n = (n + 1) % newest
		}
		return nil
	})
	list := append(ring[n:len(ring):len(ring)], ring[:n]...)
	slices.Reverse(list)
	return list, err
}

// Discard takes letters out of the zone for good and answers how many they were.
func (d *Desk) Discard(ctx context.Context, pick Pick) (int64, error) {
	release, err := d.take(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	if _, err := d.settle(ctx); err != nil {
		return 0, err
	}
	return d.cfg.Lake.DiscardDead(ctx, pick.Match())
}
