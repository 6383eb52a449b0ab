package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui"
)

// accessLog writes an access log of n lines, of which every hundredth is none, with their numbers as request ids.
func accessLog(t *testing.T, path string, n int) (good int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	start := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	var b strings.Builder
	for i := 1; i <= n; i++ {
		if i%100 == 0 {
			fmt.Fprintf(&b, "line %d was torn\n", i)
		} else {
			at := start.Add(time.Duration(i) * 20 * time.Millisecond).Format("02/Jan/2006:15:04:05 -0700")
			fmt.Fprintf(&b, "10.0.0.%d - - [%s] \"GET /items?id=%d HTTP/1.1\" %d 512 \"-\" \"Mozilla/5.0 (X11)\" rt=0.%03d rid=%d\n", i%250, at, i, 200+i%2*300, i%1000, i)
			good++
		}
		if b.Len() > 1<<20 || i == n {
			if _, err := f.WriteString(b.String()); err != nil {
				t.Fatal(err)
			}
			b.Reset()
		}
	}
	return good
}

// TestKilledImport kills the real program at random moments of an import until one gets through: every line is there once.
func TestKilledImport(t *testing.T) {
	lines, kills := 200_000, 5
	if testing.Short() {
		lines, kills = 60_000, 2
	}
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "access.log")
	good := accessLog(t, path, lines)
	resumed, killed := 0, 0
	for round := 0; ; round++ {
		cmd := exec.Command(program(t), "import", path, "--json", "--data", dir)
		var out, said strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if round < kills {
			waitGrowth(t, dir, rand.Int64N(8<<20))
			if cmd.Process.Kill() == nil {
				killed++
			}
		}
		err := cmd.Wait()
		if strings.Contains(said.String(), "goes on at line") {
			resumed++
		}
		if round < kills && err != nil {
			continue
		}
		if err != nil {
			t.Fatalf("import: %v\n%s", err, said.String())
		}
		var report importJSON
		if err := json.Unmarshal([]byte(out.String()), &report); err != nil {
			t.Fatal(err)
		}
		if in := report.Inputs[0]; in.Before+in.Lines != int64(lines) {
			t.Errorf("%d lines before and %d now, want %d together", in.Before, in.Lines, lines)
		}
		break
	}
	if killed > 1 && resumed == 0 {
		t.Errorf("%d imports were killed and none went on where the one before ended", killed)
	}
	checkImported(t, dir, lines, good)
	t.Logf("%d kills, %d went on in the middle", killed, resumed)
}

// waitGrowth waits until the raw log has grown by some bytes, or no longer grows.
func waitGrowth(t *testing.T, dir string, by int64) {
	t.Helper()
	size := func() (n int64) {
		names, err := filepath.Glob(filepath.Join(dir, "raw", "*.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if info, err := os.Stat(name); err == nil {
				n += info.Size()
			}
		}
		return n
	}
	start := size()
	poll(5*time.Second, func() bool { return size() >= start+by })
}

