package ingest

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/signallake/signallake/lake"
)

// Where the reading of the notes of earlier starts stands.
const (
	recallIdle = iota
	recallRuns
	recallDone
)

// recall begins to read the notes of earlier starts, unless that has been done or is being done. ctx ends it; the next recall begins anew.
func (t *keyTable) recall(ctx context.Context) {
	if t.recalling.Load() != recallIdle || !t.recalling.CompareAndSwap(recallIdle, recallRuns) {
		return
	}
	ended := make(chan struct{})
	t.mu.Lock()
	t.ended = ended
	t.mu.Unlock()
	go func() {
		defer close(ended)
		ignored, err := t.readNotes(ctx)
		if ctx.Err() != nil {
			t.recalling.Store(recallIdle)
			return
		}
		if err != nil {
			err = fmt.Errorf("read which Idempotency-Keys were used: keys of before the start may be forgotten: %w", err)
			t.tell(err.Error())
		}
		if ignored > 0 {
			t.tell(fmt.Sprintf("%d notes of Idempotency-Keys cannot be read: these keys are forgotten", ignored))
		}
		t.mu.Lock()
		t.ignored, t.err = ignored, err
		t.recalling.Store(recallDone)
		t.mu.Unlock()
		close(t.recalled)
	}()
}

// settle waits until a reading whose context has ended has noticed.
func (t *keyTable) settle(patience time.Duration) {
	t.mu.Lock()
	ended := t.ended
	t.mu.Unlock()
	if ended == nil {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
}

// readNotes fills the table from the newest note back to the window's end or its bound. It answers how many notes of ours it could not read. Ages count
// from the newest note: for the time in which no server ran nobody could send again, and a clock that was wrong before and is right now, or the other way
// round, would make all of them too old at once.
func (t *keyTable) readNotes(ctx context.Context) (ignored int64, err error) {
	var newest lake.Micros
	first := true
	err = t.log.NotesBack(0, func(at lake.Micros, note []byte) bool {
		if ctx.Err() != nil {
			return false
		}
		if !bytes.HasPrefix(note, notePrefix) {
			return true
		}
		if first {
			newest, first = at, false
		}
		age := newest.Time().Sub(at.Time())
		if age > t.window {
			return false
		}
		id, body, answer, ok := parseNote(note)
		if !ok {
			ignored++
			return true
		}
		return t.remember(id, body, answer, age)
	})
	return ignored, err
}
