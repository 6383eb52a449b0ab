package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary play another process: with childEnv set it opens the lake in that folder and holds it until its standard
// input ends or it is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := playChild(dir, os.Getenv(childModeEnv)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	childEnv     = "LAKE_TEST_CHILD_DIR"
	childModeEnv = "LAKE_TEST_CHILD_MODE"
	modeOwn      = "own"
	modePin      = "pin"
)

func playChild(dir, mode string) error {
	l, err := Open(context.Background(), Config{Dir: dir, ReadOnly: mode == modePin, ConvertAge: -1, Owner: Owner{Command: "child", Address: "127.0.0.1:1"}})
	if err != nil {
		return err
	}
	if mode == modePin {
		l.Pin()
	}
	fmt.Println("ready", l.Current().Number)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return l.Close()
}

// startChild runs one until the test ends or stop is called; kill ends it as a crash does.
func startChild(t *testing.T, dir, mode string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir, childModeEnv+"="+mode)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	kill = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // the signal is the answer
		}
	}
	t.Cleanup(func() { _ = stdin.Close(); kill() })
	line := make([]byte, 200)
	n, _ := stdout.Read(line)
	if !strings.HasPrefix(string(line[:n]), "ready") {
		t.Fatalf("the child says %q", line[:n])
	}
	return kill
}

func openOwner(t testing.TB, dir string) *Lake {
	t.Helper()
	l, err := Open(context.Background(), Config{Dir: dir, ConvertAge: -1, Owner: Owner{Command: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeLake(t, l) })
	return l
}

func openFollower(t testing.TB, dir string) *Lake {
	t.Helper()
	l, err := Open(context.Background(), Config{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeLake(t, l) })
	return l
}

func closeLake(t testing.TB, l *Lake) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// eventually polls until cond holds.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}

func TestOneOwner(t *testing.T) {
	dir := t.TempDir()
	l := openOwner(t, dir)
	if err := l.SetAddress("127.0.0.1:8000"); err != nil {
		t.Fatal(err)
	}
	_, err := Open(context.Background(), Config{Dir: dir})
	var owned *OwnedError
	if !errors.As(err, &owned) || !errors.Is(err, ErrOwned) {
		t.Fatalf("a second owner got %v", err)
	}
	if o := owned.Owner; o.PID != os.Getpid() || o.Command != "test" || o.Address != "127.0.0.1:8000" || o.Since.IsZero() {
		t.Fatalf("the note says %+v", o)
	}
	if text := err.Error(); !strings.Contains(text, "127.0.0.1:8000") || !strings.Contains(text, "read-only") {
		t.Fatalf("the error says %q", text)
	}
	closeLake(t, l)
	again := openOwner(t, dir)
	closeLake(t, again)
	if _, err := os.Stat(ownerPath(again.layout)); !os.IsNotExist(err) {
		t.Fatalf("the note stays: %v", err)
	}
}

func TestOwnerInAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	kill := startChild(t, dir, modeOwn)
	_, err := Open(context.Background(), Config{Dir: dir})
	var owned *OwnedError
	if !errors.As(err, &owned) || owned.Owner.Command != "child" || owned.Owner.PID == os.Getpid() {
		t.Fatalf("got %v", err)
	}
	kill()
	l := openOwner(t, dir) // the lock died with the process
	var note Owner
	data, err := os.ReadFile(ownerPath(l.layout))
	if err != nil || json.Unmarshal(data, &note) != nil || note.PID != os.Getpid() {
		t.Fatalf("the note says %s, %v", data, err)
	}
}

// noLinkDisk is a file system without hard links.
type noLinkDisk struct{ Disk }

func (noLinkDisk) Link(from, to string) error {
	return &os.LinkError{Op: "link", Old: from, New: to, Err: errors.ErrUnsupported}
}

func TestFileSystemWithoutLinks(t *testing.T) {
	_, err := Open(context.Background(), Config{Dir: t.TempDir(), Disk: noLinkDisk{OSDisk{}}})
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "without hard links") {
		t.Fatalf("got %v", err)
	}
}

// TestLockRemoved: an owner whose lock file is gone takes nothing any more, since another may have it.
func TestLockRemoved(t *testing.T) {
	l := openOwner(t, t.TempDir())
	mustAppend(t, l, 1)
	if l.checkLock(); l.writable() != nil {
		t.Fatal(l.writable())
	}
	if err := os.Remove(lockPath(l.layout)); err != nil {
		t.Fatal(err)
	}
	l.checkLock()
	if _, err := l.Append(t.Context(), batchOf(1)); !errors.Is(err, ErrOwned) {
		t.Errorf("append: %v, want ErrOwned", err)
	}
	if s := l.Status(); s.Visible != 1 {
		t.Errorf("%d events, want 1", s.Visible)
	}
}
