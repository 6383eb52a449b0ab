package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// binary is the real program for all tests that run it as a process: the copy of the test's own that TestMain has put into the path, which is the program
// where it is called by that name. Linking DuckDB a second time takes as long as many tests. With the race detector in it, it would be another program, so
// that one is built.
var binary = sync.OnceValues(func() (string, error) {
	if !raceDetector {
		return exec.LookPath("signallake-tui")
	}
	dir, err := os.MkdirTemp("", "signallake-bin-*")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "signallake-tui")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func program(t *testing.T) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// console is the real binary in a pseudo-terminal with an emulator behind it.
type console struct {
	t    *testing.T
	cmd  *exec.Cmd
	file *os.File
	done chan struct{} // closed when the terminal's output has ended

	mu     sync.Mutex // guards raw, and what is written to the emulator against its resizing and reading
	raw    bytes.Buffer
	screen *vt.SafeEmulator
}

// waitLimit bounds every wait for something to appear: far above what it takes, so that a slow machine is no failure.
const waitLimit = 60 * time.Second

func startConsole(t *testing.T, width, height int, env []string, args ...string) *console {
	t.Helper()
	return startCommand(t, width, height, env, exec.Command(program(t), args...))
}

// startCommand starts what ends up as the console in the terminal: a shell's pipeline, say.
func startCommand(t *testing.T, width, height int, env []string, cmd *exec.Cmd) *console {
	t.Helper()
	cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "LC_ALL="), env...)
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)})
	if err != nil {
		t.Fatal(err)
	}
	c := &console{t: t, cmd: cmd, file: file, done: make(chan struct{}), screen: vt.NewSafeEmulator(width, height)}
	go c.read()
	go c.answer()
	t.Cleanup(func() {
		cmd.Process.Kill()
		file.Close()
		c.screen.InputPipe().(io.Closer).Close() // ends answer; the emulator's own Close is not made to run beside its Read
	})
	return c
}

func (c *console) read() {
	defer close(c.done)
	buf := make([]byte, 64<<10)
	for {
		n, err := c.file.Read(buf)
		c.mu.Lock()
		c.raw.Write(buf[:n])
		c.screen.Write(c.withinScreen(buf[:n]))
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// scrollRegion is the sequence that bounds scrolling to some rows.
var scrollRegion = regexp.MustCompile(`\x1b\[\d+;(\d+)r`)

// withinScreen lets go of scroll regions that end below the screen: what the program wrote for the size before a resize. The emulator trips over
// them; real terminals take them for the whole screen.
func (c *console) withinScreen(p []byte) []byte {
	return scrollRegion.ReplaceAllFunc(p, func(seq []byte) []byte {
		if bottom, _ := strconv.Atoi(string(scrollRegion.FindSubmatch(seq)[1])); bottom > c.screen.Height() {
			return []byte("\x1b[r")
		}
		return seq
	})
}

// answer passes the emulator's replies (background colour, device attributes) back to the program.
func (c *console) answer() {
	buf := make([]byte, 4096)
	for {
		n, err := c.screen.Read(buf)
		if err != nil {
			return
		}
		c.file.Write(buf[:n])
	}
}

func (c *console) keys(keys ...string) {
	c.t.Helper()
	for _, k := range keys {
		if _, err := c.file.WriteString(k); err != nil {
			c.t.Fatalf("type %q: %v", k, err)
		}
	}
}

func (c *console) resize(width, height int) {
	c.t.Helper()
	c.mu.Lock()
	c.screen.Resize(width, height)
	c.screen.Write([]byte("\x1b[r")) // the emulator keeps the scroll region of the size before, and trips over it; real terminals reset it
	c.mu.Unlock()
	if err := pty.Setsize(c.file, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *console) text() string {
	c.mu.Lock() // the cells are the emulator's own
	defer c.mu.Unlock()
	var b strings.Builder
	for y := range c.screen.Height() {
		for x := range c.screen.Width() {
			if cell := c.screen.CellAt(x, y); cell != nil && cell.Width > 0 {
				b.WriteString(cell.Content)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// poll tries a condition every few milliseconds until it holds or the limit has passed.
func poll(limit time.Duration, condition func() bool) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); <-tick.C {
		if condition() {
			return true
		}
	}
	return condition()
}

// wants waits until every text stands on the screen.
func (c *console) wants(texts ...string) {
	c.t.Helper()
	if !poll(waitLimit, func() bool {
		screen := c.text()
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	}) {
		c.t.Fatalf("waited for %q; the screen shows:\n%s", texts, c.text())
	}
}

// gone waits until a text no longer stands on the screen. A script waits so after Esc: a key that follows at once would be Alt and that key.
func (c *console) gone(text string) {
	c.t.Helper()
	if !poll(waitLimit, func() bool { return !strings.Contains(c.text(), text) }) {
		c.t.Fatalf("%q does not go away; the screen shows:\n%s", text, c.text())
	}
}

// ends waits for the program and returns its exit code.
func (c *console) ends() int {
	c.t.Helper()
	exited := make(chan struct{})
	go func() { c.cmd.Wait(); close(exited) }()
	select {
	case <-exited:
	case <-time.After(waitLimit):
		c.t.Fatalf("the program did not end; the screen shows:\n%s", c.text())
	}
	<-c.done
	return c.cmd.ProcessState.ExitCode()
}

func (c *console) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

// cleanTerminal checks what the program must have undone before it ended: alternate screen, mouse, bracketed paste, hidden cursor.
func (c *console) cleanTerminal() {
	c.t.Helper()
	out := c.output()
	for _, mode := range []struct{ name, on, off string }{
		{"alternate screen", "\x1b[?1049h", "\x1b[?1049l"}, {"mouse", "\x1b[?1002h", "\x1b[?1002l"}, {"bracketed paste", "\x1b[?2004h", "\x1b[?2004l"},
		{"hidden cursor", "\x1b[?25l", "\x1b[?25h"},
	} {
		if on := strings.LastIndex(out, mode.on); on >= 0 && strings.LastIndex(out, mode.off) < on {
			c.t.Errorf("%s was left on", mode.name)
		}
	}
	if c.screen.IsAltScreen() {
		c.t.Error("the alternate screen was left on")
	}
}
