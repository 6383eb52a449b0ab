package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
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
	c.keys("6")
	c.wants("No benchmark has run yet", "run a benchmark")
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

// TestWalkExplore goes from a number of the dashboard to its events, to one of them, to the same request, and back; then it filters.
func TestWalkExplore(t *testing.T) {
	c := startConsole(t, 120, 36, nil, "--data", demoLake(t), "--addr", freeAddr(t))
	c.wants("latency by service", "checkout", "slowest endpoints")
	c.keys("t", "24h\r")
	c.wants("range 24 h")
	if all := regexp.MustCompile(`of (20\.\d|21\.0)k ┐`); !poll(waitLimit, func() bool { return all.MatchString(c.text()) }) {
		t.Fatalf("the panel of errors does not answer for the day:\n%s", c.text())
	}
	c.keys("\t", "\r") // the endpoint with the highest rate of errors
	c.wants("Dashboard › Explore › 5xx of", "status>=500", "events, newest first", "counted: ")
	c.keys("\r")
	c.wants("record 20", "partition event_date=", "request_id")
	c.keys("\r")
	c.wants("Explore › request", "/ req:", "range 30 min")
	c.keys(keyEsc)
	c.wants("status>=500", "range 24 h")
	c.keys(keyEsc)
	c.wants("latency by service")
	c.gone("Explore ›")

	c.keys("2")
	c.wants("events, newest first", "values")
	c.keys("/", "\x15", "stauts:500") // Ctrl+U clears the line
	c.wants("no field is called", "is it status?")
	c.keys("\x15", "!status<500 has:trace", "\r")
	c.wants("/ !status<500 has:trace", "×", "counted: ")
	c.keys("G")
	c.wants("the range begins here")
	c.resize(80, 24)
	c.wants("events, newest first")
	c.keys("f")
	c.wants("▸ values")
	c.keys(keyEsc)
	c.gone("▸ values")
	c.keys("s")
	c.wants("SELECT timestamp", "status_code")
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

// TestImportWalk imports an old log through the form, its path completed with Tab, and follows its summary to the time that it covers.
func TestImportWalk(t *testing.T) {
	logs := filepath.Join(t.TempDir(), "the logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for i := range 2000 {
		at := time.Date(2015, 5, 17+i/500, 10, i%60, i%59, 0, time.UTC)
		fmt.Fprintf(&lines, "192.0.2.%d - - [%s] \"GET /pages/%d HTTP/1.1\" %d 512 \"-\" \"test\"\n", i%200, at.Format("02/Jan/2006:15:04:05 -0700"), i%7, []int{200, 200, 404, 200, 500}[i%5])
	}
	if err := os.WriteFile(filepath.Join(logs, "shop-access.log"), []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	c := startConsole(t, 120, 36, nil, "--data", t.TempDir()+"/new", "--addr", freeAddr(t))
	c.wants("make a demo lake", "import log files", "curl")
	c.keys("i")
	c.wants("path", "format", "service")
	c.keys(filepath.Dir(logs)+"/the", "\t")
	c.wants("shop-access.log") // the folder is the only one of that name: its content comes at once
	c.keys("\t")
	c.wants(`the\ logs/shop-access.log`)
	c.keys("\r")
	c.wants("latency by service", "data ends 2015-05-20")
	c.keys("4")
	c.wants("import shop-access.log")
	c.keys("\r")
	c.wants("2,000 lines = 2,000 accepted + 0 rejected", "Enter: look at it")
	c.keys("\r")
	c.wants("2015-05-17 10:00", "2015-05-20")
	c.keys("t", "6h", "\r")
	c.wants("no events in this range; data ends 2015-05-20, t")
	c.keys("6")
	c.wants("No benchmark has run yet")
	c.keys("3")
	c.wants("F5")
	c.keys("explain select count(*) from events where status_code = 500", keyF5)
	c.wants("lines 1–", "┌")
	c.keys(keyCtrlQ)
	if code := c.ends(); code != exitOK {
		t.Errorf("exit code %d, want %d", code, exitOK)
	}
	c.cleanTerminal()
}

// TestFollowerLosesItsOwner follows a server that is killed: the console says that it is gone, and what to do.
func TestFollowerLosesItsOwner(t *testing.T) {
	dir := demoLake(t)
	s := startServer(t, dir, "")
	c := startConsole(t, 120, 36, nil, "--data", dir)
	c.wants("latency by service", "read-only")
	s.kill()
	c.wants("owner gone")
	c.keys("5")
	c.wants("restart this console to take over")
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
