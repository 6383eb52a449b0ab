package torture

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signallake/signallake/lake"
)

const (
	// keptWords is how many of the server's newest lines are kept, to be shown when it ends by itself.
	keptWords = 20
	// readyWithin is how long a server may take to listen: recovery of a lake of this size takes a second or two.
	readyWithin = 2 * time.Minute
)

// child is one life of the server.
type child struct {
	cmd     *exec.Cmd
	dir     string
	started time.Time
	ready   chan struct{} // closed when it says that it listens
	gone    chan struct{} // closed when it has been waited for

	mu    sync.Mutex
	words []string // its newest lines that are no request log
}

// freeAddress is an address of this machine on which nobody listens now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// startChild starts `serve`. It dies with this process.
func startChild(cfg *Config, addr string, life int) (*child, error) {
	args := append([]string{"serve", "--data", cfg.Dir, "--addr", addr}, cfg.Serve...)
	c := &child{cmd: exec.Command(cfg.Program, args...), dir: cfg.Dir, ready: make(chan struct{}), gone: make(chan struct{})}
	c.cmd.SysProcAttr = dieWithParent()
	c.cmd.Env = append(os.Environ(), cfg.Env(life)...)
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	failed := make(chan error)
	go c.live(stderr, failed)
	if err := <-failed; err != nil {
		return nil, fmt.Errorf("start %s serve: %w", cfg.Program, err)
	}
	return c, nil
}

// live starts the process, reads what it says, and waits for it. All of it happens on one thread that lives as long: "dies with its parent" means,
// to the kernel, with the thread that started it.
func (c *child) live(stderr io.Reader, failed chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c.started = time.Now()
	if err := c.cmd.Start(); err != nil {
		failed <- err
		return
	}
	close(failed)
	lines := bufio.NewReaderSize(stderr, 64<<10)
	listens := sync.OnceFunc(func() { close(c.ready) })
	for {
		line, err := lines.ReadString('\n')
		if line = strings.TrimSpace(line); line != "" && line[0] != '{' {
			c.remember(line)
			if strings.Contains(line, "listening on") {
				listens()
			}
		}
		if err != nil {
			break
		}
	}
	_ = c.cmd.Wait() // how it ended is in ProcessState
	close(c.gone)
}

func (c *child) remember(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.words) == keptWords {
		c.words = c.words[1:]
	}
	c.words = append(c.words, line)
}

// lastWords is how a server that is gone ended, and what it said.
func (c *child) lastWords() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%v: %s", c.cmd.ProcessState, strings.Join(c.words, " | "))
}

// waitReady waits until the server listens, and proves that it is this one which does.
func (c *child) waitReady(ctx context.Context) error {
	timer := time.NewTimer(readyWithin)
	defer timer.Stop()
	select {
	case <-c.ready:
	case <-c.gone:
		return fmt.Errorf("the server did not start: %s", c.lastWords())
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("the server does not listen %v after its start", readyWithin)
	}
	var owner lake.Owner
	note, err := os.ReadFile(filepath.Join(lake.Layout{Root: c.dir}.State(), "owner.json"))
	if err == nil {
		err = json.Unmarshal(note, &owner)
	}
	if err != nil {
		return fmt.Errorf("the server listens and left no note of it: %w", err)
	}
	if owner.PID != c.cmd.Process.Pid {
		return fmt.Errorf("process %d listens, and the lake belongs to process %d", c.cmd.Process.Pid, owner.PID)
	}
	return nil
}

// kill ends the process as a power cut would, and waits until it is gone and the lake's lock with it.
func (c *child) kill() error {
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-c.gone
	lock, err := os.Open(filepath.Join(lake.Layout{Root: c.dir}.State(), "lock"))
	if errors.Is(err, os.ErrNotExist) {
		return nil // it did not come so far
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("the server is dead and the lake's lock is taken: %w", err)
	}
	return nil
}

// terminate asks the process to end, as systemd would, and waits until it has. Only a clean end is one.
func (c *child) terminate(ctx context.Context) error {
	if err := c.signal(syscall.SIGTERM); err != nil {
		return err
	}
	timer := time.NewTimer(readyWithin)
	defer timer.Stop()
	select {
	case <-c.gone:
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("the server does not end %v after SIGTERM", readyWithin)
	}
	if !c.cmd.ProcessState.Success() {
		return fmt.Errorf("the server ended badly after SIGTERM: %s", c.lastWords())
	}
	return nil
}

// signal stops the process or lets it go on.
func (c *child) signal(s syscall.Signal) error { return c.cmd.Process.Signal(s) }
