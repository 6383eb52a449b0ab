package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// server is the real binary as `serve`, on a port of its own.
type server struct {
	cmd  *exec.Cmd
	addr string
}

// startServer starts `serve` and waits until it says that it listens. addr "" takes a free port.
func startServer(t *testing.T, dir, addr string) *server {
	t.Helper()
	if addr == "" {
		addr = freeAddr(t)
	}
	cmd := exec.Command(program(t), "serve", "--data", dir, "--addr", addr)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() {
		var said strings.Builder
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "listening on") {
				listening <- ""
				io.Copy(io.Discard, stderr)
				return
			}
			said.WriteString(lines.Text() + "\n")
		}
		listening <- "serve ended: " + said.String()
	}()
	select {
	case problem := <-listening:
		if problem != "" {
			t.Fatal(problem)
		}
	case <-time.After(waitLimit):
		t.Fatal("serve does not say that it listens")
	}
	s := &server{cmd: cmd, addr: addr}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return s
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// kill ends the process as a power cut would and waits until it is gone.
func (s *server) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// ask runs the real binary's query as another process and returns the csv records behind the header.
func ask(t *testing.T, dir, text string) [][]string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program(t), "query", "--data", dir, "--sql", text, "--format", "csv")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("query: %v: %s", err, stderr.String())
	}
	records, err := csv.NewReader(&stdout).ReadAll()
	if err != nil || len(records) == 0 {
		t.Fatalf("query answered %v, %v", records, err)
	}
	return records[1:]
}

// TestRefusedAddressLeavesNothing: no lake is made for a server that cannot listen.
func TestRefusedAddressLeavesNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	f := func(addr, want string) {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "lake")
		var stderr strings.Builder
		w := &world{stderr: &stderr, getenv: func(string) string { return "" }, now: time.Now}
		if code := run(t.Context(), []string{"serve", "--data", dir, "--addr", addr}, w); code != exitFailed || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit code %d, %s", addr, code, stderr.String())
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a folder was made: %v", addr, err)
		}
	}
	f(taken.Addr().String(), "is taken by")
	f("0.0.0.0:0", "can be reached from other machines")
	f("nowhere", "want host:port")
}
