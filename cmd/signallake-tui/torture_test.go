package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signallake/signallake/ingest/torture"
	"github.com/signallake/signallake/lake"
)

// torturer is the real `torture` with what it said.
type torturer struct {
	t              *testing.T
	cmd            *exec.Cmd
	scratch        string
	stdout, stderr bytes.Buffer
}

func newTorture(t *testing.T, args ...string) *torturer {
	t.Helper()
	c := &torturer{t: t, scratch: t.TempDir()}
	c.cmd = exec.Command(program(t), append([]string{"torture", "--json", "--data", filepath.Join(c.scratch, "none"), "--scratch", c.scratch}, args...)...)
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	return c
}

// report runs it to its end.
func (c *torturer) report(exit int) *torture.Report {
	c.t.Helper()
	err := c.cmd.Run()
	if code := c.cmd.ProcessState.ExitCode(); code != exit {
		c.t.Fatalf("exit code %d (%v), want %d\n%s%s", code, err, exit, c.stdout.String(), c.stderr.String())
	}
	r := &torture.Report{}
	if err := json.Unmarshal(c.stdout.Bytes(), r); err != nil {
		c.t.Fatalf("%v\n%s%s", err, c.stdout.String(), c.stderr.String())
	}
	return r
}

// TestTorture kills the real program five times under load. Every acknowledged event is there once, in SQL, in raw and in Parquet, in the right minute and
// the right day's partition, to readers in other processes at every moment.
func TestTorture(t *testing.T) {
	t.Parallel()
	events := "200000"
	if testing.Short() {
		events = "50000"
	}
	c := newTorture(t, "--kills", "5", "--events", events, "--seed", "7")
	r := c.report(exitOK)
	kills := 0
	for _, n := range r.Kills {
		kills += n
	}
	if kills != 5 || len(r.Kills) < 3 || r.Restarts < 2 || r.Lost+r.Doubled != 0 || fmt.Sprint(r.Acked) < events && len(fmt.Sprint(r.Acked)) <= len(events) {
		t.Errorf("%+v", r)
	}
	if r.Unanswered == 0 || r.Rejected == 0 || r.Looks == 0 || r.Days < 2 {
		t.Errorf("without requests that went unanswered, bad lines, looks of the reader, and late events this says little: %+v", r)
	}
	sources := map[string]int64{}
	for _, f := range r.Findings {
		sources[f.Source] = f.Acked
	}
	for _, name := range []string{"SQL, as the last kill left it", "SQL", "raw", "Parquet"} {
		if sources[name] != r.Acked {
			t.Errorf("%s has %d of %d acknowledged events", name, sources[name], r.Acked)
		}
	}
	if left, err := os.ReadDir(c.scratch); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
	t.Logf("%s%s", r, c.stderr.String())
}

// TestTortureFindsPlantedFaults runs the torture over a program that spoils its lake behind its back, before one of its starts.
func TestTortureFindsPlantedFaults(t *testing.T) {
	largest := `f=$(ls -S "$3"/raw/*.jsonl | head -1); ` // more than what is in flight when the server dies
	for name, c := range map[string]struct {
		spoil string
		found func(r *torture.Report) bool
	}{
		"a disk that forgets the end of a file": {largest + `truncate -s 1000 "$f"`,
			func(r *torture.Report) bool { return r.Lost > 0 && r.Doubled == 0 }},
		"a segment that disappears": {largest + `rm "$f" "${f%.jsonl}.idx"`,
			func(r *torture.Report) bool { return r.Lost > 0 && r.Doubled == 0 }},
		"lines that are stored again": {largest + `head -n 50 "$f" | sed 's/"event_id":"/"event_id":"again-/' > "$3/../again.jsonl"; "$real" import --data "$3" "$3/../again.jsonl" >&2`,
			func(r *torture.Report) bool { return r.Lost == 0 && r.Doubled == 50 }},
		"lines that say something else": {largest + `head -n 1 "$f" | sed 's/"event_id":"/"event_id":"other-/; s/-[0-9]*"}$/-999999999"}/' > "$3/../other.jsonl"; "$real" import --data "$3" "$3/../other.jsonl" >&2`,
			func(r *torture.Report) bool {
				return r.Lost+r.Doubled == 0 && strings.Contains(strings.Join(r.Problems, "\n"), "that nobody sent")
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scratch := t.TempDir()
			script := filepath.Join(scratch, "program")
			text := fmt.Sprintf("#!/bin/sh\nreal=%q\nif [ \"$1\" = serve ]; then\n  echo start >> %[2]q\n  if [ $(wc -l < %[2]q) = 3 ]; then\n    %s\n  fi\nfi\nexec \"$real\" \"$@\"\n",
				program(t), filepath.Join(scratch, "starts"), c.spoil)
			if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
			flags := tortureFlags{scratch: scratch, Config: torture.Config{Program: script, Kills: 3, Events: 10_000, Batch: 50, Seed: 2}}
			report := runFlags(t, &flags)
			if report.OK || !c.found(report) {
				t.Errorf("not found for what it is: %s", report)
			}
		})
	}
}

