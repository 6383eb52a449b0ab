package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// accessServer is the real `serve` with everything that it says.
type accessServer struct {
	cmd            *exec.Cmd
	url            string
	stdout, stderr *os.File
}

func startAccessServer(t *testing.T, dir string, args ...string) *accessServer {
	t.Helper()
	addr, logs := freeAddr(t), t.TempDir()
	s := &accessServer{url: "http://" + addr}
	for name, file := range map[string]**os.File{"stdout": &s.stdout, "stderr": &s.stderr} {
		f, err := os.Create(filepath.Join(logs, name))
		if err != nil {
			t.Fatal(err)
		}
		*file = f
	}
	s.cmd = exec.Command(program(t), append([]string{"serve", "--data", dir, "--addr", addr}, args...)...)
	s.cmd.Stdout, s.cmd.Stderr = s.stdout, s.stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); s.cmd.Wait() })
	if !poll(waitLimit, func() bool { return strings.Contains(s.said(t), "listening on") }) {
		t.Fatalf("serve does not say that it listens: %s", s.said(t))
	}
	return s
}

func (s *accessServer) said(t *testing.T) string {
	t.Helper()
	var all []byte
	for _, f := range []*os.File{s.stdout, s.stderr} {
		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return string(all)
}

// TestTokensLeaveNoTrace sends good, wrong and broken requests with known tokens through the real program, and then looks for the tokens in all that it
// said, in every file of the lake, and in what the system shows of the process.
func TestTokensLeaveNoTrace(t *testing.T) {
	const good, wrong = "good-token-5d41402abc4b2a76b9719d911017c592", "wrong-token-7d793037a0760186574b0282f2f435e7"
	dir := t.TempDir()
	tokens := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(tokens, []byte("shipper "+good+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startAccessServer(t, dir, "--token-file", tokens)
	client := &http.Client{Timeout: waitLimit}
	var answers strings.Builder
	for _, token := range []string{good, wrong, ""} {
		for _, r := range [][3]string{
			{"POST", "/ingest", `{"timestamp":-1,"service_name":"a"}`}, {"POST", "/ingest", `{bad`}, {"POST", "/ingest/batch", "{bad\n{worse"}, {"GET", "/query/p95-latency", ""}, {"GET", "/query/nothing", ""},
			{"GET", "/query/p95-latency?from=x", ""}, {"GET", "/health", ""}, {"GET", "/docs", ""}, {"GET", "/openapi.json", ""}, {"GET", "/nothing", ""}, {"BREW", "/ingest", ""},
		} {
			status, text := request(t, client, r[0], s.url+r[1], r[2], token)
			if open := r[1] == "/health" || r[1] == "/docs" || r[1] == "/openapi.json" || r[1] == "/nothing" || r[0] == "BREW"; !open && (status == 401) == (token == good) {
				t.Errorf("%v with the token %q: %d %s", r, token, status, text)
			}
			answers.WriteString(text)
		}
	}
	seen := map[string]string{"the answers": answers.String(), "the output": s.said(t)}
	for _, name := range []string{"cmdline", "environ"} {
		if text, err := os.ReadFile("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/" + name); err == nil {
			seen["the process's "+name] = string(text)
		}
	}
	out, err := exec.Command(program(t), "status", "--json", "--data", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	seen["the status"] = string(out)
	s.cmd.Process.Signal(syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		t.Error(err)
	}
	seen["the output at the end"] = s.said(t)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		seen[path] = string(text)
		return err
	})
	if err != nil || len(seen) < 8 {
		t.Errorf("looked at %d places, %v", len(seen), err)
	}
	for place, text := range seen {
		for _, token := range []string{good, wrong} {
			if strings.Contains(text, token) {
				t.Errorf("%s shows the token %s", place, token)
			}
		}
	}
	if !strings.Contains(seen["the output"], `"source":"shipper"`) || !strings.Contains(seen["the output"], `"status_code":401`) {
		t.Errorf("the log names no source, or no refusal: %s", seen["the output"])
	}
}

// TestHealthOfTheRealServer holds the page of the whole program against the document: the lake's and the engine's values are described too.
func TestHealthOfTheRealServer(t *testing.T) {
	s := startAccessServer(t, t.TempDir())
	client := &http.Client{Timeout: waitLimit}
	var document struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	_, text := request(t, client, "GET", s.url+"/openapi.json", "", "")
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	described := document.Components.Schemas["Health"].Properties
	status, text := request(t, client, "GET", s.url+"/health", "", "")
	var page map[string]any
	if err := json.Unmarshal([]byte(text), &page); err != nil || status != 200 || len(page) < 10 {
		t.Fatalf("%d %s %v", status, text, err)
	}
	for key := range page {
		if _, ok := described[key]; !ok {
			t.Errorf("the health page tells %s, and ingest/openapi.json does not describe it", key)
		}
	}
}

// TestMakeTokenOnce: the first start makes a token and shows it, the second one uses it and does not.
func TestMakeTokenOnce(t *testing.T) {
	dir, tokens := t.TempDir(), filepath.Join(t.TempDir(), "new", "tokens")
	first := startAccessServer(t, dir, "--token-file", tokens, "--make-token")
	token := tokenOf(t, tokens)
	if !poll(waitLimit, func() bool { return strings.Contains(first.said(t), "Bearer "+token+`" `+first.url+"/health") }) {
		t.Errorf("the first start does not show the token and a line to try it: %s", first.said(t))
	}
	first.cmd.Process.Signal(syscall.SIGTERM)
	first.cmd.Wait()
	second := startAccessServer(t, dir, "--token-file", tokens, "--make-token")
	if status, text := request(t, &http.Client{Timeout: waitLimit}, "GET", second.url+"/query/error-rate", "", token); status != 200 {
		t.Errorf("the kept token: %d %s", status, text)
	}
	if strings.Contains(second.said(t), token) {
		t.Error("the second start shows the token again")
	}
	var out bytes.Buffer
	health := exec.Command(program(t), "health", "--data", dir)
	health.Stdout = &out
	if err := health.Run(); err != nil || out.String() != "ok: "+second.url+" takes events\n" {
		t.Errorf("health: %v, %q", err, out.String())
	}
	second.cmd.Process.Kill()
	second.cmd.Wait()
	if err := exec.Command(program(t), "health", "--data", dir).Run(); err == nil {
		t.Error("health of a killed server")
	}
}
