package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is the user of the image.
const nobody = 65532

// emptyRoot is a folder with nothing in it but the release's program and the folder of its data, as in the image: no libraries, no /etc, no
// /proc, no /dev, and here not even a /tmp.
type emptyRoot struct {
	t   *testing.T
	dir string
}

func newEmptyRoot(t *testing.T) *emptyRoot {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIP: -short does not build the release")
	}
	if os.Getuid() != 0 {
		t.Skip("SKIP: only root may change the root folder: sudo make emptyroot")
	}
	r := &emptyRoot{t: t, dir: t.TempDir()}
	program := filepath.Join(r.dir, "signallake-tui")
	if out, err := exec.Command("make", "-C", filepath.Join("..", ".."), "static", "STATIC="+program).CombinedOutput(); err != nil {
		t.Fatalf("make static: %v\n%s", err, out)
	}
	if err := os.Mkdir(filepath.Join(r.dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(r.dir, "data"), nobody, nobody); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{r.dir, filepath.Dir(r.dir)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// command is the program in the empty folder, as a user without a name, without an environment.
func (r *emptyRoot) command(args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = "/", []string{"SIGNALLAKE_DATA_DIR=/data/lake"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: r.dir, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

// runs runs a command to its end and wants the exit code and the text in its output.
func (r *emptyRoot) runs(code int, want string, args ...string) {
	r.t.Helper()
	cmd := r.command(append([]string{"/signallake-tui"}, args...)...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code || !strings.Contains(string(out), want) {
		r.t.Errorf("%q: %v\n%s\nwant exit code %d and %q", args, err, out, code, want)
	}
}

// serving is a `serve` in the empty folder.
type serving struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	done   chan struct{}
}

// serve starts the entry point of the Dockerfile, on a port of this machine's loopback.
func (r *emptyRoot) serve(addr string, more ...string) *serving {
	r.t.Helper()
	entry := dockerfileArgs(r.t, "ENTRYPOINT")
	for i, arg := range entry {
		if arg == "0.0.0.0:8000" {
			entry[i] = addr
		}
	}
	s := &serving{cmd: r.command(append(entry, more...)...), done: make(chan struct{})}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { s.cmd.Process.Kill(); <-s.done; s.cmd.Wait() })
	listening := make(chan struct{})
	go func() {
		defer close(s.done)
		said := false
		for lines := bufio.NewScanner(io.TeeReader(stderr, &s.stderr)); lines.Scan(); {
			if !said && strings.Contains(lines.Text(), "listening on") {
				said = true
				close(listening)
			}
		}
	}()
	select {
	case <-listening:
	case <-s.done:
		r.t.Fatalf("serve ended: %s", s.stderr.String())
	case <-time.After(waitLimit):
		r.t.Fatal("serve does not say that it listens")
	}
	return s
}

// stop ends it as `docker stop` does, and returns what it said.
func (s *serving) stop(t *testing.T) string {
	t.Helper()
	s.cmd.Process.Signal(syscall.SIGTERM)
	<-s.done
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("serve ended with %v: %s", err, s.stderr.String())
	}
	return s.stderr.String()
}

// TestReleaseInAnEmptyRoot does with the release's program, in the image's surroundings, what the image's users do.
func TestReleaseInAnEmptyRoot(t *testing.T) {
	t.Parallel()
	r := newEmptyRoot(t)
	addr := freeAddr(t)
	health := dockerfileArgs(t, "HEALTHCHECK")[1:] // without the program's name

	r.runs(0, "signallake-tui ", "version")
	r.runs(1, "nobody serves the lake in /data/lake", health...)
	r.writeCertificate()
	first := r.serve(addr)
	token := tokenOf(t, filepath.Join(r.dir, "data", "tokens"))
	r.runs(0, "ok: http://"+addr+" takes events", health...)

	event := fmt.Sprintf(`{"timestamp":%q,"service_name":"checkout","status_code":503,"latency_ms":812}`, time.Now().UTC().Format(time.RFC3339))
	client := &http.Client{Timeout: waitLimit}
	say := func(status int, want, method, path, body, token string) {
		t.Helper()
		if got, text := request(t, client, method, path, body, token); got != status || !strings.Contains(text, want) {
			t.Errorf("%s %s: %d %s, want %d with %q", method, path, got, text, status, want)
		}
	}
	say(401, "there is no token", "POST", "http://"+addr+"/ingest", event, "")
	say(200, `"accepted":1`, "POST", "http://"+addr+"/ingest", event, token)
	say(200, `"accepted":2`, "POST", "http://"+addr+"/ingest/batch", event+"\n"+event, token)
	say(200, `["checkout",3,`, "GET", "http://"+addr+"/query/p95-latency", "", token)
	say(200, "<h1>", "GET", "http://"+addr+"/docs", "", "")
	r.runs(0, "3\n", "query", "--sql", "select count(*) as n from events", "--format", "csv") // beside the server, with no folder to spill to
	r.runs(3, "another process owns", "convert")
	if said := first.stop(t); strings.Count(said, token) != 2 || !strings.Contains(said, "curl -s -H \"authorization: Bearer "+token+"\" http://"+addr+"/health") {
		t.Errorf("the token is to be shown, and in a curl line:\n%s", said)
	}

	r.runs(0, "", "convert")
	r.runs(0, "3 events, each visible exactly once", "verify")
	r.runs(0, "3 visible: 3 in Parquet", "status")
	r.runs(0, "checkout", "console", "--plain")
	r.runs(0, "2026-07-01T14:00:00Z", "query", "--sql", "select timestamptz '2026-07-01 12:00:00+00' at time zone 'Europe/Berlin' as t", "--format", "csv") // without a file of zones

	second := r.serve(addr, "--tls-cert", "/data/cert.pem", "--tls-key", "/data/key.pem")
	r.runs(0, "ok: https://"+addr+" takes events", health...)
	r.runs(0, "https://"+addr+", with the header Authorization: Bearer TOKEN", "status")
	second.stop(t)
	r.onlyData()
}

// tokenOf reads the one token of a file.
func tokenOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^default ([0-9a-f]{48})$`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("no token in %s", path)
	}
	return string(found[1])
}

func request(t *testing.T, client *http.Client, method, url, body, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// writeCertificate puts a self-signed pair beside the data.
func (r *emptyRoot) writeCertificate() {
	r.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	wanted := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), DNSNames: []string{"lake.example"}}
	der, err := x509.CreateCertificate(rand.Reader, wanted, wanted, &key.PublicKey, key)
	if err != nil {
		r.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		r.t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		path := filepath.Join(r.dir, "data", name)
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			r.t.Fatal(err)
		}
		if err := os.Chown(path, nobody, nobody); err != nil {
			r.t.Fatal(err)
		}
	}
}

// onlyData checks that nothing was written outside /data, and nothing in it by another user.
func (r *emptyRoot) onlyData() {
	r.t.Helper()
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	if len(entries) != 2 {
		r.t.Errorf("the root holds %v, want the program and data", entries)
	}
	files := 0
	err = filepath.WalkDir(filepath.Join(r.dir, "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files++
		if stat := info.Sys().(*syscall.Stat_t); stat.Uid != nobody {
			r.t.Errorf("%s belongs to user %d", path, stat.Uid)
		}
		return nil
	})
	if err != nil || files < 10 {
		r.t.Errorf("%d files below data, %v", files, err)
	}
}
