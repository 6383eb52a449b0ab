package lake_test

import (
	"errors"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// turning is a log whose writer has answered the batch that fills a segment, and waits for the disk with the next one's data file.
type turning struct {
	lake.RawLog
	disk   *syncGate
	dir    string
	clock  atomic.Pointer[time.Time]
	result chan error // of that sync
	stored int
}

func turn(t *testing.T) *turning {
	t.Helper()
	n := &turning{disk: &syncGate{}, dir: t.TempDir(), result: make(chan error)}
	now := fixedNow()
	n.clock.Store(&now)
	var err error
	if n.RawLog, err = lake.OpenRawLog(lake.Layout{Root: n.dir}, n.disk, func() time.Time { return *n.clock.Load() }, 2000, false); err != nil {
		t.Fatal(err)
	}
	n.store(t, "first", 1)
	making := make(chan struct{})
	var syncs atomic.Int32
	n.disk.set(func() error {
		if syncs.Add(1) == 1 {
			return nil // the batch's own
		}
		making <- struct{}{}
		return <-n.result
	})
	n.store(t, "full", 40) // were the answer behind the next segment, this would not return
	<-making
	n.disk.set(nil)
	return n
}

func (n *turning) store(t *testing.T, name string, events int) {
	t.Helper()
	mustAppend(t, n.RawLog, batchOf(name, events))
	n.stored += events
}

// whole closes the log, opens it again and counts.
func (n *turning) whole(t *testing.T) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	r := openLog(t, n.dir, lake.OSDisk{}, 0)
	defer r.Close()
	events := 0
	for _, s := range r.Segments() {
		events += int(s.Events)
	}
	if events != n.stored || len(r.Quarantined()) > 0 {
		t.Errorf("%d of %d events after another opening, quarantined: %q", events, n.stored, r.Quarantined())
	}
}

func (n *turning) files(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(lake.Layout{Root: n.dir}.Raw(), "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestAnswersComeBeforeTheNextSegment: who fills a segment waits neither for its seal nor for the next one, and that one is as old as its first batch.
func TestAnswersComeBeforeTheNextSegment(t *testing.T) {
	n := turn(t)
	if s := n.Segments(); len(s) != 1 || !s[0].Sealed || s[0].Events != 41 {
		t.Errorf("%+v: want one segment, sealed", s)
	}
	later := fixedNow().Add(time.Hour)
	n.clock.Store(&later)
	n.result <- nil
	n.Idle(t)
	made := n.files(t)
	n.store(t, "next", 3)
	if used := n.files(t); len(made) != 2 || len(used) != 2 || made[1] != used[1] {
		t.Errorf("made %q, used %q: want the same two", made, used)
	}
	if s := n.Segments(); len(s) != 2 || !s[1].Started.Equal(later) || s[1].Events != 3 {
		t.Errorf("%+v: want a second segment since %v", s, later)
	}
	n.whole(t)
}

// TestNextSegmentThatFails: nobody is told, as nobody has asked for it; the next batch gets another.
func TestNextSegmentThatFails(t *testing.T) {
	n := turn(t)
	n.result <- errors.New("the disk is broken")
	n.store(t, "next", 3)
	if s := n.Segments(); len(s) != 2 || s[1].Events != 3 {
		t.Errorf("%+v: want two segments", s)
	}
	n.whole(t)
}

// TestNextSegmentThatIsNotNeeded outlasts a seal by request, as a conversion asks for one when a segment is full, and goes with the log.
func TestNextSegmentThatIsNotNeeded(t *testing.T) {
	for _, used := range []bool{false, true} {
		n := turn(t)
		n.result <- nil
		if err := n.Seal(); err != nil {
			t.Fatal(err)
		}
		made := n.files(t)
		if used {
			n.store(t, "next", 3)
			if err := n.Seal(); err != nil {
				t.Fatal(err)
			}
		}
		if names := n.files(t); len(made) != 2 || !slices.Equal(made, names) {
			t.Errorf("%q after a seal, then %q: want two and the same", made, names)
		}
		want := map[bool]int{false: 1, true: 2}[used]
		if s := n.Segments(); len(s) != want || !s[want-1].Sealed {
			t.Errorf("%+v: want %d, sealed", s, want)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		if names := n.files(t); len(names) != want {
			t.Errorf("%q after the end: want %d", names, want)
		}
		n.whole(t)
	}
}
