package lake

import (
	"errors"
	"os"
	"testing"
	"time"
)

// TestCurrentOwner follows a lake through its owners: one at work, one that was killed, one that took over, one that ended in order.
func TestCurrentOwner(t *testing.T) {
	dir := t.TempDir()
	open := func(cfg Config) *Lake {
		t.Helper()
		cfg.Dir, cfg.ConvertAge = dir, -1
		l, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	serve := Owner{PID: 4711, Command: "serve", Since: time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC)}
	first := open(Config{Owner: serve})
	follower := open(Config{ReadOnly: true})
	wants := func(l *Lake, pid int, owned bool) {
		t.Helper()
		note, is, err := l.CurrentOwner()
		if err != nil || note.PID != pid || is != owned {
			t.Errorf("the owner is process %d, %v, %v; want process %d, %v", note.PID, is, err, pid, owned)
		}
	}
	wants(first, 4711, true)
	wants(follower, 4711, true)
	note, err := os.ReadFile(ownerPath(first.layout))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ownerPath(first.layout), note, 0o644); err != nil { // as a kill leaves it
		t.Fatal(err)
	}
	wants(follower, 4711, false)
	serve.PID = 4712
	second := open(Config{Owner: serve})
	wants(follower, 4712, true)
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	wants(follower, 0, false)
}

// TestAskingForTheOwnerKeepsNobodyOut asks all the time while others take the lake and leave it.
func TestAskingForTheOwnerKeepsNobodyOut(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(t.Context(), Config{Dir: dir, ConvertAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	follower, err := Open(t.Context(), Config{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			if _, _, err := follower.CurrentOwner(); err != nil {
				ended <- err
				return
			}
		}
	}()
	for range 50 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if l, err = Open(t.Context(), Config{Dir: dir, ConvertAge: -1}); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	if err := errors.Join(<-ended, l.Close(), follower.Close()); err != nil {
		t.Error(err)
	}
}
