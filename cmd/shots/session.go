package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

const (
	betweenKeys = 30 * time.Millisecond // so that each key is a key press of its own, as from a person
	lookEvery   = 20 * time.Millisecond // between two looks at the screen
	politeness  = 5 * time.Second       // for the program to end by itself after SIGTERM
	settleLimit = 10 * time.Second      // the longest wait for a calm screen; a screen that never rests is taken as it is
)

// session is a program in a pseudo-terminal with an emulator behind it.
type session struct {
	cmd     *exec.Cmd
	file    *os.File
	ended   chan struct{} // closed when the terminal's output has ended
	palette palette
	limit   time.Duration // the longest wait for a text

	mu     sync.Mutex // guards what follows, but not the emulator's Read
	term   *vt.Emulator
	cursor cursor
}

// start runs a command line of the shell on a screen of its own.
func start(commandLine string, env []string, on size, p palette, limit time.Duration) (*session, error) {
	cmd := exec.Command("sh", "-c", commandLine)
	cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "NO_COLOR="), env...)
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(on.height), Cols: uint16(on.width)})
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", commandLine, err)
	}
	s := &session{cmd: cmd, file: file, ended: make(chan struct{}), palette: p, limit: limit, term: vt.NewEmulator(on.width, on.height)}
	s.cursor.visible = true
	s.term.SetDefaultForegroundColor(p.foreground)
	s.term.SetDefaultBackgroundColor(p.background)
	s.term.SetCallbacks(vt.Callbacks{
		CursorVisibility: func(visible bool) { s.cursor.visible = visible },
		CursorStyle:      func(style vt.CursorStyle, _ bool) { s.cursor.style = style },
	})
	go s.read()
	go s.answer()
	return s, nil
}

// read shows the emulator what the program writes.
func (s *session) read() {
	defer close(s.ended)
	buf := make([]byte, 64<<10)
	for {
		n, err := s.file.Read(buf)
		s.mu.Lock()
		s.term.Write(buf[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// answer gives the program what the emulator replies to its questions: colours, device attributes, modes.
func (s *session) answer() {
	buf := make([]byte, 4096)
	for {
		n, err := s.term.Read(buf)
		if err != nil {
			return
		}
		s.file.Write(buf[:n])
	}
}

// snapshot is the screen as it is now.
func (s *session) snapshot() *screen {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.cursor
	position := s.term.CursorPosition()
	at.x, at.y = position.X, position.Y
	return capture(s.term, s.palette, at)
}

// play does a script's steps one after the other.
func (s *session) play(steps []step) error {
	for _, step := range steps {
		if err := s.do(step); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) do(step step) error {
	switch {
	case step.typed != "":
		if _, err := s.file.WriteString(step.typed); err != nil {
			return fmt.Errorf("type %q: %w", step.typed, err)
		}
		s.sleep(betweenKeys)
	case step.pause > 0:
		s.sleep(step.pause)
	case step.wait != "":
		return s.until(fmt.Sprintf("%q does not come", step.wait), func(text string) bool { return strings.Contains(text, step.wait) })
	case step.gone != "":
		return s.until(fmt.Sprintf("%q does not go", step.gone), func(text string) bool { return !strings.Contains(text, step.gone) })
	case step.resize != (size{}):
		return s.resize(step.resize)
	}
	return nil
}

// sleep ends early when the program does.
func (s *session) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.ended:
	}
}

func (s *session) until(what string, holds func(text string) bool) error {
	for deadline := time.Now().Add(s.limit); ; s.sleep(lookEvery) {
		text := s.snapshot().text()
		if holds(text) {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%s: the program ended; the screen shows\n%s", what, text)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s within %v; the screen shows\n%s", what, s.limit, text)
		}
	}
}

// settle waits until the screen has stayed the same for a while, and returns it.
func (s *session) settle(quiet time.Duration) *screen {
	seen := s.snapshot()
	since := time.Now()
	for deadline := since.Add(settleLimit); time.Now().Before(deadline) && time.Since(since) < quiet; {
		select {
		case <-s.ended:
			return s.snapshot()
		case <-time.After(lookEvery):
		}
		if now := s.snapshot(); !seen.equal(now) {
			seen, since = now, time.Now()
		}
	}
	return seen
}

func (s *session) resize(to size) error {
	s.mu.Lock()
	s.term.Resize(to.width, to.height)
	s.term.Write([]byte("\x1b[r")) // the emulator keeps the scroll region of the size before; real terminals reset it
	s.mu.Unlock()
	if err := pty.Setsize(s.file, &pty.Winsize{Rows: uint16(to.height), Cols: uint16(to.width)}); err != nil {
		return fmt.Errorf("resize to %dx%d: %w", to.width, to.height, err)
	}
	return nil
}

// close ends the program and all that it started: politely, and after a while by force.
func (s *session) close() error {
	group := -s.cmd.Process.Pid // the terminal's session leader leads its process group too
	syscall.Kill(group, syscall.SIGTERM)
	select {
	case <-s.ended: // nobody has the terminal open any more: not the shell's end, which would leave the program to tidy up beside the next one
	case <-time.After(politeness):
		syscall.Kill(group, syscall.SIGKILL)
	}
	s.cmd.Wait() // how it ended is of no interest: it was told to
	err := s.file.Close()
	<-s.ended
	// Not the emulator's Close, which races with its Read: the end of what is to be read ends answer as well.
	return errors.Join(err, s.term.InputPipe().(*io.PipeWriter).Close())
}
