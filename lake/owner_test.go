package lake

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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

// TestAskingForTheOwnerKeepsNobodyOut takes the lock while somebody asks for its owner: that is not an owner. One who holds it for good is.
func TestAskingForTheOwnerKeepsNobodyOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	open := func() *os.File {
		t.Helper()
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	asking, owner, late := open(), open(), open()
	if err := unix.Flock(int(asking.Fd()), unix.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	pauses := 0
	err := tryLock(owner, func() {
		if pauses++; pauses == 3 {
			asking.Close()
		}
	})
	if err != nil || pauses != 3 {
		t.Errorf("after %d pauses: %v; want the lock after 3", pauses, err)
	}
	pauses = 0
	if err := tryLock(late, func() { pauses++ }); !errors.Is(err, unix.EWOULDBLOCK) || pauses != lockTries-1 {
		t.Errorf("a lock that is held was taken, or tried for too long: %v after %d pauses", err, pauses)
	}
}
