package tui

import (
	"testing"

	"github.com/signallake/signallake/lake"
)

// TestOwnerThatIsGone follows a lake whose owner is killed, and then gets another.
func TestOwnerThatIsGone(t *testing.T) {
	f := newFake().readOnly()
	d := drive(t, f, 80, 24)
	d.press("5")
	d.wants("read-only", "the API runs in serve (process 4711)", "the lake's owner is serve")
	f.mu.Lock()
	f.gone = true
	f.mu.Unlock()
	d.elapse(tickEvery)
	d.wants("× owner gone", "owner is gone: restart this console to take over", "it was serve (process 4711)")
	d.lacks("the API runs in serve", "read-only")
	d.press("i")
	d.wants("import: the lake's owner is gone")
	f.mu.Lock()
	f.gone, f.owner = false, &lake.Owner{PID: 4712, Command: "serve", Address: "http://127.0.0.1:8000", Since: fakeNow}
	f.mu.Unlock()
	d.elapse(tickEvery)
	d.wants("read-only", "process 4712")
	d.lacks("4711")
}

func TestDeadLettersAreCounted(t *testing.T) {
	f := newFake()
	d := drive(t, f, 80, 24)
	d.press("5")
	d.lacks("dead letter")
	f.mu.Lock()
	f.dead = lake.DeadStatus{Kept: 1204, Bytes: 300 << 10}
	f.mu.Unlock()
	d.elapse(tickEvery)
	d.wants("1,204 dead letters kept, 300 KB: signallake-tui dead")
	f.mu.Lock()
	f.dead.Dropped = 7
	f.mu.Unlock()
	d.elapse(tickEvery)
	d.wants("7 oldest dropped")
	d.press("y")
	d.wants("the command for dead letters", "signallake-tui dead --data data")
}

// TestEnterOnNothing wants a word where there is nothing to enter, on each side of the Ingest screen, and no hint of the key.
func TestEnterOnNothing(t *testing.T) {
	f := newFake()
	f.api.Recent, f.api.Rejects = nil, nil
	d := drive(t, f, 80, 24)
	d.press("5", "enter")
	d.wants("details: there is no request yet")
	d.lacks("Enter details")
	d.press("tab", "enter")
	d.wants("details: no line was refused")
}