// checkImported checks that each good line is an event once, and each other line a dead letter once.
func checkImported(t *testing.T, dir string, lines, good int) {
	t.Helper()
	got := ask(t, dir, "select count(*), count(distinct request_id), min(request_id::bigint), max(request_id::bigint) from events")[0]
	want := []string{fmt.Sprint(good), fmt.Sprint(good), "1", fmt.Sprint(lines - 1)}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("events, distinct, lowest, highest: %v, want %v", got, want)
	}
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seen := map[int64]bool{}
	err = l.DeadLetters(0, func(d *lake.DeadLetter) error {
		if seen[d.Line] || d.Line%100 != 0 {
			t.Errorf("line %d is a dead letter, or is one twice: %s", d.Line, d.Text)
		}
		seen[d.Line] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != lines-good {
		t.Errorf("%d dead letters, want %d", len(seen), lines-good)
	}
}

// TestImportBacklog imports more than may wait for its conversion: it is converted on the way, and nothing is lost.
func TestImportBacklog(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "access.log")
	good := accessLog(t, path, 30_000)
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ConvertAge: -1, HotLimit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	p := tui.ImportParams{Paths: []string{path}}
	summary, err := importFiles(t.Context(), l, p, importWorld{now: time.Now}, &lake.Progress{})
	if err != nil || !strings.Contains(summary, "30,000 lines = 29,700 accepted + 300 rejected") {
		t.Errorf("import: %v, %s", err, summary)
	}
	if status := l.Status(); status.ParquetEvents == 0 || status.Visible != int64(good) {
		t.Errorf("%d events of %d, %d of them in Parquet", status.Visible, good, status.ParquetEvents)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.Again = true
	if _, err := importFiles(ctx, l, p, importWorld{now: time.Now}, &lake.Progress{}); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "goes on there") {
		t.Errorf("cancelled: %v; want what is in and that it can go on", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestImportFollow follows a file by the real program: lines are there while it runs, and Ctrl+C is its good end.
func TestImportFollow(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "access.log")
	accessLog(t, path, 99)
	cmd := exec.Command(program(t), "import", "--follow", path, "--data", dir)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	l := openWhenThere(t, dir)
	committed(t, l, 99)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("10.0.0.1 - - [20/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\" rt=0.010 rid=100\n"); err != nil {
		t.Fatal(err)
	}
	committed(t, l, 100)
	if out, err := exec.Command(program(t), "import", path, "--data", dir).CombinedOutput(); exitCodeOf(err) != exitOwned ||
		!strings.Contains(string(out), "import --follow") || !strings.Contains(string(out), "press i") {
		t.Errorf("import into an owned lake: %v, %s: want the owner's name and the way in", err, out)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after Ctrl+C: %v, %s", err, said.String())
	}
	if !strings.Contains(said.String(), "100 lines = 100 accepted + 0 rejected") {
		t.Errorf("it says %q", said.String())
	}
}

// openWhenThere opens a lake that another process is making, to follow it.
func openWhenThere(t *testing.T, dir string) *lake.Lake {
	t.Helper()
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// committed waits until the lake has so many events.
func committed(t *testing.T, l *lake.Lake, n int64) {
	t.Helper()
	if !poll(waitLimit, func() bool { return l.Status().RawEvents >= n }) {
		t.Fatalf("waited for %d events, there are %d", n, l.Status().RawEvents)
	}
}

// pipedConsole is the console with a shell's command piped into it.
func pipedConsole(t *testing.T, dir, pipe string) *console {
	t.Helper()
	return startCommand(t, 120, 36, nil, exec.Command("sh", "-c", fmt.Sprintf("%s | exec %s --data %s --addr %s", pipe, program(t), dir, freeAddr(t))))
}

// TestPipeIntoConsole pipes lines into the console: they are on the screen while the pipe is open, and the keys come from the terminal.
func TestPipeIntoConsole(t *testing.T) {
	dir, fifo := t.TempDir(), filepath.Join(t.TempDir(), "fifo")
	if out, err := exec.Command("mkfifo", fifo).CombinedOutput(); err != nil {
		t.Skipf("SKIP: no named pipes here: %v %s", err, out)
	}
	c := pipedConsole(t, dir, "cat "+fifo)
	w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	say := func(n int, service string) {
		t.Helper()
		for range n {
			at := time.Now().UTC().Format(time.RFC3339Nano)
			if _, err := fmt.Fprintf(w, `{"timestamp":%q,"service_name":%q,"status_code":200,"latency_ms":12}`+"\n", at, service); err != nil {
				t.Fatal(err)
			}
		}
	}
	say(3, "firstpiped")
	c.wants("latency by service", "firstpiped")
	say(3, "secondpiped")
	c.wants("secondpiped")
	c.keys("4")
	c.wants("import stdin")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c.wants("6 lines = 6 accepted")
	c.keys(keyCtrlQ)
	if code := c.ends(); code != exitOK {
		t.Errorf("exit code %d, want %d", code, exitOK)
	}
	c.cleanTerminal()
}

// TestPipeIntoFollower pipes into a console whose lake another process owns: it says why that is not read.
func TestPipeIntoFollower(t *testing.T) {
	dir := demoLake(t)
	startServer(t, dir, "")
	c := pipedConsole(t, dir, "echo x")
	c.wants("latency by service", "checkout")
	c.keys("4")
	c.wants("import stdin", "not read", "serve")
	c.keys(keyCtrlQ)
	c.ends()
	c.cleanTerminal()
}

// TestNoPipe starts the console without anything on standard input, as a desktop entry does.
func TestNoPipe(t *testing.T) {
	c := startCommand(t, 120, 36, nil, exec.Command("sh", "-c", fmt.Sprintf("exec %s --data %s --addr %s < /dev/null", program(t), t.TempDir(), freeAddr(t))))
	c.wants("demo")
	c.keys("4")
	c.wants("No task has run")
	c.keys(keyCtrlQ)
	c.ends()
	c.cleanTerminal()
}
