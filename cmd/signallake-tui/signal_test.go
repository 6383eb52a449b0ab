package main

import (
	"syscall"
	"testing"
	"time"
)

// TestSignalEndsTheConsole: a signal from outside ends the console as a key does. Several tries, since with the library's own handler beside
// the program's context it was a race who of the two hears the signal first, and the console hung in half of them.
func TestSignalEndsTheConsole(t *testing.T) {
	dir := t.TempDir()
	for i := range 8 {
		sig := []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT}[i%3]
		c := startConsole(t, 80, 24, nil, "--data", dir, "--addr", "127.0.0.1:0")
		c.wants("demo")
		if err := c.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		stuck := time.AfterFunc(waitLimit/2, func() { c.cmd.Process.Signal(syscall.SIGQUIT) }) // its stacks are on the screen then
		if code := c.ends(); code != exitOK {
			t.Fatalf("try %d, %v: exit code %d, want %d; the terminal got\n%s", i, sig, code, exitOK, c.output())
		}
		stuck.Stop()
		c.cleanTerminal()
	}
}
