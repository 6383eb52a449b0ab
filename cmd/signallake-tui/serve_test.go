package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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
