package main

import (
	"net"
	"os/exec"
	"strings"
	"testing"
)

const (
	keyEsc   = "\x1b"
	keyCtrlC = "\x03"
	keyCtrlQ = "\x11"
	keyF5    = "\x1b[15~"
)

// demoLake is a lake with events in Parquet and a hot tail.
func demoLake(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, args := range [][]string{{"generate", "--count", "20000", "--days", "1"}, {"convert"}, {"generate", "--count", "1000", "--days", "1", "--seed", "8"}} {
		if out, err := exec.Command(program(t), append(args, "--data", dir)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	return dir
}

// TestWalk walks through the screens of the real program in a real pseudo-terminal, resizing on the way.
func TestWalk(t *testing.T) {
	c := startConsole(t, 120, 36, nil, "--data", demoLake(t), "--addr", freeAddr(t))
	c.wants("latency by service", "checkout", "slowest endpoints", "5xx by region")
	c.resize(80, 24)
	c.wants("latency by service", "checkout")
	c.resize(40, 10)
	c.wants("60", "16")
	c.resize(120, 36)
	c.wants("slowest endpoints")

	c.keys("3")
	c.wants("F5")
	c.keys("select count(*) * 2 as twice from events", keyF5)
	c.wants("twice", "42000")
	c.keys(keyEsc)

	c.keys("\x1b4") // Alt+4 works from the editor, too
	c.wants("tasks")
	c.keys("5")
	c.wants("127.0.0.1:", "curl")
	c.keys("?")
	c.wants("help: the keys of this place", "everywhere")
	c.keys(keyEsc)
	c.gone("help: the keys of this place")
	c.keys("1")
	c.wants("latency by service")
	c.keys(keyCtrlQ)
	if code := c.ends(); code != exitOK {
		t.Errorf("exit code %d, want %d", code, exitOK)
	}
	c.cleanTerminal()
}

// TestFirstRun starts on an empty folder: the page leads on, `d` makes a lake, and the panels fill.
func TestFirstRun(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP in -short: a million events take their time under the race detector")
	}
	c := startConsole(t, 120, 36, nil, "--data", t.TempDir()+"/new", "--addr", freeAddr(t))
	c.wants("demo", "curl")
	c.keys("d")
	c.wants("latency by service", "checkout", "slowest endpoints")
	c.keys(keyCtrlQ)
	c.ends()
	c.cleanTerminal()
}

// TestPanic checks that a bug in the console leaves a usable terminal and says what happened.
func TestPanic(t *testing.T) {
	c := startConsole(t, 100, 30, []string{"SIGNALLAKE_TEST_PANIC_KEY=1"}, "--data", t.TempDir(), "--addr", freeAddr(t))
	c.wants("demo")
	c.keys("\x1c") // Ctrl+\
	if code := c.ends(); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	c.cleanTerminal()
	if !strings.Contains(c.output(), "panic") {
		t.Error("the panic was not told")
	}
}

// TestTakenPort starts two things on one port: the console tells the way out and goes on.
func TestTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := startConsole(t, 120, 36, nil, "--data", t.TempDir(), "--addr", l.Addr().String())
	c.keys("5")
	c.wants("--addr")
	c.keys(keyCtrlC, keyCtrlC)
	if code := c.ends(); code != exitOK {
		t.Errorf("exit code %d, want %d", code, exitOK)
	}
	c.cleanTerminal()
}

// TestSecondConsole opens a lake that another process owns: it says who, and shows the data.
func TestSecondConsole(t *testing.T) {
	dir := demoLake(t)
	startServer(t, dir, "")
	c := startConsole(t, 120, 36, nil, "--data", dir)
	c.wants("latency by service", "checkout")
	c.keys("5")
	c.wants("serve")
	if out, err := exec.Command(program(t), "generate", "--count", "10", "--data", dir).CombinedOutput(); err == nil || !strings.Contains(string(out), "serve") {
		t.Errorf("generate on an owned lake: %v, %s: want an error that names the owner", err, out)
	} else if code := exitCodeOf(err); code != exitOwned {
		t.Errorf("exit code %d, want %d", code, exitOwned)
	}
	c.keys(keyCtrlQ)
	c.ends()
	c.cleanTerminal()
}

func exitCodeOf(err error) int {
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.ExitCode()
	}
	return -1
}
