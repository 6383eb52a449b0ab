package pipeline

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// keptWords is how many of a process's newest lines are kept, to be shown when it ends badly.
	keptWords = 20
	// startWithin is how long a server may take to listen, and a process that was told to end to do so.
	startWithin = 2 * time.Minute
)

// process is a child of ours. It dies with us.
type process struct {
	cmd   *exec.Cmd
	out   bytes.Buffer  // its standard output; to be read once it is gone
	heard func(string)  // called with each line of its standard error
	gone  chan struct{} // closed when it has been waited for
	err   error         // how it ended; to be read once it is gone

	mu    sync.Mutex
	words []string // its newest lines
}

// start starts this program with some arguments.
func start(program string, heard func(line string), args ...string) (*process, error) {
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = dieWithParent()
	return startCommand(cmd, heard)
}

// startCommand starts a command whose standard output and standard error are ours to read unless it has some already.
func startCommand(cmd *exec.Cmd, heard func(line string)) (*process, error) {
	p := &process{cmd: cmd, heard: heard, gone: make(chan struct{})}
	var stderr io.Reader = strings.NewReader("")
	if cmd.Stdout == nil {
		cmd.Stdout = &p.out
	}
	if cmd.Stderr == nil {
		var err error
		if stderr, err = cmd.StderrPipe(); err != nil {
			return nil, err
		}
	}
	failed := make(chan error)
	go p.live(stderr, failed)
	if err := <-failed; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// live starts the process, reads what it says, and waits for it: all on one thread that lives as long, as "dies with its parent" means the thread.
func (p *process) live(stderr io.Reader, failed chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := p.cmd.Start(); err != nil {
		failed <- err
		return
	}
	close(failed)
	lines := bufio.NewReaderSize(stderr, 64<<10)
	for {
		line, err := lines.ReadString('\n')
		if line = strings.TrimSpace(line); line != "" && line[0] != '{' { // a request's record
			p.hear(line)
		}
		if err != nil {
			break
		}
	}
	p.err = p.cmd.Wait()
	close(p.gone)
}

func (p *process) hear(line string) {
	if p.heard != nil {
		p.heard(line)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.words) == keptWords {
		p.words = p.words[1:]
	}
	p.words = append(p.words, line)
}

// lastWords is how a process that is gone ended, and what it said.
func (p *process) lastWords() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("%v: %s", p.cmd.ProcessState, strings.Join(p.words, " | "))
}

// wait waits for the end of the process, which must be a good one. When ctx ends first, it is killed.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.gone:
	case <-ctx.Done():
		p.kill()
		return ctx.Err()
	}
	if p.err != nil {
		return fmt.Errorf("%s: %s", strings.Join(p.cmd.Args[1:], " "), p.lastWords())
	}
	return nil
}

// terminate asks the process to end, as systemd would, and waits until it has.
func (p *process) terminate(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, fmt.Errorf("the process does not end %v after it was told to", startWithin))
	defer cancel()
	if err := p.wait(ctx); err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	return nil
}

// kill ends it at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.gone
}

// Usage is what a process took, as its one line of JSON says.
type Usage struct {
	Wall time.Duration `json:"wall_ns"`
	CPU  time.Duration `json:"cpu_ns"`     // user and system, of all threads
	Peak int64         `json:"peak_bytes"` // of its resident memory
}

// measured runs work and writes what it took, as a line of JSON. The peak is the process's, whatever came before the work.
func measured(stdout io.Writer, work func() error) error {
	before, err := processorTime(os.Getpid())
	if err != nil {
		return err
	}
	started := time.Now()
	if err := work(); err != nil {
		return err
	}
	u := Usage{Wall: time.Since(started)}
	after, err := processorTime(os.Getpid())
	if err != nil {
		return err
	}
	u.CPU = after - before
	if u.Peak, err = peakMemory(os.Getpid()); err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(u)
}

// stageWord and commandStage are how children are started: `bench stage NAME ...` for Child's stages, `bench stage command ...` for any sub-command of
// the program, measured.
const (
	stageWord    = "stage"
	commandStage = "command"
)

// measure runs `bench stage args...` in a process of its own and answers what it took.
func (r *runner) measure(ctx context.Context, args ...string) (Usage, error) {
	var u Usage
	p, err := start(r.cfg.Program, nil, append([]string{"bench", stageWord}, args...)...)
	if err != nil {
		return u, err
	}
	if err := p.wait(ctx); err != nil {
		return u, err
	}
	if err := json.Unmarshal(p.out.Bytes(), &u); err != nil {
		return u, fmt.Errorf("bench stage %s answered no measure: %w: %.200s", args[0], err, p.out.Bytes())
	}
	return u, nil
}

// server is a child that serves a lake.
type server struct {
	*process
	addr string // host:port
}

// serve starts a server of the lake in dir and waits until it listens.
func (r *runner) serve(ctx context.Context, dir string, args ...string) (*server, error) {
	listens := make(chan string, 1)
	p, err := start(r.cfg.Program, func(line string) {
		if _, rest, ok := strings.Cut(line, "listening on http://"); ok {
			addr, _, _ := strings.Cut(rest, ",")
			select {
			case listens <- addr:
			default:
			}
		}
	}, append([]string{"serve", "--data", dir, "--addr", "127.0.0.1:0"}, args...)...)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(startWithin)
	defer timer.Stop()
	select {
	case addr := <-listens:
		return &server{p, addr}, nil
	case <-p.gone:
		return nil, fmt.Errorf("the server did not start: %s", p.lastWords())
	case <-ctx.Done():
		p.kill()
		return nil, ctx.Err()
	case <-timer.C:
		p.kill()
		return nil, fmt.Errorf("the server does not listen %v after its start: %s", startWithin, p.lastWords())
	}
}