// runFlags tortures in this process. What it says goes to the test's log.
func runFlags(t *testing.T, flags *tortureFlags) *torture.Report {
	t.Helper()
	var said bytes.Buffer
	report, err := flags.run(t.Context(), &world{stdin: strings.NewReader(""), stdout: io.Discard, stderr: &said, getenv: os.Getenv, now: time.Now})
	t.Log(said.String())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestTortureStops stops the server for so long that its clients give up waiting and send everything again.
func TestTortureStops(t *testing.T) {
	t.Parallel()
	c := newTorture(t, "--kills", "1", "--events", "60000", "--stops", "2", "--stop-for", "3s", "--seed", "3")
	r := c.report(exitOK)
	if r.Stops != 2 || r.Lost+r.Doubled != 0 || r.Unanswered < 2*8 {
		t.Errorf("want two stops that each client ran into: %+v", r)
	}
	t.Logf("%s%s", r, c.stderr.String())
}

// TestTortureFullDisk takes the disk's room away under load: ingest refuses, health tells why, readers go on, and with the room it recovers by itself. The
// torture sees to each of these.
func TestTortureFullDisk(t *testing.T) {
	t.Parallel()
	c := newTorture(t, "--kills", "3", "--events", "60000", "--fulls", "2", "--seed", "5")
	r := c.report(exitOK)
	if r.Fulls != 2 || r.Lost+r.Doubled != 0 || r.Statuses[503] == 0 {
		t.Errorf("want two full disks and 503s: %+v", r)
	}
	if !strings.Contains(c.stderr.String(), "acknowledged: failing the storage fails") {
		t.Errorf("health told nothing: %s", c.stderr.String())
	}
	t.Logf("%s%s", r, c.stderr.String())
}

// TestTortureClock gives each life of the server another clock: an hour and a year back, and an hour ahead. Events are of the year before last, so
// that the window of accepted timestamps lets all of them in.
func TestTortureClock(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	clocks := []string{"0s", "-1h", "-8760h", "1h", "0s", "-8760h"}
	flags := tortureFlags{scratch: t.TempDir(), Config: torture.Config{Program: program(t), Kills: len(clocks) - 1, Events: 100_000, Seed: 4,
		Now: func() time.Time { return time.Now().Add(-2 * year) },
		Env: func(life int) []string { return []string{"SIGNALLAKE_TEST_NOW=" + clocks[life%len(clocks)]} }}}
	r := runFlags(t, &flags)
	if !r.OK || r.Lost+r.Doubled != 0 || r.Restarts < 2 {
		t.Errorf("%s", r)
	}
}

// TestTortureDiesWithItsServer: neither Ctrl+C nor a SIGKILL of the torture leaves a server behind.
func TestTortureDiesWithItsServer(t *testing.T) {
	for sig, code := range map[syscall.Signal]int{syscall.SIGINT: exitInterrupted, syscall.SIGKILL: -1} {
		c := newTorture(t, "--kills", "2", "--events", "10000000", "--seed", "1")
		if err := c.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		server := 0
		if !poll(waitLimit, func() bool { server = ownerIn(c.scratch); return server > 0 }) {
			t.Fatal("its server does not come up")
		}
		if err := c.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		_ = c.cmd.Wait() // the exit code tells
		if got := c.cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("%v: exit code %d, want %d: %s", sig, got, code, c.stderr.String())
		}
		if !poll(waitLimit, func() bool { return errors.Is(syscall.Kill(server, 0), syscall.ESRCH) }) {
			t.Errorf("%v: the server lives on", sig)
			syscall.Kill(server, syscall.SIGKILL)
		}
		if left, err := os.ReadDir(c.scratch); sig == syscall.SIGINT && (err != nil || len(left) > 0) {
			t.Errorf("%v: it leaves %v, %v", sig, left, err)
		}
	}
}

// ownerIn is the process that owns the lake in a torture's scratch folder; 0: none yet.
func ownerIn(scratch string) int {
	notes, _ := filepath.Glob(filepath.Join(scratch, torturePrefix+"*", "lake", "state", "owner.json"))
	if len(notes) == 0 {
		return 0
	}
	var owner lake.Owner
	text, err := os.ReadFile(notes[0])
	if err != nil || json.Unmarshal(text, &owner) != nil || owner.Address == "" {
		return 0
	}
	return owner.PID
}
